"""Listing: what it shows of a session, and how little it reads for that."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from holdall import JobResult, SessionManager, SessionView, list_sessions, make_unit
from holdall.cli import cli
from holdall.cli.options import find_session
from holdall.contracts import SessionInfo
from holdall.errors import CorruptSessionError, FailedStorageError, UnknownSessionError
from holdall.journal import (
    DeviceRemoved,
    JobRemoved,
    JobsSelected,
    ResultRecorded,
    SessionSummarised,
    describe_session,
)
from holdall.journal.codec import decode
from holdall.journal.listing import _state
from holdall.journal.summary import RunningSummary
from holdall.stores import RepositoryWrapper, StorageWrapper
from holdall.testing.children import in_child
from holdall.testing.sessions import big_session, devices_session, sample_session
from holdall.view import verdict
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.readonly import ReadOnlyRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts import Mode, Repository, SessionPhase, Storage
    from holdall.journal import AnyEvent
    from holdall.testing.sessions import SampleSession
    from holdall.units import Unit

JOBS = ("a", "b", "c")
STATES: dict[int, SessionPhase] = {0: "new", 1: "unfinished", 3: "finished"}


class Counting(RepositoryWrapper):
    """A repository that notes which sessions are opened."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.opened: list[str] = []

    @property
    def url(self) -> str:
        return self.inner.url

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        self.opened.append(session_id)
        return super().open(session_id, mode=mode, take_over=take_over)


def jobs() -> list[Unit]:
    return [make_unit({"id": name, "plugin": "shell", "command": "true"}) for name in JOBS]


def begun(repository: Repository, *outcomes: str, title: str = "Title") -> SessionManager:
    """Return the manager of a checkpointed session with these results."""
    manager = SessionManager.create_with_unit_list(jobs(), repository, title=title)
    state = manager.state
    assert state is not None
    state.update_desired_job_list(state.job_list)
    for job, outcome in zip(state.run_list, outcomes, strict=False):
        state.update_job_result(job, JobResult(outcome=outcome))
    manager.checkpoint()
    return manager


def tags(repository: Repository, session_id: str) -> list[str]:
    storage = repository.open(session_id, mode="r")
    kinds = [type(event).__name__ for _, event in decode(session_id, storage.read())]
    storage.close()
    return kinds


STORES: dict[str, Callable[[Path], Repository]] = {
    "memory": lambda _path: MemoryRepository(),
    "file": FileRepository,
    "sqlite": lambda path: SqliteRepository(path / "lab.db"),
}


@pytest.fixture(params=STORES)
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    return STORES[request.param](tmp_path)


@pytest.mark.parametrize("outcomes", [(), ("pass",), ("pass",) * 3, ("pass", "fail", "skip")])
@pytest.mark.parametrize("end", ["alive", "closed", "compacted", "compacted and closed"])
def test_a_list_says_what_the_view_says_however_the_session_ended(
    repository: Repository, outcomes: tuple[str, ...], end: str
) -> None:
    manager = begun(repository, *outcomes)
    view = manager.view()
    if "compacted" in end:
        manager._journal.compact(at=1.0)
    if "closed" in end:
        manager.close()

    [info] = list_sessions(repository)

    expected = SessionInfo(
        id=view.session_id,
        title="Title",
        state=STATES[len(outcomes)],
        verdict=verdict(view).word,
        counts={str(outcome): count for outcome, count in view.counts.items()},
        created=view.created,
        modified=view.modified,
        jobs=3,
        results=len(outcomes),
        devices=tuple(device.id for device in view.devices),
    )
    assert info == expected
    assert describe_session(repository, view.session_id) == expected
    manager.close()


@pytest.mark.parametrize("session", [sample_session(), devices_session(), big_session(30)])
def test_a_summary_agrees_with_the_view_at_any_moment(session: SampleSession) -> None:
    running = RunningSummary()
    seen: list[AnyEvent] = []

    for event in session.events:
        running.apply(event)
        seen.append(event)

        view, summary = SessionView(seen), running.event()
        assert summary.counts == {str(each): count for each, count in view.counts.items()}
        assert summary.verdict == verdict(view).word
        assert (summary.created, summary.at) == (view.created, view.modified)
        assert _state(summary) == view.state
    assert (running.event().title or session.view().session_id) == session.view().title


