"""What a view shows, as frozen values: devices, jobs with their results, a session."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from holdall.journal import JobRecord, PlanRecord, PluginUsed, ProviderAdded
from holdall.results import JobResult, Outcome


class DeviceView(msgspec.Struct, frozen=True):
    """A device of the session: its id, its description, and facts by name.

    Attributes:
        id: Unique in the session; `local` where nobody said another.
        description: One line for people, or nothing.
        facts: What the application knows of it, by name.
    """

    id: str
    description: str = ""
    facts: dict[str, str] = {}


class FoldedJob(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One job on one device, folded from its events."""

    record: JobRecord
    results: tuple[JobResult, ...] = ()
    in_flight: bool = False

    @property
    def was_tried(self) -> bool:
        """Whether an attempt was recorded, or at least started."""
        return self.in_flight or bool(self.results)

    @property
    def result(self) -> JobResult:
        """The last result; an empty one if the job was never tried."""
        return self.results[-1] if self.results else NOT_ENDED

    @property
    def counts_as(self) -> Outcome:
        """What the last outcome counts as; it differs for a job that is expected to fail."""
        return self.result.outcome.counted(xfail=self.record.xfail)

    @property
    def took(self) -> float | None:
        """Seconds of the last attempt, None if unknown, or it has not ended."""
        return None if self.in_flight else self.result.execution_duration

    @property
    def went_wrong(self) -> bool:
        """Whether it failed, crashed or could not be performed, or has not ended."""
        return self.in_flight or self.counts_as.failed

    @property
    def is_flaky(self) -> bool:
        """Whether it passed after an attempt that failed, and that nothing had interrupted."""
        if len(self.results) < 2 or self.in_flight or self.counts_as is not Outcome.PASS:
            return False
        return any(
            result.outcome.counted(xfail=self.record.xfail).failed
            and result.interrupted_by is None
            for result in self.results[:-1]
        )


SessionState = Literal["new", "running", "unfinished", "finished"]
"""How far a session has come: of `new` no job was begun, `running` is one whose manager is alive
while a job is in flight, `unfinished` lacks results of selected jobs, `finished` has them all."""


class FoldedSession(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A session at one position of its journal, folded from the events up to there.

    Attributes:
        title: Title for people; empty if nobody gave one.
        state: How far it has come, as a listing says it.
        created: Seconds since 1970, UTC.
        modified: The latest moment of an event, seconds since 1970, UTC.
        devices: The devices, in the order they joined.
        jobs: By device, the jobs to show: those of the run list in its order, then
            those that were tried although they are not on it.
        rejected: By device, the jobs that a person took out.
        is_custom: Whether a person changed what the plans select, on any device.
        plans: Test plans in force.
        categories: Headings by category id.
    """

    session_id: str
    title: str
    state: SessionState
    created: float
    modified: float
    devices: tuple[DeviceView, ...]
    jobs: dict[str, tuple[FoldedJob, ...]]
    rejected: dict[str, tuple[FoldedJob, ...]]
    is_custom: bool
    plans: tuple[PlanRecord, ...]
    providers: tuple[ProviderAdded, ...]
    plugins: tuple[PluginUsed, ...]
    categories: dict[str, str]


NOT_ENDED: Final = JobResult()
"""Stands for the result of an attempt that was not begun, or has not ended."""
