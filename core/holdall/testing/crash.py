"""Work in child processes that are killed, traced, or given failing system calls.

    child = Child(lambda link: link.acknowledge(storage_of(link).append(...)))

A child is a fork: it has everything that the test has, makes a repository of its
own, and says by its link what was acknowledged to it. It ends by `os._exit` or is
killed by SIGKILL, so nothing is cleaned up.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

PATIENCE_S: Final = 60.0
"""How long a child may take for what is waited for."""

SYNCS: Final = ("fsync", "fdatasync", "msync", "sync_file_range", "syncfs")
CHANGES: Final = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "truncate"),
    *("fallocate", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat"),
    *("rmdir", "link", "linkat", "symlink", "symlinkat", "utimensat", "fchmod", "fchmodat"),
)
SENDS: Final = ("sendto", "sendmsg", "sendmmsg", "writev")
RECEIVES: Final = ("recvfrom", "recvmsg", "recvmmsg")
_NO_FILES: Final = ("pipe:", "socket:", "/dev/", "/memfd:", "anon_inode:")
_SET_PTRACER: Final = 0x59616D61
_CALL: Final = re.compile(r"(?:\d+\s+)?(\w+)\((.*)")
_MARK_FOLDER: Final = "/a mark that holdall left/"
_MARK: Final = re.compile(f'"{_MARK_FOLDER}([^"]*)"')
_FILE: Final = re.compile(r"(?:^|, )\d+<(/[^>]*)>")


class Link:
    """The child's end: what it says to the test, and what it waits for."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing

    def acknowledge(self, message: object) -> None:
        """Say *message*, one line, to the test."""
        os.write(self._writing, f"{message}\n".encode())

    def wait(self) -> None:
        """Wait until the test says that the child may go on."""
        os.read(self._reading, 1)

    def mark(self, text: str) -> None:
        """Leave *text* in a trace: ask for a file that is not there, which changes nothing."""
        os.access(_MARK_FOLDER + text, os.F_OK)  # noqa: PTH - nothing else is one system call

    def die(self) -> None:
        """End by SIGKILL."""
        os.kill(os.getpid(), signal.SIGKILL)


class Child:
    """A forked process that does *work*; leaving the block kills it."""

    def __init__(self, work: Callable[[Link], object]) -> None:
        from_child, to_test = os.pipe()
        from_test, to_child = os.pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self.pid = os.fork()
        if not self.pid:
            os.close(from_child)
            os.close(to_child)
            self._do(work, Link(from_test, to_test))
        os.close(to_test)
        os.close(from_test)
        self._reading = from_child
        self._writing = to_child
        self._rest = b""
        self._code: int | None = None

    def _do(self, work: Callable[[Link], object], link: Link) -> None:
        status = 1
        try:
            if sys.platform == "linux":  # a tracer need not be an ancestor
                ctypes.CDLL(None).prctl(_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
            work(link)
            status = 0
        except BaseException:  # noqa: BLE001 - the child must end here, whatever happened
            os.write(self._errors.fileno(), traceback.format_exc().encode(errors="replace"))
        finally:
            os._exit(status)

    def __enter__(self) -> Self:
        """Return the child."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill the child, unless it has ended."""
        self.kill()
        os.close(self._reading)
        os.close(self._writing)
        self._errors.close()

    @property
    def errors(self) -> str:
        """The traceback that ended the work, empty without one."""
        self._errors.seek(0)
        return self._errors.read().decode()

    def line(self) -> str | None:
        """Return the next acknowledgement, None if the child ended before it.

        Raises:
            TimeoutError: The child takes too long.
        """
        deadline = time.monotonic() + PATIENCE_S
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._reading], [], [], deadline - time.monotonic())
            if not ready:
                raise TimeoutError(f"a child process said nothing for {PATIENCE_S:g} s")
            data = os.read(self._reading, 1 << 16)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def lines(self) -> list[str]:
        """Return what the child still says until it ends."""
        return list(iter(self.line, None))

    def go(self) -> None:
        """Let the child go on behind `Link.wait`."""
        os.write(self._writing, b".")

    def kill(self) -> int:
        """Kill the child and return how it ended: 0, 1 if it raised, or minus a signal."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def end(self) -> int:
        """Return how the child ended: 0, 1 if it raised, or minus a signal."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code


class Call(NamedTuple):
    """A system call, or a mark that the traced process left.

    Attributes:
        name: Name of the call, `mark` for a mark.
        path: The file of its first descriptor, if it names one; the text of a mark.
        text: The whole line.
    """

    name: str
    path: str
    text: str

    @property
    def is_sync(self) -> bool:
        """Whether it makes something durable."""
        return self.name in SYNCS and "= -1" not in self.text

    @property
    def is_failed_on_purpose(self) -> bool:
        """Whether it failed because the test wished it."""
        return "(INJECTED)" in self.text

    @property
    def is_change(self) -> bool:
        """Whether it changes a file or a folder."""
        if self.path.startswith(_NO_FILES):
            return False
        return self.name in CHANGES

    @property
    def is_sent(self) -> bool:
        """Whether it sends something to somewhere else."""
        return self.name in SENDS and not self.path.startswith("/")  # `writev` to a file is none

    @property
    def is_received(self) -> bool:
        """Whether it receives something from somewhere else."""
        return self.name in RECEIVES and "= -1" not in self.text


class TracingUnavailable(Exception):  # noqa: N818 - the test is skipped
    """System calls can't be traced here; the message says why."""


class Trace:
    """The system calls of a child, from `begun` on until the child ends."""

    def __init__(self, child: Child, *options: str) -> None:
        program = shutil.which("strace")
        if program is None:
            raise TracingUnavailable("strace is not installed, so system calls can't be seen")
        self._folder = tempfile.TemporaryDirectory(prefix="holdall-trace-")
        self._file = Path(self._folder.name) / "calls"
        asks = ("openat", "access", "faccessat")
        traced = ",".join((*SYNCS, *CHANGES, *SENDS, *RECEIVES, *asks))
        command = [program, "-f", "-y", "-s", "64", "-e", "signal=none", "-e", f"trace={traced}"]
        self._strace = subprocess.Popen(
            [*command, *options, "-o", str(self._file), "-p", str(child.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._strace.stderr is not None
        first = self._strace.stderr.readline().decode(errors="replace").strip()
        if "attached" not in first:
            self._strace.kill()
            self._strace.wait()
            self._folder.cleanup()
            raise TracingUnavailable(f"a process can't be traced here: {first}")

    def calls(self) -> list[Call]:
        """Wait until the child has ended, and return its calls and marks."""
        self._strace.communicate(timeout=PATIENCE_S)
        text = self._file.read_text(encoding="utf-8", errors="replace")
        self._folder.cleanup()
        return list(_parsed(text))


def _parsed(text: str) -> Iterator[Call]:
    for line in text.splitlines():
        call = _CALL.match(line)
        if call is None:
            continue
        mark = _MARK.search(line)
        path = _FILE.search(call[2])
        if mark is not None:
            yield Call("mark", mark[1], line)
        else:
            yield Call(call[1], path[1] if path else _path_in(call[2]), line)


def _path_in(arguments: str) -> str:
    other = re.match(r"\d+<([^>]*)>", arguments)
    return other[1] if other else ""
