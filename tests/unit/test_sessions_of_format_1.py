"""What the last holdall of format 1 wrote opens for ever: `tests/data/sessions-format-1`."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall import JobResult, SessionManager, SessionView, export, list_sessions, make_unit
from holdall.session import capture
from holdall.view import verdict
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall.units import Unit

ARCHIVE = Path(__file__).parents[1] / "data" / "sessions-format-1" / "sessions.tar.gz"
JOBS = ("small", "large", "failing", "waiting")
SESSIONS = [("file", "plain"), ("file", "compacted"), ("file", "killed"), ("sqlite", "plain")]


@pytest.fixture
def golden(tmp_path: Path) -> dict[str, Repository]:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    files = FileRepository(tmp_path / "file")
    return {"file": files, "sqlite": SqliteRepository(tmp_path / "lab.db")}


def units() -> list[Unit]:
    return [
        make_unit(
            {"id": name, "plugin": "shell", "command": "true", "_summary": f"The {name} job"},
            namespace="com.example",
        )
        for name in JOBS
    ]


def test_they_are_listed(golden: dict[str, Repository]) -> None:
    infos = {
        (store, info.id): (info.title, info.state, info.jobs, info.results, info.verdict)
        for store, repository in golden.items()
        for info in list_sessions(repository)
    }

    assert infos == {
        ("file", "empty"): ("", "empty", 0, 0, ""),
        ("file", "plain"): ("A plain session", "unfinished", 4, 3, "FAIL"),
        ("file", "compacted"): ("A compacted session", "unfinished", 4, 3, "FAIL"),
        ("file", "killed"): ("A killed session", "unfinished", 4, 3, "FAIL"),
        ("sqlite", "plain"): ("A plain session", "unfinished", 4, 3, "FAIL"),
    }


@pytest.mark.parametrize(("store", "session_id"), SESSIONS)
def test_they_are_seen_whole(golden: dict[str, Repository], store: str, session_id: str) -> None:
    storage = golden[store].open(session_id, mode="r")
    view = SessionView.of(storage)
    jobs = {job.id.rpartition("::")[2]: job for job in view.jobs()}

    logs = {name: b"".join(r.data for r in job.io_log()) for name, job in jobs.items()}
    [attachment] = jobs["large"].attachments
    with jobs["large"].attempts[0].open_attachment(attachment) as file:
        attached = file.read()

    assert [(name, str(job.outcome)) for name, job in jobs.items()] == [
        ("small", "pass"),
        ("large", "pass"),
        ("failing", "fail"),
        ("waiting", "none"),
    ]
    assert logs == {
        "small": b"hello\noops\n",
        "large": b"a line of output that is not small\n" * 200,
        "failing": b"",
        "waiting": b"",
    }
    assert attached == b"attached bytes\n"
    assert jobs["waiting"].in_flight is (session_id == "killed")
    assert verdict(view).word == "FAIL"
    storage.close()


@pytest.mark.parametrize(("store", "session_id"), SESSIONS)
def test_they_are_exported(
    golden: dict[str, Repository], store: str, session_id: str, tmp_path: Path
) -> None:
    storage = golden[store].open(session_id, mode="r")

    export(storage, "json", tmp_path / "report.json", options=["logs=all"])

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["session"]["title"] == f"A {session_id} session"
    assert "hello" in json.dumps(report)
    storage.close()


@pytest.mark.parametrize(("store", "session_id"), SESSIONS)
def test_they_are_resumed_to_their_end(
    golden: dict[str, Repository], store: str, session_id: str
) -> None:
    repository = golden[store]
    with SessionManager.load_session(units(), repository.open(session_id)) as manager:
        state = manager.state
        assert state is not None
        waiting = state.job_state_map["com.example::waiting"].job
        state.update_job_result(waiting, JobResult(outcome="pass"))
        manager.checkpoint()

    infos = {info.id: info for info in list_sessions(repository)}

    assert (infos[session_id].state, infos[session_id].results) == ("finished", 4)
    assert infos[session_id].counts == {"pass": 3, "fail": 1}
    again = SessionManager.load_session(units(), repository.open(session_id))
    assert again.view().counts == {"pass": 3, "fail": 1}
    again.close()


def test_the_log_of_the_job_that_was_running_is_recovered(golden: dict[str, Repository]) -> None:
    storage = golden["file"].open("killed")

    fields = capture.recover(storage, capture.log_name("local", "com.example::waiting", 1))

    assert fields["io_log_size"] == len(b"so far\n")
    storage.close()


@pytest.mark.parametrize(("store", "session_id"), SESSIONS)
def test_they_are_compacted(golden: dict[str, Repository], store: str, session_id: str) -> None:
    manager = SessionManager.load_session(units(), golden[store].open(session_id))
    before = manager.view().counts

    manager._journal.compact(at=1.0)
    manager.close()

    storage = golden[store].open(session_id, mode="r")
    assert len(list(storage.read())) == 1
    assert SessionView.of(storage).counts == before
    storage.close()
