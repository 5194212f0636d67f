"""Stores on a disk that break one promise each, over the stores in files and in SQLite.

`test_bad_stores_fail` runs over them what is to find each one out.
"""

from __future__ import annotations

import io
import os
import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

import pytest

from holdall.stores import LogWrapper, RepositoryWrapper, StorageWrapper, file_of
from holdall.testing import RepositoryContract
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.sqlite import SqliteRepository
from holdall_plugins.stores.sqlite.blobs import blob_key, chunks_of
from holdall_plugins.stores.sqlite.storage import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from holdall.contracts import Level, LogWriter, Mode, Repository, Storage

IN_MEMORY: dict[str, list[bytes]] = {}
LOGS: dict[tuple[str, str], bytearray] = {}
LOCK = threading.RLock()


class OverFiles(RepositoryWrapper):
    """The store in plain files, whose storages are altered."""

    storage: ClassVar[type[StorageWrapper]] = StorageWrapper

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> OverFiles:
        del inner, options
        return cls(FileRepository.from_url(url))

    @property
    def url(self) -> str:
        return self.inner.url

    def wrapped(self, storage: Storage) -> Storage:
        return self.storage(storage, self)


class Untouched(StorageWrapper):
    """No fault at all."""


class KeepsInMemory(StorageWrapper):
    @property
    def head(self) -> int:
        return self.inner.head + len(self._kept)

    @property
    def _kept(self) -> list[bytes]:
        return IN_MEMORY.setdefault(self.inner.where, [])

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        del level
        assert self.head == expect
        self._kept.extend(entries)
        return self.head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        yield from self.inner.read(after)
        yield from enumerate(self._kept, start=self.inner.head + 1)

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        self._spill()
        return self.inner.compact(snapshot, expect=expect)

    def close(self) -> None:
        self._spill()
        self.inner.close()

    def _spill(self) -> None:
        kept = IN_MEMORY.pop(self.inner.where, [])
        if kept:
            self.inner.append(kept, expect=self.inner.head)


class FlushStaysInProcess(StorageWrapper):
    def open_log(self, name: str) -> LogWriter:
        return KeptLog(self.inner.open_log(name), (self.inner.where, name))

    def read_log(self, name: str) -> BinaryIO:
        kept = LOGS.get((self.inner.where, name), b"")
        return io.BytesIO(self.inner.read_log(name).read() + kept)


class KeptLog(LogWrapper):
    def __init__(self, inner: LogWriter, key: tuple[str, str]) -> None:
        super().__init__(inner)
        self._key = key

    def write(self, data: bytes) -> None:
        LOGS.setdefault(self._key, bytearray()).extend(data)

    def flush(self) -> None:
        pass

    def seal(self, *, ref: str | None = None) -> str:
        self.inner.write(bytes(LOGS.pop(self._key, b"")))
        return self.inner.seal(ref=ref)


class NamesLargeBlobsWrongly(StorageWrapper):
    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        data = b"".join(chunks)
        wrong = f"sha256:{sha256(data[: 4 << 20]).hexdigest()}"
        return self.inner.put_blob([data], ref=ref or wrong)


class NamesAnotherRepository(StorageWrapper):
    @property
    def repository(self) -> Repository:
        return FileRepository("/nowhere")


class ReaderHoldsLock(StorageWrapper):
    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        with LOCK:
            yield from self.inner.read(after)

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        with LOCK:
            return self.inner.append(entries, expect=expect, level=level)


class DropsTailAfterKill(OverFiles):
    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        if mode == "w" and not self._mark(session_id).exists():
            [journal] = self._mark(session_id).parent.glob("journal-*")
            lines = journal.read_bytes().splitlines(keepends=True)
            journal.write_bytes(b"".join(lines[:-1] if len(lines) > 1 else lines))
        storage = self.inner.open(session_id, mode=mode, take_over=take_over)
        return storage if mode == "r" else self.wrapped(storage)

    def wrapped(self, storage: Storage) -> Storage:
        self._mark(storage.id).unlink(missing_ok=True)
        return MarksClosing(storage, self)

    def _mark(self, session_id: str) -> Path:
        return cast("FileRepository", self.inner)._root / f"{session_id}.session" / "clean"


class MarksClosing(StorageWrapper):
    def close(self) -> None:
        (Path(cast("Any", self.inner).folder) / "clean").touch()
        self.inner.close()


