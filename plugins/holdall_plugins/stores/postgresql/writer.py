"""Who may write a session: one handle, known by a number that each step compares.

The number is the epoch. Its writer holds an advisory lock named after it for as long
as its connection lasts, so that others know that it lives; a server lets go of the
lock when the connection ends, however that comes. The lock is no more than that: what
an old writer sends late is refused by its epoch.
"""

from __future__ import annotations

import socket
import time
import uuid
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from holdall.errors import LockedStorageError, SessionExistsError
from holdall.journal import Process
from holdall.processes import is_alive, this_process
from holdall_plugins.stores.postgresql.database import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall_plugins.stores.postgresql.database import Connection, Database

T = TypeVar("T")

_PATIENCE_S: Final = 0.5
_PATIENCE_WITH_THE_DEAD_S: Final = 5.0
"""How long a server may need to see that a process of this machine, or of another, ended."""

_LOCK: Final = "hashtextextended(format('holdall %%s %%s %%s', current_schema(), key, epoch), 0)"

_CREATE: Final = f"""
WITH made AS (
    INSERT INTO sessions
        (id, first, head, epoch, moved, writer, host, pid, started, boot_id, since)
    VALUES (%(id)s, %(first)s, %(first)s - 1, 1, nextval('moves'), %(writer)s, %(host)s, %(pid)s,
        %(started)s, %(boot_id)s, now())
    ON CONFLICT (id) DO NOTHING RETURNING key, epoch
)
SELECT key, epoch, pg_advisory_lock({_LOCK}) FROM made
"""

_MADE_BEFORE: Final = "SELECT key, writer = %(writer)s FROM sessions WHERE id = %(id)s"

_HOLDER: Final = """
SELECT key, epoch, writer, host, pid, started, boot_id, since::text
FROM sessions WHERE id = %(id)s FOR UPDATE
"""

# Until the end of the transaction: it asks whether the lock is free, and keeps nobody out.
_IS_FREE: Final = f"""
SELECT writer IS NULL OR pg_try_advisory_xact_lock({_LOCK}) FROM sessions WHERE key = %(key)s
"""

_TAKE: Final = f"""
WITH taken AS (
    UPDATE sessions SET epoch = epoch + 1, writer = %(writer)s, host = %(host)s, pid = %(pid)s,
        started = %(started)s, boot_id = %(boot_id)s, since = now()
    WHERE key = %(key)s RETURNING key, epoch
)
SELECT key, epoch, pg_advisory_lock({_LOCK}) FROM taken
"""

_REGAIN: Final = f"""
WITH taken AS (
    UPDATE sessions SET epoch = epoch + 1 WHERE key = %(key)s AND writer = %(writer)s
    RETURNING key, epoch
)
SELECT key, epoch, pg_advisory_lock({_LOCK}) FROM taken
"""

_LET_GO: Final = f"""
WITH let_go AS (
    UPDATE sessions SET writer = NULL WHERE key = %(key)s AND epoch = %(epoch)s
    RETURNING key, epoch
)
SELECT pg_advisory_unlock({_LOCK}) FROM let_go
"""

_DROP_UPLOADS: Final = """
WITH uploads AS (
    DELETE FROM blobs WHERE session = %(key)s AND ref IS NULL AND name IS NULL RETURNING key
)
DELETE FROM chunks USING uploads WHERE blob = uploads.key
"""


class Holder(NamedTuple):
    """What the row of a session says of who writes it."""

    key: int
    epoch: int
    writer: uuid.UUID | None
    host: str | None
    pid: int | None
    started: str | None
    boot_id: str | None
    since: str | None

    def __str__(self) -> str:
        """Return who it is, for a message."""
        return f"process {self.pid} on {self.host}, since {self.since}"

    def is_dead_here(self) -> bool | None:
        """Whether it is a process of this machine that ended; None if it is on another one."""
        me = this_process()
        if self.pid is None or self.boot_id != me.boot_id or self.host != socket.gethostname():
            return None
        mark = Process(pid=self.pid, started=self.started or "", boot_id=self.boot_id)
        return not is_alive(mark)


