"""One session in a database, open for reading or for writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    StaleWriterError,
    StorageAccessError,
)
from holdall.stores import checked_blob, digest_of, file_of, is_compacted, is_repeated, sealed
from holdall_plugins.stores.postgresql.blobs import (
    PostgresqlLog,
    blob_key,
    chunks_of,
    drop_blob,
    log_key,
)
from holdall_plugins.stores.postgresql.database import run
from holdall_plugins.stores.postgresql.watching import NOTIFY, Watch, channel_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import LiteralString

    from holdall.contracts import Level, LogWriter, Repository, Storage, Sweepable, Watchable
    from holdall.errors import (
        StorageError,
    )
    from holdall.stores import Handle
    from holdall_plugins.stores.postgresql.database import Connection, Database
    from holdall_plugins.stores.postgresql.writer import Writer

_PAGE: Final = 256
_PAGE_BYTES: Final = 4 << 20
"""How many entries a reader takes at a time, at most, and how many bytes but for one entry."""

_MOST_BYTES: Final = 512 << 20
"""What one statement may hold; the protocol ends a connection that sends more than 1 GiB."""

# One statement, so one exchange with the server and one transaction: the entries are there
# if the head was the expected one and nobody took over, and otherwise nothing is.
_MOVE: Final = """
moved AS (
    UPDATE sessions SET head = %(head)s, moved = nextval('moves')
    WHERE key = %(key)s AND epoch = %(epoch)s AND head = %(expect)s
    RETURNING key
)
"""

_APPEND: Final = f"""
WITH {_MOVE}, stored AS (
    INSERT INTO entries (session, n, data)
    SELECT key, %(expect)s + i, data FROM moved, unnest(%(entries)s::bytea[])
        WITH ORDINALITY AS given (data, i)
)
SELECT {NOTIFY} FROM moved
"""

_PUT_SNAPSHOT: Final = f"""
WITH {_MOVE}, stored AS (
    INSERT INTO entries (session, n, data) SELECT key, %(head)s, %(snapshot)s FROM moved
)
SELECT {NOTIFY} FROM moved
"""

_IS_WHOLE: Final = """
SELECT sha256(data) = sha256(%(snapshot)s) FROM entries
WHERE session = %(key)s AND n = %(head)s
"""

_DROP_BEFORE: Final = """
WITH shown AS (UPDATE sessions SET first = %(head)s WHERE key = %(key)s)
DELETE FROM entries WHERE session = %(key)s AND n < %(head)s
"""

# What is there and what is to be there, as of one moment.
_READ: Final = """
SELECT sessions.first, head, n, data FROM sessions LEFT JOIN LATERAL (
    SELECT n, data FROM (
        SELECT n, data, sum(octet_length(data)) OVER (ORDER BY n) - octet_length(data) AS before
        FROM (
            SELECT n, data FROM entries WHERE session = %(key)s AND n > %(after)s
            ORDER BY n LIMIT %(page)s
        ) AS following
    ) AS summed WHERE before < %(bytes)s
) AS entries ON true
WHERE key = %(key)s ORDER BY n
"""


class PostgresqlStorage:
    """One session of a database; each step names its epoch, so an old writer's are refused."""

    def __init__(self, database: Database, handle: Handle, writer: Writer) -> None:
        self._database = database
        self._handle = handle
        self._writer = writer
        self._watch = Watch(database.location, handle, writer.key)
        self._channel = channel_of(database.location.schema, writer.key)

    @property
    def id(self) -> str:
        """The session's id."""
        return self._handle.session_id

    @property
    def where(self) -> str:
        """The database's URL, without passwords."""
        return self._handle.where

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        return self._handle.repository

    @property
    def head(self) -> int:
        """Number of the last entry that is there now, one less than the first if none is."""
        self._handle.check()
        return self._now()[0]

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none; durable on return at any level.

        A server that is killed forgets what it did not sync, and its writers would find
        an end that they did not leave; so the level `process` is no less than `system`.
        """
        del level
        behind = expect + len(entries)
        with self._handle.writing("append entries"):
            self._refuse_large(entries)
            values = {"expect": expect, "head": behind, "entries": list(entries)}
            if entries and self._change("append entries to", _APPEND, values):
                return behind
            head, epoch = self._now()
            # A batch that is stored already is repeated after an unclear failure: no error.
            if epoch != self._writer.epoch or not is_repeated(self, entries, expect=expect):
                raise StaleWriterError(self.id, expect, head)
            return head

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Put *snapshot*, the entry behind *expect*, in the place of all entries at once."""
        number = expect + 1
        with self._handle.writing("compact entries"):
            self._refuse_large([snapshot])
            values = {"expect": expect, "head": number, "snapshot": snapshot}
            if self._database.change(
                "compact entries of", lambda connection: self._compacted(connection, values)
            ):
                return number
            head, epoch = self._now()
            if epoch != self._writer.epoch or not is_compacted(self, snapshot, expect=expect):
                raise StaleWriterError(self.id, expect, head)
            return head

    def _change(self, doing: str, statement: LiteralString, values: dict[str, Any]) -> bool:
        def step(connection: Connection) -> bool:
            return self._moved(connection, statement, values)

        return self._database.change(doing, step)

    def _moved(
        self, connection: Connection, statement: LiteralString, values: dict[str, Any]
    ) -> bool:
        """Whether the head was the expected one, and nobody took over."""
        here = {"key": self._writer.key, "epoch": self._writer.epoch, "channel": self._channel}
        return bool(run(connection, statement, {**values, **here}))

    def _compacted(self, connection: Connection, values: dict[str, Any]) -> bool:
        with connection.transaction():
            if not self._moved(connection, _PUT_SNAPSHOT, values):
                return False
            values = {**values, "key": self._writer.key}
            if run(connection, _IS_WHOLE, values) != [(True,)]:
                location = f"{self.where}, entry {values['head']}"
                reason = "what was written reads back differently"
                raise CorruptSessionError(self.id, location, reason)
            run(connection, _DROP_BEFORE, values)
            return True

    def _refuse_large(self, entries: Sequence[bytes]) -> None:
        if sum(map(len, entries)) > _MOST_BYTES:
            reason = f"one step takes up to {_MOST_BYTES >> 20} MiB; append fewer entries at once"
            raise StorageAccessError(self.where, "append entries to", reason)

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*; between two of them nothing is locked.

        Raises:
            StorageAccessError: The writer compacted entries that were not read yet.
        """
        self._handle.check()
        self._now()
        return self._read(after)

    def _read(self, after: int) -> Iterator[tuple[int, bytes]]:
        number = after
        while True:
            page = self._database.rows(
                _READ, key=self._writer.key, after=number, page=_PAGE, bytes=_PAGE_BYTES
            )
            if not page:
                raise ClosedStorageError(self.id)
            first, head = page[0][:2]
            if number > after and first > number + 1:
                reason = f"entry {number + 1} was compacted meanwhile; read again from the start"
                raise StorageAccessError(self.where, "read on in", reason)
            number = max(number, first - 1)
            if number >= head:
                return
            for due, (_first, _head, found, data) in enumerate(page, start=number + 1):
                if found != due:
                    raise self._damaged(due, found, head)
                yield due, data
                number = due
            self._handle.check()

    def _damaged(self, due: int, found: int | None, head: int) -> CorruptSessionError:
        """Return the error about a gap; what stands before it was read, and can be salvaged."""
        until = head if found is None else found - 1
        reason = f"the entries from {due} to {until} are missing"
        if found is not None and due > head:
            reason = f"entry {found} is there, and the last is to be {head}"
        return CorruptSessionError(self.id, f"{self.where}, its entries", reason)

    def wait(self, head: int, *, timeout: float) -> int:
        """Return the number of the last entry as soon as it is not *head*, or after *timeout*."""
        self._handle.check()
        return self._watch.wait(head, timeout)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        with self._handle.writing("store a blob"):
            return sealed(self._log(None), chunks, ref=ref)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        self._handle.check()
        digest_of(ref, session_id=self.id)
        self._now()
        stored = blob_key(self._database, self._writer.key, ref)
        if stored is None:
            location = f"{self.where}, blob {ref}"
            raise CorruptSessionError(self.id, location, "the blob is not there")
        key, actual = stored
        return checked_blob(chunks_of(self._database, key), actual, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        with self._handle.writing("write a log"):
            return self._log(name)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*: nothing if there is no such log."""
        self._handle.check()
        self._now()
        key = log_key(self._database, self._writer.key, name)
        return file_of(iter(()) if key is None else chunks_of(self._database, key))

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        self._handle.check()
        statement = "SELECT ref FROM blobs WHERE session = %(key)s AND ref IS NOT NULL"
        return (ref for (ref,) in self._database.rows(statement, key=self._writer.key))

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        self._handle.check()
        rows = self._database.rows(
            "SELECT name FROM blobs WHERE session = %(key)s AND ref IS NULL AND name IS NOT NULL",
            key=self._writer.key,
        )
        return (name.decode() for (name,) in rows)

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self._handle.writing("drop a blob"):
            stored = blob_key(self._database, self._writer.key, ref)
            if stored is not None and not drop_blob(self._database, self._writer, stored[0]):
                raise self._refused()

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        if self._handle.is_closed:
            return
        if not self._handle.is_inherited:
            if self._handle.mode == "w":
                self._writer.close(self._database)
            self._watch.close()
            self._database.close()
        self._handle.is_closed = True

    def _log(self, name: str | None) -> PostgresqlLog:
        return PostgresqlLog(self._database, self._handle, self._writer, name, self._refused)

    def _now(self) -> tuple[int, int]:
        statement = "SELECT head, epoch FROM sessions WHERE key = %(key)s"
        row = self._database.row(statement, key=self._writer.key)
        if row is None:
            raise ClosedStorageError(self.id)
        return row[0], row[1]

    def _refused(self) -> StorageError:
        """Return the error that says that another writer took over, or that all is gone."""
        try:
            head, _ = self._now()
        except ClosedStorageError as error:
            return error
        return StaleWriterError(self.id, head, head)


if TYPE_CHECKING:
    _storage: type[Storage] = PostgresqlStorage
    _watchable: type[Watchable] = PostgresqlStorage
    _sweepable: type[Sweepable] = PostgresqlStorage
