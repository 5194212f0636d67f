"""Jobs that need a person: what is asked before and behind a command, and what follows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from holdall.contracts import Move, Question
from holdall.journal import now
from holdall.results import JobResult, Outcome
from holdall.session.statistics import seconds_left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.contracts import Person, Reply
    from holdall.session.context import SessionDeviceContext
    from holdall.session.job_state import JobState
    from holdall.session.manager import SessionManager
    from holdall.units import Job

NOBODY: Final = "it needs a person, and there is no terminal to ask at"
"""Why a job was skipped, or is undecided, that nobody was there for."""

ENDED_BY_HAND: Final = JobResult(
    outcome=Outcome.CRASH, comments="it was ended by Ctrl-C at the terminal"
)
"""The result of a command that the person ended."""

_REFUSED: Final = "the person at the terminal skipped it"
_PREPARED: Final = frozenset({"user-interact", "user-interact-verify"})
_VERIFIED: Final = frozenset({"user-verify", "user-interact-verify"})

RETRIED: Final = frozenset(
    {
        *(Outcome.FAIL, Outcome.CRASH, Outcome.ERROR, Outcome.SKIP, Outcome.NOT_SUPPORTED),
        *(Outcome.SKIPPED_DEPENDENCY, Outcome.SKIPPED_RESOURCE, Outcome.SKIPPED_MANIFEST),
    }
)
"""Outcomes of jobs that are offered to be run again."""


class Paused(Exception):  # noqa: N818 - something that somebody wanted
    """The person saved the session, to go on with it another time."""


class PerformedTask(Protocol):
    """An attempt whose command has ended."""

    def asked(self, result: JobResult) -> JobResult:
        """Return what the command came to, of which the state knows now; its log is durable."""
        ...

    def completed(self, result: JobResult) -> JobResult:
        """Return *result* with what was recorded while the job ran; no more is taken."""
        ...


class Interview:
    """What a person is asked about the jobs of one device, if one is there.

    Args:
        run_job: Makes another attempt at a job.
    """

    def __init__(
        self,
        manager: SessionManager,
        context: SessionDeviceContext,
        person: Person | None,
        run_job: Callable[[JobState], None],
    ) -> None:
        self._manager = manager
        self._context = context
        self._person = person
        self._run_job = run_job

    def prepared(self, state: JobState) -> JobResult:
        """Return the result of a job that needs no command; a hollow one lets the command run.

        That may have comments already.
        """
        plugin = state.job.plugin
        if self._person is None:
            needs = plugin == "manual" or plugin in _PREPARED
            return JobResult(outcome=Outcome.SKIP, skip_reason=NOBODY) if needs else JobResult()
        if plugin == "manual":
            self._context.state.job_started(state.job)
            self._manager.checkpoint()
            started = JobResult(started_at=now())
            return _decided(started, self._answered(self._person.decide, state, None))
        if plugin in _VERIFIED and plugin not in _PREPARED:
            self._person.announce(self._question(state, None))
        if plugin not in _PREPARED:
            return JobResult()
        return _decided(None, self._answered(self._person.prepare, state, None))

    def judged(
        self, state: JobState, task: PerformedTask, result: JobResult, comments: str
    ) -> JobResult | None:
        """Return the result of a command that ended, as the person decides if one has to.

        None says that the command is to run again.
        """
        if not _needs_decision(state, result):
            said = "; ".join(filter(None, (result.comments, comments)))
            forget_said(self._context, state.job)
            return task.completed(msgspec.structs.replace(result, comments=said or None))
        if self._person is None:
            return task.completed(self._left_open(state, result))
        result = task.asked(result)
        # Durable before the question, which is asked again if it is interrupted.
        self._manager.checkpoint()
        reply = self._answered(self._person.decide, state, result, comments)
        return None if reply.move is Move.RUN else task.completed(_decided(result, reply))

    def decided_late(self, state: JobState) -> JobResult | None:
        """Return the result of a job whose question was interrupted; None to run it again."""
        performed = state.performed
        if self._person is not None:
            reply = self._answered(self._person.decide, state, performed)
            if reply.move is Move.RUN:
                return None
            result = _decided(performed, reply)
        else:
            result = self._left_open(state, performed)
        log = self._manager.recover_log(state.job, self._context)
        return msgspec.structs.replace(result, **log)

    def _left_open(self, state: JobState, performed: JobResult | None) -> JobResult:
        """Return the result of a job on which nobody is there to decide, with what was said."""
        said = forget_said(self._context, state.job)
        if performed is None:
            return JobResult(outcome=Outcome.SKIP, skip_reason=NOBODY, comments=said or None)
        comments = "; ".join(filter(None, (performed.comments, said, NOBODY)))
        return msgspec.structs.replace(performed, outcome=Outcome.UNDECIDED, comments=comments)

    def _reconsider(self, state: JobState) -> None:
        """Let the person decide once more on a job, which is another result of it."""
        assert self._person is not None  # noqa: S101 - somebody wants to go back
        result = state.result
        is_manual = state.job.plugin == "manual"
        if is_manual or _needs_decision(state, result):
            shown = None if is_manual else result
            said = result.comments or ""
            reply = self._answered(self._person.decide, state, shown, said)
            if reply.move is Move.DECIDE:
                result = msgspec.structs.replace(result, comments=None, interrupted_by=None)
                self._context.state.update_job_result(state.job, _decided(result, reply))
                self._manager.checkpoint()
                return
        self._run_job(state)

    def _answered(
        self,
        ask: Callable[[Question], Reply],
        state: JobState,
        result: JobResult | None,
        comments: str = "",
    ) -> Reply:
        kept = self._context.state.metadata.open_comments
        while True:
            comments = kept.get(state.job.id, comments)
            reply = ask(self._question(state, result, comments))
            if reply.move is Move.DECIDE:
                forget_said(self._context, state.job)
                return reply
            if reply.comments not in {comments, kept.get(state.job.id, comments)}:
                self._keep(state.job, Outcome.NONE, reply.comments)
            if reply.move is Move.PAUSE:
                raise Paused
            if reply.move is Move.RUN:
                return reply
            previous = question_before(self._context, state)
            if previous is not None:
                self._reconsider(previous)

    def _keep(self, job: Job, outcome: Outcome, comments: str) -> None:
        """Make durable what the person said of a job so far, whatever becomes of the question."""
        metadata = self._context.state.metadata
        forget_said(self._context, job)
        if comments:
            metadata.open_comments[job.id] = comments
        if outcome is not Outcome.NONE:
            metadata.open_outcomes[job.id] = str(outcome)
        self._manager.checkpoint()

    def _question(self, state: JobState, result: JobResult | None, comments: str = "") -> Question:
        context = self._context
        states = context.state.job_state_map
        jobs = context.state.run_list
        remaining = [job for job in jobs if job is state.job or not states[job.id].was_tried]
        left, is_least = seconds_left(remaining)
        category = state.effective_category_id
        return Question(
            job=state.job,
            device=context.device,
            category=context.state.category_map.get(category, ""),
            certification_status=state.effective_certification_status,
            result=result,
            comments=comments,
            number=context.state.position(state.job),
            total=len(jobs),
            seconds_left=left,
            is_least=is_least,
            can_go_back=question_before(context, state) is not None,
            outcome=_chosen_before(context, state.job),
            keep=partial(self._keep, state.job),
        )


def question_before(context: SessionDeviceContext, state: JobState) -> JobState | None:
    """Return the last job before *state* on the run list that a person decided on, or could."""
    states = context.state.job_state_map
    jobs = context.state.run_list[: max(0, context.state.position(state.job) - 1)]
    decided = (states[job.id] for job in reversed(jobs) if not job.automated)
    return next((before for before in decided if before.result.outcome in _ANSWERS), None)


_ANSWERS: Final = frozenset(
    {Outcome.PASS, Outcome.FAIL, Outcome.CRASH, Outcome.SKIP, Outcome.UNDECIDED}
)


def _needs_decision(state: JobState, result: JobResult) -> bool:
    """Whether a person has to decide on what the job's command came to, if it ran at all."""
    return state.job.plugin in _VERIFIED and result.return_code is not None


