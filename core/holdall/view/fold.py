"""What the fold of a journal knows of a job, and what many jobs have in common."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import force_setattr

from holdall.journal import JobRecord
from holdall.results import JobResult

_WORDS: Final = ("category_id", "plugin", "certification_status", "template_id")


class Repeated:
    """Gives the first of all equal values; each event that is read brings its own."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._records: dict[JobRecord, JobRecord] = {}

    def record(self, record: JobRecord) -> JobRecord:
        """Return the definition equal to *record*, the same one for all devices."""
        known = self._records.setdefault(record, record)
        if known is record:
            for name in _WORDS:
                word = getattr(record, name)
                force_setattr(record, name, self._words.setdefault(word, word))
        return known


class FoldedJob(msgspec.Struct, eq=False, gc=False):
    """What the fold knows of one job on one device."""

    record: JobRecord
    results: tuple[JobResult, ...] = ()
    in_flight: bool = False

    @property
    def was_tried(self) -> bool:
        """Whether an attempt was recorded, or at least started."""
        return self.in_flight or bool(self.results)

    @property
    def result(self) -> JobResult:
        """The last result; one that says nothing if there is none."""
        return self.results[-1] if self.results else _NOT_STARTED


_NOT_STARTED: Final = JobResult()
