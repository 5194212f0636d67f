"""Outcomes as the page filters by them: each number that the view tallies has an id of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.view import JobView, SessionState, SessionView, Tally

# Ids of outcomes that are not what they count as, by what they count as.
_EXPECTED: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "failed-as-expected",
    Outcome.FAIL: "passed-unexpectedly",
}
_IN_FLIGHT: Final = "in-flight"


def outcome_id(job: JobView) -> str:
    """Return the id of the tally that *job* is in."""
    if job.in_flight:
        return _IN_FLIGHT
    counted, outcome = job.counts_as, job.outcome
    return outcome.value if counted is outcome else _EXPECTED[counted]


def tallied(view: SessionView) -> Iterator[tuple[str, Tally]]:
    """Yield the tallies of *view*, each with its id."""
    for tally in view.tallies:
        counted = tally.outcome
        if counted is None:
            yield _IN_FLIGHT, tally
        elif tally.label == view.catalog.gettext(counted.label):
            yield counted.value, tally
        else:
            yield _EXPECTED[counted], tally


def wrong_outcomes(tallies: Iterable[tuple[str, Tally]], state: SessionState) -> list[str]:
    """Return the ids of the tallies of what went wrong, which in flight is not while it runs."""
    return [
        name
        for name, tally in tallies
        if (state != "running" if tally.outcome is None else tally.outcome.failed)
    ]