def forget_said(context: SessionDeviceContext, job: Job) -> str:
    """Return what a person said of a job that had no result, and keep it no longer."""
    metadata = context.state.metadata
    metadata.open_outcomes.pop(job.id, None)
    return metadata.open_comments.pop(job.id, "")


def _chosen_before(context: SessionDeviceContext, job: Job) -> Outcome:
    text = context.state.metadata.open_outcomes.get(job.id, "")
    return Outcome(text) if text in {str(outcome) for outcome in _CHOSEN} else Outcome.NONE


_CHOSEN: Final = (Outcome.PASS, Outcome.FAIL, Outcome.SKIP)


def _decided(result: JobResult | None, reply: Reply) -> JobResult:
    """Return the result that the person's reply makes of that of the command."""
    ran = result or JobResult()
    comments = "; ".join(filter(None, (ran.comments, reply.comments)))
    reason = _REFUSED if reply.outcome is Outcome.SKIP else None
    return msgspec.structs.replace(
        ran, outcome=reply.outcome, comments=comments or None, skip_reason=reason
    )


def retry_candidates(context: SessionDeviceContext) -> list[JobState]:
    """Return the jobs of the run list that did not end well, in their order."""
    states = context.state.job_state_map
    selected = (states[job.id] for job in context.state.run_list)
    return [
        state
        for state in selected
        if state.result.outcome.counted(xfail=state.job.xfail) in RETRIED
    ]


def auto_retry_candidates(context: SessionDeviceContext) -> list[JobState]:
    """Return the jobs that run again by themselves where a launcher asks for that."""
    return [
        state
        for state in retry_candidates(context)
        if state.result.outcome in _RETRIED_UNASKED and not state.refuses_retry
    ]


_RETRIED_UNASKED: Final = frozenset({Outcome.FAIL, Outcome.CRASH, Outcome.SKIPPED_DEPENDENCY})


def try_again(context: SessionDeviceContext, job_ids: Iterable[str]) -> None:
    """Let these jobs run once more, and the jobs they depend on that did not pass.

    Their results stay in the history.
    """
    states = context.state.job_state_map
    chosen = dict.fromkeys(_with_failed_dependencies(context, job_ids))
    for job in context.state.run_list:
        if job.id in chosen and states[job.id].was_tried:
            context.state.update_job_result(job, JobResult())


def _with_failed_dependencies(
    context: SessionDeviceContext, job_ids: Iterable[str]
) -> Iterator[str]:
    states = context.state.job_state_map
    pending, seen = list(job_ids), set()
    while pending:
        job_id = pending.pop()
        if job_id in seen or job_id not in states:
            continue
        seen.add(job_id)
        yield job_id
        needed = states[job_id].job.depends
        pending += [name for name in needed if name in states and _failed(states[name])]


def _failed(state: JobState) -> bool:
    return state.result.outcome not in {Outcome.PASS, Outcome.NONE}
