"""Launchers, the parents of commands, forked by one process that imported what they need.

To start a Python for each job would cost more than most jobs do. The process that forks
is started with the first job and ends with the runner.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from typing import BinaryIO

_PROGRAM: Final = Path(__file__).with_name("launcher.py")
_PATIENCE_S: Final = 5.0


class Launcher:
    """One launcher: the streams of its command, and its report.

    Attributes:
        pid: Its process, 0 if it never came to be.
        job: The process of the command.
    """

    def __init__(self, request: int, life: int, streams: Mapping[str, int]) -> None:
        self._life = life
        self._ask = request
        self.stdout: Final[BinaryIO] = os.fdopen(streams["stdout"], "rb", buffering=0)
        self.stderr: Final[BinaryIO] = os.fdopen(streams["stderr"], "rb", buffering=0)
        self.report: Final[BinaryIO] = os.fdopen(streams["report"], "rb", buffering=0)
        self.pid, self.job = (int(pid) for pid in self.report.readline().split() or (0, 0))

    def ask(self, what: bytes) -> None:
        """Ask it to let the command `go`, to `term` or to `kill` it, unless it has ended."""
        with suppress(OSError):
            os.write(self._ask, what + b"\n")

    def has_ended(self, timeout: float = 0.0) -> bool:
        """Whether it is gone, within so many seconds."""
        return bool(select.select([self._life], [], [], timeout)[0])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it is gone."""
        if self.pid and not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for stream in (self.stdout, self.stderr, self.report):
            stream.close()
        os.close(self._ask)
        os.close(self._life)


class Launchers:
    """Starts launchers; it may be used from several threads."""

    def __init__(self) -> None:
        self._lock: Final = Lock()
        self._control: socket.socket | None = None
        self._stop: weakref.finalize[..., Launchers] | None = None

    def launch(
        self,
        command: list[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        leave: bool,
        stdin: int | None = None,
        account: tuple[int, int, list[int]] | None = None,
        signaller: tuple[str, ...] = (),
    ) -> Launcher:
        """Return a launcher of *command*, which waits for `go`.

        Args:
            leave: Whether what the command leaves behind goes on.
            stdin: What the command reads from; None for nothing to read.
            account: Numbers of the account to become, of its group and of its other groups.
            signaller: What to put before `kill` for processes that are not one's own.

        Raises:
            OSError: No process can be made.
        """
        pipes = {name: os.pipe() for name in ("ask", "stdout", "stderr", "report", "life", "what")}
        theirs = [pipes["ask"][0], *(pipes[name][1] for name in ("stdout", "stderr", "report"))]
        theirs += [pipes["life"][1], pipes["what"][0]]
        theirs.append(os.open(os.devnull, os.O_RDONLY) if stdin is None else os.dup(stdin))
        what = {"command": command, "folder": str(folder), "environ": {**environ}, "leave": leave}
        what |= {"account": account, "signaller": signaller}
        try:
            with self._lock:
                self._send(theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        with os.fdopen(pipes["what"][1], "wb") as request, suppress(BrokenPipeError):
            request.write(json.dumps(what).encode())
        ours = {name: pipes[name][0] for name in ("stdout", "stderr", "report")}
        return Launcher(pipes["ask"][1], pipes["life"][0], ours)

    def _send(self, descriptors: list[int]) -> None:
        if self._control is not None:
            with suppress(OSError):  # somebody killed it
                socket.send_fds(self._control, [b"l"], descriptors)
                return
        socket.send_fds(self._started(), [b"l"], descriptors)

    def _started(self) -> socket.socket:
        if self._stop is not None:
            self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                # Isolated and without site-packages: nothing of the surroundings is imported.
                [sys.executable, "-I", "-S", _PROGRAM],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        self._control = ours
        self._stop = weakref.finalize(self, _stopped, ours, process)
        return ours


def _stopped(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
