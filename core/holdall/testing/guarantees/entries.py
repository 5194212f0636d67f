"""Entries: appended in batches, all or none, read back as they were."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from holdall.errors import StaleWriterError
from holdall.testing.guarantees.place import HOSTILE, RepositoryTests, numbered

if TYPE_CHECKING:
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

    def test_trim_keeps_the_numbers_of_what_stays(self, place: Place) -> None:
        """Entries before the given number go; the others, and the head, stay what they are."""
        storage = place.create("session", *numbered(5))
        storage.append(numbered(5, first=6), expect=5)

        storage.trim(8)

        kept = list(enumerate(numbered(10), start=1))[7:]
        assert list(storage.read()) == kept
        assert list(place.reader().read()) == kept
        assert list(place.reader().read(9)) == kept[2:]
        assert storage.head == place.reader().head == 10

    @pytest.mark.parametrize("is_reopened", [False, True])
    def test_append_goes_on_behind_a_trim(self, place: Place, *, is_reopened: bool) -> None:
        """G3: numbers are never used again, not even if every entry was trimmed."""
        storage = place.create("session", *numbered(4))
        storage.trim(5)
        if is_reopened:
            storage.close()
            storage = place.writer()

        head = storage.append([b"next"], expect=4)

        assert head == 5
        assert list(place.reader().read()) == [(5, b"next")]

    @pytest.mark.parametrize("below", [0, 1, 3])
    def test_trim_below_the_first_entry_changes_nothing(self, place: Place, below: int) -> None:
        """G9: a trim may be repeated."""
        storage = place.create("session", *numbered(4))
        storage.trim(3)

        storage.trim(below)

        assert list(place.reader().read()) == [(3, numbered(4)[2]), (4, numbered(4)[3])]

    def test_trim_beyond_the_last_entry_trims_all(self, place: Place) -> None:
        """There is nothing more to drop than all of it."""
        storage = place.create("session", *numbered(4))

        storage.trim(400)

        assert (storage.head, list(place.reader().read())) == (4, [])
