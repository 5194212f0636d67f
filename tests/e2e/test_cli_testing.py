"""`holdall testing make-session`: a session to try plugins on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli


def jobs_of(holdall: Cli, session: str) -> list[dict[str, str]]:
    exported = holdall("export", session, "json")
    assert exported.code == 0, exported.err
    jobs: list[dict[str, str]] = json.loads(exported.out)["jobs"]
    return jobs


def test_a_session_is_stored_and_its_id_is_printed(holdall: Cli) -> None:
    made = holdall("testing", "make-session", "--jobs", "30", "--devices", "2")
    jobs = jobs_of(holdall, "last")

    assert made.code == 0, made.err
    assert made.out.strip() in holdall("sessions", "list").out
    assert len(jobs) == 60
    assert sum(job["outcome"] == "fail" for job in jobs) == 6


def test_a_hostile_session_has_every_outcome_and_can_be_exported_by_every_exporter(
    holdall: Cli,
) -> None:
    made = holdall("testing", "make-session", "--hostile")
    jobs = jobs_of(holdall, made.out.strip())
    names = (
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
        "text",
        "xlsx",
    )
    every = holdall("export", "last", *(f"{name}=o.{name}" for name in names), "--verify")

    assert {"pass", "fail", "crash", "none", "error", "undecided"} <= {j["outcome"] for j in jobs}
    assert {"job/0", "hostile-bidi"} <= {job["id"].rpartition("::")[2] for job in jobs}
    assert every.code == 0, every.err


@pytest.mark.parametrize("option", ["--jobs=-1", "--devices=0", "--jobs=many"])
def test_a_number_that_makes_no_session_is_refused(holdall: Cli, option: str) -> None:
    refused = holdall("testing", "make-session", option)

    assert refused.code == 2
    assert "Invalid value" in refused.err
