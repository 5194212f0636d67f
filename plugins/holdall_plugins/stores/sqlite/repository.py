"""A database that holds sessions, and the writer of each."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from holdall.contracts import SessionEnds
from holdall.errors import (
    CorruptSessionError,
    LockedStorageError,
    SessionExistsError,
    UnknownSessionError,
)
from holdall.journal import Process
from holdall.processes import is_alive, this_process
from holdall.stores import Handle, check_session_id
from holdall_plugins.stores.mounts import refuse_network
from holdall_plugins.stores.sqlite.blobs import drop_rows
from holdall_plugins.stores.sqlite.database import Database, make_file
from holdall_plugins.stores.sqlite.removal import drop_removed
from holdall_plugins.stores.sqlite.storage import SqliteStorage
from holdall_plugins.stores.urls import local_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, Storage


_PAGE: Final = 256

_NEWEST_FIRST: Final = """
SELECT id FROM sessions LEFT JOIN entries ON session = key AND n = head
ORDER BY entries.rowid DESC, key DESC
"""

_ENDS: Final = """
SELECT key, id, head < {first}, first.data, before.data, last.data FROM sessions
LEFT JOIN entries AS last ON last.session = key AND last.n = head
LEFT JOIN entries AS before ON before.session = key AND before.n = head - 1
LEFT JOIN entries AS first ON first.session = key
    AND first.n = (SELECT min(n) FROM entries WHERE session = key)
