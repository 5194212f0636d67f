"""The ends of sessions, as a writer leaves them for listings: one request for each session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self

from holdall.contracts import SessionEnds
from holdall_plugins.stores.objects.records import (
    DamagedError,
    Header,
    joined,
    packed,
    split,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall_plugins.stores.objects.bucket import Bucket
    from holdall_plugins.stores.objects.journal import Journal
    from holdall_plugins.stores.objects.places import Place

LARGEST: Final = 1 << 18
"""Bytes of entries that are stored a second time; larger ones are read where they are."""


class Ends(NamedTuple):
    """What a writer knows of the ends of its session.

    Attributes:
        is_listed: Whether the object with the ends is there, with whatever in it.
        is_current: Whether it says what there is.
        first: The first entry; None if it is not known.
        last: The last entries that were written since the session was opened, two at most.
    """

    is_listed: bool = False
    is_current: bool = True
    first: bytes | None = None
    last: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[bytes], *, is_listed: bool) -> Self:
        """Return what is known when *entries* are all that there are."""
        return cls(
            is_listed=is_listed, is_current=False, first=entries[0], last=tuple(entries[-2:])
        )

    def followed_by(self, entries: Sequence[bytes], *, is_first: bool) -> Ends:
        """Return what is known when *entries* were appended."""
        if is_first:
            return Ends.of(entries, is_listed=True)
        last = (*self.last, *entries[-2:])[-2:]
        return Ends(is_listed=True, is_current=False, first=self.first, last=last)

    def known(self) -> tuple[bytes, ...]:
        """Return the first entry and the last ones, nothing unless all of that is known."""
        if self.first is None or not self.last:
            return ()
        return (self.first, *self.last)


def ends_of(journal: Journal) -> tuple[bytes, ...]:
    """Return the first entry of a session and its last two, or the only one."""
    number, first = next(journal.read(0))
    head = journal.head()
    return (first, *(entry for _, entry in journal.read(max(head - 2, number - 1))))


def put_ends(bucket: Bucket, place: Place, ends: Sequence[bytes] | None, tail: Header) -> None:
    """Say what a session begins and ends with; None says that it has entries."""
    entries = ends if ends is not None and sum(map(len, ends)) <= LARGEST else ()
    header = Header(kind="ends", session=place.name, at=tail.at, count=len(entries))
    bucket.put(place.ends, packed(header, joined(entries)), "list a session of")


def ends_in(data: bytes | None, session_id: str, place: str) -> SessionEnds:
    """Return the ends that an object says; `is_whole` is false if it does not."""
    unknown = SessionEnds(session_id, is_whole=False)
    try:
        header, payload = unpacked(data or b"", session=place)
    except DamagedError:
        return unknown
    entries = tuple(split(payload))
    if not entries or header.count != len(entries):
        return unknown
    return SessionEnds(session_id, entries[0], entries[1:])