def test_a_device_that_left_and_a_job_that_went_count_no_more() -> None:
    passed = JobResult(outcome="pass")
    running = RunningSummary()
    events: list[AnyEvent] = [
        JobsSelected(at=1.0, run_list=("a", "b")),
        ResultRecorded(at=2.0, job_id="a", result=passed),
        ResultRecorded(at=3.0, job_id="b", result=JobResult(outcome="fail")),
        JobRemoved(at=4.0, job_id="b"),
        ResultRecorded(at=5.0, device="dut", job_id="c", result=JobResult(outcome="crash")),
        DeviceRemoved(at=6.0, device="dut"),
    ]
    for event in events:
        running.apply(event)

    summary = running.event()

    assert (summary.counts, summary.verdict, summary.jobs, summary.results) == (
        {"pass": 1},
        "PASS",
        2,
        1,
    )


def test_closing_says_last_what_a_list_shows(repository: Repository) -> None:
    manager = begun(repository, "pass")
    before = tags(repository, manager.storage.id)

    manager.close()
    manager.close()

    assert tags(repository, manager.storage.id) == [*before, "SessionSummarised"]


def test_closing_what_did_not_change_appends_nothing(repository: Repository) -> None:
    manager = begun(repository, "pass")
    manager.close()
    before = tags(repository, manager.storage.id)

    SessionManager.load_session(jobs(), repository.open(manager.storage.id)).close()

    assert tags(repository, manager.storage.id) == before


def test_a_session_that_goes_on_gets_a_new_summary(repository: Repository) -> None:
    manager = begun(repository, "pass")
    manager.close()
    again = SessionManager.load_session(jobs(), repository.open(manager.storage.id))
    state = again.state
    assert state is not None
    state.update_job_result(state.run_list[1], JobResult(outcome="fail"))
    again.checkpoint()
    again.close()

    [info] = list_sessions(repository)

    assert (info.state, info.results, info.counts) == (
        "unfinished",
        2,
        {"pass": 1, "fail": 1, "none": 1},
    )
    assert tags(repository, info.id).count("SessionSummarised") == 2


def test_a_session_without_a_checkpoint_stays_empty(repository: Repository) -> None:
    with SessionManager.create(repository) as manager:
        manager.add_local_device_context()

    assert list_sessions(repository) == [SessionInfo(id=manager.storage.id)]


def test_what_was_not_checkpointed_is_in_no_summary(repository: Repository) -> None:
    manager = begun(repository, "pass")
    state = manager.state
    assert state is not None
    state.update_job_result(state.run_list[1], JobResult(outcome="fail"))
    manager.close()

    [info] = list_sessions(repository)

    assert info.results == 1


def test_a_summary_changes_no_view(repository: Repository) -> None:
    manager = begun(repository, "pass")
    view = manager.view()
    before = (view.modified, view.counts, view.unsaved)
    manager.close()
    storage = repository.open(manager.storage.id, mode="r")

    view = SessionView.of(storage)

    assert (view.modified, view.counts, view.unsaved) == before
    storage.close()


def test_compaction_drops_summaries(repository: Repository) -> None:
    manager = begun(repository, "pass")
    manager.close()
    again = SessionManager.load_session(jobs(), repository.open(manager.storage.id))

    again._journal.compact(at=1.0)
    again.close()

    assert tags(repository, manager.storage.id) == ["Snapshot"]


def test_a_snapshot_is_its_own_summary(repository: Repository) -> None:
    manager = begun(repository, "pass")

    manager._journal.compact(at=1.0)
    manager.close()

    assert tags(repository, manager.storage.id) == ["Snapshot"]


def test_a_copy_that_never_got_an_entry_is_not_empty(repository: Repository) -> None:
    repository.create("session", first=57).close()

    [info] = list_sessions(repository)

    assert (info.state, "up to 56" in info.reason) == ("damaged", True)


def test_a_handle_that_failed_appends_nothing() -> None:
    inner = MemoryRepository()
    manager = begun(FaultyRepository(inner, fail=3), "pass")
    state = manager.state
    assert state is not None
    state.update_job_result(state.run_list[1], JobResult(outcome="fail"))
    with pytest.raises(FailedStorageError):
        manager.checkpoint()

    manager.close()

    assert "SessionSummarised" not in tags(inner, manager.storage.id)


