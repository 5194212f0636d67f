"""The jobs of one category on one device, as reports with sections show them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdall.view.job import JobView
from holdall.view.labels import tallies, total

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.results import Outcome
    from holdall.view.folded import FoldedJob
    from holdall.view.labels import Tally
    from holdall.view.source import Source


class JobGroup:
    """The jobs of one category on one device; it can be read any number of times.

    Attributes:
        device_id: Id of the device.
        category_id: Qualified id of the category.
        category: The heading, for people.
    """

    __slots__ = ("_jobs", "_source", "category", "category_id", "device_id")

    def __init__(
        self,
        device_id: str,
        category_id: str,
        category: str,
        jobs: Sequence[FoldedJob],
        source: Source,
    ) -> None:
        self.device_id = device_id
        self.category_id = category_id
        self.category = category
        self._jobs = jobs
        self._source = source

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many jobs ended with which outcome; only outcomes that occur."""
        return Counter(job.result.outcome for job in self._jobs)

    @property
    def tallies(self) -> list[Tally]:
        """The number of jobs by outcome, failures first, with labels for people."""
        return tallies(self._jobs, self._source.labels)

    @property
    def duration(self) -> float:
        """Seconds that the last attempts took, added up."""
        return total(job.took for job in self._jobs)

    def jobs(self) -> Iterator[JobView]:
        """Yield the jobs, in the order of the run list."""
        for job in self._jobs:
            yield JobView(self.device_id, job, self.category, self._source)
