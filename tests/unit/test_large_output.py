"""What is large in a result lies in blobs, whoever recorded it, and in whatever store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall import JobResult, Recorder, SessionManager, make_unit
from holdall.journal import INLINE, ResultRecorded, read_events
from holdall.results import Attachment
from holdall.stores import open_repository
from holdall.view import SessionView

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Storage

STORES = ("memory://{}", "file://{}", "sqlite:///{}/s.db")
LARGE = b"x" * (INLINE + 1)
JOB: Any = make_unit({"id": "job", "plugin": "shell", "command": "true"})


def large(*, log: bytes = LARGE, file: bytes = LARGE) -> JobResult:
    return JobResult(
        outcome="pass",
        io_log=[(0.5, "stdout", log[:7]), (1.0, "stderr", log[7:])],
        attachments=[Attachment(name="a.bin", size=len(file), data=file)],
    )


def by_manager(storage: Storage, result: JobResult) -> None:
    manager = SessionManager.create_with_unit_list([JOB], storage.repository)
    state = manager.state
    assert state is not None
    state.update_desired_job_list([JOB])
    state.update_job_result(JOB, result)
    manager.checkpoint()
    assert_large_is_in_blobs(manager.storage)


def by_recorder(storage: Storage, result: JobResult) -> None:
    recorder = Recorder(storage)
    recorder.record_result("job", result)
    recorder.checkpoint()
    assert_large_is_in_blobs(storage)


def assert_large_is_in_blobs(storage: Storage) -> None:
    assert all(len(entry) < 2 * INLINE for _number, entry in storage.read())
    (job,) = SessionView.of(storage).jobs()
    assert [tuple(record) for record in job.io_log()] == [
        (0.5, "stdout", LARGE[:7]),
        (1.0, "stderr", LARGE[7:]),
    ]
    assert job.io_log_size == len(LARGE)
    with job.last.open_attachment(job.attachments[0]) as content:
        assert content.read() == LARGE


@pytest.mark.parametrize("record", [by_manager, by_recorder])
@pytest.mark.parametrize("store", STORES)
def test_large_output_that_is_recorded_by_hand_becomes_a_blob(
    record: Any, store: str, tmp_path: Path
) -> None:
    record(open_repository(store.format(tmp_path)).create("s"), large())


def test_little_output_stays_in_the_journal() -> None:
    storage = open_repository("memory://little").create("s")
    recorder = Recorder(storage)
    recorder.record_result("job", large(log=b"y" * INLINE, file=b"z" * INLINE))
    recorder.checkpoint()

    (event,) = (event for event in read_events(storage) if isinstance(event, ResultRecorded))
    assert event.result.io_log_ref is None
    assert event.result.attachments[0].ref is None


def test_a_manager_has_logs_to_write_to_while_a_job_runs(tmp_path: Path) -> None:
    with SessionManager.create(f"file://{tmp_path}") as manager:
        state = manager.add_local_device_context().state
        state.add_unit(JOB)
        log = manager.open_log(JOB)
        log.write("stdout", LARGE[:7], delay=0.5)
        log.write("stderr", LARGE[7:], delay=1.0)

        state.update_job_result(JOB, JobResult(outcome="pass", **log.finish()))
        manager.checkpoint()

        (job,) = manager.view().jobs()
        assert b"".join(record.data for record in job.io_log()) == LARGE


def test_a_log_needs_a_device() -> None:
    with (
        SessionManager.create("memory://none") as manager,
        pytest.raises(ValueError, match="the session has no device yet"),
    ):
        manager.open_log(JOB)
