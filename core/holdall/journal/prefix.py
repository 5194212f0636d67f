"""The longest beginning of a damaged journal that is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdall.errors import CorruptSessionError
from holdall.journal.codec import decode, unpack_snapshot
from holdall.journal.events import SessionSummarised, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.contracts import Storage
    from holdall.journal.events import AnyEvent


class WholePrefix(NamedTuple):
    """The events in front of the damage.

    Attributes:
        head: Number of the last entry that is whole, 0 if none is.
        damage: Why reading ended there; None if the whole journal was read.
    """

    events: Sequence[AnyEvent]
    head: int
    damage: CorruptSessionError | None


def read_prefix(storage: Storage) -> WholePrefix:
    """Return the events up to the first entry that is not what was written there.

    Raises:
        NewerFormatError: A newer holdall wrote it.
    """
    events: list[AnyEvent] = []
    head = 0
    try:
        for position, event in decode(storage.id, storage.read()):
            if isinstance(event, Snapshot):
                # One behind the events that it stands for adds none, and has to be whole too.
                unpacked = list(unpack_snapshot(storage.id, event))
                events = events or unpacked
            elif not isinstance(event, SessionSummarised):
                events.append(event)
            head = position.number
    except CorruptSessionError as damage:
        return WholePrefix(events, head, damage)
    return WholePrefix(events, head, None)
