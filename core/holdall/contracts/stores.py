"""What a plugin of each kind must be: Protocols, for authors and type checkers.

An author needs none of them at run time. A class that has these members, with
these signatures, is such a plugin; what it can count on stands in the docstrings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO


Mode = Literal["w", "r"]


class Repository(Protocol):
    """A place that holds many sessions: class of the group `holdall.repositories`.

    It is made by `from_url(url, inner)`; *inner* is the repository behind `::`
    for a wrapper, and None for a store. Making one touches nothing: a folder or
    a database is made when the first session is created.
    """

    @classmethod
    def from_url(cls, url: str, inner: Repository | None) -> Repository:
        """Return the repository that *url* names, or raise `StoreUrlError`."""
        ...

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        ...

    def create(self, session_id: str) -> Storage:
        """Return the open storage of a new session.

        Raises:
            SessionExistsError: There is one of that id.
        """
        ...

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists.

        Args:
            mode: `r` reads beside a writer that is alive, and changes nothing at all.
            take_over: Go on although another writer seems alive; it will be refused from then on.

        Raises:
            UnknownSessionError: There is no such session.
            LockedStorageError: Another writer is known to be alive.
        """
        ...

    def list(self) -> Iterator[SessionInfo]:
        """Yield what is known of each session, newest first, damaged ones too.

        `holdall.journal.describe(self, ids)` does it for any store that knows its ids.
        """
        ...

    def remove(self, session_id: str) -> None:
        """Remove a session; nothing of it can be read afterwards.

        Raises:
            UnknownSessionError: There is no such session.
            LockedStorageError: A writer has it open.
        """
        ...


class Storage(Protocol):
    """One session's place in a repository: numbered entries, blobs and logs.

    Entries are opaque bytes, numbered from 1 without gaps.
    """

    @property
    def id(self) -> str:
        """The session's id."""
        ...

    @property
    def where(self) -> str:
        """The place, for messages."""
        ...

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        ...

    @property
    def head(self) -> int:
        """Number of the last entry, 0 if there is none."""
        ...

    def append(self, entries: Sequence[bytes], *, expect: int) -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head.

        Returns only when they would survive a power cut. Repeating a call whose
        outcome is unclear is safe: entries that are already there are not doubled.

        Raises:
            StaleWriterError: The head is not *expect*, or another writer took over.
            StorageFullError: No room; nothing was stored and the storage stays usable.
            FailedStorageError: A step failed in a way that leaves its outcome
                unclear; this handle refuses all further work.
        """
        ...

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*: a prefix of what was appended."""
        ...

    def trim(self, below: int) -> None:
        """Drop the entries before number *below*; the others keep their numbers."""
        ...

    def put_blob(self, chunks: Iterable[bytes]) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        ...

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes that *ref* names; damaged ones raise while they are read."""
        ...

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
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

    def seal(self) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        ...

    def discard(self) -> None:
        """Drop the log."""
        ...


SessionPhase = Literal["empty", "new", "unfinished", "finished", "damaged"]


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One session as a listing shows it.

    Attributes:
        state: `empty` was created and never checkpointed; `new` has no results;
            `unfinished` lacks results of selected jobs; `finished` has them all;
            `damaged` can't be read.
        created: Seconds since 1970, UTC; 0 if the session does not tell.
        modified: The moment of its last event; 0 if the session does not tell.
        jobs: How many jobs are selected, over all devices.
        results: How many of the selected jobs have a result.
        reason: Why a damaged session can't be read.
    """

    id: str
    title: str = ""
    state: SessionPhase = "empty"
    created: float = 0.0
    modified: float = 0.0
    jobs: int = 0
    results: int = 0
    reason: str = ""
