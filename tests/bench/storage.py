"""What stores cost, beside what they should: `python tests/bench/storage.py [WORD...]`.

Without words every row is printed, in two to three minutes; with words those whose name has one
of them, as `checkpoint`, `together`, `list`, `copy`, `ship`, `memory`, or the name of a store.

For a checkpoint each store stands beside the bare primitive of the same engine, and a wrapper
beside the stores that it waits for: both store the same bytes, in turn, a few at a time, so
that what the machine does meanwhile hits both. The medians of their steps are compared.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import listing
from tests.bench.engines import ENGINES, SHARED

from holdall import list_sessions
from holdall.stores import open_repository
from holdall.upkeep import copy_session, pack_session
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.engines import Engine, Shared

    from holdall.contracts import Repository

ENTRIES: Final = [
    b'{"seq":1,"at":1.8e9,"type":"job_started","job_id":"com.example::cpu/check"}'.ljust(160),
    b'{"seq":2,"at":1.8e9,"type":"result_recorded","outcome":"pass"}'.ljust(420),
]
"""What is stored for one result: two entries in one batch, of the usual size."""

SIZES: Final = (100, 10_000, 100_000)
TURN: Final = 10
SESSIONS: Final = 200
PROCESSES: Final = 8
LISTED: Final = 10_000
COPIED: Final = 10_000
MEMORY_MIB: Final = 64


class Row(NamedTuple):
    """A line of the table."""

    what: str
    found: str
    goal: str
    is_met: bool

    def __str__(self) -> str:
        mark = "" if self.is_met else "  MISSED"
        return f"{self.what:<58}{self.found:>32}  goal {self.goal}{mark}"


def checkpoint(kind: type[Engine], count: int) -> Iterator[Row]:
    """Yield what a checkpoint of the store costs, and the bare step, at growing sizes."""
    engine = kind()
    with closing(engine), closing(engine.repository().create("session")) as storage:
        bare = engine.bare()
        head, done = 0, 0
        for size in SIZES:
            while done < size - count:  # a session of that size, quickly
                batch = ENTRIES * min(500, size - count - done)
                head = storage.append(batch, expect=head)
                done += len(batch) // len(ENTRIES)
            ours: list[float] = []
            theirs: list[float] = []
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
            yield Row(
                f"checkpoint {kind.name} at {size}",
                f"{median(ours) * 1e3:.3f} / {median(theirs) * 1e3:.3f} ms = {ratio:.2f} x",
                f"{kind.goal} x {kind.beside}",
                ratio <= kind.goal,
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


def together(kind: type[Shared], results: int = 20) -> Iterator[Row]:
    """Yield how much many writers get done, beside one alone, and whether all of it is there."""
    engine = kind()
    with closing(engine):
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
    lost = done * len(ENTRIES) - heads
    yield Row(
        f"together {kind.name}: {SESSIONS} sessions, {PROCESSES} processes, {lost} lost",
        f"{rate:.0f} / {alone:.0f} a second = {rate / alone:.0%}",
        "60 % of one writer, 0 lost",
        rate >= 0.6 * alone and not lost,
    )


def fill(repository: Repository, results: int) -> None:
    """Make a session of so many results, quickly."""
    with closing(repository.create("many")) as storage:
        for head in range(0, results * 2, 200):
            storage.append(ENTRIES * 100, expect=head)


def fill_run(root: Path, results: int) -> None:
    """Make a session in a folder as a run leaves it."""
    listing.fill_files(root, listing.entries(results, is_closed=True), 1, "run")


def shipped() -> Iterator[Row]:
    """Yield how long it takes until 10 000 results that are near are in PostgreSQL."""
    from tests.servers import postgresql

    with tempfile.TemporaryDirectory(prefix="holdall-bench-") as folder:
        near = open_repository(f"file://{folder}/near")
        far = open_repository(postgresql.new_url())
        fill(near, COPIED)
        began = time.perf_counter()
        assert TieredRepository(near, far).ship("many") == COPIED * len(ENTRIES)
        seconds = time.perf_counter() - began
    yield Row(
        f"ship {COPIED} results by tiered to postgresql", f"{seconds:.2f} s", "5 s", seconds <= 5
    )


def copied() -> Iterator[Row]:
    """Yield how long it takes to copy a session of 10 000 results, and to compare it."""
    with tempfile.TemporaryDirectory(prefix="holdall-bench-") as folder:
        fill_run(Path(folder, "one"), COPIED)
        source, target = (open_repository(f"file://{folder}/{name}") for name in ("one", "two"))
        session_id = next(source.ids())
        began = time.perf_counter(), time.process_time()
        copy_session(source, session_id, target)
        seconds, busy_s = time.perf_counter() - began[0], time.process_time() - began[1]
    row = f"copy {COPIED} results, file to file"
    yield Row(row, f"{seconds:.2f} s ({busy_s:.2f} s CPU)", "1 s", seconds <= 1)


def listed(name: str, goal_s: float) -> Iterator[Row]:
    """Yield how long a list of 10 000 sessions takes, warm, the best of three."""
    stored = listing.entries(5, is_closed=True)
    with tempfile.TemporaryDirectory(prefix="holdall-bench-") as folder:
        repository = _FILLED[name](Path(folder), stored)
        assert len(list_sessions(repository)) == LISTED
        times = []
        for _ in range(3):
            began = time.perf_counter(), time.process_time()
            list_sessions(repository)
            times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    seconds, busy_s = min(times)
    row = f"list {LISTED} sessions, {name}"
    yield Row(row, f"{seconds:.2f} s ({busy_s:.2f} s CPU)", f"{goal_s} s", seconds <= goal_s)


def _file_of_many(folder: Path, stored: list[bytes]) -> Repository:
    listing.fill_files(folder, stored, LISTED, "session")
    return open_repository(f"file://{folder}")


def _sqlite_of_many(folder: Path, stored: list[bytes]) -> Repository:
    """Return a database in which one session was written, and copied by statements."""
    import sqlite3

    repository = open_repository(f"sqlite:///{folder}/lab.db")
    with closing(repository.create("first")) as storage:
        storage.append(stored, expect=0)
    with closing(sqlite3.connect(folder / "lab.db")) as connection, connection:
        rows = [(f"session-{number}", len(stored)) for number in range(1, LISTED)]
        connection.executemany("INSERT INTO sessions (id, head, epoch) VALUES (?, ?, 1)", rows)
        connection.execute(
            "INSERT INTO entries SELECT sessions.key, n, data FROM sessions, entries "
            "WHERE entries.session = 1 AND sessions.key != 1"
        )
    return repository


def _postgresql_of_many(_folder: Path, stored: list[bytes]) -> Repository:
    """Return a schema in which one session was written, and copied by statements."""
    import psycopg
    from tests.servers import postgresql

    url = postgresql.new_url()
    repository = open_repository(url)
    with closing(repository.create("first")) as storage:
        storage.append(stored, expect=0)
    schema = url.partition("schema=")[2]
    with psycopg.connect(postgresql.server().url(), autocommit=True) as connection:
        connection.execute(f'SET search_path TO "{schema}"')
        connection.execute(
            "INSERT INTO sessions (id, first, head, epoch, moved) SELECT 'session-' || i, first, "
            "head, 1, nextval('moves') FROM sessions, generate_series(2, %s) i",
            [LISTED],
        )
        connection.execute(
            "INSERT INTO entries SELECT sessions.key, n, data FROM sessions, entries "
            "WHERE entries.session = 1 AND sessions.key != 1"
        )
        connection.execute("ANALYZE")
    return repository


_FILLED: Final[dict[str, Callable[[Path, list[bytes]], Repository]]] = {
    "file": _file_of_many,
    "sqlite": _sqlite_of_many,
    "postgresql": _postgresql_of_many,
}


def memory(step: str) -> Iterator[Row]:
    """Yield how much a step adds to the memory of a process that imported what it needs."""
    with tempfile.TemporaryDirectory(prefix="holdall-bench-") as folder:
        root = Path(folder, "store")
        if step == "list":
            listing.fill_files(root, listing.entries(5, is_closed=True), LISTED, "session")
        else:
            fill_run(root, COPIED)
        done = subprocess.run(
            [sys.executable, __file__, "--memory-of", step, folder],
            capture_output=True,
            text=True,
            check=True,
        )
    added = int(done.stdout) / 1024
    what = f"{LISTED} sessions" if step == "list" else f"{COPIED} results"
    row = f"memory of {step}, {what}"
    yield Row(row, f"{added:.1f} MiB", f"{MEMORY_MIB} MiB", added <= MEMORY_MIB)


def print_memory(step: str, folder: str) -> None:
    """Do a step, and print by how many KiB the process grew at its largest.

    `ru_maxrss` would do, if a process did not inherit that of the one that started it.
    """
    repository = open_repository(f"file://{folder}/store")
    target = open_repository(f"file://{folder}/copy")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # from now on
    before = largest_kib()
    if step == "list":
        list_sessions(repository)
    elif step == "copy":
        copy_session(repository, next(repository.ids()), target)
    else:
        with Path(folder, "packed.zip").open("wb") as file:
            pack_session(repository, next(repository.ids()), file)
    print(largest_kib() - before)


def largest_kib() -> int:
    """Return how large this process was at its largest."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def rows(count: int) -> Iterator[tuple[str, Callable[[], Iterator[Row]]]]:
    """Yield the name of each row, or of rows that are made together, with what makes them."""
    for kind in ENGINES:
        yield f"checkpoint {kind.name}", partial(checkpoint, kind, count)
    for shared in SHARED:
        yield f"together {shared.name}", partial(together, shared)
    yield "ship tiered postgresql", shipped
    for name, goal_s in (("file", 1.0), ("sqlite", 0.2), ("postgresql", 0.2)):
        yield f"list {name}", partial(listed, name, goal_s)
    yield "copy file", copied
    for step in ("list", "copy", "pack"):
        yield f"memory {step}", partial(memory, step)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--count", type=int, default=40, help="results that are timed")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        print_memory(*given.memory_of)
        return
    for name, make in rows(given.count):
        if not given.words or any(word in name for word in given.words):
            for row in make():
                print(row, flush=True)


if __name__ == "__main__":
    main()
