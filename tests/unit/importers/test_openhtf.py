"""Records of OpenHTF become runs on the device that was tested, with phases and measurements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.importers.imported_facts import SAMPLES, Made, made_of, output

from holdall_plugins.importers.openhtf import OpenHtfImporter

if TYPE_CHECKING:
    from pathlib import Path

RUNS = SAMPLES / "openhtf" / "runs.json"
FAIL = SAMPLES / "openhtf" / "fail.json"


def record(**fields: Any) -> str:
    whole = {
        "dut_id": "D1",
        "station_id": "bench",
        "start_time_millis": 1772442000000,
        "end_time_millis": 1772442001500,
        "outcome": "PASS",
        "metadata": {"test_name": "board"},
        "phases": [],
    }
    return json.dumps({**whole, **fields})


def phase(name: str, outcome: str | None, **fields: Any) -> dict[str, Any]:
    return {"name": name, "outcome": outcome, "measurements": {}, "attachments": {}, **fields}


def test_each_record_is_a_run_on_its_device() -> None:
    made = Made(OpenHtfImporter, RUNS)

    assert [(job.device_id, job.id, str(job.outcome)) for job in made.jobs] == [
        ("DUT-7", "board pass", "pass"),
        ("DUT-7", "board fail", "fail"),
        ("DUT-7", "board error", "error"),
    ]
    assert made.devices == {"DUT-7": {"station": "lab-1"}}
    assert made.jobs[0].description == "Board test"
    assert made.jobs[1].last.started_at == 1795700065.824
    assert made.jobs[1].duration == 0.015


def test_phases_are_parts_and_a_repeated_one_is_there_each_time() -> None:
    made = Made(OpenHtfImporter, RUNS)

    assert [(part.name, str(part.outcome)) for part in made.jobs[0].subtests] == [
        ("trigger_phase", "pass"),
        ("only", "pass"),
        ("again", "skip"),
        ("again", "pass"),
        ("skipped", "skip"),
    ]
    assert made.jobs[0].subtests[2].message == "REPEAT"
    assert made.jobs[2].comments.startswith("ValueError: no dut\nboom: ValueError: no dut\n")


def test_measurements_have_the_limits_of_their_validators() -> None:
    (job,) = Made(OpenHtfImporter, FAIL).jobs

    assert [
        (each.name, each.value, each.unit, each.lower, each.upper, str(each.outcome))
        for each in job.measurements
    ] == [
        ("measure.voltage", 3.3, "V", 3.0, 3.6, "pass"),
        ("measure.serial", "SN12", "", None, None, "pass"),
        ("measure.never", "not set", "", None, None, "none"),
        ("measure.ok", True, "", None, None, "pass"),
        ("measure.exact", 5, "", 5.0, 5.0, "pass"),
        ("measure.marg", 9, "", 0.0, 10.0, "pass"),
        ("measure.lst", "[1,2]", "", None, None, "pass"),
        ("measure.pct", 99, "", 95.0, 105.0, "pass"),
        ("measure.sweep", "[[1,2.5],[2,3.5]]", "dB", None, None, "pass"),
        ("bad.low", 7, "", 1.0, 2.0, "fail"),
        ("test_version", "1.0", "", None, None, "none"),
    ]
    assert job.comments == "measure.never is not set\nbad.low is 7, and not 1 <= x <= 2"


def test_attachments_are_decoded_and_the_log_is_output() -> None:
    made = Made(OpenHtfImporter, FAIL)
    (job,) = made.jobs

    assert {each.name: each.data for each in job.last.attachments} == {
        "trace.bin": b"\x00\x01\x02hello",
        "note": b"text",
    }
    ((stream, log),) = output(job)
    assert stream == "stdout"
    assert b"    0.010 INFO t.py:23: measured it\n" in log
    assert made.left_out == {"conditions that are no limits": 2, "settings of stations": 7}


@pytest.mark.parametrize("glue", ["\n", ""])
def test_records_stand_one_behind_the_other_or_in_a_list(tmp_path: Path, glue: str) -> None:
    records = [record(dut_id=f"D{number}") for number in range(3)]

    behind = made_of(OpenHtfImporter, tmp_path, glue.join(records), "a.json")
    listed = made_of(OpenHtfImporter, tmp_path, f"[{','.join(records)}]", "b.json")

    assert [job.device_id for job in behind.jobs] == ["D0", "D1", "D2"]
    assert [job.device_id for job in listed.jobs] == ["D0", "D1", "D2"]


def test_the_same_test_of_a_device_again_is_another_attempt(tmp_path: Path) -> None:
    text = record(outcome="FAIL") + record()

    made = made_of(OpenHtfImporter, tmp_path, text)

    assert [outcome for outcome, *_ in made.attempts("board")] == ["fail", "pass"]


@pytest.mark.parametrize(
    ("outcome", "ours"),
    [("TIMEOUT", "crash"), ("ABORTED", "crash"), ("ERROR", "error"), (None, "crash")],
)
def test_a_run_that_did_not_end_by_itself(tmp_path: Path, outcome: str | None, ours: str) -> None:
    assert made_of(OpenHtfImporter, tmp_path, record(outcome=outcome)).outcomes == {ours: 1}


def test_subtests_and_diagnoses_are_kept(tmp_path: Path) -> None:
    text = record(
        outcome="FAIL",
        phases=[phase("p", "FAIL", subtest_name="s", result={"phase_result": None})],
        subtests=[{"name": "s", "outcome": "FAIL", "start_time_millis": 5, "end_time_millis": 6}],
        diagnoses=[{"result": "HOT", "description": "too hot", "is_failure": True}],
        branches=[{"name": "b"}],
    )

    made = made_of(OpenHtfImporter, tmp_path, text)
    (job,) = made.jobs

    assert [(part.name, str(part.outcome), part.message) for part in job.subtests] == [
        ("s / p", "fail", "it did not end in time"),
        ("s", "fail", None),
    ]
    assert job.comments == "s / p: it did not end in time\nHOT: too hot"
    assert [(each.name, each.value) for each in job.measurements] == [("diagnosis", "HOT")]
    assert made.left_out == {"branches": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (record() + record(outcome="NICE"), "record 2: the outcome 'NICE' is none of PASS, FAIL"),
        (record(phases=[phase("p", "NICE")]), "record 1: the outcome 'NICE' of the phase 'p'"),
        (record(phases=[7]), "record 1: what is in phases is no object"),
        (
            record(phases=[phase("p", "PASS", attachments={"a": {"data": "%"}})]),
            "record 1: the attachment 'a': ",
        ),
        (record()[:-30], "no JSON near byte 1"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made_of(OpenHtfImporter, tmp_path, text)
