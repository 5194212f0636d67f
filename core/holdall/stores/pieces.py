"""What callers and makers of storages share: where one begins, what it lists, blobs in pieces."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdall.contracts import Sweepable
from holdall.errors import StorageAccessError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from holdall.contracts import LogWriter, Storage

PIECE: Final = 1 << 20
"""Bytes of a blob, a log or entries that are held at a time."""


def first_of(storage: Storage) -> int:
    """Return the number of the first entry that is there, or that the first one will get."""
    for number, _entry in storage.read():
        return number
    return storage.head + 1


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what is left of *file*, in pieces of at most 1 MiB."""
    while piece := file.read(PIECE):
        yield piece


def blob_size(storage: Storage, ref: str) -> int:
    """Read a blob to its end, by which it is checked, and return how many bytes it has.

    Raises:
        CorruptSessionError: It is damaged, or not there.
    """
    with storage.open_blob(ref) as blob:
        return sum(map(len, pieces_of(blob)))


def sealed(log: LogWriter, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
    """Write *chunks* to a new log and seal it; if one of the two fails, nothing is left of it."""
    try:
        for chunk in chunks:
            log.write(chunk)
        return log.seal(ref=ref)
    except BaseException:
        with suppress(StorageError):
            log.discard()
        raise


def swept(storage: Storage) -> Sweepable:
    """Return *storage* as one that lists its blobs and logs.

    Raises:
        StorageAccessError: Its store does not list them.
    """
    if not isinstance(storage, Sweepable):
        reason = "its store does not list them"
        raise StorageAccessError(storage.where, "list the blobs and logs of", reason)
    return storage
