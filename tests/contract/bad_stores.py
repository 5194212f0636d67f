"""Stores that break one promise each; `test_bad_stores_fail` runs the contract over them.

They are the store in memory with one fault, so that each failure has one cause.
"""

from __future__ import annotations

import itertools
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from holdall.errors import StaleWriterError, UnknownSessionError
from holdall.journal import decode
from holdall.testing import RepositoryContract
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from holdall.contracts.stores import Level, LogWriter, Mode, Repository, Storage


class Altered:
    """A storage that does some things in its own way."""

    def __init__(self, inner: Storage) -> None:
        self.inner: Any = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class AlteredRepository(MemoryRepository):
    """A repository whose storages are altered."""

    storage: ClassVar[type[Altered]] = Altered

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        return self.storage(super().create(session_id, first=first))

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        return self.storage(super().open(session_id, mode=mode, take_over=take_over))


class Forgets(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        if expect % 2:
            return expect + len(entries)
        head: int = self.inner.append(entries, expect=expect)
        return head


class Reorders(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        head: int = self.inner.append(entries[::-1], expect=expect)
        return head


class HalfWrites(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        self.inner.append(entries[: (len(entries) + 1) // 2], expect=expect)
        return expect + len(entries)


class WritesPiecemeal(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        if not entries or expect != self.inner.head:
            head: int = self.inner.append(entries, expect=expect)
            return head
        for number, entry in enumerate(entries, start=expect):
            self.inner.append([entry], expect=number)
            time.sleep(0.0005)  # others run meanwhile
        return expect + len(entries)


class DoubleWrites(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        self.inner.append(entries, expect=expect)
        head: int = self.inner.append(entries, expect=self.inner.head)
        return head


class RepeatsDoubled(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        if expect > self.inner.head:
            raise StaleWriterError(self.inner.id, expect, self.inner.head)
        head: int = self.inner.append(entries, expect=self.inner.head)
        return head


class NeverRepeats(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        if expect != self.inner.head:
            raise StaleWriterError(self.inner.id, expect, self.inner.head)
        head: int = self.inner.append(entries, expect=expect)
        return head


class LiesAboutHead(Altered):
    @property
    def head(self) -> int:
        return int(self.inner.head) + 1


class ReturnsOldHead(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        self.inner.append(entries, expect=expect)
        return expect


class StripsEntries(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        head: int = self.inner.append([entry.strip() for entry in entries], expect=expect)
        return head


class ReadsOneTooFew(Altered):
    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return iter(list(self.inner.read(after))[:-1])


class IgnoresAfter(Altered):
    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        del after
        found: Iterator[tuple[int, bytes]] = self.inner.read()
        return found


class RenumbersOnCompaction(Altered):
    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return iter([pair for pair in enumerate(self._entries(), start=1) if pair[0] > after])

    def _entries(self) -> list[bytes]:
        return [entry for _number, entry in self.inner.read()]


class CompactsNothing(Altered):
    def compact(self, snapshot: bytes, *, expect: int) -> int:
        head: int = self.inner.append([snapshot], expect=expect)
        return head


class CompactsWhatItHasNotSeen(Altered):
    def compact(self, snapshot: bytes, *, expect: int) -> int:
        head: int = self.inner.head
        if head <= expect or list(self.inner.read()) != [(expect + 1, snapshot)]:
            head = self.inner.compact(snapshot, expect=head)
        return head


class CompactsOnce(Altered):
    def compact(self, snapshot: bytes, *, expect: int) -> int:
        if expect != self.inner.head:
            raise StaleWriterError(self.inner.id, expect, self.inner.head)
        head: int = self.inner.compact(snapshot, expect=expect)
        return head


class CountsFromOne(AlteredRepository):
    def create(self, session_id: str, *, first: int = 1) -> Storage:
        del first
        return super().create(session_id)


class MixesThreads(Altered):
    def __init__(self, inner: Storage) -> None:
        super().__init__(inner)
        self.inner.handle.writing = lambda _doing: nullcontext()


class NamesBlobsItself(Altered):
    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        self.inner.put_blob(chunks)
        return ref or ""


class ForgetsLogs(Altered):
    def read_log(self, name: str) -> BinaryIO:
        log: BinaryIO = self.inner.read_log(name)
        log.read()
        return log


class ListsEmptyFirst(AlteredRepository):
    def ids(self) -> Iterator[str]:
        return iter(list(super().ids())[::-1])


class CutsBlobs(Altered):
    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        stored: str = self.inner.put_blob(list(chunks)[:1], ref=ref)
        return stored


class OneLogForAll(Altered):
    def open_log(self, name: str) -> LogWriter:
        log: LogWriter = self.inner.open_log(name.casefold()[:255])
        return log


class WritesWhenReading(Altered):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        self.inner.handle.mode = "w"
        self.inner._session.writer = lambda: self.inner
        head: int = self.inner.append(entries, expect=expect)
        return head


class TwoWriters(AlteredRepository):
    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        del take_over
        session = self._session(session_id)
        before = session.writer
        storage = MemoryRepository.open(self, session_id, mode=mode, take_over=True)
        if before() is not None:
            storage._check_writer = lambda doing: None  # type: ignore[attr-defined] # noqa: ARG005
            before()._check_writer = lambda doing: None  # type: ignore[union-attr,method-assign] # noqa: ARG005
        return storage


class OverwritesOnCreate(AlteredRepository):
    def create(self, session_id: str, *, first: int = 1) -> Storage:
        self._contents.sessions.pop(session_id, None)
        return super().create(session_id, first=first)


class HidesInsteadOfRemoving(AlteredRepository):
    def remove(self, session_id: str) -> None:
        session = self._session(session_id)
        super().remove(session_id)
        session.is_removed = False


class TakesAnyId(AlteredRepository):
    def create(self, session_id: str, *, first: int = 1) -> Storage:
        storage = super().create("made up", first=first)
        self._contents.sessions[session_id] = self._contents.sessions.pop("made up")
        return storage


class MakesOnOpen(AlteredRepository):
    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        try:
            return super().open(session_id, mode=mode, take_over=take_over)
        except UnknownSessionError:
            return self.create(session_id)


class ListsUntilDamage(AlteredRepository):
    def ids(self) -> Iterator[str]:
        for session_id in super().ids():
            storage = self.open(session_id, mode="r")
            list(decode(session_id, storage.read()))
            yield session_id


_numbers = itertools.count()


class Contract(RepositoryContract):
    """The contract over a repository of one class."""

    durable = False
    processes = False

    made_by: ClassVar[type[MemoryRepository]] = AlteredRepository

    @pytest.fixture
    def repository(self) -> Repository:
        return self.made_by.from_url(f"memory://bad {next(_numbers)}")

    def damage(self, repository: Repository, session_id: str) -> None:
        assert isinstance(repository, MemoryRepository)
        entries = repository._contents.sessions[session_id].entries
        entries[20] = entries[20].replace(b"2.0", b"3.0")


def _contracts() -> Iterator[type[Contract]]:
    storages: list[type[Altered]] = [Altered, *Altered.__subclasses__()]
    for storage in storages:
        made_by = type(storage.__name__, (AlteredRepository,), {"storage": storage})
        yield type(f"Test{storage.__name__}", (Contract,), {"made_by": made_by})
    for repository in AlteredRepository.__subclasses__():
        if repository.__module__ == __name__ and "storage" not in vars(repository):
            yield type(f"Test{repository.__name__}", (Contract,), {"made_by": repository})


globals().update({contract.__name__: contract for contract in _contracts()})
