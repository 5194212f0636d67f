"""One session in a folder: entries, blobs and logs."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    StaleWriterError,
    StorageAccessError,
)
from holdall.stores import checked_blob, digest_of, file_of, is_compacted, is_repeated

from holdall_repository_batches.files import SourceError, chunks_of, refusals, sync, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from holdall.contracts import Level, LogWriter, Storage
    from holdall.stores import Handle

_LISTINGS = 50
"""How often a folder is listed again that is changed meanwhile."""


class Batch(NamedTuple):
    """A file of entries, by the numbers of its first and last one."""

    first: int
    last: int
    path: Path


def _batch_of(path: Path) -> Batch:
    first, last = map(int, path.stem.split("-"))
    return Batch(first, last, path)


class FolderStorage:
    """A session: the file `5-7` holds entries 5 to 7, and `8-8.snapshot` all up to 8."""

    def __init__(self, folder: Path, handle: Handle, lock: int | None) -> None:
        """Use *folder*; *lock* is the descriptor of its lock, None for a reader."""
        self.id = handle.session_id
        self.where = handle.where
        self.repository = handle.repository
        self._folder, self._handle, self._lock = folder, handle, lock
        self._logs: list[FolderLog] = []

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        self._handle.check()
        batches = self._batches()
        return batches[-1].last if batches else self._first() - 1

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head."""
        with self._handle.writing("append entries"):
            if self.head != expect and not is_repeated(self, entries, expect=expect):
                raise StaleWriterError(self.id, expect, self.head)
            if entries and self.head == expect:
                self._write(f"{expect + 1}-{expect + len(entries)}", entries)
            return expect + len(entries)

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it, in one step."""
        with self._handle.writing("compact entries"):
            if self.head != expect and not is_compacted(self, snapshot, expect=expect):
                raise StaleWriterError(self.id, expect, self.head)
            if self.head == expect:
                old = [batch.path for batch in self._batches()]
                self._write(f"{expect + 1}-{expect + 1}.snapshot", [snapshot])
                if list(self.read()) != [(expect + 1, snapshot)]:
                    raise self._damaged("entries", "the snapshot reads back differently")
                for path in old:
                    path.unlink()
            return expect + 1

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        self._handle.check()
        return self._read(self._batches(), after)

    def _read(self, batches: list[Batch], after: int) -> Iterator[tuple[int, bytes]]:
        for batch in batches:
            for number, entry in enumerate(self._entries(batch), start=batch.first):
                if number > after:
                    self._handle.check()
                    yield number, entry

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        with self._handle.writing("store a blob"):
            new, digest = self._folder / "blobs" / ".new", sha256()
            with self.steps("store a blob in"), new.open("wb") as file:
                for chunk in self._given(chunks):
                    file.write(chunk)
                    digest.update(chunk)
                file.flush()
                os.fsync(file.fileno())
                actual = digest.hexdigest()
                ref = ref or f"sha256:{actual}"
                if not self._stored(ref):
                    new.rename(new.with_name(f"{digest_of(ref, session_id=self.id)}.{actual}"))
                sync(new.parent)
            return ref

    def _given(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from chunks
        except OSError as error:  # the fault of the source, and not of this disk
            raise SourceError(error) from error

    def _stored(self, ref: str) -> list[Path]:
        name = f"{digest_of(ref, session_id=self.id)}.*"
        return list((self._folder / "blobs").glob(name))

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        self._handle.check()
        stored = self._stored(ref)
        if not stored:
            raise self._damaged(f"blob {ref}", "the blob is not there")
        actual = f"sha256:{stored[0].suffix[1:]}"
        return checked_blob(chunks_of(stored[0]), actual, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending."""
        with self._handle.writing("write a log"), self.steps("write a log to"):
            log = FolderLog(self, self._handle, self._log(name))
            self._logs.append(log)
            return log

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*."""
        self._handle.check()
        return file_of(chunks_of(self._log(name)) if self._log(name).exists() else iter(()))

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        if not self._handle.is_closed and not self._handle.is_inherited:
            for log in self._logs:
                log.release()
            if self._lock is not None:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
                os.close(self._lock)
        self._handle.is_closed = True

    def _log(self, name: str) -> Path:
        return self._folder / "logs" / sha256(name.encode()).hexdigest()

    def _first(self) -> int:
        with self.steps("read"):
            return int((self._folder / "first").read_bytes())

    def _batches(self) -> list[Batch]:
        """Return the files of entries from the last snapshot on."""
        for _ in range(_LISTINGS):  # a listing may miss what is renamed while it is read
            try:
                paths = [
                    path for path in (self._folder / "entries").iterdir() if path.name[0] != "."
                ]
                due = self._first()
            except FileNotFoundError:
                raise ClosedStorageError(self.id) from None
            batches = sorted(map(_batch_of, paths))
            starts = [number for number, batch in enumerate(batches) if batch.path.suffix]
            if starts:
                batches = batches[starts[-1] :]
                due = batches[0].first
            ends = [due - 1, *(batch.last for batch in batches)]
            if all(batch.first == end + 1 for batch, end in zip(batches, ends, strict=False)):
                return batches
        raise self._damaged("entries", "some are missing")

    def _write(self, name: str, entries: Sequence[bytes]) -> None:
        data = b"".join(entries)
        head = {"sizes": list(map(len, entries)), "sha256": sha256(data).hexdigest()}
        with self.steps("append entries to"):
            write(self._folder / "entries" / name, [json.dumps(head).encode() + b"\n", data])

    def _entries(self, batch: Batch) -> list[bytes]:
        try:
            head, _, data = batch.path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            reason = "entries were compacted or removed meanwhile; read again from the start"
            raise StorageAccessError(self.where, "read on in", reason) from None
        with suppress(ValueError, KeyError, TypeError):
            known = json.loads(head)
            sizes: list[int] = known["sizes"]
            is_whole = sha256(data).hexdigest() == known["sha256"] and sum(sizes) == len(data)
            if is_whole and len(sizes) == batch.last - batch.first + 1:
                ends = accumulate(sizes)
                return [data[end - size : end] for size, end in zip(sizes, ends, strict=True)]
        raise self._damaged(str(batch.path), "it does not hold what was written")

    def _damaged(self, location: str, reason: str) -> CorruptSessionError:
        return CorruptSessionError(self.id, f"{self.where}, {location}", reason)

    @contextmanager
    def steps(self, doing: str) -> Iterator[None]:
        """Raise what holdall expects; after a failure of unclear outcome refuse to go on."""
        try:
            with refusals(self._folder, doing):
                yield
        except StorageAccessError as error:
            if self._handle.mode == "r":
                raise
            raise self._handle.fail(error) from error


class FolderLog:
    """A log: a file that grows."""

    def __init__(self, storage: FolderStorage, handle: Handle, path: Path) -> None:
        """Append to *path*."""
        self._storage, self._handle, self._path = storage, handle, path
        self._file = path.open("ab")
        self.size = path.stat().st_size

    def write(self, data: bytes) -> None:
        """Append bytes; they may wait in memory until `flush`."""
        self._check()
        with self._storage.steps("write a log to"):
            self._file.write(data)
        self.size += len(data)

    def flush(self) -> None:
        """Hand everything to the system: from now on it survives the end of this process."""
        with self._handle.writing("write a log"):
            self._check()
            with self._storage.steps("write a log to"):
                self._file.flush()

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        with self._handle.writing("seal a log"):
            self.flush()
            with closing(chunks_of(self._path)) as chunks:
                ref = self._storage.put_blob(chunks, ref=ref)
            self.discard()
            return ref

    def discard(self) -> None:
        """Drop the log."""
        with self._handle.writing("drop a log"):
            self._path.unlink(missing_ok=True)
            self._file.close()

    def release(self) -> None:
        """Let go of the file; whoever opens the log again goes on with it."""
        with suppress(OSError):  # a full disk; what was flushed is there
            self._file.close()

    def _check(self) -> None:
        self._handle.check_writable("write a log")
        if self._file.closed:
            raise ValueError("the log was sealed or discarded")


if TYPE_CHECKING:
    _storage: type[Storage] = FolderStorage
    _log: type[LogWriter] = FolderLog
