"""The run loop: start, checkpoint, perform, record, checkpoint."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdall.errors import HoldallError, PluginCallError
from holdall.journal.events import Process, now
from holdall.results import JobResult, Outcome
from holdall.session.capture import LogCapture, log_name, recover
from holdall.session.environment import job_environ
from holdall.session.readiness import SKIP_OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdall.contracts import Person, ProcessMark, Runner
    from holdall.results import Stream
    from holdall.session.context import SessionDeviceContext
    from holdall.session.job_state import JobState
    from holdall.session.manager import SessionManager
    from holdall.units import Job


class Step(NamedTuple):
    """One moment of a run, for whoever shows how far it is.

    Attributes:
        number: Place on the run list, from 1.
        total: Length of the run list.
        result: None while the job runs.
    """

    device_id: str
    job: Job
    number: int
    total: int
    result: JobResult | None


class RunSettings(NamedTuple):
    """How jobs are run.

    Attributes:
        environ: Variables that jobs may see of.
        timeout: Seconds that one attempt may take, None for any time.
        person: Who does manual jobs; None where there is nobody.
        show: Called at each step.
        retry_interrupted: Whether jobs whose attempt was interrupted run again.
    """

    environ: Mapping[str, str]
    timeout: float | None = None
    person: Person | None = None
    show: Callable[[Step], None] = lambda _step: None
    retry_interrupted: bool = False


def run_session(
    manager: SessionManager, runner: Runner, runner_name: str, settings: RunSettings
) -> None:
    """Run every selected job that has no result yet; each result is durable before the next job.

    Raises:
        PluginCallError: The runner failed; the job in flight is settled by the next resume.
        StorageError: A result could not be stored.
    """
    for context, state in settle_interrupted(manager, runner):
        run_list = context.state.run_list
        number = run_list.index(state.job) + 1 if state.job in run_list else 0
        settings.show(Step(context.device.id, state.job, number, len(run_list), state.result))
    manager.checkpoint()
    with _session_share(manager) as share:
        run = _Run(manager, runner, runner_name, settings, share)
        for context in manager.device_context_list:
            run.run_device(context)


def settle_interrupted(
    manager: SessionManager, runner: Runner
) -> list[tuple[SessionDeviceContext, JobState]]:
    """Give each attempt that never finished its one result, `crash`, and return its job's state.

    What is left of the attempt is ended first, and what it wrote is kept.
    """
    settled = []
    for context in manager.device_context_list:
        for state in context.state.job_state_map.values():
            if not state.in_flight:
                continue
            interruption = runner.interrupted(state.process)
            name = log_name(context.device.id, state.job.id, len(state.result_history) + 1)
            result = JobResult(
                outcome=Outcome.CRASH,
                interrupted_by=interruption,
                comments=_INTERRUPTIONS[interruption],
                **recover(manager.storage, name),
            )
            context.state.update_job_result(state.job, result)
            settled.append((context, state))
    if settled:
        manager.checkpoint()
    return settled


_INTERRUPTIONS: Final = {
    "killed": "holdall was ended while this job ran",
    "rebooted": "the machine was restarted while this job ran",
    "unknown": "the run was interrupted while this job ran",
}


class _Run(NamedTuple):
    """What stays the same for all jobs of a run."""

    manager: SessionManager
    runner: Runner
    runner_name: str
    settings: RunSettings
    share: Path

    def run_device(self, context: SessionDeviceContext) -> None:
        """Run the device's jobs that are still to run, in order."""
        run_list = list(context.state.run_list)
        for number, job in enumerate(run_list, start=1):
            state = context.state.job_state_map[job.id]
            if self._is_done(state):
                continue
            step = Step(context.device.id, job, number, len(run_list), None)
            self.settings.show(step)
            result = self._attempt(context, state)
            context.state.update_job_result(job, result)
            self.manager.checkpoint()
            self.manager.compact_if_long()
            self.settings.show(step._replace(result=result))

    def _is_done(self, state: JobState) -> bool:
        if self.settings.retry_interrupted and state.result.interrupted_by is not None:
            return False
        return state.was_tried

    def _attempt(self, context: SessionDeviceContext, state: JobState) -> JobResult:
        reasons = state.readiness_inhibitor_list
        if reasons:
            outcome = SKIP_OUTCOMES.get(reasons[0].cause, Outcome.SKIP)
            return JobResult(outcome=outcome, skip_reason="; ".join(map(str, reasons)))
        with TemporaryDirectory(prefix="holdall-job-") as folder:
            task = _Task(self, context, state, Path(folder))
            return task.completed(self._performed(task))

    def _performed(self, task: _Task) -> JobResult:
        try:
            return self.runner.run(task)
        except HoldallError:
            raise
        except Exception as error:
            doing = f"running the job {task.job.id!r}"
            cause = f"{type(error).__name__}: {error}"
            name = self.runner_name
            raise PluginCallError("runner", name, name, doing, cause) from error


class _Task:
    """One attempt at a job, as the runner sees it."""

    def __init__(
        self, run: _Run, context: SessionDeviceContext, state: JobState, folder: Path
    ) -> None:
        self.job: Final = state.job
        self.folder: Final = folder
        self.timeout: Final = run.settings.timeout
        self.person: Final = run.settings.person
        self.environ: Final = job_environ(
            state.job,
            context.provider_of(state.job),
            run.settings.environ,
            session_id=run.manager.storage.id,
            session_share=run.share,
        )
        self._manager = run.manager
        self._state = context.state
        self._started_at: float | None = None
        attempt = len(state.result_history) + 1
        name = log_name(context.device.id, state.job.id, attempt)
        self._log = LogCapture(run.manager.storage, name)

    def started(self, process: ProcessMark | None) -> None:
        """Make durable that the attempt starts."""
        self._started_at = now()
        mark = None
        if process is not None:
            mark = Process(pid=process.pid, started=process.started, boot_id=process.boot_id)
            mark = mark.within(self._manager.boot_id)
        self._state.job_started(self.job, mark)
        self._manager.checkpoint()

    def output(self, stream: Stream, data: bytes) -> None:
        """Record what the job wrote just now."""
        self._log.write(stream, data)

    def completed(self, result: JobResult) -> JobResult:
        """Return *result* with what was recorded while the job ran."""
        return msgspec.structs.replace(result, started_at=self._started_at, **self._log.finish())


@contextmanager
def _session_share(manager: SessionManager) -> Iterator[Path]:
    """Give the folder that the session's jobs share: the storage's own, or one for this run."""
    folder = getattr(manager.storage, "folder", None)
    if folder is not None:
        share = Path(folder) / "session-share"
        share.mkdir(mode=0o700, exist_ok=True)
        yield share
        return
    with TemporaryDirectory(prefix="holdall-share-") as temporary:
        yield Path(temporary)
