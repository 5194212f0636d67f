"""A running session followed: its events as they are stored."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from holdall.contracts import Watchable
from holdall.errors import StorageAccessError
from holdall.journal import START, SessionSummarised, Snapshot, decode, position_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Repository, Storage
    from holdall.journal import AnyEvent, Position

_SHORTEST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0


def follow_session(
    repository: Repository, session_id: str, *, after: int = 0, timeout: float | None = None
) -> Iterator[tuple[int, AnyEvent]]:
    """Yield the events of a session with their numbers, those to come too, until it is removed.

    A follower that was ended goes on with the last number that it was given. If entries
    behind that number were compacted meanwhile, the first event is the `Snapshot` that
    stands for all before it; otherwise snapshots add nothing, and are left out.

    Args:
        after: Number of the last entry that is known already.
        timeout: Seconds after which it ends if nothing comes; None to wait for ever.

    Raises:
        UnknownSessionError: The repository holds no such session.
        CorruptSessionError: An entry is not what was written.
        StorageError: The session was removed meanwhile, or can't be read any more.
    """
    with closing(repository.open(session_id, mode="r")) as storage:
        position = _position(storage, after)
        is_compacted = False
        while True:
            try:
                for position, event in _behind(storage, position):  # noqa: B020 - it moves on
                    adds_nothing = isinstance(event, SessionSummarised) or (
                        isinstance(event, Snapshot) and 0 < after == position.number - 1
                    )
                    after = position.number
                    is_compacted = False
                    if not adds_nothing:
                        yield after, event
            except StorageAccessError:
                # What was read was compacted in the middle, and is read from the snapshot on.
                if is_compacted:
                    raise
                is_compacted = True
                continue
            if not wait_for_entries(storage, position.number, timeout=timeout):
                return


def _position(storage: Storage, number: int) -> Position:
    """Return the position behind an entry; that of the start if it is gone."""
    if number > 0:
        for found, entry in storage.read(number - 1):
            if found == number:
                return position_of(storage.id, number, entry)
            break
    return START


def _behind(storage: Storage, position: Position) -> Iterator[tuple[Position, AnyEvent]]:
    entries = iter(storage.read(position.number))
    first = next(entries, None)
    if first is None:
        return
    if first[0] != position.number + 1:
        position = START  # what came before was compacted, and the first is a snapshot
    yield from decode(storage.id, chain([first], entries), position)


def wait_for_entries(storage: Storage, head: int, *, timeout: float | None = None) -> bool:
    """Return once the storage has entries behind *head*; False if the time is over before.

    Args:
        head: Number of the last entry that is known.
        timeout: Seconds to wait; None to wait for ever.
    """
    until = None if timeout is None else monotonic() + timeout
    pause = _SHORTEST_PAUSE_S
    while True:
        left = _LONGEST_PAUSE_S if until is None else until - monotonic()
        if left <= 0:
            return False
        if isinstance(storage, Watchable):
            now = storage.wait(head, timeout=left)
        else:
            sleep(min(pause, left))
            now = storage.head
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        if now != head:
            return True
