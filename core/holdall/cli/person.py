"""The person at the terminal, who performs manual jobs and reports their outcome."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from gettext import gettext as _
from typing import TYPE_CHECKING

import click
import msgspec

from holdall.cli.output import note, note_lines
from holdall.languages import N_
from holdall.results import JobResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.cli.progress import Pause
    from holdall.contracts import Person
    from holdall.units import Job

_ANSWERS = {"p": Outcome.PASS, "f": Outcome.FAIL, "s": Outcome.SKIP}
_PARTS = {
    "purpose": N_("PURPOSE"),
    "steps": N_("STEPS"),
    "verification": N_("VERIFICATION"),
    "description": N_("DESCRIPTION"),
}


def person_at_terminal(pause: Pause) -> Person | None:
    """Return the person that can be asked, None where nobody sits at a terminal.

    Args:
        pause: Keeps still whatever else is shown, while it is entered.
    """
    return _Person(pause) if sys.stdin.isatty() and sys.stderr.isatty() else None


class _Person:
    def __init__(self, pause: Pause) -> None:
        self._pause = pause

    def is_ready(self, job: Job) -> bool:
        with self._asked():
            _explain(job)
            return click.confirm(_("Ready? (no skips the job)"), default=True, err=True)

    def decide(self, job: Job, result: JobResult | None) -> JobResult:
        with self._asked():
            return _decided(job, result)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        with self._pause():
            try:
                yield
            except click.Abort:  # click's word for Ctrl-C and Ctrl-D at a question
                raise KeyboardInterrupt from None


def _decided(job: Job, result: JobResult | None) -> JobResult:
    if result is None:
        _explain(job)
    else:
        message = _("The command {outcome}.").format(outcome=_(result.outcome.label))
        note(message)
    answer = click.prompt(
        _("What came out? [p]assed, [f]ailed, [s]kip"),
        type=click.Choice(list(_ANSWERS)),
        show_choices=False,
        err=True,
    )
    comments = click.prompt(_("Comments"), default="", show_default=False, err=True)
    outcome = _ANSWERS[answer]
    reason = "skipped by the person at the terminal" if outcome is Outcome.SKIP else None
    return msgspec.structs.replace(
        result or JobResult(),
        outcome=outcome,
        comments=comments or None,
        skip_reason=reason,
    )


def _explain(job: Job) -> None:
    note_lines(f"\n{job.summary}")
    for name, heading in _PARTS.items():
        text = job.get(name)
        if text:
            note_lines(f"\n{_(heading)}:\n{text}")
