"""The runner under test, and a task that records what becomes of its command."""

from __future__ import annotations

import os
import secrets
import shlex
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from holdall.contracts import AttemptEnded
from holdall.testing.checks.outcomes import CheckFailed
from holdall.units import Device, Job, make_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import ProcessMark, Runner
    from holdall.registry import Candidate
    from holdall.results import JobResult, Stream


class RecordingTask:
    """A task that keeps what its runner says about it.

    Attributes:
        written: What each stream got.
        pieces: When each piece came, which stream it was of, and how many bytes it had.
        marks: What `started` was called with.
        wrote: Set as soon as there was output.
        unwanted: Set to have the attempt ended, as the person at the terminal may want.
    """

    def __init__(
        self,
        command: str,
        folder: Path,
        *,
        timeout: float | None = None,
        user: str = "",
        stdin: int | None = None,
        environ: dict[str, str] | None = None,
        **fields: str,
    ) -> None:
        self.job: Final = job(command, **fields)
        self.device: Final = Device("checked")
        self.folder: Final = folder
        self.user: Final = user
        self.timeout: Final = timeout
        self.stdin: Final = stdin
        path = os.environ.get("PATH", os.defpath)
        self.environ: Final = {"PATH": path, "LANG": "C.UTF-8", **(environ or {})}
        self.written: Final[dict[str, bytes]] = {"stdout": b"", "stderr": b""}
        self.pieces: Final[list[tuple[float, str, int]]] = []
        self.marks: Final[list[ProcessMark | None]] = []
        self.wrote: Final = Event()
        self.unwanted: Final = Event()
        self.on_start: Callable[[], None] = lambda: None
        self.on_output: Callable[[], None] = lambda: None

    def started(self, process: ProcessMark | None) -> None:
        """Keep the mark."""
        self.marks.append(process)
        self.on_start()

    def output(self, stream: Stream, data: bytes) -> None:
        """Keep what was written."""
        self.pieces.append((monotonic(), stream, len(data)))
        self.written[stream] += bytes(data)
        if data:
            self.wrote.set()
            self.on_output()
        if self.unwanted.is_set():
            raise AttemptEnded

    @property
    def words(self) -> list[str]:
        """What went to standard output, word by word."""
        return self.written["stdout"].decode(errors="replace").split()


def job(command: str, **fields: str) -> Job:
    """Return a job that runs *command*."""
    unit = make_unit({"id": "checked", "plugin": "shell", "command": command, **fields})
    assert isinstance(unit, Job)
    return unit


@dataclass(frozen=True, kw_only=True)
class RunnerSubject:
    """A runner to check.

    Attributes:
        runner: Its class.
        url: The device to check it on.
        options: An instance of its `Options`; None if it has none.
        candidate: Its installed declaration; None for a class that is not installed.
        soon_s: Seconds within which what is ended has to be gone, and what runs has to write.
    """

    runner: type[Runner]
    url: str
    options: object = None
    candidate: Candidate | None = None
    soon_s: float = 15.0

    @property
    def name(self) -> str:
        """What its URLs begin with."""
        return self.url.partition(":")[0].partition("?")[0]

    def opened(self, url: str | None = None) -> Runner:
        """Return the runner of the device, or of another URL."""
        return self.runner.from_url(self.url if url is None else url, options=self.options)

    @contextmanager
    def running(self, command: str) -> Iterator[RecordingTask]:
        """Give the task of a command that has written something, and goes on meanwhile."""
        with self.task(command) as task:
            runner = self.opened()

            def run() -> None:
                with suppress(AttemptEnded):
                    runner.run(task)

            thread = Thread(target=run)
            thread.start()
            try:
                if not task.wrote.wait(self.soon_s):
                    raise CheckFailed(f"nothing was written within {self.soon_s:g} s")
                yield task
            finally:
                task.unwanted.set()
                thread.join(self.soon_s)

    @contextmanager
    def task(self, command: str, **more: Any) -> Iterator[RecordingTask]:
        """Give a task with a folder of its own."""
        with TemporaryDirectory(prefix="holdall-check-", ignore_cleanup_errors=True) as folder:
            yield RecordingTask(command, Path(folder), **more)

    def ran(self, command: str, **more: Any) -> tuple[JobResult, RecordingTask]:
        """Run a command, and return its result and its task."""
        with self.task(command, **more) as task:
            return self.opened().run(task), task

    def is_gone(self, pid: str) -> bool:
        """Whether a process of the device ends soon; the device itself is asked."""
        times = f"{self.soon_s * 10:.0f}"
        waiting = f"for _ in $(seq {times}); do kill -0 {pid} || exit 0; sleep 0.1; done"
        _, task = self.ran(f"({waiting}; echo alive; kill -9 {pid}) 2>/dev/null")
        return "alive" not in task.words


@contextmanager
def mark_on(subject: RunnerSubject) -> Iterator[tuple[str, Callable[[], bool]]]:
    """Give a command that leaves a mark on the device, and whether there is one."""
    path = shlex.quote(f"/tmp/holdall-check-{secrets.token_hex(8)}")  # noqa: S108 - of the device

    def is_there() -> bool:
        _, task = subject.ran(f"test -e {path} && echo there")
        return "there" in task.words

    try:
        yield f"touch {path}", is_there
    finally:
        subject.ran(f"rm -f {path}")
