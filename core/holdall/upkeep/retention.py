"""Which sessions a store keeps, and the removal of the others."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.contracts import HasFolder, Sweepable
from holdall.errors import HoldallError
from holdall.journal import list_sessions, now
from holdall.session import remove_share
from holdall.stores import blob_size

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository, SessionInfo, SessionPhase

FINISHED: Final[tuple[SessionPhase, ...]] = ("finished",)
"""The states of sessions that may go where nobody says which."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Which sessions may go. One that names no limit lets none go.

    Attributes:
        older_s: Seconds since a session's last event after which it may go; None for any.
        keep: How many of the newest in *states* stay, whatever else is said; without
            *older_s* and *max_bytes* all the others may go.
        max_bytes: Bytes that all sessions of the store may have together: beyond that the
            oldest may go, whether they are older than *older_s* or not.
        states: The states of sessions that may go; no other session ever does.
    """

    older_s: float | None = None
    keep: int | None = None
    max_bytes: int | None = None
    states: tuple[SessionPhase, ...] = FINISHED


class Surplus(NamedTuple):
    """A session that may go, and its bytes where they had to be known."""

    info: SessionInfo
    size: int | None


def surplus_sessions(repository: Repository, retention: Retention) -> list[Surplus]:
    """Return the sessions that *retention* lets go, the oldest first; none is removed.

    Only with `max_bytes` more is read of a session than its ends.
    """
    infos = list_sessions(repository)
    candidates = [info for info in infos if info.state in retention.states]
    candidates = candidates[retention.keep or 0 :]
    old = [info for info in candidates if _is_old(info, retention)]
    if retention.max_bytes is None:
        return [Surplus(info, None) for info in reversed(old)]
    sizes = {info.id: _size_of(repository, info.id) for info in infos}
    total = sum(sizes.values())
    going: list[Surplus] = []
    chosen = {info.id for info in old}
    for info in reversed(candidates):
        if info.id in chosen or total > retention.max_bytes:
            going.append(Surplus(info, sizes[info.id]))
            total -= sizes[info.id]
    return going


def remove_session(repository: Repository, session_id: str) -> None:
    """Remove a session, and the folder that its jobs shared.

    Raises:
        UnknownSessionError: There is none.
        LockedStorageError: A writer has it open.
    """
    repository.remove(session_id)
    remove_share(repository, session_id)


def _is_old(info: SessionInfo, retention: Retention) -> bool:
    if retention.older_s is None:
        # A number to keep is a limit of its own; a number of bytes chooses by itself.
        return retention.keep is not None and retention.max_bytes is None
    return info.modified < now() - retention.older_s


def _size_of(repository: Repository, session_id: str) -> int:
    """Return the bytes of a session; what can't be read has none that its removal would give."""
    try:
        with closing(repository.open(session_id, mode="r")) as storage:
            if isinstance(storage, HasFolder):
                return _size_below(storage.folder)
            entries = sum(len(entry) for _number, entry in storage.read())
            refs = list(storage.blobs()) if isinstance(storage, Sweepable) else []
            return entries + sum(blob_size(storage, ref) for ref in refs)
    except HoldallError:
        return 0


def _size_below(folder: Path) -> int:
    total = 0
    for path, _folders, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - of os.walk
            except FileNotFoundError:
                continue  # removed meanwhile
    return total
