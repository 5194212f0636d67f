"""Removing sessions: unreadable in one short step, and then dropped bit by bit.

Steps are short so that others are not kept waiting, and small so that they fit
into the room that the rollback journal has already when a disk is full.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdall.errors import StorageFullError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall_plugins.stores.sqlite.database import Database

_ROWS: Final = 256
"""Rows of a removed session that one step drops, and pages that one step gives back."""

_INCREMENTAL: Final = 2
"""What SQLite says of a database that gives room back; older ones of holdall don't."""

_LEFT_OVER: Final = """
SELECT session FROM (
    WITH RECURSIVE keys (session) AS (
        SELECT min(session) FROM entries
        UNION ALL
        SELECT (SELECT min(session) FROM entries WHERE session > keys.session) FROM keys
        WHERE keys.session IS NOT NULL
    )
    SELECT session FROM keys WHERE session IS NOT NULL
    UNION SELECT DISTINCT session FROM blobs
) WHERE session NOT IN (SELECT key FROM sessions)
"""

_DROPS: Final = (
    "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE session = ? LIMIT ?)",
    (
        "DELETE FROM chunks WHERE rowid IN (SELECT chunks.rowid FROM chunks "
        "JOIN blobs ON blob = key WHERE session = ? LIMIT ?)"
    ),
    "DELETE FROM blobs WHERE key IN (SELECT key FROM blobs WHERE session = ? LIMIT ?)",
)


def drop_removed(database: Database) -> None:
    """Drop what sessions without a row left, and give the room back to the file system.

    What a kill or a full disk leaves of that is dropped after the next removal.

    Raises:
        StorageFullError: Not even one row could be dropped.
    """
    for (session,) in database.rows(_LEFT_OVER):
        for statement in _DROPS:
            _in_steps(partial(_drop, database, statement, session))
    if database.rows("PRAGMA auto_vacuum") == [(_INCREMENTAL,)]:
        _in_steps(partial(_give_back, database))


def _in_steps(step: Callable[[int], bool]) -> None:
    """Make *step* until it says that all is done, with smaller ones where there is no room."""
    limit = _ROWS
    while True:
        try:
            if step(limit):
                return
        except StorageFullError as error:
            limit //= 4
            if not limit:
                reason = (
                    f"the session is removed, but some of it still takes room ({error.reason}); "
                    "it goes with the next session that is removed"
                )
                raise StorageFullError(error.location, reason) from error


def _drop(database: Database, statement: str, session: int, limit: int) -> bool:
    with database.writing("drop what a removed session left in") as cursor:
        return cursor.execute(statement, (session, limit)).rowcount < limit


def _give_back(database: Database, limit: int) -> bool:
    with database.writing("give room back from") as cursor:
        # Python makes one step of a statement without columns, and one step gives back one page.
        for _ in range(limit):
            cursor.execute("PRAGMA incremental_vacuum(1)")
        return bool(cursor.execute("PRAGMA freelist_count").fetchone() == (0,))
