"""Sessions whose bytes a codec changes: what the store holds, and what is read of it."""

from __future__ import annotations

import secrets
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Final

from holdall.contracts import Sweepable
from holdall.errors import CorruptSessionError, StaleWriterError
from holdall.stores import StorageWrapper, digest_of, file_of, is_compacted, is_repeated, sealed
from holdall_plugins.stores.recoded.codec import DamageError
from holdall_plugins.stores.recoded.logs import RecodedLog
from holdall_plugins.stores.recoded.pieces import Pieces, blob_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from holdall.contracts import Level, LogWriter, Storage
    from holdall.stores import Handle
    from holdall_plugins.stores.recoded.codec import Codec

_IN_MEMORY: Final = 1 << 20
"""Bytes of a blob without a name that are held until it has one; more go to a log first."""


def recoded(inner: Storage, codec: Codec, handle: Handle) -> RecodedStorage:
    """Return *inner* with a codec; it can be swept if *inner* can."""
    kind = SweepableStorage if isinstance(inner, Sweepable) else RecodedStorage
    return kind(inner, codec, handle)


class RecodedStorage(StorageWrapper):
    """Another storage, to which only what a codec makes of the bytes goes."""

    def __init__(self, inner: Storage, codec: Codec, handle: Handle) -> None:
        super().__init__(inner, handle.repository)
        self._codec: Final = codec
        self._handle: Final = handle

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head."""
        with self._handle.writing("append entries"):
            self._begin()
            try:
                stored = [
                    self._codec.stored_entry(number, entry)
                    for number, entry in enumerate(entries, start=expect + 1)
                ]
                return self.inner.append(stored, expect=expect, level=level)
            except StaleWriterError:
                if is_repeated(self, entries, expect=expect):
                    # Nothing to add, but what was stored at `process` may wait for its sync.
                    return self.inner.append([], expect=self.inner.head, level=level)
                raise

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it, in one step."""
        with self._handle.writing("compact entries"):
            self._begin()
            try:
                stored = self._codec.stored_entry(expect + 1, snapshot)
                return self.inner.compact(stored, expect=expect)
            except StaleWriterError:
                if is_compacted(self, snapshot, expect=expect):
                    return self.head
                raise

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        return self._plain_entries(self.inner.read(after))

    def _plain_entries(self, entries: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        for number, stored in entries:
            try:
                entry = self._codec.plain_entry(number, stored)
            except DamageError as error:
                raise CorruptSessionError(self.id, f"entry {number}", str(error)) from error
            yield number, entry

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        with self._handle.writing("store a blob"):
            self._begin()
            if ref is not None:
                digest_of(ref, session_id=self.id)
                return self._put(chunks, ref)
            rest = iter(chunks)
            held, size = [], 0
            for chunk in rest:
                held.append(chunk)
                size += len(chunk)
                if size > _IN_MEMORY:
                    return self._put_by_log(held, rest)
            digest = sha256()
            for chunk in held:
                digest.update(chunk)
            return self._put(held, f"sha256:{digest.hexdigest()}")

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        digest_of(ref, session_id=self.id)
        stored_ref = self._codec.stored_ref(ref)
        try:
            file = self.inner.open_blob(stored_ref)
        except CorruptSessionError as error:
            raise CorruptSessionError(self.id, f"blob {ref}", error.reason) from error
        return file_of(self._plain(file, f"blob {ref}", ref=ref))

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending."""
        with self._handle.writing("write a log"):
            self._begin()
            return RecodedLog(name, self.inner, self._codec, self._handle)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*."""
        file = self.inner.read_log(self._codec.stored_name(name))
        return file_of(self._plain(file, f"log {name!r}", name=name))

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        self._handle.is_closed = True
        super().close()

    def _begin(self) -> None:
        try:
            self._codec.begin(self._last_stored)
        except DamageError as error:
            location = f"entry {self.inner.head}"
            raise CorruptSessionError(self.id, location, str(error)) from error

    def _last_stored(self) -> bytes | None:
        return next(
            (stored for _number, stored in self.inner.read(max(0, self.inner.head - 1))), None
        )

    def _put(self, chunks: Iterable[bytes], ref: str) -> str:
        stored = blob_of(self._codec, chunks, ref)
        self.inner.put_blob(stored, ref=self._codec.stored_ref(ref))
        return ref

    def _put_by_log(self, held: Iterable[bytes], rest: Iterable[bytes]) -> str:
        # A log is named when it is sealed, so nothing has to be read twice or kept.
        return sealed(self.open_log(f"blob {secrets.token_hex(8)}"), chain(held, rest))

    def _plain(
        self, file: BinaryIO, location: str, *, name: str | None = None, ref: str | None = None
    ) -> Iterator[bytes]:
        pieces = Pieces(file, self._codec, name=name)
        with file:
            try:
                yield from pieces.read()
                if ref is not None and (pieces.cut or pieces.end is None):
                    raise DamageError("its end is missing")  # noqa: TRY301 - the place is below
                if ref is not None and pieces.end != ref:
                    raise DamageError(f"its bytes are those of {pieces.end}")  # noqa: TRY301
            except DamageError as error:
                raise CorruptSessionError(self.id, location, str(error)) from error
            except CorruptSessionError as error:
                raise CorruptSessionError(self.id, location, error.reason) from error


class SweepableStorage(RecodedStorage):
    """One whose inner storage lists what it holds, by other names."""

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        for stored in self._swept.blobs():
            yield self._codec.plain_ref(stored)

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        for stored in self._swept.logs():
            try:
                yield self._codec.plain_name(stored)
            except DamageError as error:
                raise CorruptSessionError(self.id, f"log {stored!r}", str(error)) from error

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self._handle.writing("drop a blob"):
            digest_of(ref, session_id=self.id)
            self._swept.drop(self._codec.stored_ref(ref))

    @property
    def _swept(self) -> Sweepable:
        assert isinstance(self.inner, Sweepable)  # noqa: S101 - `recoded` saw to it
        return self.inner


if TYPE_CHECKING:
    _: type[Storage] = RecodedStorage
