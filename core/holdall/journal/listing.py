"""The sessions of a repository, as a listing shows them, from the ends of their journals.

A writer says last what a listing shows. After one that was killed, and where
an end is odd, the session is read from its last snapshot on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.contracts import HasSummaries, SessionEnds, SessionInfo
from holdall.errors import BusyStorageError, CorruptSessionError, HoldallError, UnknownSessionError
from holdall.journal.codec import decode_ends
from holdall.journal.events import SessionSummarised, Snapshot
from holdall.journal.record import read_events
from holdall.journal.summary import RunningSummary, phase_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.contracts import Repository, SessionPhase, Storage


def list_sessions(repository: Repository) -> list[SessionInfo]:
    """Return what is known of each session, newest first; a damaged one hinders no other.

    Damage at the beginning or the end of a session is seen; what lies between is
    seen by whoever opens it.
    """
    infos = [info for ends in _all_ends(repository) if (info := _info(repository, ends))]
    return sorted(infos, key=lambda info: (info.modified, info.id), reverse=True)


def describe_session(repository: Repository, session_id: str) -> SessionInfo:
    """Return what is known of one session, which alone is opened.

    Raises:
        UnknownSessionError: The repository holds no such session.
    """
    return _described(repository, session_id, _by_its_ends)


def _all_ends(repository: Repository) -> Iterable[SessionEnds]:
    if isinstance(repository, HasSummaries):
        return repository.summaries()
    return (SessionEnds(session_id, is_whole=False) for session_id in repository.ids())


def _info(repository: Repository, ends: SessionEnds) -> SessionInfo | None:
    if ends.is_whole and ends.first is None:
        return SessionInfo(id=ends.id)
    summary = _last_summary(ends)
    if summary is not None:
        return _shown(ends.id, summary)
    read = _by_its_events if isinstance(repository, HasSummaries) else _by_its_ends
    try:
        return _described(repository, ends.id, read)
    except UnknownSessionError:
        return None  # it was removed meanwhile


def _described(
    repository: Repository, session_id: str, read: Callable[[Storage], SessionInfo]
) -> SessionInfo:
    try:
        storage = repository.open(session_id, mode="r")
        try:
            return read(storage)
        finally:
            storage.close()
    except UnknownSessionError:
        raise
    except BusyStorageError as error:
        return SessionInfo(id=session_id, state="busy", reason=str(error))
    except HoldallError as error:
        if _is_removed(repository, session_id):  # while it was read, and so it looked damaged
            raise UnknownSessionError(repository.url, session_id, ()) from error
        is_damaged = isinstance(error, CorruptSessionError)
        state: SessionPhase = "damaged" if is_damaged else "unreadable"
        return SessionInfo(id=session_id, state=state, reason=str(error))


def _is_removed(repository: Repository, session_id: str) -> bool:
    try:
        repository.open(session_id, mode="r").close()
    except UnknownSessionError:
        return True
    except HoldallError:
        return False
    return False


def _by_its_ends(storage: Storage) -> SessionInfo:
    """Describe a session by its ends, or by all its events where those don't suffice."""
    first = next(storage.read(), None)
    if first is not None:
        last = [entry for _number, entry in storage.read(max(storage.head - 2, first[0] - 1))]
        summary = _last_summary(SessionEnds(storage.id, first[1], tuple(last[:2])))
        if summary is not None:
            return _shown(storage.id, summary)
    return _by_its_events(storage)


def _by_its_events(storage: Storage) -> SessionInfo:
    """Describe a session by all that is read of it, from the last snapshot on."""
    running = RunningSummary()
    is_empty = True
    head = storage.head  # before it is read, or a writer could make its first entries in between
    for event in read_events(storage):
        is_empty = False
        running.apply(event)
    if not is_empty:
        return _shown(storage.id, running.event())
    if head:
        reason = f"none of the entries up to {head} is there"
        raise CorruptSessionError(storage.id, storage.where, reason)
    return SessionInfo(id=storage.id)


def _last_summary(ends: SessionEnds) -> SessionSummarised | None:
    """Return what the last entry says of a session, None if that takes more than the ends."""
    if not ends.is_whole or ends.first is None:
        return None
    try:
        event = decode_ends(ends.id, ends.first, ends.last)
    except HoldallError:
        return None  # reading the whole journal raises the precise error
    if isinstance(event, Snapshot):
        return event.summary
    return event if isinstance(event, SessionSummarised) else None


def _shown(session_id: str, summary: SessionSummarised) -> SessionInfo:
    return SessionInfo(
        id=session_id,
        title=summary.title,
        state=_state(summary),
        verdict=summary.verdict,
        counts=summary.counts,
        created=summary.created,
        modified=summary.at,
        jobs=summary.jobs,
        results=summary.results,
        devices=summary.devices,
    )


def _state(summary: SessionSummarised) -> SessionPhase:
    return phase_of(
        jobs=summary.jobs,
        results=summary.results,
        is_tried=summary.tried,
        is_open=summary.selecting or summary.in_flight > 0,
    )