def test_a_handle_that_only_reads_appends_nothing(repository: Repository) -> None:
    manager = begun(repository, "pass")
    manager._storage.close()
    before = tags(repository, manager.storage.id)
    storage = ReadOnlyRepository(repository).open(manager.storage.id)

    SessionManager.load_session(jobs(), storage).close()

    assert tags(repository, manager.storage.id) == before


def test_a_session_whose_writer_was_killed_is_listed_as_it_was(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)

    def killed() -> None:
        begun(repository, "pass", "fail")
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(killed) == -signal.SIGKILL

    [info] = list_sessions(repository)

    assert (info.state, info.results, info.counts) == (
        "unfinished",
        2,
        {"pass": 1, "fail": 1, "none": 1},
    )


@pytest.mark.parametrize("part", range(0, 100, 4))
@pytest.mark.parametrize("is_compacted", [False, True])
def test_damage_at_either_end_is_listed_as_damage(
    tmp_path: Path, part: int, *, is_compacted: bool
) -> None:
    manager = begun(FileRepository(tmp_path), "pass")
    if is_compacted:
        manager._journal.compact(at=1.0)
    manager.close()
    [journal] = tmp_path.rglob("journal-*")
    data = bytearray(journal.read_bytes())
    lines = data.splitlines(keepends=True)
    begin, end = len(lines[0]) + len(lines[1]), len(data) - len(lines[-1])
    at = begin * part // 100 if part % 8 else end + len(lines[-1]) * part // 100
    data[at] ^= 0x01
    journal.write_bytes(data)

    [info] = list_sessions(FileRepository(tmp_path))

    assert (info.state, bool(info.reason)) == ("damaged", True)


def test_damage_between_the_ends_is_found_by_whoever_opens_the_session(tmp_path: Path) -> None:
    begun(FileRepository(tmp_path), "pass").close()
    [journal] = tmp_path.rglob("journal-*")
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 0x01
    journal.write_bytes(data)
    repository = FileRepository(tmp_path)

    [info] = list_sessions(repository)

    assert info.state == "unfinished"
    storage = repository.open(info.id, mode="r")
    with pytest.raises(CorruptSessionError):
        SessionView.of(storage)
    storage.close()


@pytest.mark.parametrize("length", [0, 1, 50])
def test_a_journal_that_lost_its_header_is_not_empty(tmp_path: Path, length: int) -> None:
    begun(FileRepository(tmp_path)).close()
    [journal] = tmp_path.rglob("journal-*")
    journal.write_bytes(journal.read_bytes()[:length])

    [info] = list_sessions(FileRepository(tmp_path))

    assert info.state == "damaged"


def test_a_session_that_lost_its_journal_is_not_empty(tmp_path: Path) -> None:
    manager = begun(FileRepository(tmp_path))
    manager.storage.put_blob([b"blob"])
    manager.close()
    [journal] = tmp_path.rglob("journal-*")
    journal.unlink()

    [info] = list_sessions(FileRepository(tmp_path))

    assert (info.state, "its journal is gone" in info.reason) == ("damaged", True)
    with pytest.raises(CorruptSessionError, match="its journal is gone"):
        FileRepository(tmp_path).open(info.id)


def test_a_database_that_lost_entries_is_not_empty(tmp_path: Path) -> None:
    repository = SqliteRepository(tmp_path / "lab.db")
    begun(repository).close()
    with repository._reading() as database:
        assert database is not None
        database._connection.execute("PRAGMA query_only = OFF")
        database._connection.execute("DELETE FROM entries")

    [info] = list_sessions(repository)

    assert info.state == "damaged"


def test_a_list_of_sessions_that_ended_well_opens_none(tmp_path: Path) -> None:
    for each in (FileRepository(tmp_path), SqliteRepository(tmp_path / "lab.db")):
        repository = Counting(each)
        for outcome in ("pass", "fail"):
            begun(repository, outcome).close()
        repository.create("empty").close()

        infos = list_sessions(repository)

        assert [info.state for info in infos] == ["unfinished", "unfinished", "empty"]
        assert repository.opened == []


