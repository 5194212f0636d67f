"""Blobs and logs in pieces: a head of eight bytes, and what the codec makes of the data.

The head has the kind, the size and a checksum of both. A crash may cut the last piece
of a log. Who goes on with that log fills the piece up, and writes one behind it that says
so; nothing else makes a reader pass over a piece that is not sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from holdall_plugins.stores.recoded.codec import DamageError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from holdall_plugins.stores.recoded.codec import Codec, StreamCodec

PIECE: Final = 1 << 16
"""Plain bytes in a piece, at most."""

_LARGEST: Final = PIECE + (1 << 12)
_HEAD: Final = 8
_CHECKED: Final = 4


def head_of(kind: int, size: int) -> bytes:
    """Return the head of a piece of *size* stored bytes."""
    checked = bytes([kind]) + size.to_bytes(_CHECKED - 1, "big")
    return checked + crc32(checked).to_bytes(_HEAD - _CHECKED, "big")


def piece_of(stream: StreamCodec, kind: Kind, count: int, data: bytes) -> bytes:
    """Return a piece with its head."""
    stored = stream.stored(kind, count, data)
    return head_of(kind, len(stored)) + stored


def blob_of(codec: Codec, chunks: Iterable[bytes], ref: str) -> Iterator[bytes]:
    """Yield a blob as it is stored."""
    stream = codec.new_stream()
    yield stream.front
    count = 0
    for data in cut_to(PIECE, chunks):
        yield piece_of(stream, Kind.DATA, count, data)
        count += 1
    yield piece_of(stream, Kind.END, count, ref.encode())


def cut_to(size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of *chunks* in parts of *size*, the last one may be smaller."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= size:
            whole = len(waiting) - len(waiting) % size
            yield from (bytes(waiting[start : start + size]) for start in range(0, whole, size))
            del waiting[:whole]
    if waiting:
        yield bytes(waiting)


class Pieces:
    """Reads a blob or log that is stored in pieces, once.

    Attributes:
        stream: Its codec; None as long as its front was not read whole.
        count: How many pieces were sound.
        name: The name of the log that it is or was; None for what never was one.
        end: The ref in its last piece, None if that is no end.
        cut: What a crash left of the last piece, or of the front.
        is_lost: Whether the last whole piece is one that a crash had cut.
    """

    def __init__(self, file: BinaryIO, codec: Codec, *, name: str | None = None) -> None:
        self._file = file
        self._codec = codec
        self._expected = name
        self.stream: StreamCodec | None = None
        self.count = 0
        self.name: str | None = None
        self.end: str | None = None
        self.cut = b""
        self.is_lost = False

    def read(self) -> Iterator[bytes]:
        """Yield the data.

        Raises:
            DamageError: A piece is not what was written there.
        """
        front = self._exactly(self._codec.front_size)
        if len(front) < self._codec.front_size:
            self.cut = front
            return
        stream = self.stream = self._codec.stream(front)
        for kind, stored in self._stored():
            try:
                data = stream.plain(kind, self.count, stored)
            except DamageError:
                self.is_lost = True
                continue
            if self.is_lost != (kind is Kind.RESUMED):
                self.is_lost = True
                continue
            self.is_lost = False
            self.count += 1
            self.end = data.decode() if kind is Kind.END else None
            if kind is Kind.NAME:
                self.name = data.decode("utf-8", "surrogatepass")
            if kind is Kind.DATA:
                self._check_name()
                yield data
        if self.is_lost and self.cut[:1] != bytes([Kind.RESUMED]):
            raise DamageError(f"piece {self.count} of it is not what was written")

    def filling(self) -> bytes:
        """Return what completes the piece that was cut, so that another can stand behind it."""
        assert self.stream is not None  # noqa: S101 - the caller saw to it
        checked = self.cut[:_CHECKED].ljust(_CHECKED, b"\0")
        size = int.from_bytes(checked[1:], "big")
        head = self.cut[:_HEAD] + head_of(checked[0], size)[len(self.cut) :]
        begun = self.cut[_HEAD:]
        for filler in (b"\0", b"\1"):
            stored = begun.ljust(size, filler)
            try:
                self.stream.plain(Kind(head[0]), self.count, stored)
            except DamageError:
                return (head + stored)[len(self.cut) :]
        raise AssertionError("a codec takes two different pieces for the same")

    def _check_name(self) -> None:
        if self._expected is not None and self.name != self._expected:
            raise DamageError(f"it is the log {self.name!r}")

    def _stored(self) -> Iterator[tuple[Kind, bytes]]:
        while head := self._exactly(_HEAD):
            if len(head) < _HEAD:
                self.cut = head
                return
            size = int.from_bytes(head[1:_CHECKED], "big")
            if head != head_of(head[0], size) or size > _LARGEST or head[0] > max(Kind):
                raise DamageError(f"the head of piece {self.count} is not what was written")
            stored = self._exactly(size)
            if len(stored) < size:
                self.cut = head + stored
                return
            yield Kind(head[0]), stored

    def _exactly(self, size: int) -> bytes:
        """Return *size* bytes, or those that are left; a file may give fewer at a time."""
        data = self._file.read(size)
        while data and len(data) < size:
            more = self._file.read(size - len(data))
            if not more:
                break
            data += more
        return data
