"""Reports of holdall come back as sessions, without loss of what the report has."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest

import holdall
from holdall import Recorder
from holdall.recording import find_importer, import_results
from holdall.testing.importers import imported
from holdall.testing.sessions import big_session, devices_session, sample_session
from holdall.view import SessionView
from holdall_plugins.importers.json import JsonImporter
from holdall_plugins.importers.submission import SubmissionImporter
from holdall_plugins.importers.tar import TarImporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.testing.sessions import SampleSession

SESSIONS = pytest.mark.parametrize(
    "make", [sample_session, devices_session, lambda: big_session(50)], ids=["all", "3", "big"]
)


def exported(session: Any, kind: str, target: Path, *options: str) -> Path:
    holdall.export(session, kind, target, options=options)
    return target


def facts(path: Path, *, attachments: bool) -> dict[str, Any]:
    """Return what a JSON report says, but for what is another session's."""
    report = json.loads(path.read_text())
    for name in ("session", "exported", "plugins", "providers"):
        del report[name]
    for job in report["jobs"]:
        for attempt in job["attempts"]:
            if not attachments:
                attempt["attachments"] = []
            for each in attempt["attachments"]:
                each["name"] = PurePath(each["name"]).name  # a recorder keeps no folders
    # Headings of categories that no job is in come back with no job.
    used = {job["category_id"] for job in report["jobs"]}
    report["categories"] = {
        name: text for name, text in report["categories"].items() if name in used
    }
    return dict(report)


@SESSIONS
def test_a_json_report_comes_back(tmp_path: Path, make: Callable[[], SampleSession]) -> None:
    first = exported(make(), "json", tmp_path / "first.json", "logs=all")

    second = exported(imported(JsonImporter, first), "json", tmp_path / "2.json", "logs=all")

    assert facts(second, attachments=False) == facts(first, attachments=False)


@SESSIONS
def test_an_archive_comes_back_with_its_attachments(
    tmp_path: Path, make: Callable[[], SampleSession]
) -> None:
    archive = exported(make(), "tar", tmp_path / "a.tar", "compression=none", "contents=json")
    first = exported(make(), "json", tmp_path / "first.json")

    second = exported(imported(TarImporter, archive), "json", tmp_path / "second.json")

    assert facts(second, attachments=True) == facts(first, attachments=True)


def test_logs_that_the_report_left_out_are_counted(tmp_path: Path) -> None:
    repository = MemoryRepository()
    with Recorder.create(repository) as recorder:
        recorder.record("loud", outcome="pass", output=b"one line of many\n" * 10_000)
    view = SessionView.of(repository.open(recorder.session_id, mode="r"))
    report = exported(view, "json", tmp_path / "report.json", "logs=none")

    done = import_results(report, MemoryRepository())

    assert done.left_out == {"logs, which the report left out": 1}


@pytest.mark.parametrize("compression", ["gz", "xz", "none"])
def test_reports_are_found_by_their_content(tmp_path: Path, compression: str) -> None:
    packed = f"compression={compression}"
    for name, importer, options in (
        ("json", "json", ()),
        ("json", "submission", ("dialect=checkbox",)),
        ("tar", "tar", (packed,)),
        ("tar", "submission", ("flavour=checkbox", packed)),
    ):
        path = exported(sample_session(), name, tmp_path / "report", *options)
        assert find_importer(path) == importer


def test_what_is_not_in_the_report_is_counted(tmp_path: Path) -> None:
    report = exported(sample_session(), "json", tmp_path / "report.json")

    done = import_results(report, MemoryRepository())

    attached = json.loads(report.read_text())["jobs"]
    count = sum(len(each["attachments"]) for job in attached for each in job["attempts"])
    assert done.left_out["attachments, whose content is not in the source"] == count > 0
    assert done.left_out["providers"] == 1


def test_an_archive_without_a_json_report_says_how_to_make_one(tmp_path: Path) -> None:
    archive = exported(
        sample_session(), "tar", tmp_path / "a.tar", "compression=none", "contents=none"
    )

    with pytest.raises(ValueError, match=r"a\.tar: no report\.json is in it; .* contents=json"):
        imported(TarImporter, archive)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 2}, "it has the version 2 of the format, and not 1"),
        ({"jobs": [{"id": "a"}]}, "job 1: it has no 'device'"),
        ({"jobs": [7]}, "job 1: 'int' object is not subscriptable"),
        (
            {"jobs": [{"id": "", "device": "d", "category_id": ""}]},
            "job 1: a job's id must not be",
        ),
    ],
)
def test_a_report_that_is_none_says_where(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    report = exported(sample_session(), "json", tmp_path / "report.json")
    report.write_text(json.dumps({**json.loads(report.read_text()), **change}))

    with pytest.raises(ValueError, match=words):
        imported(JsonImporter, report)


def submitted(path: Path) -> list[Any]:
    """Return the results of a submission, without what another session has otherwise."""
    document = json.loads(path.read_text())
    return [document[name] for name in ("results", "attachment-results", "category_map")]


def test_a_submission_comes_back(tmp_path: Path) -> None:
    first = exported(big_session(200), "json", tmp_path / "first.json", "dialect=checkbox")

    view = imported(SubmissionImporter, first)

    second = exported(view, "json", tmp_path / "second.json", "dialect=checkbox")
    assert submitted(second) == submitted(first)


def test_the_archive_of_a_submission_gives_what_the_jobs_wrote(tmp_path: Path) -> None:
    archive = exported(
        big_session(30), "tar", tmp_path / "a.tar", "flavour=checkbox", "compression=none"
    )
    before = {job.id: [*job.io_log()] for job in big_session(30).view().jobs()}

    view = imported(SubmissionImporter, archive)

    for job in view.jobs():
        for stream in ("stdout", "stderr"):
            wrote = b"".join(each.data for each in before[job.id] if each.stream == stream)
            reads = b"".join(each.data for each in job.io_log() if each.stream == stream)
            assert reads == wrote


def test_a_killed_import_does_not_look_whole(tmp_path: Path) -> None:
    repository = MemoryRepository()
    report = exported(big_session(2000), "json", tmp_path / "report.json")
    report.write_text(report.read_text()[:-9000])

    done = import_results(report, repository, partial=True)

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    first = next(iter(view.jobs()))
    assert (first.id, str(first.outcome)) == ("import", "error")
    assert "no JSON near byte" in first.comments
    assert view.job_count > 1000
