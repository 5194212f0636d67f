"""Which of several histories of a session holds everything that was acknowledged.

An entry was acknowledged only if as many stores as the quorum hold it. Stores that were
not read may hold anything, so they count for every version of an entry.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import CorruptSessionError, HoldallError, StorageAccessError
from holdall.stores import first_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import Storage

Entry = tuple[int, bytes]


class Settled(NamedTuple):
    """What the stores of a session have to do with the history that counts.

    Attributes:
        source: The store that has all of it.
        diverged: Stores that left it, and the number of the first entry that differs.
        damaged: Stores that can't be read to their end, and why.
    """

    source: int
    diverged: Mapping[int, int]
    damaged: Mapping[int, HoldallError]


class Histories:
    """The histories of one session, read side by side.

    Args:
        storages: Those that were opened, by the place of their store in the mirror.
        total: How many stores the mirror has.
        absent: Why stores were not opened; those that just lack the session are not among them.
    """

    def __init__(
        self,
        location: str,
        storages: Mapping[int, Storage],
        *,
        quorum: int,
        total: int,
        absent: Mapping[str, HoldallError],
    ) -> None:
        self._location: Final = location
        self._storages: Final = storages
        self._quorum: Final = quorum
        self._total: Final = total
        self._absent: Final = absent
        self._damaged: Final[dict[int, HoldallError]] = {}
        self._diverged: Final[dict[int, int]] = {}
        self._undecided = 0

    def settle(self) -> Settled:
        """Return which store has the history that counts; nothing is changed.

        Raises:
            StorageAccessError: That can't be known without a store that is not there.
            CorruptSessionError: Two entries of one number may both have been acknowledged.
        """
        streams = dict(self._begun())
        for number in count(1):
            entries = self._next(streams)
            if not entries:
                break
            if self._undecided and max(Counter(entries.values()).values()) >= self._quorum:
                raise self._corrupt(self._undecided)  # what follows was acknowledged
            followed = {at: entry for at, entry in entries.items() if at not in self._diverged}
            if len(set(followed.values())) > 1:
                self._follow(followed)
            del number
        heads = {at: storage.head for at, storage in self._storages.items() if self._counts(at)}
        if not heads:
            raise next(iter(self._damaged.values()))
        return Settled(max(heads, key=lambda at: heads[at]), self._diverged, self._damaged)

    def _counts(self, at: int) -> bool:
        return at not in self._diverged and at not in self._damaged

    def _begun(self) -> Iterator[tuple[int, Iterator[Entry]]]:
        """Yield readers that begin where the last compaction that any store saw ended."""
        firsts = {}
        for at, storage in self._storages.items():
            try:
                firsts[at] = first_of(storage)
            except HoldallError as error:
                self._damaged[at] = error
        start = max(firsts.values(), default=1)
        for at in firsts:
            yield at, self._storages[at].read(start - 1)

    def _next(self, streams: dict[int, Iterator[Entry]]) -> dict[int, Entry]:
        entries = {}
        for at, stream in tuple(streams.items()):
            try:
                entry = next(stream, None)
            except HoldallError as error:
                self._damaged[at], entry = error, None
            if entry is None:
                del streams[at]
            else:
                entries[at] = entry
        return entries

    def _follow(self, entries: Mapping[int, Entry]) -> None:
        """Decide between stores that hold different entries of one number."""
        groups: dict[Entry, list[int]] = {}
        for at, entry in entries.items():
            groups.setdefault(entry, []).append(at)
        [(number, _), *_] = entries.values()
        unread = len(self._absent) + len(self._damaged)
        possible = [group for group in groups.values() if len(group) + unread >= self._quorum]
        if len(possible) > 1 and self._absent:
            raise self._unknown(number)
        if len(possible) > 1 or (not possible and self._quorum == self._total):
            raise self._corrupt(number)
        if not possible:
            self._undecided = number
        chosen = possible[0] if possible else max(groups.values(), key=len)
        self._diverged.update({at: number for at in entries if at not in chosen})

    def _unknown(self, number: int) -> StorageAccessError:
        names = " and ".join(self._absent)
        reason = (
            f"entry {number} differs between its stores, and which one was acknowledged "
            f"can't be known without {names} ({next(iter(self._absent.values()))})"
        )
        return StorageAccessError(self._location, "follow the history of", reason)

    def _corrupt(self, number: int) -> CorruptSessionError:
        [session_id] = {storage.id for storage in self._storages.values()}
        places = " and ".join(storage.where for storage in self._storages.values())
        reason = (
            f"{places} hold different entries of that number, and each may have been acknowledged"
        )
        return CorruptSessionError(session_id, f"entry {number}", reason)
