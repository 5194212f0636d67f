"""Whether what a writer changed is still what a reader would open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdall_plugins.stores.disk import status_if_same
from holdall_plugins.stores.os_errors import PUT_BACK

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.errors import FailedStorageError
    from holdall.stores import Handle
    from holdall_plugins.stores.file.lock import SessionLock

_GONE: Final = "was removed, renamed or replaced"


class Reachability:
    """The paths that lead to one session, compared with what is open.

    A descriptor stays good for a folder or file that was removed or renamed, so without
    this a writer would acknowledge what nobody can read any more.
    """

    def __init__(self, folder: Path, fd: int, handle: Handle, lock: SessionLock | None) -> None:
        self._folder = os.fspath(folder)
        self._fd = fd
        self._status = os.fstat(fd)
        self._handle = handle
        self._lock = lock

    @property
    def is_at_path(self) -> bool:
        """Whether the session's folder is still the one at its path."""
        try:
            return os.path.samestat(os.lstat(self._folder), self._status)
        except OSError:
            return False

    def check_lock(self) -> None:
        """Refuse to go on with a lock that does not keep the next writer out.

        Raises:
            FailedStorageError: The file of the lock was deleted or replaced.
        """
        if self._lock is not None and not self._lock.is_in_place:
            if not self.is_at_path:
                raise self.gone()
            raise self._handle.fail("its lock was deleted or replaced, so others may write to it")

    def check(self, name: str, fd: int, *, size: int | None = None) -> None:
        """Refuse to acknowledge what was written to *fd* unless a reader of *name* gets it.

        Args:
            size: Bytes that the file has if nobody else writes to it.

        Raises:
            FailedStorageError: The folder, the file or the lock is not at its path any more.
        """
        if not self.is_at_path:
            raise self.gone()
        status = status_if_same(name, os.fstat(fd), within=self._fd)
        if status is None:
            raise self._handle.fail(f"{name} {_GONE}", advice=PUT_BACK)
        if size is not None and status.st_size != size:
            raise self._handle.fail(f"somebody else wrote to {name} at the same time")
        self.check_lock()

    def gone(self) -> FailedStorageError:
        """Return the error that says that the folder is not at its path any more."""
        return self._handle.fail(f"its folder {_GONE}", advice=PUT_BACK)


def is_at(folder: Path, fd: int) -> bool:
    """Whether the folder that is open as *fd* is still the one at that path."""
    try:
        return os.path.samestat(folder.lstat(), os.fstat(fd))
    except OSError:
        return False
