"""A session that is compacted again and again goes on after each crash, fault and full disk."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import StorageError, StorageFullError
from holdall.journal import Journal, ResultRecorded, SessionCreated, read_events
from holdall.results import JobResult
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts import Repository, Storage

Store = type[FileRepository | SqliteRepository]
STORES = [FileRepository, SqliteRepository]
CALLS = ("open", "write", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "pread", "stat")

OLD = [b"1", b"2\n", b'{"n":3}']
SNAPSHOT = [(4, b'{"snapshot":1}')]

CHILD = """
import sys
from holdall.journal import Journal, ResultRecorded
from holdall.results import JobResult
from holdall_plugins.stores.{module} import {store}
journal, events = Journal.resume({store}({path!r}).open("session"))
number = len(events)
while True:
    result = JobResult(outcome="pass", comments=str(number))
    journal.append([ResultRecorded(at=1.8e9, job_id="job-%d" % number, result=result)])
    sys.stdout.write("%d\\n" % number)
    sys.stdout.flush()
    number += 1
    if number % 3 == 0:
        journal.compact(at=1.8e9)
        sys.stdout.write("c\\n")
        sys.stdout.flush()
"""


def begin(repository: Repository) -> None:
    journal = Journal.begin(repository.create("session"))
    journal.append([SessionCreated(at=1.8e9, session_id="session")])
    journal.close()


def killed_at_random(store: Store, path: Path) -> tuple[int, int]:
    """Return the last result that a child acknowledged before it was killed, and compactions."""
    module = store.__module__.split(".")[-2]
    code = CHILD.format(module=module, store=store.__name__, path=str(path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = [child.stdout.readline()]
        time.sleep(random.uniform(0, 0.1))  # noqa: S311 - a moment
        child.kill()
        said.extend(line for line in child.stdout if line.endswith(b"\n"))
    assert child.returncode == -signal.SIGKILL
    numbers = [int(line) for line in said if line != b"c\n"]
    return numbers[-1], len(said) - len(numbers)


def check(repository: Repository, acknowledged: int) -> None:
    """Hold that every result is there up to the acknowledged one, and that the session goes on."""
    storage = repository.open("session", mode="r")
    results = [event for event in read_events(storage) if isinstance(event, ResultRecorded)]
    storage.close()
    numbers = [int(event.result.comments or 0) for event in results]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= acknowledged

    journal, events = Journal.resume(repository.open("session"))
    number = len(events)
    result = JobResult(outcome="pass", comments=str(number))
    journal.append([ResultRecorded(at=1.8e9, job_id=f"job-{number}", result=result)])
    journal.close()


def survive(tmp_path: Path, store: Store, rounds: int) -> int:
    """Return how many compactions children did that were killed at some moment."""
    repository = store(tmp_path / "store")
    begin(repository)
    compactions = 0
    for _ in range(rounds):
        acknowledged, count = killed_at_random(store, tmp_path / "store")
        compactions += count
        check(repository, acknowledged)
    return compactions


@pytest.mark.parametrize("store", STORES)
def test_a_session_killed_while_it_is_compacted_loses_nothing_and_goes_on(
    tmp_path: Path, store: Store
) -> None:
    assert survive(tmp_path, store, 4)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", STORES)
def test_a_session_killed_again_and_again_while_it_is_compacted_goes_on(
    tmp_path: Path, store: Store
) -> None:
    assert survive(tmp_path, store, 200) > 200


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda storage: storage.compact(SNAPSHOT[0][1], expect=3), id="compact"),
        pytest.param(lambda storage: storage.append([b"4", b"5"], expect=3), id="append"),
    ],
)
def test_a_call_that_fails_leaves_a_session_that_goes_on(
    tmp_path: Path, step: Callable[[Storage], int], number: int
) -> None:
    whole = list(enumerate(OLD, start=1))
    after = [SNAPSHOT, whole, [*whole, (4, b"4"), (5, b"5")]]
    failures = 0
    for folder, storage in opened(tmp_path):
        calls = Calls(len(list(tmp_path.iterdir())), number)
        with calls.failing():
            try:
                step(storage)
                acknowledged = list(storage.read())
                assert acknowledged in after
            except StorageFullError:
                failures += 1
                acknowledged = whole
            except StorageError:
                failures += 1
                acknowledged = []
        if acknowledged:  # the handle goes on, too
            storage.append([b"more"], expect=storage.head)
            acknowledged = list(storage.read())
        storage.close()
        again = FileRepository(folder).open("session")
        entries = list(again.read())
        assert entries == acknowledged or (not acknowledged and entries in after)
        again.append([b"next"], expect=again.head)
        again.close()
        if not calls.was_due:
            break
    assert failures > 2


def opened(tmp_path: Path) -> Iterator[tuple[Path, Storage]]:
    """Yield a session with the same three entries again and again."""
    for number in range(1, 200):
        folder = tmp_path / str(number)
        storage = FileRepository(folder).create("session")
        storage.append(OLD, expect=0)
        yield folder, storage


class Calls:
    """Counts system calls, of which one fails."""

    def __init__(self, due: int, number: int) -> None:
        self.was_due = False
        self._left = due
        self._error = OSError(number, os.strerror(number))

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Let the one that is due fail inside of this context."""
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._counted(getattr(os, name)))
            yield

    def _counted(self, real: Any) -> Any:
        def step(*args: Any, **options: Any) -> Any:
            self._left -= 1
            if not self._left:
                self.was_due = True
                raise self._error
            return real(*args, **options)

        return step
