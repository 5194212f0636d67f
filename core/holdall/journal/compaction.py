"""Fewer events that tell the same: what a snapshot holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from holdall.journal.events import (
    CategoryDefined,
    DeviceAdded,
    DeviceEvent,
    DeviceRemoved,
    JobDefined,
    JobRemoved,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    PlansChanged,
    PluginUsed,
    Process,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.journal.events import AnyEvent


def compacted(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Return events that tell what *events* tell, without what later ones made void.

    The order in which things came first is kept. *events* hold no snapshots.
    """
    kept: dict[object, AnyEvent] = {}
    boot_id = ""
    for number, event in enumerate(events):
        match event:
            case WriterOpened():
                boot_id = event.boot_id
                kept[WriterOpened] = event
            case SessionCreated() | PlansChanged():
                kept[type(event)] = event
            case JobStarted(process=Process() as process):
                # Its boot is that of the writer before it, which later ones replace here.
                marked = msgspec.structs.replace(event, process=process.resolved(boot_id))
                _keep(kept, marked, number)
            case PluginUsed():
                kept[type(event), event.kind, event.id, event.distribution, event.version] = event
            case CategoryDefined():
                kept[type(event), event.id] = event
            case DeviceRemoved():
                _forget_device(kept, event.device)
            case DeviceEvent():
                _keep(kept, event, number)
    return list(kept.values())


def _keep(  # noqa: C901 - a line for each event
    kept: dict[object, AnyEvent], event: AnyEvent, number: int
) -> None:
    match event:
        case DeviceAdded() | JobsSelected():
            kept[type(event), event.device] = event
        case ProviderAdded():
            kept[type(event), event.device, event.name, event.source] = event
        case JobDefined():
            kept[type(event), event.device, event.job.id] = event
        case JobRemoved():
            _forget_job(kept, event, number)
        case JobStarted():
            kept[type(event), event.device, event.job_id] = event
        case ResultRecorded():
            kept.pop((JobStarted, event.device, event.job_id), None)
            kept[number] = event
        case MetadataChanged():
            earlier = kept.get((type(event), event.device))
            if isinstance(earlier, MetadataChanged):
                changes = {**earlier.changes, **event.changes}
                event = msgspec.structs.replace(event, changes=changes)
            kept[type(event), event.device] = event
        case ManifestAnswered():
            earlier = kept.get((type(event), event.device))
            if isinstance(earlier, ManifestAnswered):
                answers = {**earlier.answers, **event.answers}
                event = msgspec.structs.replace(event, answers=answers)
            kept[type(event), event.device] = event


def _forget_device(kept: dict[object, AnyEvent], device: str) -> None:
    gone = [key for key, e in kept.items() if isinstance(e, DeviceEvent) and e.device == device]
    for key in gone:
        del kept[key]


def _forget_job(kept: dict[object, AnyEvent], removed: JobRemoved, number: int) -> None:
    kept.pop((JobStarted, removed.device, removed.job_id), None)
    defined = kept.pop((JobDefined, removed.device, removed.job_id), None)
    if not isinstance(defined, JobDefined) or defined.job.plugin == "resource":
        kept[number] = removed  # its results made jobs of templates, and must make them again
        return
    gone = [
        key
        for key, e in kept.items()
        if isinstance(e, ResultRecorded)
        and (e.device, e.job_id) == (removed.device, removed.job_id)
    ]
    for key in gone:
        del kept[key]
