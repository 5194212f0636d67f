"""Threads: one of them writes, and the others may read meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from holdall.errors import ConcurrentWriteError
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.subject import RepositoryTests, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import Storage
    from holdall.testing.guarantees.subject import RepositorySubject

PATIENCE_S = 30


class ThreadGuarantees(RepositoryTests):
    """A storage has one writer at a time, and a second one is refused instead of mixed in."""

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda storage: storage.append([b"x"], expect=3), id="append"),
            pytest.param(lambda storage: storage.compact(b"x", expect=3), id="compact"),
            pytest.param(lambda storage: storage.put_blob([b"x"]), id="put_blob"),
            pytest.param(lambda storage: storage.open_log("x"), id="open_log"),
        ],
    )
    def test_a_thread_that_writes_while_another_does_is_refused(
        self, subject: RepositorySubject, change: Callable[[Storage], object]
    ) -> None:
        """Nothing of the second one is done, and the first one goes on."""
        storage = subject.create("session", *numbered(3))

        with blob_under_way(storage) as refs:
            with pytest.raises(ConcurrentWriteError):
                change(storage)
            assert list(storage.read()) == list(enumerate(numbered(3), start=1))

        assert subject.entries() == numbered(3)
        assert read_blob(subject.reader(), refs[0]) == b"first, last"
        change(storage)

    def test_a_thread_reads_while_another_writes(self, subject: RepositorySubject) -> None:
        """Through the writer's own storage, without waiting for the end of what it does."""
        storage = subject.create("session", *numbered(300))
        ref = storage.put_blob([b"blob"])

        with blob_under_way(storage):
            assert storage.head == 300
            assert list(storage.read(299)) == [(300, numbered(300)[-1])]
            assert read_blob(storage, ref) == b"blob"
            with storage.read_log("job") as log:
                assert log.read() == b""

    def test_threads_may_write_one_after_the_other(self, subject: RepositorySubject) -> None:
        """A storage belongs to no thread."""
        storage = subject.create()

        for head in range(4):
            entries = numbered(1, first=head + 1)
            thread = threading.Thread(
                target=storage.append, args=[entries], kwargs={"expect": head}
            )
            thread.start()
            thread.join()

        assert subject.entries() == numbered(4)

    def test_threads_see_whole_batches_of_the_storage_they_share(
        self, subject: RepositorySubject
    ) -> None:
        """G1: through one object as through two."""
        storage = subject.create()
        failures: list[BaseException] = []
        is_done = threading.Event()

        def read() -> None:
            try:
                while not is_done.is_set():
                    entries = [entry for _number, entry in storage.read()]
                    assert entries == numbered(len(entries))
                    assert len(entries) % 3 == 0
                    assert storage.head % 3 == 0
            except BaseException as error:  # noqa: BLE001 - raised in the main thread
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for head in range(0, 300, 3):
            storage.append(numbered(3, first=head + 1), expect=head)
        is_done.set()
        for thread in threads:
            thread.join()
        assert not failures
        assert subject.entries() == numbered(300)


@contextmanager
def blob_under_way(storage: Storage) -> Iterator[list[str]]:
    """Keep a thread at storing a blob, and give the list that gets the blob's ref."""
    is_begun, may_end = threading.Event(), threading.Event()
    refs: list[str] = []

    def source() -> Iterator[bytes]:
        yield b"first, "
        is_begun.set()
        assert may_end.wait(PATIENCE_S)
        yield b"last"

    thread = threading.Thread(target=lambda: refs.append(storage.put_blob(source())))
    thread.start()
    try:
        assert is_begun.wait(PATIENCE_S)
        yield refs
    finally:
        may_end.set()
        thread.join()
