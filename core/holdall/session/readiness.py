"""Readiness: the reasons why a job can't start yet, or at all."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.errors import ExpressionError
from holdall.results import JobResult, Outcome
from holdall.session.resources import MANIFEST, requirements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.session.resources import ResourceMap
    from holdall.units import Job


class InhibitionCause(IntEnum):
    """The kinds of reasons, with plainbox's numbers."""

    UNDESIRED = 0
    PENDING_DEP = 1
    FAILED_DEP = 2
    PENDING_RESOURCE = 3
    FAILED_RESOURCE = 4
    NOT_FAILED_DEP = 5
    REQUIRED_MANIFEST = 6


class Inhibitor(msgspec.Struct, frozen=True):
    """One reason why a job can't start; its text is for people.

    A reason names the job or the expression that it is about, or is refused.

    Attributes:
        related_job: Id of the job that is waited for.
        related_expression: The expression that does not hold, or can't be read.
    """

    cause: InhibitionCause
    related_job: str = ""
    related_expression: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.cause, InhibitionCause):
            message = f"a reason needs an InhibitionCause, not {self.cause!r}"
            raise ValueError(message)  # noqa: TRY004 - what plainbox raises
        if self.cause in _ABOUT_JOBS and not self.related_job:
            raise ValueError(f"the reason {self.cause.name} needs the job it is about")
        if self.cause in _ABOUT_EXPRESSIONS and not self.related_expression:
            raise ValueError(f"the reason {self.cause.name} needs the expression it is about")

    @property
    def is_unreadable(self) -> bool:
        """Whether the expression can't be read, so that nobody knows whether it holds."""
        return self.cause is InhibitionCause.FAILED_RESOURCE and bool(self.detail)

    def __str__(self) -> str:
        match self.cause:
            case InhibitionCause.UNDESIRED:
                return "the job is not selected"
            case InhibitionCause.PENDING_DEP:
                return f"the job {self.related_job!r} has not run yet"
            case InhibitionCause.FAILED_DEP:
                return f"the job {self.related_job!r} did not pass ({self.detail})"
            case InhibitionCause.PENDING_RESOURCE:
                return (
                    f"the resource {self.related_job!r}, needed for "
                    f"{self.related_expression!r}, is not known yet"
                )
            case InhibitionCause.FAILED_RESOURCE if self.is_unreadable:
                return self.detail
            case InhibitionCause.FAILED_RESOURCE:
                return f"the resource expression {self.related_expression!r} does not hold"
            case InhibitionCause.NOT_FAILED_DEP:
                return f"the job {self.related_job!r} did not fail, there is nothing to salvage"
            case InhibitionCause.REQUIRED_MANIFEST:
                return f"the manifest says otherwise: {self.related_expression!r}"


_ABOUT_JOBS: Final = frozenset(
    {
        InhibitionCause.PENDING_DEP,
        InhibitionCause.FAILED_DEP,
        InhibitionCause.NOT_FAILED_DEP,
        InhibitionCause.PENDING_RESOURCE,
    }
)
_ABOUT_EXPRESSIONS: Final = frozenset(
    {
        InhibitionCause.PENDING_RESOURCE,
        InhibitionCause.FAILED_RESOURCE,
        InhibitionCause.REQUIRED_MANIFEST,
    }
)
UNDESIRED = Inhibitor(InhibitionCause.UNDESIRED)

SKIP_OUTCOMES: Mapping[InhibitionCause, Outcome] = {
    InhibitionCause.FAILED_DEP: Outcome.SKIPPED_DEPENDENCY,
    InhibitionCause.NOT_FAILED_DEP: Outcome.SKIPPED_DEPENDENCY,
    InhibitionCause.PENDING_DEP: Outcome.SKIPPED_DEPENDENCY,
    InhibitionCause.FAILED_RESOURCE: Outcome.SKIPPED_RESOURCE,
    InhibitionCause.PENDING_RESOURCE: Outcome.SKIPPED_RESOURCE,
    InhibitionCause.REQUIRED_MANIFEST: Outcome.SKIPPED_MANIFEST,
}
"""What a job that can't start is recorded as, by one of its reasons."""

