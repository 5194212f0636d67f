"""Writers: one at a time, and one that was taken over from writes no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.errors import ClosedStorageError, LockedStorageError, StaleWriterError
from holdall.testing.guarantees.subject import RepositoryTests, numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Storage
    from holdall.testing.guarantees.subject import RepositorySubject


class WriterGuarantees(RepositoryTests):
    """A session has one writer, and every other one is refused."""

    def test_a_second_writer_is_kept_out(self, subject: RepositorySubject) -> None:
        """Opening for writing while another writer is alive is refused."""
        storage = subject.create("session", *numbered(1))

        with pytest.raises(LockedStorageError) as caught:
            subject.writer()

        assert caught.value.session_id == "session"
        assert storage.append(numbered(1, first=2), expect=1) == 2

    def test_a_writer_that_closed_keeps_nobody_out(self, subject: RepositorySubject) -> None:
        """Writers may follow one another."""
        subject.create("session", *numbered(1)).close()

        for head in (1, 2, 3):
            storage = subject.writer()
            storage.append(numbered(1, first=head + 1), expect=head)
            storage.close()

        assert subject.entries() == numbered(4)

    def test_writers_of_two_sessions_do_not_meet(self, subject: RepositorySubject) -> None:
        """Sessions are written independently of one another."""
        one, other = subject.create("one"), subject.create("other")

        for head in range(5):
            one.append([b"one %d" % head], expect=head)
            other.append([b"other %d" % head], expect=head)

        assert subject.entries("one") == [b"one %d" % head for head in range(5)]
        assert subject.entries("other") == [b"other %d" % head for head in range(5)]

    def test_after_a_take_over_nothing_of_the_old_writer_is_accepted(
        self, subject: RepositorySubject
    ) -> None:
        """G4: a store either fences the old writer, or lets nobody take over while it lives."""
        old = subject.create("session", *numbered(2))
        try:
            new = subject.writer(take_over=True)
        except LockedStorageError:
            old.close()
            new = subject.writer(take_over=True)
            refusal: type[Exception] = ClosedStorageError
        else:
            refusal = StaleWriterError

        with pytest.raises(refusal):
            old.append([b"old"], expect=2)
        new.append([b"new"], expect=2)
        with pytest.raises(refusal):
            old.append([b"old"], expect=3)
        with pytest.raises(refusal):
            old.compact(b"old", expect=3)
        with pytest.raises(refusal):
            old.put_blob([b"old"])
        with pytest.raises(refusal):
            old.open_log("log").seal()
        old.close()

        assert subject.entries() == [*numbered(2), b"new"]
        with pytest.raises(LockedStorageError):
            subject.writer()

    def test_taking_over_from_nobody_is_opening(self, subject: RepositorySubject) -> None:
        """Without another writer there is nothing to take over."""
        subject.create("session", *numbered(1)).close()

        storage = subject.writer(take_over=True)

        assert storage.append(numbered(1, first=2), expect=1) == 2

    @pytest.mark.parametrize(
        "use",
        [
            pytest.param(lambda storage: storage.append([b"x"], expect=1), id="append"),
            pytest.param(lambda storage: list(storage.read()), id="read"),
            pytest.param(lambda storage: storage.compact(b"x", expect=1), id="compact"),
            pytest.param(lambda storage: storage.put_blob([b"x"]), id="put_blob"),
            pytest.param(lambda storage: storage.open_blob("sha256:" + "0" * 64), id="open_blob"),
            pytest.param(lambda storage: storage.open_log("x"), id="open_log"),
            pytest.param(lambda storage: storage.read_log("x"), id="read_log"),
        ],
    )
    def test_a_closed_storage_refuses_everything(
        self, subject: RepositorySubject, use: Callable[[Storage], object]
    ) -> None:
        """Closing is final for the handle, and closing again does nothing."""
        storage = subject.create("session", *numbered(1))
        storage.close()
        storage.close()

        with pytest.raises(ClosedStorageError):
            use(storage)

        assert subject.entries() == numbered(1)
