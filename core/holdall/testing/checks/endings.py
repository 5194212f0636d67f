"""How a process ended, in words for the report of a check."""

from __future__ import annotations

import re
import signal
from typing import Final

_HEAD: Final = re.compile(r"(?:  \+ Exception Group )?Traceback \(most recent call last\):")
_INSIDE: Final = re.compile(r"  \|   ")
# Python goes on after these: they are not what ended the process.
_PASSED_OVER: Final = re.compile(r"Exception (?:ignored )?in |--- Logging error ---")


def ending(code: int, stderr: str) -> str:
    """Say how a process ended, with the exception that ended it if there was one.

    Args:
        code: Its exit code; the negative number of a signal.
        stderr: What it wrote to standard error; its last traceback names the exception.
    """
    how = f"signal {_signal(-code)}" if code < 0 else f"exit code {code}"
    raised = _raised(stderr) if code in {1, -signal.SIGINT} else ""
    return f"{how}: {raised}" if raised else how


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _raised(stderr: str) -> str:
    """Return the line of the exception that the last traceback is of."""
    lines = stderr.splitlines()
    for start in reversed(range(len(lines))):
        if not _HEAD.fullmatch(lines[start]):
            continue
        if start and _PASSED_OVER.match(lines[start - 1]):
            continue
        for line in lines[start + 1 :]:
            if line.startswith("  | ") and not _INSIDE.match(line):
                return line[4:]
            if line and not line.startswith(" "):
                return line
        return ""
    return ""
