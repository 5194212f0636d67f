from __future__ import annotations

import io
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import holdall
from holdall import (
    Device,
    IOLogRecord,
    JobResult,
    Recorder,
    SessionDeviceContext,
    SessionManager,
    make_unit,
)
from holdall.errors import LockedStorageError, RecordingError, UnknownSessionError
from holdall.journal import (
    FORMAT,
    JobDefined,
    JobsAppended,
    JobStarted,
    Process,
    WriterOpened,
    read_events,
)
from holdall.recording.recorder import MOST_PENDING
from holdall.registry import Registry
from holdall.results import Measurement, Subtest
from holdall.stores import open_repository
from holdall.view import SessionView
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdall.contracts import Level, Repository, Storage
    from holdall.view.job import JobView


@pytest.fixture
def repository() -> MemoryRepository:
    return MemoryRepository()


def stored(recorder: Recorder) -> SessionView:
    """Return what others see of the session once its recorder is closed."""
    recorder.close()
    repository = recorder.storage.repository
    return SessionView.of(repository.open(recorder.session_id, mode="r"))


def only_job(view: SessionView) -> JobView:
    (found,) = view.jobs()
    return found


def log(job: JobView) -> bytes:
    return b"".join(record.data for record in job.io_log())


def test_what_is_recorded_is_what_reports_show(repository: Repository) -> None:
    recorder = Recorder.create(repository, title="Nightly")
    recorder.device("dut-7", description="on the bench", facts={"slot": "3"})
    recorder.job(
        "suite::boots",
        device="dut-7",
        summary="It boots",
        description="Press the button.",
        category="Suite",
        plugin="manual",
        certification_status="blocker",
        origin="suite.csv:2",
    )
    recorder.record(
        "suite::boots",
        device="dut-7",
        outcome="fail",
        started_at=100.0,
        duration=2.5,
        return_code=1,
        comments="it did not",
        output=[(0.5, "stderr", b"no\n")],
        subtests=[Subtest(name="first", outcome="pass")],
        measurements=[Measurement(name="speed", value=3, upper=2)],
    )

    view = stored(recorder)
    job = only_job(view)
    (attempt,) = job.attempts

    assert view.title == "Nightly"
    assert [(d.id, d.description, d.facts) for d in view.devices] == [
        ("dut-7", "on the bench", {"slot": "3"})
    ]
    assert (job.device_id, job.id, job.summary) == ("dut-7", "suite::boots", "It boots")
    assert (job.category, job.plugin, job.certification_status) == ("Suite", "manual", "blocker")
    result = attempt.result
    assert (str(result.outcome), result.return_code, result.comments) == ("fail", 1, "it did not")
    assert (result.started_at, result.execution_duration) == (100.0, 2.5)
    assert list(job.io_log()) == [IOLogRecord(0.5, "stderr", b"no\n")]
    assert result.subtests == (Subtest(name="first", outcome="pass"),)
    assert result.measurements[0].outcome == "fail"


