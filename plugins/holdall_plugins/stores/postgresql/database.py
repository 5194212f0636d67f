"""A connection to a database, made again when it is lost."""

from __future__ import annotations

from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import psycopg

from holdall.errors import StorageAccessError
from holdall_plugins.stores.postgresql.migrations import MIGRATIONS, check, migrate
from holdall_plugins.stores.postgresql.patience import Patience, TimedConnection
from holdall_plugins.stores.postgresql.refusals import (
    LOCK_TIMEOUT_S,
    explained,
    is_conflict,
    is_lost,
    is_starting,
    reason_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event
    from typing import LiteralString

    from holdall.stores import Handle
    from holdall_plugins.stores.postgresql.location import Location

T = TypeVar("T")

Connection = psycopg.Connection[tuple[Any, ...]]

OLDEST: Final = 130000
"""The oldest version of a server that is taken."""

_SETTLE: Final = """
SELECT set_config('search_path', quote_ident(%(schema)s), false),
    set_config('default_transaction_isolation', 'read committed', false),
    -- `off` would acknowledge what is not stored; all other levels are at least as good as `on`
    -- on this machine, and are the administrator's to choose.
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),
    set_config('lock_timeout', CASE current_setting('lock_timeout')
        WHEN '0' THEN %(lock_timeout)s ELSE current_setting('lock_timeout') END, false),
    -- So that the server finds out that a writer's machine is gone, and lets another one in.
    set_config('tcp_keepalives_idle', '30', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '3', false),
    current_setting('fsync'), current_setting('full_page_writes'), pg_is_in_recovery(),
    current_setting('transaction_read_only'), current_setting('server_encoding')
"""
_SET: Final = 7


class _State(NamedTuple):
    fsync: str
    full_page_writes: str
    is_replica: bool
    read_only: str
    encoding: str


class Database:
    """A connection whose steps are made again while the server is away.

    A step that changes something compares first what it found the first time, so
    that it may be made again: its outcome is settled by what is there.

    Args:
        was_reached: Whether this process reached the server before: one that is away then will
            come back, and one that never was there is an error in the URL.
        make: Whether to make the tables unless they are there.

    Attributes:
        regained: What a writer does on each new connection, to be the writer again.
    """

    def __init__(
        self, location: Location, handle: Handle, was_reached: Event, *, make: bool = False
    ) -> None:
        self.location = location
        self.regained: Callable[[Connection], None] = _nothing
        self._handle = handle
        # Threads read beside the one that writes, each for as long as one step takes.
        self._lock = RLock()
        self._connection: TimedConnection | None = None
        self._was_reached = was_reached
        self._tables = 0
        try:
            self._open(make=make)
        except BaseException:
            self.close()
            raise

    def _open(self, *, make: bool) -> None:
        find = _making(self.location) if make else _checking(self.location)
        self._tables = self.change("open", find)
        if 0 < self._tables < len(MIGRATIONS):
            reason = (
                f"an older holdall made the schema {self.location.schema!r}; "
                "the next session that is created in it brings it up to date"
            )
            raise StorageAccessError(self.location.url, "open", reason)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @property
    def is_made(self) -> bool:
        """Whether the schema has tables."""
        return self._tables > 0

    def once(self, step: Callable[[Connection], object]) -> None:
        """Do *step* if the connection is there, and leave it if that fails."""
        with self._lock, suppress(psycopg.Error):
            if self._connection is not None and not self._connection.closed:
                step(self._connection)

    def rows(self, statement: LiteralString, **values: object) -> list[tuple[Any, ...]]:
        """Return what a statement reads, all of it.

        Raises:
            StorageAccessError: The server was away for too long, or refused.
        """
        return self._patiently("read", lambda connection: run(connection, statement, values))

    def row(self, statement: LiteralString, **values: object) -> tuple[Any, ...] | None:
        """Return the first row, None without any."""
        return next(iter(self.rows(statement, **values)), None)

    def change(self, doing: str, step: Callable[[Connection], T]) -> T:
        """Do *step*, which may be made again, and return what it returns.

        Raises:
            StorageFullError, StorageAccessError: Nothing was changed.
            FailedStorageError: The connection was lost and did not come back; the handle
                refuses further work.
        """
        return self._patiently(doing, step, fails=bool(self.regained is not _nothing))

    def _patiently(self, doing: str, step: Callable[[Connection], T], *, fails: bool = False) -> T:
        patience = Patience(self.location.retry_s)
        with self._lock:
            while True:
                try:
                    return step(self._connected())
                except psycopg.Error as error:
                    lost = is_lost(error, self._connection)
                    if lost:
                        self.close()
                    may_help = is_conflict(error) or (lost and self._may_come_back(error))
                    if not (may_help and patience.lasts()):
                        raise self._refusal(error, doing, fails=fails and lost) from error

    def _may_come_back(self, error: psycopg.Error) -> bool:
        """Whether it makes sense to connect again: a server that never was there won't come."""
        return self._was_reached.is_set() or is_starting(error)

    def _refusal(self, error: psycopg.Error, doing: str, *, fails: bool) -> Exception:
        if fails:
            reason = StorageAccessError(self.location.url, doing, reason_of(error))
            return self._handle.fail(reason)
        return explained(error, doing, self.location, self._handle.session_id)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = connect(self.location, writes=self._handle.mode == "w")
            try:
                self._was_reached.set()
                self._connection = connection
                self.regained(connection)
            except BaseException:
                connection.close()
                raise
        return self._connection


def connect(location: Location, *, writes: bool = False) -> TimedConnection:
    """Return a connection that commits each statement, at the tables of the schema.

    Raises:
        psycopg.Error: There is no such server, or it refuses.
        StorageAccessError: It is too old, or would lose what is to be written.
    """
    parameters: dict[str, Any] = dict(location.parameters)
    connection = TimedConnection.connect(**parameters, autocommit=True, prepare_threshold=1)
    connection.timeout_s = location.timeout_s
    try:
        reason = _settled(connection, location, writes=writes)
    except BaseException:
        connection.close()
        raise
    if reason:
        connection.close()
        raise StorageAccessError(location.url, "keep sessions in", reason)
    return connection


def _settled(connection: Connection, location: Location, *, writes: bool) -> str:
    """Make the settings that holdall counts on, and return why the server is unfit, if it is."""
    version = connection.info.server_version
    if version < OLDEST:
        return f"it runs PostgreSQL {version // 10000}; {OLDEST // 10000} is the oldest that does"
    values = {"schema": location.schema, "lock_timeout": f"{LOCK_TIMEOUT_S:g}s"}
    [row] = run(connection, _SETTLE, values)
    return _unfit(_State(*row[_SET:])) if writes else ""


def run(
    connection: Connection, statement: LiteralString, values: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of a statement; bytes come as they are, and not as text."""
    cursor = connection.execute(statement, values, binary=True)
    return cursor.fetchall() if cursor.description else []


def _unfit(state: _State) -> str:
    """Return why a server keeps no sessions, and what to do."""
    if state.is_replica:
        return "it is a replica, which can't be written; name the primary server in the URL"
    if state.read_only == "on":
        return "it is read-only; set default_transaction_read_only to off for this user"
    for name in ("fsync", "full_page_writes"):
        if getattr(state, name) != "on":
            return (
                f"{name} is off, so that a power cut may damage all that it holds; "
                f"set {name} = on in postgresql.conf and reload it"
            )
    if state.encoding != "UTF8":
        return f"its encoding is {state.encoding}; make a database with ENCODING 'UTF8'"
    return ""


def _making(location: Location) -> Callable[[Connection], int]:
    def make(connection: Connection) -> int:
        done = check(connection, location)
        if done < len(MIGRATIONS):
            migrate(connection, location)
        return len(MIGRATIONS)

    return make


def _checking(location: Location) -> Callable[[Connection], int]:
    return lambda connection: check(connection, location)


def _nothing(_connection: Connection) -> None:
    """Do nothing: who only reads has nothing to get back."""
