"""A run with somebody at the terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from holdall.journal import Journal
from holdall.stores.opening import open_repository
from holdall.testing.sessions import big_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Cli

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

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """What a command shows on a terminal, and what is typed there."""

    def __init__(self, holdall: Cli, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.child = subprocess.Popen(
            holdall.command(*arguments),
            env=holdall.environ | {"TERM": "xterm-256color", "COLUMNS": "100"},
            cwd=holdall.folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.shown = ""
        self.ever_shown = ""

    def wait_for(self, words: str) -> None:
        """Read until *words* are on the screen."""
        while words not in self.shown:
            piece = self._read()
            assert piece, f"it ended without {words!r}:\n{self.shown}"

    def type(self, text: str) -> None:
        self.shown = ""
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Send SIGINT until it ends: Python drops one that comes while `input` prompts."""
        while self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=3)

    def end(self) -> int:
        """Read what is left, and return the exit code."""
        while self._read():
            continue
        return self.child.wait()

    def close(self) -> None:
        os.close(self._master)
        self.child.kill()
        self.child.wait()

    def _read(self) -> str:
        try:
            piece = os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # the other end of the terminal is closed
            return ""
        self.shown = _CONTROL.sub("", self.shown + piece)
        self.ever_shown += piece
        return piece


@pytest.fixture
def terminal(holdall: Cli) -> Iterator[Callable[..., Terminal]]:
    opened = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(holdall, *arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_a_person_is_asked_in_words_that_can_be_read(
    holdall: Cli, provider: Callable[[str], str], terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", provider(MANUAL), "--job", ".*")
    run.wait_for("What came out? [p]assed, [f]ailed, [s]kip: ")
    assert "STEPS:\r\nLook at the lamp.\r\n" in run.shown
    run.type("f\n")
    run.wait_for("Comments: ")

    run.type("too dim\n")

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
    assert re.search(r"\d00/8000 .*xlsx", _CONTROL.sub("", export.ever_shown))
    assert (holdall.folder / "report.xlsx").stat().st_size > 100_000


def test_an_export_to_the_terminal_itself_shows_no_bar(
    holdall: Cli, terminal: Callable[..., Terminal]
) -> None:
    stored(holdall, 8000)

    export = terminal("export", "last", "text")

    assert export.end() == 0
    assert "/8000" not in export.ever_shown
    assert "verdict: FAIL" in export.ever_shown
