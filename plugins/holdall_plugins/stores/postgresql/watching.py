"""Waiting for new entries: the server tells of them, and nobody has to ask."""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from holdall.errors import ClosedStorageError, StorageAccessError
from holdall_plugins.stores.postgresql.database import connect, run
from holdall_plugins.stores.postgresql.patience import Patience
from holdall_plugins.stores.postgresql.refusals import is_lost, reason_of

if TYPE_CHECKING:
    from holdall.stores import Handle
    from holdall_plugins.stores.postgresql.location import Location

_LOOKS_S: Final = 10.0
"""After so long without a word it is looked all the same: a session may have been removed."""

_POLL_S: Final = 0.2
"""Between two looks at a replica, which tells nothing."""

# Telling costs all writers of a database a lock that they share, so a writer tells only if
# somebody listens, and who listens holds this one. A writer asks for it for itself, until it
# commits: either it doesn't get it, and tells; or it gets it, and who begins to listen waits
# for it and finds the entries there.
WATCHED: Final = "hashtextextended(%(channel)s, 0)"

NOTIFY: Final = f"""
CASE WHEN pg_try_advisory_xact_lock({WATCHED}) THEN NULL
    ELSE pg_notify(%(channel)s, '')::text END
"""

_LISTEN: Final = f"SELECT pg_advisory_lock_shared({WATCHED})"
_HEAD: Final = "SELECT head FROM sessions WHERE key = %(key)s"


def channel_of(schema: str, key: int) -> str:
    """Return the name under which the server tells of a session's entries."""
    return f"holdall {sha256(schema.encode()).hexdigest()[:16]} {key}"


class Watch:
    """A connection of its own that waits; threads read through the other one meanwhile."""

    def __init__(self, location: Location, handle: Handle, key: int) -> None:
        self._location = location
        self._handle = handle
        self._key = key
        self._channel = channel_of(location.schema, key)
        self._lock = Lock()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._is_told = True

    def wait(self, head: int, timeout: float) -> int:
        """Return the head as soon as it is not *head*, or after *timeout* seconds.

        Raises:
            ClosedStorageError: The session was removed, or this storage closed.
            StorageAccessError: The server was away for too long.
        """
        due = time.monotonic() + timeout
        patience = Patience(self._location.retry_s)
        with self._lock:
            while True:
                self._handle.check()
                try:
                    current = self._head()
                    left = due - time.monotonic()
                    if current != head or left <= 0:
                        return current
                    self._pause(min(left, _LOOKS_S))
                    patience = Patience(self._location.retry_s)
                except psycopg.Error as error:
                    is_over = not is_lost(error, self._connection) or not patience.lasts()
                    self._drop()
                    if is_over:
                        raise self._refusal(error) from error

    def _refusal(self, error: psycopg.Error) -> StorageAccessError:
        return StorageAccessError(self._location.url, "wait for entries of", reason_of(error))

    def close(self) -> None:
        """Close the connection; who waits stops within a moment."""
        with suppress(psycopg.Error):
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _head(self) -> int:
        if self._connection is None:
            self._connection = connect(self._location)
            self._is_told = self._listens(self._connection)
        rows = run(self._connection, _HEAD, {"key": self._key})
        if not rows:
            raise ClosedStorageError(self._handle.session_id)
        return int(rows[0][0])

    def _listens(self, connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
        try:
            channel = sql.Identifier(self._channel)
            connection.execute(sql.SQL("LISTEN {}").format(channel))
        except psycopg.errors.ReadOnlySqlTransaction:
            return False  # a replica
        except psycopg.errors.ObjectNotInPrerequisiteState:
            return False
        run(connection, _LISTEN, {"channel": self._channel})
        return True

    def _pause(self, seconds: float) -> None:
        if self._connection is None or not self._is_told:
            time.sleep(min(seconds, _POLL_S))
            return
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass
