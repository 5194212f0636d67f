"""How entries, blobs and logs are encrypted: AES-256-GCM, with what each belongs to bound in.

    entry: mark, key id, salt of the session, number, checksum | nonce, sealed
    blob, log: mark, key id, salt of its own, checksum | pieces of nonce, sealed

All that stands before `|`, and the session's id, is authenticated with each entry; the
session's id, the piece's kind and its place with each piece. The checksum tells a wrong
key from a damaged head; it is no protection.
"""

from __future__ import annotations

import os
import struct
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zlib import crc32

from cryptography.exceptions import InvalidTag

from holdall.errors import StorageAccessError
from holdall_plugins.stores.encrypt.key import ID_SIZE, NONCE_SIZE, SALT_SIZE
from holdall_plugins.stores.recoded import DamageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from holdall_plugins.stores.encrypt.key import Key, Names
    from holdall_plugins.stores.recoded import Codec, Kind, StreamCodec

_MARK: Final = b"\0E1"
_ENTRY: Final = struct.Struct(f">3s{ID_SIZE}s{SALT_SIZE}sQ")
_FRONT: Final = struct.Struct(f">3s{ID_SIZE}s{SALT_SIZE}s")
_CHECK: Final = 4
_PIECE: Final = struct.Struct(">BQ")


class EncryptCodec:
    """The codec of one session."""

    front_size = _FRONT.size + _CHECK

    def __init__(self, key: Key, session_id: str, location: str) -> None:
        self._key: Final = key
        self._session_id: Final = session_id
        self._location: Final = location
        self._bound: Final = session_id.encode("utf-8", "surrogatepass")
        self._session: tuple[bytes, AESGCM] | None = None

    @cached_property
    def _names(self) -> Names:
        return self._key.names(self._session_id)

    def begin(self, last: Callable[[], bytes | None]) -> None:
        """Take the salt that the session has, or make the one that it will have.

        Raises:
            StorageAccessError: The session was stored with another key.
            DamageError: Its last entry is not what was stored.
        """
        if self._session is None:
            stored = last()
            if stored is not None:
                self.plain_entry(None, stored)
            else:
                salt = os.urandom(SALT_SIZE)
                self._session = salt, self._cipher(salt)

    def stored_entry(self, number: int, entry: bytes) -> bytes:
        """Return an entry as it is stored."""
        assert self._session is not None  # noqa: S101 - `begin` made it
        salt, cipher = self._session
        head = _checked(_ENTRY.pack(_MARK, self._key.id, salt, number))
        nonce = os.urandom(NONCE_SIZE)
        return head + nonce + cipher.encrypt(nonce, entry, head + self._bound)

    def plain_entry(self, number: int | None, stored: bytes) -> bytes:
        """Return what `stored_entry` was given."""
        head, rest = stored[: _ENTRY.size + _CHECK], stored[_ENTRY.size + _CHECK :]
        self._check_front(head, _ENTRY.size)
        _mark, key_id, salt, own_number = _ENTRY.unpack_from(head)
        self._check_key(key_id)
        if number is not None and own_number != number:
            raise DamageError(f"it was stored as entry {own_number}")
        session = self._session or (salt, self._cipher(salt))
        if session[0] != salt:
            raise DamageError("it is of another session that had the same id")
        entry = _opened(session[1], rest, head + self._bound)
        self._session = session
        return entry

    def stored_ref(self, ref: str) -> str:
        """Return the name that the blob *ref* is stored under."""
        return self._names.stored_ref(ref)

    def plain_ref(self, stored: str) -> str:
        """Return what `stored_ref` was given."""
        return self._names.plain_ref(stored)

    def stored_name(self, name: str) -> str:
        """Return the name that the log *name* is stored under."""
        return self._names.stored_name(name)

    def plain_name(self, stored: str) -> str:
        """Return what `stored_name` was given."""
        return self._names.plain_name(stored)

    def new_stream(self) -> StreamCodec:
        """Return the codec of a new blob or log."""
        salt = os.urandom(SALT_SIZE)
        return self._stream(_checked(_FRONT.pack(_MARK, self._key.id, salt)), salt)

    def stream(self, front: bytes) -> StreamCodec:
        """Return the codec of the blob or log that begins with *front*."""
        self._check_front(front, _FRONT.size)
        _mark, key_id, salt = _FRONT.unpack_from(front)
        self._check_key(key_id)
        return self._stream(front, salt)

    def _stream(self, front: bytes, salt: bytes) -> EncryptStream:
        cipher = self._key.cipher(b"blob or log", self._session_id, salt)
        return EncryptStream(front, cipher, self._bound)

    def _cipher(self, salt: bytes) -> AESGCM:
        return self._key.cipher(b"entries", self._session_id, salt)

    def _check_front(self, front: bytes, size: int) -> None:
        if not front.startswith(_MARK[:-1]):
            raise DamageError("it was not encrypted; read it without encrypt::")
        if front != _checked(front[:size]):
            raise DamageError("its head is not what was written")
        if not front.startswith(_MARK):
            reason = "a newer holdall encrypted it; upgrade holdall"
            raise StorageAccessError(self._location, f"decrypt {self._session_id!r} of", reason)

    def _check_key(self, key_id: bytes) -> None:
        if key_id != self._key.id:
            reason = (
                f"it was encrypted with the key {key_id.hex()}, and this is the key "
                f"{self._key.id.hex()}; give the other one"
            )
            raise StorageAccessError(
                self._location, f"decrypt the session {self._session_id!r} of", reason
            )


class EncryptStream:
    """The codec of one blob or log."""

    def __init__(self, front: bytes, cipher: AESGCM, bound: bytes) -> None:
        self.front: Final = front
        self._cipher: Final = cipher
        self._bound: Final = bound

    def stored(self, kind: Kind, count: int, data: bytes) -> bytes:
        """Return a piece as it is stored."""
        nonce = os.urandom(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, data, _PIECE.pack(kind, count) + self._bound)

    def plain(self, kind: Kind, count: int, stored: bytes) -> bytes:
        """Return what `stored` was given."""
        return _opened(self._cipher, stored, _PIECE.pack(kind, count) + self._bound)


def _checked(front: bytes) -> bytes:
    return front + crc32(front).to_bytes(_CHECK, "big")


def _opened(cipher: AESGCM, stored: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(stored[:NONCE_SIZE], stored[NONCE_SIZE:], bound)
    except (InvalidTag, ValueError) as error:
        raise DamageError("it is not what was encrypted there") from error


if TYPE_CHECKING:
    _codec: type[Codec] = EncryptCodec
    _stream: type[StreamCodec] = EncryptStream
