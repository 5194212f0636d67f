"""How jobs and attempts stand, in words for people."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.languages import ENGLISH, N_
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.languages import Words
    from holdall.results import Interruption
    from holdall.view.fold import FoldedJob


_IN_FLIGHT: Final = N_("in flight")
_INTERRUPTED: Final[dict[Interruption, str]] = {
    "killed": N_("interrupted: holdall was killed"),
    "rebooted": N_("interrupted by a reboot"),
    "unknown": N_("interrupted"),
}


class Labels:
    """The labels in one language; each was looked up once, whatever number of jobs has it.

    Attributes:
        in_flight: Stands for an attempt that has not ended.
    """

    __slots__ = ("_interrupted", "_outcomes", "in_flight")

    def __init__(self, words: Words) -> None:
        self.in_flight = words.gettext(_IN_FLIGHT)
        self._outcomes = {each: words.gettext(each.label) for each in Outcome}
        self._interrupted = {by: words.gettext(text) for by, text in _INTERRUPTED.items()}

    def of(self, outcome: Outcome, interrupted_by: Interruption | None = None) -> str:
        """Return the label of an attempt that has ended."""
        label = self._outcomes[outcome]
        return f"{label} ({self._interrupted[interrupted_by]})" if interrupted_by else label


IN_ENGLISH: Final = Labels(ENGLISH)
"""What a view says unless it was given other words."""


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
    Outcome.ERROR,
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


def total(durations: Iterable[float | None]) -> float:
    """Return the sum of *durations*, a finite number whatever they are."""
    return min(sum(each or 0.0 for each in durations), sys.float_info.max)
