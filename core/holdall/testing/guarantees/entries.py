"""Entries: appended in batches, all or none, read back as they were."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from holdall.errors import StaleWriterError
from holdall.testing.guarantees.place import HOSTILE, RepositoryTests, numbered

if TYPE_CHECKING:
    from holdall.contracts import Level
    from holdall.testing.guarantees.place import Place


class EntryGuarantees(RepositoryTests):
    """What goes in comes out: the same bytes, in order, under the same numbers."""

    def test_a_new_session_is_empty(self, place: Place) -> None:
        """A session that was created has no entries, for others too."""
        storage = place.create()

        assert (storage.id, storage.head, list(storage.read())) == ("session", 0, [])
        assert (place.reader().head, place.entries()) == (0, [])

    def test_append_returns_the_new_head(self, place: Place) -> None:
        """G3: entries are numbered from 1 without gaps, and the head is the last of them."""
        storage = place.create()

        heads = [storage.append(numbered(size), expect=storage.head) for size in (1, 3, 2)]

        assert heads == [1, 4, 6]
        assert storage.head == 6
        assert place.reader().head == 6
        assert [number for number, _ in place.reader().read()] == [1, 2, 3, 4, 5, 6]

    def test_every_entry_comes_back_as_it_was(self, place: Place) -> None:
        """G8: empty, long, binary and odd entries are returned byte for byte."""
        storage = place.create()

        for entry in HOSTILE:
            storage.append([entry], expect=storage.head)

        assert place.entries() == list(HOSTILE)

    def test_a_batch_of_odd_entries_comes_back_as_it_was(self, place: Place) -> None:
        """G1: a batch is stored whole, whatever is in it."""
        place.create().append(HOSTILE, expect=0)

        assert place.entries() == list(HOSTILE)

    def test_ten_thousand_entries_come_back_in_order(self, place: Place) -> None:
        """G2: all that was acknowledged is there, in the order of the appends."""
        storage = place.create()
        entries = numbered(10_000)
        bounds = [0, 1, 2, 5, 9, 250, 256, 257, 512, 1024, 4096, 9999, 10_000]

        for start, end in pairwise(bounds):
            storage.append(entries[start:end], expect=start)

        assert place.entries() == entries

    def test_an_empty_batch_changes_nothing(self, place: Place) -> None:
        """Appending nothing is done at once."""
        storage = place.create("session", *numbered(2))

        assert storage.append([], expect=2) == 2
        assert place.entries() == numbered(2)

    def test_entries_survive_closing(self, place: Place) -> None:
        """G2: the next writer finds what the last one left, and goes on behind it."""
        place.create("session", *numbered(3)).close()

        storage = place.writer()
        storage.append(numbered(2, first=4), expect=3)

        assert storage.head == 5
        assert place.entries() == numbered(5)

    @pytest.mark.parametrize("after", [0, 1, 2, 3, 299, 300, 301, 1000])
    def test_read_begins_behind_the_number_it_is_given(self, place: Place, after: int) -> None:
        """Reading the rest of a session needs no reading of all of it."""
        storage = place.create("session", *numbered(3))
        storage.append(numbered(297, first=4), expect=3)
        due = list(enumerate(numbered(300), start=1))[after:]

        assert list(storage.read(after)) == due
        assert list(place.reader().read(after)) == due

    @pytest.mark.parametrize("expect", [0, 1, 2, 4, 400])
    def test_append_behind_another_entry_than_the_last_is_refused(
        self, place: Place, expect: int
    ) -> None:
        """G3: no number is given twice, and none is left out."""
        storage = place.create("session", *numbered(3))

        with pytest.raises(StaleWriterError) as caught:
            storage.append([b"another"], expect=expect)

        assert (caught.value.expected, caught.value.head) == (expect, 3)
        assert place.entries() == numbered(3)

    def test_a_refused_append_does_no_harm(self, place: Place) -> None:
        """The next append behind the last entry is stored."""
        storage = place.create("session", *numbered(1))
        with pytest.raises(StaleWriterError):
            storage.append([b"another"], expect=0)

        storage.append(numbered(1, first=2), expect=1)

        assert place.entries() == numbered(2)

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_repeating_an_append_stores_it_once(self, place: Place, *, is_reopened: bool) -> None:
        """G9: a writer that does not know whether its append was done repeats it."""
        storage = place.create("session", *numbered(2))
        storage.append(numbered(3, first=3), expect=2)
        if is_reopened:
            storage.close()
            storage = place.writer()

        head = storage.append(numbered(3, first=3), expect=2)

        assert head == storage.head == 5
        assert place.entries() == numbered(5)

    @pytest.mark.parametrize("entries", [numbered(1), numbered(3), [b"a", b"b"], []])
    def test_only_the_same_append_counts_as_repeated(
        self, place: Place, entries: list[bytes]
    ) -> None:
        """G9: other entries, or fewer or more of them, are no repetition."""
        storage = place.create("session", *numbered(2))

        with pytest.raises(StaleWriterError):
            storage.append(entries, expect=0)

        assert place.entries() == numbered(2)

    @pytest.mark.parametrize("level", ["system", "process"])
    def test_an_append_of_any_level_is_there_for_all(self, place: Place, level: Level) -> None:
        """G2: the levels differ in what an append survives, and in nothing else."""
        storage = place.create()

        heads = [
            storage.append(numbered(2), expect=0, level=level),
            storage.append(numbered(2), expect=0, level=level),
            storage.append(numbered(1, first=3), expect=2, level="system"),
            storage.append(numbered(1, first=4), expect=3, level=level),
        ]

        assert heads == [2, 2, 3, 4]
        assert place.entries() == numbered(4)
        storage.close()
        assert place.entries() == numbered(4)

    @pytest.mark.parametrize("first", [1, 2, 1000, 2**40])
    def test_a_session_can_begin_with_another_number_than_one(
        self, place: Place, first: int
    ) -> None:
        """A copy of a session that was compacted keeps the numbers of its entries."""
        storage = place.repository.create("session", first=first)
        place.close_later(storage)
        assert (storage.head, place.reader().head) == (first - 1, first - 1)
        storage.close()

        again = place.writer()
        head = again.append(numbered(2), expect=first - 1)

        assert head == again.head == first + 1
        assert list(place.reader().read()) == list(enumerate(numbered(2), start=first))

    def test_a_compaction_leaves_the_snapshot_alone(self, place: Place) -> None:
        """The snapshot is the next entry, and those before it are gone."""
        storage = place.create("session", *numbered(5))
        storage.append(numbered(5, first=6), expect=5)

        head = storage.compact(b"snapshot", expect=10)

        assert head == storage.head == place.reader().head == 11
        assert list(storage.read()) == [(11, b"snapshot")]
        assert list(place.reader().read()) == [(11, b"snapshot")]
        assert list(place.reader().read(11)) == []

    @pytest.mark.parametrize("snapshot", [*HOSTILE, b"x" * (3 << 20)])
    def test_a_snapshot_comes_back_as_it_was(self, place: Place, snapshot: bytes) -> None:
        """G8: whatever is in it, however long it is."""
        storage = place.create("session", *numbered(2))

        storage.compact(snapshot, expect=2)

        assert list(place.reader().read()) == [(3, snapshot)]

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_append_goes_on_behind_a_snapshot(self, place: Place, *, is_reopened: bool) -> None:
        """G3: numbers are never used again."""
        storage = place.create("session", *numbered(4))
        storage.compact(b"snapshot", expect=4)
        if is_reopened:
            storage.close()
            storage = place.writer()

        head = storage.append([b"next"], expect=5)

        assert head == 6
        assert list(place.reader().read()) == [(5, b"snapshot"), (6, b"next")]
        assert storage.compact(b"another", expect=6) == 7
        assert list(place.reader().read()) == [(7, b"another")]

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_repeating_a_compaction_does_it_once(self, place: Place, *, is_reopened: bool) -> None:
        """G9: after an unclear failure it may be repeated."""
        storage = place.create("session", *numbered(4))
        storage.compact(b"snapshot", expect=4)
        if is_reopened:
            storage.close()
            storage = place.writer()

        assert storage.compact(b"snapshot", expect=4) == 5

        assert list(place.reader().read()) == [(5, b"snapshot")]

    @pytest.mark.parametrize("expect", [0, 3, 5, 400])
    def test_compacting_behind_another_entry_than_the_last_is_refused(
        self, place: Place, expect: int
    ) -> None:
        """G3: a snapshot never stands for entries that its maker has not seen."""
        storage = place.create("session", *numbered(4))

        with pytest.raises(StaleWriterError) as caught:
            storage.compact(b"snapshot", expect=expect)

        assert (caught.value.expected, caught.value.head) == (expect, 4)
        assert place.entries() == numbered(4)

    def test_only_the_same_compaction_counts_as_repeated(self, place: Place) -> None:
        """G9: another snapshot, or an entry behind it, is no repetition."""
        storage = place.create("session", *numbered(4))
        storage.compact(b"snapshot", expect=4)

        with pytest.raises(StaleWriterError):
            storage.compact(b"another", expect=4)
        storage.append([b"next"], expect=5)
        with pytest.raises(StaleWriterError):
            storage.compact(b"snapshot", expect=4)

        assert place.entries() == [b"snapshot", b"next"]
