"""Compaction: the fewest events that describe the same state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import msgspec

from holdall.journal.events import (
    CategoryDefined,
    DeviceAdded,
    DeviceEvent,
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
    extended,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.journal.events import AnyEvent


def compacted(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Return events equivalent to *events*, without those that later ones superseded.

    First occurrences keep their order. *events* contain no snapshots.
    """
    compaction = Compaction()
    for event in events:
        compaction.add(event)
    return compaction.events()


class Compaction:
    """Collects events, without those that later ones supersede."""

    def __init__(self) -> None:
        self._kept: Final[dict[object, AnyEvent]] = {}
        self._removed: Final[dict[tuple[str, str], int]] = {}
        self._appended: Final[dict[str, list[str]]] = {}
        self._boot_id = ""
        self._number = 0

    def add(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - a case for each kind of event
        """Add what happened next."""
        self._number, kept = self._number + 1, self._kept
        match event:
            case ResultRecorded():
                kept.pop((JobStarted, event.device, event.job_id), None)
                kept[self._number] = event
            case JobStarted():
                kept[JobStarted, event.device, event.job_id] = self._resolved(event)
            case JobDefined():
                kept[JobDefined, event.device, event.job.id] = event
            case CategoryDefined():
                kept[CategoryDefined, event.id] = event
            case JobsSelected():
                self._select_jobs(event)
            case JobsAppended():
                self._append_jobs(event)
            case DeviceAdded() | OverridesChanged():
                kept[type(event), event.device] = event
            case ManifestAnswered():
                self._add_answers(event)
            case MetadataChanged():
                self._add_metadata(event)
            case ProviderAdded():
                kept[ProviderAdded, event.device, event.name, event.source] = event
            case JobRemoved():
                self._remove_job(event)
            case DeviceRemoved():
                self._remove_device(event.device)
            case WriterOpened():
                self._open_writer(event)
            case SessionCreated() | PlansChanged():
                kept[type(event)] = event
            case PluginUsed():
                kept[PluginUsed, event.kind, event.id, event.distribution, event.version] = event
            case SessionSummarised():
                pass  # the snapshot has a summary of its own
            case Snapshot():
                raise ValueError("a snapshot can't be compacted; unpack it first")
            case _:
                assert_never(event)

    def _open_writer(self, event: WriterOpened) -> None:
        self._boot_id = event.boot_id
        self._kept[WriterOpened] = event

    def events(self) -> list[AnyEvent]:
        """Return the events that are left, in the order in which things came first."""
        removed = self._removed
        if not removed and not self._appended:
            return list(self._kept.values())
        return [
            self._whole(event) if isinstance(event, JobsSelected) else event
            for key, event in self._kept.items()
            if not isinstance(event, ResultRecorded)
            or not isinstance(key, int)
            or key > removed.get((event.device, event.job_id), 0)
        ]

    def _select_jobs(self, event: JobsSelected) -> None:
        self._appended.pop(event.device, None)
        self._kept[JobsSelected, event.device] = event

    def _append_jobs(self, event: JobsAppended) -> None:
        nothing = JobsSelected(at=event.at, device=event.device, run_list=())
        self._kept.setdefault((JobsSelected, event.device), nothing)
        self._appended.setdefault(event.device, []).extend(event.job_ids)

    def _whole(self, event: JobsSelected) -> JobsSelected:
        appended = self._appended.get(event.device)
        return extended(event, appended) if appended else event

    def _resolved(self, event: JobStarted) -> JobStarted:
        """Return *event* with the boot of the writer before it, which later ones replace here."""
        if event.process is None:
            return event
        return msgspec.structs.replace(event, process=event.process.resolved(self._boot_id))

    def _add_answers(self, event: ManifestAnswered) -> None:
        key = (ManifestAnswered, event.device)
        earlier = self._kept.get(key)
        if isinstance(earlier, ManifestAnswered):
            event = msgspec.structs.replace(event, answers={**earlier.answers, **event.answers})
        self._kept[key] = event

    def _add_metadata(self, event: MetadataChanged) -> None:
        key = (MetadataChanged, event.device)
        earlier = self._kept.get(key)
        if isinstance(earlier, MetadataChanged):
            event = msgspec.structs.replace(event, changes={**earlier.changes, **event.changes})
        self._kept[key] = event

    def _remove_job(self, event: JobRemoved) -> None:
        device, job_id = event.device, event.job_id
        self._kept.pop((JobStarted, device, job_id), None)
        defined = self._kept.pop((JobDefined, device, job_id), None)
        if not isinstance(defined, JobDefined) or defined.job.plugin == "resource":
            # Its results made jobs of templates, and must make them again.
            self._kept[self._number] = event
        else:
            # Looking for its results here would take the square of what many removals take.
            self._removed[device, job_id] = self._number

    def _remove_device(self, device: str) -> None:
        self._appended.pop(device, None)
        gone = [
            key
            for key, event in self._kept.items()
            if isinstance(event, DeviceEvent) and event.device == device
        ]
        for key in gone:
            del self._kept[key]
