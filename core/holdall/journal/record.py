"""A stored session opened: read what is there, append what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.journal.codec import Position, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.contracts import Storage
    from holdall.journal.events import AnyEvent


def read_events(storage: Storage) -> Iterator[AnyEvent]:
    """Yield every event that is stored, checked.

    Raises:
        CorruptSessionError: Something stored is not what was written.
        NewerFormatError: A newer holdall wrote it.
    """
    for _position, event in decode(storage.id, storage.read()):
        yield event


class Journal:
    """The end of a session's journal, to append to.

    It belongs to one writer: each one opens the journal with an epoch of its own,
    and what a writer of an older epoch wrote behind it is refused by readers.
    """

    def __init__(self, storage: Storage, position: Position) -> None:
        self.storage = storage
        self._position = position

    @classmethod
    def begin(cls, storage: Storage) -> Journal:
        """Return the journal of a session that has no entries yet."""
        return cls(storage, Position(number=0, epoch=1, sum=0))

    @classmethod
    def resume(cls, storage: Storage) -> tuple[Journal, Sequence[AnyEvent]]:
        """Return the journal of a stored session, and its events."""
        last = Position()
        events = []
        for last, event in decode(storage.id, storage.read()):  # noqa: B007 - kept behind the loop
            events.append(event)
        return cls(storage, last._replace(epoch=last.epoch + 1)), events

    @property
    def head(self) -> int:
        """Number of the last entry that is stored."""
        return self._position.number

    def append(self, events: Iterable[AnyEvent]) -> None:
        """Store *events*, all or none; durable on return."""
        entries, behind = encode(events, self._position)
        if entries:
            self.storage.append(entries, expect=self._position.number)
            self._position = behind
