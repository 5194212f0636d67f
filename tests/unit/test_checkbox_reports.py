"""What plainbox's exporters stumbled over, in every format of ours (behaviour 73)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from tests.unit.report_readers import READERS, whole_report

from holdall.exports.pipeline import export
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    ResultRecorded,
    SessionCreated,
)
from holdall.registry.registry import Registry
from holdall.results import IOLogRecord, JobResult
from holdall.testing.sessions import SampleSession

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTRY = Registry.discover()
FORMATS = (
    "tap",
    "ndjson",
    "csv",
    "agent",
    "otr",
    "allure",
    "markdown",
    "ctrf",
    "html",
    "json",
    "junit",
    "tar",
    "template",
    "text",
    "global",
    "xlsx",
)
JOB_ID = "com.example::job"
SIGNS = "'\"\\ <b>&amp; ]]> <!-- --> {{ x }} {% y %} %s"


def session_of(record: JobRecord, *results: JobResult) -> SampleSession:
    """Return a session of one job, selected, with these results."""
    device = "local"
    return SampleSession(
        (
            SessionCreated(at=0.0, session_id="odd"),
            DeviceAdded(at=0.0, device=device),
            JobDefined(at=0.0, device=device, job=record),
            JobsSelected(at=0.0, device=device, run_list=(record.id,)),
            *(
                ResultRecorded(at=1.0, device=device, job_id=record.id, result=each)
                for each in results
            ),
        )
    )


def logged(data: bytes) -> SampleSession:
    result = JobResult(outcome="fail", io_log=[IOLogRecord(0.0, "stdout", data)])
    return session_of(JobRecord(id=JOB_ID, summary="A job"), result)


CASES: Mapping[str, SampleSession] = {
    "nothing at all": SampleSession((SessionCreated(at=0.0, session_id="odd"),)),
    "no results": session_of(JobRecord(id=JOB_ID)),
    "no duration": session_of(JobRecord(id=JOB_ID), JobResult(outcome="pass")),
    "a log that is no UTF-8": logged(b"\xff\xfe\x80 caf\xe9 \xc3"),
    "control characters": logged(bytes(range(32)) + b"\x7f\x9b\x1b[2J\x1b]0;x\x07"),
    "signs in a log": logged(SIGNS.encode()),
    "signs in names": session_of(
        JobRecord(id=f"com.example::{SIGNS}", summary=SIGNS, description=SIGNS),
        JobResult(outcome="fail", comments=SIGNS, skip_reason=SIGNS),
    ),
    "line ends in names": session_of(
        JobRecord(id=JOB_ID, summary="a\nb\r\nc\rd\u2028e"), JobResult(outcome="crash")
    ),
    "a category that nobody defined": session_of(
        JobRecord(id=JOB_ID, category_id="org.other::gone"), JobResult(outcome="pass")
    ),
    "a very long log": logged(b"a line of forty characters, and then one\n" * 250_000),
    "a very long line": logged(b"x" * 5_000_000),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FORMATS)
def test_73_every_format_takes_what_plainbox_stumbled_over(name: str, case: str) -> None:
    report = whole_report(CASES[case], name, "logs=all", strict=False)

    READERS[name](report, CASES[case])


def test_a_log_in_a_submission_is_text_whatever_it_was() -> None:
    stream = io.BytesIO()

    export(
        CASES["a log that is no UTF-8"],
        "json",
        stream,
        options=["dialect=checkbox"],
        registry=REGISTRY,
    )

    assert b"\\\\xff\\\\xfe\\\\x80 caf\\\\xe9" in stream.getvalue()
