"""`holdall run` and what can be asked of its session afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import holdall as package

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

TWO_KINDS = """\
id: disk/fast
_summary: The disk is fast
plugin: shell
command: echo fast

id: disk/whole
plugin: shell
command: true

id: net/up
plugin: shell
command: true

unit: test plan
id: disks
_name: Disks
include: disk/.*

unit: test plan
id: nets
_name: Networks
include: net/.*
"""

FAILING = """\
id: good
plugin: shell
command: true

id: bad
plugin: shell
command: exit 3
"""


def test_smoke_passes_with_a_report_on_standard_output_and_others_in_files(holdall: Cli) -> None:
    found = holdall(
        "run", "smoke", "--export", "text", "--export", "json=report.json", "--export", "global=v"
    )

    assert found.code == 0, found
    assert "passed" in found.out
    assert found.out.endswith("verdict: PASS\n")
    report = json.loads((holdall.folder / "report.json").read_text())
    assert report["session"]["id"] == holdall.sessions()[0]
    assert (holdall.folder / "v").read_text() == "PASS\n"
    outcomes = holdall.outcomes()
    assert len(outcomes) >= 12
    assert set(map(tuple, outcomes.values())) == {("pass",)}


def test_run_with_json_prints_one_object_and_nothing_else(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    found = holdall("run", provider(TWO_KINDS), "--export", "text=r.txt", "--json")

    assert (found.code, found.err) == (0, "")
    summary = json.loads(found.out)
    assert list(summary) == ["session", "store", "verdict", "outcomes", "exports"]
    assert summary["session"] == holdall.sessions()[0]
    assert summary["store"] == holdall.environ["HOLDALL_STORE"]
    assert summary["verdict"] == "PASS"
    assert summary["outcomes"] == {"pass": len(holdall.outcomes())}
    assert [(each["exporter"], each["target"]) for each in summary["exports"]] == [
        ("holdall.text", "r.txt")
    ]


def test_run_with_json_keeps_standard_output_for_it(holdall: Cli) -> None:
    found = holdall("run", "smoke", "--export", "text", "--json")

    assert found.code == 2
    assert found.err.endswith(
        "only one report can go to standard output (--json uses it); write NAME=PATH for text\n"
    )
    assert not holdall.store.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--job", "disk/.*"], ["disk/fast", "disk/whole"], id="pattern"),
        pytest.param(["--job", "lab::net/up"], ["net/up"], id="whole-id"),
        pytest.param(
            ["--job", "net/up", "--job", "disk/fast"], ["net/up", "disk/fast"], id="several"
        ),
        pytest.param(["--plan", "disks"], ["disk/fast", "disk/whole"], id="plan"),
        pytest.param(["--plan", "lab::nets"], ["net/up"], id="whole-plan-id"),
        pytest.param(["--plan", "nets", "--plan", "disks"], ["net/up", "disk/fast", "disk/whole"]),
        pytest.param(["--plan", "nets", "--job", "disk/fast"], ["net/up", "disk/fast"], id="both"),
        pytest.param([], ["disk/fast", "disk/whole", "net/up"], id="neither"),
    ],
)
def test_run_selects_what_was_asked_for(
    holdall: Cli, provider: Callable[[str], str], arguments: list[str], expected: list[str]
) -> None:
    found = holdall("run", provider(TWO_KINDS), *arguments)

    assert found.code == 0, found
    assert list(holdall.outcomes()) == expected


def test_run_tells_how_far_it_is(holdall: Cli, provider: Callable[[str], str]) -> None:
    found = holdall("run", provider(FAILING))

    assert found.out == ""
    assert found.err.splitlines() == [
        "[1/2] passed   lab::good",
        "[2/2] failed   lab::bad",
        "FAIL: 1 pass, 1 fail",
        f"session {holdall.sessions()[0]} in {holdall.environ['HOLDALL_STORE']}",
    ]


def test_run_exits_with_1_when_a_job_failed(holdall: Cli, provider: Callable[[str], str]) -> None:
    found = holdall("run", provider(FAILING), "--export", "global")

    assert (found.code, found.out) == (1, "FAIL\n")


def test_export_exits_with_1_only_if_asked_to(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall("run", provider(FAILING))

    assert holdall("export", "last", "global").code == 0
    assert holdall("export", "last", "global", "--fail-on-verdict").code == 1


def test_run_without_a_source_exits_with_2(holdall: Cli) -> None:
    found = holdall("run")

    assert found.code == 2
    assert "Missing argument 'SOURCE...'" in found.err


def test_run_exits_with_3_when_the_store_refuses(holdall: Cli) -> None:
    (holdall.folder / "file").touch()

    found = holdall("run", "smoke", "--store", f"file://{holdall.folder}/file/store")

    assert found.code == 3


def test_a_report_that_cannot_be_written_costs_only_itself(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    targets = ["--export", "text=no/such/folder.txt", "--export", "global=verdict.txt"]

    found = holdall("run", provider(TWO_KINDS), *targets)

    assert found.code == 2
    assert "cannot write the report to 'no/such/folder.txt'" in found.err
    assert (holdall.folder / "verdict.txt").read_text() == "PASS\n"
    assert set(map(tuple, holdall.outcomes().values())) == {("pass",)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_exits_with_130_when_it_is_interrupted(
    holdall: Cli, provider: Callable[[str], str], number: signal.Signals
) -> None:
    started = holdall.folder / "started"
    os.mkfifo(started)
    source = provider(f"id: slow\nplugin: shell\ncommand: echo > {started}; sleep 600\n")
    with holdall.start("run", source) as child:
        started.read_text()

        child.send_signal(number)
        _, err = child.communicate()

    assert child.returncode == 130
    go_on = f"holdall resume {holdall.sessions()[0]} --store {holdall.environ['HOLDALL_STORE']}"
    assert list(filter(None, err.splitlines())) == [
        f"interrupted; go on with: {go_on}",
        "holdall: interrupted",
    ]


def test_the_command_that_goes_on_can_be_pasted_whatever_the_store_is_called(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    started = holdall.folder / "started"
    os.mkfifo(started)
    store = holdall.folder / "a store; & 'more' $HOME"
    holdall.environ["HOLDALL_STORE"] = f"faulty?fail=9999&full=9999::{store.as_uri()}"
    source = provider(
        f"id: slow\nplugin: shell\ncommand: [ -e {started}.2 ] || "
        f"{{ touch {started}.2; echo > {started}; sleep 600; }}\n"
    )
    with holdall.start("run", source) as child:
        started.read_text()
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
    (line,) = [each for each in err.splitlines() if "go on with: " in each]
    _words, _colon, command = line.partition("go on with: ")
    del holdall.environ["HOLDALL_STORE"]

    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("holdall", f"{sys.executable} -m holdall", 1)],
        env=holdall.environ,
        capture_output=True,
        check=False,
        text=True,
    )

    assert "1 crash" in done.stderr, (command, done.stderr)


def test_run_gives_the_session_its_title(holdall: Cli, provider: Callable[[str], str]) -> None:
    found = holdall(
        "run", provider(FAILING), "--title", "Bench 7, ä→試", "--job", "good", "--export", "text"
    )

    assert found.out.splitlines()[0] == "Bench 7, ä→試"
    assert "Bench 7, ä→試" in holdall("sessions", "list").out


def test_every_session_has_an_id_of_its_own(holdall: Cli, provider: Callable[[str], str]) -> None:
    source = provider(FAILING)

    holdall("run", source)
    holdall("run", source)

    listed = json.loads(holdall("sessions", "list", "--json").out)
    assert len({each["id"] for each in listed}) == 2
    assert [each["state"] for each in listed] == ["finished", "finished"]


def test_a_session_is_found_by_the_beginning_of_its_id_and_removed_for_good(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall("run", provider(FAILING))
    session = holdall.sessions()[0]

    shown = json.loads(holdall("sessions", "show", session[:-3], "--json").out)
    removed = holdall("sessions", "rm", session)

    assert shown["session"] == session
    assert shown["outcomes"] == {"pass": 1, "fail": 1}
    assert (removed.code, removed.out) == (0, f"removed {session}\n")
    assert list(holdall.store.iterdir()) == []


def test_a_job_sees_the_whole_environment_of_its_caller(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall.environ |= {"WANTED": "yes", "UNASKED": "too"}

    holdall("run", provider("id: a\nplugin: shell\nenviron: WANTED\ncommand: env\n"))

    (job,) = holdall.jobs()
    assert b"WANTED=yes" in b"".join(record.data for record in job.last.result.io_log)
    assert b"UNASKED=too" in b"".join(record.data for record in job.last.result.io_log)


def test_providers_show_counts_units_and_names_every_problem(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    source = provider(f"{FAILING}\nno field\n")

    shown = json.loads(holdall("providers", "show", source, "--json").out)

    assert (shown["units"], shown["problem_count"]) == ({"job": 2}, 1)
    (problem,) = shown["problems"]
    assert (problem["file"], problem["line"]) == (f"{source}/jobs.pxu", 9)


def test_version_is_that_of_the_package(holdall: Cli) -> None:
    assert holdall("--version").out == f"holdall, version {package.__version__}\n"


def test_a_failure_that_is_expected_is_shown_as_such_and_passes(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    known = "id: bad\nplugin: shell\ncommand: false\nxfail: true\n"
    mended = "\nid: mended\nplugin: shell\ncommand: true\nxfail: true\n"
    good = "\nid: good\nplugin: shell\ncommand: true\n"

    passed = holdall("run", provider(known + good))
    failed = holdall("run", provider(known + mended + good))

    assert (passed.code, failed.code) == (0, 1)
    assert "failed as expected lab::bad" in passed.err
    assert "PASS: 1 expected fail, 1 pass" in passed.err
    assert "passed unexpectedly lab::mended" in failed.err
    assert "FAIL: 1 expected fail, 1 unexpected pass, 1 pass" in failed.err
