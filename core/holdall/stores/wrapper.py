"""The foundation of wrappers: each call is delegated unless a subclass overrides it.

A wrapper has an optional capability (`HasFolder`, `Sweepable`, `Watchable`, `HasSummaries`,
`HasExistence`, `Repairable`, `Shippable`) exactly if the wrapped object has it, so
`isinstance` is right about both.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar, cast

from holdall.contracts import (
    HasExistence,
    HasFolder,
    HasSummaries,
    Repairable,
    Shippable,
    Sweepable,
    Watchable,
)
from holdall.errors import StoreUrlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from holdall.contracts import (
        Level,
        LogWriter,
        Mode,
        Repair,
        Repository,
        SessionEnds,
        Shipment,
        Storage,
    )

T = TypeVar("T")


class LogWrapper:
    """Another log, of which a subclass changes something.

    Attributes:
        inner: The log that is wrapped.
    """

    def __init__(self, inner: LogWriter) -> None:
        self.inner: Final = inner

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self.inner.size

    def write(self, data: bytes) -> None:
        """Append bytes; they may wait in memory until `flush`."""
        self.inner.write(data)

    def flush(self) -> None:
        """Hand everything to the store: from now on it survives the end of this process."""
        self.inner.flush()

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        return self.inner.seal(ref=ref)

    def discard(self) -> None:
        """Drop the log."""
        self.inner.discard()


class StorageWrapper:
    """Another storage, of which a subclass changes something.

    Attributes:
        inner: The storage that is wrapped.
    """

    def __new__(cls, inner: Storage, *_more: Any, **_options: Any) -> Self:
        """Return an instance that also has the optional capabilities of *inner*."""
        combined: type[Self] = _combined(cast("Any", cls), _capabilities(inner, _OF_STORAGES))
        return object.__new__(combined)

    def __init__(self, inner: Storage, repository: Repository) -> None:
        self.inner: Final = inner
        self._repository: Final = repository

    @property
    def id(self) -> str:
        """The session's id."""
        return self.inner.id

    @property
    def where(self) -> str:
        """The location, for messages."""
        return self.inner.where

    @property
    def repository(self) -> Repository:
        """The wrapper that opened it."""
        return self._repository

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        return self.inner.head

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head."""
        return self.inner.append(entries, expect=expect, level=level)

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it, in one step."""
        return self.inner.compact(snapshot, expect=expect)

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        return self.inner.read(after)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        return self.inner.put_blob(chunks, ref=ref)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        return self.inner.open_blob(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending."""
        return self.inner.open_log(name)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*."""
        return self.inner.read_log(name)

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        self.inner.close()

    def asked(self, doing: str, step: Callable[[], T]) -> T:
        """Return what an optional member of the inner storage gives."""
        del doing
        return step()

    def listed(self, doing: str, items: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what an optional member of the inner storage lists."""
        del doing
        yield from items()


class RepositoryWrapper:
    """Another repository, of which a subclass changes something.

    A subclass gives its `url`, in `wrapped` its own kind of storage, and a `from_url`
    of its own if its URLs have options.

    Attributes:
        inner: The repository that is wrapped.
        hidden: Optional Protocols that the wrapper does not take over from it.
    """

    hidden: ClassVar[tuple[type, ...]] = ()

    def __new__(cls, inner: Repository, *_more: Any, **_options: Any) -> Self:
        """Return an instance that also has the optional capabilities of *inner*."""
        shown = [
            (protocol, each) for protocol, each in _OF_REPOSITORIES if protocol not in cls.hidden
        ]
        combined: type[Self] = _combined(cast("Any", cls), _capabilities(inner, shown))
        return object.__new__(combined)

    def __init__(self, inner: Repository) -> None:
        self.inner: Final = inner

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Self:
        """Return the one repository in *inner*, wrapped."""
        del options
        if len(inner) != 1:
            raise StoreUrlError(url, "it wraps one repository: write its name, '::' and a URL")
        return cls(inner[0])

    @property
    def url(self) -> str:
        """The URL that opens this repository again."""
        raise NotImplementedError(f"{type(self).__name__} must say its url")

    def wrapped(self, storage: Storage) -> Storage:
        """Return a storage of the inner repository as one of this repository."""
        return StorageWrapper(storage, self)

    def plain_ends(self, ends: SessionEnds) -> SessionEnds:
        """Return the ends of a session as this repository's storages read its entries."""
        return ends

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session."""
        return self.wrapped(self.inner.create(session_id, first=first))

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists."""
        return self.wrapped(self.inner.open(session_id, mode=mode, take_over=take_over))

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first."""
        return self.inner.ids()

    def iterated(self, items: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what the inner repository yields for a listing."""
        yield from items()

    def remove(self, session_id: str) -> None:
        """Remove a session."""
        self.inner.remove(session_id)


class _Folder:
    inner: HasFolder

    @property
    def folder(self) -> Path:
        """The session's folder."""
        return cast("StorageWrapper", self).asked("telling its folder", lambda: self.inner.folder)


class _Sweep:
    inner: Sweepable

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        return cast("StorageWrapper", self).listed("listing its blobs", self.inner.blobs)

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        return cast("StorageWrapper", self).listed("listing its logs", self.inner.logs)

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        wrapper = cast("StorageWrapper", self)
        wrapper.asked(f"dropping the blob {ref!r}", lambda: self.inner.drop(ref))


class _Watch:
    inner: Watchable

    def wait(self, head: int, *, timeout: float) -> int:
        """Return the number of the last entry as soon as it is not *head*."""
        wrapper = cast("StorageWrapper", self)
        return wrapper.asked("waiting for entries", lambda: self.inner.wait(head, timeout=timeout))


class _Summaries:
    inner: HasSummaries

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session, as the wrapper's own storages read them."""
        wrapper = cast("RepositoryWrapper", self)
        return map(wrapper.plain_ends, wrapper.iterated(self.inner.summaries))


class _Existence:
    inner: HasExistence

    def exists(self) -> bool:
        """Whether it was made; one that was not holds no session."""
        [exists] = cast("RepositoryWrapper", self).iterated(lambda: [self.inner.exists()])
        return exists


class _Repair:
    inner: Repairable

    def repair(self, session_id: str, *, dry_run: bool = False) -> Iterator[Repair]:
        """Give each store what it lacks of a session, and yield what that was."""
        wrapper = cast("RepositoryWrapper", self)
        return wrapper.iterated(lambda: self.inner.repair(session_id, dry_run=dry_run))


class _Shipping:
    inner: Shippable

    def unshipped(self) -> Iterator[Shipment]:
        """Yield each session of which something is not known to be far."""
        return cast("RepositoryWrapper", self).iterated(self.inner.unshipped)

    def ship(self, session_id: str) -> int:
        """Bring everything of a session far, and return how many entries that were."""
        [count] = cast("RepositoryWrapper", self).iterated(lambda: [self.inner.ship(session_id)])
        return count


_OF_STORAGES: Final = ((HasFolder, _Folder), (Sweepable, _Sweep), (Watchable, _Watch))
_OF_REPOSITORIES: Final = (
    (HasSummaries, _Summaries),
    (HasExistence, _Existence),
    (Repairable, _Repair),
    (Shippable, _Shipping),
)


def _capabilities(inner: object, known: Iterable[tuple[type, type]]) -> tuple[type, ...]:
    return tuple(forwarding for protocol, forwarding in known if isinstance(inner, protocol))


@cache
def _combined(cls: Any, capabilities: tuple[type, ...]) -> Any:
    """Return *cls* with *capabilities*: `isinstance` asks the class, not a `__getattr__`."""
    missing = tuple(capability for capability in capabilities if not issubclass(cls, capability))
    if not missing:
        return cls
    names = {"__module__": cls.__module__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, *missing), names)


if TYPE_CHECKING:
    _repository: type[Repository] = RepositoryWrapper
    _storage: type[Storage] = StorageWrapper
    _log: type[LogWriter] = LogWrapper