def test_a_job_that_was_not_recorded_is_recorded_by_its_id(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    recorder.record("a", outcome="pass")
    recorder.job("b", summary="never tried")

    jobs = [(job.id, str(job.outcome)) for job in stored(recorder).jobs()]

    assert jobs == [("a", "pass"), ("b", "none")]
    (info,) = holdall.list_sessions(repository)
    assert (info.state, info.jobs, info.results) == ("unfinished", 2, 1)


def test_attempts_are_counted_and_kept(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    for outcome in ("fail", "fail", "pass"):
        with recorder.attempt("a") as attempt:
            attempt.finish(outcome)

    job = only_job(stored(recorder))

    assert [str(each.outcome) for each in job.attempts] == ["fail", "fail", "pass"]


def test_little_output_travels_inside_the_result(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    recorder.record("a", outcome="pass", output=b"x" * 4096)

    job = only_job(stored(recorder))

    assert log(job) == b"x" * 4096
    assert job.attempts[0].result.io_log_ref is None


class Endless(io.RawIOBase):
    """A stream of *size* bytes that never gives more than was asked for."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.largest = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "it must not be read in one go"
        self.largest = max(self.largest, size)
        piece = b"x" * min(size, self.left)
        self.left -= len(piece)
        return piece


def test_much_output_is_streamed_to_a_blob_and_not_to_the_journal(tmp_path: Path) -> None:
    recorder = Recorder.create(FileRepository(tmp_path))
    tracemalloc.start()
    recorder.record("a", outcome="pass", output=Endless(8 * 2**20))  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    job = only_job(stored(recorder))

    assert peak < 2 * 2**20
    assert job.attempts[0].result.io_log_ref is not None
    assert job.attempts[0].result.io_log_size == 8 * 2**20
    assert sum(len(record.data) for record in job.io_log()) == 8 * 2**20
    journals = tmp_path.rglob("journal-*.jsonl")
    assert sum(path.stat().st_size for path in journals) < 4096


@pytest.mark.parametrize("size", [0, 4096, 4097, 300_000])
@pytest.mark.parametrize("kind", ["bytes", "path", "stream"])
def test_attachments_of_any_size_come_from_anywhere(
    repository: Repository, tmp_path: Path, kind: str, size: int
) -> None:
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "x").write_bytes(data)
    content: Any = {"bytes": data, "path": tmp_path / "x", "stream": io.BytesIO(data)}[kind]
    recorder = Recorder.create(repository)
    recorder.record("a", outcome="pass", attachments={"folder/shot.png": content})

    job = only_job(stored(recorder))
    (attachment,) = job.attachments

    assert (attachment.name, attachment.media_type) == ("shot.png", "image/png")
    assert attachment.size == size
    with job.attempts[0].open_attachment(attachment) as file:
        assert file.read() == data


def test_an_attempt_that_raises_crashed_and_the_error_goes_on(repository: Repository) -> None:
    recorder = Recorder.create(repository)

    def interrupted() -> None:
        with recorder.attempt("a") as attempt:
            attempt.write(b"so far\n")
            raise OSError("the device is gone")

    with pytest.raises(OSError, match="gone"):
        interrupted()

    job = only_job(stored(recorder))

    assert (str(job.outcome), job.comments) == ("crash", "OSError: the device is gone")
    assert log(job) == b"so far\n"


def test_an_attempt_without_an_outcome_crashed(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    with recorder.attempt("a"):
        pass

    assert str(only_job(stored(recorder)).outcome) == "crash"


def test_attempts_at_different_jobs_may_overlap(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    one, two = recorder.attempt("one"), recorder.attempt("two")
    for number in range(3000):
        one.write(b"one %d\n" % number)
        two.write(b"two %d\n" % number)
    two.finish("pass")
    one.finish("fail")

    jobs = {job.id: job for job in stored(recorder).jobs()}

    assert log(jobs["one"]) == b"".join(b"one %d\n" % number for number in range(3000))
    assert log(jobs["two"]) == b"".join(b"two %d\n" % number for number in range(3000))


def test_a_second_attempt_at_a_job_waits_for_the_first(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    first = recorder.attempt("a")

    with pytest.raises(RecordingError, match="not finished"):
        recorder.attempt("a")
    first.finish("pass")
    recorder.attempt("a").finish("pass")
    late_calls: list[Callable[[], None]] = [
        lambda: first.write(b"x"),
        lambda: first.finish("fail"),
    ]
    for late in late_calls:
        with pytest.raises(RecordingError, match="over"):
            late()


WRONG: list[tuple[str, Any]] = [
    ("outcome", lambda r: r.record("a", outcome="passed")),
    ("output", lambda r: r.record("a", outcome="pass", output="text")),
    ("stream", lambda r: r.record("a", outcome="pass", output=[(0, "stdin", b"")])),
    ("delay", lambda r: r.record("a", outcome="pass", output=[(-1, "stdout", b"x")])),
    ("data", lambda r: r.record("a", outcome="pass", output=[(0, "stdout", "x")])),
    ("duration", lambda r: r.record("a", outcome="pass", duration="1 s")),
    ("moment", lambda r: r.record("a", outcome="pass", started_at=float("nan"))),
    ("comments", lambda r: r.record("a", outcome="pass", comments=5)),
    ("attachment", lambda r: r.record("a", outcome="pass", attachments={"": b"x"})),
    ("subtest", lambda r: r.record("a", outcome="pass", subtests=["x"])),
    ("result", lambda r: r.record_result("a", "pass")),
    ("id", lambda r: r.job("")),
    ("no id", lambda r: r.job(None)),
    ("summary", lambda r: r.job("a", summary=5)),
    ("plugin", lambda r: r.job("a", plugin="magic")),
    ("status", lambda r: r.job("a", certification_status="maybe")),
    ("estimate", lambda r: r.job("a", estimated_duration="1 s")),
    ("device", lambda r: r.device("")),
    ("fact", lambda r: r.device("a", facts={"cpu": 4})),
    ("level", lambda r: r.checkpoint(level="disk")),
]


@pytest.mark.parametrize("wrong", [pytest.param(do, id=name) for name, do in WRONG])
def test_a_wrong_value_is_refused_and_leaves_a_session_that_can_be_read(
    repository: Repository, wrong: Any
) -> None:
    recorder = Recorder.create(repository)
    recorder.record("before", outcome="pass", output=b"x" * 10_000)

    with pytest.raises((TypeError, ValueError)):
        wrong(recorder)
    recorder.record("after", outcome="pass")

    tried = [job.id for job in stored(recorder).jobs() if job.attempts]
    assert tried == ["before", "after"]


def test_a_checkpoint_is_durable_when_it_returns(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    recorder.record("a", outcome="pass")
    recorder.checkpoint()

    reader = repository.open(recorder.session_id, mode="r")

    assert [job.id for job in SessionView.of(reader).jobs()] == ["a"]
    recorder.close()


def test_what_waits_for_a_checkpoint_is_bounded(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    for number in range(3 * MOST_PENDING):
        recorder.record(f"job-{number}", outcome="pass")
        assert len(recorder._pending) <= MOST_PENDING

    assert stored(recorder).job_count == 3 * MOST_PENDING


def test_a_checkpoint_costs_what_changed(repository: Repository) -> None:
    recorder = Recorder.create(repository)

    def grown(number: int) -> int:
        before = len(list(recorder.storage.read()))
        recorder.record(f"job-{number:04}", outcome="pass")
        recorder.checkpoint()
        added = list(recorder.storage.read())[before:]
        return sum(len(entry) for _number, entry in added)

    sizes = [grown(number) for number in range(200)]

    assert max(sizes[100:]) < 1.2 * sizes[1]


def test_a_recorder_keeps_little_of_a_job(tmp_path: Path) -> None:
    recorder = Recorder.create(FileRepository(tmp_path))
    count = 2000

    def record(start: int) -> None:
        for number in range(start, start + count):
            recorder.job(f"job-{number}", description=f"{number} " * 500)
            recorder.record(f"job-{number}", outcome="pass", output=b"x" * 2000)
        recorder.checkpoint()

    record(0)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    record(count)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    recorder.close()

    assert (after - before) / count < 600


def test_a_session_is_gone_on_with(repository: Repository) -> None:
    recorder = Recorder.create(repository, title="first")
    recorder.job("a", summary="A", category="Suite")
    recorder.record("a", outcome="fail")
    recorder.close()

    again = Recorder.append(repository, recorder.session_id)
    again.job("a", summary="A", category="Suite")
    again.record("a", outcome="pass")
    again.record("b", outcome="pass")
    view = stored(again)

    assert view.title == "first"
    jobs = {job.id: [str(each.outcome) for each in job.attempts] for job in view.jobs()}
    assert jobs == {"a": ["fail", "pass"], "b": ["pass"]}
    events = list(read_events(repository.open(recorder.session_id, mode="r")))
    assert len([event for event in events if isinstance(event, JobDefined)]) == 2
    assert [e.job_ids for e in events if isinstance(e, JobsAppended)] == [("a",), ("b",)]


def test_an_open_storage_is_recorded_into(repository: Repository) -> None:
    recorder = Recorder(repository.create("mine"))
    recorder.record("a", outcome="pass")

    assert stored(recorder).session_id == "mine"


def test_the_url_of_a_store_will_do(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/lab"
    with Recorder.create(url, title="t", prefix="lab-") as recorder:
        recorder.record("a", outcome="pass")

    assert recorder.session_id.startswith("lab-")
    with Recorder.append(url, recorder.session_id) as again:
        with pytest.raises(LockedStorageError):
            Recorder.append(url, recorder.session_id)
        again.record("b", outcome="pass")
    with pytest.raises(UnknownSessionError):
        Recorder.append(url, "nowhere")


def test_a_closed_recorder_records_nothing(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    attempt = recorder.attempt("b")
    recorder.close()
    recorder.close()

    late_calls: list[Callable[[], None]] = [
        lambda: recorder.record("a", outcome="pass"),
        lambda: attempt.finish("pass"),
        recorder.checkpoint,
    ]
    for late in late_calls:
        with pytest.raises(RecordingError, match="closed"):
            late()


def test_a_plugin_that_takes_part_is_recorded_with_its_origin(repository: Repository) -> None:
    recorder = Recorder.create(repository)
    recorder.note_plugin("repositories", "memory")

    (plugin,) = stored(recorder).plugins

    assert (plugin.kind, plugin.id, plugin.distribution) == ("repositories", "memory", "holdall")


def test_output_of_an_attempt_whose_start_was_lost_is_not_that_of_the_next(
    repository: Repository,
) -> None:
    first = Recorder.create(repository)
    first.checkpoint()
    lost = first.attempt("a")
    lost.write(b"lost " * 40_000)  # so much that it is in the storage before the start is
    first.storage.close()

    again = Recorder.append(repository, first.session_id)
    again.record("a", outcome="pass", output=b"mine " * 2000)

    assert log(only_job(stored(again))) == b"mine " * 2000


KILLED = """
import sys, time
from holdall import Recorder
recorder = Recorder.create(sys.argv[1], title="Killed")
recorder.record("done", outcome="pass", output=b"x" * 10_000)
attempt = recorder.attempt("in flight")
recorder.checkpoint()
attempt.write(b"written\\n" * 20_000)
recorder.record("lost", outcome="fail")
print(recorder.session_id, flush=True)
time.sleep(60)
"""


@pytest.fixture
def killed(tmp_path: Path) -> tuple[Repository, str]:
    """A store, and a session in it whose recorder was killed."""
    url = f"file://{tmp_path}/lab"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        session_id = child.stdout.readline().strip()
        child.send_signal(signal.SIGKILL)
    return open_repository(url), session_id


def test_a_killed_recorder_leaves_a_session_that_is_listed_and_exported(
    killed: tuple[Repository, str], tmp_path: Path
) -> None:
    repository, session_id = killed

    (info,) = holdall.list_sessions(repository)
    report = holdall.export(repository.open(session_id, mode="r"), "text", tmp_path / "report.txt")

    assert (info.title, info.state, info.jobs, info.results) == ("Killed", "unfinished", 2, 1)
    assert report.warnings == ()
    assert "done" in (tmp_path / "report.txt").read_text(encoding="utf-8")


def test_a_killed_recorder_leaves_a_session_that_is_gone_on_with(
    killed: tuple[Repository, str],
) -> None:
    repository, session_id = killed

    again = Recorder.append(repository, session_id)
    (interrupted,) = [j for j in SessionView.of(again.storage).jobs() if j.id == "in flight"]
    output = log(interrupted)
    again.record("in flight", outcome="pass")
    jobs = {job.id: [str(each.outcome) for each in job.attempts] for job in stored(again).jobs()}

    assert jobs == {"done": ["pass"], "in flight": ["crash", "pass"]}
    assert interrupted.attempts[0].result.interrupted_by == "unknown"
    assert output.startswith(b"written\n")
    assert set(output.split(b"\n")[:-1]) == {b"written"}


def test_an_attempt_that_holdall_itself_runs_is_left_to_its_resume(
    repository: Repository,
) -> None:
    recorder = Recorder.create(repository)
    recorder.job("a")
    recorder.checkpoint()
    recorder._emit(JobStarted(at=1.0, job_id="a", process=Process(pid=1)))
    recorder.close()

    again = Recorder.append(repository, recorder.session_id)

    assert only_job(stored(again)).in_flight


class Watched:
    """A storage that notes how durable each append was to be."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.levels: list[str] = []

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        self.levels.append(level)
        return self._storage.append(entries, expect=expect, level=level)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


def test_a_checkpoint_is_as_durable_as_was_asked_for(repository: Repository) -> None:
    storage = Watched(repository.create("s"))
    recorder = Recorder(cast("Storage", storage))
    recorder.record("a", outcome="pass")
    recorder.checkpoint(level="process")
    recorder.record("b", outcome="pass")
    recorder.checkpoint()
    asked = list(storage.levels)
    recorder.close()

    assert asked == ["process", "system"]


def test_a_recorder_says_which_format_it_writes(repository: Repository) -> None:
    with Recorder.create(repository) as recorder:
        recorder.record("a", outcome="error")

    storage = repository.open(recorder.session_id, mode="r")
    (opened,) = (e for e in read_events(storage) if isinstance(e, WriterOpened))
    assert opened.format == FORMAT


def test_a_device_that_is_described_anew_keeps_its_results_and_its_runner() -> None:
    unit = make_unit({"id": "a", "plugin": "shell", "command": "true"})
    repository = MemoryRepository()
    manager = SessionManager.create(repository, registry=Registry.empty())
    context = manager.add_device_context(
        SessionDeviceContext(device=Device("dut", runner="ssh://dut"))
    )
    context.add_unit(unit)
    context.state.update_desired_job_list(context.state.job_list)
    context.state.update_job_result(context.state.job_list[0], JobResult(outcome="fail"))
    manager.checkpoint()
    manager.close()

    with Recorder.append(repository, manager.storage.id) as recorder:
        recorder.device("dut", description="the left board")

    storage = repository.open(manager.storage.id)
    again = SessionManager.load_session([unit], storage, registry=Registry.empty())
    (found,) = again.device_context_list
    assert (found.device.description, found.device.runner) == ("the left board", "ssh://dut")
    assert str(found.state.job_state_map["a"].result.outcome) == "fail"


class _Text(str):
    __slots__ = ()


class _Number(float):
    __slots__ = ()


@pytest.mark.parametrize(
    "fields",
    [
        {"job_id": "suite::file-\udcff"},
        {"job_id": _Text("subclass")},
        {"job_id": "a", "device": "d\ud800"},
        {"job_id": "a", "device": _Text("dut")},
        {"job_id": "a", "measurements": [Measurement(name="x", value=_Number(36.6), upper=40)]},
        {"job_id": "a", "measurements": [Measurement(name="x", value=_Text("1.2"))]},
        {"job_id": "a", "return_code": signal.SIGKILL},
        {"job_id": "a", "comments": _Text("seen")},
    ],
)
def test_what_is_taken_can_be_stored(repository: Repository, fields: dict[str, Any]) -> None:
    with Recorder.create(repository) as recorder:
        recorder.record(outcome="pass", **fields)

    (job,) = SessionView.of(repository.open(recorder.session_id, mode="r")).jobs()
    assert str(job.outcome) == "pass"


@pytest.mark.parametrize(
    "fields",
    [
        {"duration": -1},
        {"started_at": "x"},
        {"attachments": {"a": Path("/no/such/file")}},
        {"output": "text"},
    ],
)
def test_a_record_that_is_refused_leaves_no_job_behind(
    repository: Repository, fields: dict[str, Any]
) -> None:
    with Recorder.create(repository) as recorder:
        recorder.record("good", outcome="pass")
        with pytest.raises((ValueError, TypeError, OSError)):
            recorder.record("bad", outcome="pass", **fields)

    assert [job.id for job in SessionView.of(repository.open(recorder.session_id)).jobs()] == [
        "good"
    ]


def test_an_attempt_with_a_wrong_start_does_not_begin(repository: Repository) -> None:
    with Recorder.create(repository) as recorder:
        with pytest.raises(ValueError, match="from 0 on"):
            recorder.attempt("a", started_at=-1)
        with recorder.attempt("a") as attempt:
            attempt.finish("pass")

    (job,) = SessionView.of(repository.open(recorder.session_id)).jobs()
    assert str(job.outcome) == "pass"


def test_a_recorder_leaves_an_attempt_of_a_run_to_its_resume(repository: Repository) -> None:
    unit = make_unit({"id": "a", "plugin": "shell", "command": "true"})
    manager = SessionManager.create_with_unit_list([unit], repository, registry=Registry.empty())
    assert manager.state is not None
    manager.state.update_desired_job_list(manager.state.job_list)
    manager.state.job_started(manager.state.job_list[0])
    manager.checkpoint()
    manager.close()

    Recorder.append(repository, manager.storage.id).close()

    (job,) = SessionView.of(repository.open(manager.storage.id)).jobs()
    assert (job.in_flight, job.attempt_count) == (True, 0)


@pytest.mark.parametrize("outcome", ["none", None])
def test_an_attempt_that_is_over_has_an_outcome(
    repository: MemoryRepository, outcome: Any
) -> None:
    recorder = Recorder(repository.create("s"))

    with pytest.raises(ValueError, match="needs an outcome"):
        recorder.record("job", outcome=outcome)


@pytest.mark.parametrize("field", ["comments", "skip_reason"])
def test_long_texts_do_not_wait_in_memory(tmp_path: Path, field: str) -> None:
    text = "x" * 200_000
    with Recorder.create(FileRepository(tmp_path)) as recorder:
        tracemalloc.start()
        for number in range(60):
            fields: Any = {field: text + str(number)}
            recorder.record(f"job-{number}", outcome="skip", **fields)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 6 * 2**20
