"""What objects hold: a header, and entries or other bytes, each with a checksum."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT: Final = 1
_MAGIC: Final = b"HOLDALL\x01"
_FIXED: Final = struct.Struct(">8sIII")
_LENGTH: Final = struct.Struct(">I")

START: Final = 4096
"""Bytes at the start of an object that hold its header for sure."""


class DamagedError(Exception):
    """An object does not hold what was stored; the message says why."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an object is.

    Attributes:
        kind: `batch`, `fence`, `snapshot` and `removed` are in the journal; the others are
            `pack`, what a snapshot stands for, `blob`, `parts` of a large one, and `log`.
        session: The session's place, so that nobody takes an object of another for its own.
        at: The position in the journal.
        first: Number of the first entry; of a fence the next one there will be.
        count: How many entries there are.
        epoch: How often the session was opened for writing.
        start: The position that reading begins at, that of the last snapshot.
        pack: Key of the object with the entries that the snapshot at `start` stands for.
        standing: Positions of fences that are kept, since the writer before may be alive.
        writer: Who wrote it; *nonce* tells two objects of one writer apart.
        name: Of a log.
        digest: Of a blob.
        sizes: Of the parts of a blob.
    """

    kind: str
    session: str
    at: int = 0
    first: int = 0
    count: int = 0
    epoch: int = 0
    start: int = 0
    pack: str = ""
    standing: tuple[int, ...] = ()
    writer: str = ""
    nonce: str = ""
    name: str = ""
    digest: str = ""
    sizes: tuple[int, ...] = ()

    @property
    def head(self) -> int:
        """Number of the last entry, with those before it."""
        return self.first + self.count - 1

    @property
    def following(self) -> int:
        """The position behind it in the journal."""
        return self.at + (self.count if self.kind == "batch" else 1)


def packed(header: Header, payload: bytes = b"") -> bytes:
    """Return the bytes of an object."""
    head = msgspec.json.encode(header)
    return _FIXED.pack(_MAGIC, len(head), crc32(head), crc32(payload)) + head + payload


def header_of(data: bytes, *, session: str | None) -> Header:
    """Return the header at the start of an object, of any session if *session* is None.

    Raises:
        DamagedError: It is none, or that of another session.
    """
    try:
        magic, length, sum_, _payload = _FIXED.unpack_from(data)
    except struct.error:
        raise DamagedError("it is too short") from None
    head = data[_FIXED.size : _FIXED.size + length]
    if magic[:7] != _MAGIC[:7] or len(head) != length or crc32(head) != sum_:
        raise DamagedError("its checksum is that of other bytes")
    if magic != _MAGIC:
        raise DamagedError("a newer holdall stored it; upgrade holdall")
    try:
        header = msgspec.json.decode(head, type=Header)
    except msgspec.DecodeError as error:
        raise DamagedError(str(error)) from error
    if session is not None and header.session != session:
        raise DamagedError("it is of another session")
    return header


def unpacked(data: bytes, *, session: str) -> tuple[Header, bytes]:
    """Return the header and the payload of an object.

    Raises:
        DamagedError: They are not what was stored.
    """
    header = header_of(data, session=session)
    _magic, length, _sum, sum_ = _FIXED.unpack_from(data)
    payload = data[_FIXED.size + length :]
    if crc32(payload) != sum_:
        raise DamagedError("its checksum is that of other bytes")
    return header, payload


def joined(entries: Sequence[bytes]) -> bytes:
    """Return entries as one payload."""
    return b"".join(part for entry in entries for part in (_LENGTH.pack(len(entry)), entry))


def split(payload: bytes) -> Iterator[bytes]:
    """Yield the entries in a payload whose checksum was right."""
    position = 0
    while position < len(payload):
        (length,) = _LENGTH.unpack_from(payload, position)
        position += _LENGTH.size + length
        yield payload[position - length : position]
