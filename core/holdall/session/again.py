"""Jobs that run again so that others find the machine in the state they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.results import Outcome
from holdall.session.restarting import RESTARTING
from holdall.units import SUSPENDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.session.context import SessionDeviceContext
    from holdall.units import Job

_SUSPENDING: Final = frozenset(SUSPENDS.values())


class _Change(NamedTuple):
    """When a job last suspended or restarted the machine, and where it is on the run list."""

    at: float
    position: int
    job_id: str
    restarts: bool


def to_repeat(context: SessionDeviceContext, pending: Iterable[Job], booted_at: float) -> set[str]:
    """Return the ids of jobs that must run again before those of *pending* that need it.

    A job that depends on one that suspends the machine is about a machine that was
    suspended: not about one that was started since. A job that depends on one that restarts
    it is about a fresh start: not about a machine that was suspended since, by a job that
    comes later.

    Args:
        booted_at: When the machine was last started, in seconds since 1970.
    """
    changes = {change.job_id: change for change in _changes(context, booted_at)}
    if not changes:
        return set()
    repeated = set()
    for job in pending:
        needed = [changes[job_id] for job_id in _needed(context, job) if job_id in changes]
        if not needed:
            continue
        last = max(needed)
        position = context.state.position(job)
        if last.restarts:
            is_lost = any(
                change.at > last.at and change.position > position
                for change in changes.values()
                if not change.restarts
            )
        else:
            is_lost = last.at < booted_at
        if is_lost:
            repeated.add(last.job_id)
    return repeated


def _changes(context: SessionDeviceContext, booted_at: float) -> Iterator[_Change]:
    for job in context.state.run_list:
        restarts = bool(job.flags & RESTARTING)
        if restarts or job.id in _SUSPENDING:
            result = context.state.job_state_map[job.id].result
            if result.outcome is Outcome.PASS:
                # Any start makes a machine fresh, not only the one that the job brought about.
                at = max(result.started_at or 0.0, booted_at if restarts else 0.0)
                yield _Change(at, context.state.position(job), job.id, restarts)


def _needed(context: SessionDeviceContext, job: Job) -> set[str]:
    """Return the ids of all jobs that must have passed before *job* starts."""
    states = context.state.job_state_map
    needed: set[str] = set()
    open_ids = list(job.depends)
    while open_ids:
        job_id = open_ids.pop()
        if job_id not in needed and job_id in states:
            needed.add(job_id)
            open_ids.extend(states[job_id].job.depends)
    return needed
