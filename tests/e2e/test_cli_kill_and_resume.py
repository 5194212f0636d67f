"""A run that was killed goes on, and nothing that was recorded is lost or done twice."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall import SessionView, open_repository
from holdall.processes import process_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Cli

# `slow` tells its own pid and that of a child; at a second attempt it ends at once.
DEFINITIONS = """\
id: first
plugin: shell
command: echo one

id: second
plugin: shell
command: echo two; exit 1

id: slow
plugin: shell
command:
 if [ -e {folder}/tried ]; then exit 0; fi
 touch {folder}/tried
 sleep 600 &
 echo so far
 echo $$ $! > {folder}/started
 wait

id: third
plugin: shell
command: echo three
"""


@pytest.fixture
def source(holdall: Cli, provider: Callable[[str], str]) -> str:
    os.mkfifo(holdall.folder / "started")
    return provider(DEFINITIONS.format(folder=holdall.folder))


@pytest.fixture
def orphans(holdall: Cli, source: str) -> Iterator[list[int]]:
    """Kill a run while `slow` is in flight, and return the processes it leaves behind."""
    with holdall.start("run", source) as child:
        pids = [int(pid) for pid in (holdall.folder / "started").read_text().split()]
        child.kill()
    yield pids
    for pid in filter(process_mark, pids):
        os.kill(pid, signal.SIGKILL)


def test_the_killed_run_leaves_what_it_had_recorded(holdall: Cli, orphans: list[int]) -> None:
    assert holdall.outcomes() == {"first": ["pass"], "second": ["fail"], "slow": [], "third": []}
    assert [job.id for job in holdall.jobs() if job.in_flight] == ["lab::slow"]
    assert all(map(process_mark, orphans))


@pytest.mark.usefixtures("orphans")
def test_a_report_can_be_made_before_the_run_goes_on(holdall: Cli) -> None:
    found = holdall("export", "last", "text")

    assert found.code == 0, found
    assert "1 job was started and has not ended: lab::slow" in found.out


def test_every_report_of_a_running_session_is_that_of_the_killed_one(
    holdall: Cli, source: str
) -> None:
    names = ("html", "json", "junit", "tar", "template", "text", "global", "xlsx")
    with holdall.start("run", source) as child:
        pids = (holdall.folder / "started").read_text().split()
        running = holdall("export", "last", *(f"{name}=running.{name}" for name in names))
        child.kill()
    for pid in map(int, pids):
        os.kill(pid, signal.SIGKILL)
    killed = holdall("export", "last", *(f"{name}=killed.{name}" for name in names))

    assert (running.code, killed.code) == (0, 0)
    for name in names:
        report = (holdall.folder / f"running.{name}").read_bytes()
        assert report == (holdall.folder / f"killed.{name}").read_bytes()
    document = json.loads((holdall.folder / "running.json").read_text())
    assert [each["in_flight"] for each in document["jobs"]] == [False, False, True, False]


def test_resume_ends_the_orphans_and_runs_the_rest_once(holdall: Cli, orphans: list[int]) -> None:
    found = holdall("resume", "--export", "text")

    assert found.code == 1
    assert holdall.outcomes() == {
        "first": ["pass"],
        "second": ["fail"],
        "slow": ["crash"],
        "third": ["pass"],
    }
    (slow,) = (job for job in holdall.jobs() if job.id == "lab::slow")
    assert slow.last.interrupted_by == "killed"
    assert [mark for mark in map(process_mark, orphans) if mark] == []
    assert "4 jobs in" in found.out


def test_resume_keeps_what_a_silent_job_had_written_before_it_was_killed(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    started = holdall.folder / "started"
    os.mkfifo(started)
    logs = f"{holdall.store}/*/io-logs/*"
    wait_for_log = f"until grep -q 'so far' {logs} 2>/dev/null; do sleep 0.05; done"
    command = f"echo so far; {wait_for_log}; echo > {started}; sleep 600"
    with holdall.start("run", provider(f"id: slow\nplugin: shell\ncommand: {command}\n")) as child:
        started.read_text()
        child.kill()

    holdall("resume")

    storage = open_repository(holdall.environ["HOLDALL_STORE"]).open(holdall.sessions()[0])
    (slow,) = SessionView.of(storage).jobs()
    assert [(record.stream, record.data) for record in slow.io_log()] == [("stdout", b"so far\n")]
    storage.close()


@pytest.mark.usefixtures("orphans")
def test_resume_runs_an_interrupted_job_again_only_if_told_to(holdall: Cli) -> None:
    holdall("resume")

    again = holdall("resume", "last", "--retry-interrupted")

    assert again.code == 1
    assert holdall.outcomes()["slow"] == ["crash", "pass"]
    assert holdall.outcomes()["first"] == ["pass"]


@pytest.mark.usefixtures("orphans")
def test_resuming_a_finished_session_does_nothing_more(holdall: Cli) -> None:
    holdall("resume")
    before = holdall.outcomes()

    again = holdall("resume", "last")

    assert again.code == 1
    assert holdall.outcomes() == before
    assert not re.search(r"^\[", again.err, re.MULTILINE)


@pytest.mark.usefixtures("orphans")
def test_resume_refuses_jobs_that_were_changed_since_and_goes_on_if_told_to(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    before = DEFINITIONS.format(folder=holdall.folder)
    provider(before.replace("echo one", "echo 1").replace("echo three", "echo 3"))

    refused = holdall("resume")
    unclear = holdall("resume", "--changed", "keeep")
    told = holdall("resume", "--changed", "skip", "--changed", "lab::first=rerun")

    assert (refused.code, unclear.code) == (3, 2)
    assert "the definition of 1 of its jobs has changed since they ran: lab::first" in refused.err
    assert "--changed" in refused.err
    assert told.code == 1
    assert holdall.outcomes()["first"] == ["pass", "pass"]
    assert holdall.outcomes()["third"] == ["skip"]


@pytest.mark.usefixtures("orphans")
def test_a_changed_job_that_has_not_run_runs_as_it_is_now(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    provider(DEFINITIONS.format(folder=holdall.folder).replace("echo three", "exit 3"))

    told = holdall("resume")

    assert told.code == 1
    assert "defined anew, and run as they are now: lab::third" in told.err
    assert holdall.outcomes()["third"] == ["fail"]


@pytest.mark.usefixtures("orphans")
def test_resume_takes_a_provider_from_where_it_is_now(holdall: Cli, source: str) -> None:
    moved = holdall.folder / "moved" / "lab"
    moved.parent.mkdir()
    Path(source).rename(moved)

    lost = holdall("resume")
    found = holdall("resume", "--source", str(moved))

    assert lost.code == 2
    assert source in lost.err
    assert found.code == 1
    assert holdall.outcomes()["third"] == ["pass"]


def test_an_interrupted_run_goes_on_and_leaves_no_process_behind(
    holdall: Cli, source: str
) -> None:
    with holdall.start("run", source) as child:
        pids = [int(pid) for pid in (holdall.folder / "started").read_text().split()]
        child.send_signal(signal.SIGINT)
        child.communicate()
    left = [pid for pid in pids if process_mark(pid)]

    found = holdall("resume")

    assert (child.returncode, left) == (130, [])
    assert found.code == 1
    assert holdall.outcomes() == {
        "first": ["pass"],
        "second": ["fail"],
        "slow": ["crash"],
        "third": ["pass"],
    }


def test_what_was_printed_of_a_killed_run_is_stored(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    source = provider("".join(f"id: j{n}\nplugin: shell\ncommand: true\n\n" for n in range(3)))
    printed, killed = 0, 0
    for step in range(4, 10):
        store = f"file://{holdall.folder}/store-{step}"

        run = holdall("run", source, "--store", f"faulty?kill={step}::{store}")

        passed = re.findall(r"passed +lab::(j\d)", run.err)
        repository = open_repository(store)
        storage = repository.open(next(repository.ids()), mode="r")
        stored = {job.id for job in SessionView.of(storage).jobs() if job.outcome == "pass"}
        storage.close()
        assert {f"lab::{name}" for name in passed} <= stored
        printed += len(passed)
        killed += run.code == -signal.SIGKILL
    assert killed >= 5
    assert printed >= 5
