"""Sessions of extreme size that take no memory or disk to make."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    ResultRecorded,
    SessionCreated,
)
from holdall.journal.iolog import pack_record
from holdall.results import IOLogRecord, JobResult
from holdall.view.session import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.journal.events import AnyEvent

LINE = b"a line of output that is neither short nor long, with a <tag> & more\n"
LAST = b"the last line\n"
_RECORD = LINE * 900


class GeneratedFile(io.RawIOBase):
    """A file whose content comes out of an iterator."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def session_with_log(size: int) -> SessionView:
    """Return a session of one failed job, whose log is of *size* bytes."""
    result = JobResult(outcome="fail", io_log_ref="sha256:made-while-read", io_log_size=size)
    events: tuple[AnyEvent, ...] = (
        SessionCreated(at=1, session_id="one-log"),
        DeviceAdded(at=1),
        JobDefined(at=1, job=JobRecord(id="com.example::log", summary="Writes a lot")),
        ResultRecorded(at=2, job_id="com.example::log", result=result),
    )

    def open_blob(_ref: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(GeneratedFile(_packed(size)), 1 << 17))

    return SessionView(events, open_blob=open_blob)


def _packed(size: int) -> Iterator[bytes]:
    left = size - len(LAST)
    number = 0
    while left:
        data = _RECORD[: min(left, len(_RECORD))]
        yield pack_record(IOLogRecord(number / 64, "stdout", data))
        left -= len(data)
        number += 1
    yield pack_record(IOLogRecord(number / 64, "stdout", LAST))


def devices_with_jobs(devices: int) -> SessionView:
    """Return a session of so many devices, each with facts and 100 jobs in five categories."""
    return SessionView(_device_events(devices))


def _device_events(devices: int) -> Iterator[AnyEvent]:
    yield SessionCreated(at=1, session_id="many-devices")
    ids = tuple(f"com.example::job/{number}" for number in range(100))
    for device in (f"dut-{number}" for number in range(devices)):
        facts = {"serial": device[4:], "board": "a board"}
        yield DeviceAdded(at=1, device=device, description=f"Device {device}", facts=facts)
        for number, job_id in enumerate(ids):
            category = f"com.example::category-{number % 5}"
            record = JobRecord(id=job_id, summary=f"Job {number}", category_id=category)
            yield JobDefined(at=1, device=device, job=record)
        yield JobsSelected(at=1, device=device, run_list=ids)
        for number, job_id in enumerate(ids):
            outcome = "fail" if number % 10 == 9 else "pass"
            result = JobResult(outcome=outcome, execution_duration=number / 8)
            yield ResultRecorded(at=2, device=device, job_id=job_id, result=result)
