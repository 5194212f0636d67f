"""Logs in pieces, which a crash may cut and the next writer goes on with."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdall.errors import CorruptSessionError
from holdall.stores import LogWrapper, digest_of
from holdall_plugins.stores.recoded.codec import DamageError, Kind
from holdall_plugins.stores.recoded.pieces import PIECE, Pieces, piece_of

if TYPE_CHECKING:
    from holdall.contracts import LogWriter, Storage
    from holdall.stores import Handle
    from holdall_plugins.stores.recoded.codec import Codec, StreamCodec

_NAMING: Final = ("utf-8", "surrogatepass")


class RecodedLog(LogWrapper):
    """Another log, to which pieces go."""

    def __init__(self, name: str, storage: Storage, codec: Codec, handle: Handle) -> None:
        stored_name = codec.stored_name(name)
        inner = storage.open_log(stored_name)
        self._name = name
        self._codec = codec
        self._handle = handle
        self._waiting = bytearray()
        self._digest = sha256()
        self._size = 0
        left = self._left(storage, stored_name) if inner.size else None
        if left is not None and not left.count:
            # Its name was not written whole, so nothing was flushed.
            inner.discard()
            inner = storage.open_log(stored_name)
        super().__init__(inner)
        self._stream, self._count = self._gone_on_with(left)

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append bytes, which wait in memory until there is a piece of them."""
        self.inner.write(b"")  # which refuses if the log has ended
        self._waiting += data
        self._digest.update(data)
        self._size += len(data)
        while len(self._waiting) >= PIECE:
            self._hand_over(PIECE)

    def flush(self) -> None:
        """Hand everything to the store: from now on it survives the end of this process."""
        with self._handle.writing("write a log"):
            self._hand_over(len(self._waiting))
            self.inner.flush()

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        with self._handle.writing("seal a log"):
            if ref is not None:
                digest_of(ref, session_id=self._handle.session_id)
            name = ref or f"sha256:{self._digest.hexdigest()}"
            self.flush()
            self._put(Kind.END, name.encode())
            self.inner.seal(ref=self._codec.stored_ref(name))
            return name

    def discard(self) -> None:
        """Drop the log."""
        with self._handle.writing("drop a log"):
            self.inner.discard()

    def _hand_over(self, size: int) -> None:
        if size:
            # A store that has no room keeps what it was given; then it is not given twice.
            before = self.inner.size
            try:
                self._put(Kind.DATA, bytes(self._waiting[:size]))
            finally:
                if self.inner.size > before:
                    del self._waiting[:size]

    def _put(self, kind: Kind, data: bytes) -> None:
        piece = piece_of(self._stream, kind, self._count, data)
        before = self.inner.size
        try:
            self.inner.write(piece)
        finally:
            if self.inner.size > before:
                self._count += 1

    def _left(self, storage: Storage, stored_name: str) -> Pieces:
        with storage.read_log(stored_name) as file:
            pieces = Pieces(file, self._codec, name=self._name)
            try:
                for data in pieces.read():
                    self._digest.update(data)
                    self._size += len(data)
            except DamageError as error:
                location = f"log {self._name!r}"
                raise CorruptSessionError(storage.id, location, str(error)) from error
        return pieces

    def _gone_on_with(self, left: Pieces | None) -> tuple[StreamCodec, int]:
        if left is None or left.stream is None or not left.count:
            stream = self._codec.new_stream()
            name = piece_of(stream, Kind.NAME, 0, self._name.encode(*_NAMING))
            self.inner.write(stream.front + name)
            return stream, 1
        if left.cut:
            resumed = piece_of(left.stream, Kind.RESUMED, left.count, b"")
            self.inner.write(left.filling() + resumed)
            self.inner.flush()
            return left.stream, left.count + 1
        return left.stream, left.count


if TYPE_CHECKING:
    _: type[LogWriter] = RecodedLog
