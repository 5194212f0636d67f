"""The kernel's lock on a session's folder: it ends with its holder, so it is never stale."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.errors import LockedStorageError
from holdall.journal import Process
from holdall.processes import this_process
from holdall_plugins.stores.disk import READ, opened, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

NAME: Final = "lock"
_HOLDER_SIZE: Final = 4096


class SessionLock:
    """Held from its making until `release`, or until this process ends."""

    def __init__(self, folder: Path, fd: int, session_id: str) -> None:
        from filelock import FileLock, Timeout

        self._lock: BaseFileLock = FileLock(folder / NAME, mode=0o600, thread_local=False)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise LockedStorageError(session_id, str(folder.parent), _holder(fd)) from None
        with suppress(OSError):  # a full disk must not keep a session from being removed
            self._note_holder(fd)

    def release(self) -> None:
        """Let others lock the session; the file stays, because others may wait at it."""
        self._lock.release(force=True)

    def _note_holder(self, folder: int) -> None:
        flags = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with opened(NAME, flags, within=folder) as fd:
            write_all(fd, msgspec.json.encode(this_process()) + b"\n")


def _holder(folder: int) -> str:
    """Return who says to hold the lock; for people only, the kernel decides."""
    try:
        with opened(NAME, READ, within=folder) as fd:
            process = msgspec.json.decode(os.read(fd, _HOLDER_SIZE), type=Process)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return f"process {process.pid}"
