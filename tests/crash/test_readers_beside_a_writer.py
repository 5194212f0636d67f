"""Readers beside a living writer, in processes of their own, are never told of damage.

The writer appends and compacts as fast as it can. A reader that fails, or that misses
what an earlier look saw, counts it. `python tests/crash/test_readers_beside_a_writer.py
FOLDER POLLS READERS` does as many polls as one likes in a folder of any file system.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import HoldallError
from holdall.journal import list_sessions
from holdall_plugins.stores.file import FileRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository, Storage

_PROCESSES = multiprocessing.get_context("spawn")


def poll(folder: Path, polls: int, readers: int) -> Counter[str]:
    """Return how many polls beside one writer came to what."""
    repository = FileRepository(folder)
    storage = repository.create("session")
    storage.append([_entry(1)], expect=0)
    storage.close()
    begun, done = _PROCESSES.Event(), _PROCESSES.Event()
    counts: Any = _PROCESSES.Queue()
    writer = _PROCESSES.Process(target=_write, args=(folder, begun, done, counts))
    watchers = [
        _PROCESSES.Process(target=_watch, args=(folder, polls // readers, counts))
        for _ in range(readers)
    ]
    writer.start()
    assert begun.wait(60)
    for process in watchers:
        process.start()
    total: Counter[str] = Counter()
    for _ in watchers:
        total.update(counts.get())
    done.set()
    total.update(counts.get())
    for process in (writer, *watchers):
        process.join()
    return total


def _write(folder: Path, begun: Any, done: Any, counts: Any) -> None:
    storage = FileRepository(folder).open("session")
    head, appended, compacted = storage.head, 0, 0
    while not done.is_set():
        head = storage.append([_entry(head + number) for number in range(1, 4)], expect=head)
        appended += 1
        if appended % 10 == 0:
            head = storage.compact(_entry(head + 1), expect=head)
            compacted += 1
            begun.set()
        time.sleep(0.0003)  # or the readers would spend their time on reading, not on looking
    storage.close()
    counts.put({"appends": appended, "compactions": compacted})


def _entry(number: int) -> bytes:
    return b'{"n":%d,"x":"%b"}' % (number, b"x" * (number * 37 % 300))


def _watch(folder: Path, polls: int, counts: Any) -> None:
    repository = FileRepository(folder)
    reader = repository.open("session", mode="r")
    seen: Counter[str] = Counter()
    head = 0
    for number in range(polls):
        try:
            head = _look(repository, reader, number, head)
            seen["fine"] += 1
        except (HoldallError, AssertionError) as error:
            seen[f"{type(error).__name__}: {error}"] += 1
    reader.close()
    counts.put(seen)


def _look(repository: Repository, reader: Storage, number: int, head: int) -> int:
    """Return the head, once what stands behind the last one looked at is as it was written."""
    if number % 500 == 0:
        [info] = list_sessions(repository)
        # The entries are no events: whoever reads them all says so. No other damage is there.
        assert "no journal entry" in info.reason, info
    if number % 50:
        return _checked(reader, head)
    again = repository.open("session", mode="r")
    try:
        return max(_checked(again, 0), head)
    finally:
        again.close()


def _checked(reader: Storage, head: int) -> int:
    last = 0
    for number, entry in reader.read(head):
        assert entry.startswith(b'{"n":%d,' % number), entry
        assert not last or number == last + 1, (last, number)
        last = number
    return max(last, head)


def test_a_reader_beside_a_writer_is_never_told_of_damage(tmp_path: Path) -> None:
    counts = poll(tmp_path, 3000, 2)

    appends, compactions = counts.pop("appends"), counts.pop("compactions")
    assert counts == {"fine": 3000}
    assert appends > compactions > 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("folder", [None, "/dev/shm"], ids=["disk", "tmpfs"])
def test_a_million_polls_beside_a_writer_are_never_told_of_damage(
    tmp_path: Path, folder: str | None
) -> None:
    if folder and not os.access(folder, os.W_OK):
        pytest.skip(f"{folder} is not there")
    with tempfile.TemporaryDirectory(dir=folder or tmp_path) as root:
        counts = poll(Path(root), 1_000_000, 4)

    del counts["appends"], counts["compactions"]
    assert counts == {"fine": 1_000_000}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as root:
        result = poll(Path(root), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(f"{dict(result)}\n")
