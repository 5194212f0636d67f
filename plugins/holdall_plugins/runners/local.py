"""The runner for the machine that runs holdall: jobs as processes of its own."""

from __future__ import annotations

import os
import selectors
import signal
import time
from typing import TYPE_CHECKING, ClassVar, Final, cast

import msgspec

from holdall.errors import RunnerUrlError
from holdall.processes import process_mark
from holdall.results import JobResult, Outcome
from holdall_plugins.runners.accounts import Accounts
from holdall_plugins.runners.groups import end_group, was_rebooted
from holdall_plugins.runners.launching import Launchers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import ProcessMark, Runner, Task
    from holdall.results import Interruption, Stream
    from holdall_plugins.runners.launching import Launcher

_CHUNK: Final = 65536
_GRACE_S: Final = 5.0
_DRAIN_S: Final = 0.5
_POLL_S: Final = 0.1
_REPORT_S: Final = 10.0
"""Seconds that the launcher may take to end a job for good; it needs half of them at most."""


class LocalOptions(msgspec.Struct, frozen=True):
    """Settings of the runner, as a table `[settings.local]`.

    Attributes:
        leave_processes: Whether processes that a job leaves behind go on when it has ended.
    """

    leave_processes: bool = False


class LocalRunner:
    """Runs commands below a launcher of their own.

    What a command leaves behind is ended with it, unless the job has the flag `noreturn`
    (it may be what restarts the machine) or the settings say otherwise.
    """

    Options: ClassVar = LocalOptions

    def __init__(
        self, options: LocalOptions | None = None, *, accounts: Accounts | None = None
    ) -> None:
        self._options: Final = options or LocalOptions()
        self._accounts: Final = accounts or Accounts()
        self._launchers: Final = Launchers()

    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> LocalRunner:
        """Return the runner; `local` is all of its URL."""
        if url != "local":
            raise RunnerUrlError(url, "nothing can stand behind 'local', which is this machine")
        return cls(options if isinstance(options, LocalOptions) else None)

    def run(self, task: Task) -> JobResult:
        """Run the job's command, which starts only when its start is durable."""
        job = task.job
        if not job.command:
            # What did not run has not failed as it was expected to either.
            failed = Outcome.ERROR if job.xfail else Outcome.FAIL
            return JobResult(outcome=failed, comments="the job has no command")
        problem = self._accounts.problem(task.user)
        if problem is not None:
            return _unstarted(problem)
        leave = self._options.leave_processes or "noreturn" in job.flags
        invocation = self._accounts.invocation(task)
        try:
            if invocation.account and "preserve-cwd" not in job.flags:
                os.chown(task.folder, *invocation.account[:2])
            launcher = self._launchers.launch(
                invocation.command,
                folder=task.folder,
                environ=invocation.environ,
                leave=leave,
                stdin=task.stdin,
                account=invocation.account,
                signaller=invocation.signaller,
            )
        except OSError as error:
            return _unstarted(str(error.strerror or error))
        with launcher:
            return _performed(launcher, task)

    def account_problem(self, user: str) -> str | None:
        """Return why no job can run as *user* on this machine, None if one can."""
        return self._accounts.problem(user)

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        """End what still runs of the attempt, and return what interrupted it."""
        if process is None:
            return "unknown"
        if was_rebooted(process):
            return "rebooted"
        end_group(process, grace_s=_GRACE_S)
        return "killed"


def _unstarted(reason: str) -> JobResult:
    return JobResult(outcome=Outcome.ERROR, comments=f"it could not be started: {reason}")


def _performed(launcher: Launcher, task: Task) -> JobResult:
    """Let the command run once its start is durable; nothing of it is left on return."""
    mark = process_mark(launcher.job) if launcher.job else None
    ended: _Ended | None = None
    try:
        if mark is None:
            return _unstarted("its launcher failed")
        task.started(mark)
        start = time.monotonic()
        launcher.ask(b"go")
        limit = _record_output(launcher, task, start)
        ended = _ended(launcher)
        return _judged(ended, limit.reason, round(time.monotonic() - start, 6))
    finally:
        if ended is None:
            _end(launcher, mark)


def _end(launcher: Launcher, mark: ProcessMark | None) -> None:
    """End the command and everything of it, whatever became of the launcher."""
    launcher.signal(signal.SIGCONT)
    launcher.ask(b"kill")
    if not launcher.has_ended(_REPORT_S):
        launcher.signal(signal.SIGKILL)
    if mark is not None:
        end_group(mark, grace_s=0)


