"""The summary of a session for listings, updated event by event."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, assert_never

from holdall.journal.events import (
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
    decode_strings,
    decode_title,
)
from holdall.results import Outcome

if TYPE_CHECKING:
    from holdall.journal.events import AnyEvent, JobRecord
    from holdall.results import JobResult

    _Unlisted = (
        CategoryDefined
        | ProviderAdded
        | ManifestAnswered
        | OverridesChanged
        | PlansChanged
        | WriterOpened
        | PluginUsed
        | SessionSummarised
        | Snapshot
    )


Phase = Literal["new", "unfinished", "finished"]


def phase_of(*, jobs: int, results: int, is_tried: bool, is_open: bool) -> Phase:
    """Return how far a session has come, the same word in listings and in views.

    Args:
        jobs: How many jobs are selected.
        results: How many of them have a result.
        is_tried: Whether an attempt at any job was begun.
        is_open: Whether jobs are still to be selected, or one was begun and has not ended.
    """
    if not (results or is_tried):
        return "new"
    return "finished" if results == jobs and not is_open else "unfinished"


class RunningSummary:
    """A fold of events that knows at any moment what a listing would show.

    Its counts and its verdict are those of `SessionView` and `holdall.view.verdict`.
    """

    def __init__(self) -> None:
        self._title = ""
        self._created = 0.0
        self._modified = 0.0
        self._devices: dict[str, _Device] = {}

    def apply(self, event: AnyEvent) -> None:  # noqa: C901 - a case for each kind of event
        """Take *event* into account."""
        self._modified = max(self._modified, event.at)
        match event:
            case ResultRecorded():
                self._device(event.device).record(event.job_id, event.result)
            case JobStarted():
                device = self._device(event.device)
                device.outcomes.setdefault(event.job_id, Outcome.NONE)
                device.in_flight.add(event.job_id)
            case JobDefined():
                self._device(event.device).define(event.job)
            case JobRemoved():
                self._device(event.device).forget(event.job_id)
            case JobsSelected():
                self._device(event.device).run_list = list(event.run_list)
            case JobsAppended():
                self._device(event.device).run_list.extend(event.job_ids)
            case DeviceAdded():
                self._device(event.device)
            case DeviceRemoved():
                self._devices.pop(event.device, None)
            case SessionCreated():
                self._title, self._created = event.title, event.at
            case MetadataChanged():
                self._device(event.device).change(event)
            case _:
                _pass_over(event)

    def event(self) -> SessionSummarised:
        """Return the event that says what a listing shows now."""
        counts: Counter[Outcome] = Counter()
        counted: set[Outcome] = set()
        in_flight = jobs = results = 0
        for device in self._devices.values():
            shown = device.shown()
            counts.update(device.outcomes[job_id] for job_id in shown)
            counted.update(device.counted(job_id) for job_id in shown)
            in_flight += len(device.in_flight & shown.keys())
            jobs += len(set(device.run_list))
            results += sum(map(device.has_result, set(device.run_list)))
        harmless = all(outcome is Outcome.PASS or outcome.skipped for outcome in counted)
        passed = Outcome.PASS in counted and not in_flight and harmless
        titles = (device.title for device in self._devices.values())
        return SessionSummarised(
            at=self._modified,
            title=next(filter(None, titles), self._title),
            created=self._created,
            jobs=jobs,
            results=results,
            counts={str(outcome): count for outcome, count in counts.items() if count},
            verdict="PASS" if passed else "FAIL",
            tried=any(device.tried or device.in_flight for device in self._devices.values()),
            in_flight=in_flight,
            selecting=any(device.is_selecting for device in self._devices.values()),
            devices=tuple(self._devices),
        )

    def _device(self, device_id: str) -> _Device:
        device = self._devices.get(device_id)
        if device is None:
            device = self._devices[device_id] = _Device()
        return device


def _pass_over(event: _Unlisted) -> None:
    """Accept the events of which a listing shows nothing; any other does not type-check."""
    match event:
        case CategoryDefined() | ProviderAdded() | ManifestAnswered() | OverridesChanged():
            pass
        case PlansChanged() | WriterOpened() | PluginUsed() | SessionSummarised():
            pass
        case Snapshot():
            pass  # it stands for the events before it, which were taken into account
        case _:
            assert_never(event)


SELECTING: Final = "bootstrapping"
"""The flag of a device whose jobs are still to be selected, after those that run first."""


class _Device:
    """The summary of one device: its jobs, and the last outcome of each."""

    __slots__ = (
        "in_flight",
        "is_selecting",
        "outcomes",
        "reset",
        "run_list",
        "title",
        "tried",
        "xfail",
    )

    def __init__(self) -> None:
        self.title = ""
        self.is_selecting = False
        self.run_list: list[str] = []
        self.outcomes: dict[str, Outcome] = {}
        self.tried: set[str] = set()
        self.reset: set[str] = set()
        self.in_flight: set[str] = set()
        self.xfail: set[str] = set()

    def change(self, event: MetadataChanged) -> None:
        if "title" in event.changes:
            self.title = decode_title(event.changes["title"])
        if "flags" in event.changes:
            self.is_selecting = SELECTING in decode_strings(event.changes["flags"])

    def define(self, job: JobRecord) -> None:
        self.outcomes.setdefault(job.id, Outcome.NONE)
        if job.xfail:
            self.xfail.add(job.id)
        else:
            self.xfail.discard(job.id)

    def counted(self, job_id: str) -> Outcome:
        """Return what the last outcome of a job counts as."""
        return self.outcomes[job_id].counted(xfail=job_id in self.xfail)

    def shown(self) -> dict[str, None]:
        """Return the jobs of the run list that are known, and others that were tried."""
        shown = dict.fromkeys(job_id for job_id in self.run_list if job_id in self.outcomes)
        shown.update(dict.fromkeys(self.tried | self.in_flight))
        return shown

    def has_result(self, job_id: str) -> bool:
        """Whether a job has a result, and is not to run again."""
        if job_id in self.in_flight or job_id in self.reset:
            return False
        return self.outcomes.get(job_id, Outcome.NONE) is not Outcome.NONE

    def record(self, job_id: str, result: JobResult) -> None:
        self.in_flight.discard(job_id)
        self.reset.discard(job_id)
        if result.outcome is not Outcome.NONE or not result.is_hollow:
            self.outcomes[job_id] = result.outcome
            self.tried.add(job_id)
        else:
            self.outcomes.setdefault(job_id, Outcome.NONE)
            self.reset.add(job_id)

    def forget(self, job_id: str) -> None:
        self.outcomes.pop(job_id, None)
        self.tried.discard(job_id)
        self.xfail.discard(job_id)
        self.in_flight.discard(job_id)
        self.reset.discard(job_id)
