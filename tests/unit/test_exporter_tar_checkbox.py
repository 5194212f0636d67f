"""The archive as Checkbox lays it out, read as its merging of submissions reads one."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from holdall.exports import export
from holdall.results import IOLogRecord, JobResult
from holdall.session import SessionManager
from holdall.units import Job, make_unit
from holdall_exporters.tar import TarExporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.view import SessionView


def job(job_id: str, plugin: str = "shell") -> Job:
    made = make_unit({"id": job_id, "plugin": plugin, "command": "true"}, namespace="com.example")
    assert isinstance(made, Job)
    return made


def session(*runs: tuple[Job, list[IOLogRecord]]) -> SessionView:
    manager = SessionManager.create_with_unit_list(
        list(dict.fromkeys(job for job, _log in runs)), MemoryRepository()
    )
    state = manager.state
    assert state is not None
    state.update_desired_job_list(state.job_list)
    for done, log in runs:
        state.update_job_result(done, JobResult(outcome="pass", io_log=log, comments="seen"))
    manager.checkpoint()
    return manager.view()


LAST = IOLogRecord(0.1, "stdout", b"a\xff")
RUNS: tuple[tuple[Job, list[IOLogRecord]], ...] = (
    (job("disk/read_a b"), [IOLogRecord(0.1, "stdout", b"old")]),
    (
        job("disk/read_a b"),
        [IOLogRecord(0.1, "stdout", b"a\xff"), IOLogRecord(0.2, "stderr", b"e")],
    ),
    (job("silent"), []),
    (job("log", "attachment"), [IOLogRecord(0.1, "stdout", b"text\n")]),
)


def members(view: SessionView, tmp_path: Path, *options: str) -> dict[str, bytes]:
    path = tmp_path / "submission.tar.xz"
    report = export(view, "tar", path, options=["flavour=checkbox", *options])
    assert report.error is None, report.error
    with tarfile.open(path, "r:*") as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]


def test_it_has_the_reports_and_the_output_of_the_last_attempts_and_nothing_empty(
    tmp_path: Path,
) -> None:
    found = members(session(*RUNS), tmp_path)

    reports = {"submission.json", "submission.html", "submission.junit", "submission.xlsx"}
    assert {name: data for name, data in found.items() if name not in reports} == {
        "test_output/com.example__disk_read_a_b": b"a\xff",
        "test_output/com.example__disk_read_a_b.stderr": b"e",
        "attachment_files/com.example__log": b"text\n",
    }
    assert reports <= found.keys()


def test_it_is_packed_by_xz_unless_something_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a"
    view = session(*RUNS)

    export(view, "tar", path, options=["flavour=checkbox"])
    assert path.read_bytes().startswith(b"\xfd7zXZ")
    export(view, "tar", path, options=["flavour=checkbox", "compression=gz"])
    assert path.read_bytes().startswith(b"\x1f\x8b")


def test_two_jobs_that_would_share_a_file_have_one_each(tmp_path: Path) -> None:
    log = [IOLogRecord(0.1, "stdout", b"of the first")]
    other = [IOLogRecord(0.1, "stdout", b"of the second")]

    found = members(session((job("a/b"), log), (job("a_b"), other)), tmp_path)

    assert found["test_output/com.example__a_b"] == b"of the first"
    assert found["test_output/com.example__a_b~2"] == b"of the second"


def merged(submission: dict[str, Any]) -> dict[str, str]:
    """Return outcomes by full id, as Checkbox's merging takes a submission."""
    outcomes = {}
    for result in submission["results"]:
        assert isinstance(result["name"], str)
        assert isinstance(result["template_id"], str | None)
        full = result.get("full_id", result["id"])
        full = full if "::" in full else f"com.canonical.certification::{full}"
        outcomes[full] = result.get("outcome", result.get("status"))
        assert isinstance(result["io_log"], str)
    for result in submission["attachment-results"]:
        assert isinstance(result["name"], str)
        assert isinstance(result["io_log"], str)
        outcomes[result.get("full_id", result["id"])] = "attachment"
    assert all(isinstance(name, str) for name in submission["category_map"].values())
    assert submission["system_information"]["version"]
    assert submission["origin"]["packaging"].keys() == {"type", "name", "version"}
    assert isinstance(submission["title"], str)
    return outcomes


def test_the_submission_is_taken_by_a_reader_like_checkboxs(tmp_path: Path) -> None:
    submission = json.loads(members(session(*RUNS), tmp_path)["submission.json"])

    assert merged(submission) == {
        "com.example::disk/read_a b": "pass",
        "com.example::silent": "pass",
        "com.example::log": "attachment",
    }


@pytest.mark.parametrize(
    "key", ["results", "attachment-results", "category_map", "system_information", "title"]
)
def test_the_reader_wants_each_member_that_checkbox_wants(tmp_path: Path, key: str) -> None:
    submission = json.loads(members(session(*RUNS), tmp_path)["submission.json"])
    del submission[key]

    with pytest.raises(KeyError, match=key):
        merged(submission)


@pytest.mark.parametrize("key", ["name", "template_id", "id", "io_log"])
def test_the_reader_wants_each_member_of_a_result(tmp_path: Path, key: str) -> None:
    submission = json.loads(members(session(*RUNS), tmp_path)["submission.json"])
    del submission["results"][0][key]

    with pytest.raises(KeyError, match=key):
        merged(submission)


def test_the_archive_is_verified_by_its_submission(tmp_path: Path) -> None:
    path = tmp_path / "a"
    export(session(*RUNS), "tar", path, options=["flavour=checkbox", "compression=none"])
    whole = path.read_bytes()

    TarExporter.verify(BytesIO(whole))
    with pytest.raises(ValueError, match=r"JSON|malformed|trunc|Expected"):
        TarExporter.verify(BytesIO(whole.replace(b'"title"', b'"title!', 1)))
