"""The runner for the machine that runs holdall: jobs as processes of its own."""

from __future__ import annotations

import getpass
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from holdall.errors import RunnerUrlError
from holdall.processes import process_mark
from holdall.results import JobResult, Outcome
from holdall_plugins.runners.groups import TASK_VARIABLE, end_group, signal_group, was_rebooted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from holdall.contracts import ProcessMark, Runner, Task
    from holdall.results import Interruption, Stream

# Waits until the parent says that the start is durable, then becomes the command.
# If the parent dies first, `read` meets the end of the file and nothing is run.
_LAUNCHER: Final = f'export {TASK_VARIABLE}=$$; read -r go && exec "$@" </dev/null'

_CHUNK: Final = 65536
_GRACE_S: Final = 5.0
_DRAIN_S: Final = 0.5
_POLL_S: Final = 0.1

_NOBODY: Final = "it needs a person, and there is no terminal to ask at"
_REFUSED: Final = "the person at the terminal skipped it"


class LocalRunner:
    """Runs commands in a process group of their own, and asks the person at the terminal."""

    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> LocalRunner:  # noqa: ARG003 - it has none
        """Return the runner; `local` is all of its URL."""
        if url != "local":
            raise RunnerUrlError(url, "nothing can stand behind 'local', which is this machine")
        return cls()

    def run(self, task: Task) -> JobResult:
        """Perform the job; its command starts only when its start is durable."""
        job = task.job
        if job.automated:
            return _run_command(task)
        if task.person is None:
            return JobResult(outcome=Outcome.SKIP, skip_reason=_NOBODY)
        if job.plugin == "manual":
            task.started(None)
            return task.person.decide(job, None)
        if job.plugin != "user-verify" and not task.person.is_ready(job):
            return JobResult(outcome=Outcome.SKIP, skip_reason=_REFUSED)
        result = _run_command(task)
        if job.plugin == "user-interact" or result.outcome.skipped:
            return result
        return task.person.decide(job, result)

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        """End what still runs of the attempt, and return what interrupted it."""
        if process is None:
            return "unknown"
        if was_rebooted(process):
            return "rebooted"
        end_group(process, grace_s=_GRACE_S)
        return "killed"


def _run_command(task: Task) -> JobResult:
    job = task.job
    if not job.command:
        return JobResult(outcome=Outcome.NOT_IMPLEMENTED, skip_reason="the job has no command")
    if job.user and job.user != getpass.getuser():
        reason = f"it needs the account {job.user!r}, and this is {getpass.getuser()!r}"
        return JobResult(outcome=Outcome.SKIP, skip_reason=reason)
    process = subprocess.Popen(
        ["/bin/sh", "-c", _LAUNCHER, "holdall-job", job.shell, "-c", job.command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=task.folder,
        env=task.environ,
        start_new_session=True,
    )
    with process:
        try:
            task.started(process_mark(process.pid))
            return _attended(process, task)
        finally:
            # After success too: what the command left in its group must not outlive the attempt.
            signal_group(process.pid, signal.SIGKILL)


def _attended(process: subprocess.Popen[bytes], task: Task) -> JobResult:
    """Let the command go, record what it writes, and return what it came to."""
    start = time.monotonic()
    stdin = cast("BinaryIO", process.stdin)
    with suppress(BrokenPipeError):
        # The launcher waits for it: nothing runs before the attempt is in the journal.
        stdin.write(b"go\n")
        stdin.close()
    ended_by = _record_output(process, task, start)
    code = process.wait()
    duration = round(time.monotonic() - start, 6)
    outcome, comments = _judged(code, ended_by)
    return JobResult(
        outcome=outcome, return_code=code, execution_duration=duration, comments=comments
    )


def _record_output(process: subprocess.Popen[bytes], task: Task, start: float) -> str:
    """Record both streams until the command has ended; return why it was ended, or nothing.

    Processes that it leaves behind may hold the streams open; they are waited
    for only a moment.
    """
    limit = _TimeLimit(process.pid, task.timeout, start)
    drained = None
    with selectors.DefaultSelector() as selector:
        for pipe, name in ((process.stdout, "stdout"), (process.stderr, "stderr")):
            selector.register(cast("BinaryIO", pipe), selectors.EVENT_READ, name)
        while selector.get_map() or process.poll() is None:
            _read_some(selector, process, task)
            now = time.monotonic()
            if process.poll() is None:
                limit.enforce(now)
            elif drained is None:
                drained = now + _DRAIN_S
            elif now >= drained:
                break
    return limit.reason


def _read_some(
    selector: selectors.DefaultSelector, process: subprocess.Popen[bytes], task: Task
) -> None:
    """Record what is there to be read, or wait a moment for some, or for the end."""
    if not selector.get_map():
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_S)
        return
    ready = selector.select(timeout=_POLL_S)
    if not ready:
        task.output("stdout", b"")  # what waits in memory may be due to be stored
    for key, _ in ready:
        data = os.read(key.fd, _CHUNK)
        if data:
            task.output(cast("Stream", key.data), data)
        else:
            selector.unregister(key.fileobj)


class _TimeLimit:
    """Ends a process group that takes too long, first with a request and then by force."""

    def __init__(self, group: int, seconds: float | None, start: float) -> None:
        self.reason = ""
        self._group = group
        self._seconds = seconds
        self._next = None if seconds is None else start + seconds

    def enforce(self, now: float) -> None:
        """Do what is due at the moment *now*."""
        if self._next is None or now < self._next:
            return
        late = f"it took longer than {self._seconds:g} s"
        if not self.reason:
            signal_group(self._group, signal.SIGTERM)
            self.reason, self._next = f"{late} and was ended", now + _GRACE_S
        else:
            signal_group(self._group, signal.SIGKILL)
            self.reason, self._next = f"{late}, did not end when asked to, and was killed", None


def _judged(code: int, ended_by: str) -> tuple[Outcome, str | None]:
    """Return the outcome that an exit code means, and the reason where it needs one."""
    if ended_by:
        return Outcome.CRASH, ended_by
    if code < 0:
        return Outcome.CRASH, f"it was killed by the signal {_signal_name(-code)}"
    if code in _SHELL_FAILURES:
        return Outcome.FAIL, f"exit code {code}: {_SHELL_FAILURES[code]}"
    return (Outcome.FAIL if code else Outcome.PASS), None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


_SHELL_FAILURES: Final[Mapping[int, str]] = {
    126: "the command was found but can't be executed",
    127: "the command, or one that it calls, was not found",
}


if TYPE_CHECKING:
    _: type[Runner] = LocalRunner
