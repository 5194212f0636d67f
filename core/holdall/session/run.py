"""The run loop: start, checkpoint, perform, record, checkpoint."""

from __future__ import annotations

import time
from contextlib import ExitStack, nullcontext, suppress
from shlex import quote
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from holdall.contracts import AttemptEnded
from holdall.errors import PluginCallError
from holdall.processes import started_at
from holdall.registry import calling
from holdall.results import JobResult, Outcome
from holdall.session.accounts import AccountProblems, account_of, has_several_accounts
from holdall.session.again import to_repeat
from holdall.session.folders import OPEN_SHARES, attempt_folder, remove_leftovers, session_share
from holdall.session.output import Outputs, output_copy
from holdall.session.people import ENDED_BY_HAND, Interview, Paused, forget_said
from holdall.session.readiness import skipped
from holdall.session.report_file import Surroundings
from holdall.session.reported import Reported
from holdall.session.restarting import RESTARTING, check_done, offer_respawn, told_result
from holdall.session.runners import bound_runner, open_runner
from holdall.session.selection import finish, is_bootstrapping
from holdall.session.task import JobTask, report_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from holdall.contracts import Person, Runner
    from holdall.results import Interruption
    from holdall.session.context import SessionDeviceContext
    from holdall.session.job_state import JobState
    from holdall.session.manager import SessionManager
    from holdall.session.output import OutputReader
    from holdall.session.runners import BoundRunner


class RunSettings(NamedTuple):
    """How jobs are run.

    Attributes:
        environ: Variables that jobs see besides holdall's own.
        timeout: Seconds that one attempt may take, None for any time.
        person: Performs manual jobs, and sees what commands write; None if nobody is present.
        warn: Takes messages about what is wrong and stops nothing: with the selection, or with
            what a job left behind.
        retry_interrupted: Whether jobs whose attempt was interrupted run again.
        normal_user: The account of jobs that name none; empty for the one that runs holdall.
        selected: Called with each device before its jobs start, and again when more of them are
            known: it may answer what they ask of the manifest.
        respawn: Command that goes on with the session, for jobs that restart the machine.
        at_start: Whether nobody called this run but the start of the machine.
        booted_at: When this machine was started, in seconds since 1970; None to ask it.
        shares: Where root makes the folders that jobs of several accounts share.
        read_output: Reads what jobs with an `output-format` write, `recording.read_output`; None
            to leave it at their exit codes, which their results say.
    """

    environ: Mapping[str, str]
    timeout: float | None = None
    person: Person | None = None
    warn: Callable[[str], None] = lambda _message: None
    retry_interrupted: bool = False
    normal_user: str = ""
    selected: Callable[[SessionDeviceContext], None] = lambda _context: None
    respawn: str = ""
    at_start: bool = False
    booted_at: float | None = None
    shares: Path = OPEN_SHARES
    read_output: OutputReader | None = None


def run_session(
    manager: SessionManager,
    settings: RunSettings,
    *,
    runners: Mapping[str, Runner | BoundRunner] = MappingProxyType({}),
) -> bool:
    """Run every selected job that has no result yet; each result is durable before the next job.

    Returns whether it came to the end; False if the person paused it, who is asked the same
    question when the session is resumed.

    Args:
        runners: By device id, runners to use in place of those that the devices name, opened
            or made by the application.

    Raises:
        RunnerUrlError, PluginError: The runner of a device is unavailable; no job has run.
        PluginCallError: A runner failed; the job in flight is settled by the next resume, and
            the devices of other runners have run their jobs.
        JobRestartingError: A job in flight restarts the machine, and this is such a start.
        StorageError: A result could not be stored.
    """
    bound = {
        context.device.id: (
            bound_runner(runners[context.device.id])
            if context.device.id in runners
            else open_runner(context.device.runner, manager.registry)
        )
        for context in manager.device_context_list
    }
    several = has_several_accounts(manager.device_context_list, settings.normal_user)
    shares = settings.shares if several else None
    with session_share(manager.storage, settings.warn, shares) as share:
        if settings.at_start:
            check_done(manager, share)
        # Before any job runs: what an interrupted attempt left behind may still use the device.
        outputs = Outputs(manager, settings.read_output)
        settle_interrupted(manager, bound, share, outputs, settings.normal_user)
        manager.settle_changed()
        manager.checkpoint()
        remove_leftovers()
        accounts = AccountProblems(bound, settings.normal_user, settings.warn)
        try:
            _Run(manager, bound, settings, share, accounts, outputs).run_devices()
        except Paused:
            return False
    return True


