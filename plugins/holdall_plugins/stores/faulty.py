"""A wrapper that fails on purpose, to test what its callers do: `faulty?fail=3::URL`.

It counts the steps that change something: `create`, `remove`, `append`, `compact`,
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
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from holdall.contracts import HasFolder
from holdall.errors import FailedStorageError, StorageFullError, StoreUrlError
from holdall.stores import LogWrapper, RepositoryWrapper, StorageWrapper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.contracts import Level, LogWriter, Repository, Storage

T = TypeVar("T")
Step = Callable[[], T]

FAULTS: Final = ("fail", "fail_after", "full", "kill", "kill_after", "tear", "delay")
"""What can be done to a step, each given by the step's number."""


class FaultyRepository(RepositoryWrapper):
    """A repository whose chosen steps fail."""

    def __init__(self, inner: Repository, *, seconds: float = 0.0, **faults: int) -> None:
        super().__init__(inner)
        self._options = {**faults, **({"seconds": seconds} if seconds else {})}
        self._faults = _Faults(faults, seconds)

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> FaultyRepository:
        """Return the one in *inner* with the faults that `faulty?fault=step` names."""
        del options
        name, _, query = url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        usage = f"write faulty?fault=step::URL, with a fault of {', '.join(FAULTS)}"
        if len(inner) != 1 or name != "faulty":
            raise StoreUrlError(url, usage)
        try:
            seconds = float(given.pop("seconds", "0"))
            faults = {fault: int(step) for fault, step in given.items()}
        except ValueError:
            raise StoreUrlError(url, usage) from None
        if not set(faults) <= set(FAULTS):
            raise StoreUrlError(url, usage)
        return cls(inner[0], seconds=seconds, **faults)

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        query = f"?{urlencode(self._options)}" if self._options else ""
        return f"faulty{query}::{self.inner.url}"

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session."""
        step = partial(self.inner.create, session_id, first=first)
        return self.wrapped(self._faults.around("create", step, session_id))

    def remove(self, session_id: str) -> None:
        """Remove a session."""
        self._faults.around("remove", lambda: self.inner.remove(session_id), session_id)

    def wrapped(self, storage: Storage) -> Storage:
        """Return a storage of which chosen steps fail."""
        if self._faults.has("tear") and not isinstance(storage, HasFolder):
            storage.close()
            raise StoreUrlError(self.url, "only a store in plain files can tear what it appends")
        return FaultyStorage(storage, self._faults, self)


class FaultyStorage(StorageWrapper):
    """A storage whose chosen steps fail; it keeps the capabilities of the inner one."""

    def __init__(self, inner: Storage, faults: _Faults, repository: FaultyRepository) -> None:
        super().__init__(inner, repository)
        self._faults = faults
        self._failure: FailedStorageError | None = None

    @property
    def head(self) -> int:
        """Number of the last entry."""
        self._check()
        return self.inner.head

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*."""
        step = partial(self.inner.append, entries, expect=expect, level=level)
        if self._faults.has("tear"):
            return self._append_or_tear(step)
        return self.around("append", step)

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it."""
        return self.around("compact", partial(self.inner.compact, snapshot, expect=expect))

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        self._check()
        return self.inner.read(after)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`."""
        return self.around("put_blob", partial(self.inner.put_blob, chunks, ref=ref))

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*."""
        self._check()
        return self.inner.open_blob(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name*."""
        return FaultyLog(self.around("open_log", lambda: self.inner.open_log(name)), self)

    def around(self, name: str, step: Step[T]) -> T:
        """Do *step*, or fail; after an unclear failure nothing is done any more."""
        self._check()
        try:
            return self._faults.around(name, step, self.id, self.where)
        except FailedStorageError as error:
            self._failure = error
            raise

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _append_or_tear(self, step: Step[int]) -> int:
        assert isinstance(self.inner, HasFolder)  # noqa: S101 - `wrapped` saw to it
        journal = max(self.inner.folder.glob("journal-*"))
        before = journal.stat().st_size
        head = self.around("append", step)
        if self._faults.is_due("tear"):
            # Who loses power closes no session; of one that was closed, no end can be torn.
            self.inner.close()
            os.truncate(self.inner.folder / "lock", 0)
            os.truncate(journal, before + (journal.stat().st_size - before) // 2)
            self._failure = self._faults.failure("append", self.id, self.where)
            raise self._failure
        return head


class FaultyLog(LogWrapper):
    """A log whose chosen steps fail."""

    def __init__(self, inner: LogWriter, storage: FaultyStorage) -> None:
        super().__init__(inner)
        self._storage = storage

    def flush(self) -> None:
        """Hand everything to the store."""
        self._storage.around("flush", self.inner.flush)

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob."""
        return self._storage.around("seal", partial(self.inner.seal, ref=ref))

    def discard(self) -> None:
        """Drop the log."""
        self._storage.around("discard", self.inner.discard)


class _Faults:
    """Counts the steps, over all sessions, and knows what is to happen at which."""

    def __init__(self, steps: Mapping[str, int], seconds: float) -> None:
        self._steps = steps
        self._seconds = seconds
        self._count = 0

    def around(self, name: str, step: Step[T], session_id: str, location: str = "the store") -> T:
        self._count += 1
        if self.is_due("delay"):
            time.sleep(self._seconds)
        if self.is_due("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.is_due("full"):
            raise StorageFullError(
                location, f"step {self._count} ({name}) was told to find no room"
            )
        if self.is_due("fail"):
            raise self.failure(name, session_id, location)
        outcome = step()
        if self.is_due("kill_after"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.is_due("fail_after"):
            raise self.failure(name, session_id, location)
        return outcome

    def has(self, fault: str) -> bool:
        return fault in self._steps

    def is_due(self, fault: str) -> bool:
        return self._steps.get(fault) == self._count

    def failure(self, name: str, session_id: str, location: str) -> FailedStorageError:
        reason = f"step {self._count} ({name}) was told to fail"
        return FailedStorageError(session_id, location, reason)


if TYPE_CHECKING:
    _: type[Repository] = FaultyRepository
