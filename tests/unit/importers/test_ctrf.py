"""Reports in the Common Test Report Format become jobs with attempts, parts and files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.importers.imported_facts import SAMPLES, Made, made_of, output

from holdall_plugins.importers.ctrf import CtrfImporter

if TYPE_CHECKING:
    from pathlib import Path

CTRF = SAMPLES / "ctrf"


@pytest.fixture
def everything(tmp_path: Path) -> Made:
    folder = tmp_path / "report"
    (folder / "files").mkdir(parents=True)
    folder.joinpath("files", "log.txt").write_text("a log", encoding="utf-8")
    tmp_path.joinpath("secret.txt").write_text("secret", encoding="utf-8")
    shutil.copy(CTRF / "everything.json", folder)
    return Made(CtrfImporter, folder / "everything.json")


def report(*tests: dict[str, Any], **results: Any) -> str:
    whole = {"tool": {"name": "t"}, "summary": {}, "tests": list(tests), **results}
    return json.dumps({"reportFormat": "CTRF", "specVersion": "0.0.0", "results": whole})


def test_a_test_is_called_by_its_suites_and_a_second_one_of_a_name_has_a_number(
    everything: Made,
) -> None:
    assert [(job.id, job.category, str(job.outcome)) for job in everything.jobs] == [
        ("disk > large > copies", "disk > large", "pass"),
        ("disk > reads", "disk", "crash"),
        ("disk > reads (2)", "disk", "error"),
        ("disk > writes", "disk", "skip"),
        ("waits", "Uncategorised", "undecided"),
    ]
    assert everything.job("disk > large > copies").origin == "tests/disk.py:12"
    assert everything.job("disk > writes").skip_reason == "no room"


def test_attempts_stand_before_the_one_that_counts(everything: Made) -> None:
    assert everything.attempts("disk > large > copies") == [
        ("fail", 0.1, "no space\nat disk.py:14"),
        ("undecided", 0.2, "stopped"),
        ("pass", 1.5, ""),
    ]
    first, _second, last = everything.job("disk > large > copies").attempts
    assert output(first) == [("stdout", b"one\n"), ("stderr", b"bad\n")]
    assert output(last) == [
        ("stdout", b"copied\n"),
        ("stdout", b"done\n"),
        ("stderr", b"warning\n"),
    ]
    assert (first.started_at, last.started_at) == (1772442000.1, 1772442000.5)


def test_retries_of_which_only_the_number_is_told_are_attempts_that_failed(
    everything: Made,
) -> None:
    (outcome, duration, said), last = everything.attempts("disk > reads")

    assert (outcome, duration) == ("fail", None)
    assert said == "the report says no more of this attempt than that there was one"
    assert last == ("crash", 0.01, "too slow")


def test_steps_are_parts_and_what_is_said_of_a_test_is_measured(everything: Made) -> None:
    job = everything.job("disk > large > copies")

    assert [(part.name, str(part.outcome)) for part in job.subtests] == [
        ("open", "pass"),
        ("write", "fail"),
    ]
    assert [(each.name, each.value) for each in job.measurements] == [
        ("tag", "slow"),
        ("priority", "high"),
        ("weight", 3),
        ("owners", "ann"),
        ("owners", "bob"),
        ("size", 64),
        ("type", "integration"),
        ("browser", "none"),
        ("device", "board"),
        ("thread", "t1"),
    ]


def test_files_below_the_folder_of_the_report_are_attached(everything: Made) -> None:
    attached = everything.job("disk > large > copies").last.attachments

    assert {each.name: each.data for each in attached} == {
        "log.txt": b"a log",
        "screenshot.png": b"\x89PNG\r\n\x1a\n",
    }
    assert everything.left_out["attachments that are not below the folder of the file"] == 1


def test_the_environment_is_that_of_the_device_and_the_rest_is_counted(everything: Made) -> None:
    assert everything.devices == {
        "local": {
            "tool": "lab",
            "tool version": "2.0",
            "reportName": "Nightly",
            "appName": "Lab",
            "buildNumber": "7",
            "healthy": "true",
            "osPlatform": "linux",
        }
    }
    assert everything.view.title == "Nightly"
    assert everything.left_out == {
        "extra data": 5,
        "insights of earlier runs": 2,
        "references to other reports": 1,
        "attachments that are not below the folder of the file": 1,
    }


def test_an_older_report_has_suites_and_output_as_texts() -> None:
    made = Made(CtrfImporter, CTRF / "older.json")

    assert [(job.id, job.category) for job in made.jobs] == [
        ("shop > login > logs in", "shop > login"),
        ("shop login fails", "shop > login"),
    ]
    assert output(made.jobs[1]) == [("stdout", b"one text\n")]
    assert made.outcomes == {"pass": 1, "fail": 1}


@pytest.mark.parametrize(
    ("name", "outcomes", "attempts"),
    [
        # The reporters' own summaries, but for Jest's `todo`, which Jest itself does not run.
        ("jest", {"pass": 3, "fail": 2, "skip": 2}, 12),
        ("mocha", {"pass": 2, "fail": 2, "skip": 2}, 7),
        ("playwright", {"pass": 4, "fail": 1, "skip": 2, "crash": 1}, 11),
    ],
)
def test_counts_of_real_reports(name: str, outcomes: dict[str, int], attempts: int) -> None:
    made = Made(CtrfImporter, CTRF / f"{name}.json")

    assert made.outcomes == outcomes
    assert sum(job.attempt_count for job in made.jobs) == attempts


def test_a_start_in_seconds_is_one_as_playwright_writes_it() -> None:
    made = Made(CtrfImporter, CTRF / "playwright.json")

    assert made.jobs[0].last.started_at == 1795700484


def test_the_last_retry_is_the_test_itself_where_all_attempts_are_listed(tmp_path: Path) -> None:
    listed = [{"attempt": 1, "status": "failed"}, {"attempt": 2, "status": "passed"}]
    test = {"name": "a", "status": "passed", "duration": 1, "retries": 1, "retryAttempts": listed}

    made = made_of(CtrfImporter, tmp_path, report(test))

    assert [outcome for outcome, *_ in made.attempts("a")] == ["fail", "pass"]


def test_a_million_retries_are_counted_beyond_a_hundred(tmp_path: Path) -> None:
    made = made_of(
        CtrfImporter,
        tmp_path,
        report({"name": "a", "status": "passed", "duration": 1, "retries": 1_000_000}),
    )

    assert made.jobs[0].attempt_count == 101
    assert made.left_out == {"retries beyond a hundred": 999_900}


def test_unsound_numbers_and_unknown_fields_are_counted(tmp_path: Path) -> None:
    test = {"name": "a", "status": "passed", "duration": -5, "start": "soon", "mood": "good"}

    made = made_of(CtrfImporter, tmp_path, report(test, summary={"tests": 9, "passed": 9}))

    assert made.jobs[0].duration is None
    assert made.left_out == {
        "fields that CTRF does not have": 1,
        "durations that are no number of milliseconds": 1,
        "times that are no number of milliseconds": 1,
        "numbers of tests that differ from the tests": 2,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (report({"name": "a", "status": "nice"}), "test 1: the status 'nice' is none of passed, "),
        (report({"name": "a"}), "test 1: .*missing required field `status`"),
        (report({"name": 7, "status": "passed"}), "test 1: Expected `str`, got `int`"),
        (report({"name": "a", "status": "passed"})[:-9], "no JSON near byte 1"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made_of(CtrfImporter, tmp_path, text)
