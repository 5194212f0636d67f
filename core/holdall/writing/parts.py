"""Subtests and measurements of jobs, which most formats have no room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.languages import N_

if TYPE_CHECKING:
    from holdall.contracts import ExportContext
    from holdall.view import JobView

SUBTESTS_LEFT_OUT: Final = N_("subtests left out")
"""What the `ExportReport` counts them as."""
MEASUREMENTS_LEFT_OUT: Final = N_("measurements left out")
"""What the `ExportReport` counts them as."""


def count_parts_left_out(job: JobView, context: ExportContext) -> None:
    """Count in the `ExportReport` the subtests and measurements of *job*, none of which is shown.

    A format that has no room for them calls this once for each job that it shows.
    """
    if not job.has_parts:
        return
    for what, number in (
        (SUBTESTS_LEFT_OUT, sum(len(attempt.subtests) for attempt in job.attempts)),
        (MEASUREMENTS_LEFT_OUT, sum(len(attempt.measurements) for attempt in job.attempts)),
    ):
        if number:
            context.count(what, number)
