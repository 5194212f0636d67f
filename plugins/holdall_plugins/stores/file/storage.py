"""One session's folder, open for reading or for writing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import ClosedStorageError, StaleWriterError
from holdall.stores import is_repeated
from holdall_plugins.stores.file.blobs import Blobs
from holdall_plugins.stores.file.journal import JournalReader, JournalWriter
from holdall_plugins.stores.file.logs import FileLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from holdall.contracts import LogWriter, Repository
    from holdall.stores import Handle
    from holdall_plugins.stores.file.lock import SessionLock


class FileStorage:
    """One session in a folder of plain files.

    Attributes:
        folder: Where the session's files are: an optional capability, for runners that
            hand jobs a folder to share and for tests that look behind the store's back.
    """

    def __init__(self, folder: Path, fd: int, handle: Handle, lock: SessionLock | None) -> None:
        self.folder: Final = folder
        self._fd = fd
        self._handle = handle
        self._lock = lock
        self._reader = JournalReader(fd, handle)
        self._writer = JournalWriter(fd, handle, self._reader) if lock else None
        self._blobs = Blobs(fd, handle)
        self._logs: list[FileLog] = []

    @property
    def id(self) -> str:
        """The session's id."""
        return self._handle.session_id

    @property
    def where(self) -> str:
        """The session's folder."""
        return self._handle.where

    @property
    def recovered(self) -> str:
        """What was repaired when the session was opened, empty if all was well."""
        return self._writer.recovered if self._writer else ""

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        return self._handle.repository

    @property
    def head(self) -> int:
        """Number of the last entry that is there now, 0 if there is none."""
        self._check()
        return self._writer.head if self._writer else self._reader.head

    def append(self, entries: Sequence[bytes], *, expect: int) -> int:
        """Store *entries* behind entry *expect*, all or none; durable on return."""
        writer = self._writing("append entries")
        if writer.head != expect:
            if not is_repeated(self, entries, expect=expect):
                raise StaleWriterError(self.id, expect, writer.head)
        elif entries:
            writer.append(entries)
        return writer.head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*, beside a writer that goes on."""
        self._check()
        return self._reader.read(after)

    def trim(self, below: int) -> None:
        """Drop the entries before number *below*; readers that began before still see them."""
        self._writing("trim entries").trim(below)

    def put_blob(self, chunks: Iterable[bytes]) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        self._writing("store a blob")
        return self._blobs.put(chunks)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes that *ref* names; damaged ones raise while they are read."""
        self._check()
        return self._blobs.open(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        self._writing("write a log")
        log = FileLog(name, self._fd, self._handle, self._blobs)
        self._logs.append(log)
        return log

    def close(self) -> None:
        """Let go of the folder and its lock; calling it again does nothing."""
        if self._handle.is_closed:
            return
        self._handle.is_closed = True
        for log in self._logs:
            log.close()
        if self._writer:
            self._writer.close()
        if self._lock and not self._handle.is_inherited:
            self._lock.release()
        os.close(self._fd)

    def _check(self) -> None:
        self._handle.check()
        if not is_at(self.folder, self._fd):
            raise ClosedStorageError(self.id)

    def _writing(self, doing: str) -> JournalWriter:
        self._handle.check()
        if self._writer is None:
            raise self._handle.read_only(doing)
        return self._writer


def is_at(folder: Path, fd: int) -> bool:
    """Whether the folder that is open as *fd* is still the one at that path."""
    try:
        return os.path.samestat(folder.lstat(), os.fstat(fd))
    except OSError:
        return False
