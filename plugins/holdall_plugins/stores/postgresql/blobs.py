"""Logs, and the blobs that they become, as rows of at most 1 MiB."""

from __future__ import annotations

import uuid
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from holdall.stores import digest_of
from holdall_plugins.stores.postgresql.database import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import LiteralString

    from holdall.errors import StorageError
    from holdall.stores import Handle
    from holdall_plugins.stores.postgresql.database import Connection, Database
    from holdall_plugins.stores.postgresql.writer import Writer

_CHUNK: Final = 1 << 20
_PAGE: Final = 4
"""How many rows of a blob are fetched at once."""

# Each statement is a transaction of its own, which locks the row of the session before it
# compares the epoch: of two writers one waits for the other, and then finds that it is stale.
GUARD: Final = """
guard AS (
    SELECT key FROM sessions WHERE key = %(session)s AND epoch = %(epoch)s FOR SHARE
)
"""

_FLUSH: Final = f"""
WITH {GUARD}, made AS (
    INSERT INTO blobs (key, session, name) SELECT %(blob)s, key, %(name)s FROM guard
    ON CONFLICT (key) DO NOTHING
), stored AS (
    INSERT INTO chunks (blob, n, data)
    SELECT %(blob)s, %(n)s + i - 1, data FROM guard, unnest(%(chunks)s::bytea[])
        WITH ORDINALITY AS given (data, i)
    ON CONFLICT DO NOTHING
)
SELECT 1 FROM guard
"""

# What is stored already stays, and the new one is dropped; so it makes no difference
# whether one of these two is made once or twice.
_KNOWN: Final = "EXISTS (SELECT FROM blobs WHERE session = %(session)s AND ref = %(ref)s"

_SEAL: Final = f"""
WITH {GUARD}, known AS (
    SELECT {_KNOWN} AND key <> %(blob)s) AS is_known FROM guard
), sealed AS (
    UPDATE blobs SET ref = %(ref)s, actual = %(actual)s, name = NULL FROM known
    WHERE key = %(blob)s AND NOT is_known
), emptied AS (
    DELETE FROM chunks USING known WHERE blob = %(blob)s AND is_known
), dropped AS (
    DELETE FROM blobs USING known WHERE key = %(blob)s AND is_known
)
SELECT 1 FROM guard
"""

_SEAL_AT_ONCE: Final = f"""
WITH {GUARD}, made AS (
    INSERT INTO blobs (key, session, ref, actual)
    SELECT %(blob)s, key, %(ref)s, %(actual)s FROM guard WHERE NOT {_KNOWN})
    RETURNING key
), stored AS (
    INSERT INTO chunks (blob, n, data)
    SELECT key, i - 1, data FROM made, unnest(%(chunks)s::bytea[])
        WITH ORDINALITY AS given (data, i)
)
SELECT 1 FROM guard
"""

_DROP: Final = f"""
WITH {GUARD}, dropped AS (
    DELETE FROM blobs USING guard WHERE blobs.key = %(blob)s
), emptied AS (
    DELETE FROM chunks USING guard WHERE blob = %(blob)s
)
SELECT 1 FROM guard
"""

_LOG: Final = """
SELECT key FROM blobs
WHERE session = %(session)s AND ref IS NULL AND sha256(name) = sha256(%(name)s)
"""

_BLOB: Final = """
SELECT key, coalesce(actual, ref) FROM blobs WHERE session = %(session)s AND ref = %(ref)s
"""

_CHUNKS: Final = """
SELECT n, data FROM chunks WHERE blob = %(blob)s AND n >= %(n)s ORDER BY n LIMIT %(page)s
"""


