"""Progress of a run or an export: a bar on a terminal, a line for each job elsewhere."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import timedelta
from functools import cache
from gettext import gettext as _
from gettext import ngettext
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final, cast

from holdall.cli.output import note, one_line
from holdall.hooks import hookimpl
from holdall.results import Outcome
from holdall.session import seconds_left
from holdall.writing import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from rich.progress import Progress

    from holdall.results import JobResult
    from holdall.session import SessionDeviceContext, SessionManager
    from holdall.units import Job

    Progressed = Callable[[int, int], None]
    Pause = Callable[[], AbstractContextManager[None]]


@contextmanager
def shown_progress(manager: SessionManager, *, quiet: bool = False) -> Iterator[Pause]:
    """Show on standard error what becomes of the jobs of *manager*.

    Gives a context manager that keeps it still while somebody is asked.
    """
    if quiet:
        yield nullcontext
    elif sys.stderr.isatty():
        with _drawn() as progress:
            bar = _Bar(progress)
            manager.hooks.register(bar)
            yield bar.paused
    else:
        manager.hooks.register(_Lines())
        yield nullcontext


@contextmanager
def shown_steps() -> Iterator[Callable[[str], Progressed | None]]:
    """Show on a terminal how far reports or copies are, once one of them takes a while.

    Gives a function that returns the progress callback of what has that name.
    """
    if not sys.stderr.isatty():
        yield lambda _name: None
        return
    with ExitStack() as stack:
        yield _Steps(stack).of


class _Steps:
    """A bar for the report, or the copy, that is being made."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._since = monotonic()
        self._progress: Progress | None = None

    def of(self, name: str) -> Progressed:
        """Return the callback that is given how much of the report *name* is done."""
        description = one_line(name)

        def progressed(done: int, total: int) -> None:
            if self._progress is None:
                if monotonic() - self._since < _SHORT:
                    return
                self._progress = self._stack.enter_context(_drawn())
                self._progress.add_task("", visible=False)  # as long as it counts nothing
            (task,) = self._progress.task_ids
            self._progress.update(
                task, total=total, completed=done, description=description, visible=True
            )

        return progressed


class _Lines:
    """A line for each result."""

    @hookimpl
    def result_stored(self, context: SessionDeviceContext, job: Job, result: JobResult) -> None:
        note(_line(context, job, result))


class _Bar:
    """A bar for all jobs of a device, and a line for each result above it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", visible=False)  # as long as it counts nothing
        self._pauses = 0
        self._left: Sequence[str] = ()
        self._left_of: tuple[str, int] | None = None

    @hookimpl
    def job_started(self, context: SessionDeviceContext, job: Job) -> None:
        self._update(context, job, done=0)

    @hookimpl
    def result_stored(self, context: SessionDeviceContext, job: Job, result: JobResult) -> None:
        from rich.text import Text

        self._update(context, job, done=1)
        style = _STYLES.get(result.outcome.counted(xfail=job.xfail), "yellow")
        self._progress.console.print(Text(one_line(_line(context, job, result)), style=style))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar away for a while: it would draw over what somebody is asked."""
        self._progress.stop()
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            if not self._pauses:
                self._progress.start()

    def _update(self, context: SessionDeviceContext, job: Job, *, done: int) -> None:
        completed = context.state.position(job) - 1 + done
        total = context.state.run_count
        left = self._time_left(context, total)[completed]
        description = "; ".join(filter(None, (one_line(job.id), left)))
        self._progress.update(
            self._task,
            total=total,
            completed=completed,
            description=description,
            visible=True,
        )

    def _time_left(self, context: SessionDeviceContext, total: int) -> Sequence[str]:
        """Return how long the rest should take, by how many jobs are done."""
        if self._left_of != (context.device.id, total):
            self._left_of = (context.device.id, total)
            self._left = _times_left(context.state.run_list)
        return self._left


def _times_left(jobs: Sequence[Job]) -> Sequence[str]:
    left, total, is_least = [""], 0.0, False
    for job in reversed(jobs):
        seconds, says_nothing = seconds_left([job])
        total, is_least = total + seconds, is_least or says_nothing
        left.append(time_left(total, is_least=is_least))
    return left[::-1]


def time_left(seconds: float, *, is_least: bool) -> str:
    """Return how long the rest should take, for people; nothing if no job says anything."""
    if not seconds:
        return ""
    text = _("at least {time} left") if is_least else _("about {time} left")
    return text.format(time=timedelta(seconds=round(seconds)))


def _line(context: SessionDeviceContext, job: Job, result: JobResult) -> str:
    reason = result.skip_reason or result.comments
    why = f": {terminal_text(reason).splitlines()[0]}" if reason else ""
    if result.io_log_dropped:
        dropped = ngettext(
            "{count} byte of its output was not kept",
            "{count} bytes of its output were not kept",
            result.io_log_dropped,
        )
        why += f" ({dropped.format(count=f'{result.io_log_dropped:,}')})"
    total = context.state.run_count
    number = f"{context.state.position(job):>{len(str(total))}}/{total}"
    device = "" if context.device.id == "local" else f"{context.device.id} "
    label = f"{_(result.outcome.label_of(xfail=job.xfail)):<{_label_width()}}"
    return f"[{number}] {device}{label} {job.id}{why}"


@cache
def _label_width() -> int:
    """Return how wide a column is that holds what most jobs come to."""
    usual = (Outcome.PASS, Outcome.FAIL, Outcome.CRASH, Outcome.SKIP)
    return max(8, *(len(_(outcome.label)) for outcome in usual))


@contextmanager
def _drawn() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    console = Console(file=cast("IO[str]", _Lenient(sys.stderr)))
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress


class _Lenient:
    """A terminal that may go away meanwhile; that costs what is drawn, and nothing else."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_SHORT: Final = 0.5  # seconds that are too short to show progress
_STYLES: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.CRASH: "bold red",
    Outcome.ERROR: "bold magenta",
}
