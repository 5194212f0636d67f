"""Logs, and the blobs that they become, as rows of at most 1 MiB."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdall.stores import digest_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from holdall.stores import Handle
    from holdall_plugins.stores.sqlite.database import Database

_CHUNK: Final = 1 << 20
_STORED_AS: Final = " is "


class SqliteLog:
    """A log that is open for appending; one without a name is a blob on its way in."""

    def __init__(
        self,
        database: Database,
        handle: Handle,
        session: int,
        name: str | None,
        check_epoch: Callable[[sqlite3.Cursor], None],
    ) -> None:
        self._database = database
        self._handle = handle
        self._session = session
        self._name = name
        self._check_epoch = check_epoch
        self._waiting = bytearray()
        self._digest = sha256()
        self._size = 0
        self._next = 0
        self._is_open = True
        self._key = self._resumed()

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append bytes; they wait in memory until there is 1 MiB of them, or until `flush`."""
        self._check()
        self._waiting += data
        self._digest.update(data)
        self._size += len(data)
        if len(self._waiting) >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Store everything, durably.

        Raises:
            StorageFullError: No room; the bytes still wait.
        """
        self._check()
        with self._handle.writing("write a log"):
            if not self._waiting:
                return
            with self._database.writing("write a log to") as cursor:
                self._check_epoch(cursor)
                key, following = self._write(cursor)
            self._key, self._next = key, following
            self._waiting.clear()

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        self._check()
        actual = f"sha256:{self._digest.hexdigest()}"
        ref = ref or actual
        digest_of(ref, session_id=self._handle.session_id)
        name = None if ref == actual else f"{ref}{_STORED_AS}{actual}"
        with self._handle.writing("seal a log"):
            with self._database.writing("seal a log in") as cursor:
                self._check_epoch(cursor)
                key, _ = self._write(cursor)
                known = "SELECT 1 FROM blobs WHERE session = ? AND ref = ?"
                if cursor.execute(known, (self._session, ref)).fetchone():
                    drop_rows(cursor, key)
                else:
                    change = "UPDATE blobs SET ref = ?, name = ? WHERE key = ?"
                    cursor.execute(change, (ref, name, key))
            self._is_open = False
        return ref

    def discard(self) -> None:
        """Drop the log."""
        if not self._is_open:
            return
        with self._handle.writing("drop a log"):
            if self._key is not None:
                with self._database.writing("drop a log from") as cursor:
                    self._check_epoch(cursor)
                    drop_rows(cursor, self._key)
            self._is_open = False

    def _resumed(self) -> int | None:
        key = None
        if self._name is not None:
            key = log_key(self._database, self._session, self._name)
        if key is not None:
            for chunk in chunks_of(self._database, key):
                self._digest.update(chunk)
                self._size += len(chunk)
                self._next += 1
        return key

    def _write(self, cursor: sqlite3.Cursor) -> tuple[int, int]:
        key, following = self._key, self._next
        if key is None:
            statement = "INSERT INTO blobs (session, name) VALUES (?, ?)"
            key = cursor.execute(statement, (self._session, self._name)).lastrowid or 0
        for start in range(0, len(self._waiting), _CHUNK):
            data = bytes(self._waiting[start : start + _CHUNK])
            statement = "INSERT INTO chunks (blob, n, data) VALUES (?, ?, ?)"
            cursor.execute(statement, (key, following, data))
            following += 1
        return key, following

    def _check(self) -> None:
        self._handle.check()
        if not self._is_open:
            raise ValueError(f"the log {self._name!r} was sealed or discarded")


def log_key(database: Database, session: int, name: str) -> int | None:
    """Return the key of the live log *name*, None if there is no such log."""
    statement = "SELECT key FROM blobs WHERE session = ? AND name = ? AND ref IS NULL"
    row = database.row(statement, session, name)
    return int(row[0]) if row else None


def blob_key(database: Database, session: int, ref: str) -> tuple[int, str] | None:
    """Return the key of the blob stored as *ref*, and the digest of its bytes; None without it."""
    row = database.row("SELECT key, name FROM blobs WHERE session = ? AND ref = ?", session, ref)
    if row is None:
        return None
    return int(row[0]), str(row[1]).rpartition(_STORED_AS)[2] if row[1] else ref


def chunks_of(database: Database, blob: int) -> Iterator[bytes]:
    """Yield the rows of a blob; no lock is held between two of them."""
    number = 0
    statement = "SELECT data FROM chunks WHERE blob = ? AND n = ?"
    while row := database.row(statement, blob, number):
        if type(row[0]) is not bytes:
            raise database.damaged(f"row {number} of blob {blob} is no bytes")
        yield row[0]
        number += 1


def drop_rows(cursor: sqlite3.Cursor, key: int) -> None:
    """Drop a log or a blob, inside a transaction."""
    cursor.execute("DELETE FROM chunks WHERE blob = ?", (key,))
    cursor.execute("DELETE FROM blobs WHERE key = ?", (key,))
