"""Checks that all stores share: session ids, repeated appends, digests of blobs."""

from __future__ import annotations

import io
import re
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from holdall.errors import CorruptSessionError, SessionIdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _typeshed import WriteableBuffer

    from holdall.contracts import Storage

LONGEST_ID: Final = 200
"""Bytes of UTF-8 that a session's id may have."""

_REF: Final = re.compile(r"sha256:([0-9a-f]{64})")


def check_session_id(session_id: str) -> str:
    """Return *session_id*, fit to be a file's name, a database's key and part of a URL.

    Raises:
        SessionIdError: It is not fit for all of them.
    """
    if not session_id:
        raise SessionIdError(session_id, "it is empty")
    if session_id.startswith("."):
        raise SessionIdError(session_id, "it starts with a dot")
    if "/" in session_id or not session_id.isprintable():
        raise SessionIdError(session_id, "it holds a slash or a character that can't be printed")
    if len(session_id.encode()) > LONGEST_ID:
        raise SessionIdError(session_id, f"it is longer than {LONGEST_ID} bytes")
    return session_id


def is_repeated(storage: Storage, entries: Sequence[bytes], *, expect: int) -> bool:
    """Whether the last thing stored in *storage* is just *entries* behind entry *expect*.

    An append whose outcome was unclear may then be repeated: it is done already.
    """
    if storage.head != expect + len(entries):
        return False
    numbered = [(number, entry) for number, entry in enumerate(entries, start=expect + 1)]
    return list(storage.read(expect)) == numbered


def digest_of(ref: str, *, session_id: str) -> str:
    """Return the 64 hexadecimal digits in a blob's *ref*.

    Raises:
        CorruptSessionError: It is no ref of a blob.
    """
    match = _REF.fullmatch(ref)
    if match is None:
        raise CorruptSessionError(session_id, repr(ref), "no blob can have that name")
    return match[1]


def is_compacted(storage: Storage, snapshot: bytes, *, expect: int) -> bool:
    """Whether *storage* holds just *snapshot*, as the entry behind *expect*.

    A compaction whose outcome was unclear may then be repeated: it is done already.
    """
    return storage.head == expect + 1 and list(storage.read()) == [(expect + 1, snapshot)]


def checked_blob(chunks: Iterator[bytes], ref: str, *, session_id: str) -> BinaryIO:
    """Return *chunks* as a file that raises, at the end, unless they are what *ref* names.

    The file is read once, from the start to the end; *chunks* is closed with it.
    """
    digest = digest_of(ref, session_id=session_id)
    return cast("BinaryIO", io.BufferedReader(_CheckedChunks(chunks, digest, session_id)))


def file_of(chunks: Iterator[bytes]) -> BinaryIO:
    """Return *chunks* as a file that is read once, from the start to the end.

    They are closed with it, and are not checked.
    """
    return cast("BinaryIO", io.BufferedReader(_Chunks(chunks)))


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        room = memoryview(target).cast("B")
        while not self._rest:
            chunk = self._next()
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(room), len(self._rest))
        room[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        super().close()

    def _next(self) -> bytes | None:
        return next(self._chunks, None)


class _CheckedChunks(_Chunks):
    def __init__(self, chunks: Iterator[bytes], digest: str, session_id: str) -> None:
        super().__init__(chunks)
        self._due = digest
        self._digest = sha256()
        self._session_id = session_id

    def _next(self) -> bytes | None:
        chunk = super()._next()
        if chunk is None:
            self._check()
        else:
            self._digest.update(chunk)
        return chunk

    def _check(self) -> None:
        actual = self._digest.hexdigest()
        if actual != self._due:
            location = f"blob sha256:{self._due}"
            reason = f"its bytes are those of sha256:{actual}"
            raise CorruptSessionError(self._session_id, location, reason)
