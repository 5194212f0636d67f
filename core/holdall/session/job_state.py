"""One job in one session: its results, what is in force for it, whether it can start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdall.journal import Process
from holdall.results import JobResult, Outcome
from holdall.session.readiness import Inhibitor
from holdall.units import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ATTEMPTS: Final = 3
"""How often a job with `auto-retry` is tried."""

_HOLLOW: Final = JobResult()
_NONE: Final[Mapping[str, str]] = MappingProxyType({})  # one for all jobs without overrides


class JobProgress(msgspec.Struct, eq=False, gc=False):
    """What happened to one job; only the `SessionState` of the job changes it."""

    job: Job
    in_flight: bool = False
    process: Process | None = None
    performed: JobResult | None = None
    history: Sequence[JobResult] = ()
    tries: int = 0
    result: JobResult = _HOLLOW
    inhibitors: tuple[Inhibitor, ...] | None = None
    overrides: Mapping[str, str] = _NONE

    def start(self, process: Process | None, performed: JobResult | None = None) -> None:
        """Let an attempt be in flight; its command may have ended already."""
        self.in_flight = True
        self.process = process
        self.performed = performed

    def record(self, result: JobResult) -> None:
        """Make *result* the last one; hollow ones don't enter the history."""
        self.result = result
        self.in_flight = False
        self.process = None
        self.performed = None
        self.inhibitors = None
        if not result.is_hollow:
            self._keep(result)

    def _keep(self, result: JobResult) -> None:
        """Add *result* to the history; a list only from the second one on, as most have one."""
        self.tries += _counts_as_attempt(result.outcome)
        if not self.history:
            self.history = (result,)
        elif isinstance(self.history, list):
            self.history.append(result)
        else:
            self.history = [*self.history, result]

    def override(self, fields: Mapping[str, str]) -> None:
        """Make exactly these fields differ from the definition."""
        self.overrides = fields or _NONE


class StateRules(NamedTuple):
    """What a job asks of the session state it is in.

    Attributes:
        inhibitors: Finds the reasons why a job can't start.
        override: Sets and records the overrides of one job.
    """

    inhibitors: Callable[[Job], Iterable[Inhibitor]]
    override: Callable[[Job, Iterable[tuple[str, str]]], None]


class JobState:
    """What a session knows of one job.

    It shows what the events of the session made of the job, and changes with them.

    Attributes:
        job: The definition.
    """

    __slots__ = ("_progress", "_rules", "job")

    def __init__(self, progress: JobProgress, rules: StateRules) -> None:
        self.job = progress.job
        self._progress = progress
        self._rules = rules

    @property
    def in_flight(self) -> bool:
        """Whether an attempt was started and has no result yet."""
        return self._progress.in_flight

    @property
    def process(self) -> Process | None:
        """What performs the attempt in flight, where that is known."""
        return self._progress.process

    @property
    def performed(self) -> JobResult | None:
        """What the command of the attempt in flight came to, on which a person has to decide."""
        return self._progress.performed

    @property
    def awaits_person(self) -> bool:
        """Whether nothing but a person's decision is missing of the attempt in flight."""
        return self.in_flight and (self.performed is not None or self.job.plugin == "manual")

    @property
    def result(self) -> JobResult:
        """The last result, a hollow one before the first."""
        return self._progress.result

    @property
    def result_history(self) -> tuple[JobResult, ...]:
        """All results but hollow ones, oldest first."""
        return tuple(self._progress.history)

    @property
    def next_attempt(self) -> int:
        """The number of the attempt in flight, or of the next one; the first is 1."""
        return len(self._progress.history) + 1

    @property
    def attempts(self) -> int:
        """How many more attempts `auto-retry` allows."""
        return max(0, ATTEMPTS - self._progress.tries)

    @property
    def retries(self) -> bool:
        """Whether the last attempt failed and another one is to follow at once."""
        result = self._progress.result
        failed = result.outcome.failed and _counts_as_attempt(result.outcome)
        if not failed or result.interrupted_by is not None or result.skip_reason is not None:
            return False  # another attempt would meet the same reasons
        return self.effective_auto_retry == "yes" and self.attempts > 0

    @property
    def readiness_inhibitor_list(self) -> list[Inhibitor]:
        """Every reason why the job can't start now."""
        progress = self._progress
        if progress.inhibitors is None:
            progress.inhibitors = tuple(self._rules.inhibitors(self.job))
        return list(progress.inhibitors)

    @property
    def knows_readiness(self) -> bool:
        """Whether the reasons were asked for since they last could have changed."""
        return self._progress.inhibitors is not None

    def can_start(self) -> bool:
        """Whether nothing keeps the job from starting."""
        return not self.readiness_inhibitor_list

    def get_readiness_description(self) -> str:
        """Return a sentence that says whether the job can start, and if not, why."""
        reasons = self.readiness_inhibitor_list
        if not reasons:
            return "job can be started"
        return "job cannot be started: " + "; ".join(map(str, reasons))

    def apply_overrides(self, overrides: Iterable[tuple[str, str]]) -> None:
        """Make exactly these fields differ from what the plans say; later ones win."""
        self._rules.override(self.job, overrides)

    @property
    def effective_category_id(self) -> str:
        """The category in force."""
        return self._progress.overrides.get("category_id", self.job.category_id)

    @property
    def effective_certification_status(self) -> str:
        """The certification status in force."""
        return self._progress.overrides.get("certification_status", self.job.certification_status)

    @property
    def effective_auto_retry(self) -> str:
        """Whether a failed attempt is repeated: `yes` or `no`."""
        return self._progress.overrides.get("auto_retry", self.job.auto_retry or "no")

    @property
    def refuses_retry(self) -> bool:
        """Whether it says that a failed attempt is not to be repeated, whoever asks for it."""
        said = self._progress.overrides.get("auto_retry", self.job.auto_retry)
        return said == "no"

    @property
    def was_tried(self) -> bool:
        """Whether the last result is more than a placeholder."""
        return self._progress.result.outcome is not Outcome.NONE


def _counts_as_attempt(outcome: Outcome) -> bool:
    """Whether the test itself ran; an attempt that could not be performed does not count."""
    return outcome is not Outcome.ERROR and not outcome.skipped
