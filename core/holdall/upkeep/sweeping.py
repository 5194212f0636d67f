"""Blobs and logs that nothing names any more, dropped."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.contracts import Sweepable
from holdall.journal import describe_session, now
from holdall.upkeep.refs import checked_refs
from holdall.view import SessionView

if TYPE_CHECKING:
    from holdall.contracts import Repository

GRACE_S: Final = 86400.0
"""Seconds since the last event of a session before which nothing of it is dropped."""


class Swept(NamedTuple):
    """What of a session was dropped, or could be.

    Attributes:
        blobs: Refs of blobs that no entry names.
        logs: Names of live logs whose jobs have ended.
        kept: Why the session was left alone; nothing if it was not.
    """

    session_id: str
    blobs: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    kept: str = ""


def sweep_session(
    repository: Repository, session_id: str, *, grace_s: float = GRACE_S, dry_run: bool = False
) -> Swept:
    """Drop the blobs of a session that no entry names, and logs of jobs that have ended.

    Both are what a crash left. A session in which a job is in flight is left alone: whoever
    resumes it looks for what the job wrote.

    Args:
        grace_s: Seconds for which a session must not have been written.
        dry_run: Drop nothing.

    Raises:
        UnknownSessionError: There is no such session.
        LockedStorageError: A writer has it open.
        CorruptSessionError: It is damaged; what its entries name is not known then.
    """
    age = now() - describe_session(repository, session_id).modified
    if age < grace_s:
        return Swept(session_id, kept=f"it was written {age:.0f} s ago")
    # Opened for writing, nobody else stores a blob that no entry names yet.
    with closing(repository.open(session_id, mode="r" if dry_run else "w")) as storage:
        if not isinstance(storage, Sweepable):
            return Swept(session_id, kept="its store lists no blobs")
        refs = checked_refs(storage)
        if any(job.in_flight for job in SessionView.of(storage).jobs()):
            return Swept(session_id, kept="a job is in flight; resume the session")
        blobs = tuple(sorted(set(storage.blobs()) - refs))
        logs = tuple(sorted(storage.logs()))
        if not dry_run:
            for ref in blobs:
                storage.drop(ref)
            for name in logs:
                storage.open_log(name).discard()
        return Swept(session_id, blobs, logs)
