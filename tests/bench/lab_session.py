"""A session as a lab has it, stored in files: what the bench of exporters reads."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from holdall.journal import Journal
from holdall.journal.events import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    ResultRecorded,
    SessionCreated,
)
from holdall.journal.iolog import pack_record
from holdall.results import IOLogRecord, JobResult
from holdall.stores.opening import file_url, open_repository
from holdall.testing.sessions import START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts.stores import Storage
    from holdall.journal.events import AnyEvent

SESSION = "bench"
AREAS = ("audio", "cpu", "disk", "ethernet", "firmware", "graphics", "memory", "usb", "wireless")


def store(folder: Path, jobs: int, *, devices: int = 1, logs: bool = True) -> None:
    """Store a session of *jobs* results on *devices* devices; 10 % failed, and have a log."""
    storage = open_repository(file_url(folder)).create(SESSION)
    Journal.begin(storage).append(_events(storage, jobs // devices, devices, logs=logs))
    storage.close()


def opened(folder: Path) -> Storage:
    """Return the stored session, to be read."""
    return open_repository(file_url(folder)).open(SESSION, mode="r")


def _events(storage: Storage, jobs: int, devices: int, *, logs: bool) -> Iterator[AnyEvent]:
    yield SessionCreated(at=START, session_id=SESSION, title=f"{jobs} jobs on {devices} devices")
    for area in AREAS:
        yield CategoryDefined(at=START, id=f"com.example::{area}", name=f"{area.title()} tests")
    records = [_record(number) for number in range(jobs)]
    for device in (f"dut-{number}" for number in range(devices)):
        yield DeviceAdded(at=START, device=device, description=f"Board {device} of the rack")
        for record in records:
            yield JobDefined(at=START, device=device, job=record)
        ids = tuple(record.id for record in records)
        yield JobsSelected(at=START, device=device, run_list=ids)
        for number, job_id in enumerate(ids):
            for result in _results(storage, number, logs=logs):
                at = START + number
                yield ResultRecorded(at=at, device=device, job_id=job_id, result=result)


def _record(number: int) -> JobRecord:
    area = AREAS[number % len(AREAS)]
    job_id = f"com.example::{area}/check-{number:05}"
    return JobRecord(
        id=job_id,
        summary=f"Check part {number} of {area} & its <friends>" + " (größer)" * (number % 7 == 0),
        description=f"Part {number} of {area} must answer.\nIt is asked {number % 9} times.",
        category_id=f"com.example::{area}",
        certification_status="blocker" if number % 10 == 0 else "non-blocker",
        checksum=sha256(job_id.encode()).hexdigest(),
        estimated_duration=float(number % 60),
        origin=f"units/{area}/jobs.pxu:{number * 9 + 1}",
    )


def _results(storage: Storage, number: int, *, logs: bool) -> Iterator[JobResult]:
    """Yield the attempts at a job: of every fifth failure there was one before, and it crashed."""
    known: dict[str, Any] = {
        "execution_duration": number % 100 / 8,
        "started_at": START + number,
    }
    if number % 10 == 9:
        log = tuple(_log(number, 14)) if logs else ()
        if number % 50 == 49:
            yield JobResult(outcome="crash", return_code=-11, io_log=log, **known)
        comment = "seen before, see the ticket\nof last week" if number % 30 == 29 else None
        known |= {"outcome": "fail", "return_code": 1, "comments": comment}
        if logs and number % 1000 == 999:
            records = list(_log(number, 600))
            ref = storage.put_blob(map(pack_record, records))
            size = sum(len(record.data) for record in records)
            yield JobResult(**known, io_log_ref=ref, io_log_size=size)
        else:
            yield JobResult(**known, io_log=log)
    elif number % 20 == 8:
        reason = f"com.example::{AREAS[number % 9]}/check-{number - 1:05} failed"
        yield JobResult(outcome="skipped-dependency", skip_reason=reason)
    else:
        yield JobResult(outcome="pass", return_code=0, **known)


def _log(number: int, lines: int) -> Iterator[IOLogRecord]:
    """Yield a line each; one log in ten is coloured."""
    state = "\x1b[32mok\x1b[0m" if number % 100 == 59 else "ok"
    for line in range(lines):
        text = f"{number}.{line}: probing the part & its <friends>, 42 µs, {state}\n"
        yield IOLogRecord(line / 64, "stdout" if line % 5 else "stderr", text.encode())
