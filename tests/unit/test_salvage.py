"""Facts about another session made of what is whole in a damaged one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import HasFolder
from holdall.errors import CorruptSessionError, NothingToSalvageError, StorageFullError
from holdall.journal import Journal, list_sessions
from holdall.results import JobResult
from holdall.session import SessionManager, salvage_session
from holdall.stores import RepositoryWrapper, StorageWrapper, open_repository
from holdall.units import make_unit
from holdall.view import SessionView
from holdall_plugins.stores.sqlite.storage import PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.contracts import Level, Repository, Storage

JOBS = [make_unit({"id": f"job-{n}", "plugin": "shell", "command": "true"}) for n in range(4)]
LONG = ((0.1, "stdout", b"x" * 10_000),)
PASS = JobResult(outcome="pass", io_log=LONG)


def recorded(repository: Repository, *, compacted: bool = False) -> str:
    """Return the id of a session with results of three of its four jobs, stored one by one."""
    with SessionManager.create_with_unit_list(JOBS, repository) as manager:
        state = manager.state
        assert state is not None
        state.update_desired_job_list(state.job_list)
        for number, job in enumerate(state.run_list[:3]):
            log = ((0.1, "stdout", b"%d" % number * 10_000),)
            state.update_job_result(job, JobResult(outcome="pass", io_log=log))
            manager.checkpoint()
    if compacted:
        journal, _events = Journal.resume(repository.open(manager.storage.id))
        journal.compact(at=1.0)
        journal.close()
    return manager.storage.id


def damage(url: str, marker: bytes, *, number: int) -> None:
    """Damage the entry that holds the *number*th *marker*, from 1."""
    scheme, _, path = url.partition("://")
    if scheme == "file":
        [journal] = Path(path).glob("*.session/journal-*")
        lines = journal.read_bytes().splitlines(keepends=True)
        chosen = [n for n, line in enumerate(lines) if marker in line][number - 1]
        lines[chosen] = lines[chosen].replace(b'"', b"'", 1)
        journal.write_bytes(b"".join(lines))
    else:
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT n, data FROM entries ORDER BY n").fetchall()
            chosen = [n for n, data in rows if marker in data][number - 1]
            database.execute("DELETE FROM entries WHERE n = ?", (chosen,))
            database.commit()


@pytest.fixture(params=["file", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/store"
    return f"sqlite:///{tmp_path}/lab.db"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def outcomes(repository: Repository, session_id: str) -> dict[str, str]:
    with closing(repository.open(session_id, mode="r")) as storage:
        return {job.id: str(job.outcome) for job in SessionView.of(storage).jobs()}


def test_results_in_front_of_the_damage_are_kept_and_the_session_goes_on(url: str) -> None:
    repository = open_repository(url)
    damaged = recorded(repository)
    damage(url, b'"type":"result"', number=2)

    kept = salvage_session(repository, damaged)

    assert kept.session_id == f"{damaged}.salvaged-1"
    assert (kept.results, kept.results_before) == (1, 3)
    assert list(kept.without_result) == ["job-1", "job-2", "job-3"]
    assert not kept.without_output
    assert isinstance(kept.damage, CorruptSessionError)
    storage = repository.open(kept.session_id)
    with SessionManager.load_session(JOBS, storage) as manager:
        assert manager.state is not None
        manager.state.update_job_result(manager.state.run_list[1], PASS)
        manager.checkpoint()
    assert outcomes(repository, kept.session_id) == {
        "job-0": "pass",
        "job-1": "pass",
        "job-2": "none",
        "job-3": "none",
    }


def test_output_is_copied_and_the_view_has_the_new_id(url: str) -> None:
    repository = open_repository(url)
    damaged = recorded(repository)
    damage(url, b'"type":"result"', number=3)

    kept = salvage_session(repository, damaged)

    with closing(repository.open(kept.session_id, mode="r")) as storage:
        view = SessionView.of(storage)
        logs = [b"".join(record.data for record in job.io_log()) for job in view.jobs()]
        assert view.session_id == kept.session_id
    assert logs == [b"0" * 10_000, b"1" * 10_000, b"", b""]


def test_the_damaged_session_is_not_changed(tmp_path: Path) -> None:
    repository = open_repository(f"file://{tmp_path}/store")
    damaged = recorded(repository)
    damage(f"file://{tmp_path}/store", b'"type":"result"', number=2)
    before = content(tmp_path / "store" / f"{damaged}.session")

    salvage_session(repository, damaged)
    again = salvage_session(repository, damaged)

    assert again.session_id == f"{damaged}.salvaged-2"
    assert content(tmp_path / "store" / f"{damaged}.session") == before


def test_a_start_whose_result_may_be_lost_is_no_crash(url: str) -> None:
    repository = open_repository(url)
    with SessionManager.create_with_unit_list(JOBS, repository) as manager:
        state = manager.state
        assert state is not None
        state.update_desired_job_list(state.job_list)
        for job in state.run_list[:2]:
            state.job_started(job)
            manager.checkpoint()
            state.update_job_result(job, PASS)
            manager.checkpoint()
    damage(url, b'"type":"result"', number=2)

    kept = salvage_session(repository, manager.storage.id)

    with closing(repository.open(kept.session_id, mode="r")) as storage:
        assert not [job.id for job in SessionView.of(storage).jobs() if job.in_flight]
    assert kept.results == 1


def test_a_damaged_blob_is_left_out_and_its_job_named(tmp_path: Path) -> None:
    repository = open_repository(f"file://{tmp_path}/store")
    damaged = recorded(repository)
    blob = next(path for path in (tmp_path / "store").rglob("blobs/**/*") if path.is_file())
    blob.write_bytes(b"other bytes")

    kept = salvage_session(repository, damaged)

    assert kept.damage is None
    assert len(kept.without_output) == 1
    assert kept.results == 3
    with closing(repository.open(kept.session_id, mode="r")) as storage:
        jobs = list(SessionView.of(storage).jobs())
        assert sorted(len(list(job.io_log())) for job in jobs) == [0, 0, 1, 1]
        [lost] = [job for job in jobs if job.id in kept.without_output]
        assert (lost.io_log_size, lost.last.io_log_dropped) == (0, 10_000)


def test_a_whole_session_is_not_salvaged(url: str) -> None:
    repository = open_repository(url)
    whole = recorded(repository)

    with pytest.raises(NothingToSalvageError, match="it is whole; `holdall resume"):
        salvage_session(repository, whole)

    assert list(repository.ids()) == [whole]


@pytest.mark.parametrize("marker", [b'"holdall":"journal"', b'"type":"snapshot"'])
def test_without_a_whole_first_entry_nothing_is_made(tmp_path: Path, marker: bytes) -> None:
    url = f"file://{tmp_path}/store"
    repository = open_repository(url)
    damaged = recorded(repository, compacted=True)
    damage(url, marker, number=1)

    with pytest.raises(NothingToSalvageError, match="not even its first entry is whole"):
        salvage_session(repository, damaged)

    assert list(repository.ids()) == [damaged]


def test_the_folder_that_jobs_share_is_copied(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    repository = open_repository(url)
    damaged = recorded(repository)
    damage(url, b'"type":"result"', number=3)
    share = shared(repository, damaged)
    share.mkdir(parents=True, exist_ok=True)
    (share / "calibration").write_text("42")

    kept = salvage_session(repository, damaged)

    assert (shared(repository, kept.session_id) / "calibration").read_text() == "42"
    assert not kept.share_problem


def shared(repository: Repository, session_id: str) -> Path:
    from holdall.session.folders import share_of

    with closing(repository.open(session_id, mode="r")) as storage:
        if isinstance(storage, HasFolder):
            return storage.folder / "session-share"
    return share_of(repository, session_id)


class _Full(StorageWrapper):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del entries, expect, level
        raise StorageFullError(self.where, "No space left on device")


class _FullRepository(RepositoryWrapper):
    @property
    def url(self) -> str:
        return self.inner.url

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        return _Full(self.inner.create(session_id, first=first), self)


def test_on_a_full_disk_nothing_of_the_new_session_stays(url: str) -> None:
    repository = open_repository(url)
    damaged = recorded(repository)
    damage(url, b'"type":"result"', number=3)

    with pytest.raises(StorageFullError):
        salvage_session(_FullRepository(repository), damaged)

    assert [info.id for info in list_sessions(repository)] == [damaged]


def test_sqlite_reads_up_to_the_damage_within_a_page(tmp_path: Path) -> None:
    repository = open_repository(f"sqlite:///{tmp_path}/lab.db")
    with closing(repository.create("session")) as storage:
        storage.append([b"%d" % n for n in range(PAGE + 20)], expect=0)
    with closing(sqlite3.connect(tmp_path / "lab.db")) as database:
        database.execute("DELETE FROM entries WHERE n = ?", (PAGE + 10,))
        database.commit()

    numbers: list[int] = []
    with closing(repository.open("session", mode="r")) as storage:
        entries = storage.read()
        while len(numbers) < PAGE + 9:
            numbers.append(next(entries)[0])
        with pytest.raises(CorruptSessionError, match=f"between {PAGE + 9} and {PAGE + 11}"):
            next(entries)
    assert numbers == list(range(1, PAGE + 10))
