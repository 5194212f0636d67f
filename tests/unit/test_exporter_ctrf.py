"""The CTRF exporter: documents of its schema, which our importer reads back."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from tests.unit.importers.imported_facts import Made, output
from tests.unit.one_job import session_of, started_again
from tests.unit.report_readers import CTRF

from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Outcome, Subtest
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    START,
    devices_session,
    empty_session,
    sample_session,
)
from holdall_exporters.ctrf import CtrfExporter
from holdall_plugins.importers.ctrf import CtrfImporter

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.testing.sessions import (
        SampleSession,
    )


@pytest.mark.sampled(6)
class TestCtrfExporter(ExporterContract):
    """The CTRF exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[CtrfExporter]] = CtrfExporter


def document(session: SampleSession, **options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(exported(CtrfExporter, session, options))
    CTRF.validate(found)
    return found


def found_in(session: SampleSession, **options: str) -> dict[str, dict[str, Any]]:
    tests = document(session, **options)["results"]["tests"]
    return {test["name"].rpartition("::")[2]: test for test in tests}


def test_the_head_says_what_it_is_and_whose() -> None:
    found = document(sample_session())

    assert (found["reportFormat"], found["specVersion"]) == ("CTRF", "0.0.0")
    assert (found["runId"], found["timestamp"]) == ("sample-1", "2026-01-01T00:00:51Z")
    assert found["results"]["environment"]["reportName"] == 'Sample <session> & "more"'


def test_the_id_of_a_report_is_that_of_the_session_at_that_moment() -> None:
    again, other = document(sample_session()), document(empty_session())

    assert document(sample_session())["reportId"] == again["reportId"] != other["reportId"]


def test_the_summary_counts_the_tests() -> None:
    results = document(sample_session())["results"]
    summary = results["summary"]

    counts = Counter(test["status"] for test in results["tests"])
    assert {name: summary[name] for name in counts} == counts
    assert summary["tests"] == len(results["tests"]) == sample_session().view().job_count
    assert summary["flaky"] == sum(test.get("flaky", False) for test in results["tests"]) == 1


def test_a_session_that_passed_is_healthy_and_one_without_jobs_is_not() -> None:
    passed = document(session_of(JobResult(outcome="pass")))["results"]["environment"]
    empty = document(empty_session())["results"]

    assert passed["healthy"] is True
    assert empty["environment"]["healthy"] is False
    assert empty["environment"]["extra"]["reasons"][0]["code"] == "nothing-passed"
    assert empty["tests"] == []


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("pass", "passed"),
        ("fail", "failed"),
        ("crash", "failed"),
        ("error", "failed"),
        ("skip", "skipped"),
        ("skipped-dependency", "skipped"),
        ("skipped-resource", "skipped"),
        ("skipped-manifest", "skipped"),
        ("not-supported", "skipped"),
        ("not-implemented", "skipped"),
        ("undecided", "other"),
    ],
)
def test_each_outcome_has_a_status_and_is_there_itself(outcome: str, status: str) -> None:
    test = found_in(session_of(JobResult(outcome=outcome)))["disk"]

    assert (test["status"], test["rawStatus"]) == (status, outcome)


def test_a_job_that_was_not_started_is_pending_and_one_in_flight_is_nothing_yet() -> None:
    waiting = found_in(session_of())["disk"]
    running = found_in(started_again(session_of(JobResult(outcome="fail", comments="no"))))["disk"]

    assert (waiting["status"], waiting["rawStatus"]) == ("pending", "none")
    assert (running["status"], running["rawStatus"]) == ("other", "in-flight")
    assert (running["duration"], "message" in running) == (0, False)
    assert [each["status"] for each in running["retryAttempts"]] == ["failed"]


def test_a_failure_that_is_expected_passes_and_a_pass_that_is_not_fails() -> None:
    expected = found_in(session_of(JobResult(outcome="fail"), xfail=True))["disk"]
    unexpected = found_in(session_of(JobResult(outcome="pass"), xfail=True))["disk"]

    assert (expected["status"], expected["rawStatus"]) == ("passed", "fail")
    assert (unexpected["status"], unexpected["rawStatus"]) == ("failed", "pass")
    assert expected["extra"]["expectedToFail"] is True


def test_attempts_before_the_last_one_are_retries() -> None:
    flaky = found_in(sample_session())["flaky"]

    assert (flaky["status"], flaky["retries"], flaky["flaky"]) == ("passed", 2, True)
    assert [(each["attempt"], each["status"]) for each in flaky["retryAttempts"]] == [
        (1, "failed"),
        (2, "failed"),
    ]
    assert flaky["retryAttempts"][1]["message"] == "holdall was ended"
    assert flaky["retryAttempts"][1]["extra"]["interruptedBy"] == "rebooted"


def test_times_are_whole_milliseconds_that_javascript_can_count() -> None:
    result = JobResult(outcome="pass", execution_duration=0.1236, started_at=START + 1)
    test = found_in(session_of(result))["disk"]
    eternal = JobResult(outcome="pass", execution_duration=1e300, started_at=1e300)

    assert test["duration"] == 124
    assert (test["start"], test["stop"]) == (1_767_225_601_000, 1_767_225_601_124)
    assert found_in(session_of(eternal))["disk"]["duration"] == 2**53 - 1


