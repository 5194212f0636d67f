"""What a listing says of a session, read from its journal alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from holdall.contracts import SessionInfo
from holdall.errors import HoldallError
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
    Snapshot,
    WriterOpened,
    decode_title,
)
from holdall.journal.record import read_events
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import Repository, SessionPhase
    from holdall.journal.events import AnyEvent

    _Unlisted = (
        JobStarted
        | JobDefined
        | CategoryDefined
        | ProviderAdded
        | ManifestAnswered
        | OverridesChanged
        | PlansChanged
        | WriterOpened
        | PluginUsed
        | Snapshot
    )


def describe(repository: Repository, session_ids: Iterable[str]) -> Iterator[SessionInfo]:
    """Yield what is known of each session, newest first; a damaged one hinders no other."""
    found = [_described(repository, session_id) for session_id in session_ids]
    yield from sorted(found, key=lambda info: (info.modified, info.id), reverse=True)


def _described(repository: Repository, session_id: str) -> SessionInfo:
    try:
        storage = repository.open(session_id, mode="r")
        try:
            return _read(session_id, read_events(storage))
        finally:
            storage.close()
    except HoldallError as error:
        return SessionInfo(id=session_id, state="damaged", reason=str(error))


def _read(  # noqa: C901, PLR0912 - a case for each kind of event
    session_id: str, events: Iterable[AnyEvent]
) -> SessionInfo:
    info = SessionInfo(id=session_id)
    selected: dict[str, set[str]] = {}
    done: dict[str, set[str]] = {}
    titles: dict[str, str] = {}
    modified = 0.0
    for event in events:
        modified = max(modified, event.at)
        match event:
            case SessionCreated():
                info = msgspec.structs.replace(info, title=event.title, created=event.at)
            case DeviceAdded():
                titles[event.device] = ""
            case DeviceRemoved():
                for known in (titles, selected, done):
                    known.pop(event.device, None)
            case JobRemoved():
                done.get(event.device, set()).discard(event.job_id)
            case MetadataChanged():
                if "title" in event.changes:
                    titles[event.device] = decode_title(event.changes["title"])
            case JobsSelected():
                selected[event.device] = set(event.run_list)
            case JobsAppended():
                selected.setdefault(event.device, set()).update(event.job_ids)
            case ResultRecorded():
                if event.result.outcome is not Outcome.NONE:
                    done.setdefault(event.device, set()).add(event.job_id)
            case _:
                _pass_over(event)
    jobs = sum(map(len, selected.values()))
    results = sum(len(run & done.get(device, set())) for device, run in selected.items())
    title = next(filter(None, titles.values()), info.title)
    state = _state(modified, jobs, results)
    return msgspec.structs.replace(
        info, title=title, modified=modified, jobs=jobs, results=results, state=state
    )


def _pass_over(event: _Unlisted) -> None:
    """Accept the events of which a listing shows nothing; any other does not type-check."""
    match event:
        case JobStarted() | JobDefined() | CategoryDefined() | ProviderAdded():
            pass
        case ManifestAnswered() | OverridesChanged() | PlansChanged():
            pass
        case WriterOpened() | PluginUsed():
            pass
        case Snapshot():
            raise ValueError("a snapshot can't be described; unpack it first")
        case _:
            assert_never(event)


def _state(modified: float, jobs: int, results: int) -> SessionPhase:
    if not modified:
        return "empty"
    if not results:
        return "new"
    return "finished" if results == jobs else "unfinished"
