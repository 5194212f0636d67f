"""How far a run is: a bar on a terminal, a line for each job elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdall.cli.output import note
from holdall.exports.cleaning import terminal_text
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.session.run import Step


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """Give a function that shows the steps of a run on standard error."""
    if quiet:
        yield lambda _step: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _line


def _line(step: Step) -> None:
    if step.result is not None:
        note(_words(step))


def _words(step: Step) -> str:
    result = step.result
    if result is None:
        return terminal_text(step.job.summary)
    reason = result.skip_reason or result.comments
    why = f": {terminal_text(reason).splitlines()[0]}" if reason else ""
    if result.io_log_dropped:
        why += f" ({result.io_log_dropped:,} bytes of its output were not kept)"
    number = f"{step.number:>{len(str(step.total))}}/{step.total}"
    return f"[{number}] {result.outcome.label:<8} {step.job.id}{why}"


@contextmanager
def _bar() -> Iterator[Callable[[Step], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.text import Text

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("")

        def show(step: Step) -> None:
            done = step.number - (step.result is None)
            progress.update(
                task, total=step.total, completed=done, description=terminal_text(step.job.id)
            )
            if step.result is not None:
                console.print(Text(_words(step), style=_STYLES.get(step.result.outcome, "yellow")))

        yield show


_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.CRASH: "bold red"}