class Writer:
    """This handle, as the writer of a session.

    Attributes:
        key: The session's number in the database.
        epoch: What its steps compare; another one after each connection that was lost.
    """

    def __init__(self) -> None:
        self.key = 0
        self.epoch = 0
        me = this_process()
        self._name = uuid.uuid4()
        self._me = {
            "writer": self._name,
            "host": socket.gethostname(),
            "pid": me.pid,
            "started": me.started,
            "boot_id": me.boot_id,
        }

    def create(self, database: Database, session_id: str, first: int) -> None:
        """Make a session in one step, and be its writer.

        Raises:
            SessionExistsError: There is one of that id.
        """

        def make(connection: Connection) -> tuple[Any, ...] | None:
            values = {**self._me, "id": session_id, "first": first}
            made = run(connection, _CREATE, values)
            if made:
                return made[0]
            # The answer to the first attempt may be what was lost.
            before = run(connection, _MADE_BEFORE, values)
            mine = before and before[0][1]
            return run(connection, _TAKE, {**values, "key": before[0][0]})[0] if mine else None

        row = database.change("create a session in", make)
        if row is None:
            raise SessionExistsError(database.location.url, session_id)
        self._began(database, *row[:2])

    def open(self, database: Database, session_id: str, *, take_over: bool) -> bool:
        """Be the next writer of a session, and return whether there is such a session.

        Raises:
            LockedStorageError: Another one lives.
        """

        def take(connection: Connection) -> tuple[Any, ...] | Holder | None:
            with connection.transaction():
                holder = held_by(connection, session_id, me=self._name, take_over=take_over)
                if not isinstance(holder, int):
                    return holder
                run(connection, _DROP_UPLOADS, {"key": holder})
                return run(connection, _TAKE, {**self._me, "key": holder})[0]

        taken = patiently_free(lambda: database.change("open", take))
        if isinstance(taken, Holder):
            raise LockedStorageError(session_id, database.location.url, str(taken))
        if taken is not None:
            self._began(database, *taken[:2])
        return taken is not None

    def close(self, database: Database) -> None:
        """Let go of the session, so that the next writer need not wait for the server."""
        values = {"key": self.key, "epoch": self.epoch}
        database.once(lambda connection: run(connection, _LET_GO, values))

    def _began(self, database: Database, key: int, epoch: int) -> None:
        self.key, self.epoch = key, epoch
        database.regained = self._regain

    def _regain(self, connection: Connection) -> None:
        """Be the writer on a new connection, unless another one came in between.

        The epoch grows, so that what was sent on the lost connection, and may still be on
        its way, is done before this or never: from here on its outcome can be read.
        """
        rows = run(connection, _REGAIN, {"key": self.key, "writer": self._name})
        if rows:
            self.epoch = rows[0][1]


def held_by(
    connection: Connection,
    session_id: str,
    *,
    me: uuid.UUID | None = None,
    take_over: bool = False,
) -> int | Holder | None:
    """Return the key of a session that nobody else writes, or who does; None if there is none.

    Inside a transaction, until whose end nobody else gets it.
    """
    rows = run(connection, _HOLDER, {"id": session_id})
    if not rows:
        return None
    holder = Holder(*rows[0])
    # It is this one if the answer to its first attempt was lost.
    is_mine = me is not None and holder.writer == me
    if take_over or is_mine or run(connection, _IS_FREE, {"key": holder.key})[0][0]:
        return holder.key
    return holder


def patiently_free(step: Callable[[], T | Holder]) -> T | Holder:
    """Do *step* again for a while where its holder may be dead, and the server not know yet."""
    began = time.monotonic()
    while True:
        result = step()
        if not isinstance(result, Holder):
            return result
        is_dead = result.is_dead_here()
        patience = _PATIENCE_WITH_THE_DEAD_S if is_dead else _PATIENCE_S
        if is_dead is False or time.monotonic() - began > patience:
            return result
        time.sleep(0.01 if time.monotonic() - began < 0.1 else 0.05)
