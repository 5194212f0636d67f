"""One job in one session: its results, what is in force for it, whether it can start."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from holdall.results import JobResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdall.journal import Process
    from holdall.session.readiness import Inhibitor
    from holdall.units import Job

ATTEMPTS: Final = 3
"""How often a job with `auto-retry` is tried."""

_HOLLOW: Final = JobResult()
_NONE: Final[Mapping[str, str]] = MappingProxyType({})  # one for all jobs without overrides


class JobState:
    """What a session knows of one job.

    Attributes:
        job: The definition.
        result_history: All results but hollow ones, oldest first.
        in_flight: Whether an attempt was started and has no result yet.
        process: What performs the attempt in flight, where that is known.
    """

    __slots__ = (
        "_inhibitors",
        "_overrides",
        "_result",
        "_why_not",
        "in_flight",
        "job",
        "process",
        "result_history",
    )

    def __init__(self, job: Job, why_not: Callable[[JobState], Iterable[Inhibitor]]) -> None:
        self.job = job
        self.in_flight = False
        self.process: Process | None = None
        self.result_history: tuple[JobResult, ...] = ()
        self._result = _HOLLOW
        self._why_not = why_not
        self._inhibitors: tuple[Inhibitor, ...] | None = None
        self._overrides: Mapping[str, str] = _NONE

    @property
    def attempts(self) -> int:
        """How many more attempts `auto-retry` allows."""
        tried = sum(_counts_as_attempt(result.outcome) for result in self.result_history)
        return max(0, ATTEMPTS - tried)

    @property
    def retries(self) -> bool:
        """Whether the last attempt failed and another one is to follow at once."""
        result = self._result
        failed = result.outcome.failed and _counts_as_attempt(result.outcome)
        if not failed or result.interrupted_by is not None:
            return False
        return self.effective_auto_retry == "yes" and self.attempts > 0

    def start(self, process: Process | None) -> None:
        """Note that an attempt is in flight."""
        self.in_flight = True
        self.process = process

    @property
    def result(self) -> JobResult:
        """The last result, a hollow one before the first."""
        return self._result

    def record(self, result: JobResult) -> None:
        """Make *result* the last one; hollow ones don't enter the history."""
        self._result = result
        self.in_flight = False
        self.process = None
        if not result.is_hollow:
            self.result_history = (*self.result_history, result)

    @property
    def readiness_inhibitor_list(self) -> list[Inhibitor]:
        """Every reason why the job can't start now."""
        if self._inhibitors is None:
            self._inhibitors = tuple(self._why_not(self))
        return list(self._inhibitors)

    def forget_readiness(self) -> None:
        """Let the reasons be found anew when they are next asked for."""
        self._inhibitors = None

    @property
    def knows_readiness(self) -> bool:
        """Whether the reasons were asked for since they last could have changed."""
        return self._inhibitors is not None

    def can_start(self) -> bool:
        """Whether nothing keeps the job from starting."""
        return not self.readiness_inhibitor_list

    def get_readiness_description(self) -> str:
        """Say in words whether the job can start, and if not, why."""
        reasons = self.readiness_inhibitor_list
        if not reasons:
            return "job can be started"
        return "job cannot be started: " + "; ".join(map(str, reasons))

    def apply_overrides(self, overrides: Iterable[tuple[str, str]]) -> None:
        """Make exactly these fields differ from the definition; later ones win."""
        self._overrides = dict(overrides) or _NONE

    @property
    def effective_category_id(self) -> str:
        """The category in force."""
        return self._overrides.get("category_id", self.job.category_id)

    @property
    def effective_certification_status(self) -> str:
        """The certification status in force."""
        return self._overrides.get("certification_status", self.job.certification_status)

    @property
    def effective_auto_retry(self) -> str:
        """Whether a failed attempt is repeated: `yes` or `no`."""
        return self._overrides.get("auto_retry", self.job.get("auto_retry") or "no")

    @property
    def was_tried(self) -> bool:
        """Whether there is a result that says something."""
        return self._result.outcome is not Outcome.NONE


def _counts_as_attempt(outcome: Outcome) -> bool:
    """Whether the test itself was tried: what could not be performed tells nothing of it."""
    return outcome is not Outcome.ERROR and not outcome.skipped
