"""How many jobs stand how, in words: what a report's totals are made of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.exports.job import FoldedJob
    from holdall.exports.labels import Labels


class Tally(NamedTuple):
    """How many jobs ended in one way; an outcome of None stands for those in flight."""

    outcome: Outcome | None
    label: str
    number: int


def tallies(jobs: Iterable[FoldedJob], labels: Labels) -> list[Tally]:
    """Return a tally for each way that occurs, what went wrong first."""
    counts = Counter(None if job.in_flight else job.result.outcome for job in jobs)
    return [
        Tally(each, labels.in_flight if each is None else labels.of(each), counts[each])
        for each in _ORDER
        if counts[each]
    ]


_ORDER: Final = (
    Outcome.FAIL,
    Outcome.CRASH,
    None,
    Outcome.UNDECIDED,
    Outcome.NONE,
    Outcome.PASS,
    Outcome.SKIP,
    Outcome.SKIPPED_DEPENDENCY,
    Outcome.SKIPPED_RESOURCE,
    Outcome.SKIPPED_MANIFEST,
    Outcome.NOT_SUPPORTED,
    Outcome.NOT_IMPLEMENTED,
)
