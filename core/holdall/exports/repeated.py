"""What many jobs have in common, kept once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import force_setattr

if TYPE_CHECKING:
    from holdall.journal.events import JobRecord

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
