"""One connection to a database: short transactions, durable when they end."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from random import Random
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from holdall.errors import (
    BusyStorageError,
    CorruptSessionError,
    StorageAccessError,
    StorageFullError,
)
from holdall_plugins.stores.disk import make_folders
from holdall_plugins.stores.os_errors import PUT_BACK, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.errors import FailedStorageError, StorageError
    from holdall.stores import Handle

T = TypeVar("T")

LAYOUT: Final = 2
"""Version of the tables; a database with a higher one is refused."""

PATIENCE_S: Final = 30.0
"""How long a step waits while the processes that keep the database make no progress."""

_SHORTEST_PAUSE_S: Final = 0.0002
_LONGEST_PAUSE_S: Final = 0.0015

_KEPT_JOURNAL: Final = 1 << 20
"""Bytes of the rollback journal that stay after a commit, for the next one to overwrite."""

_APPLICATION: Final = int.from_bytes(b"hold")

_TABLES: Final = f"""
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL, epoch INTEGER NOT NULL, pid INTEGER, started TEXT, boot_id TEXT,
    first INTEGER NOT NULL DEFAULT 1
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

_CHANGES: Final = {
    # Which entry is the first tells a copy that is still empty from one that lost its entries.
    1: "ALTER TABLE sessions ADD COLUMN first INTEGER NOT NULL DEFAULT 1",
}
"""What makes each layout the next one."""

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CLEAR: Final = frozenset({sqlite3.SQLITE_FULL, *_BUSY})
_REASONS: Final = {
    sqlite3.SQLITE_NOTADB: "it is no SQLite database; choose another file",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; check that its folder can be written",
    sqlite3.SQLITE_READONLY: "it can't be written; give this user access to it and its folder",
}

_QUEUE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_REPLACED: Final = "its file was removed, renamed or replaced while it was written"
_SETTINGS: Final = (
    "PRAGMA journal_mode = PERSIST",
    f"PRAGMA journal_size_limit = {_KEPT_JOURNAL}",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
)


