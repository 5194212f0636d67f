"""Live logs: pieces that say which bytes of the log they hold, fewer and larger as it grows."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import CorruptSessionError, StorageError
from holdall_plugins.stores.objects.blobs import PART, Upload
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

    from holdall.stores import Handle
    from holdall_plugins.stores.objects.bucket import Bucket
    from holdall_plugins.stores.objects.journal import Journal
    from holdall_plugins.stores.objects.places import Place

_READING: Final = "read a log of"
_WRITING: Final = "write a log to"


class Piece(NamedTuple):
    """A piece of a log: the bytes from *start* to *end*."""

    start: int
    end: int
    key: str

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return self.end - self.start


class ObjectLog:
    """A log that is open for appending."""

    def __init__(self, bucket: Bucket, journal: Journal, handle: Handle, name: str) -> None:
        self._bucket = bucket
        self._journal = journal
        self._handle = handle
        self._name = name
        self._folder = journal.place.log(name)
        self._pieces = list(pieces_of(bucket, self._folder))
        self._digest = sha256()
        self._size = 0
        for data in bytes_of(bucket, journal.place, handle.session_id, name):
            self._digest.update(data)
            self._size += len(data)
        self._held = bytearray()
        """The last bytes, flushed or not, so that small pieces are joined without reading them."""
        self._flushed = self._size
        self._is_open = True

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append bytes; they wait in memory until there are 4 MiB of them, or until `flush`."""
        self._check()
        self._held += data
        self._digest.update(data)
        self._size += len(data)
        if self._size - self._flushed >= PART:
            self.flush()

    def flush(self) -> None:
        """Store everything, durably."""
        self._check()
        with self._handle.writing("write a log"):
            if self._flushed < self._size:
                self._flush()
                self._journal.check_writer()

    def _flush(self) -> None:
        """Put the bytes that wait, with small pieces before them, which that one replaces.

        A piece takes in those before it that are at most twice as large, so there are few,
        and each byte is put a few times only.
        """
        kept_from = self._size - len(self._held)
        start, joined = self._flushed, 0
        while joined < len(self._pieces):
            piece = self._pieces[-1 - joined]
            too_large = piece.size > 2 * (self._size - start) or self._size - piece.start > PART
            if too_large or piece.start < kept_from:
                break
            start, joined = piece.start, joined + 1
        replaced = self._pieces[len(self._pieces) - joined :]
        new = [
            self._put(position, min(position + PART, self._size), kept_from)
            for position in range(start, self._size, PART)
        ]
        self._pieces[len(self._pieces) - joined :] = new
        self._flushed = self._size
        if replaced:
            with suppress(StorageError):  # each of the new ones goes before them in any reading
                self._bucket.delete([piece.key for piece in replaced], _WRITING)
        if len(self._held) > PART:
            del self._held[: len(self._held) - PART // 2]

    def _put(self, start: int, end: int, kept_from: int) -> Piece:
        epoch, place = self._journal.tail.epoch, self._journal.place
        key = f"{self._folder}/{start:016d}-{end:016d}-{epoch:08d}"
        header = Header(kind="log", session=place.name, name=self._name)
        payload = bytes(self._held[start - kept_from : end - kept_from])
        self._bucket.put(key, packed(header, payload), _WRITING)
        return Piece(start, end, key)

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        self._check()
        place, session_id = self._journal.place, self._handle.session_id
        with self._handle.writing("seal a log"):
            upload = Upload(self._bucket, place)
            try:
                kept_from = self._size - len(self._held)
                if kept_from:
                    self.flush()
                    for data in bytes_of(self._bucket, place, session_id, self._name):
                        upload.write(data)
                else:
                    upload.write(bytes(self._held))
                ref = upload.finish(ref, session_id=session_id)
            except BaseException:
                upload.abandon()
                raise
            self._journal.check_writer()
            self._drop()
        return ref

    def discard(self) -> None:
        """Drop the log."""
        if not self._is_open:
            return
        with self._handle.writing("drop a log"):
            self._journal.check_writer()
            self._drop()

    def _drop(self) -> None:
        keys = [each.key for each in self._bucket.list(self._folder, _WRITING)]
        self._bucket.delete(keys, "drop a log from")
        self._is_open = False
        self._held.clear()

    def _check(self) -> None:
        self._handle.check()
        if not self._is_open:
            raise ValueError(f"the log {self._name!r} was sealed or discarded")


def pieces_of(bucket: Bucket, folder: str) -> Iterator[Piece]:
    """Yield the pieces that make up a log, each behind the one before.

    Of several that begin at one byte, that of the newest writer counts, and of those the longest.
    """
    candidates: dict[int, tuple[int, Piece]] = {}
    for stored in bucket.list(folder, _READING):
        name = stored.key.rpartition("/")[2]
        start, end, epoch = (int(part) for part in name.split("-"))
        candidate = (epoch, Piece(start, end, stored.key))
        present = candidates.get(start)
        if present is None or (epoch, end) > (present[0], present[1].end):
            candidates[start] = candidate
    position = 0
    while position in candidates:
        piece = candidates[position][1]
        yield piece
        position = piece.end


def bytes_of(bucket: Bucket, place: Place, session_id: str, name: str) -> Iterator[bytes]:
    """Yield the bytes of a log as they were flushed, while its writer joins pieces, maybe."""
    folder, position, tries = place.log(name), 0, 0
    while True:
        pieces = [piece for piece in pieces_of(bucket, folder) if piece.end > position]
        if not pieces:
            return
        for piece in pieces:
            data = bucket.get(piece.key, _READING)
            if data is None and tries < 10:
                tries += 1
                break  # joined with others since it was listed
            yield _payload(bucket, place, session_id, piece, data)[position - piece.start :]
            position = piece.end
        else:
            return


def _payload(
    bucket: Bucket, place: Place, session_id: str, piece: Piece, data: bytes | None
) -> bytes:
    location = f"{bucket.location.where}, {piece.key}"
    if data is None:
        raise CorruptSessionError(session_id, location, "it is missing")
    try:
        payload = unpacked(data, session=place.name)[1]
    except DamagedError as error:
        raise CorruptSessionError(session_id, location, str(error)) from error
    if len(payload) != piece.size:
        raise CorruptSessionError(session_id, location, "it has another size")
    return payload


def names_of_logs(bucket: Bucket, place: Place) -> Iterator[str]:
    """Yield the names of the live logs, which their pieces hold."""
    known = set()
    for stored in bucket.list(place.logs, _READING):
        folder = stored.key.rpartition("/")[0]
        if folder in known:
            continue
        known.add(folder)
        data = bucket.get(stored.key, _READING, length=START)
        if data is not None:
            with suppress(DamagedError):
                yield header_of(data, session=place.name).name
