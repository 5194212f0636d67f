"""Fold the events of a journal into one frozen value that a view shows."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final, assert_never

from msgspec.structs import force_setattr

from holdall.journal import (
    SELECTING,
    CategoryDefined,
    DeviceAdded,
    DeviceRemoved,
    JobDefined,
    JobRecord,
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
    decode_strings,
    decode_title,
    phase_of,
)
from holdall.results import Outcome
from holdall.view.folded import DeviceView, FoldedJob, FoldedSession

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from holdall.journal import AnyEvent, PlanRecord
    from holdall.results import JobResult
    from holdall.view.folded import SessionState
    from holdall.view.logs import SmallLogs


def fold(events: Iterable[AnyEvent], small_logs: SmallLogs) -> FoldedSession:
    """Return what *events* say of their session.

    Args:
        small_logs: Takes the logs that travel with results, so that what is
            returned does not grow by them.
    """
    state = _Fold(small_logs)
    for event in events:
        state.apply(event)
    return state.finished()


class _Device:
    """One device while its session is folded."""

    __slots__ = (
        "again",
        "custom",
        "ended",
        "further",
        "is_selecting",
        "jobs",
        "rejected",
        "run_list",
        "shown",
        "title",
    )

    def __init__(self) -> None:
        self.shown: DeviceView | None = None
        self.title = ""
        self.jobs: dict[str, FoldedJob] = {}
        # The results behind the first one. A tuple that grows by one for each of many attempts
        # would be copied as often, and a list for each job takes memory: most have one result.
        self.further: dict[str, list[JobResult]] = {}
        self.run_list: list[str] = []
        self.ended: dict[str, None] = {}
        self.again: set[str] = set()  # what is to run again although it has results
        self.is_selecting = False
        self.rejected: tuple[str, ...] = ()
        self.custom = False

    def job(self, job_id: str) -> FoldedJob:
        """Return the job of that id, one without a definition if it has none yet."""
        return self.jobs.get(job_id) or FoldedJob(JobRecord(id=job_id))

    def record(self, job_id: str, result: JobResult) -> None:
        """Add a result to those of a job."""
        job = self.job(job_id)
        self.again.discard(job_id)
        if result.is_hollow:
            results = job.results
            self.again.add(job_id)
        elif job.results:
            results = job.results
            self.further.setdefault(job_id, []).append(result)
        else:
            results = (result,)
        self.jobs[job_id] = FoldedJob(job.record, results)

    def complete(self) -> None:
        """Give the jobs all their results."""
        for job_id, further in self.further.items():
            job = self.jobs[job_id]
            results = (*job.results, *further)
            self.jobs[job_id] = FoldedJob(job.record, results, job.in_flight)
        self.further = {}

    def forget(self, job_id: str) -> None:
        self.jobs.pop(job_id, None)
        self.further.pop(job_id, None)
        self.ended.pop(job_id, None)
        self.again.discard(job_id)

    def has_result(self, job_id: str) -> bool:
        """Whether a job has a result, and is not to run again."""
        job = self.jobs.get(job_id)
        if job is None or job.in_flight or job_id in self.again:
            return False
        return job.result.outcome is not Outcome.NONE

    def ordered(self) -> tuple[FoldedJob, ...]:
        """Return the jobs to show: the run list, and others that were tried all the same.

        These stand before it if they ended before any of it did, as those do that run before the
        rest is selected.
        """
        planned = {job_id: self.jobs[job_id] for job_id in self.run_list if job_id in self.jobs}
        others = {
            job_id: job
            for job_id, job in self.jobs.items()
            if job.was_tried and job_id not in planned
        }
        earlier = takewhile(lambda job_id: job_id not in planned, self.ended if planned else ())
        before = [others.pop(job_id) for job_id in earlier if job_id in others]
        return (*before, *planned.values(), *others.values())


class _Fold:
    """A session, brought forward event by event."""

    def __init__(self, small_logs: SmallLogs) -> None:
        self._small_logs: Final = small_logs
        self._definitions: Final = _Definitions()
        self._devices: dict[str, _Device] = {}
        self._session_id = ""
        self._title = ""
        self._created = 0.0
        self._modified = 0.0
        self._plans: tuple[PlanRecord, ...] = ()
        self._providers: list[ProviderAdded] = []
        self._plugins: dict[tuple[str, ...], PluginUsed] = {}
        self._categories: dict[str, str] = {}

    def apply(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - a case for each event
        """Take in what *event* says."""
        self._modified = max(self._modified, event.at)
        match event:  # the most frequent ones first
            case ResultRecorded():
                self._record(event)
            case JobStarted():
                self._change(event.device, event.job_id, in_flight=True)
            case JobDefined():
                record = self._definitions.shared(event.job)
                self._change(event.device, record.id, record=record)
            case JobRemoved():
                self._device(event.device).forget(event.job_id)
            case JobsSelected():
                self._device(event.device).run_list = self._known_ids(event.device, event.run_list)
            case JobsAppended():
                self._append_jobs(event)
            case CategoryDefined():
                self._categories[event.id] = event.name
            case DeviceAdded():
                self._add_device(event)
            case DeviceRemoved():
                self._devices.pop(event.device, None)
                self._providers = [p for p in self._providers if p.device != event.device]
            case ProviderAdded():
                self._providers.append(event)
            case PluginUsed():
                self._plugins[event.kind, event.id, event.distribution, event.version] = event
            case PlansChanged():
                self._plans = event.plans
            case SessionCreated():
                self._session_id, self._title = event.session_id, event.title
                self._created = event.at
            case MetadataChanged():
                self._change_metadata(event)
            case WriterOpened() | ManifestAnswered() | OverridesChanged() | SessionSummarised():
                pass  # reports show what follows from them
            case Snapshot():
                raise ValueError("a snapshot can't be shown; unpack it first")
            case _:
                assert_never(event)

    def _device(self, device_id: str) -> _Device:
        device = self._devices.get(device_id)
        if device is None:
            device = self._devices[device_id] = _Device()
        return device

    def _record(self, event: ResultRecorded) -> None:
        device, result = self._device(event.device), event.result
        if not result.is_hollow:
            device.ended.setdefault(event.job_id)
            result = self._small_logs.taken_out(result)
        device.record(event.job_id, result)

    def _change(
        self,
        device_id: str,
        job_id: str,
        *,
        record: JobRecord | None = None,
        in_flight: bool | None = None,
    ) -> None:
        device = self._device(device_id)
        job = device.job(job_id)
        device.jobs[job_id] = FoldedJob(
            job.record if record is None else record,
            job.results,
            job.in_flight if in_flight is None else in_flight,
        )

    def _add_device(self, event: DeviceAdded) -> None:
        device = self._device(event.device)
        device.shown = DeviceView(event.device, event.description, event.facts)

    def _append_jobs(self, event: JobsAppended) -> None:
        device = self._device(event.device)
        device.run_list += self._known_ids(event.device, event.job_ids)

    def _known_ids(self, device_id: str, job_ids: Iterable[str]) -> list[str]:
        """Return *job_ids*; for a known job, the very string that its record has."""
        jobs = self._device(device_id).jobs
        return [jobs[job_id].record.id if job_id in jobs else job_id for job_id in job_ids]

    def _change_metadata(self, event: MetadataChanged) -> None:
        """Take what reports show of the metadata; the rest is the application's own."""
        device, changes = self._device(event.device), event.changes
        if "title" in changes:
            device.title = decode_title(changes["title"])
        if "rejected_jobs" in changes:
            device.rejected = decode_strings(changes["rejected_jobs"])
        if "flags" in changes:
            device.is_selecting = SELECTING in decode_strings(changes["flags"])
        if "custom_joblist" in changes:
            device.custom = bytes(changes["custom_joblist"]) == b"true"

    def _in_order(self) -> dict[str, _Device]:
        """Return the devices as they joined, then those of which only jobs are known."""
        joined = {name: device for name, device in self._devices.items() if device.shown}
        return joined | {name: device for name, device in self._devices.items() if device.jobs}

    def finished(self) -> FoldedSession:
        """Return what the events so far say."""
        devices = self._in_order()
        for device in devices.values():
            device.complete()
        titles = (device.title for device in devices.values())
        return FoldedSession(
            session_id=self._session_id,
            title=next(filter(None, titles), self._title),
            state=_state(self._devices.values()),
            created=self._created,
            modified=self._modified,
            devices=tuple(d.shown or DeviceView(device_id) for device_id, d in devices.items()),
            jobs={device_id: device.ordered() for device_id, device in devices.items()},
            rejected={
                device_id: tuple(map(device.job, device.rejected))
                for device_id, device in devices.items()
                if device.rejected
            },
            is_custom=any(device.custom for device in devices.values()),
            plans=self._plans,
            providers=tuple(self._providers),
            plugins=tuple(self._plugins.values()),
            categories=self._categories,
        )


def _state(devices: Collection[_Device]) -> SessionState:
    selected = results = 0
    is_selecting = False
    for device in devices:
        job_ids = set(device.run_list)
        selected += len(job_ids)
        results += sum(map(device.has_result, job_ids))
        is_selecting |= device.is_selecting
    jobs = [job for device in devices for job in device.jobs.values()]
    return phase_of(
        jobs=selected,
        results=results,
        is_tried=any(job.was_tried for job in jobs),
        is_open=is_selecting or any(job.in_flight for job in jobs),
    )


class _Definitions:
    """Gives the first of all equal definitions; each event that is read brings its own."""

    def __init__(self) -> None:
        self._strings: dict[str, str] = {}
        self._records: dict[JobRecord, JobRecord] = {}

    def shared(self, record: JobRecord) -> JobRecord:
        """Return the definition equal to *record*, the same one for all devices."""
        known = self._records.setdefault(record, record)
        if known is record:
            for name in _REPEATED:
                text = getattr(record, name)
                force_setattr(record, name, self._strings.setdefault(text, text))
        return known


_REPEATED: Final = ("category_id", "plugin", "certification_status", "template_id")
