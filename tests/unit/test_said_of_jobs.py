"""What exporters have in common to say of jobs: places, logs within a limit, measurements."""

from __future__ import annotations

import pytest
from lxml import etree
from tests.unit.one_job import session_of, started_again

from holdall.results import IOLogRecord, JobResult, Measurement
from holdall.testing.exporters import exported
from holdall.writing import measured_text, number_text, reason_text, wants_log
from holdall_exporters.allure import AllureExporter
from holdall_exporters.csv import CsvExporter
from holdall_exporters.junit import JUnitExporter
from holdall_exporters.otr import OtrExporter
from holdall_exporters.text import TextExporter

LOG = [IOLogRecord(0, "stdout", b"said\n")]


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("jobs.pxu:12", ("jobs.pxu", 12)),
        ("C:/jobs.pxu:7", ("C:/jobs.pxu", 7)),
        ("jobs.pxu", ("jobs.pxu", None)),
        ("jobs.pxu:", ("jobs.pxu:", None)),
        (":12", (":12", None)),
        ("jobs.pxu:\u0661", ("jobs.pxu:\u0661", None)),
        ("jobs.pxu:9999999999", ("jobs.pxu:9999999999", None)),
        ("", ("", None)),
    ],
)
def test_the_place_of_a_job_is_file_and_line(origin: str, place: tuple[str, int | None]) -> None:
    (job,) = session_of(JobResult(outcome="pass"), origin=origin).view().jobs()

    assert job.place == place


def test_the_log_of_a_failure_is_that_of_what_counts_as_one() -> None:
    results = [JobResult(outcome=each, io_log=LOG) for each in ("fail", "pass")]
    (expected,) = session_of(*results, xfail=True).view().jobs()
    (usual,) = session_of(*results).view().jobs()

    assert [wants_log("failed", attempt) for attempt in expected.attempts] == [False, True]
    assert [wants_log("failed", attempt) for attempt in usual.attempts] == [True, False]
    assert [wants_log("all", attempt) for attempt in usual.attempts] == [True, True]
    assert [wants_log("none", attempt) for attempt in usual.attempts] == [False, False]


@pytest.mark.parametrize(
    ("number", "text"),
    [(5.0, "5"), (0.1, "0.1"), (1234568.9, "1234568.9"), (1e300, "1e+300"), (-2.0, "-2")],
)
def test_a_number_reads_back_as_it_was(number: float, text: str) -> None:
    assert number_text(number) == text
    assert float(text) == number


def test_no_format_rounds_a_limit() -> None:
    part = Measurement(name="clock", value=1234569, unit="Hz", lower=1234567.25, upper=1234568.5)
    session = session_of(JobResult(outcome="fail", measurements=[part]))

    assert measured_text(part) == "1234569 Hz, at least 1234567.25, at most 1234568.5: fail"
    for exporter in (JUnitExporter, OtrExporter, AllureExporter):
        report = exported(exporter, session)
        assert b"1234567.25" in report, exporter
        assert b"1234568.5" in report, exporter


def test_an_outcome_that_no_limit_decided_is_said_too() -> None:
    assert measured_text(Measurement(name="m", value=7, outcome="pass")) == "7: pass"
    assert measured_text(Measurement(name="m", value=7, outcome="error")) == "7: error"
    assert measured_text(Measurement(name="m", value=7)) == "7"


def test_a_reason_has_what_was_said_of_the_skip_and_of_the_attempt() -> None:
    result = JobResult(outcome="skip", skip_reason="no \x1b[31mport", comments="asked twice")

    assert reason_text(result) == "no port\nasked twice"


EARLIER = JobResult(
    outcome="fail",
    comments="said before",
    execution_duration=77,
    return_code=9,
    io_log=[IOLogRecord(0, "stdout", b"written before\n")],
    measurements=[Measurement(name="before", value=7)],
)


def test_what_an_earlier_attempt_left_is_not_of_the_one_in_flight() -> None:
    view = started_again(session_of(EARLIER)).view()
    (job,) = view.jobs()

    assert (job.label, job.outcome, job.attempt_count) == ("in flight", "fail", 1)
    assert [attempt.comments for attempt in job.earlier] == ["said before"]
    assert (job.comments, job.duration, job.return_code, job.io_log_size) == ("", None, None, 0)
    assert (job.measurements, list(job.io_log()), list(job.last.io_log())) == ((), [], [])
    assert view.duration == 0
    (ended,) = session_of(EARLIER, EARLIER).view().jobs()
    assert (len(ended.earlier), ended.comments, ended.duration) == (1, "said before", 77)


@pytest.mark.parametrize("exporter", [CsvExporter, TextExporter])
def test_a_line_of_a_job_in_flight_says_nothing_of_the_attempt_before(exporter: type) -> None:
    report = exported(exporter, started_again(session_of(EARLIER)))

    assert b"said before" not in report
    assert b"77" not in report


def test_a_case_in_flight_has_the_attempt_before_as_one_of_its_own() -> None:
    report = exported(JUnitExporter, started_again(session_of(EARLIER)), ["flavour=jenkins"])
    (case,) = etree.fromstring(report).iter("testcase")

    assert [child.tag for child in case] == ["error", "rerunFailure"]
    assert (case[0].text, case[1].findtext("system-out")) == ("in flight", "written before\n")
    assert case.get("time") == "0.000"