WHERE key > ? ORDER BY key LIMIT ?
"""

_KINDS: Final = (
    [int, int, int, str, str],
    [int, int, NoneType, str, str],
    [int, int] + [NoneType] * 3,
)
"""What the row of a session may hold: the process that wrote it, or none."""


class SqliteRepository:
    """Sessions in one database file, written by any number of processes of this machine."""

    def __init__(self, path: Path | str, *, trust_fs: bool = False) -> None:
        self._path = Path(path).absolute()
        self._trust_fs = trust_fs

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> SqliteRepository:
        """Return the repository in the file that `sqlite:////path` names."""
        del options
        path, trust_fs = local_path(url, inner, start="sqlite:////")
        return cls(path, trust_fs=trust_fs)

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        return f"sqlite:///{quote(str(self._path))}" + ("?trust_fs=1" if self._trust_fs else "")

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, durable although it is empty."""
        check_session_id(session_id)
        self._refuse_network()
        make_file(self._path)
        try:
            return self._create(session_id, first)
        except CorruptSessionError as error:  # and there is no such session to salvage
            raise CorruptSessionError("", error.location, error.reason) from error

    def _create(self, session_id: str, first: int) -> Storage:
        with self._storage_to_be(session_id, "w") as (database, handle):
            database.make_tables()
            with database.writing("create a session in") as cursor:
                # Inside the transaction: of two that create it, one is refused.
                if database.row("SELECT 1 FROM sessions WHERE id = ?", session_id):
                    raise SessionExistsError(str(self._path), session_id)
                me = this_process()
                cursor.execute(
                    "INSERT INTO sessions (id, first, head, epoch, pid, started, boot_id) "
                    "VALUES (?, ?, ?, 1, ?, ?, ?)",
                    (session_id, first, first - 1, me.pid, me.started, me.boot_id),
                )
                key = cursor.lastrowid or 0
            return SqliteStorage(database, handle, key, 1)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; taking over fences the writer before."""
        check_session_id(session_id)
        if mode == "w":
            self._refuse_network()
        with self._storage_to_be(session_id, mode) as (database, handle):
            if mode == "r":
                key, epoch, _ = self._row_of(database, session_id)
                return SqliteStorage(database, handle, key, epoch)
            with database.writing("open") as cursor:
                key, epoch, holder = self._row_of(database, session_id)
                if not take_over:
                    self._refuse_living(session_id, holder)
                _take(cursor, key, epoch + 1)
                # Left by a writer that was killed while it stored them; nothing names them.
                _drop_uploads(cursor, key)
            return SqliteStorage(database, handle, key, epoch + 1)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first and those without entries last.

        The row id of an entry orders it among those of all sessions.
        """
        with self._reading() as database:
            return iter(() if database is None else _ids(database))

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session, a page of sessions by one query."""
        with self._reading() as database:
            if database is None or not database.layout:
                return
            seen = set()
            try:
                for ends in _summaries(database):
                    seen.add(ends.id)
                    yield ends
            except CorruptSessionError:
                # Each of the others is opened then, and a damaged one says what is wrong.
                others = (session_id for session_id in _ids(database) if session_id not in seen)
                yield from (SessionEnds(session_id, is_whole=False) for session_id in others)

    def exists(self) -> bool:
        """Whether the file is there; the first session makes it."""
        return self._path.exists()

    def remove(self, session_id: str) -> None:
        """Remove a session in one transaction; what it leaves is dropped in others behind it."""
        check_session_id(session_id)
        self._refuse_network()
        with self._storage_to_be(session_id, "w") as (database, _handle):
            with database.writing("remove a session from") as cursor:
                key, _epoch, holder = self._row_of(database, session_id)
                self._refuse_living(session_id, holder)
                cursor.execute("DELETE FROM sessions WHERE key = ?", (key,))
            drop_removed(database)
            database.close()

    @contextmanager
    def _reading(self) -> Iterator[Database | None]:
        """Give the database for reading, None if there is none yet."""
        if not self.exists():
            yield None
            return
        database = Database(self._path, Handle("", str(self._path), "r", self))
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def _storage_to_be(self, session_id: str, mode: Mode) -> Iterator[tuple[Database, Handle]]:
        if not self.exists():
            raise UnknownSessionError(str(self._path), session_id)
        handle = Handle(session_id, str(self._path), mode, self)
        database = Database(self._path, handle)
        try:
            yield database, handle
        except BaseException:
            database.close()
            raise

    def _row_of(self, database: Database, session_id: str) -> tuple[int, int, Process | None]:
        statement = "SELECT key, epoch, pid, started, boot_id FROM sessions WHERE id = ?"
        row = database.row(statement, session_id) if database.layout else None
        if row is None:
            raise UnknownSessionError(str(self._path), session_id, _ids(database))
        key, epoch, pid, started, boot_id = row
        if [type(value) for value in row] not in _KINDS:
            raise database.damaged(f"the row of the session holds {row!r}")
        holder = None if pid is None else Process(pid=pid, started=started, boot_id=boot_id)
        return key, epoch, holder

    def _refuse_living(self, session_id: str, holder: Process | None) -> None:
        if holder is not None and is_alive(holder):
            raise LockedStorageError(session_id, str(self._path), f"process {holder.pid}")

    def _refuse_network(self) -> None:
        if not self._trust_fs:
            refuse_network(self._path)


def _ids(database: Database) -> tuple[str, ...]:
    if not database.layout:
        return ()  # a process was killed before it had made the tables
    try:
        rows = database.rows(_NEWEST_FIRST)
    except CorruptSessionError:
        rows = _ids_beside_damage(database)
    return tuple(str(session_id) for (session_id,) in rows)


def _ids_beside_damage(database: Database) -> list[tuple[str]]:
    """Return the ids without a look at entries, by the index if the table can't be read."""
    try:
        return database.rows("SELECT id FROM sessions NOT INDEXED ORDER BY key DESC")
    except CorruptSessionError:
        return database.rows("SELECT id FROM sessions ORDER BY id")


def _summaries(database: Database) -> Iterator[SessionEnds]:
    key: int | None = 0
    while key is not None:
        page = database.rows(_ENDS.format(first=database.first), key, _PAGE)
        key = page[-1][0] if page else None
        for _key, session_id, is_new, first, before, last in page:
            two = tuple(entry for entry in (before, last) if type(entry) is bytes)
            is_empty = is_new == 1 and first is None
            is_whole = is_empty or (type(first) is type(last) is bytes)
            yield SessionEnds(str(session_id), first, two, is_whole)


def _take(cursor: sqlite3.Cursor, key: int, epoch: int) -> None:
    """Make this process the writer, so that no other's appends are accepted any more."""
    me = this_process()
    cursor.execute(
        "UPDATE sessions SET epoch = ?, pid = ?, started = ?, boot_id = ? WHERE key = ?",
        (epoch, me.pid, me.started, me.boot_id, key),
    )


def _drop_uploads(cursor: sqlite3.Cursor, key: int) -> None:
    chosen = "SELECT key FROM blobs WHERE session = ? AND ref IS NULL AND name IS NULL"
    for (upload,) in cursor.execute(chosen, (key,)).fetchall():
        drop_rows(cursor, upload)


if TYPE_CHECKING:
    _: type[Repository] = SqliteRepository
