"""Sessions in the memory of this process, gone when it ends: `memory://name`."""

from __future__ import annotations

import weakref
from hashlib import sha256
from threading import RLock
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final
from urllib.parse import quote, unquote

from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    LockedStorageError,
    SessionExistsError,
    StaleWriterError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.stores import (
    Handle,
    check_session_id,
    checked_blob,
    digest_of,
    file_of,
    is_compacted,
    is_repeated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from holdall.contracts import Level, LogWriter, Mode, Repository, Storage


class MemoryRepository:
    """Sessions that live as long as this object, or, by URL, as long as the process.

    All repositories that `from_url` makes for one name hold the same sessions;
    `MemoryRepository()` shares its own with nobody.
    """

    in_one_process: ClassVar[bool] = True

    def __init__(self) -> None:
        self._contents = _Contents()
        self._url = "memory://"

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> MemoryRepository:
        """Return the repository of the name in *url*, the same for all that use it."""
        del options
        name = unquote(url.removeprefix("memory://"))
        if inner or not url.startswith("memory://") or not name:
            raise StoreUrlError(url, "write memory://name, with a name of your choice")
        repository = cls()
        repository._url = f"memory://{quote(name)}"
        repository._contents = _CONTENTS.setdefault(name, repository._contents)
        return repository

    @property
    def url(self) -> str:
        """The URL that names this repository again; without a name nothing does."""
        return self._url

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session whose first entry gets the number *first*."""
        check_session_id(session_id)
        with self._contents.lock:
            if session_id in self._contents.sessions:
                raise SessionExistsError(self.url, session_id)
            session = self._contents.sessions[session_id] = _Session(first)
            return self._opened(session_id, session, "w")

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; taking over fences the writer before."""
        check_session_id(session_id)
        with self._contents.lock:
            session = self._session(session_id)
            if mode == "w" and not take_over:
                self._refuse_second_writer(session_id, session)
            return self._opened(session_id, session, mode)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first and empty ones last."""
        with self._contents.lock:
            sessions = tuple(self._contents.sessions.items())
        modified = sorted(sessions, key=lambda item: item[1].modified, reverse=True)
        return (session_id for session_id, _session in modified)

    def remove(self, session_id: str) -> None:
        """Remove a session; handles that are open on it can't read it any more."""
        check_session_id(session_id)
        with self._contents.lock:
            session = self._session(session_id)
            self._refuse_second_writer(session_id, session)
            session.is_removed = True
            del self._contents.sessions[session_id]

    def _session(self, session_id: str) -> _Session:
        try:
            return self._contents.sessions[session_id]
        except KeyError:
            known = tuple(self._contents.sessions)
            raise UnknownSessionError(self.url, session_id, known) from None

    def _refuse_second_writer(self, session_id: str, session: _Session) -> None:
        writer = session.writer()
        if writer is not None and not writer.handle.is_closed:
            raise LockedStorageError(session_id, self.url, "another handle of this process")

    def _opened(self, session_id: str, session: _Session, mode: Mode) -> MemoryStorage:
        handle = Handle(session_id, self.url, mode, self)
        storage = MemoryStorage(session, self._contents, handle)
        if mode == "w":
            session.writer = weakref.ref(storage)
        return storage


class MemoryStorage:
    """One session in memory.

    Nothing outlives the process, so the levels of `append` are one here.
    """

    def __init__(self, session: _Session, contents: _Contents, handle: Handle) -> None:
        self.handle = handle
        self._session = session
        self._contents = contents

    @property
    def id(self) -> str:
        """The session's id."""
        return self.handle.session_id

    @property
    def where(self) -> str:
        """The repository's URL."""
        return self.handle.where

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        return self.handle.repository

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        return self._session.head

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Keep *entries* behind entry *expect*, all or none."""
        del level
        with self.handle.writing("append entries"), self._contents.lock:
            self._check_writer("append entries")
            if self.head != expect:
                if not is_repeated(self, entries, expect=expect):
                    raise StaleWriterError(self.id, expect, self.head)
            elif entries:
                self._session.entries.extend(map(bytes, entries))
                self._session.modified = self._contents.tick()
            return self.head

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Keep *snapshot*, the entry behind *expect*, instead of all before it."""
        with self.handle.writing("compact entries"), self._contents.lock:
            self._check_writer("compact entries")
            if self.head == expect:
                session = self._session
                session.entries, session.first = [bytes(snapshot)], expect + 1
                session.modified = self._contents.tick()
            elif not is_compacted(self, snapshot, expect=expect):
                raise StaleWriterError(self.id, expect, self.head)
            return self.head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*; a compaction meanwhile hides none of them."""
        self._check_readable()
        with self._contents.lock:
            entries, first = self._session.entries, self._session.first
        return self._read(entries, first, after)

    def _read(
        self, entries: Sequence[bytes], first: int, after: int
    ) -> Iterator[tuple[int, bytes]]:
        index = max(after + 1 - first, 0)
        while index < len(entries):
            self._check_readable()
            yield first + index, entries[index]
            index += 1

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Keep bytes and return `sha256:...`."""
        with self.handle.writing("store a blob"):
            self._check_writer("store a blob")
            data = b"".join(chunks)
            if ref is not None:
                digest_of(ref, session_id=self.id)
            return self._session.keep(data, ref)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*."""
        self._check_readable()
        digest_of(ref, session_id=self.id)
        try:
            actual, data = self._session.blobs[ref]
        except KeyError:
            raise CorruptSessionError(self.id, f"blob {ref}", "there is no such blob") from None
        return checked_blob(iter((data,)), actual, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name*; memory has nothing that a crash could leave."""
        with self.handle.writing("write a log"):
            self._check_writer("write a log")
            return _MemoryLog(self._session, name, self.handle, self._check_writer)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was written of the live log *name*: nothing if there is no such log."""
        self._check_readable()
        return file_of(iter((bytes(self._session.logs.get(name, b"")),)))

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        self._check_readable()
        return iter(tuple(self._session.blobs))

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        self._check_readable()
        return iter(tuple(self._session.logs))

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self.handle.writing("drop a blob"):
            self._check_writer("drop a blob")
            self._session.blobs.pop(ref, None)

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        self.handle.is_closed = True

    def _check_readable(self) -> None:
        self.handle.check()
        if self._session.is_removed:
            raise ClosedStorageError(self.id)

    def _check_writer(self, doing: str) -> None:
        self.handle.check_writable(doing)
        self._check_readable()
        if self._session.writer() is not self:
            raise StaleWriterError(self.id, self.head, self.head)


class _MemoryLog:
    def __init__(
        self, session: _Session, name: str, handle: Handle, check: Callable[[str], None]
    ) -> None:
        self._logs = session.logs
        self._keep = session.keep
        self._handle = handle
        self._check_writer = check
        self._name = name
        self._data = self._logs.setdefault(name, bytearray())

    @property
    def size(self) -> int:
        return len(self._data)

    def write(self, data: bytes) -> None:
        self._check()
        self._data += data

    def flush(self) -> None:
        with self._handle.writing("write a log"):
            self._check()

    def seal(self, *, ref: str | None = None) -> str:
        with self._handle.writing("seal a log"):
            self._check()
            sealed = self._keep(bytes(self._data), ref)
            del self._logs[self._name]
            return sealed

    def discard(self) -> None:
        with self._handle.writing("drop a log"):
            if self._logs.get(self._name) is self._data:
                del self._logs[self._name]

    def _check(self) -> None:
        self._check_writer("write a log")
        if self._logs.get(self._name) is not self._data:
            raise ValueError(f"the log {self._name!r} was sealed or discarded")


class _Session:
    def __init__(self, first: int) -> None:
        self.entries: list[bytes] = []
        self.first = first
        self.modified = 0
        self.blobs: dict[str, tuple[str, bytes]] = {}
        self.logs: dict[str, bytearray] = {}
        self.writer: Callable[[], MemoryStorage | None] = lambda: None
        self.is_removed = False

    @property
    def head(self) -> int:
        return self.first + len(self.entries) - 1

    def keep(self, data: bytes, ref: str | None) -> str:
        actual = f"sha256:{sha256(data).hexdigest()}"
        self.blobs.setdefault(ref or actual, (actual, data))
        return ref or actual


class _Contents:
    def __init__(self) -> None:
        self.sessions: dict[str, _Session] = {}
        self.lock = RLock()
        self._ticks = 0

    def tick(self) -> int:
        """Return a number higher than all before, which orders what happens."""
        self._ticks += 1
        return self._ticks


_CONTENTS: Final[dict[str, _Contents]] = {}
"""The places by name: what `memory://name` means in this process, until it ends."""

if TYPE_CHECKING:
    _: type[Repository] = MemoryRepository
