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
from holdall.stores import checked_blob, digest_of, file_of, is_compacted, is_repeated, sealed
from holdall_plugins.stores.sqlite.blobs import (
    SqliteLog,
    blob_key,
    chunks_of,
    drop_rows,
    log_key,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.contracts import Level, LogWriter, Repository
    from holdall.stores import Handle
    from holdall_plugins.stores.sqlite.database import Database

PAGE: Final = 256
"""How many entries a reader takes at a time, so that it keeps no writer waiting."""

_FIRST: Final = "SELECT {first} FROM sessions WHERE key = ?"


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
        """Number of the last entry that is there now, one less than the first if none is."""
        self._handle.check()
        return self._now()[0]

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none; durable on return at any level.

        A database that is not synced may be damaged by a power cut, all of it, so
        the level `process` is no less than `system` here.
        """
        del level
        behind = expect + len(entries)
        with self._handle.writing("append entries"):
            with self._database.writing("append to") as cursor:
                is_next = self._moved(cursor, expect, behind)
                if is_next:
                    cursor.executemany(
                        "INSERT INTO entries (session, n, data) VALUES (?, ?, ?)",
                        ((self._key, n, data) for n, data in enumerate(entries, start=expect + 1)),
                    )
            if is_next:
                return behind
            head, epoch = self._now()
            # A batch that is stored already is repeated after an unclear failure: no error.
            if epoch != self._epoch or not is_repeated(self, entries, expect=expect):
                raise StaleWriterError(self.id, expect, head)
            return head

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Put *snapshot*, the entry behind *expect*, in the place of all entries at once."""
        number = expect + 1
        with self._handle.writing("compact entries"):
            with self._database.writing("compact a session in") as cursor:
                is_next = self._moved(cursor, expect, number)
                if is_next:
                    self._replace_all(cursor, number, snapshot)
            if is_next:
                return number
            head, epoch = self._now()
            if epoch != self._epoch or not is_compacted(self, snapshot, expect=expect):
                raise StaleWriterError(self.id, expect, head)
            return head

    def _moved(self, cursor: sqlite3.Cursor, expect: int, behind: int) -> bool:
        """Whether the head was *expect*, and nobody took over; it is *behind* now."""
        # Check and change in one statement: no other process comes between.
        cursor.execute(
            "UPDATE sessions SET head = ? WHERE key = ? AND epoch = ? AND head = ?",
            (behind, self._key, self._epoch, expect),
        )
        return cursor.rowcount == 1

    def _replace_all(self, cursor: sqlite3.Cursor, number: int, snapshot: bytes) -> None:
        statement = "INSERT INTO entries (session, n, data) VALUES (?, ?, ?)"
        cursor.execute(statement, (self._key, number, snapshot))
        stored = "SELECT data FROM entries WHERE session = ? AND n = ?"
        if cursor.execute(stored, (self._key, number)).fetchone() != (snapshot,):
            location = f"{self.where}, entry {number}"
            reason = "what was written reads back differently"
            raise CorruptSessionError(self.id, location, reason)
        cursor.execute("DELETE FROM entries WHERE session = ? AND n < ?", (self._key, number))

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*; between two of them no lock is held.

        Raises:
            StorageAccessError: The writer compacted entries that were not read yet.
        """
        self._handle.check()
        self._now()
        return self._read(after)

    def _read(self, after: int) -> Iterator[tuple[int, bytes]]:
        number = after
        while True:
            page, head = self._page(number), self._now()[0]
            if not page:
                if number < head and self._page(number):
                    continue  # appended since
                break
            first = page[0][0]
            if not isinstance(first, int):
                raise self._damaged(f"one has the number {first!r}")
            if number > after and first != number + 1:
                reason = f"entry {number + 1} was compacted meanwhile; read again from the start"
                raise StorageAccessError(self.where, "read on in", reason)
            yield from self._whole(page, first, head)
            number = first + len(page) - 1
            self._handle.check()
        if number < head and not self._is_new(head):
            raise self._damaged(f"the entries behind {number} up to {head} are missing")

    def _is_new(self, head: int) -> bool:
        """Whether nothing was ever appended; a copy begins with another number than 1."""
        statement = _FIRST.format(first=self._database.first)
        return self._database.row(statement, self._key) == (head + 1,)

    def _whole(
        self, page: list[tuple[Any, ...]], first: int, head: int
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the entries of a page up to what is damaged, so that they can be salvaged."""
        for due, (number, data) in enumerate(page, start=first):
            if number != due:
                raise self._damaged(f"entries are missing between {due - 1} and {number!r}")
            if type(data) is not bytes:
                raise self._damaged(f"entry {due} is no bytes")
            if due > head:
                raise self._damaged(f"entry {due} is there, and the last is to be {head}")
            yield due, data

    def _damaged(self, reason: str) -> CorruptSessionError:
        return CorruptSessionError(self.id, f"{self.where}, its entries", reason)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        with self._handle.writing("store a blob"):
            return sealed(self._log(None), chunks, ref=ref)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        self._handle.check()
        digest_of(ref, session_id=self.id)
        self._now()
        stored = blob_key(self._database, self._key, ref)
        if stored is None:
            location = f"{self.where}, blob {ref}"
            raise CorruptSessionError(self.id, location, "the blob is not there")
        key, actual = stored
        return checked_blob(chunks_of(self._database, key), actual, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        with self._handle.writing("write a log"):
            return self._log(name)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*: nothing if there is no such log."""
        self._handle.check()
        self._now()
        key = log_key(self._database, self._key, name)
        return file_of(iter(()) if key is None else chunks_of(self._database, key))

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        self._handle.check()
        statement = "SELECT ref FROM blobs WHERE session = ? AND ref IS NOT NULL"
        return (ref for (ref,) in self._database.rows(statement, self._key))

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        self._handle.check()
        statement = "SELECT name FROM blobs WHERE session = ? AND ref IS NULL AND name IS NOT NULL"
        return (name for (name,) in self._database.rows(statement, self._key))

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self._handle.writing("drop a blob"):
            stored = blob_key(self._database, self._key, ref)
            if stored is not None:
                with self._database.writing("drop a blob from") as cursor:
                    self._check_epoch(cursor)
                    drop_rows(cursor, stored[0])

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

    def _log(self, name: str | None) -> SqliteLog:
        return SqliteLog(self._database, self._handle, self._key, name, self._check_epoch)

    def _page(self, after: int) -> list[tuple[Any, ...]]:
        statement = "SELECT n, data FROM entries WHERE session = ? AND n > ? ORDER BY n LIMIT ?"
        return self._database.rows(statement, self._key, after, PAGE)

    def _now(self) -> tuple[int, int]:
        row = self._database.row("SELECT head, epoch FROM sessions WHERE key = ?", self._key)
        if row is None:
            raise ClosedStorageError(self.id)
        if not isinstance(row[0], int):
            raise self._damaged(f"the number of the last one is {row[0]!r}")
        return row[0], row[1]

    def _check_epoch(self, cursor: sqlite3.Cursor) -> None:
        """Refuse, inside a transaction, if another writer took over."""
        cursor.execute("SELECT head, epoch FROM sessions WHERE key = ?", (self._key,))
        head, epoch = cursor.fetchone() or (0, None)
        if epoch != self._epoch:
            raise StaleWriterError(self.id, head, head)
