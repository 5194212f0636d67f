"""Blobs: one object, or parts of at most 4 MiB and one that names them when all are there."""

from __future__ import annotations

import secrets
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdall.errors import CorruptSessionError, StorageError
from holdall.stores import digest_of
from holdall_plugins.stores.objects.records import (
    START,
    DamagedError,
    Header,
    header_of,
    packed,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall_plugins.stores.objects.bucket import Bucket
    from holdall_plugins.stores.objects.places import Place

PART: Final = 4 << 20
"""Bytes that are kept in memory, and that one object holds at most."""

_STORING: Final = "store a blob in"
_READING: Final = "read a blob of"


class Upload:
    """A blob on its way in; nobody finds it before `finish`."""

    def __init__(self, bucket: Bucket, place: Place) -> None:
        self._bucket = bucket
        self._place = place
        self._nonce = secrets.token_hex(8)
        self._waiting = bytearray()
        self._digest = sha256()
        self._sizes: list[int] = []

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._digest.update(data)
        view = memoryview(data)
        while view:
            room = PART - len(self._waiting)
            self._waiting += view[:room]
            view = view[room:]
            if len(self._waiting) >= PART and view:
                self._put_part()

    def finish(self, ref: str | None, *, session_id: str) -> str:
        """Store it under *ref*, or the name of its bytes, unless there is one already."""
        actual = f"sha256:{self._digest.hexdigest()}"
        ref = ref or actual
        key = blob_key(self._place, ref, session_id)
        if self._sizes and self._waiting:
            self._put_part()
        header = Header(
            kind="parts" if self._sizes else "blob",
            session=self._place.name,
            nonce=self._nonce,
            digest=actual,
            sizes=tuple(self._sizes),
        )
        data = packed(header, b"" if self._sizes else bytes(self._waiting))
        if self._bucket.create(key, data, _STORING) is not None:
            self.abandon()
        elif self._sizes:
            self._bucket.delete([upload_key(self._place, self._nonce)], _STORING)
        return ref

    def abandon(self) -> None:
        """Delete the parts; what stays is swept by the next writer."""
        if self._sizes:
            keys = part_keys(self._place, self._nonce, len(self._sizes))
            with suppress(StorageError):
                self._bucket.delete([*keys, upload_key(self._place, self._nonce)], _STORING)

    def _put_part(self) -> None:
        if not self._sizes:
            # So that the parts are found if nothing comes of it.
            self._bucket.put(upload_key(self._place, self._nonce), b"", _STORING)
        key = _part_key(self._place, self._nonce, len(self._sizes))
        self._sizes.append(len(self._waiting))
        self._bucket.put(key, bytes(self._waiting), _STORING)
        self._waiting.clear()


def blob_key(place: Place, ref: str, session_id: str) -> str:
    """Return the key of the blob that is stored as *ref*."""
    return f"{place.blobs}/{digest_of(ref, session_id=session_id)}"


def upload_key(place: Place, nonce: str) -> str:
    """Return the key of the object that says that parts of that nonce may be left over."""
    return f"{place.beside}/upload-{nonce}"


def part_keys(place: Place, nonce: str, count: int) -> list[str]:
    """Return the keys of the parts of a blob."""
    return [_part_key(place, nonce, number) for number in range(count)]


def _part_key(place: Place, nonce: str, number: int) -> str:
    return f"{place.data}/parts/{nonce}/{number:06d}"


def opened_blob(
    bucket: Bucket, place: Place, ref: str, session_id: str
) -> tuple[str, Iterator[bytes]]:
    """Return the name of the bytes that are stored as *ref*, and the bytes as they come.

    Raises:
        CorruptSessionError: There is no such blob, or its object is damaged.
    """
    key = blob_key(place, ref, session_id)
    data = bucket.get(key, _READING)
    location = f"{bucket.location.where}, blob {ref}"
    if data is None:
        raise CorruptSessionError(session_id, location, "there is no such blob")
    try:
        header, payload = unpacked(data, session=place.name)
    except DamagedError as error:
        raise CorruptSessionError(session_id, location, str(error)) from error

    def chunks() -> Iterator[bytes]:
        if header.kind == "blob":
            yield payload
        for part in part_keys(place, header.nonce, len(header.sizes)):
            piece = bucket.get(part, _READING)
            if piece is None:
                raise CorruptSessionError(session_id, location, f"its part {part} is missing")
            yield piece

    return header.digest, chunks()


def keys_of_blob(bucket: Bucket, place: Place, key: str) -> list[str]:
    """Return the keys of all objects of a blob, the one that names the others first."""
    data = bucket.get(key, _READING)
    header = None
    with suppress(DamagedError):
        header = None if data is None else unpacked(data, session=place.name)[0]
    parts = [] if header is None else part_keys(place, header.nonce, len(header.sizes))
    return [key, *parts]


def leftovers(bucket: Bucket, place: Place, keys: list[str]) -> list[str]:
    """Return the keys of what uploads left over that *keys* name and no blob does."""
    start = f"{place.beside}/upload-"
    nonces = {key.removeprefix(start): key for key in keys if key.startswith(start)}
    if not nonces:
        return []
    named = set()
    for blob in bucket.list(place.blobs, _READING):
        data = bucket.get(blob.key, _READING, length=START)
        with suppress(DamagedError):
            if data is not None:
                named.add(header_of(data, session=place.name).nonce)
    stale = []
    for nonce, key in nonces.items():
        if nonce not in named:
            stale += [each.key for each in bucket.list(f"{place.data}/parts/{nonce}", _READING)]
        stale.append(key)
    return stale
