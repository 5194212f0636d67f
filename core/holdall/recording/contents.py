"""The contents of a session that recording continues from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import msgspec

from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    DeviceRemoved,
    JobDefined,
    JobRemoved,
    JobsAppended,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    OverridesChanged,
    PlansChanged,
    PluginUsed,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    SessionSummarised,
    Snapshot,
    WriterOpened,
    decode_title,
)

if TYPE_CHECKING:
    from holdall.journal import AnyEvent, PlanRecord


class RecordedJob(msgspec.Struct, gc=False):
    """What must be known of a job to record the next attempt at it.

    There is one for each job of a session, and none is part of a cycle: so the garbage collector
    does not go through them again and again.

    Attributes:
        definition: Hash of the definition, so that long ones take no memory; None without one.
        attempts: How many attempts have a result.
        started: The start of an attempt that is not finished.
        is_selected: Whether the run list has the job.
    """

    definition: int | None = None
    attempts: int = 0
    started: JobStarted | None = None
    is_selected: bool = False


class Contents:
    """Devices, categories and jobs of a session, brought forward event by event.

    Attributes:
        plans: The test plans in force.
        title: What the session is called; empty if nobody said.
        job_count: How many jobs are defined, on all devices.
        result_count: How many results were recorded, those of removed devices too.
    """

    def __init__(self) -> None:
        self.devices: Final[dict[str, DeviceAdded]] = {}
        self.categories: Final[dict[str, str]] = {}
        self._jobs: Final[dict[str, dict[str, RecordedJob]]] = {}
        self.plans: tuple[PlanRecord, ...] = ()
        self.title = ""
        self.job_count = 0
        self.result_count = 0

    def job(self, device_id: str, job_id: str) -> RecordedJob:
        """Return what is known of a job; from now on it is known."""
        jobs = self._jobs.setdefault(device_id, {})
        job = jobs.get(job_id)
        if job is None:
            job = jobs[job_id] = RecordedJob()
        return job

    def unfinished(self) -> list[JobStarted]:
        """Return the starts of recorded attempts that have no result.

        Others belong to a run of holdall, whose resume settles them.
        """
        jobs = (job for jobs in self._jobs.values() for job in jobs.values())
        starts = [job.started for job in jobs if job.started is not None]
        return [started for started in starts if started.recorded]

    def apply(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - a case for each kind
        """Take in what *event* says."""
        match event:
            case ResultRecorded():
                job = self.job(event.device, event.job_id)
                job.started = None
                job.attempts += not event.result.is_hollow
                self.result_count += not event.result.is_hollow
            case JobStarted():
                self.job(event.device, event.job_id).started = event
            case JobDefined():
                self._define(event)
            case JobsAppended():
                for job_id in event.job_ids:
                    self.job(event.device, job_id).is_selected = True
            case JobsSelected():
                for job in self._jobs.get(event.device, {}).values():
                    job.is_selected = False
                for job_id in event.run_list:
                    self.job(event.device, job_id).is_selected = True
            case JobRemoved():
                self._forget(self._jobs.get(event.device, {}).pop(event.job_id, None))
            case CategoryDefined():
                self.categories[event.id] = event.name
            case DeviceAdded():
                self.devices[event.device] = event
            case DeviceRemoved():
                self.devices.pop(event.device, None)
                self._forget(*self._jobs.pop(event.device, {}).values())
            case PlansChanged():
                self.plans = event.plans
            case SessionCreated() | MetadataChanged():
                self._call(event)
            case ManifestAnswered() | OverridesChanged() | ProviderAdded():
                pass
            case WriterOpened() | PluginUsed() | SessionSummarised():
                pass
            case Snapshot():
                raise ValueError("a snapshot can't be applied; unpack it first")
            case _:
                assert_never(event)

    def _forget(self, *jobs: RecordedJob | None) -> None:
        self.job_count -= sum(job is not None and job.definition is not None for job in jobs)

    def _call(self, event: SessionCreated | MetadataChanged) -> None:
        if isinstance(event, SessionCreated):
            self.title = event.title
        elif "title" in event.changes:
            self.title = decode_title(event.changes["title"]) or self.title

    def _define(self, event: JobDefined) -> None:
        job = self.job(event.device, event.job.id)
        self.job_count += job.definition is None
        job.definition = hash(event.job)


def weight_of(event: AnyEvent) -> int:
    """Return how many characters and bytes an event keeps in memory, where they may be many."""
    if isinstance(event, JobDefined):
        return len(event.job.summary) + len(event.job.description)
    if not isinstance(event, ResultRecorded):
        return 0
    result = event.result
    weight = len(result.comments or "") + len(result.skip_reason or "")
    if result.io_log:
        weight += result.io_log_size
    if result.attachments:
        weight += sum(len(attachment.data or b"") for attachment in result.attachments)
    if result.subtests:
        weight += sum(len(part.name) + len(part.message or "") for part in result.subtests)
    if result.measurements:
        weight += sum(len(f"{measured.value}") for measured in result.measurements)
    return weight