def settle_interrupted(
    manager: SessionManager,
    runners: Mapping[str, BoundRunner],
    share: Path | None = None,
    outputs: Outputs | None = None,
    normal_user: str = "",
) -> list[JobState]:
    """Give each attempt that never finished its one result, and return their jobs' states.

    The result is `crash`, unless the job was to restart the machine and did.
    What is left of the attempt is ended first, and what it wrote and reported is kept.
    """
    settled = []
    reports = []
    for context in manager.device_context_list:
        for state in context.state.job_state_map.values():
            if not state.in_flight or state.awaits_person:
                continue  # a question that was interrupted is asked again
            interruption = _ended(runners[context.device.id], context, state)
            result = _interrupted_result(manager, context, state, interruption, share)
            if share is not None:
                reports.append(report_of(share, context, state))
                reported = Reported(manager.masked_text)
                # Its own folder is gone, or was left behind under a name that nobody knows.
                user = account_of(state.job, normal_user)
                surroundings = Surroundings(None, share, user, manager.keep_attachment)
                reports[-1].read(reported, surroundings)
                if state.job.output_format and outputs is not None:
                    outputs.read_recovered(state.job.output_format, result, reported)
                result = reported.within(result)
            context.state.update_job_result(state.job, result)
            settled.append(state)
    if settled:
        manager.checkpoint()
    for report in reports:
        report.remove()
    return settled


def _ended(bound: BoundRunner, context: SessionDeviceContext, state: JobState) -> Interruption:
    """Let the runner end what is left of an attempt, and return what interrupted it."""
    try:
        return _interruption(bound, state)
    except PluginCallError as error:
        device = quote(context.device.id)
        error.add_note(f"`holdall resume --device {device}=RUNNER` goes on by another one")
        raise


def _interrupted_result(
    manager: SessionManager,
    context: SessionDeviceContext,
    state: JobState,
    interruption: Interruption,
    share: Path | None,
) -> JobResult:
    meant = interruption == "rebooted" and state.job.flags & RESTARTING
    known: dict[str, Any] = {
        "outcome": Outcome.PASS if meant else Outcome.CRASH,
        "comments": _MEANT if meant else _INTERRUPTIONS[interruption],
        **told_result(state.job, share),
        **manager.recover_log(state.job, context),
    }
    said = (known["comments"], forget_said(context, state.job))
    known["comments"] = "; ".join(filter(None, said)) or None
    return JobResult(interrupted_by=interruption, **known)


def _interruption(bound: BoundRunner, state: JobState) -> Interruption:
    """Return what the runner says interrupted an attempt, having ended what is left of it.

    Raises:
        PluginCallError: It failed.
    """
    with calling(bound.plugin, f"ending what is left of the job {state.job.id!r}") as call:
        interruption = call.returned(bound.runner.interrupted(state.process), str)
    if interruption not in _INTERRUPTIONS:
        known = ", ".join(map(repr, _INTERRUPTIONS))
        cause = f"it returned {interruption!r}, none of {known}"
        raise bound.plugin.blame("telling what interrupted a job", cause)
    return cast("Interruption", interruption)


RESTART_PATIENCE_S: Final = 600.0
"""Seconds that a job with the flag `noreturn` has to restart the machine."""

_MEANT: Final = "the machine was restarted, as the job meant it to be"
_INTERRUPTIONS: Final = {
    "killed": "the run ended while this job ran",
    "rebooted": "the machine was restarted while this job ran",
    "unknown": "the run was interrupted while this job ran",
}


