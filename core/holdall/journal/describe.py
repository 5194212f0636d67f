"""What a listing says of a session, read from its journal alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from holdall.errors import HoldallError
from holdall.journal.events import (
    DeviceAdded,
    DeviceRemoved,
    JobRemoved,
    JobsSelected,
    MetadataChanged,
    ResultRecorded,
    SessionCreated,
)
from holdall.journal.record import read_events
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import Repository
    from holdall.journal.events import AnyEvent

SessionPhase = Literal["empty", "new", "unfinished", "finished", "damaged"]


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One session as a listing shows it.

    Attributes:
        state: `empty` was created and never checkpointed; `new` has no results;
            `unfinished` lacks results of selected jobs; `finished` has them all;
            `damaged` can't be read.
        created: Seconds since 1970, UTC; 0 if the session does not tell.
        modified: The moment of its last event; 0 if the session does not tell.
        jobs: How many jobs are selected, over all devices.
        results: How many of the selected jobs have a result.
        reason: Why a damaged session can't be read.
    """

    id: str
    title: str = ""
    state: SessionPhase = "empty"
    created: float = 0.0
    modified: float = 0.0
    jobs: int = 0
    results: int = 0
    reason: str = ""


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


def _read(session_id: str, events: Iterable[AnyEvent]) -> SessionInfo:
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
            case MetadataChanged(changes={"title": words}):
                titles[event.device] = msgspec.json.decode(words) or ""
            case JobsSelected():
                selected[event.device] = set(event.run_list)
            case ResultRecorded() if event.result.outcome is not Outcome.NONE:
                done.setdefault(event.device, set()).add(event.job_id)
    jobs = sum(map(len, selected.values()))
    results = sum(len(run & done.get(device, set())) for device, run in selected.items())
    title = next(filter(None, titles.values()), info.title)
    state = _state(modified, jobs, results)
    return msgspec.structs.replace(
        info, title=title, modified=modified, jobs=jobs, results=results, state=state
    )


def _state(modified: float, jobs: int, results: int) -> SessionPhase:
    if not modified:
        return "empty"
    if not results:
        return "new"
    return "finished" if results == jobs else "unfinished"
