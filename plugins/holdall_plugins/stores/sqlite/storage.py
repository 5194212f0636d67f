"""One session in a database, open for reading or for writing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    StaleWriterError,
    StorageAccessError,
    StorageError,
)
from holdall.stores import checked_blob, digest_of, is_repeated
from holdall_plugins.stores.sqlite.blobs import SqliteLog, chunks_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.contracts import LogWriter, Repository
    from holdall.stores import Handle
    from holdall_plugins.stores.sqlite.database import Database

PAGE: Final = 256
"""How many entries a reader takes at a time, so that it keeps no writer waiting."""


class SqliteStorage:
    """One session of a database; each append names its epoch, so an old writer's are refused."""

    def __init__(self, database: Database, handle: Handle, key: int, epoch: int) -> None:
        self._database = database
        self._handle = handle
        self._key = key
        self._epoch = epoch

    @property
    def id(self) -> str:
        """The session's id."""
        return self._handle.session_id

    @property
    def where(self) -> str:
        """The database's path."""
        return self._handle.where

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        return self._handle.repository

    @property
    def head(self) -> int:
        """Number of the last entry that is there now, 0 if there is none."""
        self._handle.check()
        return self._now()[0]

    def append(self, entries: Sequence[bytes], *, expect: int) -> int:
        """Store *entries* behind entry *expect*, all or none; durable on return."""
        self._handle.check_writable("append entries")
        behind = expect + len(entries)
        with self._database.writing("append to") as cursor:
            cursor.execute(
                "UPDATE sessions SET head = ? WHERE key = ? AND epoch = ? AND head = ?",
                (behind, self._key, self._epoch, expect),
            )
            is_next = cursor.rowcount == 1
            if is_next:
                cursor.executemany(
                    "INSERT INTO entries (session, n, data) VALUES (?, ?, ?)",
                    ((self._key, n, data) for n, data in enumerate(entries, start=expect + 1)),
                )
        if is_next:
            return behind
        head, epoch = self._now()
        if epoch != self._epoch or not is_repeated(self, entries, expect=expect):
            raise StaleWriterError(self.id, expect, head)
        return head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*; between two of them no lock is held.

        Raises:
            StorageAccessError: The writer trimmed entries that were not read yet.
        """
        self._handle.check()
        self._now()
        return self._read(after)

    def _read(self, after: int) -> Iterator[tuple[int, bytes]]:
        number = after
        while page := self._page(number):
            if number > after and page[0][0] != number + 1:
                reason = f"entry {number + 1} was trimmed meanwhile; read again from the start"
                raise StorageAccessError(self.where, "read on in", reason)
            yield from page
            number = page[-1][0]
            self._handle.check()
        self._now()

    def trim(self, below: int) -> None:
        """Drop the entries before number *below*; the others keep their numbers."""
        self._handle.check_writable("trim entries")
        with self._database.writing("trim a session in") as cursor:
            self._check_epoch(cursor)
            cursor.execute("DELETE FROM entries WHERE session = ? AND n < ?", (self._key, below))

    def put_blob(self, chunks: Iterable[bytes]) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        upload = self._log(None, "store a blob")
        try:
            for chunk in chunks:
                upload.write(chunk)
            return upload.seal()
        except BaseException:
            with suppress(StorageError):
                upload.discard()
            raise

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes that *ref* names; damaged ones raise while they are read."""
        self._handle.check()
        digest_of(ref, session_id=self.id)
        self._now()
        statement = "SELECT key FROM blobs WHERE session = ? AND ref = ?"
        found = self._database.row(statement, self._key, ref)
        if found is None:
            where = f"{self.where}, blob {ref}"
            raise CorruptSessionError(self.id, where, "the blob is not there")
        return checked_blob(chunks_of(self._database, found[0]), ref, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        return self._log(name, "write a log")

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        if self._handle.is_closed:
            return
        if not self._handle.is_inherited:
            with suppress(StorageError):  # or this process stays its writer until it ends
                self._let_go()
            self._database.close()
        self._handle.is_closed = True

    def _let_go(self) -> None:
        if self._handle.mode == "r":
            return
        with self._database.writing("let go of a session in") as cursor:
            cursor.execute(
                "UPDATE sessions SET pid = NULL WHERE key = ? AND epoch = ?",
                (self._key, self._epoch),
            )

    def _log(self, name: str | None, doing: str) -> SqliteLog:
        self._handle.check_writable(doing)
        return SqliteLog(self._database, self._handle, self._key, name, self._check_epoch)

    def _page(self, after: int) -> list[tuple[Any, ...]]:
        statement = "SELECT n, data FROM entries WHERE session = ? AND n > ? ORDER BY n LIMIT ?"
        return self._database.rows(statement, self._key, after, PAGE)

    def _now(self) -> tuple[int, int]:
        found = self._database.row("SELECT head, epoch FROM sessions WHERE key = ?", self._key)
        if found is None:
            raise ClosedStorageError(self.id)
        return found[0], found[1]

    def _check_epoch(self, cursor: sqlite3.Cursor) -> None:
        """Refuse, inside a transaction, if another writer took over."""
        cursor.execute("SELECT head, epoch FROM sessions WHERE key = ?", (self._key,))
        head, epoch = cursor.fetchone() or (0, None)
        if epoch != self._epoch:
            raise StaleWriterError(self.id, head, head)