def test_a_failure_without_words_has_those_of_its_output() -> None:
    log = [IOLogRecord(0, "stdout", b"fine\n"), IOLogRecord(0, "stderr", b"no such device\n\n")]
    silent = JobResult(outcome="fail", return_code=3)

    assert found_in(session_of(JobResult(outcome="fail", io_log=log)))["disk"]["message"] == (
        "no such device"
    )
    assert found_in(session_of(silent))["disk"]["message"] == "exit code 3"


def test_output_is_in_lines_of_two_streams() -> None:
    log = [
        IOLogRecord(0, "stdout", b"one\r\ncaf\xc3"),
        IOLogRecord(0, "stderr", b"\x1b[31mred\x1b[0m \xff\n"),
        IOLogRecord(0, "stdout", b"\xa9\n"),
    ]
    test = found_in(session_of(JobResult(outcome="fail", io_log=log)))["disk"]

    assert test["stdout"] == ["one", "caf\u00e9"]
    assert test["stderr"] == ["red \\xff"]
    assert "stdout" not in found_in(session_of(JobResult(outcome="pass", io_log=log)))["disk"]


def test_a_long_log_is_cut_in_its_middle() -> None:
    log = [IOLogRecord(0, "stdout", b"%d\n" % number) for number in range(1000)]
    test = found_in(session_of(JobResult(outcome="fail", io_log=log)), log_max="100")["disk"]

    assert (test["stdout"][0], test["stdout"][-1]) == ("0", "999")
    assert "[... 3,790 bytes of output left out]" in test["stdout"]


def test_subtests_are_steps_and_what_has_no_place_is_extra() -> None:
    result = JobResult(
        outcome="pass",
        subtests=[Subtest(name="read", outcome="skip", duration=0.5, message="no disk")],
        measurements=[Measurement(name="rate", value=7, unit="MB/s", lower=5)],
        io_log_dropped=9,
    )
    test = found_in(session_of(result, plugin="manual"))["disk"]

    assert test["steps"] == [
        {
            "name": "read",
            "status": "skipped",
            "extra": {"outcome": "skip", "duration": 500, "message": "no disk"},
        }
    ]
    assert test["extra"] == {
        "plugin": "manual",
        "summary": "com.example::disk",
        "measurements": [
            {
                "name": "rate",
                "value": 7,
                "unit": "MB/s",
                "lower": 5.0,
                "upper": None,
                "outcome": "pass",
            }
        ],
        "outputNotKept": 9,
    }


def test_files_are_named_with_their_size_and_digest() -> None:
    note = Attachment(name="note.txt", media_type="text/plain", size=2, data=b"hi")
    test = found_in(session_of(JobResult(outcome="pass", attachments=[note])))["disk"]

    digest = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
    assert test["attachments"] == [
        {
            "name": "note.txt",
            "contentType": "text/plain",
            "path": "note.txt",
            "extra": {"size": 2, "sha256": digest},
        }
    ]


def test_a_job_is_where_it_was_defined() -> None:
    placed = found_in(session_of(origin="units/disk.pxu:12"))["disk"]
    unplaced = found_in(session_of(origin="C:"))["disk"]

    assert (placed["filePath"], placed["line"]) == ("units/disk.pxu", 12)
    assert (unplaced["filePath"], unplaced.get("line")) == ("C:", None)


def test_tests_of_several_devices_are_told_apart() -> None:
    tests = document(devices_session())["results"]["tests"]

    assert {test["device"] for test in tests} == {"dut-1", "dut-2", "dut-3"}
    assert tests[0]["suite"] == ["dut-1", "Uncategorised"]


def test_our_importer_reads_it_back(tmp_path: Path) -> None:
    log = [IOLogRecord(0, "stdout", b"a\nb\n"), IOLogRecord(0, "stderr", b"c\n")]
    wanted = session_of(
        JobResult(outcome="crash", comments="died", execution_duration=1.5, started_at=START),
        JobResult(
            outcome="error",
            comments="it could\nnot",
            execution_duration=0.25,
            started_at=START + 3,
            io_log=log,
            subtests=[Subtest(name="read", outcome="fail"), Subtest(name="", outcome="skip")],
        ),
        origin="disk.pxu:3",
    )
    report = tmp_path / "report.json"
    report.write_bytes(exported(CtrfExporter, wanted))

    (job,) = Made(CtrfImporter, report).jobs
    assert (job.summary, job.category, job.origin) == (
        "com.example::disk",
        "Uncategorised",
        "disk.pxu:3",
    )
    assert [
        (each.outcome, each.duration, each.started_at, each.comments) for each in job.attempts
    ] == [("fail", 1.5, START, "died"), ("error", 0.25, START + 3, "it could\nnot")]
    assert [(part.name, part.outcome) for part in job.subtests] == [("read", "fail"), ("", "skip")]
    assert b"".join(data for name, data in output(job) if name == "stdout") == b"a\nb\n"
    assert b"".join(data for name, data in output(job) if name == "stderr") == b"c\n"


COMES_BACK = {Outcome.NONE: "skip", **{each: "skip" for each in Outcome if each.skipped}}


def test_outcomes_of_every_kind_come_back_as_what_they_say(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_bytes(exported(CtrfExporter, sample_session()))

    jobs = Made(CtrfImporter, report).jobs
    assert [str(job.outcome) for job in jobs] == [
        "undecided" if job.in_flight else COMES_BACK.get(job.outcome, str(job.outcome))
        for job in sample_session().view().jobs()
    ]
