"""Readers: beside a writer that is alive, in nobody's way, and without changing anything."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import Watchable
from holdall.errors import ReadOnlyStorageError, StorageError, UnknownSessionError
from holdall.testing.guarantees.subject import RepositoryTests, numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Storage
    from holdall.testing.guarantees.subject import RepositorySubject

_PATIENCE_S = 10


class ReaderGuarantees(RepositoryTests):
    """Who reads sees a prefix of what was appended, and hinders nobody."""

    def test_a_reader_sees_what_was_appended_since_it_opened(
        self, subject: RepositorySubject
    ) -> None:
        """G2: what is acknowledged is there for all."""
        storage = subject.create("session", *numbered(1))
        reader = subject.reader()

        storage.append(numbered(2, first=2), expect=1)

        assert (reader.head, len(list(reader.read()))) == (3, 3)

    def test_a_reader_that_pauses_keeps_no_writer_waiting(
        self, subject: RepositorySubject
    ) -> None:
        """G5: between two entries that it returns, a reader holds no lock."""
        storage = subject.create("session", *numbered(600))
        entries = subject.reader().read()
        seen = [next(entries) for _ in range(300)]

        # From another thread: the reader's own may hold a lock that lets it in again.
        append = partial(storage.append, numbered(1, first=601), expect=600)
        thread = threading.Thread(target=append, daemon=True)
        thread.start()
        thread.join(_PATIENCE_S)
        assert not thread.is_alive(), "the writer waits for a reader that does nothing"
        seen.extend(entries)

        assert seen in (_pairs(600), _pairs(601))

    def test_a_reader_sees_whole_batches_while_others_are_appended(
        self, subject: RepositorySubject
    ) -> None:
        """G1, G5: a batch is seen entirely or not at all, at any moment."""
        storage = subject.create()
        reader = subject.reader()
        failures: list[BaseException] = []

        def append() -> None:
            try:
                for head in range(0, 300, 3):
                    storage.append(numbered(3, first=head + 1), expect=head)
            except BaseException as error:  # noqa: BLE001 - raised in the main thread
                failures.append(error)

        thread = threading.Thread(target=append)
        thread.start()
        while thread.is_alive():
            seen = list(reader.read())
            assert seen == _pairs(len(seen))
            assert len(seen) % 3 == 0
        thread.join()
        assert not failures
        assert list(reader.read()) == _pairs(300)

    def test_a_compaction_gives_a_reader_no_gap(self, subject: RepositorySubject) -> None:
        """G5: a reader that was overtaken by a compaction reads on without a gap, or says so."""
        storage = subject.create("session", *numbered(1000))
        entries = subject.reader().read()
        seen = [next(entries)]

        storage.compact(numbered(1, first=1001)[0], expect=1000)
        storage.append(numbered(1, first=1002), expect=1001)
        try:
            seen.extend(entries)
        except StorageError:
            assert seen == _pairs(len(seen))
        else:
            assert seen in (_pairs(1000), _pairs(1001), _pairs(1002))

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda storage: storage.append([b"x"], expect=1), id="append"),
            pytest.param(lambda storage: storage.compact(b"x", expect=1), id="compact"),
            pytest.param(lambda storage: storage.put_blob([b"x"]), id="put_blob"),
            pytest.param(lambda storage: storage.open_log("x"), id="open_log"),
        ],
    )
    def test_a_reader_changes_nothing(
        self, subject: RepositorySubject, change: Callable[[Storage], object]
    ) -> None:
        """A storage opened for reading refuses every change."""
        subject.create("session", *numbered(1)).close()
        reader = subject.reader()

        with pytest.raises(ReadOnlyStorageError):
            change(reader)

        assert subject.entries() == numbered(1)

    def test_a_reader_does_not_keep_a_writer_out(self, subject: RepositorySubject) -> None:
        """Opening for reading takes no lock."""
        subject.create("session", *numbered(1)).close()
        reader = subject.reader()

        storage = subject.writer()
        storage.append(numbered(1, first=2), expect=1)

        assert list(reader.read()) == _pairs(2)

    def test_whoever_waits_is_told_of_new_entries(self, subject: RepositorySubject) -> None:
        """Waiting ends with the next entry, and without one when its time is over."""
        storage = subject.create("session", *numbered(1))
        reader = subject.reader()
        if not isinstance(reader, Watchable):
            pytest.skip("the store is not Watchable")
        assert reader.wait(0, timeout=60.0) == 1
        assert reader.wait(1, timeout=0.01) == 1

        begun = time.monotonic()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(reader.wait, 1, timeout=60.0)
            time.sleep(0.1)
            storage.append(numbered(1, first=2), expect=1)

            assert waiting.result() == 2
        assert time.monotonic() - begun < 10.0

    @pytest.mark.parametrize("mode", ["r", "w"])
    def test_a_session_that_was_never_created_is_unknown(
        self, subject: RepositorySubject, mode: str
    ) -> None:
        """Opening makes no session."""
        opened = subject.reader if mode == "r" else subject.writer

        with pytest.raises(UnknownSessionError) as caught:
            opened("nobody")

        assert caught.value.session_id == "nobody"
        assert isinstance(caught.value, LookupError)
        assert list(subject.again.ids()) == []


def _pairs(count: int) -> list[tuple[int, bytes]]:
    return list(enumerate(numbered(count), start=1))
