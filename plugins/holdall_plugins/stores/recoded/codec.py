"""What a wrapper says of its bytes: how entries, names and pieces are stored, and read again."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class DamageError(ValueError):
    """Stored bytes are not what the codec wrote; the storage says of which session and where."""


class Kind(IntEnum):
    """What a piece of a blob or log is."""

    DATA = 0
    NAME = 1
    """The first piece of a log: its name, so that logs can't be exchanged."""
    END = 2
    """The last piece of a blob: its ref. One before others is of a `seal` that a crash cut."""
    RESUMED = 3
    """Says that what stands before it was cut by a crash, and that the log went on here."""


class StreamCodec(Protocol):
    """The codec of one blob or log, a sequence of pieces that are counted from 0."""

    @property
    def front(self) -> bytes:
        """What stands in front of the pieces; `Codec.front_size` bytes."""
        ...

    def stored(self, kind: Kind, count: int, data: bytes) -> bytes:
        """Return a piece as it is stored."""
        ...

    def plain(self, kind: Kind, count: int, stored: bytes) -> bytes:
        """Return what `stored` was given, or raise `DamageError` if any of it is another."""
        ...


class Codec(Protocol):
    """The codec of one session; used by the thread that writes and by those that read."""

    front_size: int

    def begin(self, last: Callable[[], bytes | None]) -> None:
        """Prepare to change the session, whose last stored entry *last* reads."""
        ...

    def stored_entry(self, number: int, entry: bytes) -> bytes:
        """Return an entry as it is stored."""
        ...

    def plain_entry(self, number: int | None, stored: bytes) -> bytes:
        """Return what `stored_entry` was given; *number* is None where it is not known."""
        ...

    def stored_ref(self, ref: str) -> str:
        """Return the name that the blob *ref* is stored under."""
        ...

    def plain_ref(self, stored: str) -> str:
        """Return what `stored_ref` was given."""
        ...

    def stored_name(self, name: str) -> str:
        """Return the name that the log *name* is stored under."""
        ...

    def plain_name(self, stored: str) -> str:
        """Return what `stored_name` was given."""
        ...

    def new_stream(self) -> StreamCodec:
        """Return the codec of a new blob or log."""
        ...

    def stream(self, front: bytes) -> StreamCodec:
        """Return the codec of the blob or log that begins with *front*."""
        ...
