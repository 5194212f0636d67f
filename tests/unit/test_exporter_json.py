"""The JSON exporter: one document that every reader takes, with nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode
from hashlib import sha256
from typing import Any, ClassVar

import pytest

from holdall.journal.events import JobDefined, JobRecord, ResultRecorded, SessionCreated
from holdall.results import JobResult, Outcome
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    HOSTILE,
    START,
    SampleSession,
    big_session,
    empty_session,
    sample_session,
)
from holdall_exporters.json import JsonExporter


class TestJsonExporter(ExporterContract):
    """The JSON exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[JsonExporter]] = JsonExporter


def document(session: SampleSession | None = None, **options: str) -> dict[str, Any]:
    report = exported(JsonExporter, session or sample_session(), options)
    found: dict[str, Any] = json.loads(report)
    return found


def job(found: dict[str, Any], name: str) -> dict[str, Any]:
    jobs: list[dict[str, Any]] = found["jobs"]
    return next(each for each in jobs if each["id"] == f"com.example::{name}")


def test_the_head_says_what_it_is_and_whose() -> None:
    found = document()

    assert (found["format"], found["format_version"]) == ("holdall-session", 1)
    assert found["session"] == {
        "id": "sample-1",
        "title": 'Sample <session> & "more"',
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:51.000Z",
        "unsaved_events": 0,
    }
    assert found["exported"] == {
        "at": "2026-01-01T00:00:51.000Z",
        "exporter": "holdall.json",
        "by": "application",
    }
    assert found["verdict"]["word"] == "FAIL"
    assert [device["id"] for device in found["devices"]] == ["local", "dut-7"]
    assert found["plans"][0]["id"] == "com.example::smoke"
    assert found["providers"][0]["version"] == "3"


def test_every_job_is_there_with_its_outcome() -> None:
    found = document()
    view = sample_session().view()

    assert [(each["device"], each["id"], each["outcome"]) for each in found["jobs"]] == [
        (each.device_id, each.id, each.outcome) for each in view.jobs()
    ]
    assert found["job_count"] == len(found["jobs"]) == sum(found["counts"].values())
    assert set(found["counts"]) == set(Outcome)


def test_every_attempt_is_there() -> None:
    attempts = job(document(), "flaky")["attempts"]

    assert [(each["outcome"], each["interrupted_by"]) for each in attempts] == [
        ("fail", None),
        ("crash", "rebooted"),
        ("pass", None),
    ]
    assert attempts[0]["duration"] == pytest.approx(0.123456789)
    assert attempts[1]["duration"] is None


def test_a_log_gives_back_the_very_bytes_with_their_moments() -> None:
    view = sample_session().view()
    found = document()
    for each, read in zip(view.jobs(), found["jobs"], strict=True):
        for attempt, log in zip(each.attempts, read["attempts"], strict=True):
            wanted = [(r.delay, r.stream, r.data) for r in attempt.io_log()]
            records = log.get("io_log", [])
            assert [(r["delay"], r["stream"], content(r)) for r in records] == wanted


def content(record: dict[str, Any]) -> bytes:
    if "text" in record:
        text: str = record["text"]
        return text.encode()
    return b64decode(record["base64"])


def test_hostile_text_comes_back_as_it_was() -> None:
    found = document()

    assert {name: job(found, f"hostile-{name}")["summary"] for name in HOSTILE} == HOSTILE


def test_attachments_are_named_with_size_and_digest() -> None:
    attachments = job(document(), "big-log")["attempts"][0]["attachments"]

    assert attachments[0] == {
        "name": "notes.txt",
        "media_type": "text/plain",
        "size": 5,
        "sha256": sha256(b"notes").hexdigest(),
    }
    assert [each["size"] for each in attachments] == [5, 264, 4]


@pytest.mark.parametrize(
    ("logs", "names"),
    [
        pytest.param("none", set(), id="none"),
        pytest.param("failed", {"outcome-fail"}, id="failed"),
        pytest.param("all", {"outcome-fail", "outcome-pass"}, id="all"),
    ],
)
def test_logs_are_there_as_asked_for(logs: str, names: set[str]) -> None:
    found = document(logs=logs)

    for name in ("outcome-fail", "outcome-pass"):
        assert ("io_log" in job(found, name)["attempts"][0]) == (name in names)


def test_a_job_is_one_line() -> None:
    lines = exported(JsonExporter, sample_session()).splitlines()

    jobs = lines[lines.index(b'"jobs": [') + 1 : -2]
    assert [json.loads(line.rstrip(b","))["id"] for line in jobs] == [
        each.id for each in sample_session().view().jobs()
    ]


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not there")
def test_jq_takes_it() -> None:
    for session in (sample_session(), empty_session()):
        read = subprocess.run(
            [str(shutil.which("jq")), "-e", ".jobs | length"],
            input=exported(JsonExporter, session),
            capture_output=True,
            check=True,
        )
        assert int(read.stdout) == session.view().job_count


def test_the_log_of_a_job_that_wrote_nothing_is_there_and_empty() -> None:
    found = document(logs="all")

    (attempt,) = next(
        job["attempts"] for job in found["jobs"] if job["id"] == "com.example::outcome-skip"
    )
    assert attempt["io_log"] == []
    assert all("io_log" in attempt for job in found["jobs"] for attempt in job["attempts"])


def test_sums_have_no_dust() -> None:
    result = JobResult(outcome=Outcome.PASS, execution_duration=0.1)
    results = [ResultRecorded(at=START, job_id=f"j{n}", result=result) for n in range(3)]
    jobs = [JobDefined(at=START, job=JobRecord(id=f"j{n}")) for n in range(3)]
    session = SampleSession((SessionCreated(at=START, session_id="s"), *jobs, *results))

    assert document(session)["duration"] == 0.3


def test_moments_are_to_the_millisecond() -> None:
    result = JobResult(outcome=Outcome.PASS, started_at=START + 1.2346)
    session = SampleSession(
        (
            SessionCreated(at=START + 0.0006, session_id="s"),
            JobDefined(at=START, job=JobRecord(id="j")),
            ResultRecorded(at=START, job_id="j", result=result),
        )
    )

    found = document(session)

    assert found["session"]["created"] == "2026-01-01T00:00:00.001Z"
    assert found["jobs"][0]["attempts"][0]["started"] == "2026-01-01T00:00:01.235Z"


def test_the_jobs_of_a_reason_are_objects_and_those_it_does_not_name_are_counted() -> None:
    (reason,) = document(big_session(200))["verdict"]["reasons"]

    assert reason["jobs"][0] == {"device": "local", "id": "com.example::job/9"}
    assert (reason["count"], len(reason["jobs"]), reason["more"]) == (20, 10, 10)
