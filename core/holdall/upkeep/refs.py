"""The blobs that the events of a session name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.journal import JobStarted, ResultRecorded, Snapshot, decode, unpack_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Storage
    from holdall.journal import AnyEvent
    from holdall.results import JobResult


def checked_refs(storage: Storage, *, upto: int | None = None) -> set[str]:
    """Return the refs that entries up to *upto* name; each entry is checked on the way.

    Raises:
        CorruptSessionError: An entry is not what was written.
        NewerFormatError: A newer holdall wrote it.
    """
    entries = (entry for entry in storage.read() if upto is None or entry[0] <= upto)
    return {ref for _at, event in decode(storage.id, entries) for ref in _refs(storage.id, event)}


def _refs(session_id: str, event: AnyEvent) -> Iterator[str]:
    match event:
        case ResultRecorded(result=result):
            yield from _named(result)
        case JobStarted(performed=result) if result is not None:
            yield from _named(result)
        case Snapshot():
            for kept in unpack_snapshot(session_id, event):
                yield from _refs(session_id, kept)
        case _:
            pass  # no other kind of event holds what a job wrote


def _named(result: JobResult) -> Iterator[str]:
    if result.io_log_ref:
        yield result.io_log_ref
    yield from (attachment.ref for attachment in result.attachments if attachment.ref)
