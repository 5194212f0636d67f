"""Runners that each break one promise; each is the local runner with one thing changed."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from holdall.contracts import AttemptEnded
from holdall.errors import RunnerUrlError
from holdall.results import IOLogRecord, JobResult
from holdall.session import TaskWrapper
from holdall.units import Job, make_unit
from holdall_plugins.runners.local import LocalRunner

if TYPE_CHECKING:
    from holdall.contracts import ProcessMark, Task
    from holdall.results import Interruption, Stream


class Shapeless:
    def run(self) -> None:
        """Take no task."""


class Connects(LocalRunner):
    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> LocalRunner:
        subprocess.run(["/bin/true"], check=True)
        return super().from_url(url, options=options)


class TakesAnything(LocalRunner):
    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> LocalRunner:
        del url
        return super().from_url("local", options=options)


class Speechless(LocalRunner):
    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> LocalRunner:
        if url != "local":
            raise RunnerUrlError(url, "")
        return super().from_url(url, options=options)


class Passes(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return msgspec.structs.replace(super().run(task), outcome="pass")


class Changed(TaskWrapper):
    """A task of which bad runners change something."""

    def __init__(self, inner: Task, **changes: Any) -> None:
        super().__init__(inner)
        self._changes = changes

    def changed(self, name: str) -> Any:
        return self._changes.get(name, getattr(self.inner, name))

    @property
    def job(self) -> Job:
        fields = {**self.inner.job.fields, **self._changes.get("fields", {})}
        made = make_unit(fields)
        assert isinstance(made, Job)
        return made

    @property
    def user(self) -> str:
        return str(self.changed("user"))

    @property
    def environ(self) -> dict[str, str]:
        return dict(self.changed("environ"))

    @property
    def timeout(self) -> float | None:
        timeout: float | None = self.changed("timeout")
        return timeout

    @property
    def stdin(self) -> int | None:
        stdin: int | None = self.changed("stdin")
        return stdin


class Reorders(LocalRunner):
    """Hands over the lines of a stream sorted."""

    def run(self, task: Task) -> JobResult:
        kept = Kept(task)
        result = super().run(kept)
        for stream, data in kept.data.items():
            task.output(stream, b"".join(sorted(data.splitlines(keepends=True))))
        return result


class Kept(TaskWrapper):
    """Keeps output until the command has ended."""

    def __init__(self, inner: Task) -> None:
        super().__init__(inner)
        self.data: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}

    def output(self, stream: Stream, data: bytes) -> None:
        self.data[stream] += data


class Late(LocalRunner):
    """Hands output over when the command has ended."""

    def run(self, task: Task) -> JobResult:
        kept = Kept(task)
        result = super().run(kept)
        for stream, data in kept.data.items():
            task.output(stream, data)
        return result


class Silent(LocalRunner):
    """Says nothing while the command is silent."""

    def run(self, task: Task) -> JobResult:
        return super().run(Talking(task))


class Talking(TaskWrapper):
    def output(self, stream: Stream, data: bytes) -> None:
        if data:
            self.inner.output(stream, data)


class LogsTwice(LocalRunner):
    def run(self, task: Task) -> JobResult:
        kept = Kept(task)
        result = super().run(kept)
        for stream, data in kept.data.items():
            task.output(stream, data)
        log = (IOLogRecord(0.0, "stdout", kept.data["stdout"]),)
        return msgspec.structs.replace(result, io_log=log)


class CutsOff(LocalRunner):
    """Takes no more than some of each stream."""

    def run(self, task: Task) -> JobResult:
        return super().run(Cut(task))


class Cut(TaskWrapper):
    left = 100_000

    def output(self, stream: Stream, data: bytes) -> None:
        self.inner.output(stream, data[: self.left])
        self.left = max(0, self.left - len(data))


class Decodes(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Decoded(task))


class Decoded(TaskWrapper):
    def output(self, stream: Stream, data: bytes) -> None:
        self.inner.output(stream, data.decode(errors="replace").encode())


class Unquoted(LocalRunner):
    def run(self, task: Task) -> JobResult:
        command = f'eval "{task.job.command}"'
        return super().run(Changed(task, fields={"command": command}))


class Inherits(LocalRunner):
    def run(self, task: Task) -> JobResult:
        import os

        return super().run(Changed(task, environ={**os.environ, **task.environ}))


class Forgets(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Changed(task, environ={"PATH": task.environ["PATH"]}))


class InRoot(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Changed(task, fields={"command": f"cd /; {task.job.command}"}))


class OneShell(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Changed(task, fields={"shell": "bash"}))


class Waits(LocalRunner):
    """Gives the command a terminal that nobody types at."""

    def run(self, task: Task) -> JobResult:
        import os

        reader, writer = os.pipe()
        given = reader if task.stdin is None else task.stdin
        try:
            return super().run(Changed(task, stdin=given))
        finally:
            os.close(reader)
            os.close(writer)


class Deaf(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Changed(task, stdin=None))


class AnyAccount(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Changed(task, user=""))


class Raises(LocalRunner):
    def run(self, task: Task) -> JobResult:
        result = super().run(task)
        if result.outcome == "error":
            raise OSError(result.comments)
        return result


class StartsTwice(LocalRunner):
    def run(self, task: Task) -> JobResult:
        result = super().run(task)
        task.started(None)
        return result


class StartsBehind(LocalRunner):
    """Says that the command starts when it has ended."""

    def run(self, task: Task) -> JobResult:
        result = super().run(Unstarted(task))
        task.started(None)
        return result


class Unstarted(TaskWrapper):
    def started(self, process: ProcessMark | None) -> None:
        """Keep it to itself."""


class SwallowsTheStart(LocalRunner):
    def run(self, task: Task) -> JobResult:
        return super().run(Swallowing(task))


class Swallowing(TaskWrapper):
    def started(self, process: ProcessMark | None) -> None:
        with suppress(Exception):
            self.inner.started(process)


class Endless(LocalRunner):
    """Lets a command go on that takes too long, for a while."""

    def run(self, task: Task) -> JobResult:
        result = super().run(Changed(task, timeout=None if task.timeout is None else 2.0))
        if result.outcome == "crash":
            return msgspec.structs.replace(result, outcome="fail")
        return result


class LeavesChildren(LocalRunner):
    """Lets what the command started in another session go on."""

    def run(self, task: Task) -> JobResult:
        command = f"exec setsid -f {task.job.shell} -c '{task.job.command}'"
        if "wait" not in task.job.command:
            return super().run(task)
        noreturn = {"command": f"{command}\nsleep 300", "flags": "noreturn"}
        return Naive().run(Changed(task, fields=noreturn))


class Naive:
    """Ends the command that it started itself, and nothing else."""

    def run(self, task: Task) -> JobResult:
        command = [task.job.shell, "-c", task.job.command.replace("exec ", "", 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=task.folder) as process:
            assert process.stdout is not None
            task.started(None)
            try:
                task.output("stdout", process.stdout.readline())
                time.sleep(0.5)
            finally:
                process.kill()
        return JobResult(outcome="crash", comments="it took too long")


class SwallowsTheEnd(LocalRunner):
    def run(self, task: Task) -> JobResult:
        try:
            return super().run(task)
        except AttemptEnded:
            return JobResult(outcome="fail")


class LeavesAttempts(LocalRunner):
    def interrupted(self, process: ProcessMark | None) -> Interruption:
        return "unknown" if process is None else "killed"


class Guesses(LocalRunner):
    def interrupted(self, process: ProcessMark | None) -> Interruption:
        del process
        return "power cut"  # type: ignore[return-value] # what the check is to find


class MixesUp(LocalRunner):
    """Gives all output to the task that began last."""

    last: Task

    def run(self, task: Task) -> JobResult:
        self.last = task
        return super().run(ToTheLast(task, self))


class ToTheLast(TaskWrapper):
    def __init__(self, inner: Task, runner: MixesUp) -> None:
        super().__init__(inner)
        self._runner = runner
        self._lock = Lock()

    def output(self, stream: Stream, data: bytes) -> None:
        time.sleep(0.05)
        self._runner.last.output(stream, data)