class Database:
    """A connection whose errors say what failed, and whether the outcome is clear."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self._path = path
        self._handle = handle
        # Threads read beside the one that writes, and never see half of what it does.
        self._lock = RLock()
        self._identity = _identity(path)
        self._layout = 0
        self._queue: int | None = None
        with self._errors("open"):
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw",
                uri=True,
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
        self._connection.text_factory = _text
        try:
            self._settle()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        if self._queue is not None:
            os.close(self._queue)
            self._queue = None

    @property
    def layout(self) -> int:
        """Version of the tables that are there, 0 if there are none."""
        if not self._layout:
            self._layout = int(self.rows("PRAGMA user_version")[0][0])
        return self._layout

    @property
    def first(self) -> str:
        """Column of the number that a session begins with; before there was one, it was 1."""
        return "sessions.first" if self.layout > 1 else "1"

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows at once, so that no lock outlasts the call.

        Raises:
            BusyStorageError: Another process keeps the database and makes no progress.
        """
        with self._lock, self._errors("read"):
            return self._patiently(lambda: self._connection.execute(statement, values).fetchall())

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row, None without any."""
        return next(iter(self.rows(statement, *values)), None)

    @contextmanager
    def writing(self, doing: str) -> Iterator[sqlite3.Cursor]:
        """Commit everything that is done inside, durably, or nothing.

        Raises:
            BusyStorageError: Another process keeps the database and makes no progress;
                nothing was done.
            FailedStorageError: Whether it was done is unclear, or the file was removed or
                replaced; the handle refuses further work.
        """
        with (
            self._lock,
            self._errors(doing),
            self._turn(doing),
            closing(self._connection.cursor()) as cursor,
        ):
            self._patiently(lambda: cursor.execute("BEGIN IMMEDIATE"))
            try:
                yield cursor
                self._commit(doing)
            finally:
                if self._connection.in_transaction:
                    self._roll_back(doing)

    def make_tables(self) -> None:
        """Make the tables unless they are there, or bring them to the layout of now."""
        if self.layout:
            self._change_tables()
            return
        # In effect only until the first page is written, so before the transaction begins.
        self.rows("PRAGMA auto_vacuum = INCREMENTAL")
        with self.writing("make tables in") as cursor:
            if self.layout:
                return
            if cursor.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise self._refused("open", "it is the database of something else")
            for statement in _TABLES.split(";"):
                cursor.execute(statement)

    def _change_tables(self) -> None:
        if self.layout == LAYOUT:
            return
        with self.writing("change tables in") as cursor:
            [found] = cursor.execute("PRAGMA user_version").fetchone()
            for layout in range(found, LAYOUT):
                cursor.execute(_CHANGES[layout])
                cursor.execute(f"PRAGMA user_version = {layout + 1}")
        self._layout = LAYOUT

    def _settle(self) -> None:
        with self._errors("open"):
            if self._handle.mode == "r":
                self._connection.execute("PRAGMA query_only = ON")
            else:
                # A commit overwrites the header of the rollback journal and syncs it; a
                # journal that was deleted may come back with a power cut, and what was
                # before the commit with it, unless the folder is synced as well.
                for setting in _SETTINGS:
                    self.rows(setting)
        if self._is_replaced:
            raise self._refused("open", "it was replaced meanwhile; try again")
        if self.layout > LAYOUT:
            reason = (
                f"a newer holdall made it (layout {self.layout}, this one reads up to {LAYOUT}); "
                "upgrade holdall"
            )
            raise self._refused("open", reason)

    @contextmanager
    def _turn(self, doing: str) -> Iterator[None]:
        """Wait for the turn of this connection among those that write.

        The engine excludes them, too, but to ask it is dear: many who ask keep the one
        that works from working. What it costs to be in no queue is time, and no more.
        """
        with refusals(doing, str(self._path)):
            if self._queue is None:
                self._queue = os.open(f"{self._path}-queue", _QUEUE, 0o600)
            patience = _Patience(self._path)
            while not _is_locked(self._queue):
                if not patience.lasts():
                    raise BusyStorageError(str(self._path), doing, PATIENCE_S)
        try:
            yield
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)

    def _commit(self, doing: str) -> None:
        try:
            self._patiently(lambda: self._connection.execute("COMMIT"))
        except sqlite3.Error as error:
            if _code(error) in _CLEAR:
                raise
            raise self._unclear(f"a step may not be done ({doing}): {error}") from error
        # What nobody finds at the path is not stored, whatever the engine says.
        if self._is_replaced:
            raise self._handle.fail(_REPLACED, advice=PUT_BACK)

    def _roll_back(self, doing: str) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._unclear(f"a step may be half done ({doing}): {error}") from error

    @property
    def _is_replaced(self) -> bool:
        return self._identity != _identity(self._path)

    def _unclear(self, reason: str) -> FailedStorageError:
        """Return the error that says why no more is done, and what became of the rest."""
        if self._is_replaced:
            return self._handle.fail(_REPLACED, advice=PUT_BACK)
        return self._handle.fail(reason)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error, doing) from error
        except UnicodeDecodeError as error:  # a message quotes the name of a damaged table
            raise self.damaged("a name in it is no text") from error

    def _patiently(self, step: Callable[[], T]) -> T:
        """Do *step*, again and again for as long as others keep the database and go on."""
        patience = _Patience(self._path)
        while True:
            try:
                return step()
            except sqlite3.OperationalError as error:
                if _code(error) not in _BUSY or not patience.lasts():
                    raise

    def _explained(self, error: sqlite3.Error, doing: str) -> StorageError:
        code = _code(error)
        if self._handle.mode == "w" and self._is_replaced:
            return self._handle.fail(_REPLACED, advice=PUT_BACK)
        if code in _BUSY:
            return BusyStorageError(str(self._path), doing, PATIENCE_S)
        if code == sqlite3.SQLITE_FULL:
            return StorageFullError(str(self._path), str(error))
        if code == sqlite3.SQLITE_CORRUPT:
            return self.damaged(str(error))
        if code == sqlite3.SQLITE_CANTOPEN and self._path.is_dir():
            return self._refused(doing, "it is a folder; name a file in it")
        return self._refused(doing, _REASONS.get(code, str(error)))

    def damaged(self, reason: str) -> CorruptSessionError:
        """Return the error that says that the database does not hold what was stored."""
        return CorruptSessionError(self._handle.session_id, str(self._path), reason)

    def _refused(self, doing: str, reason: str) -> StorageAccessError:
        return StorageAccessError(str(self._path), doing, reason)


def make_file(path: Path) -> None:
    """Make an empty database for this user alone, unless it is there."""
    with refusals("make", str(path)):
        make_folders(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


class _Patience:
    """Pauses of one step that others keep waiting.

    The pauses grow with the load, so that many who wait don't keep the one that works
    from working. They are of random length: the same ones would meet again and again.
    """

    def __init__(self, path: Path) -> None:
        self._paths = (path, path.with_name(f"{path.name}-journal"))
        self._random = Random()  # noqa: S311 - the length of a pause
        self._moved = time.monotonic()
        self._progress: tuple[int, ...] = ()
        self._pause = _SHORTEST_PAUSE_S

    def lasts(self) -> bool:
        """Pause, and return whether it makes sense to try again."""
        now = time.monotonic()
        progress = tuple(map(_changed, self._paths))
        if progress != self._progress:
            self._progress, self._moved = progress, now
        if now - self._moved >= PATIENCE_S:
            return False
        time.sleep(self._pause * self._random.uniform(0.5, 1.5))
        self._pause = min(self._pause * 1.2, _LONGEST_PAUSE_S)
        return True


def _is_locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _text(data: bytes) -> str:
    """Return a text of the database; one that is damaged is no reason to read no other."""
    return data.decode(errors="backslashreplace")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file is at *path*, None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
