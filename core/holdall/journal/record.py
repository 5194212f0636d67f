"""A stored session opened: read what is there, append what is new, compact."""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING, Final

from holdall.errors import CorruptSessionError, HoldallError
from holdall.journal.codec import (
    Position,
    check_beginning,
    decode,
    encode,
    pack_snapshot,
    unpack_snapshot,
)
from holdall.journal.compaction import compacted
from holdall.journal.events import SessionSummarised, Snapshot
from holdall.journal.outsized import with_blobs
from holdall.journal.summary import RunningSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.contracts import Level, Storage
    from holdall.journal.events import AnyEvent

_log: Final = logging.getLogger("holdall.journal")

SMALLEST_TAIL: Final = 2**20
"""Bytes behind the last snapshot below which a journal is not worth compacting."""


def read_events(storage: Storage) -> Iterator[AnyEvent]:
    """Yield every event that is stored, checked, and those a snapshot stands for.

    Summaries are left out: they are about the other events.

    Raises:
        CorruptSessionError: Something stored is not what was written.
        NewerFormatError: A newer holdall wrote it.
    """
    for _position, event in _events(storage.id, storage.read()):
        if type(event) is not SessionSummarised:
            yield event


def _events(
    session_id: str, entries: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[Position, AnyEvent]]:
    """Yield events; a snapshot that follows the events it contains adds none."""
    begun = False
    for position, event in decode(session_id, entries):
        if not isinstance(event, Snapshot):
            if not begun:
                check_beginning(session_id, event)
            yield position, event
        elif not begun:
            for kept in unpack_snapshot(session_id, event):
                yield position, kept
        begun = True


class Journal:
    """The end of a session's journal, to append to.

    It belongs to one writer: each one opens the journal with an epoch of its own,
    and what a writer of an older epoch wrote behind it is refused by readers.
    """

    def __init__(
        self,
        storage: Storage,
        position: Position,
        *,
        events: Sequence[AnyEvent] = (),
        tail: int = 0,
        base: int = 0,
    ) -> None:
        self.storage = storage
        self._position = position
        self._summary = RunningSummary()
        self._not_summarised: Sequence[AnyEvent] = events  # most who load a session only read it
        self._tail = tail
        self._base = base
        self._is_changed = False

    @classmethod
    def begin(cls, storage: Storage) -> Journal:
        """Return the journal of a session that has no entries yet."""
        return cls(storage, Position(number=0, epoch=1, sum=0))

    @classmethod
    def resume(cls, storage: Storage) -> tuple[Journal, Sequence[AnyEvent]]:
        """Return the journal of a stored session, and its events."""
        last = Position()
        events = []
        sizes = _Sizes()
        for last, event in _events(storage.id, sizes.measured(storage.read())):  # noqa: B007 - the last one is kept
            if type(event) is not SessionSummarised:
                events.append(event)
        position = last._replace(epoch=last.epoch + 1)
        journal = cls(storage, position, events=events, tail=sizes.tail, base=sizes.base)
        return journal, events

    @property
    def head(self) -> int:
        """Number of the last entry that is stored."""
        return self._position.number

    @property
    def is_long(self) -> bool:
        """Whether so much was appended since the last snapshot that one would pay.

        Snapshots taken just then are together no larger than the events.
        """
        return self._tail >= max(SMALLEST_TAIL, self._base)

    def append(self, events: Iterable[AnyEvent], *, level: Level = "system") -> None:
        """Store *events*, all or none; on return they survive what *level* says.

        Large logs and attachments that are in results become blobs.
        """
        events = tuple(with_blobs(event, self.storage) for event in events)
        entries, behind = encode(events, self._position)
        if entries:
            self.storage.append(entries, expect=self._position.number, level=level)
            self._position = behind
            self._tail += sum(map(len, entries))
            self._is_changed = True
            self._summarise(events)

    def compact(self, *, at: float) -> None:
        """Replace all entries by one snapshot; the state that they describe stays the same.

        The storage gets the entry only after it was unpacked again and compared.
        """
        events = compacted(read_events(self.storage))
        self._summarise()
        try:
            snapshot = pack_snapshot(events, at=at, summary=self._summary.event())
        except OverflowError as error:
            _log.info("%s: not compacted: %s", self.storage.id, error)
            self._base = 2 * self._tail  # tried again when there is twice as much
            return
        [entry], behind = encode([snapshot], self._position)
        if _unpacked(self.storage.id, [(behind.number, entry)]) != events:
            location = f"entry {behind.number}"
            reason = "the snapshot unpacks differently from what was packed"
            raise CorruptSessionError(self.storage.id, location, reason)
        self.storage.compact(entry, expect=self._position.number)
        self._position = behind
        self._base, self._tail = len(entry), 0
        self._is_changed = False

    def close(self) -> None:
        """Close the storage; before that, say what a listing shows if anything was appended.

        A listing does without it, so a storage that takes no more is closed all the same.
        """
        try:
            if self._is_changed:
                self.append([self._summary.event()], level="process")
                self._is_changed = False
        except HoldallError as error:
            _log.debug("%s: no summary was stored: %s", self.storage.id, error)
        finally:
            self.storage.close()

    def _summarise(self, events: Iterable[AnyEvent] = ()) -> None:
        for event in chain(self._not_summarised, events):
            self._summary.apply(event)
        self._not_summarised = ()


class _Sizes:
    """Bytes of the last snapshot, and of what stands behind it."""

    def __init__(self) -> None:
        self.base = 0
        self.tail = 0

    def measured(self, entries: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        for number, entry in entries:
            if _SNAPSHOT in entry[:_HEAD]:
                self.base, self.tail = len(entry), 0
            else:
                self.tail += len(entry)
            yield number, entry


def _unpacked(session_id: str, entries: Iterable[tuple[int, bytes]]) -> list[AnyEvent]:
    return [event for _position, event in _events(session_id, entries)]


_HEAD: Final = 120
_SNAPSHOT: Final = b'"event":{"type":"snapshot"'
