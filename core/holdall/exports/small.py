"""Logs that travelled with their results: the first ones in memory, the others out of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.exports.spool import Extent, LogSpool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.results import IOLogRecord, JobResult

_IN_MEMORY: Final = 1 << 18  # bytes of small logs that stay in memory
_OVERHEAD: Final = 160  # bytes that a record takes in memory besides its data
_SPOOLED: Final = "spooled:"


class SmallLogs:
    """Takes small logs out of the results of a session, so that a view does not grow by them."""

    def __init__(self) -> None:
        self._room = _IN_MEMORY
        self._spool = LogSpool(room=sys.maxsize)

    def taken_out(self, result: JobResult) -> JobResult:
        """Return *result* with a reference in place of its log, if that is not to stay."""
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
        places = (each.split("+") for each in ref.removeprefix(_SPOOLED).split(","))
        return self._spool.read([Extent(int(start), int(size)) for start, size in places])
