"""Subtests, measurements and reasons of jobs, for formats that have no room for them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.languages import N_
from holdall.results import Outcome
from holdall.writing.cleaning import strip_escapes

if TYPE_CHECKING:
    from holdall.contracts import ExportContext
    from holdall.results import JobResult, Measurement
    from holdall.view import JobView

SUBTESTS_LEFT_OUT: Final = N_("subtests left out")
"""What the `ExportReport` counts them as."""
MEASUREMENTS_LEFT_OUT: Final = N_("measurements left out")
"""What the `ExportReport` counts them as."""


def count_parts_left_out(
    job: JobView, context: ExportContext, *, subtests: int = 0, measurements: int = 0
) -> None:
    """Count in the `ExportReport` the subtests and measurements of *job* that are not shown.

    A format that has no room for all of them calls this once for each job that it shows.

    Args:
        subtests: How many are shown, of all attempts.
        measurements: Likewise.
    """
    if not job.has_parts:
        return
    for what, number, shown in (
        (SUBTESTS_LEFT_OUT, sum(len(each.subtests) for each in job.attempts), subtests),
        (
            MEASUREMENTS_LEFT_OUT,
            sum(len(each.measurements) for each in job.attempts),
            measurements,
        ),
    ):
        if number > shown:
            context.count(what, number - shown)


def measured_text(part: Measurement) -> str:
    """Return a measurement in a line, limits with all digits: `7 MB/s, at least 5: pass`."""
    words = f"{part.value} {part.unit}" if part.unit else str(part.value)
    if part.lower is not None:
        words += f", at least {number_text(part.lower)}"
    if part.upper is not None:
        words += f", at most {number_text(part.upper)}"
    is_judged = part.outcome is not None and part.outcome is not Outcome.NONE
    return f"{words}: {part.outcome}" if is_judged else words


def number_text(number: float) -> str:
    """Return a number that reads back as the same, without a fraction that says nothing: `5`."""
    is_whole = float(number).is_integer() and abs(number) < _WHOLE
    return f"{number:.0f}" if is_whole else repr(number)


def reason_text(result: JobResult) -> str:
    """Return why an attempt ended so: why it was skipped, and the comments, without escapes."""
    texts = [text for text in (result.skip_reason, result.comments) if text]
    return strip_escapes("\n".join(texts)) if texts else ""


_WHOLE: Final = 1e15  # below it, every whole number is exact