class _Ended(msgspec.Struct, frozen=True):
    """How a command ended, as its launcher reports it.

    Attributes:
        left: How many processes of which name the command left behind, and were ended.
        stuck: How many of them could not be ended.
        error: Why the command could not be started.
    """

    code: int
    left: dict[str, int] = {}
    stuck: dict[str, int] = {}
    error: str = ""


def _ended(launcher: Launcher) -> _Ended | None:
    """Return what the launcher reported; None if it was ended itself."""
    os.set_blocking(launcher.report.fileno(), False)
    data = launcher.report.read()
    try:
        return msgspec.json.decode(data, type=_Ended) if data else None
    except msgspec.DecodeError:  # the job wrote to it
        return None


def _record_output(launcher: Launcher, task: Task, start: float) -> _TimeLimit:
    """Record both streams until the launcher has ended; return the limit that was enforced.

    Processes that are left behind on purpose may hold the streams open; they are
    waited for only a moment.
    """
    limit = _TimeLimit(launcher, task.timeout, start)
    drained = None
    with selectors.DefaultSelector() as selector:
        for pipe, name in ((launcher.stdout, "stdout"), (launcher.stderr, "stderr")):
            selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map() or not launcher.has_ended():
            _read_some(selector, launcher, task)
            now = time.monotonic()
            if not launcher.has_ended():
                limit.enforce(now)
            elif drained is None:
                drained = now + _DRAIN_S
            elif now >= drained:
                break
    return limit


def _read_some(selector: selectors.DefaultSelector, launcher: Launcher, task: Task) -> None:
    """Record what is there to be read, or wait a moment for some, or for the end."""
    if not selector.get_map():
        launcher.has_ended(_POLL_S)
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
    """Ends a command that takes too long, first with a request and then by force."""

    def __init__(self, launcher: Launcher, seconds: float | None, start: float) -> None:
        self.reason = ""
        self._launcher = launcher
        self._seconds = seconds
        self._next = None if seconds is None else start + seconds

    def enforce(self, now: float) -> None:
        """Do what is due at the moment *now*."""
        if self._next is None or now < self._next:
            return
        late = f"it took longer than {self._seconds:g} s"
        if not self.reason:
            self._launcher.ask(b"term")
            self.reason, self._next = f"{late} and was ended", now + _GRACE_S
        elif "killed" not in self.reason:
            self._launcher.signal(signal.SIGCONT)  # the command may have stopped it
            self._launcher.ask(b"kill")
            self.reason = f"{late}, did not end when asked to, and was killed"
            self._next = now + _REPORT_S
        else:
            self._launcher.signal(signal.SIGKILL)
            self._next = None


def _judged(ended: _Ended | None, late: str, duration: float) -> JobResult:
    """Return the result that an exit code means, with the reason where it needs one."""
    if ended is None:
        reason = late or "it killed its launcher, which reports how it ends"
        return JobResult(outcome=Outcome.CRASH, execution_duration=duration, comments=reason)
    if ended.error:
        return _unstarted(ended.error)
    outcome, reason = _outcome_of(ended.code, late)
    comments = "; ".join(filter(None, (reason, *_leftovers(ended))))
    return JobResult(
        outcome=outcome,
        return_code=ended.code,
        execution_duration=duration,
        comments=comments or None,
    )


def _leftovers(ended: _Ended) -> Iterator[str]:
    if ended.left:
        yield f"it left processes behind, which were ended: {_counted(ended.left)}"
    if ended.stuck:
        yield f"it left processes behind, which can't be ended: {_counted(ended.stuck)}"


def _counted(names: Mapping[str, int]) -> str:
    said = [f"{count} x {name}" if count > 1 else name for name, count in names.items()]
    return ", ".join(said[:_MOST_NAMES]) + (", ..." if len(said) > _MOST_NAMES else "")


_MOST_NAMES: Final = 8


def _outcome_of(code: int, late: str) -> tuple[Outcome, str]:
    if late:
        return Outcome.CRASH, late
    if code < 0:
        return Outcome.CRASH, f"it was killed by the signal {_signal_name(-code)}"
    if code in _SHELL_FAILURES:
        return Outcome.FAIL, f"exit code {code}: {_SHELL_FAILURES[code]}"
    return (Outcome.FAIL if code else Outcome.PASS), ""


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
