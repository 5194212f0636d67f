"""Parts of the end-to-end tests: the command line in child processes, and small providers."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from holdall import SessionView, open_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from holdall.view.job import JobView

PATIENCE_S = 60


@dataclass(frozen=True)
class Finished:
    """What a child process left behind."""

    code: int
    out: str
    err: str


@dataclass
class Cli:
    """Runs `holdall` as its users do, with a store and a home of the test's own."""

    folder: Path
    environ: dict[str, str]

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def __call__(self, *arguments: str, within: Sequence[str] = ()) -> Finished:
        """Run it to its end, *within* a command that runs the one it is given."""
        done = subprocess.run(
            [*within, *self.command(*arguments)],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def python(self, program: str) -> Finished:
        """Run a program to its end in the same surroundings."""
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Return the running process; who starts one sees to its end."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "holdall", *arguments]

    def sessions(self) -> list[str]:
        """The ids of the stored sessions, newest first."""
        return list(open_repository(f"file://{self.store}").ids())

    def jobs(self) -> Iterator[JobView]:
        """The jobs of the newest session, read from the store and not through the command."""
        repository = open_repository(f"file://{self.store}")
        storage = repository.open(self.sessions()[0], mode="r")
        try:
            yield from SessionView.of(storage).jobs()
        finally:
            storage.close()

    def outcomes(self) -> dict[str, list[str]]:
        """The outcome of each attempt at each job of the newest session, in run order."""
        return {
            job.id.partition("::")[2]: [str(attempt.outcome) for attempt in job.attempts]
            for job in self.jobs()
        }


_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


# Lets standard input be the terminal whose Ctrl-C and whose end the command is told of.
_AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """What a command shows on a terminal, and what is typed there."""

    def __init__(self, holdall: Cli, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.child = subprocess.Popen(
            [sys.executable, "-c", _AT_TERMINAL, *holdall.command(*arguments)],
            env=holdall.environ | {"TERM": "xterm-256color", "COLUMNS": "200"},
            cwd=holdall.folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
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

    @property
    def plain(self) -> str:
        """All that was ever shown, without what draws."""
        return _CONTROL.sub("", self.ever_shown)

    def hang_up(self) -> int:
        """Take the terminal away, and return the exit code."""
        os.close(self._master)
        self._master = -1
        return self.child.wait(timeout=PATIENCE_S)

    def close(self) -> None:
        if self._master >= 0:
            os.close(self._master)
        self.child.kill()
        self.child.wait()

    def _read(self) -> str:
        ready, _, _ = select.select([self._master], [], [], PATIENCE_S / 2)
        assert ready, f"nothing came any more:\n{self.shown}"
        try:
            piece = os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # the other end of the terminal is closed
            return ""
        self.shown = _CONTROL.sub("", self.shown + piece)
        self.ever_shown += piece
        return piece


def command_line(folder: Path) -> Cli:
    """Return a command line with nothing of the caller's environment but the search path."""
    home = folder / "home"
    home.mkdir()
    environ = {
        "HOME": str(home),
        "HOLDALL_STORE": f"file://{folder}/store",
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
    }
    return Cli(folder, environ)


def write_provider(folder: Path, definitions: str) -> str:
    """Write definitions into a folder `lab` of *folder*, and return what to run."""
    lab = folder / "lab"
    lab.mkdir(exist_ok=True)
    (lab / "jobs.pxu").write_text(definitions)
    return str(lab)


@pytest.fixture
def holdall(tmp_path: Path) -> Cli:
    """Run the command line in the test's own folder."""
    return command_line(tmp_path)


@pytest.fixture
def provider(tmp_path: Path) -> Callable[[str], str]:
    """Write definitions into a folder `lab`, and return what to run."""
    return partial(write_provider, tmp_path)


@pytest.fixture
def terminal(holdall: Cli) -> Iterator[Callable[..., Terminal]]:
    opened = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(holdall, *arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture(scope="session")
def smoke_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with a session of one job of `smoke`; tests change copies of it."""
    cli = command_line(tmp_path_factory.mktemp("smoke"))
    assert cli("run", "smoke", "--job", "executable").code == 0
    return cli.store


@pytest.fixture
def smoke_session(holdall: Cli, smoke_store: Path) -> Cli:
    """Run the command line on a store that has the session of `smoke_store`."""
    shutil.copytree(smoke_store, holdall.store)
    return holdall
