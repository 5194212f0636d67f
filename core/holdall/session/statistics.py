"""Statistics of a state: outcomes by job and category, and estimated durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from holdall.session.job_state import JobState
    from holdall.units import Job


def outcome_stats(states: Iterable[JobState]) -> dict[str, int]:
    """Return how many jobs ended with which outcome; those without a result don't count."""
    stats: dict[str, int] = {}
    for state in states:
        if not state.result.is_hollow:
            outcome = str(state.result.outcome)
            stats[outcome] = stats.get(outcome, 0) + 1
    return stats


def category_outcomes(states: Iterable[JobState]) -> dict[str, Outcome]:
    """Return the outcome of each category: fail if any job failed, else pass if any passed."""
    outcomes: dict[str, Outcome] = {}
    for state in states:
        if not state.was_tried:
            continue
        category_id, outcome = state.effective_category_id, state.result.outcome
        rank = Outcome.FAIL if outcome.failed else outcome
        best = outcomes.get(category_id)
        if best is None or _RANKS.get(rank, 0) > _RANKS.get(best, 0):
            outcomes[category_id] = rank if rank in _RANKS else Outcome.SKIP
    return outcomes


_RANKS: Mapping[Outcome, int] = {Outcome.FAIL: 2, Outcome.PASS: 1}


def certification_status_map(
    states: Mapping[str, JobState], outcomes: Collection[str], statuses: Collection[str]
) -> dict[str, JobState]:
    """Return the states of jobs with one of *outcomes* and one of *statuses* in force."""
    return {
        job_id: state
        for job_id, state in states.items()
        if state.result.outcome in outcomes and state.effective_certification_status in statuses
    }


MANUAL_OVERHEAD: Final = 30.0
"""Seconds that a job which needs a person takes besides what it says."""


def seconds_left(jobs: Iterable[Job]) -> tuple[float, bool]:
    """Return how many seconds *jobs* should take, and whether some of them don't say."""
    total, is_least = 0.0, False
    for job in jobs:
        is_least = is_least or job.estimated_duration is None
        total += (job.estimated_duration or 0.0) + (0.0 if job.automated else MANUAL_OVERHEAD)
    return total, is_least


def estimated_duration(
    jobs: Iterable[Job], manual_overhead: float
) -> tuple[float | None, float | None]:
    """Return the seconds that automated and manual *jobs* should take.

    Either is None if a job of its kind does not say. Each manual job costs
    *manual_overhead* seconds on top.
    """
    totals: list[float | None] = [0.0, 0.0]
    for job in jobs:
        index = 0 if job.automated else 1
        total, seconds = totals[index], job.estimated_duration
        if total is None or seconds is None:
            totals[index] = None
        else:
            totals[index] = total + seconds + (0 if job.automated else manual_overhead)
    return totals[0], totals[1]
