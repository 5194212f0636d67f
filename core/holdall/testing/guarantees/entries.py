"""Entries: appended in batches, all or none, read back as they were."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from holdall.errors import StaleWriterError
from holdall.testing.guarantees.subject import HOSTILE, RepositoryTests, numbered

if TYPE_CHECKING:
    from holdall.contracts import Level
    from holdall.testing.guarantees.subject import RepositorySubject


class EntryGuarantees(RepositoryTests):
    """What goes in comes out: the same bytes, in order, under the same numbers."""

    def test_a_new_session_is_empty(self, subject: RepositorySubject) -> None:
        """A session that was created has no entries, for others too."""
        storage = subject.create()

        assert (storage.id, storage.head, list(storage.read())) == ("session", 0, [])
        assert (subject.reader().head, subject.entries()) == (0, [])

    def test_append_returns_the_new_head(self, subject: RepositorySubject) -> None:
        """G3: entries are numbered from 1 without gaps, and the head is the last of them."""
        storage = subject.create()

        heads = [storage.append(numbered(size), expect=storage.head) for size in (1, 3, 2)]

        assert heads == [1, 4, 6]
        assert storage.head == 6
        assert subject.reader().head == 6
        assert [number for number, _ in subject.reader().read()] == [1, 2, 3, 4, 5, 6]

    def test_every_entry_comes_back_as_it_was(self, subject: RepositorySubject) -> None:
        """G8: empty, long, binary and odd entries are returned byte for byte."""
        storage = subject.create()

        for entry in HOSTILE:
            storage.append([entry], expect=storage.head)

        assert subject.entries() == list(HOSTILE)

    def test_a_batch_of_odd_entries_comes_back_as_it_was(self, subject: RepositorySubject) -> None:
        """G1: a batch is stored whole, whatever is in it."""
        subject.create().append(HOSTILE, expect=0)

        assert subject.entries() == list(HOSTILE)

    def test_ten_thousand_entries_come_back_in_order(self, subject: RepositorySubject) -> None:
        """G2: all that was acknowledged is there, in the order of the appends."""
        storage = subject.create()
        entries = numbered(10_000)
        bounds = [0, 1, 2, 5, 9, 250, 256, 257, 512, 1024, 4096, 9999, 10_000]

        for start, end in pairwise(bounds):
            storage.append(entries[start:end], expect=start)

        assert subject.entries() == entries

    def test_an_empty_batch_changes_nothing(self, subject: RepositorySubject) -> None:
        """Appending nothing is done at once."""
        storage = subject.create("session", *numbered(2))

        assert storage.append([], expect=2) == 2
        assert subject.entries() == numbered(2)

    def test_entries_survive_closing(self, subject: RepositorySubject) -> None:
        """G2: the next writer finds what the last one left, and goes on behind it."""
        subject.create("session", *numbered(3)).close()

        storage = subject.writer()
        storage.append(numbered(2, first=4), expect=3)

        assert storage.head == 5
        assert subject.entries() == numbered(5)

    @pytest.mark.parametrize("after", [0, 1, 2, 3, 299, 300, 301, 1000])
    def test_read_begins_behind_the_number_it_is_given(
        self, subject: RepositorySubject, after: int
    ) -> None:
        """Reading the rest of a session needs no reading of all of it."""
        storage = subject.create("session", *numbered(3))
        storage.append(numbered(297, first=4), expect=3)
        due = list(enumerate(numbered(300), start=1))[after:]

        assert list(storage.read(after)) == due
        assert list(subject.reader().read(after)) == due

    @pytest.mark.parametrize("expect", [0, 1, 2, 4, 400])
    def test_append_behind_another_entry_than_the_last_is_refused(
        self, subject: RepositorySubject, expect: int
    ) -> None:
        """G3: no number is given twice, and none is left out."""
        storage = subject.create("session", *numbered(3))

        with pytest.raises(StaleWriterError) as caught:
            storage.append([b"another"], expect=expect)

        assert (caught.value.expected, caught.value.head) == (expect, 3)
        assert subject.entries() == numbered(3)

    def test_a_refused_append_does_no_harm(self, subject: RepositorySubject) -> None:
        """The next append behind the last entry is stored."""
        storage = subject.create("session", *numbered(1))
        with pytest.raises(StaleWriterError):
            storage.append([b"another"], expect=0)

        storage.append(numbered(1, first=2), expect=1)

        assert subject.entries() == numbered(2)

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_repeating_an_append_stores_it_once(
        self, subject: RepositorySubject, *, is_reopened: bool
    ) -> None:
        """G9: a writer that does not know whether its append was done repeats it."""
        storage = subject.create("session", *numbered(2))
        storage.append(numbered(3, first=3), expect=2)
        if is_reopened:
            storage.close()
            storage = subject.writer()

        head = storage.append(numbered(3, first=3), expect=2)

        assert head == storage.head == 5
        assert subject.entries() == numbered(5)

    @pytest.mark.parametrize("entries", [numbered(1), numbered(3), [b"a", b"b"], []])
    def test_only_the_same_append_counts_as_repeated(
        self, subject: RepositorySubject, entries: list[bytes]
    ) -> None:
        """G9: other entries, or fewer or more of them, are no repetition."""
        storage = subject.create("session", *numbered(2))

        with pytest.raises(StaleWriterError):
            storage.append(entries, expect=0)

        assert subject.entries() == numbered(2)

    @pytest.mark.parametrize("level", ["system", "process"])
    def test_an_append_of_any_level_is_there_for_all(
        self, subject: RepositorySubject, level: Level
    ) -> None:
        """G2: the levels differ in what an append survives, and in nothing else."""
        storage = subject.create()

        heads = [
            storage.append(numbered(2), expect=0, level=level),
            storage.append(numbered(2), expect=0, level=level),
            storage.append(numbered(1, first=3), expect=2, level="system"),
            storage.append(numbered(1, first=4), expect=3, level=level),
        ]

        assert heads == [2, 2, 3, 4]
        assert subject.entries() == numbered(4)
        storage.close()
        assert subject.entries() == numbered(4)

    @pytest.mark.parametrize("first", [1, 2, 1000, 2**40])
    def test_a_session_can_begin_with_another_number_than_one(
        self, subject: RepositorySubject, first: int
    ) -> None:
        """A copy of a session that was compacted keeps the numbers of its entries."""
        storage = subject.repository.create("session", first=first)
        subject.close_later(storage)
        assert (storage.head, subject.reader().head) == (first - 1, first - 1)
        assert list(storage.read()) == list(subject.reader().read()) == []
        storage.close()

        again = subject.writer()
        head = again.append(numbered(2), expect=first - 1)

        assert head == again.head == first + 1
        assert list(subject.reader().read()) == list(enumerate(numbered(2), start=first))

    def test_a_compaction_leaves_the_snapshot_alone(self, subject: RepositorySubject) -> None:
        """The snapshot is the next entry, and those before it are gone."""
        storage = subject.create("session", *numbered(5))
        storage.append(numbered(5, first=6), expect=5)

        head = storage.compact(b"snapshot", expect=10)

        assert head == storage.head == subject.reader().head == 11
        assert list(storage.read()) == [(11, b"snapshot")]
        assert list(subject.reader().read()) == [(11, b"snapshot")]
        assert list(subject.reader().read(11)) == []

    @pytest.mark.parametrize("snapshot", [*HOSTILE, b"x" * (3 << 20)])
    def test_a_snapshot_comes_back_as_it_was(
        self, subject: RepositorySubject, snapshot: bytes
    ) -> None:
        """G8: whatever is in it, however long it is."""
        storage = subject.create("session", *numbered(2))

        storage.compact(snapshot, expect=2)

        assert list(subject.reader().read()) == [(3, snapshot)]

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_append_goes_on_behind_a_snapshot(
        self, subject: RepositorySubject, *, is_reopened: bool
    ) -> None:
        """G3: numbers are never used again."""
        storage = subject.create("session", *numbered(4))
        storage.compact(b"snapshot", expect=4)
        if is_reopened:
            storage.close()
            storage = subject.writer()

        head = storage.append([b"next"], expect=5)

        assert head == 6
        assert list(subject.reader().read()) == [(5, b"snapshot"), (6, b"next")]
        assert storage.compact(b"another", expect=6) == 7
        assert list(subject.reader().read()) == [(7, b"another")]

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_repeating_a_compaction_does_it_once(
        self, subject: RepositorySubject, *, is_reopened: bool
    ) -> None:
        """G9: after an unclear failure it may be repeated."""
        storage = subject.create("session", *numbered(4))
        storage.compact(b"snapshot", expect=4)
        if is_reopened:
            storage.close()
            storage = subject.writer()

        assert storage.compact(b"snapshot", expect=4) == 5

        assert list(subject.reader().read()) == [(5, b"snapshot")]

    @pytest.mark.parametrize("expect", [0, 3, 5, 400])
    def test_compacting_behind_another_entry_than_the_last_is_refused(
        self, subject: RepositorySubject, expect: int
    ) -> None:
        """G3: a snapshot never stands for entries that its maker has not seen."""
        storage = subject.create("session", *numbered(4))

        with pytest.raises(StaleWriterError) as caught:
            storage.compact(b"snapshot", expect=expect)

        assert (caught.value.expected, caught.value.head) == (expect, 4)
        assert subject.entries() == numbered(4)

    def test_only_the_same_compaction_counts_as_repeated(self, subject: RepositorySubject) -> None:
        """G9: another snapshot, or an entry behind it, is no repetition."""
        storage = subject.create("session", *numbered(4))
        storage.compact(b"snapshot", expect=4)

        with pytest.raises(StaleWriterError):
            storage.compact(b"another", expect=4)
        storage.append([b"next"], expect=5)
        with pytest.raises(StaleWriterError):
            storage.compact(b"snapshot", expect=4)

        assert subject.entries() == [b"snapshot", b"next"]
