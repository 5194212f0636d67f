"""A wrapper that changes every byte, and each time in another way, as one that encrypts would.

It takes nothing but the contract: no store knows that its bytes are not plain.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdall.contracts import SessionEnds
from holdall.errors import StaleWriterError, StoreUrlError
from holdall.stores import (
    Handle,
    LogWrapper,
    RepositoryWrapper,
    StorageWrapper,
    digest_of,
    file_of,
    is_compacted,
    is_repeated,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from holdall.contracts import Level, LogWriter, Mode, Repository, Storage

FRAME: Final = 1 << 16
HEAD: Final = 5


def scrambled(data: bytes) -> bytes:
    """Return *data* behind a key of one byte that all of it was changed with."""
    key = 1 + os.urandom(1)[0] % 255  # a key of 0 would change nothing
    return bytes([key]) + data.translate(bytes(each ^ key for each in range(256)))


def plain(data: bytes) -> bytes:
    """Return what `scrambled` was given."""
    return data[1:].translate(bytes(each ^ data[0] for each in range(256)))


def framed(data: bytes) -> bytes:
    """Return *data* as a part of a log or blob, which has any number of such parts."""
    return len(data).to_bytes(HEAD - 1, "big") + scrambled(data)


def unframed(file: BinaryIO) -> Iterator[bytes]:
    """Yield the parts of a log or blob; a last one that a crash cut short is left out."""
    with file:
        while len(head := file.read(HEAD)) == HEAD:
            data = file.read(int.from_bytes(head[:-1], "big"))
            if len(data) < int.from_bytes(head[:-1], "big"):
                return
            yield plain(head[-1:] + data)


class ScrambledRepository(RepositoryWrapper):
    """Another repository, to which only scrambled bytes go."""

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> ScrambledRepository:
        del options
        if len(inner) != 1 or url != "scrambled":
            raise StoreUrlError(url, "write scrambled::URL")
        return cls(inner[0])

    @property
    def url(self) -> str:
        return f"scrambled::{self.inner.url}"

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        return self._opened(self.inner.create(session_id, first=first), "w")

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        return self._opened(self.inner.open(session_id, mode=mode, take_over=take_over), mode)

    def plain_ends(self, ends: SessionEnds) -> SessionEnds:
        first = None if ends.first is None else plain(ends.first)
        return SessionEnds(ends.id, first, tuple(map(plain, ends.last)), ends.is_whole)

    def _opened(self, storage: Storage, mode: Mode) -> Storage:
        return ScrambledStorage(storage, Handle(storage.id, storage.where, mode, self))


class ScrambledStorage(StorageWrapper):
    """Another storage, to which only scrambled bytes go."""

    def __init__(self, inner: Storage, handle: Handle) -> None:
        super().__init__(inner, handle.repository)
        self._handle = handle

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        with self._handle.writing("append entries"):
            try:
                data = [scrambled(entry) for entry in entries]
                return self.inner.append(data, expect=expect, level=level)
            except StaleWriterError:
                if is_repeated(self, entries, expect=expect):
                    # Nothing to add, but what was stored at `process` may wait for its sync.
                    return self.inner.append([], expect=self.inner.head, level=level)
                raise

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        with self._handle.writing("compact entries"):
            try:
                return self.inner.compact(scrambled(snapshot), expect=expect)
            except StaleWriterError:
                if is_compacted(self, snapshot, expect=expect):
                    return self.head
                raise

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return ((number, plain(entry)) for number, entry in self.inner.read(after))

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        # A log is named when it is sealed, so nothing has to be read twice or kept.
        with self._handle.writing("store a blob"):
            if ref is not None:
                digest_of(ref, session_id=self.id)
            log = ScrambledLog(self, f"blob {os.urandom(8).hex()}", self._handle)
            try:
                for chunk in chunks:
                    log.write(chunk)
                return log.seal(ref=ref)
            except BaseException:
                log.discard()
                raise

    def open_blob(self, ref: str) -> BinaryIO:
        return file_of(unframed(self.inner.open_blob(ref)))

    def open_log(self, name: str) -> LogWriter:
        with self._handle.writing("write a log"):
            return ScrambledLog(self, name, self._handle)

    def read_log(self, name: str) -> BinaryIO:
        return file_of(unframed(self.inner.read_log(name)))

    def close(self) -> None:
        self._handle.is_closed = True
        super().close()


class ScrambledLog(LogWrapper):
    """Another log, whose parts are scrambled one by one."""

    def __init__(self, storage: ScrambledStorage, name: str, handle: Handle) -> None:
        super().__init__(storage.inner.open_log(name))
        self._handle = handle
        self._waiting = bytearray()
        self._digest = sha256()
        self._size = 0
        for part in unframed(storage.inner.read_log(name)):
            self._digest.update(part)
            self._size += len(part)

    @property
    def size(self) -> int:
        return self._size

    def write(self, data: bytes) -> None:
        self.inner.write(b"")  # which refuses if the log has ended
        self._waiting += data
        self._digest.update(data)
        self._size += len(data)
        if len(self._waiting) >= FRAME:
            self.flush()

    def flush(self) -> None:
        with self._handle.writing("write a log"):
            if self._waiting:
                self.inner.write(framed(bytes(self._waiting)))
                self._waiting.clear()
            self.inner.flush()

    def seal(self, *, ref: str | None = None) -> str:
        with self._handle.writing("seal a log"):
            self.flush()
            return self.inner.seal(ref=ref or f"sha256:{self._digest.hexdigest()}")


if TYPE_CHECKING:
    _: type[Repository] = ScrambledRepository
