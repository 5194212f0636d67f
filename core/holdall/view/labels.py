"""Labels: the outcomes of jobs and attempts as people read them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.languages import ENGLISH, N_
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.languages import Catalog
    from holdall.results import Interruption, JobResult
    from holdall.view.folded import FoldedJob


_IN_FLIGHT: Final = N_("in flight")
_INTERRUPTED: Final[dict[Interruption, str]] = {
    "killed": N_("interrupted: the run ended"),
    "rebooted": N_("interrupted by a reboot"),
    "unknown": N_("interrupted"),
}


class Labels:
    """The labels in one language; each was looked up once, whatever number of jobs has it.

    Attributes:
        in_flight: Stands for an attempt that has not ended.
    """

    __slots__ = ("_expected_to_fail", "_interrupted", "_outcomes", "in_flight")

    def __init__(self, catalog: Catalog) -> None:
        self.in_flight = catalog.gettext(_IN_FLIGHT)
        self._outcomes = {outcome: catalog.gettext(outcome.label) for outcome in Outcome}
        self._expected_to_fail = {
            outcome: catalog.gettext(outcome.label_of(xfail=True)) for outcome in Outcome
        }
        self._interrupted = {by: catalog.gettext(text) for by, text in _INTERRUPTED.items()}

    def of(self, outcome: Outcome, interrupted_by: Interruption | None = None) -> str:
        """Return the label of an attempt that has ended."""
        label = self._outcomes[outcome]
        return f"{label} ({self._interrupted[interrupted_by]})" if interrupted_by else label

    def of_job(
        self,
        counted: Outcome | None,
        outcome: Outcome | None,
        interrupted_by: Interruption | None = None,
    ) -> str:
        """Return the label of a job by what it counts as and by its outcome."""
        if counted is None or outcome is None:
            return self.in_flight
        if counted is not outcome:
            return self._expected_to_fail[outcome]
        return self.of(outcome, interrupted_by)


IN_ENGLISH: Final = Labels(ENGLISH)
"""The labels of a view that was given no catalog."""


class Tally(NamedTuple):
    """How many jobs ended in one way.

    Attributes:
        outcome: What they count as; None stands for those in flight.
        label: The outcome as people read it, in the language of the view.
        number: How many jobs.
    """

    outcome: Outcome | None
    label: str
    number: int


def tallies(jobs: Iterable[FoldedJob], labels: Labels) -> list[Tally]:
    """Return a tally for each way that occurs, what went wrong first."""
    counts = Counter(ending(job) for job in jobs)
    in_order = sorted(counts, key=lambda ending: ORDER.index(ending[0]))
    return [
        Tally(counted, labels.of_job(counted, outcome), counts[counted, outcome])
        for counted, outcome in in_order
    ]


def ending(job: FoldedJob) -> tuple[Outcome | None, Outcome | None]:
    """Return what a job counts as, and its outcome; twice None for one in flight."""
    if job.in_flight:
        return None, None
    outcome = job.result.outcome
    return outcome.counted(xfail=job.record.xfail), outcome


ORDER: Final = (
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
"""What jobs count as, what went wrong first; None stands for those in flight."""


def total(durations: Iterable[float | None]) -> float:
    """Return the sum of *durations* to the microsecond, a finite number whatever they are."""
    exact = sum(duration or 0.0 for duration in durations)
    return round(min(exact, sys.float_info.max), 6)


def span(results: Iterable[JobResult]) -> float | None:
    """Return the seconds from the first start to the last end; None unless all are known."""
    first, last = sys.float_info.max, -1.0
    for result in results:
        took = result.execution_duration or 0.0
        if result.started_at is not None:
            first = min(first, result.started_at)
            last = max(last, result.started_at + took)
        elif took:
            return None
    return None if last < 0 else round(min(last - first, sys.float_info.max), 6)
