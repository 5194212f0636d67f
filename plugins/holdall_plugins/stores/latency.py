"""A wrapper that waits before each step, as a store far away does: `latency?ms=5::URL`.

For tests of applications. Each call that asks the inner store for something waits first; a
listing and reading wait once, and `seed` makes the waits of one run those of the next.
"""

from __future__ import annotations

import time
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from holdall.errors import StoreUrlError
from holdall.stores import LogWrapper, RepositoryWrapper, StorageWrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from holdall.contracts import Level, LogWriter, Mode, Repository, Storage

T = TypeVar("T")

LONGEST_MS: Final = 60_000.0
_USAGE: Final = "write latency?ms=5::URL, with jitter_ms=2 and seed=1 if wanted, up to 60 000 ms"


class Latency:
    """How long each step waits: *ms*, and a random part of *jitter_ms*."""

    def __init__(self, ms: float, jitter_ms: float, seed: int | None) -> None:
        self._seconds: Final = ms / 1000
        self._jitter: Final = jitter_ms / 1000
        self._random: Final = Random(seed)  # noqa: S311 - nothing is to be kept secret
        self._lock: Final = Lock()

    def seconds(self) -> float:
        """Return how long the next step waits."""
        with self._lock:
            return self._seconds + self._random.uniform(0, self._jitter)

    def wait(self) -> None:
        """Wait."""
        time.sleep(self.seconds())


class LatencyRepository(RepositoryWrapper):
    """Another repository, each step of which waits first."""

    def __init__(
        self, inner: Repository, *, ms: float = 0, jitter_ms: float = 0, seed: int | None = None
    ) -> None:
        super().__init__(inner)
        said = {"ms": ms, "jitter_ms": jitter_ms, "seed": seed}
        self._options = {name: f"{value:g}" for name, value in said.items() if value is not None}
        if seed is not None:
            self._options["seed"] = str(seed)
        self._latency = Latency(ms, jitter_ms, seed)

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> LatencyRepository:
        """Return the one in *inner*, with the latency that the URL says."""
        del options
        name, _, query = url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        try:
            ms, jitter_ms = (float(given.pop(each, "0")) for each in ("ms", "jitter_ms"))
            seed = int(given.pop("seed")) if "seed" in given else None
        except ValueError:
            raise StoreUrlError(url, _USAGE) from None
        is_bounded = 0 <= ms <= LONGEST_MS and 0 <= jitter_ms <= LONGEST_MS
        if len(inner) != 1 or name != "latency" or given or not is_bounded:
            raise StoreUrlError(url, _USAGE)
        return cls(inner[0], ms=ms, jitter_ms=jitter_ms, seed=seed)

    @property
    def url(self) -> str:
        """The URL that opens this repository again."""
        return f"latency?{urlencode(self._options)}::{self.inner.url}"

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session."""
        self._latency.wait()
        return super().create(session_id, first=first)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists."""
        self._latency.wait()
        return super().open(session_id, mode=mode, take_over=take_over)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions."""
        return self.iterated(self.inner.ids)

    def iterated(self, items: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what the inner repository yields for a listing."""
        self._latency.wait()
        yield from items()

    def remove(self, session_id: str) -> None:
        """Remove a session."""
        self._latency.wait()
        super().remove(session_id)

    def wrapped(self, storage: Storage) -> Storage:
        """Return a storage each step of which waits first."""
        return LatencyStorage(storage, self, self._latency)


class LatencyStorage(StorageWrapper):
    """Another storage, each step of which waits first."""

    def __init__(self, inner: Storage, repository: Repository, latency: Latency) -> None:
        super().__init__(inner, repository)
        self._latency = latency

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*."""
        self._latency.wait()
        return super().append(entries, expect=expect, level=level)

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it."""
        self._latency.wait()
        return super().compact(snapshot, expect=expect)

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        self._latency.wait()
        return super().read(after)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`."""
        self._latency.wait()
        return super().put_blob(chunks, ref=ref)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*."""
        self._latency.wait()
        return super().open_blob(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name*."""
        self._latency.wait()
        return LatencyLog(super().open_log(name), self._latency)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*."""
        self._latency.wait()
        return super().read_log(name)


class LatencyLog(LogWrapper):
    """Another log, each step of which waits first; `write` keeps bytes, and waits for nothing."""

    def __init__(self, inner: LogWriter, latency: Latency) -> None:
        super().__init__(inner)
        self._latency = latency

    def flush(self) -> None:
        """Hand everything to the store."""
        self._latency.wait()
        super().flush()

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob."""
        self._latency.wait()
        return super().seal(ref=ref)

    def discard(self) -> None:
        """Drop the log."""
        self._latency.wait()
        super().discard()


if TYPE_CHECKING:
    _: type[Repository] = LatencyRepository
