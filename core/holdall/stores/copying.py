"""From one storage to another: entries with their numbers, blobs under their names, logs.

Nothing here looks into an entry, so a wrapper may use it in the middle of a step.
Each function goes on where an earlier call was cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdall.errors import StorageAccessError
from holdall.stores.pieces import PIECE, pieces_of, swept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Storage


class Amount(NamedTuple):
    """How much was copied: numbers of entries and blobs, and the bytes of both."""

    entries: int = 0
    blobs: int = 0
    size: int = 0

    def plus(self, other: Amount) -> Amount:
        """Return the sum of two amounts."""
        return Amount(*map(sum, zip(self, other, strict=True)))


def catch_up(source: Storage, target: Storage) -> Amount:
    """Copy all that *target* lacks, durably; *source* may have a writer meanwhile.

    What was stored in *source* when this was called is in *target* when it returns;
    what came later may be. A blob is there before the first entry that names it.

    Raises:
        StorageAccessError: What *target* holds is no beginning of *source*, or one of
            them does not list its blobs.
    """
    # An entry names blobs that were stored before it: so its number is asked for first.
    head = source.head
    done = Amount()
    for ref in sorted(set(swept(source).blobs()) - set(swept(target).blobs())):
        done = done.plus(copy_blob(source, target, ref))
    done = done.plus(copy_entries(source, target, upto=head))
    copy_logs(source, target)
    return done


def copy_blob(source: Storage, target: Storage, ref: str) -> Amount:
    """Copy one blob, which is checked while it is read; one that is there already stays."""
    size = 0
    with source.open_blob(ref) as blob:

        def pieces() -> Iterator[bytes]:
            nonlocal size
            for piece in pieces_of(blob):
                size += len(piece)
                yield piece

        target.put_blob(pieces(), ref=ref)
    return Amount(blobs=1, size=size)


def copy_logs(source: Storage, target: Storage) -> None:
    """Bring the live logs of *target* to what *source* has of them.

    Raises:
        StorageAccessError: One of them does not list its logs.
    """
    names = set(swept(source).logs())
    for name in set(swept(target).logs()) - names:
        target.open_log(name).discard()
    for name in sorted(names):
        log = target.open_log(name)
        with source.read_log(name) as left:
            for _skipped in range(0, log.size, PIECE):
                left.read(min(PIECE, log.size - _skipped))
            for piece in pieces_of(left):
                log.write(piece)
        log.flush()


def copy_entries(source: Storage, target: Storage, *, upto: int | None = None) -> Amount:
    """Append to *target* what *source* holds behind its head, durably.

    If *source* begins just there, it was compacted when *target* held all: its first
    entry stands for what *target* holds, and takes the place of it.

    Args:
        upto: Number of the last entry to copy; without it, all that are there.

    Raises:
        StorageAccessError: What *target* holds is no beginning of *source*.
    """
    head = target.head
    if not is_beginning(target, source):
        reason = f"its last entry, {head}, is none of {source.where}"
        raise StorageAccessError(target.where, "copy entries to", reason)
    is_compacted = _last(target) is not None and _begins_behind(source, head)
    done = Amount()
    for batch in _batches(source, head, upto):
        done = done.plus(Amount(entries=len(batch), size=sum(map(len, batch))))
        if is_compacted:
            head = target.compact(batch.pop(0), expect=head)
            is_compacted = False
        head = target.append(batch, expect=head)
    return done


def is_beginning(target: Storage, source: Storage) -> bool:
    """Whether what *target* holds is a beginning of what *source* holds, or all of it."""
    last = _last(target)
    if last is None or _begins_behind(source, target.head):
        return True
    # The checksum in an entry is over those before it, so one entry tells of all.
    return next(source.read(target.head - 1), None) == (target.head, last)


def _begins_behind(source: Storage, head: int) -> bool:
    """Whether *source* was compacted when its last entry had that number."""
    first = next(source.read(), None)
    return first is not None and first[0] == head + 1


def _last(storage: Storage) -> bytes | None:
    """Return the last entry, None if there is none."""
    return next((entry for _number, entry in storage.read(max(storage.head - 1, 0))), None)


def _batches(source: Storage, after: int, upto: int | None) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for due, (number, entry) in enumerate(source.read(after), start=after + 1):
        if upto is not None and number > upto:
            break
        if number != due:
            reason = f"entry {due} was compacted meanwhile; begin again with an empty copy"
            raise StorageAccessError(source.where, "copy entries of", reason)
        batch.append(entry)
        size += len(entry)
        if size >= PIECE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
