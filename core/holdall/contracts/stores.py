"""The contract of stores and wrappers, and the capabilities that they may add.

An author needs none of this at run time. A class that has these members, with
these signatures, is such a plugin; what callers count on stands in the docstrings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO


Mode = Literal["w", "r"]
"""How a session is opened: to be written, or read beside its writer."""

Level = Literal["system", "process"]
"""What an append survives when it returns: a power cut, or the end of the process alone."""


class Repository(Protocol):
    """A store of many sessions: class of the group `holdall.repositories`.

    Making one touches nothing: a folder or a database is made when the first
    session is created. A repository may be used from several threads.
    """

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Repository:
        """Return the repository that *url* names, or raise `StoreUrlError`.

        Args:
            inner: What a wrapper wraps, the repository behind `::`, or several where a
                wrapper takes several. A store has none, and refuses any.
            options: An instance of the class's `Options`, if it has one, made of the
                settings; None without settings.
        """
        ...

    @property
    def url(self) -> str:
        """The URL that opens this repository again, given the same settings; without secrets."""
        ...

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, durable although it is empty.

        Args:
            first: The number of its first entry; a copy of a session keeps the numbers.

        Raises:
            SessionExistsError: A session of that id is stored already.
        """
        ...

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists.

        Args:
            mode: `r` reads beside a writer that is alive, and changes nothing at all.
            take_over: Go on although another writer seems alive; it will be refused from then on.

        Raises:
            UnknownSessionError: The repository holds no such session.
            LockedStorageError: Another writer is known to be alive.
        """
        ...

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, damaged ones too; no session is opened or read.

        The last modified comes first and sessions without entries come last, as far
        as the store knows cheaply.
        """
        ...

    def remove(self, session_id: str) -> None:
        """Remove a session; no entry or blob can be read afterwards.

        Raises:
            UnknownSessionError: The repository holds no such session.
            LockedStorageError: A writer has it open.
        """
        ...


class Storage(Protocol):
    """One session in a repository: numbered entries, blobs and logs.

    Entries are opaque bytes, numbered without gaps. One thread writes at a time:
    while a call that changes something is under way (`append`, `compact`,
    `put_blob` until its chunks end, `open_log`, and a log's `flush`, `seal` and
    `discard`), such a call from another thread raises `ConcurrentWriteError` and
    changes nothing. Threads may read beside the one that writes. A handle that
    was inherited over a fork refuses everything.
    """

    @property
    def id(self) -> str:
        """The session's id."""
        ...

    @property
    def where(self) -> str:
        """The location, for messages."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        ...

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        ...

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head.

        Repeating a call whose outcome is unclear is safe: entries that are already
        there are not doubled.

        Args:
            level: With `system`, the entries survive a power cut when the call returns,
                and so does everything before them. With `process` they survive the end
                of this process, and a power cut from a second later on, or from `close`
                on; if the process is killed within that second, the operating system
                decides when they do. What a power cut leaves is a prefix all the same.
                A store may do more than the level asks for.

        Raises:
            StaleWriterError: The head is not *expect*, or another writer took over.
            StorageFullError: No room; nothing was stored and the storage stays usable.
            FailedStorageError: A step failed in a way that leaves its outcome
                unclear; this handle refuses all further work.
        """
        ...

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it, in one step.

        Returns the new head, durably. After a crash there are all old entries or
        the snapshot alone. The store reads back the bytes that it wrote before it
        drops anything. Blobs stay. Repeating a call whose outcome is unclear is safe.
        A reader that began before reads on to its end without a gap, or gets an error.

        Raises:
            StaleWriterError, StorageFullError, FailedStorageError: As `append`.
        """
        ...

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*: a prefix of what was appended."""
        ...

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return.

        Args:
            ref: The name to store them under, given by a wrapper that changes bytes:
                it is the digest of the plain ones. If a blob of that name is there, it
                stays. Without it the name is the digest of the bytes.
        """
        ...

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read.

        The file is read once, from its start to its end; it can't seek.
        """
        ...

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        ...

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*: nothing if there is no such log."""
        ...

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        ...


class LogWriter(Protocol):
    """A log that grows while a job runs; after a crash it is whole up to the last flush."""

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        ...

    def write(self, data: bytes) -> None:
        """Append bytes; they may wait in memory until `flush`."""
        ...

    def flush(self) -> None:
        """Hand everything to the store: from now on it survives the end of this process."""
        ...

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`.

        Args:
            ref: As for `Storage.put_blob`.
        """
        ...

    def discard(self) -> None:
        """Drop the log."""
        ...


