"""The application that composes stores records, ships, archives, replays and reports."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.several import away
from tests.docs.test_docs import EXAMPLES
from tests.servers import postgresql

from holdall import SessionView, open_repository

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = EXAMPLES / "composing" / "night_fleet.py"
MEASURED = {"root": 87.5, "data": 12.0}


def example() -> Any:
    spec = spec_from_file_location("night_fleet", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outcomes(document: bytes) -> dict[str, str]:
    return {job["id"]: job["outcome"] for job in json.loads(document)["jobs"]}


@pytest.mark.parametrize("office", ["sqlite", "postgresql"])
def test_the_reports_of_all_its_stores_are_equal(office: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/office.db" if office == "sqlite" else postgresql.new_url()
    fleet = example().Fleet(tmp_path, url)

    session_id = fleet.record("dut-7", MEASURED, limit=50.0)
    assert fleet.ship() == {}
    fleet.archive(session_id)

    report = fleet.report("night", session_id)
    assert outcomes(report) == {"disk/root": "pass", "disk/data": "fail"}
    for store in ("near", "office", "archive", "replay"):
        assert fleet.report(store, session_id) == report


def test_what_was_recorded_while_the_office_is_away_is_shipped_later(tmp_path: Path) -> None:
    office = tmp_path / "office"
    office.mkdir()
    fleet = example().Fleet(tmp_path, f"file://{office}")
    with away(office):
        session_id = fleet.record("dut-7", MEASURED, limit=50.0)
        problems = fleet.ship()

    assert list(problems) == [session_id]
    assert fleet.ship() == {}
    with closing(open_repository(f"file://{office}").open(session_id, mode="r")) as storage:
        assert len(list(SessionView.of(storage).jobs())) == 2


def test_a_replay_leaves_the_archive_as_it_is(tmp_path: Path) -> None:
    fleet = example().Fleet(tmp_path, f"file://{tmp_path}/office")
    session_id = fleet.record("dut-7", MEASURED, limit=50.0)
    fleet.archive(session_id)
    before = fleet.report("archive", session_id)

    fleet.replay(session_id, "the data disk again")

    assert outcomes(fleet.report("replay", session_id))["lab/replayed"] == "pass"
    assert fleet.report("archive", session_id) == before


def test_the_program_tells_the_verdict_of_each_device(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(PROGRAM), str(tmp_path / "night")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert sorted(done.stdout.splitlines()) == ["Night of dut-7: PASS", "Night of dut-8: FAIL"]
