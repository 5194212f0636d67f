"""Logs out of memory: given back as they were, and never at the price of an export."""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.journal.events import JobDefined, JobRecord, ResultRecorded, SessionCreated
from holdall.results import IOLogRecord, JobResult
from holdall.view.logs import LogSpool, SpoolWriter
from holdall.view.session import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.journal.events import AnyEvent

records = st.builds(
    IOLogRecord,
    st.floats(min_value=0, allow_infinity=False),
    st.sampled_from(["stdout", "stderr"]),
    st.binary(max_size=100),
)


def long_log(records: int) -> list[IOLogRecord]:
    return [IOLogRecord(n / 3, "stdout", b"%d " % n * 50) for n in range(records)]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@given(st.lists(st.lists(records, max_size=5), max_size=5))
def test_logs_come_back_as_they_were(logs: list[list[IOLogRecord]]) -> None:
    spool = LogSpool(room=1 << 20)

    kept = [spool.keep(log) for log in logs]

    assert [list(spool.read(extents or ())) for extents in kept] == logs


def test_a_long_log_is_kept_in_parts_and_comes_back_whole() -> None:
    spool = LogSpool(room=1 << 24)
    log = long_log(20_000)

    extents = spool.keep(log)

    assert extents is not None
    assert len(extents) > 10
    assert list(spool.read(extents)) == log


def test_two_logs_written_in_turn_do_not_mix() -> None:
    spool = LogSpool(room=1 << 24)
    one, other = long_log(5_000), long_log(4_000)[::-1]
    writers = SpoolWriter(spool), SpoolWriter(spool)

    for number in range(5_000):
        writers[0].add(one[number])
        if number < 4_000:
            writers[1].add(other[number])
    kept = [writer.finish() for writer in writers]

    assert [list(spool.read(extents or ())) for extents in kept] == [one, other]


def test_a_log_that_has_no_room_is_not_kept_and_the_others_stay() -> None:
    spool = LogSpool(room=10_000)

    first = spool.keep(long_log(10))
    second = spool.keep(long_log(1_000))

    assert second is None
    assert list(spool.read(first or ())) == long_log(10)


def test_on_a_full_disk_a_log_is_not_kept() -> None:
    spool = LogSpool(room=1 << 24)
    first = spool.keep(long_log(10))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        second = spool.keep(long_log(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert second is None
    assert spool.room == 0
    assert list(spool.read(first or ())) == long_log(10)


def test_the_file_goes_with_the_spool() -> None:
    gc.collect()  # so that no file of another test is closed meanwhile
    before = open_files()
    spool = LogSpool(room=1 << 20)
    spool.keep(long_log(3))
    assert open_files() == before + 1

    del spool
    gc.collect()

    assert open_files() == before


def test_a_spool_that_was_closed_gives_no_log_and_takes_none() -> None:
    spool = LogSpool(room=1 << 20)
    kept = spool.keep(long_log(3))

    spool.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        list(spool.read(kept or ()))
    assert spool.keep(long_log(3)) is None


def many_small_logs(jobs: int) -> Iterator[AnyEvent]:
    yield SessionCreated(at=1, session_id="small")
    for number in range(jobs):
        yield JobDefined(at=1, job=JobRecord(id=f"job-{number}"))
        log = (IOLogRecord(number / 7, "stderr", b"%d" % number * 700),)
        result = JobResult(outcome="pass", io_log=log)
        yield ResultRecorded(at=2, job_id=f"job-{number}", result=result)


def test_a_view_holds_the_small_logs_of_a_session_out_of_memory() -> None:
    view = SessionView(many_small_logs(500))

    held = sum(
        sys.getsizeof(record.data)
        for job in view.jobs()
        for attempt in job.attempts
        for record in attempt.result.io_log
    )
    assert sum(job.io_log_size for job in view.jobs()) > 900_000
    assert held < 300_000
    for number, job in enumerate(view.jobs()):
        (record,) = job.io_log()
        assert record == (number / 7, "stderr", b"%d" % number * 700)
        assert job.io_log_size == len(record.data)


def test_a_view_shares_the_definitions_of_devices_that_have_the_same_jobs() -> None:
    def events() -> Iterator[AnyEvent]:
        yield SessionCreated(at=1, session_id="devices")
        for device in ("one", "two"):
            for number in range(2):
                job = JobRecord(id=f"job-{number}", summary=f"Number {number}")
                yield JobDefined(at=1, device=device, job=job)
                result = JobResult(outcome="pass")
                yield ResultRecorded(at=1, device=device, job_id=job.id, result=result)

    one, two, three, four = SessionView(events()).jobs()

    assert one.summary is three.summary
    assert two.summary is four.summary
    assert [each.device_id for each in (one, two, three, four)] == ["one", "one", "two", "two"]
