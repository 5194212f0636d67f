"""Processes that run jobs are killed at random moments, and no launcher of theirs stays."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.test_local_runner import RecordedTask, job

from holdall.testing.crash import Child
from holdall_plugins.runners.local import LocalRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.crash import Link

KILLS = 30
LONGEST_S = 0.15
PATIENCE_S = 5.0
MARK = "HOLDALL_TEST_OF_LAUNCHERS"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

COMMANDS = (
    "true",
    "sleep 600",
    "setsid sleep 600 & echo left",
    "trap '' TERM HUP; sleep 600 & wait",
    "exec cat /dev/zero",
)


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """Return what the launchers and the commands of the test have in their environment."""
    made = f"{MARK}={tmp_path}"
    yield made
    for pid in marked(made):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def marked(mark: str, words: str = "") -> list[int]:
    """Return the processes with *mark* in their environment, and *words* in their command."""
    pids = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                command = (entry / "cmdline").read_bytes()
                pids += [int(entry.name)] if words.encode() in command else []
    return pids


def perform(folder: Path, command: str, timeout: float | None, link: Link) -> None:
    """Run jobs: the first of them short, then *command*."""
    os.environ[MARK] = str(folder)  # which the process that forks launchers inherits
    runner = LocalRunner()
    runner.run(RecordedTask(job("true"), folder))
    link.acknowledge("begins")
    while True:
        task = RecordedTask(job(command), folder, timeout)
        task.environ[MARK] = str(folder)
        runner.run(task)


@pytest.mark.parametrize("timeout", [None, 0.05])
def test_no_launcher_outlives_holdall_that_is_killed_at_any_moment(
    tmp_path: Path, mark: str, timeout: float | None
) -> None:
    chance = random.Random(f"{timeout}")  # noqa: S311 - no secret
    for number in range(KILLS // 2):
        command = COMMANDS[number % len(COMMANDS)]
        with Child(partial(perform, tmp_path, command, timeout)) as child:
            assert child.line() == "begins", child.errors
            time.sleep(chance.random() * LONGEST_S)

    patience = time.monotonic() + PATIENCE_S
    while (left := marked(mark, "launcher.py")) and time.monotonic() < patience:
        time.sleep(0.05)

    assert left == []
