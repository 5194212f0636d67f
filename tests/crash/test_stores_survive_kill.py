"""A store whose process is killed, at any moment, keeps what it acknowledged.

The children are real processes and are really killed. What they had done, they
told through a pipe, so the tests know what must be there.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from holdall.testing.children import in_child
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts.stores import Repository

Store = type[FileRepository | SqliteRepository]
STORES = [FileRepository, SqliteRepository]

BATCH = 4
"""Entries of each batch, so that a half one shows."""


def batch(head: int, *, size: int = 40) -> list[bytes]:
    return [b'{"n":%d,"x":"%b"}' % (head + n, b"x" * size) for n in range(1, BATCH + 1)]


def check(repository: Repository, acknowledged: int) -> int:
    """Return the head of the session, once all that must hold of it was found to hold."""
    reader = repository.open("session", mode="r")
    seen = list(reader.read())
    assert reader.head == len(seen)
    reader.close()
    writer = repository.open("session")
    found = list(writer.read())
    writer.close()

    assert found == seen
    assert len(found) >= acknowledged
    assert len(found) % BATCH == 0
    due = [entry for head in range(0, len(found), BATCH) for entry in batch(head)]
    assert found == list(enumerate(due, start=1))
    return len(found)


def work(repository: Repository, acknowledge: int) -> None:
    """Go on with the session for a while, and acknowledge each batch that was stored."""
    storage = repository.open("session")
    for head in range(storage.head, storage.head + 5 * BATCH, BATCH):
        os.write(acknowledge, b"%d\n" % storage.append(batch(head), expect=head))
    storage.close()


@pytest.mark.parametrize("fault", ["kill", "kill_after"])
@pytest.mark.parametrize("store", STORES)
def test_a_writer_killed_around_any_append_loses_nothing_acknowledged(
    tmp_path: Path, store: Store, fault: str
) -> None:
    for step in range(1, 6):
        inner = store(tmp_path / f"{fault}-{step}")
        inner.create("session").close()
        faulty = FaultyRepository.from_url(f"faulty?{fault}={step}", inner)
        reading, writing = os.pipe()

        status = in_child(lambda: work(faulty, writing))  # noqa: B023 - called at once

        os.close(writing)
        heads = [int(line) for line in _all(reading).split()]
        assert status == -signal.SIGKILL
        assert len(heads) == step - 1
        done = step if fault == "kill_after" else step - 1
        assert check(inner, heads[-1] if heads else 0) == done * BATCH


@pytest.mark.parametrize("store", STORES)
def test_an_append_repeated_after_a_kill_is_stored_once(tmp_path: Path, store: Store) -> None:
    inner = store(tmp_path / "store")
    inner.create("session").close()
    faulty = FaultyRepository.from_url("faulty?kill_after=1", inner)

    def die() -> None:
        faulty.open("session").append(batch(0), expect=0)

    assert in_child(die) == -signal.SIGKILL
    storage = inner.open("session")
    assert storage.append(batch(0), expect=0) == BATCH
    storage.close()
    assert check(inner, BATCH) == BATCH


CHILD = """
import sys
from holdall_plugins.stores.{module} import {store}
repository = {store}({path!r})
storage = repository.open("session")
head = storage.head
while True:
    entries = [
        b'{{"n":%d,"x":"%b"}}' % (head + n, b"x" * 40) for n in range(1, {batch} + 1)
    ]
    head = storage.append(entries, expect=head)
    sys.stdout.buffer.write(b"%d\\n" % head)
    sys.stdout.buffer.flush()
"""


def killed_at_random(repository: Repository, code: str, moment_s: float) -> int:
    """Return the last head that a child acknowledged before it was killed."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline()]
        time.sleep(moment_s)
        child.kill()
        acknowledged.extend(line for line in child.stdout if line.endswith(b"\n"))
    assert child.returncode == -signal.SIGKILL
    head = int(acknowledged[-1])
    check(repository, head)
    return head


def rounds(tmp_path: Path, store: Store, count: int) -> Iterator[int]:
    path = tmp_path / "store"
    repository = store(path)
    repository.create("session").close()
    module = store.__module__.split(".")[-2]
    code = CHILD.format(tests="", module=module, store=store.__name__, path=str(path), batch=BATCH)
    for _ in range(count):
        yield killed_at_random(repository, code, random.uniform(0, 0.05))  # noqa: S311 - a moment


@pytest.mark.parametrize("store", STORES)
def test_a_writer_killed_at_random_moments_loses_nothing_acknowledged(
    tmp_path: Path, store: Store
) -> None:
    heads = list(rounds(tmp_path, store, 5))

    assert heads == sorted(heads)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("store", STORES)
def test_a_writer_killed_again_and_again_loses_nothing_acknowledged(
    tmp_path: Path, store: Store
) -> None:
    heads = list(rounds(tmp_path, store, 100))

    assert heads == sorted(heads)


def _all(fd: int) -> bytes:
    with open(fd, "rb") as file:
        return file.read()
