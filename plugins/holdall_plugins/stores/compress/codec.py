"""How entries, blobs and logs are compressed.

An entry that does not shrink is stored as it is. So `compress::` can be put before a store
that has sessions already.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final
from zlib import crc32

from holdall_plugins.stores.compress.zstandard import (
    LATEST,
    Packer,
    allowed,
    decompressed,
)
from holdall_plugins.stores.recoded import DamageError
from holdall_plugins.stores.recoded.pieces import PIECE

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall_plugins.stores.recoded import Codec, Kind, StreamCodec

_MARK: Final = b"\0Z"
_AS_IS: Final = b"\0="
_FRONT: Final = b"\0Z1\n"
_CHECK: Final = 4
_SMALL: Final = 1 << 14
"""Bytes up to which the dictionary pays; larger entries have enough words of their own."""


class CompressCodec:
    """The codec of a session; it needs to know nothing of it."""

    front_size = len(_FRONT)

    def __init__(self, level: int) -> None:
        self._level: Final = level

    # Made when they are needed: a listing has a codec for each session, and only reads.
    @cached_property
    def _small(self) -> Packer:
        return Packer(self._level, LATEST)

    @cached_property
    def _large(self) -> Packer:
        return Packer(self._level)

    def begin(self, last: Callable[[], bytes | None]) -> None:
        """Do nothing."""

    def stored_entry(self, number: int, entry: bytes) -> bytes:
        """Return an entry as it is stored."""
        del number
        frame = (self._small if len(entry) <= _SMALL else self._large).packed(entry)
        if frame is not None and len(frame) + len(_MARK) < len(entry):
            return _MARK + frame
        return _AS_IS + entry if entry.startswith(b"\0") else entry

    def plain_entry(self, number: int | None, stored: bytes) -> bytes:
        """Return what `stored_entry` was given."""
        del number
        if stored.startswith(_MARK):
            frame = stored[len(_MARK) :]
            return decompressed(frame, allowed(len(frame)))
        if stored.startswith(_AS_IS):
            return stored[len(_AS_IS) :]
        if stored.startswith(b"\0"):
            raise DamageError("it was stored by another wrapper, or by a newer holdall")
        return stored

    def stored_ref(self, ref: str) -> str:
        """Return *ref*."""
        return ref

    def plain_ref(self, stored: str) -> str:
        """Return *stored*."""
        return stored

    def stored_name(self, name: str) -> str:
        """Return *name*."""
        return name

    def plain_name(self, stored: str) -> str:
        """Return *stored*."""
        return stored

    def new_stream(self) -> StreamCodec:
        """Return the codec of a new blob or log."""
        return CompressStream(self._level)

    def stream(self, front: bytes) -> StreamCodec:
        """Return the codec of the blob or log that begins with *front*."""
        if front != _FRONT:
            raise DamageError("it was not compressed; read it without compress::")
        return CompressStream(self._level)


class CompressStream:
    """The codec of one blob or log: pieces that are unpacked one by one."""

    front = _FRONT

    def __init__(self, level: int) -> None:
        self._packer: Final = Packer(level)

    def stored(self, kind: Kind, count: int, data: bytes) -> bytes:
        """Return a piece as it is stored."""
        frame = self._packer.packed(data)
        body = b"=" + data if frame is None else b"Z" + frame
        return _sum(kind, count, body) + body

    def plain(self, kind: Kind, count: int, stored: bytes) -> bytes:
        """Return what `stored` was given."""
        body = stored[_CHECK:]
        if not body or stored[:_CHECK] != _sum(kind, count, body):
            raise DamageError("its checksum does not fit")
        return decompressed(body[1:], PIECE) if body.startswith(b"Z") else body[1:]


def _sum(kind: Kind, count: int, body: bytes) -> bytes:
    return crc32(body, crc32(b"%d %d" % (kind, count))).to_bytes(_CHECK, "big")


if TYPE_CHECKING:
    _codec: type[Codec] = CompressCodec
    _stream: type[StreamCodec] = CompressStream
