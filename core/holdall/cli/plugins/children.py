"""Programs of a plugin's own process, ended when they take too long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Ended(NamedTuple):
    """How a child ended; `code` is None if its time was up."""

    code: int | None
    out: str
    err: str


def run_child(
    arguments: Sequence[str], given: str, *, timeout_s: float, **variables: str
) -> Ended:
    """Run Python with *arguments*, and end it and all that it started after *timeout_s*."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables}
    child = subprocess.Popen(
        [sys.executable, "-P", *arguments],  # the current folder is no place of modules
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    out = err = ""
    try:
        out, err = child.communicate(given, timeout=timeout_s)
        code: int | None = child.returncode
    except subprocess.TimeoutExpired:
        code = None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    if code is None:
        out, err = child.communicate()
    return Ended(code, out, err)
