"""Sessions of plainbox become sessions, in all eleven formats, with the logs beside them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.importers.plainbox_sessions import document, record, result, written

from holdall.recording import find_importer, import_results
from holdall.results import IOLogRecord
from holdall.testing.importers import imported
from holdall.view import SessionView, verdict
from holdall_plugins.importers.plainbox import PlainboxImporter
from holdall_plugins.stores.memory import MemoryRepository

SHARED = Path(__file__).parents[3].parent / "shared/data/plainbox-sessions"


def saved_with(**results: Any) -> dict[str, Any]:
    saved = document(11)
    saved["session"]["results"].update({f"ns::{name}": value for name, value in results.items()})
    return saved


@pytest.mark.parametrize("version", range(1, 12))
def test_every_format_gives_jobs_results_and_logs(tmp_path: Path, version: int) -> None:
    view = imported(PlainboxImporter, written(tmp_path, document(version)))

    disk, net, usb = view.jobs()
    assert [job.id for job in (disk, net, usb)] == ["ns::disk", "ns::net", "ns::usb"]
    assert (str(disk.outcome), disk.duration, disk.last.return_code) == ("pass", 1.5, 0)
    assert [*disk.io_log()] == [IOLogRecord(0.25, "stdout", b"\xff\n")]
    assert [str(attempt.outcome) for attempt in net.attempts][-1:] == ["fail"]
    assert net.attempt_count == (1 if version < 4 else 2)
    assert (net.comments, [*net.io_log()]) == (
        "no link",
        [IOLogRecord(0.25, "stderr", b"down\n")],
    )
    assert (str(usb.outcome), usb.attempt_count, usb.checksum) == ("none", 0, "c" * 64)
    assert [plan.id for plan in view.plans] == ([] if version < 2 else ["ns::plan"])
    assert verdict(view).word == "FAIL"


def test_the_folder_is_found_by_its_content_and_gives_the_title(tmp_path: Path) -> None:
    folder = written(tmp_path / "some-name", document(11))
    repository = MemoryRepository()

    done = import_results(folder, repository)

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    assert find_importer(folder) == "plainbox"
    assert find_importer(folder / "session") == "plainbox"
    assert (view.title, done.importers) == ("Night \u2013 1", ("plainbox",))
    assert done.left_out == {
        "data of the application": 1,
        "rejected jobs": 1,
        "collections of system information": 1,
    }


def test_a_log_beside_the_session_is_read_wherever_the_session_was_moved(tmp_path: Path) -> None:
    lines = [json.dumps(record(b"one\n")), json.dumps(record(b"two\n", "stderr"))]
    saved = saved_with(
        disk=[result("pass", io_log_filename="/var/tmp/old.session/io-logs/disk.record.gz")]
    )
    folder = written(tmp_path, saved)
    (folder / "io-logs/disk.record.gz").write_bytes(gzip.compress("\n".join(lines).encode()))

    disk, *_others = imported(PlainboxImporter, folder).jobs()

    assert [record.data for record in disk.io_log()] == [b"one\n", b"two\n"]


@pytest.mark.parametrize("name", ["gone.record.gz", "../../secret.record.gz", "/etc/hostname"])
def test_a_log_that_is_not_in_the_folder_is_counted(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.record.gz").write_bytes(gzip.compress(json.dumps(record(b"x")).encode()))
    folder = written(tmp_path / "a/b", saved_with(disk=[result("pass", io_log_filename=name)]))

    done = import_results(folder, MemoryRepository())

    assert done.left_out["logs that are not in the folder of the session"] == 1


def test_a_link_among_the_logs_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(gzip.compress(json.dumps(record(b"x")).encode()))
    saved = saved_with(disk=[result("pass", io_log_filename="io-logs/disk.record.gz")])
    folder = written(tmp_path / "a", saved)
    (folder / "io-logs/disk.record.gz").symlink_to(tmp_path / "secret")

    done = import_results(folder, MemoryRepository())

    assert done.left_out["logs that are not in the folder of the session"] == 1


def test_a_job_that_was_running_has_crashed(tmp_path: Path) -> None:
    saved = document(11)
    saved["session"]["metadata"]["running_job_name"] = "ns::usb"

    *_others, usb = imported(PlainboxImporter, written(tmp_path, saved)).jobs()

    assert (str(usb.outcome), usb.last.interrupted_by) == ("crash", "unknown")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 12}, "the format 12 is none of 1 to 11"),
        ({"version": "6"}, "it has no version of type int"),
        ({"session": {}}, "it has no session.metadata of type dict"),
    ],
)
def test_what_is_no_session_says_why(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        imported(PlainboxImporter, written(tmp_path, {**document(11), **change}))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (result("great"), "no outcome is called 'great'"),
        (result("pass", io_log=[[0.1, "stdout", "!!"]]), "base64"),
        (result("pass", io_log=[[0.1, "stdtmp", "QQ=="]]), "a stream is stdout or stderr"),
        (result("pass", io_log=[[-1, "stdout", "QQ=="]]), "a delay is"),
        (result("pass", execution_duration=-1), "execution_duration must be"),
        (result("pass", return_code="x"), "return_code must be"),
        ("pass", "'str' object has no attribute"),
    ],
)
def test_a_broken_result_is_named(tmp_path: Path, broken: Any, words: str) -> None:
    folder = written(tmp_path, saved_with(disk=[broken]))

    with pytest.raises(ValueError, match=r"result 1 of the job 'ns::disk': .*") as caught:
        imported(PlainboxImporter, folder)
    assert words in str(caught.value)


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_session_that_is_cut_off_is_damaged(tmp_path: Path, cut: int) -> None:
    folder = written(tmp_path, document(11))
    whole = (folder / "session").read_bytes()
    (folder / "session").write_bytes(whole[:-cut])

    with pytest.raises(ValueError, match="what gzip packed is damaged"):
        imported(PlainboxImporter, folder)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no sessions of Checkbox are in ../shared/data")
@pytest.mark.parametrize("version", [1, 4, 6, 8, 11])
def test_what_checkbox_wrote_gives_all_its_results(version: int) -> None:
    folder = SHARED / f"v{version}.session"
    saved = json.loads(gzip.decompress((folder / "session").read_bytes()))["session"]

    view = imported(PlainboxImporter, folder)

    assert {
        job.id: [(str(each.outcome), each.duration, each.return_code) for each in job.attempts]
        for job in view.jobs()
        if job.attempt_count
    } == {
        job_id: [
            (each["outcome"], each["execution_duration"], each["return_code"])
            for each in results
            if each["outcome"] is not None
        ]
        for job_id, results in saved["results"].items()
        if any(each["outcome"] is not None for each in results)
    }
