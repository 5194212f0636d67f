"""Programs of a plugin's own process, ended with all that they started when they take too long."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory, TemporaryFile
from time import monotonic, sleep
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from holdall.cli.plugins.channel import LAST
from holdall.cli.plugins.descendants import adopting, descendants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GRACE_S: Final = 3.0
"""How long a process may take to end after its last row."""

_INTERVAL_S: Final = 0.1


class Ended(NamedTuple):
    """How a child ended.

    Attributes:
        code: Its exit code; None if its time was up.
        rows: What it reported.
        foreign: What else was written to where it reports; empty if nothing was.
        err: What it wrote to standard error.
    """

    code: int | None
    rows: tuple[dict[str, Any], ...]
    foreign: str
    err: str


def run_child(
    arguments: Sequence[str], given: str, *, timeout_s: float, **variables: str
) -> Ended:
    """Run Python with *arguments*, and end it and all that it started after *timeout_s*.

    The program reports by a `Channel`. What it leaves among temporary files is removed.
    """
    signature = f"{secrets.token_hex(16)} "
    with (
        _ending_on_signals(),
        TemporaryDirectory(prefix="holdall-check-", ignore_cleanup_errors=True) as folder,
        TemporaryFile() as channel,
        TemporaryFile() as said,
        TemporaryFile() as stdin,
    ):
        head = json.dumps([channel.fileno(), signature])
        stdin.write(f"{head}\n{given}".encode())
        stdin.seek(0)
        path = os.pathsep.join(filter(None, sys.path))
        environ = {**os.environ, "PYTHONPATH": path, "TMPDIR": folder, **variables}
        command = [sys.executable, "-P", *arguments]  # the current folder is no place of modules
        code = _code(command, environ, (stdin, said, channel), timeout_s)
        rows, foreign = _read(channel, signature)
        said.seek(0)
        return Ended(code, rows, foreign, said.read().decode(errors="replace"))


def _code(
    command: list[str],
    environ: Mapping[str, str],
    files: tuple[IO[bytes], IO[bytes], IO[bytes]],
    timeout_s: float,
) -> int | None:
    """Run a command until it ends or its time is up, and end what it started."""
    stdin, said, channel = files
    with adopting() as others:
        child = subprocess.Popen(
            command,
            env=environ,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=[channel.fileno()],
            start_new_session=True,
        )
        try:
            return _waited(child, channel, timeout_s)
        finally:
            _end(child, others)


def _waited(child: subprocess.Popen[bytes], channel: IO[bytes], timeout_s: float) -> int | None:
    end = monotonic() + timeout_s
    is_last = False
    while (left := end - monotonic()) > 0:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(min(left, _INTERVAL_S))
        if not is_last and f'"{LAST}"'.encode() in _tail(channel):
            is_last = True
            end = min(end, monotonic() + _GRACE_S)
    return child.poll()


def _tail(file: IO[bytes]) -> bytes:
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), 100, max(0, size - 100))


def _end(child: subprocess.Popen[bytes], others: frozenset[int]) -> None:
    """Kill a child, its process group, and what it started that left the group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    end = monotonic() + _GRACE_S  # those of another user can't be killed
    while (left := descendants() - others) and monotonic() < end:
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        sleep(0.01)


def _read(file: IO[bytes], signature: str) -> tuple[tuple[dict[str, Any], ...], str]:
    """Return the signed rows, and the first line that is none."""
    file.seek(0)
    rows: list[dict[str, Any]] = []
    foreign = ""
    for line in filter(None, file.read().decode(errors="replace").split("\n")):
        if not line.startswith(signature):
            foreign = foreign or line
            continue
        try:
            rows.append(json.loads(line.removeprefix(signature)))
        except ValueError:  # something else was written behind it, or before its end
            foreign = foreign or line.removeprefix(signature)
    return tuple(rows), foreign


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """End a child too when holdall is asked to end, or its terminal is closed."""
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:  # what runs below `nohup` outlives its terminal
            signal.signal(number, _exit)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _exit(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
