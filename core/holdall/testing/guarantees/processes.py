"""Processes: what one acknowledges outlives it, and others know of the one that writes."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from holdall.errors import LockedStorageError
from holdall.testing.crash import Child
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.logs import read_log
from holdall.testing.guarantees.subject import RepositoryTests, numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import LogWriter, Repository, Storage
    from holdall.testing.crash import Link

BATCH = 3
DATA = b"data of a blob"
REF = f"sha256:{sha256(DATA).hexdigest()}"
LOG = b"line of a log\n"
LOG_REF = f"sha256:{sha256(LOG * 2).hexdigest()}"


class ProcessGuarantees(RepositoryTests):
    """A process may be killed at any moment, and there may be another one."""

    @pytest.mark.parametrize("last", range(1, 9))
    def test_what_was_acknowledged_survives_a_kill(
        self, repository: Repository, last: int
    ) -> None:
        """G1, G2, G6: after each step of a session, for readers and for the next writer."""
        self.needs_durability()

        with Child(lambda link: _session(self.reopen(repository), link, last)) as child:
            acknowledged = child.lines()
            assert child.end() == -signal.SIGKILL, child.errors

        assert len(acknowledged) == last
        _check_session(self.reopen(repository), last, mode_w=False)
        _check_session(self.reopen(repository), last, mode_w=True)

    def test_a_writer_killed_at_any_moment_loses_nothing_acknowledged(
        self, repository: Repository
    ) -> None:
        """G1, G2, G3: whole batches, a prefix, everything acknowledged, no number twice."""
        self.needs_durability()
        repository.create("session").close()
        moments = random.Random(1)  # noqa: S311 - moments of a test
        for _ in range(6):
            with Child(lambda link: _go_on(self.reopen(repository), link)) as child:
                child.line()
                time.sleep(moments.uniform(0, 0.05))
                child.kill()
                heads = [int(line) for line in child.lines()]

            entries = _entries(self.reopen(repository))

            assert entries == list(enumerate(numbered(len(entries)), start=1))
            assert len(entries) % BATCH == 0
            assert len(entries) >= max(heads, default=BATCH)

    def test_a_compaction_killed_at_any_moment_leaves_a_session_that_goes_on(
        self, repository: Repository
    ) -> None:
        """G1, G2: all old entries or the snapshot alone, and more can be appended."""
        self.needs_durability()
        with contextlib.closing(repository.create("session")) as storage:
            storage.append(numbered(BATCH), expect=0)
        moments = random.Random(2)  # noqa: S311 - moments of a test
        for _ in range(6):
            with Child(lambda link: _compact(self.reopen(repository), link)) as child:
                child.line()
                time.sleep(moments.uniform(0, 0.05))
                child.kill()
                heads = [int(line) for line in child.lines()]

            # A server may still do the last thing that it was sent, until another writer comes.
            with contextlib.closing(self.reopen(repository).open("session")) as storage:
                entries = list(storage.read())
                first, head = entries[0][0], entries[-1][0]
                assert [number for number, _ in entries] == list(range(first, head + 1))
                assert head >= max(heads, default=1)
                assert all(entry == numbered(1, first=number)[0] for number, entry in entries)
                assert storage.append(numbered(1, first=head + 1), expect=head) == head + 1

    def test_a_writer_of_another_process_keeps_others_out(self, repository: Repository) -> None:
        """G3: neither a second writer nor a removal is let in while it lives."""
        self.needs_processes()

        with Child(lambda link: _hold(self.reopen(repository), link)) as child:
            assert child.line() == "holds", child.errors
            again = self.reopen(repository)
            with pytest.raises(LockedStorageError):
                again.open("session")
            with pytest.raises(LockedStorageError):
                again.remove("session")
            assert _entries(again) == [(1, b"held")]
            child.go()
            assert child.line() == "2", child.errors
            child.kill()

        assert _entries(self.reopen(repository)) == [(1, b"held"), (2, b"more")]

    def test_a_writer_that_was_killed_keeps_nobody_out(self, repository: Repository) -> None:
        """The next one need not take over from the dead."""
        self.needs_processes()
        self.needs_durability()
        with Child(lambda link: _hold(self.reopen(repository), link)) as child:
            assert child.line() == "holds", child.errors
            child.kill()

        with contextlib.closing(self.reopen(repository).open("session")) as storage:
            assert storage.append([b"more"], expect=1) == 2

    def test_a_reader_of_another_process_keeps_no_writer_waiting(
        self, repository: Repository
    ) -> None:
        """G5: between two entries that it returns, a reader holds no lock."""
        self.needs_processes()
        with contextlib.closing(repository.create("session")) as storage:
            storage.append(numbered(600), expect=0)
            with Child(lambda link: _pause(self.reopen(repository), link)) as child:
                assert child.line() == "paused", child.errors
                began = time.monotonic()
                storage.append(numbered(1, first=601), expect=600)
                assert time.monotonic() - began < 2
                child.go()
                assert child.line() in ("600", "601"), child.errors

    def test_a_removal_killed_at_any_moment_is_finished_later(
        self, repository: Repository
    ) -> None:
        """G10: the session is there whole, or gone, and can be removed and made anew."""
        self.needs_durability()
        moments = random.Random(3)  # noqa: S311 - moments of a test
        for _ in range(6):
            with contextlib.closing(repository.create("session")) as storage:
                storage.append(numbered(600), expect=0)
                storage.put_blob([DATA])
            with Child(lambda link: _remove(self.reopen(repository), link)) as child:
                child.line()
                time.sleep(moments.uniform(0, 0.004))
                child.kill()

            again = self.reopen(repository)
            if "session" in again.ids():
                assert len(_entries(again)) == 600
                again.remove("session")
            assert list(again.ids()) == []


def _steps(repository: Repository) -> tuple[Callable[[Storage], object], ...]:
    del repository
    return (
        lambda storage: storage.append(numbered(BATCH), expect=0),
        lambda storage: storage.append(numbered(1, first=4), expect=BATCH, level="process"),
        lambda storage: storage.put_blob([DATA[:5], DATA[5:]]),
        lambda storage: _flushed(storage, "job"),
        lambda storage: storage.append(numbered(2, first=5), expect=4),
        lambda storage: _flushed(storage, "sealed").seal(),
        lambda storage: storage.compact(numbered(1, first=7)[0], expect=6),
    )


def _flushed(storage: Storage, name: str) -> LogWriter:
    log = storage.open_log(name)
    log.write(LOG)
    log.flush()
    log.write(LOG)
    if name == "job":
        log.flush()
    return log


def _session(repository: Repository, link: Link, last: int) -> None:
    """Make a session step by step, and die behind the last one."""
    storage = repository.create("session")
    link.acknowledge("created")
    for step in _steps(repository)[: last - 1]:
        link.acknowledge(step(storage))
    link.die()


def _check_session(repository: Repository, last: int, *, mode_w: bool) -> None:
    heads = (0, 3, 4, 4, 4, 6, 6, 7)
    head = heads[last - 1]
    with contextlib.closing(repository.open("session", mode="w" if mode_w else "r")) as storage:
        is_compacted = last == len(heads)
        entries = list(enumerate(numbered(head), start=1))
        assert list(storage.read()) == (entries[-1:] if is_compacted else entries)
        assert storage.head == head
        if last > 3:
            assert read_blob(storage, REF) == DATA
        if last > 4:
            assert read_log(storage, "job") == LOG * 2
        if last > 6:
            assert read_blob(storage, LOG_REF) == LOG * 2


def _go_on(repository: Repository, link: Link) -> None:
    storage = repository.open("session")
    head = storage.head
    while True:
        head = storage.append(numbered(BATCH, first=head + 1), expect=head)
        link.acknowledge(head)


def _compact(repository: Repository, link: Link) -> None:
    storage = repository.open("session")
    head = storage.head
    while True:
        head = storage.append(numbered(BATCH, first=head + 1), expect=head)
        head = storage.compact(numbered(1, first=head + 1)[0], expect=head)
        link.acknowledge(head)


def _hold(repository: Repository, link: Link) -> None:
    storage = repository.create("session")
    storage.append([b"held"], expect=0)
    link.acknowledge("holds")
    link.wait()
    link.acknowledge(storage.append([b"more"], expect=1))
    link.wait()


def _pause(repository: Repository, link: Link) -> None:
    entries = repository.open("session", mode="r").read()
    seen = [next(entries) for _ in range(300)]
    link.acknowledge("paused")
    link.wait()
    seen.extend(entries)
    link.acknowledge(len(seen))


def _remove(repository: Repository, link: Link) -> None:
    link.acknowledge("begins")
    repository.remove("session")
    link.acknowledge("removed")
    link.wait()


def _entries(repository: Repository) -> list[tuple[int, bytes]]:
    with contextlib.closing(repository.open("session", mode="r")) as storage:
        return list(storage.read())
