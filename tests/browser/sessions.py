"""Sessions that the page is tried on: a lab with several devices, and output that is hard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import IOLogRecord, JobResult, Outcome
from holdall.testing.sessions import START, SampleSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.journal import AnyEvent

CATEGORIES: Final = ("Audio", "Disks & drives", "Wi-Fi")
STATUSES: Final = ("blocker", "non-blocker")


def lab_session(jobs: int = 60, devices: int = 2) -> SampleSession:
    """Return a session of devices that ran the same jobs one after the other.

    Of each ten jobs the fourth failed for one reason, the seventh was skipped, and the ninth
    passed at the second attempt. The numbers in the names have no leading zeros.
    """
    events: list[AnyEvent] = [SessionCreated(at=START, session_id="lab", title="Nightly")]
    events += [CategoryDefined(at=START, id=f"lab::{name}", name=name) for name in CATEGORIES]
    for number in range(devices):
        events += _device(f"laptop-{number + 1}", jobs)
    return SampleSession(tuple(events))


def _device(device: str, jobs: int) -> Iterator[AnyEvent]:
    yield DeviceAdded(at=START, device=device)
    ids = tuple(f"lab::check-{number}" for number in range(jobs))
    for number, job_id in enumerate(ids):
        record = JobRecord(
            id=job_id,
            summary=f"Check {number}",
            category_id=f"lab::{CATEGORIES[number % 3]}",
            certification_status=STATUSES[number % 2],
        )
        yield JobDefined(at=START, device=device, job=record)
    yield JobsSelected(at=START, device=device, run_list=ids)
    for number, job_id in enumerate(ids):
        for result in _results(number):
            yield ResultRecorded(
                at=START + 9 * number, device=device, job_id=job_id, result=result
            )


def _results(number: int) -> Iterator[JobResult]:
    outcome = {3: Outcome.FAIL, 6: Outcome.SKIPPED_RESOURCE}.get(number % 10, Outcome.PASS)
    failed = JobResult(
        outcome=Outcome.FAIL,
        comments="no such device",
        started_at=START + 8 * number,
        execution_duration=1 + number % 7,
        io_log=lines(100),
    )
    if outcome is Outcome.FAIL or number % 10 == 8:
        yield failed
    if outcome is not Outcome.FAIL:
        yield JobResult(
            outcome=outcome,
            started_at=START + 8 * number + 1,
            execution_duration=1 + number % 7,
            skip_reason="no camera" if outcome.skipped else None,
        )


def lines(number: int) -> tuple[IOLogRecord, ...]:
    """Return a log of some lines, the last of them with a word that is in no other."""
    text = "".join(f"line {n} of the output\n" for n in range(number - 1)) + "line of the END\n"
    return (IOLogRecord(0.1, "stdout", text.encode()),)


def logs_session(*logs: bytes) -> SampleSession:
    """Return a session of failed jobs `job-0`, `job-1`... that wrote *logs*."""
    events: list[AnyEvent] = [SessionCreated(at=START, session_id="logs"), DeviceAdded(at=START)]
    for number, log in enumerate(logs):
        job_id = f"job-{number}"
        result = JobResult(outcome=Outcome.FAIL, io_log=(IOLogRecord(0.1, "stdout", log),))
        events.append(JobDefined(at=START, job=JobRecord(id=job_id, summary=f"Job {number}")))
        events.append(ResultRecorded(at=START + 1, job_id=job_id, result=result))
    return SampleSession(tuple(events))
