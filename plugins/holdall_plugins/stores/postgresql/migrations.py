"""The tables of a schema, made and changed by an append-only list of small steps.

A step that was released is never edited: what it made is in somebody's database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from holdall.errors import StorageAccessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdall_plugins.stores.postgresql.location import Location

    Connection = psycopg.Connection[tuple[Any, ...]]
    Migration = Callable[[Connection], None]


def m0001_make_tables(connection: Connection) -> None:
    """Make the tables of sessions, their entries, blobs and logs."""
    connection.execute("""
        -- Puts the sessions in the order in which they were last modified; no clock could.
        CREATE SEQUENCE moves;

        -- `first` and `head` number the entries that are there. Each step compares the epoch,
        -- which grows with each writer; `writer` names the handle that the epoch is for.
        -- No column that an append changes is in an index, and pages have room left, so that
        -- an append leaves no work for the indexes.
        CREATE TABLE sessions (
            key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            first bigint NOT NULL, head bigint NOT NULL, epoch bigint NOT NULL,
            moved bigint NOT NULL,
            writer uuid, host text, pid bigint, started text, boot_id text, since timestamptz
        ) WITH (fillfactor = 50);

        -- No foreign keys: an append would lock and look up the row that it changed just now.
        CREATE TABLE entries (
            session bigint NOT NULL, n bigint NOT NULL, data bytea NOT NULL,
            PRIMARY KEY (session, n)
        );

        -- Without a ref it is still being written: with a name a log, without one an upload.
        -- `actual` is the ref of the bytes that are stored, if a wrapper gave another one.
        CREATE TABLE blobs (
            key uuid PRIMARY KEY, session bigint NOT NULL, ref text, actual text, name bytea,
            UNIQUE (session, ref)
        );
        CREATE UNIQUE INDEX blobs_name ON blobs (session, sha256(name)) WHERE ref IS NULL;

        CREATE TABLE chunks (
            blob uuid NOT NULL, n bigint NOT NULL, data bytea NOT NULL, PRIMARY KEY (blob, n)
        );
        ALTER TABLE chunks ALTER data SET STORAGE EXTERNAL;
    """)


MIGRATIONS: Final[tuple[Migration, ...]] = (m0001_make_tables,)
"""All steps, in the order in which they are made."""

_FOREIGN: Final = "the schema {!r} holds tables of something else; choose another by ?schema=NAME"


def migrate(
    connection: Connection, location: Location, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Make the steps that were not made yet, all or none; of many who do, one does.

    Raises:
        StorageAccessError: A newer holdall made the schema, or something else did.
    """
    try:
        with connection.transaction():
            name = f"holdall makes the schema {location.schema}"
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            _make_schema(connection, location.schema)
            done = check(connection, location, migrations)
            for migration in migrations[done:]:
                migration(connection)
                connection.execute("INSERT INTO migrations (name) VALUES (%s)", [_name(migration)])
    except (psycopg.errors.DuplicateTable, psycopg.errors.UndefinedColumn) as error:
        reason = _FOREIGN.format(location.schema)
        raise StorageAccessError(location.url, "make tables in", reason) from error


def check(
    connection: Connection, location: Location, migrations: Sequence[Migration] = MIGRATIONS
) -> int:
    """Return how many steps were made.

    Raises:
        StorageAccessError: A newer holdall made the schema, or something else did.
    """
    ours = [_name(migration) for migration in migrations]
    try:
        rows = connection.execute("SELECT name FROM migrations ORDER BY number").fetchall()
    except psycopg.errors.UndefinedTable:
        return 0
    except psycopg.errors.UndefinedColumn as error:
        reason = _FOREIGN.format(location.schema)
        raise StorageAccessError(location.url, "open", reason) from error
    theirs = [str(name) for (name,) in rows]
    if theirs != ours[: len(theirs)]:
        reason = (
            f"a newer holdall made the schema {location.schema!r} (its tables are those of "
            f"{theirs[-1]}, and this one knows {ours[-1]}); upgrade holdall, or choose "
            "another schema by ?schema=NAME"
        )
        raise StorageAccessError(location.url, "open", reason)
    return len(theirs)


def _make_schema(connection: Connection, schema: str) -> None:
    # Not "if not exists", which asks for the right to make one also where there is one.
    there = "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL"
    if connection.execute(there, [schema]).fetchone() != (True,):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    there = "SELECT to_regclass(quote_ident(%s) || '.migrations') IS NOT NULL"
    if connection.execute(there, [schema]).fetchone() != (True,):
        connection.execute("""
            CREATE TABLE migrations (
                number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                name text NOT NULL UNIQUE, made timestamptz NOT NULL DEFAULT now()
            )
        """)


def _name(migration: Migration) -> str:
    return getattr(migration, "__name__", repr(migration))
