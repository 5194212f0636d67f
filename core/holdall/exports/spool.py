"""Logs out of memory: in a private file that has no name, and is gone with its owner."""

from __future__ import annotations

import logging
import os
import weakref
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdall.results import IOLogRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_BATCH: Final = 1 << 18  # bytes of records that are written, and read, at a time
_AROUND: Final = 32  # bytes that a record takes in the file besides its data, at most
_logger: Final = logging.getLogger(__name__)


class Extent(NamedTuple):
    """Where in the file some records of a log are."""

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
