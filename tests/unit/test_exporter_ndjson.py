"""The NDJSON exporter: lines of its schema that stay as they are."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from jsonschema import Draft202012Validator
from tests.unit.one_job import JOB, session_of, started_again

from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Subtest
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import START, devices_session, empty_session, sample_session
from holdall_exporters.ndjson import NdjsonExporter

if TYPE_CHECKING:
    from holdall.testing.sessions import SampleSession

SCHEMA = Draft202012Validator(json.loads(NdjsonExporter().json_schema()))


@pytest.mark.sampled(8)
class TestNdjsonExporter(ExporterContract):
    """The NDJSON exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[NdjsonExporter]] = NdjsonExporter


def lines(session: SampleSession, **options: str) -> list[dict[str, Any]]:
    return list(map(json.loads, exported(NdjsonExporter, session, options).splitlines()))


def of_type(kind: str, session: SampleSession, **options: str) -> list[dict[str, Any]]:
    return [line for line in lines(session, **options) if line["type"] == kind]


@pytest.mark.parametrize(
    "session", [sample_session(), empty_session(), devices_session()], ids=["sample", "empty", "3"]
)
def test_every_line_is_of_the_schema(session: SampleSession) -> None:
    for line in lines(session):
        SCHEMA.validate(line)


def test_the_types_come_in_their_order() -> None:
    note = Attachment(name="note.txt", size=2, data=b"hi")
    session = session_of(JobResult(outcome="fail", attachments=[note]), JobResult(outcome="pass"))

    types = [line["type"] for line in lines(session)]
    assert types == ["meta", "device", "job", "attempt", "attachment", "attempt", "end"]


def test_an_attempt_is_all_that_was_recorded_of_it() -> None:
    result = JobResult(
        outcome="fail",
        return_code=1,
        execution_duration=0.5,
        started_at=START + 0.25,
        comments="no",
        io_log=[IOLogRecord(0.5, "stdout", b"one\n"), IOLogRecord(1, "stderr", b"\xff")],
        subtests=[Subtest(name="read", outcome="fail")],
        measurements=[Measurement(name="rate", value=7, upper=5)],
    )

    assert of_type("attempt", session_of(result)) == [
        {
            "type": "attempt",
            "device": "local",
            "job": JOB,
            "attempt": 1,
            "outcome": "fail",
            "return_code": 1,
            "duration": 0.5,
            "started": "2026-01-01T00:00:00.250Z",
            "comments": "no",
            "skip_reason": None,
            "interrupted_by": None,
            "io_log_size": 5,
            "io_log_dropped": 0,
            "subtests": [{"name": "read", "outcome": "fail"}],
            "measurements": [{"name": "rate", "value": 7, "upper": 5.0, "outcome": "fail"}],
            "io_log": [
                {"delay": 0.5, "stream": "stdout", "text": "one\n"},
                {"delay": 1.0, "stream": "stderr", "base64": "/w=="},
            ],
        }
    ]


def test_output_is_there_where_it_is_wanted() -> None:
    log = [IOLogRecord(0, "stdout", b"one\n")]
    session = session_of(
        JobResult(outcome="crash", io_log=log), JobResult(outcome="pass", io_log=log)
    )

    def shown(logs: str) -> list[bool]:
        return ["io_log" in line for line in of_type("attempt", session, logs=logs)]

    assert (shown("all"), shown("failed"), shown("none")) == (
        [True, True],
        [True, False],
        [False, False],
    )


def test_two_files_of_one_name_are_two_lines() -> None:
    note = Attachment(name="note.txt", size=2, data=b"hi")
    first, second = of_type(
        "attachment", session_of(JobResult(outcome="pass", attachments=[note, note]))
    )

    assert (first.pop("attachment"), second.pop("attachment")) == (1, 2)
    assert first == second
    assert first["sha256"] == "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"


def test_the_end_says_how_the_session_stands() -> None:
    (end,) = of_type("end", started_again(session_of(JobResult(outcome="pass"))))

    assert end["passed"] is False
    assert end["in_flight"] == [{"device": "local", "job": JOB}]
    assert end["reasons"][0]["jobs"] == [{"device": "local", "job": JOB}]
    assert (end["lines"], end["jobs"], end["counts"]) == (4, 1, {"pass": 1})


def test_lines_stay_while_a_job_goes_on() -> None:
    before = exported(NdjsonExporter, session_of()).splitlines()
    failed = exported(NdjsonExporter, session_of(JobResult(outcome="fail"))).splitlines()
    flaky = session_of(JobResult(outcome="fail"), JobResult(outcome="pass"))
    after = exported(NdjsonExporter, started_again(flaky)).splitlines()

    assert set(before[:-1]) < set(failed[:-1]) < set(after[:-1])


def test_a_report_that_lacks_a_line_is_not_whole() -> None:
    whole = exported(NdjsonExporter, sample_session()).splitlines(keepends=True)

    for cut in (whole[:-1], [*whole[:5], *whole[6:]], whole[1:]):
        with pytest.raises(ValueError, match="line"):
            NdjsonExporter.verify(io.BytesIO(b"".join(cut)))
