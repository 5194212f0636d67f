"""Large logs read once for several reports: from the store, and through the same filters."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from itertools import takewhile
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import msgspec

from holdall.results import IOLogRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from holdall.results import JobResult
    from holdall.view.filtering import Location, ViewFilter


ROOM: Final = 256 << 20
"""Bytes of logs that are kept at most; temporary folders are often small, or memory."""

MOST: Final = 1 << 14
"""Logs that are kept at most; where each one is stands in memory."""


class _Kept(NamedTuple):
    """The extents of a log in the spool, and the counts of each filter that it passed."""

    extents: tuple[Extent, ...]
    counts: tuple[Mapping[str, int], ...]


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
        location: Location,
        filters: tuple[ViewFilter, ...],
        stored: Callable[[JobResult], Iterator[IOLogRecord]],
    ) -> tuple[Iterator[IOLogRecord], tuple[ViewFilter, ...]]:
        """Return a log as it is seen through the first of *filters*, and the other ones."""
        alike = tuple(takewhile(lambda view_filter: view_filter.log_key is not None, filters))
        others = filters[len(alike) :]
        key: Hashable = result.io_log_ref
        # A filter may treat two locations differently, although one blob is stored for both.
        if alike:
            key = (key, location, *(view_filter.log_key for view_filter in alike))
        kept = self._kept.get(key)
        if kept is not None:
            return self._again(kept, location, alike), others
        records = stored(result)
        for view_filter in alike:
            records = view_filter.log(records, location)
        if result.io_log_size < self._spool.room and len(self._kept) < MOST:
            records = self._remembering(key, records, location, alike)
        return records, others

    def _remembering(
        self,
        key: Hashable,
        records: Iterator[IOLogRecord],
        location: Location,
        filters: tuple[ViewFilter, ...],
    ) -> Iterator[IOLogRecord]:
        """Yield *records*, and remember them if the reader comes to their end."""
        writer = SpoolWriter(self._spool)
        for record in records:
            writer.add(record)
            yield record
        # Counts are complete only once the log was read to its end.
        extents = writer.finish()
        if extents is not None:
            counts = tuple(view_filter.counted(location) for view_filter in filters)
            self._kept[key] = _Kept(extents, counts)

    def _again(
        self, kept: _Kept, location: Location, filters: tuple[ViewFilter, ...]
    ) -> Iterator[IOLogRecord]:
        yield from self._spool.read(kept.extents)
        for view_filter, counts in zip(filters, kept.counts, strict=True):
            view_filter.count(counts, location)


_IN_MEMORY: Final = 1 << 18  # bytes of small logs that stay in memory
_OVERHEAD: Final = 160  # bytes that a record takes in memory besides its data
_SPOOLED: Final = "spooled:"


class SmallLogs:
    """Takes small logs out of the results of a session, so that a view does not grow by them."""

    def __init__(self) -> None:
        self._room = _IN_MEMORY
        self._spool = LogSpool(room=sys.maxsize)

    def taken_out(self, result: JobResult) -> JobResult:
        """Return *result* with its log moved to the spool, if the memory for logs is used up."""
        if not result.io_log:
            return result
        self._room -= sum(len(record.data) + _OVERHEAD for record in result.io_log)
        extents = None if self._room >= 0 else self._spool.keep(result.io_log)
        if extents is None:
            return result
        ref = _SPOOLED + ",".join(f"{start}+{size}" for start, size in extents)
        return msgspec.structs.replace(result, io_log=(), io_log_ref=ref)

    def log(self, result: JobResult) -> Iterator[IOLogRecord] | None:
        """Return the log of *result* if it is here; None if it is in a blob."""
        ref = result.io_log_ref
        if ref is None:
            return iter(result.io_log)
        if not ref.startswith(_SPOOLED):
            return None
        extents = (extent.split("+") for extent in ref.removeprefix(_SPOOLED).split(","))
        return self._spool.read([Extent(int(start), int(size)) for start, size in extents])


_BATCH: Final = 1 << 18  # bytes of records that are written, and read, at a time
_AROUND: Final = 32  # bytes that a record takes in the file besides its data, at most
_logger: Final = logging.getLogger(__name__)


class Extent(NamedTuple):
    """The extent of some records of a log in the spool's file."""

    start: int
    size: int


class LogSpool:
    """Keeps logs, and gives them back as often as they are asked for.

    A log that it has no room for is not kept, which is no error: whoever wants
    to keep one has it.

    Attributes:
        room: Bytes that it still takes.
    """

    def __init__(self, *, room: int) -> None:
        self.room = room
        self._end = 0
        self._fd = -1
        self._close: Callable[[], object] | None = None
        self._pack = msgspec.msgpack.Encoder().encode
        self._unpack = msgspec.msgpack.Decoder(list[IOLogRecord]).decode

    def close(self) -> None:
        """Forget all logs, and take no others."""
        self.room = 0
        if self._close is not None:
            self._close()
            self._fd = -1  # the number may soon be that of another file

    def keep(self, records: Iterable[IOLogRecord]) -> tuple[Extent, ...] | None:
        """Keep a log, and return where it is; None if it can't be kept."""
        writer = SpoolWriter(self)
        for record in records:
            writer.add(record)
        return writer.finish()

    def read(self, extents: Iterable[Extent]) -> Iterator[IOLogRecord]:
        """Yield the records of a log that is kept."""
        for start, size in extents:
            yield from self._unpack(os.pread(self._fd, size, start))

    def write(self, records: list[IOLogRecord]) -> Extent | None:
        """Append some records, and return where they are; None if they can't be kept."""
        data = self._pack(records)
        if len(data) > self.room:
            return None
        try:
            written = os.pwrite(self._opened(), data, self._end)
        except OSError as error:
            _logger.info("the temporary folder takes no logs: %s", error)
            written = 0
        if written != len(data):  # it is full
            self.room = 0
            return None
        extent = Extent(self._end, len(data))
        self._end += len(data)
        self.room -= len(data)
        return extent

    def _opened(self) -> int:
        if self._close is None:
            file = TemporaryFile(prefix="holdall-logs-", buffering=0)  # noqa: SIM115 - `finalize` closes it
            self._close = weakref.finalize(self, file.close)
            self._fd = file.fileno()
        return self._fd


class SpoolWriter:
    """One log on its way into a spool."""

    def __init__(self, spool: LogSpool) -> None:
        self._spool = spool
        self._waiting: list[IOLogRecord] = []
        self._size = 0
        self._extents: list[Extent] | None = []

    def add(self, record: IOLogRecord) -> None:
        """Take the next record of the log."""
        if self._extents is None:
            return
        self._waiting.append(record)
        self._size += len(record.data) + _AROUND
        if self._size >= _BATCH:
            self._write()

    def finish(self) -> tuple[Extent, ...] | None:
        """Return where the log is, now that it is whole; None if it is not kept."""
        if self._waiting:
            self._write()
        return None if self._extents is None else tuple(self._extents)

    def _write(self) -> None:
        extent = self._spool.write(self._waiting)
        if extent is None:
            self._extents = None
        elif self._extents is not None:
            self._extents.append(extent)
        self._waiting = []
        self._size = 0
