"""One connection to a database: short transactions, durable when they end."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from holdall.errors import CorruptSessionError, StorageAccessError, StorageFullError
from holdall_plugins.stores.disk import make_folders
from holdall_plugins.stores.os_errors import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.errors import StorageError
    from holdall.stores import Handle

LAYOUT: Final = 1
"""Version of the tables; a database with a higher one is refused."""

PATIENCE_S: Final = 5.0
"""How long a step waits for other processes to end theirs."""

_APPLICATION: Final = int.from_bytes(b"hold")

_TABLES: Final = f"""
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL, epoch INTEGER NOT NULL, pid INTEGER, started TEXT, boot_id TEXT
);
CREATE TABLE entries (
    session INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (session, n)
);
-- Without a ref it is still being written: with a name a log, without one an upload.
-- With both, a wrapper gave the ref, and the name says which bytes are stored as it.
CREATE TABLE blobs (
    key INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL, ref TEXT, name TEXT,
    UNIQUE (session, ref), UNIQUE (session, name)
);
CREATE TABLE chunks (
    blob INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (blob, n)
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {LAYOUT};
"""

_CLEAR: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REASONS: Final = {
    sqlite3.SQLITE_BUSY: f"another process kept it for {PATIENCE_S:g} seconds; try again",
    sqlite3.SQLITE_LOCKED: "another connection keeps it; try again",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database; choose another file",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; check that its folder can be written",
    sqlite3.SQLITE_READONLY: "it can't be written; give this user access to it and its folder",
}


class Database:
    """A connection whose errors say what failed, and whether the outcome is clear."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self._path = path
        self._handle = handle
        # Threads read beside the one that writes, and never see half of what it does.
        self._lock = RLock()
        with self._errors("open"):
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw",
                uri=True,
                timeout=PATIENCE_S,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            self._settle()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def layout(self) -> int:
        """Version of the tables that are there, 0 if there are none."""
        return int(self.rows("PRAGMA user_version")[0][0])

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows at once, so that no lock outlasts the call."""
        with self._lock, self._errors("read"):
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row, None without any."""
        return next(iter(self.rows(statement, *values)), None)

    @contextmanager
    def writing(self, doing: str) -> Iterator[sqlite3.Cursor]:
        """Commit everything that is done inside, durably, or nothing.

        Raises:
            FailedStorageError: Whether it was done is unclear; the handle refuses further work.
        """
        with self._lock, self._errors(doing), closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                self._commit(doing)
            finally:
                if self._connection.in_transaction:
                    self._roll_back(doing)

    def make_tables(self) -> None:
        """Make the tables unless they are there."""
        with self.writing("make tables in") as cursor:
            if self.layout:
                return
            if cursor.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise self._refused("open", "it is the database of something else")
            for statement in _TABLES.split(";"):
                cursor.execute(statement)

    def _settle(self) -> None:
        with self._errors("open"):
            if self._handle.mode == "r":
                self._connection.execute("PRAGMA query_only = ON")
            else:
                # EXTRA also syncs the folder behind the commit: with FULL, a power cut may
                # bring the rollback journal back, and with it what was before the commit.
                self._connection.execute("PRAGMA journal_mode = DELETE").fetchall()
                self._connection.execute("PRAGMA synchronous = EXTRA")
                self._connection.execute("PRAGMA fullfsync = ON")
        if self.layout > LAYOUT:
            reason = (
                f"a newer holdall made it (layout {self.layout}, this one reads up to {LAYOUT}); "
                "upgrade holdall"
            )
            raise self._refused("open", reason)

    def _commit(self, doing: str) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if _code(error) in _CLEAR:
                raise
            raise self._handle.fail(f"a step may not be done ({doing}): {error}") from error

    def _roll_back(self, doing: str) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._handle.fail(f"a step may be half done ({doing}): {error}") from error

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error, doing) from error

    def _explained(self, error: sqlite3.Error, doing: str) -> StorageError:
        code = _code(error)
        if code == sqlite3.SQLITE_FULL:
            return StorageFullError(str(self._path), str(error))
        if code == sqlite3.SQLITE_CORRUPT:
            return CorruptSessionError(self._handle.session_id, str(self._path), str(error))
        return self._refused(doing, _REASONS.get(code, str(error)))

    def _refused(self, doing: str, reason: str) -> StorageAccessError:
        return StorageAccessError(str(self._path), doing, reason)


def make_file(path: Path) -> None:
    """Make an empty database for this user alone, unless it is there."""
    with refusals("make", str(path)):
        make_folders(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