class WritesWhenOpenedForReading(OverFiles):
    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        storage = super().open(session_id, mode=mode, take_over=take_over)
        (Path(cast("Any", storage).folder) / "last-read").write_text(str(os.getpid()))
        return storage


class UrlLeadsElsewhere(OverFiles):
    @property
    def url(self) -> str:
        return "file:///nowhere"


class RereadsAllHistory(OverFiles):
    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        storage = super().open(session_id, mode=mode, take_over=take_over)
        history = Path(cast("Any", storage).folder) / "history"
        if history.exists():
            history.read_bytes()
        return storage

    def wrapped(self, storage: Storage) -> Storage:
        return KeepsHistory(storage, self)


class KeepsHistory(StorageWrapper):
    def compact(self, snapshot: bytes, *, expect: int) -> int:
        old = b"".join(entry for _number, entry in self.inner.read())
        (Path(cast("Any", self.inner).folder) / "history").write_bytes(old)
        return self.inner.compact(snapshot, expect=expect)


class OneProcessLock(SqliteRepository):
    def _refuse_living(self, session_id: str, holder: Any) -> None:
        if holder is not None and holder.pid == os.getpid():
            super()._refuse_living(session_id, holder)


class ForgetsHalfOnRemoval(SqliteRepository):
    def remove(self, session_id: str) -> None:
        with self._storage_to_be(session_id, "w") as (database, _handle):
            with database.writing("remove entries from") as cursor:
                cursor.execute("DELETE FROM entries")
            database.close()
        super().remove(session_id)


class AlteredSqlite(SqliteRepository):
    kind: ClassVar[type[SqliteStorage]] = SqliteStorage

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        storage: Any = super().create(session_id, first=first)
        storage.__class__ = self.kind
        return cast("Storage", storage)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        storage: Any = super().open(session_id, mode=mode, take_over=take_over)
        storage.__class__ = self.kind
        return cast("Storage", storage)


class UncheckedBlobs(SqliteStorage):
    def open_blob(self, ref: str) -> BinaryIO:
        stored = blob_key(self._database, self._key, ref)
        assert stored is not None
        return file_of(chunks_of(self._database, stored[0]))


class CompactsInTwoSteps(SqliteStorage):
    def compact(self, snapshot: bytes, *, expect: int) -> int:
        with self._database.writing("drop entries of") as cursor:
            cursor.execute("DELETE FROM entries")
        return super().compact(snapshot, expect=expect)


class Contract(RepositoryContract):
    """The contract over the store of one class."""

    @staticmethod
    def kind(path: str) -> Repository:
        raise NotImplementedError

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return type(self).kind(str(tmp_path / "store"))


class OverOtherSyncs(Contract):
    """The store in files, with syncs of another kind."""

    @staticmethod
    def kind(path: str) -> Repository:
        return OverFiles(FileRepository(path))

    @pytest.fixture(autouse=True)
    def _syncs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("journal", "blobs", "logs", "storage", "repository"):
            name = f"holdall_plugins.stores.file.{module}"
            for sync in ("sync_data", "sync_folder"):
                monkeypatch.setattr(f"{name}.{sync}", self.sync, raising=False)

    @staticmethod
    def sync(fd: int) -> None:
        raise NotImplementedError


class TestNeverSyncs(OverOtherSyncs):
    @staticmethod
    def sync(fd: int) -> None:
        pass


class TestSwallowsFailedSyncs(OverOtherSyncs):
    @staticmethod
    def sync(fd: int) -> None:
        with suppress(OSError):  # it will be all right
            os.fsync(fd)


def _over_files(kind: type[OverFiles]) -> Callable[[str], Repository]:
    return lambda path: kind(FileRepository(path))


def _contracts() -> Iterator[tuple[str, Callable[[str], Repository]]]:
    for storage in StorageWrapper.__subclasses__():
        if storage.__module__ == __name__:
            altered = type(storage.__name__, (OverFiles,), {"storage": storage})
            yield storage.__name__, _over_files(altered)
    for repository in OverFiles.__subclasses__():
        if "storage" not in vars(repository):
            yield repository.__name__, _over_files(repository)
    for kind in (OneProcessLock, ForgetsHalfOnRemoval):
        yield kind.__name__, kind
    for sqlite in (UncheckedBlobs, CompactsInTwoSteps):
        yield sqlite.__name__, type(sqlite.__name__, (AlteredSqlite,), {"kind": sqlite})


globals().update(
    {
        f"Test{name}": type(f"Test{name}", (Contract,), {"kind": staticmethod(kind)})
        for name, kind in _contracts()
    }
)
