"""Words for how a process of a check ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdall.testing.checks.endings import ending

GROUP = "raise BaseExceptionGroup('two', [ValueError('x'), KeyboardInterrupt()])"
LATE = "import atexit; atexit.register(lambda: 1 / 0); raise ValueError('first')"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise GeneratorExit", "exit code 1: GeneratorExit"),
        ("raise ValueError('a\\nb')", "exit code 1: ValueError: a"),
        (GROUP, "exit code 1: BaseExceptionGroup: two (2 sub-exceptions)"),
        (LATE, "exit code 1: ValueError: first"),
        ("import sys; sys.exit(3)", "exit code 3"),
        ("import os, sys; sys.stderr.write('a hook is blocked\\n'); os._exit(1)", "exit code 1"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
    ],
)
def test_an_ending_names_code_or_signal_and_only_what_was_raised(program: str, words: str) -> None:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)

    assert ending(done.returncode, done.stderr) == words
