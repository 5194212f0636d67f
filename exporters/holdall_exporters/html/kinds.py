"""The kinds of outcomes: the colour that each is shown in, and what it is filtered by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.languages import N_
from holdall.results import Outcome
from holdall.writing import html_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.languages import Catalog
    from holdall.view import JobView

_UNNAMED: Final = N_("unnamed")

# What is not done yet is `open`.
KINDS: Final[Mapping[Outcome, str]] = {
    Outcome.FAIL: "fail",
    Outcome.CRASH: "crash",
    Outcome.ERROR: "error",
    Outcome.PASS: "pass",
    Outcome.UNDECIDED: "open",
    Outcome.NONE: "open",
    Outcome.SKIP: "skip",
    Outcome.SKIPPED_DEPENDENCY: "skip",
    Outcome.SKIPPED_RESOURCE: "skip",
    Outcome.SKIPPED_MANIFEST: "skip",
    Outcome.NOT_SUPPORTED: "skip",
    Outcome.NOT_IMPLEMENTED: "skip",
}


# What each kind is shown in where the page's style is not allowed, on light and on dark.
COLOURS: Final[Mapping[str, str]] = {
    "fail": "#d9483d",
    "crash": "#e5812f",
    "error": "#9b59b6",
    "open": "#5598df",
    "pass": "#3aa565",
    "skip": "#8993a0",
    "new": "#8993a0",
    "running": "#5598df",
    "unfinished": "#e5812f",
    "flaky": "#c49a1a",
}


# A shape for each, as colours are not for all eyes; in a square of ten.
SHAPES: Final[Mapping[str, str]] = {
    "fail": "M1 0 5 4 9 0 10 1 6 5 10 9 9 10 5 6 1 10 0 9 4 5 0 1z",
    "crash": "M5 0 10 10H0z",
    "error": "M5 0 10 5 5 10 0 5z",
    "open": "M5 0a5 5 0 1 1 0 10a5 5 0 1 1 0-10zm0 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
    "pass": "M9 1 10 2 4 9 0 5 1 4 4 7z",
    "skip": "M0 4h10v2H0z",
    "new": "M5 0a5 5 0 1 1 0 10a5 5 0 1 1 0-10zm0 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
    "running": "M1 0 10 5 1 10z",
    "unfinished": "M1 0h3v10H1zM6 0h3v10H6z",
    "flaky": "M0 6 3 2 7 6 10 2V5L7 9 3 5 0 9z",
}


def kind_of(counted: Outcome | None) -> str:
    """Return the kind of what a job counts as; None stands for one in flight."""
    return "open" if counted is None else KINDS[counted]


def standing(job: JobView) -> tuple[str, str, str]:
    """Return kind, label, and what the label says in brackets."""
    kind = kind_of(None if job.in_flight else job.counts_as)
    label, _, more = job.label.partition(" (")
    return kind, label, more.removesuffix(")")


def heading(text: str, catalog: Catalog) -> str:
    """Return *text* as a heading, which can't be empty."""
    shown = html_text(text)
    return shown if shown.strip() else catalog.gettext(_UNNAMED)
