"""One session's folder, open for reading or for writing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import ClosedStorageError, StaleWriterError
from holdall.stores import file_of, is_compacted, is_repeated
from holdall_plugins.stores.file.blobs import Blobs
from holdall_plugins.stores.file.journal import JournalReader, JournalWriter
from holdall_plugins.stores.file.logs import FileLog, flushed, log_names
from holdall_plugins.stores.file.reachability import Reachability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from holdall.contracts import Level, LogWriter, Repository
    from holdall.stores import Handle
    from holdall_plugins.stores.file.lock import SessionLock


class FileStorage:
    """One session in a folder of plain files.

    Attributes:
        folder: Where the session's files are.
    """

    def __init__(
        self, folder: Path, fd: int, handle: Handle, lock: SessionLock | None, *, first: int = 1
    ) -> None:
        self.folder: Final = folder
        self._fd = fd
        self._handle = handle
        self._lock = lock
        self._reachability = Reachability(folder, fd, handle, lock)
        self._reader = JournalReader(fd, handle)
        self._writer = (
            JournalWriter(fd, handle, self._reader, self._reachability, first) if lock else None
        )
        self._blobs = Blobs(fd, handle, self._reachability)
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
        """Number of the last entry that is there now, one less than the first if none is."""
        self._check()
        return self._writer.head if self._writer else self._reader.head

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none.

        They are synced on return, or, with the level `process`, in the system's hands
        then and synced 0.75 seconds later by a thread, or by what comes first of the
        next append at `system`, a compaction and `close`.
        """
        with self._handle.writing("append entries"):
            writer = self._writing("append entries")
            if writer.head != expect:
                if not is_repeated(self, entries, expect=expect):
                    raise StaleWriterError(self.id, expect, writer.head)
            elif entries:
                writer.append(entries, level)
                return writer.head
            if level == "system":  # what is there may still wait for its sync
                writer.sync_what_waits()
            return writer.head

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Put *snapshot*, the entry behind *expect*, in the place of all entries.

        It is written to a new file, synced and read back; renaming it is the step.
        Readers that began before still see the old file to its end.
        """
        with self._handle.writing("compact entries"):
            writer = self._writing("compact entries")
            if writer.head == expect:
                writer.compact(snapshot)
            elif not is_compacted(self, snapshot, expect=expect):
                raise StaleWriterError(self.id, expect, writer.head)
            return writer.head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*, beside a writer that goes on."""
        self._check()
        return self._reader.read(after)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        with self._handle.writing("store a blob"):
            self._writing("store a blob")
            return self._blobs.put(chunks, ref)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        self._check()
        return self._blobs.open(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        with self._handle.writing("write a log"):
            self._writing("write a log")
            log = FileLog(name, self._fd, self._handle, self._blobs, self._reachability)
            self._logs.append(log)
            return log

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*: nothing if there is no such log."""
        self._check()
        return file_of(flushed(name, self._fd, self._handle.where))

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        self._check()
        return iter(self._blobs.refs())

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs; one that a holdall of format 1 left has none."""
        self._check()
        return iter(log_names(self._fd, self._handle.where))

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self._handle.writing("drop a blob"):
            self._writing("drop a blob")
            self._blobs.drop(ref)
            self._check()

    def close(self) -> None:
        """Let go of the folder and its lock; calling it again does nothing."""
        if self._handle.is_closed:
            return
        # Comes first: if the last sync fails, the storage is closed all the same.
        self._handle.is_closed = True
        for log in self._logs:
            log.close()
        try:
            if self._writer:
                self._writer.close()
                self._note_closed()
        finally:
            self._release()
            os.close(self._fd)

    def _note_closed(self) -> None:
        # Of a session that was closed, everything is synced: whatever is amiss later is damage.
        if not self._lock or not self._writer or self._handle.is_inherited:
            return
        if not self._handle.failure:
            self._lock.note_closed(self._writer.last)

    def _release(self) -> None:
        if self._lock and not self._handle.is_inherited:
            self._lock.release()

    def _check(self) -> None:
        self._handle.check()
        if not self._reachability.is_at_path:
            if self._writer:
                raise self._reachability.gone()
            # The session may have been removed, and another one made under its id.
            raise ClosedStorageError(self.id)

    def _writing(self, doing: str) -> JournalWriter:
        if self._writer is None:
            raise self._handle.read_only(doing)
        self._reachability.check_lock()
        return self._writer
