"""Sample sessions in a store, for authors to try their plugins on."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from holdall.journal import (
    JobsAppended,
    JobsSelected,
    Journal,
    PluginUsed,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
)
from holdall.session import create_storage
from holdall.testing.sessions import (
    HOSTILE,
    SampleSession,
    big_session,
    hostile_session,
    sample_session,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import Repository
    from holdall.journal import AnyEvent


_PREFIX: Final = "sample-"


def store_session(sample: SampleSession, repository: Repository) -> str:
    """Store *sample* as a new session that ended just now, and return its id.

    Raises:
        StorageError: The store does not take it.
    """
    storage = create_storage(repository, _PREFIX, time.time)
    later = round(time.time() - max(event.at for event in sample.events), 3)
    journal = Journal.begin(storage)
    try:
        for ref, data in sample.blobs.items():
            storage.put_blob((data,), ref=ref)
        journal.append(_moved(sample.events, storage.id, later))
    finally:
        journal.close()
    return storage.id


def session_of(jobs: int, devices: int = 1, *, hostile: bool = False) -> SampleSession:
    """Return a session of so many jobs on each of so many devices.

    Args:
        hostile: Whether it also has a job for each outcome, several attempts, attachments, and
            text that has broken reports before in every field that can hold any.
    """
    sample = big_session(jobs, devices=devices)
    if not hostile:
        return sample
    everything = sample_session()
    further = (everything, *map(hostile_session, HOSTILE.values()))
    more = chain.from_iterable(map(_further, further))
    return SampleSession((*sample.events, *more), everything.blobs)


def _further(sample: SampleSession) -> Iterator[AnyEvent]:
    """Yield the events of a session as those of one that has begun already."""
    for event in sample.events:
        match event:
            case SessionCreated() | WriterOpened() | PluginUsed():
                continue
            case JobsSelected(at=at, device=device, run_list=job_ids):
                yield JobsAppended(at=at, device=device, job_ids=job_ids)
            case _:
                yield event


def _moved(events: Iterable[AnyEvent], session_id: str, by: float) -> Iterator[AnyEvent]:
    """Yield *events* as those of another session, which began *by* seconds later."""
    for event in events:
        changes: dict[str, Any] = {"at": event.at + by}
        if isinstance(event, SessionCreated):
            changes["session_id"] = session_id
        elif isinstance(event, ResultRecorded) and event.result.started_at is not None:
            changes["result"] = replace(event.result, started_at=event.result.started_at + by)
        yield replace(event, **changes)
