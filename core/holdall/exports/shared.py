"""Large logs read once for several reports: from the store, and through the same filters."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from holdall.exports.spool import LogSpool, SpoolWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from holdall.exports.filtering import Place, ViewFilter
    from holdall.exports.spool import Extent
    from holdall.results import IOLogRecord, JobResult

ROOM: Final = 256 << 20
"""Bytes of logs that are kept at most; temporary folders are often small, or memory."""

MOST: Final = 1 << 14
"""Logs that are kept at most; where each one is stands in memory."""


class _Kept(NamedTuple):
    """Where a log is, and what each filter that it was read through counted in it."""

    extents: tuple[Extent, ...]
    found: tuple[Mapping[str, int], ...]


class SharedLogs:
    """Remembers logs that were read to their end, as long as the reports of one moment are made.

    A log is remembered as it comes out of the filters that can be told alike by
    their `log_key`; what comes behind them is done each time. What has no room
    is read from the store again.
    """

    def __init__(self, *, room: int = ROOM) -> None:
        self._spool = LogSpool(room=room)
        self._kept: dict[Hashable, _Kept] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._kept.clear()
        self._spool.close()

    def log(
        self,
        result: JobResult,
        place: Place,
        filters: tuple[ViewFilter, ...],
        stored: Callable[[JobResult], Iterator[IOLogRecord]],
    ) -> tuple[Iterator[IOLogRecord], tuple[ViewFilter, ...]]:
        """Return a log as it is seen through the first of *filters*, and the other ones."""
        alike = tuple(takewhile(lambda each: each.log_key is not None, filters))
        others = filters[len(alike) :]
        key: Hashable = result.io_log_ref
        if alike:
            key = (key, place, *(each.log_key for each in alike))
        kept = self._kept.get(key)
        if kept is not None:
            return self._again(kept, place, alike), others
        records = stored(result)
        for each in alike:
            records = each.log(records, place)
        if result.io_log_size < self._spool.room and len(self._kept) < MOST:
            records = self._remembering(key, records, place, alike)
        return records, others

    def _remembering(
        self,
        key: Hashable,
        records: Iterator[IOLogRecord],
        place: Place,
        filters: tuple[ViewFilter, ...],
    ) -> Iterator[IOLogRecord]:
        """Yield *records*, and remember them if the reader comes to their end."""
        writer = SpoolWriter(self._spool)
        for record in records:
            writer.add(record)
            yield record
        extents = writer.finish()
        if extents is not None:
            found = tuple(each.found(place) for each in filters)
            self._kept[key] = _Kept(extents, found)

    def _again(
        self, kept: _Kept, place: Place, filters: tuple[ViewFilter, ...]
    ) -> Iterator[IOLogRecord]:
        yield from self._spool.read(kept.extents)
        for each, found in zip(filters, kept.found, strict=True):
            each.count(found, place)
