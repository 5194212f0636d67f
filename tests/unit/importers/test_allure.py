"""Folders of Allure become jobs with attempts in order, parts, files and facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.importers.imported_facts import SAMPLES, Made, output

from holdall.recording import find_importer, import_results
from holdall.testing.checks.fresh import own_plugins
from holdall_plugins.importers.allure import AllureImporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

PYTEST = SAMPLES / "allure" / "pytest"


def write(folder: Path, file: str, **fields: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / file
    path.write_text(json.dumps(fields), encoding="utf-8")
    return path


def result(folder: Path, uuid: str, **fields: Any) -> Path:
    whole = {"uuid": uuid, "name": uuid, "status": "passed", "start": 1000, "stop": 3500}
    return write(folder, f"{uuid}-result.json", **{**whole, **fields})


def test_tests_stand_in_the_order_of_their_start_with_their_parameters() -> None:
    made = Made(AllureImporter, PYTEST)

    assert [(job.id, str(job.outcome), job.xfail) for job in made.jobs] == [
        ("test_al#test_add [a=1, b=2]", "pass", False),
        ("test_al#test_add [a=3, b=4]", "fail", False),
        ("test_al#test_broken", "error", False),
        ("test_al#test_skip", "skip", False),
        ("test_al#test_xfail", "fail", True),
        ("test_al#test_xpass_strict", "fail", False),
        ("test_al#test_xpass", "pass", False),
        ("test_al#test_setup", "error", False),
        ("test_al#test_down", "error", False),
        ("test_al#test_flaky", "pass", False),
    ]
    assert {job.category for job in made.jobs} == {"Math", "test_al"}
    assert made.jobs[0].summary == "Adds 1 and 2"
    assert made.jobs[0].description == "Adds numbers."
    assert made.jobs[3].skip_reason == "Skipped: no usb"
    assert made.jobs[4].comments.startswith("bug 1\n")


def test_the_host_is_the_device_and_the_environment_its_facts() -> None:
    made = Made(AllureImporter, PYTEST)

    assert made.devices == {"lab-1": {"os": "Linux", "board": "lab 7"}}
    assert made.left_out == {"fixtures that did not fail": 11}


def test_steps_and_fixtures_that_failed_are_parts() -> None:
    made = Made(AllureImporter, PYTEST)

    assert [(part.name, str(part.outcome)) for part in made.jobs[0].subtests] == [
        ("outer", "pass"),
        ("outer / inner 1", "pass"),
    ]
    (part,) = made.job("test_al#test_setup").subtests
    assert (part.name, str(part.outcome)) == ("set-up bad", "error")
    assert (part.message or "").startswith("RuntimeError: set-up\n")
    assert made.job("test_al#test_down").subtests[0].name == "tear-down bad_down::1"


def test_labels_and_links_are_measured_and_output_is_output() -> None:
    job = Made(AllureImporter, PYTEST).jobs[0]

    assert [(each.name, each.value) for each in job.measurements][:2] == [
        ("severity", "critical"),
        ("feature", "sums"),
    ]
    assert ("link", "doc https://example.com/doc") in [
        (each.name, each.value) for each in job.measurements
    ]
    assert output(job) == [("stdout", b"hello\n")]
    assert [(each.name, each.data) for each in job.last.attachments] == [
        ("note.txt", b"text of it")
    ]


def test_retries_are_those_of_one_history_in_the_order_of_their_start(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    result(folder, "b", name="t", historyId="h", start=3000, stop=3500)
    result(folder, "a", name="t", historyId="h", start=1000, stop=1250, status="failed")
    result(folder, "c", name="t", historyId="other", start=4000, stop=4500, status="skipped")
    result(folder, "d", name="t", start=5000, stop=5500)

    made = Made(AllureImporter, folder)

    assert made.attempts("t") == [("fail", 0.25, ""), ("pass", 0.5, "")]
    assert [job.id for job in made.jobs] == ["t", "t (2)", "t (3)"]


def test_what_has_no_status_never_ended_or_is_undecided(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    result(folder, "a", status=None, stage="running", stop=None)
    result(folder, "b", status=None, stage="finished", start=2000)
    result(folder, "c", status="unknown", start=3000)

    made = Made(AllureImporter, folder)

    assert [str(job.outcome) for job in made.jobs] == ["crash", "undecided", "undecided"]
    assert made.jobs[0].comments == "it never ended"


def test_files_that_lead_out_of_the_folder_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    tmp_path.joinpath("secret.txt").write_text("secret", encoding="utf-8")
    files = [{"name": "a", "source": "../secret.txt"}, {"name": "b", "source": "link.txt"}]
    result(folder, "a", attachments=[*files, {"name": "c", "source": "none.txt"}])
    folder.joinpath("link.txt").symlink_to(tmp_path / "secret.txt")
    outside = result(tmp_path / "other", "x")
    folder.joinpath("y-result.json").symlink_to(outside)

    made = Made(AllureImporter, folder)

    assert len(made.jobs) == 1
    assert made.jobs[0].last.attachments == ()
    assert made.left_out == {
        "attachments that are not below the folder of the file": 3,
        "links and other things that are no files": 1,
    }


def test_what_is_said_of_the_run_is_facts_and_counts(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    result(folder, "a")
    write(folder, "executor.json", name="Jenkins", buildOrder=7)
    folder.joinpath("categories.json").write_text('[{"name": "Slow"}]', encoding="utf-8")
    folder.joinpath("environment.properties").write_text(
        "# none\n! none\nA = 1\nB\\:b:two \\\n   lines\nC three\\u0021\nD\n", encoding="utf-8"
    )
    write(folder, "g-globals.json", errors=[{"message": "no display"}])

    made = Made(AllureImporter, folder)

    assert made.devices == {
        "local": {
            "A": "1",
            "B:b": "two lines",
            "C": "three!",
            "D": "",
            "executor name": "Jenkins",
            "executor buildOrder": "7",
        }
    }
    assert made.left_out == {"categories of failures": 1}
    assert made.attempts("outside of tests") == [("error", None, "no display")]


def test_a_folder_is_recognised_by_what_is_in_it(tmp_path: Path) -> None:
    write(tmp_path / "others", "a-result.json", points=7)
    registry = own_plugins()

    assert find_importer(PYTEST, registry=registry) == "allure"
    assert not AllureImporter().accepts_folder(tmp_path / "others")


def test_a_single_result_is_imported_alone(tmp_path: Path) -> None:
    path = result(tmp_path, "a", stage="finished")

    done = import_results(path, MemoryRepository(), registry=own_plugins())

    assert done.importers == ("allure",)


def test_deep_steps_are_refused_or_read_but_never_end_the_program(tmp_path: Path) -> None:
    deep = '{"name":"s","steps":[' * 100_000 + "]}" * 100_000
    text = f'{{"uuid":"a","status":"passed","steps":[{deep}]}}'
    tmp_path.joinpath("a-result.json").write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"a-result\.json: "):
        Made(AllureImporter, tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"uuid": "a", "status": "nice"}',
            r"a-result\.json: the status 'nice' is none of pas",
        ),
        ('{"uuid": "a", "sta', r"a-result\.json: Input data was truncated"),
        ('{"uuid": "a", "labels": 7}', r"a-result\.json: Expected `array \| null`"),
    ],
)
def test_damage_names_its_file(tmp_path: Path, text: str, words: str) -> None:
    tmp_path.joinpath("a-result.json").write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=words):
        Made(AllureImporter, tmp_path)
