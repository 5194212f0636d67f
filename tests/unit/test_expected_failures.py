"""Jobs that are expected to fail: a failure counts as a pass, and a pass as a failure."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from lxml import etree
from python_calamine import CalamineWorkbook

from holdall import JobResult, Recorder, SessionManager, list_sessions, make_unit
from holdall.exports.pipeline import export
from holdall.results import Outcome
from holdall.stores import open_repository
from holdall.view import SessionView, verdict
from holdall_exporters.json.reader import read_session
from holdall_plugins.stores.memory import MemoryRepository

BOTH = (Outcome.FAIL, Outcome.PASS)
LABELS = {Outcome.FAIL: "failed as expected", Outcome.PASS: "passed unexpectedly"}


def session(*outcomes: Outcome, xfail: str = "true") -> SessionManager:
    """Return a session of a job for each of *outcomes*, all of them expected to fail."""
    units: list[Any] = [
        make_unit({"id": f"job-{outcome}", "plugin": "shell", "command": "true", "xfail": xfail})
        for outcome in outcomes
    ]
    manager = SessionManager.create_with_unit_list(units, MemoryRepository())
    state = manager.state
    assert state is not None
    state.update_desired_job_list(units)
    for unit, outcome in zip(units, outcomes, strict=True):
        state.update_job_result(unit, JobResult(outcome=outcome))
    manager.checkpoint()
    return manager


def exported(manager: SessionManager, name: str, *options: str) -> bytes:
    report = io.BytesIO()
    manager.create_exporter(name, options).export_to(report)
    return report.getvalue()


@pytest.mark.parametrize("xfail", ["true", "True", "yes", "on", "1"])
def test_a_failure_that_is_expected_passes(xfail: str) -> None:
    assert verdict(session(Outcome.FAIL, xfail=xfail).view()).passed


@pytest.mark.parametrize("xfail", ["", "false", "no", "0"])
def test_a_job_may_say_that_it_is_not_expected_to_fail(xfail: str) -> None:
    assert not verdict(session(Outcome.FAIL, xfail=xfail).view()).passed


def test_a_pass_that_is_not_expected_fails_and_says_so() -> None:
    found = verdict(session(*BOTH).view())

    assert list(map(str, found.reasons)) == ["1 job passed unexpectedly: job-pass"]


@pytest.mark.parametrize("outcome", [Outcome.CRASH, Outcome.ERROR, Outcome.UNDECIDED])
def test_only_a_failure_is_expected(outcome: Outcome) -> None:
    assert not verdict(session(Outcome.FAIL, outcome).view()).passed


@pytest.mark.parametrize("outcomes", [BOTH, BOTH[:1], BOTH[1:]])
def test_a_listing_has_the_verdict_of_the_reports(outcomes: tuple[Outcome, ...]) -> None:
    manager = session(*outcomes)
    said, repository = verdict(manager.view()).word, manager.storage.repository
    manager.close()

    (info,) = list_sessions(repository)
    assert info.verdict == said
    assert info.counts == {str(outcome): 1 for outcome in outcomes}


def test_a_job_whose_definition_no_longer_expects_a_failure_fails() -> None:
    repository = open_repository("memory://changed")
    with Recorder(repository.create("s")) as recorder:
        recorder.job("job", xfail=True)
        recorder.record("job", outcome="fail")
        recorder.checkpoint()
        recorder.job("job", xfail=False)

    (info,) = list_sessions(repository)
    assert info.verdict == verdict(SessionView.of(repository.open("s", mode="r"))).word == "FAIL"


def test_text_and_html_and_the_verdict_show_it() -> None:
    manager = session(*BOTH)

    text = exported(manager, "text").decode()
    assert text.count("failed as expected") == 1  # the totals
    assert re.search("^xfailed .* job-fail$", text, re.MULTILINE)
    assert re.search("^    XPASSED +job-pass - passed unexpectedly$", text, re.MULTILINE)
    assert "passed unexpectedly" in exported(manager, "global", "form=reasons").decode()
    assert b"passed unexpectedly" in exported(manager, "html")


def test_xlsx_shows_it() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(exported(session(*BOTH), "xlsx")))

    rows = {row[2]: row[4] for row in book.get_sheet_by_name("Results").to_python()[1:]}
    assert rows == {f"job-{outcome}": LABELS[outcome] for outcome in BOTH}
    assert [row[2] for row in book.get_sheet_by_name("Failures").to_python()[1:]] == ["job-pass"]


def test_junit_shows_it_as_its_readers_know_it() -> None:
    cases = {
        case.get("name"): [(child.tag, child.get("type"), child.get("message")) for child in case]
        for case in etree.fromstring(exported(session(*BOTH), "junit")).iter("testcase")
    }

    assert cases == {
        "job-fail": [("skipped", None, "failed as expected")],
        "job-pass": [("failure", "unexpected-pass", "passed unexpectedly")],
    }


def test_json_shows_it_and_is_read_back() -> None:
    document = exported(session(*BOTH), "json")

    jobs = json.loads(document)["jobs"]
    assert [(job["outcome"], job["xfail"], job["counts_as"]) for job in jobs] == [
        ("fail", True, "pass"),
        ("pass", True, "fail"),
    ]
    again = io.BytesIO()
    export(read_session(document), "json", again)
    assert json.loads(again.getvalue())["jobs"] == jobs