class _Run(NamedTuple):
    """What stays the same for all jobs of a run."""

    manager: SessionManager
    runners: Mapping[str, BoundRunner]
    settings: RunSettings
    share: Path
    accounts: AccountProblems
    outputs: Outputs

    def run_devices(self) -> None:
        """Run the jobs of all devices; a runner that fails ends only those of its device."""
        failures = []
        for context in self.manager.device_context_list:
            with suppress(PluginCallError):  # raised again when it is the device's turn
                self.accounts.report(context)
        for context in self.manager.device_context_list:
            try:
                self._run_device(context)
                if is_bootstrapping(context):
                    for problem in finish(context):
                        self.settings.warn(str(problem))
                    self.manager.checkpoint()
                    self.accounts.report(context)
                    self._run_device(context)
            except PluginCallError as error:
                if error.kind != "runner":
                    raise
                failures.append(error)
        for failure in failures[1:]:
            self.settings.warn(str(failure))
        if failures:
            raise failures[0]

    def _run_device(self, context: SessionDeviceContext) -> None:
        """Run the device's jobs that are still to run, in order."""
        self.settings.selected(context)
        states = context.state.job_state_map
        pending = [job for job in context.state.run_list if not self._is_done(states[job.id])]
        booted_at = self.settings.booted_at
        again = to_repeat(context, pending, started_at() if booted_at is None else booted_at)
        for job in list(context.state.run_list):
            state = states[job.id]
            if job.id in again or not self._is_done(state):
                self._run_job(context, state)

    def _run_job(self, context: SessionDeviceContext, state: JobState) -> None:
        """Try the job until it need not be tried again; each attempt has its durable result."""
        anew = False
        while True:
            with ExitStack() as folders:
                result = self._attempt(context, state, folders, anew=anew)
                if result is None:
                    anew = True
                    continue
                known = len(context.state.problems)
                # Durable before the folder is removed, which may take long.
                report = report_of(self.share, context, state)
                context.state.update_job_result(state.job, result)
                self.manager.checkpoint()
                report.remove()
            if not is_bootstrapping(context):  # the selection tells all of them
                for problem in context.state.problems[known:]:
                    self.settings.warn(str(problem))
            self.manager.compact_if_long()
            if not state.retries:
                return

    def _is_done(self, state: JobState) -> bool:
        result = state.result
        if state.retries or state.in_flight:
            return False  # holdall was ended between two attempts, or while a person was asked
        if self.settings.retry_interrupted and result.interrupted_by and result.outcome.failed:
            return False
        return state.was_tried

    def _attempt(
        self, context: SessionDeviceContext, state: JobState, folders: ExitStack, *, anew: bool
    ) -> JobResult | None:
        """Return the result of one attempt; None if the person wants it made anew."""
        interview = self._interview(context)
        if state.awaits_person and not anew:
            return interview.decided_late(state)
        reasons = state.readiness_inhibitor_list
        if reasons:
            states = context.state.job_state_map
            named = {reason.related_job for reason in reasons} & states.keys()
            return skipped(state.job, reasons, {name: states[name].result for name in named})
        problem = self.accounts.of(context, state.job)
        if problem is not None:
            reason = f"it could not be started: {problem}"
            return JobResult(outcome=Outcome.ERROR, comments=reason)
        prepared = interview.prepared(state)
        if prepared.outcome is not Outcome.NONE:
            return prepared
        try:
            folder = folders.enter_context(attempt_folder(state.job, self.settings.warn))
            copied = state.job.output_format
            output = folders.enter_context(output_copy()) if copied else None
            task = JobTask(
                self.manager, self.settings, self.share, context, state, folder, output=output
            )
        except OSError as error:
            reason = f"it could not be started: no folder can be made for it: {error}"
            return JobResult(outcome=Outcome.ERROR, comments=reason)
        offer_respawn(state.job, self.share, self.settings.respawn)
        result = self._performed(self.runners[context.device.id], task)
        if result.outcome is Outcome.PASS and "noreturn" in state.job.flags:
            # The machine may go down at any moment from here on.
            task.flush()
            result = self._awaited_restart(result)
        result = task.reported(result, self.outputs)
        return interview.judged(state, task, result, prepared.comments or "")

    def _interview(self, context: SessionDeviceContext) -> Interview:
        return Interview(
            self.manager, context, self.settings.person, lambda job: self._run_job(context, job)
        )

    def _performed(self, bound: BoundRunner, task: JobTask) -> JobResult:
        """Let the runner run the command, while the person may watch it and end it."""
        job, person = task.job, self.settings.person
        with (
            nullcontext() if person is None else person.watch(job),
            calling(bound.plugin, f"running the job {job.id!r}") as call,
        ):
            try:
                return call.returned(bound.runner.run(task), JobResult)
            except AttemptEnded:
                return ENDED_BY_HAND

    def _awaited_restart(self, result: JobResult) -> JobResult:
        """Wait for the restart that the job brought about; if none comes, the job crashed.

        The attempt stays in flight meanwhile: the next resume sees that the
        machine was restarted, and that this was the job.
        """
        patience = self.settings.timeout or RESTART_PATIENCE_S
        time.sleep(patience)
        comments = f"the machine was to be restarted, and was not within {patience:g} s"
        return msgspec.structs.replace(result, outcome=Outcome.CRASH, comments=comments)
