"""Stores beside the bare primitives of their engines, for `storage.py`.

To add a store, write a class with the members of `Engine` and name it in `ENGINES`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from holdall.stores import open_repository
from holdall_plugins.stores.compress import CompressedRepository
from holdall_plugins.stores.encrypt import EncryptedRepository
from holdall_plugins.stores.encrypt.source import KeySource
from holdall_plugins.stores.mirror import MirrorRepository
from holdall_plugins.stores.overlay import OverlayRepository
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Repository, Storage


class Engine(Protocol):
    """A store, and the bare primitive of the engine that it uses."""

    name: str
    goal: float
    beside: str

    def repository(self) -> Repository:
        """Return an empty store."""
        ...

    def bare(self) -> Callable[[list[bytes]], object]:
        """Return what stores entries durably, as little as does."""
        ...

    def close(self) -> None:
        """Remove everything."""
        ...


class Shared(Engine, Protocol):
    """An engine whose store many processes may write at once."""

    def url(self) -> str:
        """Return the URL of an empty place."""
        ...


class InFolder:
    """A folder for the store and its bare primitive."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="holdall-bench-"))

    def close(self) -> None:
        shutil.rmtree(self.folder)


class File(InFolder):
    """One write and one sync."""

    name, goal, beside = "file", 1.3, "write and fdatasync"

    def repository(self) -> Repository:
        return open_repository(f"file://{self.folder}/store")

    def bare(self) -> Callable[[list[bytes]], object]:
        fd = os.open(self.folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def store(entries: list[bytes]) -> None:
            os.write(fd, b"\n".join(entries))
            os.fdatasync(fd)

        return store


class Sqlite(InFolder):
    """One transaction with the same settings."""

    name, goal, beside = "sqlite", 1.3, "transaction"

    def url(self) -> str:
        return f"sqlite:///{self.folder}/lab.db"

    def repository(self) -> Repository:
        return open_repository(self.url())

    def bare(self) -> Callable[[list[bytes]], object]:
        connection = sqlite3.connect(self.folder / "bare.db", isolation_level=None)
        for setting in ("journal_mode = PERSIST", "synchronous = FULL"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("CREATE TABLE entries (n INTEGER PRIMARY KEY, data BLOB)")
        numbers = itertools.count(1)

        def store(entries: list[bytes]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            rows = [(next(numbers), entry) for entry in entries]
            connection.executemany("INSERT INTO entries VALUES (?, ?)", rows)
            connection.execute("COMMIT")

        return store


class Postgresql:
    """One guarded INSERT of the same driver, with the same settings of the connection."""

    name, goal, beside = "postgresql", 1.5, "guarded INSERT"

    def __init__(self) -> None:
        from tests.servers import postgresql

        self._server = postgresql.server()
        self._new_url = postgresql.new_url

    def url(self) -> str:
        return self._new_url()

    def repository(self) -> Repository:
        return open_repository(self.url())

    def bare(self) -> Callable[[list[bytes]], object]:
        import psycopg

        connection = psycopg.connect(self._server.url(), autocommit=True, prepare_threshold=1)
        connection.execute("CREATE TABLE bare (key int PRIMARY KEY, head bigint, epoch bigint)")
        connection.execute(
            "CREATE TABLE rows (key int, n bigint, data bytea, PRIMARY KEY(key, n))"
        )
        connection.execute("INSERT INTO bare VALUES (1, 0, 1)")
        head = 0

        def store(entries: list[bytes]) -> None:
            nonlocal head
            behind = head + len(entries)
            connection.execute(_GUARDED, {"head": head, "behind": behind, "entries": entries})
            head = behind

        return store

    def close(self) -> None:
        """Leave the server, which ends with this process."""


_GUARDED = """
WITH moved AS (
    UPDATE bare SET head = %(behind)s WHERE key = 1 AND epoch = 1 AND head = %(head)s
    RETURNING key
)
INSERT INTO rows SELECT key, %(head)s + i, data
FROM moved, unnest(%(entries)s::bytea[]) WITH ORDINALITY AS given (data, i)
"""


class S3:
    """One PUT by the same client of an object that was not there."""

    name, goal, beside = "s3", 1.2, "PUT if absent"

    def __init__(self) -> None:
        from tests.servers import s3

        os.environ.update(AWS_ACCESS_KEY_ID="tests", AWS_SECRET_ACCESS_KEY="tests")  # noqa: S106
        self._server = s3.server()
        self._bucket = s3.BUCKET

    def repository(self) -> Repository:
        return open_repository(self._server.url())

    def bare(self) -> Callable[[list[bytes]], object]:
        import obstore
        from obstore.store import S3Store

        bucket = S3Store(
            self._bucket,
            prefix=uuid.uuid4().hex,
            endpoint=f"http://127.0.0.1:{self._server.port}",
            client_options={"allow_http": True},
            region="us-east-1",
        )
        numbers = itertools.count(1)

        def store(entries: list[bytes]) -> None:
            obstore.put(bucket, f"{next(numbers):020}", b"".join(entries), mode="create")

        return store

    def close(self) -> None:
        """Leave the server, which ends with this process."""


class Composed(InFolder):
    """The stores that a wrapper waits for, one after the other."""

    goal, beside = 1.1, "the stores it waits for"

    def inner(self) -> list[Repository]:
        """Return what the wrapper waits for."""
        return [self.opened("one")]

    def opened(self, name: str) -> Repository:
        return open_repository(f"file://{self.folder}/{name}")

    def bare(self) -> Callable[[list[bytes]], object]:
        storages: list[Storage] = [each.create("bare") for each in self.inner()]

        def store(entries: list[bytes]) -> None:
            for storage in storages:
                storage.append(entries, expect=storage.head)

        return store


class Mirror(Composed):
    """Two file stores."""

    name = "mirror of file, file"

    def inner(self) -> list[Repository]:
        return [self.opened("one"), self.opened("two")]

    def repository(self) -> Repository:
        return MirrorRepository(*self.inner())


class Tiered(Composed):
    """The near store, while a thread ships to the far one."""

    name = "tiered of file, file"

    def repository(self) -> Repository:
        return TieredRepository(self.opened("one"), self.opened("far"))


class Overlay(Composed):
    """The upper store."""

    name = "overlay of file, file"

    def repository(self) -> Repository:
        return OverlayRepository(self.opened("base"), self.opened("one"))


class Encrypted(Composed):
    """With a key of its own."""

    name, goal = "encrypt::file", 1.2

    def repository(self) -> Repository:
        key = self.folder / "key"
        key.write_text(os.urandom(32).hex())
        return EncryptedRepository(self.opened("store"), KeySource("key_file", str(key)))


class Compressed(Composed):
    """At the default level."""

    name = "compress::file"

    def repository(self) -> Repository:
        return CompressedRepository(self.opened("store"))


class CompressedAndEncrypted(Encrypted):
    """In the order that saves something."""

    name, goal = "compress::encrypt::file", 1.3

    def repository(self) -> Repository:
        return CompressedRepository(super().repository())


ENGINES: Final[tuple[type[Engine], ...]] = (
    File,
    Sqlite,
    Postgresql,
    S3,
    Mirror,
    Tiered,
    Overlay,
    Encrypted,
    Compressed,
    CompressedAndEncrypted,
)
SHARED: Final[tuple[type[Shared], ...]] = (Sqlite, Postgresql)