def test_ids_give_the_last_modified_first(repository: Repository) -> None:
    managers = [begun(repository), begun(repository), begun(repository)]
    ids = [manager.storage.id for manager in managers]
    for number in (1, 0, 2):
        managers[number].storage.append([b"{}"], expect=managers[number].storage.head)
        if isinstance(repository, FileRepository):
            [journal] = repository._folder(ids[number]).glob("journal-*")
            os.utime(journal, ns=(0, 10**18 + [1, 0, 2].index(number)))
    repository.create("empty").close()

    assert list(repository.ids()) == [ids[2], ids[0], ids[1], "empty"]
    for manager in managers:
        manager._storage.close()


@pytest.mark.parametrize("text", ["last", "an id", "the beginning of one"])
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["sessions", "show", "{}"], id="show"),
        pytest.param(["export", "{}", "text"], id="export"),
        pytest.param(["resume", "{}"], id="resume"),
    ],
)
def test_a_command_opens_the_session_that_it_is_about_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], text: str
) -> None:
    files = FileRepository(tmp_path)
    ids = []
    for moment in range(3):
        manager = begun(files)
        ids.append(manager.storage.id)
        manager.close()
        [journal] = files._folder(manager.storage.id).glob("journal-*")
        os.utime(journal, ns=(0, 10**18 + moment))
    repository = Counting(files)
    monkeypatch.setattr("holdall.cli.options.open_repository", lambda _url, **_: repository)
    asked = {"last": "last", "an id": ids[2], "the beginning of one": ids[2][:-1]}[text]

    CliRunner().invoke(cli, [part.format(asked) for part in command])

    assert set(repository.opened) == {ids[2]}


def test_a_session_is_found_without_opening_any() -> None:
    repository = Counting(MemoryRepository())
    for session_id in ("alpha", "alpine", "beta"):
        repository.create(session_id).close()

    assert find_session(repository, "beta") == "beta"
    assert find_session(repository, "b") == "beta"
    with pytest.raises(UnknownSessionError):
        find_session(repository, "al")
    assert repository.opened == []


def test_a_summary_is_of_no_moment_of_its_own() -> None:
    repository = MemoryRepository()
    manager = begun(repository, "pass")
    modified = manager.view().modified
    manager.close()
    storage = repository.open(manager.storage.id, mode="r")

    *_, (_position, last) = decode(storage.id, storage.read())

    assert isinstance(last, SessionSummarised)
    assert last.at == modified


class Vanishing(Counting):
    """A repository whose sessions are removed while they are read, and then look damaged."""

    def wrapped(self, storage: Storage) -> Storage:
        session_id = storage.id
        storage.close()
        self.inner.remove(session_id)
        return storage


def test_a_session_that_is_removed_while_it_is_read_is_not_listed_as_damaged(
    tmp_path: Path,
) -> None:
    repository = FileRepository(tmp_path)
    for session_id in ("one", "two"):
        storage = repository.create(session_id)
        storage.append([b"no event"], expect=0)
        storage.close()

    with pytest.raises(UnknownSessionError):
        describe_session(Vanishing(repository), "one")
    assert list_sessions(Vanishing(repository)) == []


class BegunWhileRead(StorageWrapper):
    """A storage whose writer stores its first entries behind the second look at them."""

    def __init__(self, inner: Storage, repository: Repository, manager: SessionManager) -> None:
        super().__init__(inner, repository)
        self._manager = manager
        self._looks = 0

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        yield from super().read(after)
        self._looks += 1
        if self._looks == 2:
            self._manager.checkpoint()


def test_a_session_whose_first_entries_come_while_it_is_read_is_not_damaged(
    tmp_path: Path,
) -> None:
    manager = SessionManager.create(FileRepository(tmp_path))

    class Repositories(RepositoryWrapper):
        def open(
            self, session_id: str, *, mode: Mode = "w", take_over: bool = False
        ) -> BegunWhileRead:
            inner = self.inner.open(session_id, mode=mode, take_over=take_over)
            return BegunWhileRead(inner, self, manager)

    info = describe_session(Repositories(FileRepository(tmp_path)), manager.storage.id)
    later = describe_session(FileRepository(tmp_path), manager.storage.id)

    assert (info.state, info.reason) == ("empty", "")
    assert later.state == "new"