class PostgresqlLog:
    """A log that is open for appending; one without a name is a blob on its way in."""

    def __init__(
        self,
        database: Database,
        handle: Handle,
        writer: Writer,
        name: str | None,
        refused: Callable[[], StorageError],
    ) -> None:
        self._database = database
        self._handle = handle
        self._writer = writer
        self._name = None if name is None else name.encode()
        self._refused = refused
        self._waiting = bytearray()
        self._digest = sha256()
        self._size = 0
        self._next = 0
        self._is_open = True
        found = None if name is None else log_key(database, writer.key, name)
        self._is_stored = found is not None
        self._key = found or uuid.uuid4()
        if found is not None:
            self._go_on()

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append bytes; they wait in memory until there is more than 1 MiB, or until `flush`."""
        self._check()
        self._waiting += data
        self._digest.update(data)
        self._size += len(data)
        if len(self._waiting) > _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Store everything, durably.

        Raises:
            StorageFullError: No room; the bytes still wait.
        """
        self._check()
        with self._handle.writing("write a log"):
            # Few at a time, so that a step never holds much more than was written at once.
            while self._waiting:
                part = bytes(self._waiting[: _CHUNK * _PAGE])
                chunks = _cut(part)
                self._change("write a log to", _FLUSH, n=self._next, chunks=chunks)
                self._is_stored = True
                self._next += len(chunks)
                del self._waiting[: len(part)]

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        self._check()
        actual = f"sha256:{self._digest.hexdigest()}"
        ref = ref or actual
        digest_of(ref, session_id=self._handle.session_id)
        names = {"ref": ref, "actual": None if ref == actual else actual}
        with self._handle.writing("seal a log"):
            if self._is_stored or len(self._waiting) > _CHUNK:
                self.flush()
                self._change("seal a log in", _SEAL, **names)
            else:
                chunks = _cut(bytes(self._waiting))
                self._change("store a blob in", _SEAL_AT_ONCE, chunks=chunks, **names)
            self._is_open = False
        return ref

    def discard(self) -> None:
        """Drop the log."""
        if not self._is_open:
            return
        with self._handle.writing("drop a log"):
            if self._is_stored:
                self._change("drop a log from", _DROP)
            self._is_open = False

    def _go_on(self) -> None:
        for chunk in chunks_of(self._database, self._key):
            self._digest.update(chunk)
            self._size += len(chunk)
            self._next += 1

    def _change(self, doing: str, statement: LiteralString, **values: Any) -> None:
        values |= {"blob": self._key, "name": self._name}
        if not changed(self._database, self._writer, doing, statement, values):
            raise self._refused()

    def _check(self) -> None:
        self._handle.check()
        if not self._is_open:
            name = None if self._name is None else self._name.decode()
            raise ValueError(f"the log {name!r} was sealed or discarded")


def changed(
    database: Database,
    writer: Writer,
    doing: str,
    statement: LiteralString,
    values: dict[str, Any],
) -> bool:
    """Do a statement that gives a row if this is still the writer, and return whether it did."""

    def step(connection: Connection) -> bool:
        # The epoch is another one after the connection was lost.
        guard = {"session": writer.key, "epoch": writer.epoch}
        return bool(run(connection, statement, {**values, **guard}))

    return database.change(doing, step)


def drop_blob(database: Database, writer: Writer, blob: uuid.UUID) -> bool:
    """Drop a blob, and return whether this is still the writer."""
    return changed(database, writer, "drop a blob from", _DROP, {"blob": blob})


def log_key(database: Database, session: int, name: str) -> uuid.UUID | None:
    """Return the key of the live log *name*, None if there is no such log."""
    row = database.row(_LOG, session=session, name=name.encode())
    return row[0] if row else None


def blob_key(database: Database, session: int, ref: str) -> tuple[uuid.UUID, str] | None:
    """Return the key of the blob stored as *ref*, and the ref of its bytes; None without it."""
    row = database.row(_BLOB, session=session, ref=ref)
    return (row[0], row[1]) if row else None


def chunks_of(database: Database, blob: uuid.UUID) -> Iterator[bytes]:
    """Yield the rows of a blob, a few at a time, up to where one is missing."""
    following = 0
    while True:
        page = database.rows(_CHUNKS, blob=blob, n=following, page=_PAGE)
        for number, data in page:
            if number != following:
                return  # whoever compares the digest says that it is damaged
            yield data
            following += 1
        if len(page) < _PAGE:
            return


def _cut(data: bytes) -> list[bytes]:
    return [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
