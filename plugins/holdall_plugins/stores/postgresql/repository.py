"""The sessions of a schema, and the writer of each."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, Final

from holdall.contracts import SessionEnds
from holdall.errors import LockedStorageError, StoreUrlError, UnknownSessionError
from holdall.stores import Handle, check_session_id
from holdall_plugins.stores.postgresql.database import Database, run
from holdall_plugins.stores.postgresql.location import PostgresqlOptions, location_of
from holdall_plugins.stores.postgresql.storage import PostgresqlStorage
from holdall_plugins.stores.postgresql.watching import channel_of
from holdall_plugins.stores.postgresql.writer import Holder, Writer, held_by, patiently_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, Storage
    from holdall_plugins.stores.postgresql.database import Connection
    from holdall_plugins.stores.postgresql.location import Location

_PAGE: Final = 500
_PAGE_BYTES: Final = 8 << 20
_MOST_NAMED: Final = 1000
"""How many ids an error looks through for one that is meant."""

_NEWEST_FIRST: Final = """
SELECT id FROM sessions ORDER BY head < first, moved DESC LIMIT %(most)s
"""

# By one query, and of each page no more bytes than fit: a snapshot holds a whole session.
_ENDS: Final = """
SELECT key, id, head, first, ends, before, last FROM (
    SELECT page.*, opening.data AS ends, second.data AS before, final.data AS last,
        sum(coalesce(octet_length(opening.data), 0) + coalesce(octet_length(second.data), 0)
            + coalesce(octet_length(final.data), 0)) OVER (ORDER BY key) AS total,
        row_number() OVER (ORDER BY key) AS place
    FROM (
        SELECT key, id, head, first FROM sessions WHERE key > %(after)s ORDER BY key LIMIT %(page)s
    ) AS page
    LEFT JOIN entries AS opening ON opening.session = key AND opening.n = first
    LEFT JOIN entries AS second ON second.session = key AND second.n = head - 1
    LEFT JOIN entries AS final ON final.session = key AND final.n = head
) AS summed WHERE total <= %(bytes)s OR place = 1 ORDER BY key
"""

_REMOVE: Final = """
WITH gone AS (
    DELETE FROM sessions WHERE key = %(key)s
), without_entries AS (
    DELETE FROM entries WHERE session = %(key)s
), without_blobs AS (
    DELETE FROM blobs WHERE session = %(key)s RETURNING key
), without_chunks AS (
    DELETE FROM chunks USING without_blobs WHERE blob = without_blobs.key
)
SELECT pg_notify(%(channel)s, '')::text
"""


class PostgresqlRepository:
    """Sessions in one schema of a database, written by any number of machines."""

    Options: ClassVar = PostgresqlOptions

    def __init__(self, location: Location) -> None:
        self._location = location
        self._was_reached = Event()

    @classmethod
    def from_url(
        cls, url: str, *inner: Repository, options: object = None
    ) -> PostgresqlRepository:
        """Return the repository in the schema that a `postgresql://` URL names."""
        if inner:
            raise StoreUrlError(url, "a store has nothing behind '::'; put the wrapper first")
        given = options if isinstance(options, PostgresqlOptions) else PostgresqlOptions()
        return cls(location_of(url, given))

    @property
    def url(self) -> str:
        """The URL that names this repository again, without a password."""
        return self._location.url

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, durable although it is empty."""
        check_session_id(session_id)
        with self._storage_to_be(session_id, "w", make=True) as (database, handle):
            writer = Writer()
            writer.create(database, session_id, first)
            return PostgresqlStorage(database, handle, writer)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; taking over fences the writer before."""
        check_session_id(session_id)
        with self._storage_to_be(session_id, mode) as (database, handle):
            writer = Writer()
            if mode == "r":
                statement = "SELECT key FROM sessions WHERE id = %(id)s"
                row = database.row(statement, id=session_id) if database.is_made else None
                writer.key = row[0] if row else 0
                is_there = row is not None
            else:
                is_there = database.is_made and writer.open(
                    database, session_id, take_over=take_over
                )
            if not is_there:
                raise self._unknown(database, session_id)
            return PostgresqlStorage(database, handle, writer)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first and those without entries last.

        Each step that stores entries takes the next number of a sequence.
        """
        with self._reading() as database:
            return iter(_ids(database, None))

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session, a page of sessions by one query."""
        with self._reading() as database:
            key: int | None = 0 if database.is_made else None
            while key is not None:
                page = database.rows(_ENDS, after=key, page=_PAGE, bytes=_PAGE_BYTES)
                key = page[-1][0] if page else None
                for row in page:
                    yield _ends(*row[1:])

    def exists(self) -> bool:
        """Whether the schema has tables; the first session makes them."""
        with self._reading() as database:
            return database.is_made

    def remove(self, session_id: str) -> None:
        """Remove a session, all of it in one transaction."""
        check_session_id(session_id)
        with self._storage_to_be(session_id, "w") as (database, _handle):
            removed = 0

            def remove(connection: Connection) -> int | Holder | None:
                nonlocal removed
                with connection.transaction():
                    key = held_by(connection, session_id)
                    if isinstance(key, int):
                        channel = channel_of(self._location.schema, key)
                        removed = key
                        run(connection, _REMOVE, {"key": key, "channel": channel})
                    # If it is gone now, that was done by the attempt whose answer was lost.
                    return removed if key is None and removed else key

            result = (
                patiently_free(lambda: database.change("remove a session from", remove))
                if database.is_made
                else None
            )
            if isinstance(result, Holder):
                raise LockedStorageError(session_id, self.url, str(result))
            if result is None:
                raise self._unknown(database, session_id)
            database.close()

    def _unknown(self, database: Database, session_id: str) -> UnknownSessionError:
        return UnknownSessionError(self.url, session_id, _ids(database, _MOST_NAMED))

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        database = Database(self._location, Handle("", self.url, "r", self), self._was_reached)
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def _storage_to_be(
        self, session_id: str, mode: Mode, *, make: bool = False
    ) -> Iterator[tuple[Database, Handle]]:
        handle = Handle(session_id, self.url, mode, self)
        database = Database(self._location, handle, self._was_reached, make=make)
        try:
            yield database, handle
        except BaseException:
            database.close()
            raise


def _ids(database: Database, most: int | None) -> tuple[str, ...]:
    if not database.is_made:
        return ()
    return tuple(session_id for (session_id,) in database.rows(_NEWEST_FIRST, most=most))


def _ends(session_id: str, head: int, first: int, *stored: Any) -> SessionEnds:
    opening, before, last = stored
    two = tuple(entry for entry in (before, last) if entry is not None)
    is_empty = head < first and opening is None and not two
    is_whole = is_empty or (opening is not None and len(two) == min(2, head - first + 1))
    return SessionEnds(session_id, opening, two, is_whole)


if TYPE_CHECKING:
    _: type[Repository] = PostgresqlRepository
