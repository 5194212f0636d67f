"""What exporters have in common to say of jobs: places, logs within a limit, measurements."""

from __future__ import annotations

import pytest
from tests.unit.one_job import session_of

from holdall.results import IOLogRecord, JobResult, Measurement
from holdall.testing.exporters import exported
from holdall.writing import measured_text, number_text, reason_text, wants_log
from holdall_exporters.allure import AllureExporter
from holdall_exporters.junit import JUnitExporter
from holdall_exporters.otr import OtrExporter

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


def test_a_reason_has_what_was_said_of_the_skip_and_of_the_attempt() -> None:
    result = JobResult(outcome="skip", skip_reason="no \x1b[31mport", comments="asked twice")

    assert reason_text(result) == "no port\nasked twice"
