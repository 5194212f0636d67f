"""Another repository, whose bytes are compressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import parse_qsl

from holdall.errors import StoreUrlError
from holdall_plugins.stores.compress.codec import CompressCodec
from holdall_plugins.stores.recoded import RecodedRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall_plugins.stores.recoded import Codec

DEFAULT: Final = 3
HIGHEST: Final = 19
_LEVELS: Final = tuple(map(str, range(1, HIGHEST + 1)))


@dataclass(frozen=True)
class Options:
    """What `[settings.compress]` may hold."""

    level: int = DEFAULT


class CompressedRepository(RecodedRepository):
    """Another repository, to which smaller entries, blobs and logs go."""

    Options: ClassVar = Options

    def __init__(
        self, inner: Repository, *, level: int | None = None, set_to: int = DEFAULT
    ) -> None:
        super().__init__(inner)
        self._in_url = level
        self._level = set_to if level is None else level

    @classmethod
    def from_url(
        cls, url: str, *inner: Repository, options: object = None
    ) -> CompressedRepository:
        """Return the one in *inner*, compressed."""
        name, _, query = url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        text = given.pop("level", None)
        if len(inner) != 1 or name != "compress" or given:
            raise StoreUrlError(url, "write compress::URL or compress?level=9::URL")
        set_to = options.level if isinstance(options, Options) else DEFAULT
        level = None if text is None else int(text) if text in _LEVELS else 0
        if not 1 <= (set_to if level is None else level) <= HIGHEST:
            raise StoreUrlError(url, f"'level' is a number from 1 to {HIGHEST}")
        return cls(inner[0], level=level, set_to=set_to)

    @property
    def url(self) -> str:
        """The URL that opens this repository again."""
        query = f"?level={self._in_url}" if self._in_url else ""
        return f"compress{query}::{self.inner.url}"

    def codec(self, session_id: str) -> Codec:
        """Return the codec, the same one for all sessions."""
        del session_id
        return CompressCodec(self._level)
