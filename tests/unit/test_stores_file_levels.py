"""What an append survives, by its level, and in which order a compaction does its steps."""

from __future__ import annotations

import errno
import os
import signal
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import CorruptSessionError, FailedStorageError
from holdall.testing.children import in_child
from holdall_plugins.stores.disk import write_all
from holdall_plugins.stores.file import FileRepository, delayed, journal
from holdall_plugins.stores.file.storage import FileStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts import Storage

PATIENCE_S = 30


class Syncs:
    """How often a journal's bytes were synced, and when that happens."""

    def __init__(self) -> None:
        self.count = 0
        self.happened = Event()
        self.failure: OSError | None = None

    def __call__(self, fd: int) -> None:
        self.count += 1
        self.happened.set()
        if self.failure is not None:
            raise self.failure
        os.fdatasync(fd)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = FileRepository(tmp_path).create("session")
    yield storage
    storage.close()


@pytest.fixture
def syncs(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Syncs:
    del storage  # it is made, with syncs of its own, before they are counted
    syncs = Syncs()
    monkeypatch.setattr(journal, "sync_data", syncs)
    return syncs


def test_an_append_at_system_is_synced_when_it_returns(storage: Storage, syncs: Syncs) -> None:
    storage.append([b"1"], expect=0)

    assert syncs.count == 1


def test_an_append_at_process_is_synced_within_a_second(storage: Storage, syncs: Syncs) -> None:
    storage.append([b"1"], expect=0, level="process")
    storage.append([b"2"], expect=1, level="process")
    at_once = syncs.count

    assert syncs.happened.wait(PATIENCE_S)
    assert (at_once, syncs.count) == (0, 1)
    assert delayed.DELAY_S < 1


def test_an_append_at_system_syncs_those_before_it(storage: Storage, syncs: Syncs) -> None:
    storage.append([b"1"], expect=0, level="process")
    storage.append([b"2"], expect=1)

    assert syncs.count == 1
    storage.close()
    assert syncs.count == 1


@pytest.mark.parametrize("entries", [[b"1"], []], ids=["repeated", "nothing more"])
def test_an_append_at_system_that_adds_nothing_syncs_what_waits(
    storage: Storage, syncs: Syncs, entries: list[bytes]
) -> None:
    storage.append([b"1"], expect=0, level="process")
    before = syncs.count

    head = storage.append(entries, expect=1 - len(entries))

    assert (head, before, syncs.count) == (1, 0, 1)
    storage.close()
    assert syncs.count == 1


def test_closing_syncs_what_was_not_synced(storage: Storage, syncs: Syncs) -> None:
    storage.append([b"1"], expect=0, level="process")

    storage.close()

    assert syncs.count == 1


def test_closing_says_that_what_it_had_to_sync_may_be_lost(storage: Storage, syncs: Syncs) -> None:
    storage.append([b"1"], expect=0, level="process")
    syncs.failure = OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(FailedStorageError, match="may not be durable"):
        storage.close()

    syncs.failure = None
    storage.close()
    storage.repository.open("session").close()


def test_a_sync_that_fails_later_ends_the_handle(
    storage: Storage, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delayed, "DELAY_S", 0.0)
    syncs.failure = OSError(errno.EIO, os.strerror(errno.EIO))
    storage.append([b"1"], expect=0, level="process")
    assert syncs.happened.wait(PATIENCE_S)
    syncs.failure = None

    for step in _steps(storage):
        with pytest.raises(FailedStorageError, match="may not be durable"):
            step()
    assert syncs.count == 1


def test_an_append_that_waited_for_a_sync_that_failed_writes_nothing(
    storage: Storage, tmp_path: Path
) -> None:
    assert isinstance(storage, FileStorage)
    writer = storage._writer
    assert writer is not None
    before = next(tmp_path.rglob("journal-*")).read_bytes()
    storage._handle.fail("a sync failed meanwhile")

    with pytest.raises(FailedStorageError, match="meanwhile"):
        writer.append([b"1"], "system")

    assert next(tmp_path.rglob("journal-*")).read_bytes() == before


def _steps(storage: Storage) -> list[Callable[[], Any]]:
    return [
        lambda: storage.append([b"2"], expect=1),
        lambda: storage.compact(b"2", expect=1),
        lambda: list(storage.read()),
    ]


def test_an_append_at_process_survives_the_end_of_the_process(tmp_path: Path) -> None:
    def killed() -> None:
        storage = FileRepository(tmp_path).create("session")
        storage.append([b"1"], expect=0, level="process")
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(killed) == -signal.SIGKILL

    storage = FileRepository(tmp_path).open("session")
    assert list(storage.read()) == [(1, b"1")]
    storage.close()


def test_a_compaction_replaces_nothing_before_the_new_file_is_durable(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.append([b"1", b"2"], expect=0)
    calls: list[str] = []
    for name in ("write", "pread", "fdatasync", "rename", "fsync", "unlink"):
        real: Any = getattr(os, name)

        def step(*args: Any, _real: Any = real, _name: str = name, **options: Any) -> Any:
            calls.append(_name)
            return _real(*args, **options)

        monkeypatch.setattr(os, name, step)

    storage.compact(b"snapshot", expect=2)

    order = [name for name in calls if name != "pread"]
    assert order[:4] == ["write", "fdatasync", "rename", "fsync"]
    assert order.index("fsync") < order.index("unlink")
    assert "pread" in calls[calls.index("fdatasync") : calls.index("rename")]


def test_a_snapshot_that_reads_back_otherwise_replaces_nothing(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flip(fd: int, data: bytes) -> None:
        write_all(fd, data.replace(b"snapshot", b"snapshop"))

    storage.append([b"1", b"2"], expect=0)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_all", flip)
        with pytest.raises(CorruptSessionError, match="reads back differently"):
            storage.compact(b'"snapshot"', expect=2)

    assert list(storage.read()) == [(1, b"1"), (2, b"2")]
    assert len(list(tmp_path.glob("session.session/*journal*"))) == 1
    assert not list(tmp_path.glob("session.session/.new-*"))
    assert storage.compact(b'"snapshot"', expect=2) == 3


def test_a_child_that_inherits_unsynced_appends_lets_go_of_them(storage: Storage) -> None:
    storage.append([b"1"], expect=0, level="process")

    assert in_child(storage.close) == 0
    assert storage.append([b"2"], expect=1) == 2
