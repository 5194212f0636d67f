from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from holdall.results import IOLogRecord, JobResult, Measurement, Outcome, Subtest


def test_a_result_converts_what_it_is_given() -> None:
    result = JobResult(
        outcome="pass",
        execution_duration=1,
        io_log=[(0, "stdout", b"x")],
    )

    assert result.outcome is Outcome.PASS
    assert result.execution_duration == 1.0
    assert type(result.execution_duration) is float
    assert result.io_log == (IOLogRecord(0.0, "stdout", b"x"),)
    assert result.io_log_size == 1


def test_no_outcome_is_the_outcome_none() -> None:
    assert JobResult(outcome=None).outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"outcome": "passed"}, ValueError, "no outcome is called 'passed'"),
        ({"return_code": "0"}, TypeError, "return_code must be of type int"),
        ({"return_code": True}, TypeError, "return_code must be of type int"),
        ({"return_code": 2**63}, ValueError, "return_code must be a number of 64 bits"),
        ({"return_code": -(10**5000)}, ValueError, "return_code must be a number of 64 bits"),
        ({"execution_duration": 10**5000}, ValueError, "execution_duration must be a finite"),
        ({"started_at": 10**309}, ValueError, "started_at must be a finite"),
        ({"io_log_size": -1}, ValueError, "io_log_size must be a number of bytes, from 0"),
        ({"io_log_dropped": 2**63}, ValueError, "io_log_dropped must be a number of bytes"),
        ({"comments": b"x"}, TypeError, "comments must be of type str"),
        ({"execution_duration": "1"}, TypeError, "number of seconds"),
        ({"execution_duration": -1.0}, ValueError, "from 0 on"),
        ({"execution_duration": math.nan}, ValueError, "finite"),
        ({"interrupted_by": "cat"}, ValueError, "interrupted_by"),
        ({"io_log": [(0.0, "stdin", b"")]}, ValueError, "stdout or stderr"),
        ({"io_log": [(-1.0, "stdout", b"")]}, ValueError, "from 0 on"),
        ({"io_log": [(0.0, "stdout", "text")]}, TypeError, "bytes"),
        ({"io_log": [(0.0, "stdout")]}, TypeError, "I/O log record"),
        ({"io_log_size": None}, TypeError, "io_log_size"),
    ],
)
def test_a_wrong_field_is_refused(
    fields: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        JobResult(**fields)


def test_a_lone_surrogate_in_comments_becomes_visible() -> None:
    assert JobResult(comments="a\udcffb").comments == "a\\udcffb"


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        JobResult().outcome = Outcome.PASS  # type: ignore[misc]


def test_only_a_result_that_says_nothing_is_hollow() -> None:
    assert JobResult().is_hollow
    assert not JobResult(comments="x").is_hollow


def test_an_outcome_reads_as_its_word() -> None:
    assert f"{Outcome.SKIPPED_DEPENDENCY}" == "skipped-dependency"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_label(outcome: Outcome) -> None:
    assert outcome.label
    assert not (outcome.failed and outcome.skipped)


def test_a_result_holds_subtests_and_measurements() -> None:
    result = JobResult(
        outcome="fail",
        subtests=[Subtest(name="first", outcome="pass", duration=1)],
        measurements=[Measurement(name="rate", value=5, unit="MB/s", upper=4)],
    )

    assert result.subtests == (Subtest(name="first", outcome=Outcome.PASS, duration=1.0),)
    assert result.measurements[0].upper == 4.0
    assert msgspec.json.decode(msgspec.json.encode(result), type=JobResult) == result


@pytest.mark.parametrize(
    ("value", "limits", "outcome"),
    [
        (4.0, {"lower": 4.0}, Outcome.PASS),
        (3.9, {"lower": 4.0}, Outcome.FAIL),
        (4.0, {"upper": 4.0}, Outcome.PASS),
        (4.1, {"upper": 4.0}, Outcome.FAIL),
        (9, {"lower": 0, "upper": 10}, Outcome.PASS),
        (11, {"lower": 0, "upper": 10}, Outcome.FAIL),
        (11, {}, Outcome.NONE),
        ("1.2.3", {}, Outcome.NONE),
        (11, {"upper": 10, "outcome": "pass"}, Outcome.PASS),
    ],
)
def test_the_limits_of_a_measurement_say_its_outcome_unless_its_recorder_does(
    value: float | str, limits: dict[str, Any], outcome: Outcome
) -> None:
    assert Measurement(name="x", value=value, **limits).outcome is outcome


@pytest.mark.parametrize(
    ("kind", "fields", "error", "words"),
    [
        (Subtest, {"name": 1}, TypeError, "name of a subtest"),
        (Subtest, {"outcome": "ok"}, ValueError, "no outcome is called 'ok'"),
        (Subtest, {"duration": -1}, ValueError, "from 0 on"),
        (Subtest, {"message": 1}, TypeError, "message of a subtest"),
        (Measurement, {"value": math.nan}, ValueError, "finite"),
        (Measurement, {"value": None}, TypeError, "must be a number"),
        (Measurement, {"value": "a", "upper": 1}, TypeError, "limits need a number"),
        (Measurement, {"lower": math.inf}, ValueError, "finite"),
        (JobResult, {"subtests": ["x"]}, TypeError, "expected a Subtest"),
        (JobResult, {"measurements": [1]}, TypeError, "expected a Measurement"),
    ],
)
def test_a_wrong_part_of_a_result_is_refused(
    kind: type, fields: dict[str, Any], error: type[Exception], words: str
) -> None:
    complete: dict[type, dict[str, Any]] = {
        Subtest: {"name": "x", "outcome": "pass"},
        Measurement: {"name": "x", "value": 1},
        JobResult: {},
    }

    with pytest.raises(error, match=words):
        kind(**{**complete[kind], **fields})