_PRECEDENCE: Final = (
    Outcome.SKIP,
    Outcome.SKIPPED_MANIFEST,
    Outcome.SKIPPED_DEPENDENCY,
    Outcome.SKIPPED_RESOURCE,
)
"""Which outcome counts where several reasons mean different ones."""


def skipped(job: Job, reasons: Sequence[Inhibitor], results: Mapping[str, JobResult]) -> JobResult:
    """Return the result of a job that *reasons* keep from starting.

    What a person skipped skips the jobs that depend on it. A missing resource is a failure
    of a job with the flag `fail-on-resource`, unless there are other reasons. A job whose
    requirements can't be read could not be performed.

    Args:
        results: The last results of the jobs that the reasons name.
    """
    text = "; ".join(map(str, reasons))
    if any(reason.is_unreadable for reason in reasons):
        return JobResult(outcome=Outcome.ERROR, comments=f"it could not be started: {text}")
    outcome = min((_means(reason, results) for reason in reasons), key=_PRECEDENCE.index)
    if outcome is Outcome.SKIPPED_RESOURCE and "fail-on-resource" in job.flags:
        # What did not run has not failed as it was expected to either.
        failed = Outcome.ERROR if job.xfail else Outcome.FAIL
        return JobResult(outcome=failed, skip_reason=text, comments=_FAILS)
    return JobResult(outcome=outcome, skip_reason=text)


_FAILS: Final = "it did not run: it fails where a resource that it requires is missing"


def _means(reason: Inhibitor, results: Mapping[str, JobResult]) -> Outcome:
    by_hand = _outcome(results, reason.related_job) is Outcome.SKIP
    if by_hand and reason.cause is InhibitionCause.FAILED_DEP:
        return Outcome.SKIP
    return SKIP_OUTCOMES.get(reason.cause, Outcome.SKIP)


def inhibitors(
    job: Job, results: Mapping[str, JobResult], resources: ResourceMap
) -> Iterator[Inhibitor]:
    """Yield every reason why *job*, which is selected, can't start.

    Args:
        results: The last result of each job of the session, hollow ones included.
    """
    if job.fault:
        yield Inhibitor(InhibitionCause.FAILED_RESOURCE, "", job.id, job.fault)
    reasons = list(_resource_inhibitors(job, resources))
    yield from sorted(reasons, key=lambda reason: reason.cause is not _MANIFEST_CAUSE)
    for job_id in sorted(job.depends):
        outcome = _outcome(results, job_id)
        if outcome is Outcome.NONE:
            yield Inhibitor(InhibitionCause.PENDING_DEP, job_id)
        elif outcome is not Outcome.PASS:
            yield Inhibitor(InhibitionCause.FAILED_DEP, job_id, detail=outcome.label)
    for job_id in sorted(job.after):
        if _outcome(results, job_id) is Outcome.NONE:
            yield Inhibitor(InhibitionCause.PENDING_DEP, job_id)
    for job_id in job.salvages:
        outcome = _outcome(results, job_id)
        if outcome is Outcome.NONE:
            yield Inhibitor(InhibitionCause.PENDING_DEP, job_id)
        elif not outcome.failed:
            yield Inhibitor(InhibitionCause.NOT_FAILED_DEP, job_id)


def _resource_inhibitors(job: Job, resources: ResourceMap) -> Iterator[Inhibitor]:
    try:
        for expression in requirements(job):
            missing = [name for name in expression.resource_ids if name not in resources]
            if missing:
                yield Inhibitor(InhibitionCause.PENDING_RESOURCE, missing[0], expression.text)
            elif not expression.holds(resources):
                asks = MANIFEST in expression.resource_ids
                cause = _MANIFEST_CAUSE if asks else InhibitionCause.FAILED_RESOURCE
                yield Inhibitor(cause, expression.resource_ids[0], expression.text)
    except ExpressionError as error:
        yield Inhibitor(InhibitionCause.FAILED_RESOURCE, "", error.text, str(error))


_MANIFEST_CAUSE: Final = InhibitionCause.REQUIRED_MANIFEST


def _outcome(results: Mapping[str, JobResult], job_id: str) -> Outcome:
    result = results.get(job_id)
    return result.outcome if result else Outcome.NONE
