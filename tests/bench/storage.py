"""What one checkpoint costs: `python tests/bench/storage.py [STORE...] [--count N]`.

Each store stands beside the bare primitive of the same engine, in the same run: both store
the same bytes, in turn, a few at a time, so that what the machine does meanwhile hits both.
The medians of their steps are compared.

To add a store, write a class with the members of `Engine` and name it in `ENGINES`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Protocol

from holdall.stores import open_repository

sys.path.insert(0, str(Path(__file__).parents[2]))

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = [
    b'{"seq":1,"at":1.8e9,"type":"job_started","job_id":"com.example::cpu/check"}'.ljust(160),
    b'{"seq":2,"at":1.8e9,"type":"result_recorded","outcome":"pass"}'.ljust(420),
]
"""What is stored for one result: two entries in one batch, of the usual size."""

TURN = 10
SESSIONS = 200
PROCESSES = 8


class Engine(Protocol):
    """A store, and the bare primitive of the engine that it uses."""

    name: str
    goal: float

    def url(self) -> str:
        """Return the URL of an empty place."""
        ...

    def bare(self) -> Callable[[list[bytes]], object]:
        """Return what stores entries durably, as little as does."""
        ...

    def close(self) -> None:
        """Remove everything."""
        ...


class InFolder:
    """A folder for the store and its bare primitive."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="holdall-bench-"))

    def close(self) -> None:
        shutil.rmtree(self.folder)


class File(InFolder):
    """Beside one write and one sync."""

    name, goal = "file", 1.3

    def url(self) -> str:
        return f"file://{self.folder}/store"

    def bare(self) -> Callable[[list[bytes]], object]:
        fd = os.open(self.folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def store(entries: list[bytes]) -> None:
            os.write(fd, b"\n".join(entries))
            os.fdatasync(fd)

        return store


class Sqlite(InFolder):
    """Beside one transaction with the same settings."""

    name, goal = "sqlite", 1.3

    def url(self) -> str:
        return f"sqlite:///{self.folder}/lab.db"

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
    """Beside one guarded INSERT of the same driver, with the same settings of the connection."""

    name, goal = "postgresql", 1.5

    def __init__(self) -> None:
        from tests.servers import postgresql

        self._server = postgresql.server()
        self._new_url = postgresql.new_url

    def url(self) -> str:
        return self._new_url()

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
        self._server.remove()


_GUARDED = """
WITH moved AS (
    UPDATE bare SET head = %(behind)s WHERE key = 1 AND epoch = 1 AND head = %(head)s
    RETURNING key
)
INSERT INTO rows SELECT key, %(head)s + i, data
FROM moved, unnest(%(entries)s::bytea[]) WITH ORDINALITY AS given (data, i)
"""


class Wrapped(InFolder):
    """A wrapper over files, beside the store that it wraps."""

    name, goal, head = "", 1.1, ""

    def url(self) -> str:
        key = self.folder / "key"
        key.write_text(os.urandom(32).hex())
        return f"{self.head.format(key=key)}::file://{self.folder}/store"

    def bare(self) -> Callable[[list[bytes]], object]:
        storage = open_repository(f"file://{self.folder}/inner").create("session")
        head = 0

        def store(entries: list[bytes]) -> None:
            nonlocal head
            head = storage.append(entries, expect=head)

        return store


class Encrypted(Wrapped):
    """With a key of its own."""

    name, goal, head = "encrypt", 1.2, "encrypt?key_file={key}"


class Compressed(Wrapped):
    """At the default level."""

    name, head = "compress", "compress"


class CompressedAndEncrypted(Wrapped):
    """Both, in the order that saves something."""

    name, goal, head = "both", 1.3, "compress::encrypt?key_file={key}"


ENGINES: tuple[type[Engine], ...] = (
    File,
    Sqlite,
    Postgresql,
    Encrypted,
    Compressed,
    CompressedAndEncrypted,
)


def compare(engine: Engine, count: int) -> None:
    """Print what a checkpoint of the store costs, and the bare step, at growing sizes."""
    bare = engine.bare()
    with closing(open_repository(engine.url()).create("session")) as storage:
        head, done = 0, 0
        for size in (100, 10_000, 100_000):
            while done < size - count:  # a session of that size, quickly
                batch = ENTRIES * min(500, size - count - done)
                head = storage.append(batch, expect=head)
                done += len(batch) // len(ENTRIES)
            ours, theirs = [], []
            for _ in range(count // TURN):
                for _ in range(TURN):
                    began = time.perf_counter()
                    head = storage.append(ENTRIES, expect=head)
                    ours.append(time.perf_counter() - began)
                    done += 1
                for _ in range(TURN):
                    began = time.perf_counter()
                    bare(ENTRIES)
                    theirs.append(time.perf_counter() - began)
            ratio = median(ours) / median(theirs)
            print(
                f"{engine.name:<12} at {size:>7} results: {median(ours) * 1e3:7.3f} ms, bare "
                f"{median(theirs) * 1e3:7.3f} ms, {ratio:.2f} x (goal {engine.goal} x)",
                flush=True,
            )


def write_sessions(url: str, names: list[str], results: int) -> int:
    """Record sessions, one result after the other in each of them in turn; return the results."""
    repository = open_repository(url)
    storages = [repository.create(name) for name in names]
    for number in range(results):
        for storage in storages:
            storage.append(ENTRIES, expect=number * len(ENTRIES))
    for storage in storages:
        storage.close()
    return results * len(names)


def together(engine: Engine, results: int) -> None:
    """Print how much many writers get done, beside one alone, and whether all of it is there."""
    url = engine.url()
    began = time.perf_counter()
    alone = write_sessions(url, ["alone"], results * 10) / (time.perf_counter() - began)
    names = [f"session-{number}" for number in range(SESSIONS)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        list(pool.map(abs, range(PROCESSES * 4)))  # they have started
        began = time.perf_counter()
        shares = [names[first::PROCESSES] for first in range(PROCESSES)]
        work = [pool.submit(write_sessions, url, share, results) for share in shares]
        done = sum(each.result() for each in work)
        rate = done / (time.perf_counter() - began)
    repository = open_repository(url)
    heads = 0
    for name in names:
        with closing(repository.open(name, mode="r")) as storage:
            heads += storage.head
    print(
        f"{engine.name:<12} {SESSIONS} sessions by {PROCESSES} processes: {rate:7.0f} results/s, "
        f"one writer alone {alone:7.0f}, {rate / alone:.0%} (goal 60 %); "
        f"{done * len(ENTRIES) - heads} entries lost",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [engine.name for engine in ENGINES]
    parser.add_argument("stores", nargs="*", metavar="STORE", help=", ".join(names))
    parser.add_argument("--count", type=int, default=100, help="results that are timed")
    given = parser.parse_args()
    for kind in ENGINES:
        if not given.stores or kind.name in given.stores:
            engine = kind()
            try:
                compare(engine, given.count)
                together(engine, 20)
            finally:
                engine.close()


if __name__ == "__main__":
    main()