@runtime_checkable
class HasFolder(Protocol):
    """A storage whose files are in a folder of this machine."""

    @property
    def folder(self) -> Path:
        """The session's folder; what is in `session-share` is the jobs' own."""
        ...


class SessionEnds(NamedTuple):
    """The first and the last entries of a session, as they are stored.

    Attributes:
        first: The first entry; None if there is none.
        last: The last two entries, or the only one; they may include the first.
        is_whole: Whether that is known to be what the session begins and ends with;
            otherwise whoever wants to know opens the session.
    """

    id: str
    first: bytes | None = None
    last: tuple[bytes, ...] = ()
    is_whole: bool = True


@runtime_checkable
class HasSummaries(Protocol):
    """A repository that reads the ends of its sessions without opening each of them."""

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session, in any order.

        A session whose ends can't be read is yielded with `is_whole=False`.
        """
        ...


@runtime_checkable
class HasExistence(Protocol):
    """A repository that is made with its first session, and knows whether it is there."""

    def exists(self) -> bool:
        """Whether it was made; one that was not holds no session."""
        ...


@runtime_checkable
class Sweepable(Protocol):
    """A storage that lists what it holds besides entries, and drops what nobody needs."""

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        ...

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs: those that were neither sealed nor discarded."""
        ...

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names; one that is not there is dropped already."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A storage that is told of new entries, so that a follower need not look for them."""

    def wait(self, head: int, *, timeout: float) -> int:
        """Return the number of the last entry as soon as it is not *head*.

        Args:
            timeout: Seconds after which it is returned all the same.
        """
        ...


class Repair(NamedTuple):
    """What one of several stores lacks of a session, or lacked before it was repaired.

    Attributes:
        store: URL of that store.
        problem: What is amiss there, as a sentence.
        reason: Why it is not repaired, where that was tried or can't be.
    """

    id: str
    store: str
    problem: str
    is_repaired: bool = False
    reason: str = ""


@runtime_checkable
class Repairable(Protocol):
    """A repository over several stores, which may lack what they were not there for."""

    def repair(self, session_id: str, *, dry_run: bool = False) -> Iterator[Repair]:
        """Give each store what it lacks of a session, and yield what that was.

        Args:
            dry_run: Yield the same, and change nothing.

        Raises:
            UnknownSessionError: No store holds such a session.
            LockedStorageError: A writer has it open.
        """
        ...


class Shipment(NamedTuple):
    """What of a session is only near, and not yet far.

    Attributes:
        entries: How many entries are not far; None if that can't be known now.
        reason: Why not, as far as it is known; empty if they are only late.
    """

    id: str
    entries: int | None
    reason: str = ""


@runtime_checkable
class Shippable(Protocol):
    """A repository that acknowledges what is near, and brings it far later."""

    def unshipped(self) -> Iterator[Shipment]:
        """Yield each session of which something is not known to be far."""
        ...

    def ship(self, session_id: str) -> int:
        """Bring everything of a session far, and return how many entries that were.

        Raises:
            UnknownSessionError: There is no such session near.
            LockedStorageError: Its writer is alive, and ships it.
        """
        ...


SessionPhase = Literal["empty", "new", "unfinished", "finished", "damaged", "unreadable", "busy"]
"""How far a session is, as a listing shows it; see `SessionInfo.state`."""


@dataclass(frozen=True, kw_only=True)
class SessionInfo:
    """One session as a listing shows it; `holdall.list_sessions` makes it for every store.

    Attributes:
        state: `empty` was created and never checkpointed; of `new` no job was begun;
            `unfinished` lacks results of selected jobs; `finished` has them all;
            `damaged` is not as it was written; `unreadable` can't be read for another
            reason; `busy` can't be read now, since another process keeps the store.
        verdict: `PASS` or `FAIL`, as every report says it; empty if the session is
            `empty` or can't be read.
        counts: How many jobs ended with which outcome; only outcomes that occur.
        created: Seconds since 1970, UTC; 0 if unknown.
        modified: The moment of its last event; 0 if unknown.
        jobs: How many jobs are selected, over all devices.
        results: How many of the selected jobs have a result.
        devices: The ids of its devices; none of a session that an older holdall closed.
        reason: Why a session that is damaged, unreadable or busy can't be read.
    """

    id: str
    title: str = ""
    state: SessionPhase = "empty"
    verdict: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    created: float = 0.0
    modified: float = 0.0
    jobs: int = 0
    results: int = 0
    devices: tuple[str, ...] = ()
    reason: str = ""
