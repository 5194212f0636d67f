"""I/O logs as blobs: records one behind the other, readable with `less`.

Each record is a line `<seconds> <stream> <bytes>`, that many bytes, and a newline. In
front of them may stand one of the stream `log`, which holds the name that the log had
while its job ran: by it a log is known that was sealed, and whose result was not stored.
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


def pack_name(name: str) -> bytes:
    """Return what stands in front of the records of the log *name*."""
    data = name.encode("utf-8", "surrogatepass")
    return b"0.000000 %b %d\n%b\n" % (_NAME, len(data), data)


def is_log_of(log: BinaryIO, name: str) -> bool:
    """Whether *log*, a blob of any content, is the log that was called *name*."""
    front = pack_name(name)
    return log.read(len(front)) == front


def unpack_records(log: BinaryIO, *, name: str = "") -> Iterator[IOLogRecord]:
    """Yield the records of *log*; a last one that a crash cut short is left out.

    Raises:
        CorruptSessionError: This is no I/O log.
    """
    while head := log.readline(_LONGEST_HEAD):
        try:
            delay, stream, digits = head.split()
            size = int(digits)
            if stream == _NAME:
                log.read(size + 1)
                continue
            record = IOLogRecord(float(delay), _STREAMS[stream], log.read(size + 1)[:-1])
        except (ValueError, KeyError) as error:
            if not head.endswith(b"\n"):
                return
            raise CorruptSessionError(name, "an I/O log", f"no record head: {head!r}") from error
        if len(record.data) < size:
            return
        yield record


_LONGEST_HEAD = 64
_NAME = b"log"
_STREAMS: dict[bytes, Stream] = {b"stdout": "stdout", b"stderr": "stderr"}
