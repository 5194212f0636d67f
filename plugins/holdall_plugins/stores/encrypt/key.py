"""The key of a store, and the keys that are derived from it for each session."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdall_plugins.stores.recoded import DamageError

ID_SIZE: Final = 8
SALT_SIZE: Final = 16
NONCE_SIZE: Final = 12

_REF: Final = "sha256:"
_HALF: Final = 16
_ROUNDS: Final = (b"1", b"2", b"3", b"4")
_NAMING: Final = ("utf-8", "surrogatepass")


@final
class Key:
    """A key of 32 bytes, which it never shows.

    Attributes:
        id: Tells keys apart, and tells nothing of the key itself.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret: Final = secret
        self.id: Final = hmac.digest(secret, b"holdall encrypt key id", "sha256")[:ID_SIZE]

    def __repr__(self) -> str:
        return f"Key({self.id.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def cipher(self, purpose: bytes, session_id: str, salt: bytes) -> AESGCM:
        """Return the cipher of what one session, or one blob or log of it, holds."""
        return AESGCM(self._derived(purpose, session_id, salt, 32))

    def names(self, session_id: str) -> Names:
        """Return what changes the names of blobs and logs in one session."""
        of_logs = AESSIV(self._derived(b"names of logs", session_id, None, 64))
        return Names(self._derived(b"names of blobs", session_id, None, 32), of_logs)

    def _derived(self, purpose: bytes, session_id: str, salt: bytes | None, size: int) -> bytes:
        info = b"holdall encrypt 1 %b: %b" % (purpose, session_id.encode(*_NAMING))
        return HKDF(algorithm=SHA256(), length=size, salt=salt, info=info).derive(self._secret)


class Names:
    """Names of blobs and logs as they are stored: the same each time, and read with the key alone.

    A blob needs a name of 32 bytes that leads back to its digest, for `blobs()`. So it is a
    permutation of them: four rounds of Luby and Rackoff with HMAC-SHA256.
    """

    def __init__(self, of_blobs: bytes, of_logs: AESSIV) -> None:
        self._of_blobs: Final = of_blobs
        self._of_logs: Final = of_logs

    def stored_ref(self, ref: str) -> str:
        """Return the name that a blob is stored under."""
        left, right = self._halves(ref)
        for number in _ROUNDS:
            left, right = right, self._round(number, left, right)
        return f"{_REF}{(left + right).hex()}"

    def plain_ref(self, stored: str) -> str:
        """Return what `stored_ref` was given."""
        left, right = self._halves(stored)
        for number in reversed(_ROUNDS):
            left, right = self._round(number, right, left), left
        return f"{_REF}{(left + right).hex()}"

    def stored_name(self, name: str) -> str:
        """Return the name that a log is stored under."""
        # A NUL in front: the cipher takes no empty text.
        data = self._of_logs.encrypt(b"\0" + name.encode(*_NAMING), None)
        return urlsafe_b64encode(data).decode()

    def plain_name(self, stored: str) -> str:
        """Return what `stored_name` was given, or raise `DamageError`."""
        try:
            data = self._of_logs.decrypt(urlsafe_b64decode(stored), None)
        except (InvalidTag, ValueError) as error:
            raise DamageError("its name was not stored with this key") from error
        return data[1:].decode(*_NAMING)

    def _round(self, number: bytes, half: bytes, other: bytes) -> bytes:
        mask = hmac.digest(self._of_blobs, number + other, "sha256")[:_HALF]
        return bytes(one ^ two for one, two in zip(half, mask, strict=True))

    @staticmethod
    def _halves(ref: str) -> tuple[bytes, bytes]:
        digest = bytes.fromhex(ref.removeprefix(_REF))
        return digest[:_HALF], digest[_HALF:]
