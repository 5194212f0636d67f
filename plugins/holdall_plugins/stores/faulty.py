"""A wrapper that fails on purpose, to see what others make of it: `faulty?fail=3::URL`.

It counts the steps that change something: `create`, `remove`, `append`, `trim`,
`put_blob`, `open_log`, and a log's `flush`, `seal` and `discard`. At the step of
the number given,

- `fail` refuses before doing it, and `fail_after` after it was done: an unclear failure
- `full` refuses before doing it as a full disk does: the storage stays usable
- `kill` ends the process, without a chance to clean up, before it; `kill_after` after it
- `tear` leaves half of what it appended, as a power cut may (stores in plain files only)
- `delay` waits before doing it, for so many `seconds`
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from holdall.errors import FailedStorageError, StorageFullError, StoreUrlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.contracts import LogWriter, Mode, Repository, SessionInfo, Storage

T = TypeVar("T")
Step = Callable[[], T]

FAULTS: Final = ("fail", "fail_after", "full", "kill", "kill_after", "tear", "delay")
"""What can be done to a step, each given by the step's number."""


class FaultyRepository:
    """Another repository, of which chosen steps fail."""

    def __init__(self, inner: Repository, *, seconds: float = 0.0, **faults: int) -> None:
        self._inner = inner
        self._options = {**faults, **({"seconds": seconds} if seconds else {})}
        self._faults = _Faults(faults, seconds)

    @classmethod
    def from_url(cls, url: str, inner: Repository | None) -> FaultyRepository:
        """Return *inner* with the faults that `faulty?fault=step` names."""
        name, _, query = url.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        usage = f"write faulty?fault=step::URL, with a fault of {', '.join(FAULTS)}"
        if inner is None or name != "faulty":
            raise StoreUrlError(url, usage)
        try:
            seconds = float(options.pop("seconds", "0"))
            faults = {fault: int(step) for fault, step in options.items()}
        except ValueError:
            raise StoreUrlError(url, usage) from None
        if not set(faults) <= set(FAULTS):
            raise StoreUrlError(url, usage)
        return cls(inner, seconds=seconds, **faults)

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        query = f"?{urlencode(self._options)}" if self._options else ""
        return f"faulty{query}::{self._inner.url}"

    def create(self, session_id: str) -> Storage:
        """Return the open storage of a new session."""
        storage = self._faults.around("create", lambda: self._inner.create(session_id), session_id)
        return self._faulty(storage)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists."""
        return self._faulty(self._inner.open(session_id, mode=mode, take_over=take_over))

    def list(self) -> Iterator[SessionInfo]:
        """Yield what is known of each session, newest first."""
        return self._inner.list()

    def remove(self, session_id: str) -> None:
        """Remove a session."""
        self._faults.around("remove", lambda: self._inner.remove(session_id), session_id)

    def _faulty(self, storage: Storage) -> FaultyStorage:
        if self._faults.has("tear") and not isinstance(getattr(storage, "folder", None), Path):
            storage.close()
            raise StoreUrlError(self.url, "only a store in plain files can tear what it appends")
        return FaultyStorage(storage, self._faults, self)


class FaultyStorage:
    """Another storage, of which chosen steps fail; what else it can do it still can."""

    def __init__(self, inner: Storage, faults: _Faults, repository: FaultyRepository) -> None:
        self.repository = repository
        self._inner = inner
        self._faults = faults
        self._failure: FailedStorageError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def id(self) -> str:
        """The session's id."""
        return self._inner.id

    @property
    def where(self) -> str:
        """The place, for messages."""
        return self._inner.where

    @property
    def head(self) -> int:
        """Number of the last entry, 0 if there is none."""
        self._check()
        return self._inner.head

    def append(self, entries: Sequence[bytes], *, expect: int) -> int:
        """Store *entries* behind entry *expect*."""
        if self._faults.has("tear"):
            return self._append_or_tear(entries, expect)
        return self.around("append", lambda: self._inner.append(entries, expect=expect))

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        self._check()
        return self._inner.read(after)

    def trim(self, below: int) -> None:
        """Drop the entries before number *below*."""
        self.around("trim", lambda: self._inner.trim(below))

    def put_blob(self, chunks: Iterable[bytes]) -> str:
        """Store bytes and return `sha256:...`."""
        return self.around("put_blob", lambda: self._inner.put_blob(chunks))

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes that *ref* names."""
        self._check()
        return self._inner.open_blob(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name*."""
        return FaultyLog(self.around("open_log", lambda: self._inner.open_log(name)), self)

    def close(self) -> None:
        """Let go of the session."""
        self._inner.close()

    def around(self, name: str, step: Step[T]) -> T:
        """Do *step*, or fail; after an unclear failure nothing is done any more."""
        self._check()
        try:
            return self._faults.around(name, step, self._inner.id, self._inner.where)
        except FailedStorageError as error:
            self._failure = error
            raise

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _append_or_tear(self, entries: Sequence[bytes], expect: int) -> int:
        journal = max(self._inner.folder.glob("journal-*"))  # type: ignore[attr-defined] # optional
        before = journal.stat().st_size
        head = self.around("append", lambda: self._inner.append(entries, expect=expect))
        if self._faults.is_due("tear"):
            os.truncate(journal, before + (journal.stat().st_size - before) // 2)
            self._failure = self._faults.failure("append", self.id, self.where)
            raise self._failure
        return head


class FaultyLog:
    """Another log, of which chosen steps fail."""

    def __init__(self, inner: LogWriter, storage: FaultyStorage) -> None:
        self._inner = inner
        self._storage = storage

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._inner.size

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._inner.write(data)

    def flush(self) -> None:
        """Hand everything to the store."""
        self._storage.around("flush", self._inner.flush)

    def seal(self) -> str:
        """Turn the log into a blob."""
        return self._storage.around("seal", self._inner.seal)

    def discard(self) -> None:
        """Drop the log."""
        self._storage.around("discard", self._inner.discard)


class _Faults:
    """Counts the steps, over all sessions, and knows what is to happen at which."""

    def __init__(self, steps: Mapping[str, int], seconds: float) -> None:
        self._steps = steps
        self._seconds = seconds
        self._count = 0

    def around(self, name: str, step: Step[T], session_id: str, where: str = "the store") -> T:
        self._count += 1
        if self.is_due("delay"):
            time.sleep(self._seconds)
        if self.is_due("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.is_due("full"):
            raise StorageFullError(where, f"step {self._count} ({name}) was told to find no room")
        if self.is_due("fail"):
            raise self.failure(name, session_id, where)
        outcome = step()
        if self.is_due("kill_after"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.is_due("fail_after"):
            raise self.failure(name, session_id, where)
        return outcome

    def has(self, fault: str) -> bool:
        return fault in self._steps

    def is_due(self, fault: str) -> bool:
        return self._steps.get(fault) == self._count

    def failure(self, name: str, session_id: str, where: str) -> FailedStorageError:
        reason = f"step {self._count} ({name}) was told to fail"
        return FailedStorageError(session_id, where, reason)


if TYPE_CHECKING:
    _: type[Repository] = FaultyRepository
