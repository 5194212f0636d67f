"""I/O logs as blobs: records one behind the other, readable with `less`.

Each record is a line `<seconds> <stream> <bytes>`, that many bytes, and a newline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from holdall.errors import CorruptSessionError
from holdall.results import IOLogRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.results import Stream


def pack_record(record: IOLogRecord) -> bytes:
    """Return *record* as it stands in a log."""
    return b"%.6f %b %d\n%b\n" % (
        record.delay,
        record.stream.encode(),
        len(record.data),
        record.data,
    )


def unpack_records(log: BinaryIO, *, name: str = "") -> Iterator[IOLogRecord]:
    """Yield the records of *log*; a last one that a crash cut short is left out.

    Raises:
        CorruptSessionError: This is no I/O log.
    """
    while head := log.readline(_LONGEST_HEAD):
        try:
            delay, stream, size = head.decode("ascii").split()
            record = IOLogRecord(float(delay), _STREAMS[stream], log.read(int(size) + 1)[:-1])
        except (ValueError, KeyError) as error:
            if not head.endswith(b"\n"):
                return
            raise CorruptSessionError(name, "an I/O log", f"no record head: {head!r}") from error
        if len(record.data) < int(size):
            return
        yield record


_LONGEST_HEAD = 64
_STREAMS: dict[str, Stream] = {"stdout": "stdout", "stderr": "stderr"}
