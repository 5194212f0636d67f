"""A process that records, seals, compacts, creates and removes is killed at random moments.

By hand, with any store and any number of kills, what was acknowledged and found is printed:

    python -m tests.crash.test_random_kills file:///tmp/kills 1000
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from holdall.errors import UnknownSessionError
from holdall.stores import open_repository
from holdall.testing.crash import Child

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository, Storage
    from holdall.testing.crash import Link

LONGEST_S = 0.25


def entry(session_id: str, number: int) -> bytes:
    return b'{"session":"%b","n":%d}' % (session_id.encode(), number) + b" " * (number * 37 % 900)


def record(url: str, number: int, link: Link) -> None:
    """Go on with the session of the last one that was killed, then make others, until killed."""
    repository = open_repository(url)
    link.acknowledge("begins")
    while True:
        session_id = f"session {number % 3}"
        try:
            storage = repository.open(session_id)
        except UnknownSessionError:
            storage = repository.create(session_id)
            link.acknowledge(f"created {session_id}")
        for _ in range(4):
            _steps(storage, session_id, link)
        head = storage.head
        storage.compact(entry(session_id, head + 1), expect=head)
        link.acknowledge(f"head {session_id} {head + 1}")
        storage.close()
        number += 1
        if number % 5 == 0:
            session_id = f"session {(number + 1) % 3}"
            with contextlib.suppress(UnknownSessionError):
                link.acknowledge(f"removing {session_id}")
                repository.remove(session_id)
                link.acknowledge(f"removed {session_id}")


def _steps(storage: Storage, session_id: str, link: Link) -> None:
    head = storage.head
    batch = [entry(session_id, head + step) for step in (1, 2, 3)]
    link.acknowledge(f"head {session_id} {storage.append(batch, expect=head)}")
    log = storage.open_log("job")
    log.write(entry(session_id, log.size))
    log.flush()
    link.acknowledge(f"log {session_id} {log.size}")
    if log.size > 3000:
        link.acknowledge(f"sealing {session_id}")
        link.acknowledge(f"blob {session_id} {log.seal()}")


class Due:
    """What must be found, by what was acknowledged."""

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.logs: dict[str, int] = {}
        self.blobs: dict[str, set[str]] = {}
        self.removing: set[str] = set()
        self.counts: Counter[str] = Counter()

    def take(self, line: str) -> None:
        """Take one acknowledgement."""
        kind, _, rest = line.partition(" ")
        session_id, value = rest[:9], rest[10:]
        self.counts[kind] += 1
        if kind == "created":
            self.forget(session_id)
            self.heads[session_id] = 0
        elif kind == "head":
            self.heads[session_id] = int(value)
        elif kind == "log":
            self.logs[session_id] = int(value)
        elif kind == "sealing":
            self.logs.pop(session_id, None)
        elif kind == "blob":
            self.blobs.setdefault(session_id, set()).add(value)
        elif kind == "removing":
            self.removing.add(session_id)
        elif kind == "removed":
            self.forget(session_id)

    def forget(self, session_id: str) -> None:
        """Take nothing of a session for due any more."""
        for table in (self.heads, self.logs, self.blobs):
            table.pop(session_id, None)
        self.removing.discard(session_id)

    def check(self, repository: Repository) -> None:
        """Compare what is stored with what is due."""
        ids = set(repository.ids())
        for session_id in self.removing - ids:
            self.forget(session_id)
        self.removing.clear()
        assert set(self.heads) <= ids
        for session_id in ids:
            with contextlib.closing(repository.open(session_id)) as storage:
                self._check(session_id, storage)

    def _check(self, session_id: str, storage: Storage) -> None:
        entries = list(storage.read())
        numbers = [number for number, _ in entries]
        assert numbers == list(range(numbers[0], storage.head + 1)) if numbers else True
        assert all(data == entry(session_id, number) for number, data in entries)
        assert storage.head >= self.heads.get(session_id, 0)
        with storage.read_log("job") as log:
            assert len(log.read()) >= self.logs.get(session_id, 0)
        for ref in self.blobs.get(session_id, ()):
            with storage.open_blob(ref) as blob:
                assert blob.read()
        self.heads[session_id] = storage.head
        self.counts["found"] += 1


def kills(url: str, count: int) -> Counter[str]:
    """Return what was acknowledged and found over so many kills."""
    due = Due()
    moments = random.Random(count)  # noqa: S311 - moments of a test
    for number in range(count):
        with Child(lambda link, number=number: record(url, number, link)) as child:  # type: ignore[misc]
            assert child.line() == "begins", child.errors
            time.sleep(moments.uniform(0, LONGEST_S))
            child.kill()
            for line in child.lines():
                due.take(line)
        due.check(open_repository(url))
    return due.counts


@pytest.mark.parametrize("scheme", ["file://", "sqlite:///"])
def test_nothing_acknowledged_is_lost_by_a_few_kills(tmp_path: Path, scheme: str) -> None:
    counts = kills(f"{scheme}{tmp_path}/store", 10)

    assert counts["found"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scheme", ["file://", "sqlite:///"])
def test_nothing_acknowledged_is_lost_by_many_kills(tmp_path: Path, scheme: str) -> None:
    counts = kills(f"{scheme}{tmp_path}/store", 1000)

    assert counts["removed"]
    assert counts["blob"]


if __name__ == "__main__":
    print(dict(kills(sys.argv[1], int(sys.argv[2]))))  # noqa: T201 - by hand
