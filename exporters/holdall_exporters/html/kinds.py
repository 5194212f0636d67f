"""The kinds of outcomes: the colour that each is shown in, and what it is filtered by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.view import JobView

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


def standing(job: JobView) -> tuple[str, str, str]:
    """Return kind, label, and what the label says in brackets."""
    kind = "open" if job.in_flight else KINDS[job.counts_as]
    label, _, more = job.label.partition(" (")
    return kind, label, more.removesuffix(")")


def is_flaky(job: JobView) -> bool:
    """Whether an attempt failed and the last one passed."""
    return job.attempt_count > 1 and job.counts_as is Outcome.PASS and any(
        attempt.outcome.failed for attempt in job.attempts[:-1]
    )
