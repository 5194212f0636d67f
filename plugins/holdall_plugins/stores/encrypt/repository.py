"""Another repository, which holds nothing that can be read without the key."""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import Lock
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl, urlencode

from holdall.errors import StoreUrlError
from holdall_plugins.stores.encrypt.codec import EncryptCodec
from holdall_plugins.stores.encrypt.key import Key
from holdall_plugins.stores.encrypt.source import KINDS, KeySource
from holdall_plugins.stores.recoded import RecodedRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall_plugins.stores.recoded import Codec

_USAGE = f"write encrypt?KEY::URL, with one of {', '.join(f'{kind}=...' for kind in KINDS)}"


@dataclass(frozen=True)
class Options:
    """What `[settings.encrypt]` may hold: one of them, where the URL has none."""

    key_file: str = ""
    key_env: str = ""
    key_command: str = ""


class EncryptedRepository(RecodedRepository):
    """Another repository, encrypted by a key that is read when it is first needed."""

    Options: ClassVar = Options

    def __init__(self, inner: Repository, source: KeySource, *, in_url: bool = True) -> None:
        super().__init__(inner)
        self._source = source
        self._in_url = in_url
        self._lock = Lock()
        self._key: Key | None = None

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> EncryptedRepository:
        """Return the one in *inner*, encrypted by the key that the URL or the settings name."""
        name, _, query = url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        if len(inner) != 1 or name != "encrypt" or not set(given) <= set(KINDS):
            raise StoreUrlError("encrypt", _USAGE)  # without what may be a key in a wrong option
        in_url = bool(given)
        if not given and isinstance(options, Options):
            given = {field.name: getattr(options, field.name) for field in fields(options)}
        named = [KeySource(kind, value) for kind, value in given.items() if value]
        if len(named) != 1:
            settings = "; or set one of them in [settings.encrypt]"
            many = "it names several keys" if named else "it names no key"
            raise StoreUrlError("encrypt", f"{many}; {_USAGE}{settings}")
        return cls(inner[0], named[0], in_url=in_url)

    @property
    def url(self) -> str:
        """The URL that opens this repository again; it says where the key is."""
        query = (
            f"?{urlencode({self._source.kind: self._source.value}, safe='/')}"
            if self._in_url
            else ""
        )
        return f"encrypt{query}::{self.inner.url}"

    def codec(self, session_id: str) -> Codec:
        """Return the codec of one session.

        Raises:
            StorageAccessError: There is no key where it is said to be.
        """
        with self._lock:
            if self._key is None:
                self._key = Key(self._source.read())
        return EncryptCodec(self._key, session_id, self.inner.url)
