"""Another store of holdall, with the entries of sessions compressed: `zipped::URL`."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl

from holdall.contracts import SessionEnds
from holdall.errors import CorruptSessionError, StoreUrlError
from holdall.stores import RepositoryWrapper, StorageWrapper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Level, Repository, Storage

_NAME: Final = "zipped"
_LEVEL: Final = 6


class ZippedRepository(RepositoryWrapper):
    """Another repository, to which only compressed entries go; logs and blobs go as they are."""

    def __init__(self, inner: Repository, level: int = _LEVEL) -> None:
        """Compress by *level*, from 1, which is fast, to 9."""
        super().__init__(inner)
        self._level = level

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Self:
        """Return the one repository in *inner*, wrapped."""
        name, _, query = url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        level = given.pop("level", str(_LEVEL))
        if level not in tuple("123456789"):
            raise StoreUrlError(url, f"level is a number from 1 to 9, not {level!r}")
        if len(inner) != 1 or name != _NAME or given:
            raise StoreUrlError(url, f"write {_NAME}::URL or {_NAME}?level=9::URL")
        return cls(inner[0], int(level))

    @property
    def url(self) -> str:
        """The URL that opens this repository again."""
        return f"{_NAME}?level={self._level}::{self.inner.url}"

    def wrapped(self, storage: Storage) -> Storage:
        """Return a storage of the inner repository as one of this repository."""
        return _ZippedStorage(storage, self, self._level)

    def plain_ends(self, ends: SessionEnds) -> SessionEnds:
        """Return the first and the last entries of a session as they are read."""
        first = None if ends.first is None else unzipped(ends.first, ends.id, self.inner.url)
        last = tuple(unzipped(entry, ends.id, self.inner.url) for entry in ends.last)
        return SessionEnds(ends.id, first, last, ends.is_whole)


class _ZippedStorage(StorageWrapper):
    """Another storage; whatever is not written here is forwarded as it is."""

    def __init__(self, inner: Storage, repository: ZippedRepository, level: int) -> None:
        super().__init__(inner, repository)
        self._level = level

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        # The same entry gives the same bytes, so the inner store knows a repeated append.
        zipped = [zlib.compress(entry, self._level) for entry in entries]
        return self.inner.append(zipped, expect=expect, level=level)

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        return self.inner.compact(zlib.compress(snapshot, self._level), expect=expect)

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        for number, entry in self.inner.read(after):
            yield number, unzipped(entry, self.id, self.where)


def unzipped(entry: bytes, session_id: str, where: str) -> bytes:
    """Return what was compressed.

    Raises:
        CorruptSessionError: It was not: somebody wrote to the inner store by itself.
    """
    try:
        return zlib.decompress(entry)
    except zlib.error as error:
        raise CorruptSessionError(session_id, where, f"an entry is not zipped: {error}") from error


if TYPE_CHECKING:
    _: type[Repository] = ZippedRepository
