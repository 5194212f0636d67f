"""What a format cuts by itself is visible in the report and counted in the `ExportReport`."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from holdall.exports.pipeline import export
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    ResultRecorded,
    SessionCreated,
)
from holdall.registry.registry import Registry
from holdall.results import IOLogRecord, JobResult, Measurement, Subtest
from holdall.testing.sessions import SampleSession

if TYPE_CHECKING:
    from holdall.journal.events import AnyEvent

REGISTRY = Registry.discover()
LOG = b"0123456789\n" * 272_727
SIZE = len(LOG)
CUT_BY_JUNIT = SIZE - (1 << 20)


def long_log() -> SampleSession:
    """Return a session of two failed jobs: one with a long log, one with a short one."""
    events: list[AnyEvent] = [
        SessionCreated(at=0.0, session_id="long"),
        DeviceAdded(at=0.0, device="local"),
    ]
    for name, data in (("long", LOG), ("short", b"hello\n")):
        result = JobResult(outcome="fail", io_log=[IOLogRecord(0.0, "stdout", data)])
        events += [
            JobDefined(at=0.0, device="local", job=JobRecord(id=f"com.example::{name}")),
            ResultRecorded(at=1.0, device="local", job_id=f"com.example::{name}", result=result),
        ]
    return SampleSession(tuple(events))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param("ctrf", {"logs cut": 1, "bytes of logs cut": SIZE - (1 << 16)}, id="ctrf"),
        pytest.param("tap", {"logs cut": 1, "bytes of logs cut": SIZE - (1 << 14)}, id="tap"),
        pytest.param("html", {"logs cut": 1}, id="html"),
        pytest.param("junit", {"logs cut": 1, "bytes of logs cut": CUT_BY_JUNIT}, id="junit"),
        pytest.param("xlsx", {"logs cut": 1}, id="xlsx"),
        pytest.param("json", {}, id="json"),
        pytest.param("text", {}, id="text"),
    ],
)
def test_a_log_that_a_format_cuts_is_counted(name: str, changes: dict[str, int]) -> None:
    options = {"logs": "failed"}
    report = export(long_log(), name, io.BytesIO(), options=options, registry=REGISTRY)

    assert report.changes == changes


def test_cuts_of_reports_in_an_archive_are_those_of_the_archive() -> None:
    stream = io.BytesIO()

    report = export(long_log(), "tar", stream, options=["contents=html,junit"], registry=REGISTRY)

    assert report.changes == {"logs cut": 2, "bytes of logs cut": CUT_BY_JUNIT}
    with tarfile.open(fileobj=io.BytesIO(stream.getvalue())) as tar:
        sizes = {member.name: member.size for member in tar}
    assert sizes["long/logs/com.example%3a%3along.1.log"] == SIZE  # which is whole


def test_the_middle_of_a_long_log_is_left_out_of_junit_and_that_is_said() -> None:
    stream = io.BytesIO()
    export(long_log(), "junit", stream, options=["log-max=1k"], registry=REGISTRY)

    (long, short) = etree.fromstring(stream.getvalue()).iter("failure")
    assert short.text == "hello\n"
    assert long.text is not None
    assert f"[... {SIZE - 1024:,} bytes of output left out]" in long.text
    assert long.text.startswith("0123456789\n")
    assert long.text.endswith("0123456789\n")


LEFT_OUT = {"subtests left out": 2, "measurements left out": 1}


@pytest.mark.parametrize(
    ("name", "options", "changes"),
    [
        pytest.param("json", [], {}, id="json"),
        pytest.param("json", ["dialect=checkbox"], LEFT_OUT, id="checkbox"),
        pytest.param("agent", [], LEFT_OUT, id="agent"),
        pytest.param("csv", [], LEFT_OUT, id="csv"),
        pytest.param("ctrf", [], {}, id="ctrf"),
        pytest.param("html", [], {}, id="html"),
        pytest.param("junit", [], LEFT_OUT, id="junit"),
        pytest.param("junit", ["flavour=rich"], {}, id="junit rich"),
        pytest.param("markdown", [], LEFT_OUT, id="markdown"),
        pytest.param("ndjson", [], {}, id="ndjson"),
        pytest.param("otr", [], {}, id="otr"),
        pytest.param("tap", [], {}, id="tap"),
        pytest.param("text", [], LEFT_OUT, id="text"),
        pytest.param("xlsx", [], {}, id="xlsx"),
        pytest.param("xlsx", ["parts=no"], LEFT_OUT, id="xlsx of results"),
    ],
)
def test_subtests_and_measurements_that_a_format_leaves_out_are_counted(
    name: str, options: list[str], changes: dict[str, int]
) -> None:
    report = export(with_parts(), name, io.BytesIO(), options=options, registry=REGISTRY)

    assert report.changes == changes


@pytest.mark.parametrize(
    ("flavour", "changes"),
    [
        pytest.param("jenkins", {"subtests left out": 3, "measurements left out": 1}, id="failed"),
        pytest.param("rich", {"subtests left out": 2}, id="those of the last attempt"),
    ],
)
def test_parts_that_junit_shows_are_not_counted(flavour: str, changes: dict[str, int]) -> None:
    subtests = [Subtest(name="one", outcome="pass"), Subtest(name="two", outcome="fail")]
    measurements = [
        Measurement(name="rate", value=7, lower=5),
        Measurement(name="load", value=7, upper=5),
    ]
    first = JobResult(outcome="fail", subtests=subtests)
    last = JobResult(outcome="fail", subtests=subtests, measurements=measurements)
    events = [ResultRecorded(at=1, job_id="j", result=result) for result in (first, last)]
    session = SampleSession((SessionCreated(at=1, session_id="s"), *events))

    report = export(session, "junit", io.BytesIO(), options=[f"flavour={flavour}"])

    assert report.changes == changes


def with_parts() -> SampleSession:
    result = JobResult(
        outcome="pass",
        subtests=[Subtest(name="one", outcome="pass"), Subtest(name="two", outcome="skip")],
        measurements=[Measurement(name="rate", value=7, unit="MB/s", lower=5)],
    )
    return SampleSession(
        (
            SessionCreated(at=1, session_id="parts"),
            JobDefined(at=1, job=JobRecord(id="com.example::job")),
            ResultRecorded(at=1, job_id="com.example::job", result=result),
        )
    )


def test_a_limit_of_nothing_is_no_limit() -> None:
    stream = io.BytesIO()

    report = export(long_log(), "junit", stream, options=["log-max=0"], registry=REGISTRY)

    assert report.changes == {}
    assert len(stream.getvalue()) > SIZE
