"""A run with somebody at the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdall.journal import Journal
from holdall.stores.opening import open_repository
from holdall.testing.sessions import big_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli, Terminal

MANUAL = """\
id: lamp
plugin: manual
_summary: The lamp is on
_steps: Look at the lamp.
_verification: Is it on?

id: after
plugin: shell
command: true
"""


def test_a_person_is_asked_in_words_that_can_be_read(
    holdall: Cli, provider: Callable[[str], str], terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", provider(MANUAL), "--job", ".*")
    run.wait_for("What came out? [p]assed, [f]ailed, [s]kip, [c]omment, save and [q]uit: ")
    assert "STEPS:\r\nLook at the lamp.\r\n" in run.shown
    run.type("f\n")
    run.wait_for("Comments: ")

    run.type("too dim\n")
    run.wait_for("Run again?")
    run.type("\n")

    assert run.end() == 1
    assert "FAIL: 1 fail, 1 pass" in run.shown
    assert holdall.outcomes() == {"lamp": ["fail"], "after": ["pass"]}
    assert next(holdall.jobs()).comments == "too dim"


def test_a_question_that_is_interrupted_leaves_the_job_to_be_asked_again(
    holdall: Cli, provider: Callable[[str], str], terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", provider(MANUAL), "--job", ".*")
    run.wait_for("What came out?")

    run.interrupt()

    assert run.end() == 130
    assert f"holdall resume {holdall.sessions()[0]}" in run.shown.replace("\r\n", "")
    assert [job.id for job in holdall.jobs() if job.in_flight] == ["lab::lamp"]


def test_results_are_shown_above_a_bar_that_is_gone_in_the_end(
    holdall: Cli, provider: Callable[[str], str], terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", provider(MANUAL), "--job", "after", "--export", "text")

    assert run.end() == 0
    assert "[1/1] passed   lab::after" in run.shown
    assert "verdict: PASS" in run.shown
    assert holdall.outcomes() == {"after": ["pass"]}


def test_a_bar_counts_nothing_that_is_not_known_yet(
    provider: Callable[[str], str], terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", provider(MANUAL), "--job", ".*")
    run.wait_for("What came out?")
    run.type("q\n")
    run.end()

    resumed = terminal("resume")
    resumed.wait_for("What came out?")
    resumed.type("p\n")

    assert resumed.end() == 0
    assert "0/100" not in run.plain + resumed.plain
    assert "1/2" in resumed.plain


def stored(holdall: Cli, jobs: int) -> None:
    """Store a session of so many results where the command line looks for one."""
    storage = open_repository(holdall.environ["HOLDALL_STORE"]).create("big")
    journal = Journal.begin(storage)
    journal.append(list(big_session(jobs).events))
    storage.close()


def test_an_export_that_takes_long_shows_how_far_it_is(
    holdall: Cli, terminal: Callable[..., Terminal]
) -> None:
    stored(holdall, 8000)

    export = terminal("export", "last", "xlsx=report.xlsx", "global=verdict.txt")

    assert export.end() == 0
    assert re.search(r"\d00/8000 .*xlsx", export.plain)
    assert (holdall.folder / "report.xlsx").stat().st_size > 100_000


def test_an_export_to_the_terminal_itself_shows_no_bar(
    holdall: Cli, terminal: Callable[..., Terminal]
) -> None:
    stored(holdall, 8000)

    export = terminal("export", "last", "text")

    assert export.end() == 0
    assert "/8000" not in export.ever_shown
    assert "verdict: FAIL" in export.ever_shown
