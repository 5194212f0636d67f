"""The kernel's lock on a session's folder: it ends with its holder, so it is never stale.

The file also holds a note of its last holder. The kernel decides who holds the lock; the
note names the holder to people, and says whether the machine may have lost power since, or
what the journal was when the session was closed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.errors import LockedStorageError
from holdall.processes import this_process
from holdall_plugins.stores.disk import READ, opened, status_if_same, sync_data, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

NAME: Final = "lock"
_MAKE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NOTE_SIZE: Final = 4096


class End(msgspec.Struct, frozen=True):
    """The journal file of a session that was closed, its last entry, and its size."""

    journal: str
    entry: int
    size: int


class _Note(msgspec.Struct, frozen=True):
    """The last process that wrote to the session, and whether it closed the session."""

    pid: int
    started: str = ""
    boot_id: str = ""
    is_closed: bool = False
    end: End | None = None


class SessionLock:
    """Held from its making until `release`, or until this process ends."""

    def __init__(self, folder: Path, fd: int, session_id: str) -> None:
        from filelock import FileLock, Timeout

        self._folder = fd
        # Opened here as well: filelock keeps the descriptor of the file that it locks to itself.
        self._file = os.open(NAME, _MAKE, 0o600, dir_fd=fd)
        self._status = os.fstat(self._file)
        try:
            self._lock: BaseFileLock = FileLock(folder / NAME, mode=0o600, thread_local=False)
            self._lock.acquire(blocking=False)
        except Timeout:
            os.close(self._file)
            raise LockedStorageError(session_id, str(folder.parent), _holder(fd)) from None
        except BaseException:
            os.close(self._file)
            raise

    @property
    def is_in_place(self) -> bool:
        """Whether the next writer would meet this lock, and not the file put in its place."""
        return status_if_same(NAME, self._status, within=self._folder) is not None

    def note_open(self) -> None:
        """Note down that this process writes to the session, durably before it does.

        Raises:
            OSError: The note of the one that closed the session could not be taken back.
        """
        # Whatever is appended behind the end that such a note states would count as damage.
        os.ftruncate(self._file, 0)
        self._write(end=None)
        sync_data(self._file)

    def note_closed(self, end: End) -> None:
        """Note down that this process closed the session, and what it left."""
        with suppress(OSError):  # without the note, the session counts as one that was killed
            os.ftruncate(self._file, 0)
            self._write(end=end)

    def _write(self, *, end: End | None) -> None:
        process = this_process()
        note = _Note(process.pid, process.started, process.boot_id, end is not None, end)
        with suppress(OSError):  # a full disk must not keep a session from being used
            os.lseek(self._file, 0, os.SEEK_SET)
            write_all(self._file, msgspec.json.encode(note) + b"\n")

    def release(self) -> None:
        """Let others lock the session; the file stays, because others may wait at it."""
        self._lock.release(force=True)
        os.close(self._file)


def may_have_lost_power(folder: int) -> bool:
    """Whether the machine may have gone down while the last writer was at work.

    Only then can blocks of its last write be missing: what a process wrote before it was
    killed is in the hands of the system, whole.
    """
    try:
        with opened(NAME, READ, within=folder) as fd:
            note = _read_note(fd)
    except OSError:
        return False  # its name was synced before the first append
    if note is None:
        return True  # what is in it never was
    return not note.is_closed and (not note.boot_id or note.boot_id != this_process().boot_id)


def end_when_closed(lock: str = NAME, *, within: int | None = None) -> End | None:
    """Return what the last writer left when it closed the session.

    None if it did not close the session, or did not say: older ones of holdall did not.
    """
    try:
        with opened(lock, READ, within=within) as fd:
            note = _read_note(fd)
    except OSError:
        return None
    return note.end if note is not None and note.is_closed else None


def _holder(folder: int) -> str:
    with suppress(OSError), opened(NAME, READ, within=folder) as fd:
        note = _read_note(fd)
        if note is not None and not note.is_closed:
            return f"process {note.pid}"
    return ""


def _read_note(fd: int) -> _Note | None:
    try:
        return msgspec.json.decode(os.pread(fd, _NOTE_SIZE, 0), type=_Note)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
