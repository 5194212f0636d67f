"""A session of a mirror, open for writing: every step is made in each of its stores."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final, NamedTuple, TypeVar

from holdall.errors import (
    ConcurrentWriteError,
    HoldallError,
    StaleWriterError,
    StorageAccessError,
    StorageFullError,
)
from holdall.stores import PIECE, digest_of, pieces_of, swept
from holdall_plugins.stores.mirror.reading import MirrorReader
from holdall_plugins.stores.os_errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdall.contracts import Level, LogWriter, Repository, Storage
    from holdall.stores import Handle

T = TypeVar("T")

_log: Final = logging.getLogger("holdall.stores.mirror")

_HARMLESS: Final = (
    ConcurrentWriteError,
    StaleWriterError,
    StorageAccessError,
    StorageFullError,
)
"""What a store raises that changed nothing and can be used on."""


class Member(NamedTuple):
    """One store of a mirror that takes part in the writing of a session."""

    name: str
    storage: Storage


class MirrorWriter(MirrorReader):
    """A session of which each step is acknowledged by as many stores as the quorum.

    A store that fails takes no further part; it lacks what follows until it is repaired.
    """

    def __init__(
        self,
        inner: Storage,
        repository: Repository,
        *,
        handle: Handle,
        members: Sequence[Member],
        quorum: int,
        total: int,
    ) -> None:
        storages = [member.storage for member in members]
        super().__init__(inner, repository, handle=handle, storages=storages)
        self._members: Final = list(members)
        self._quorum: Final = quorum
        self._total: Final = total
        self._head = members[0].storage.head

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        self.handle.check()
        return self._head

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect* in each store, all or none."""
        with self.handle.writing("append entries"):
            heads = self.in_each(lambda m: m.storage.append(entries, expect=expect, level=level))
            self._head = max(heads.values())
            return self._head

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* in each store, and drop all before it."""
        with self.handle.writing("compact entries"):
            heads = self.in_each(lambda m: m.storage.compact(snapshot, expect=expect))
            self._head = max(heads.values())
            return self._head

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes in each store; what is larger than 1 MiB waits in a temporary file."""
        with self.handle.writing("store a blob"):
            if ref is not None:
                digest_of(ref, session_id=self.id)
            with _kept(chunks) as file:
                refs = self.in_each(lambda m: m.storage.put_blob(_chunks_of(file), ref=ref))
            return self.agreed(refs)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* of each store; one that lacks some of it gets that first."""
        with self.handle.writing("write a log"):
            logs = self.in_each(lambda m: m.storage.open_log(name))
            due = _due_size(logs, absent=self._total - len(self._members), quorum=self._quorum)
            whole = next(member for member, log in logs.items() if log.size == due)
            logs = self.in_each(
                lambda m: logs[m] if logs[m].size == due else _copied_log(whole, m, name, logs[m])
            )
            return MirrorLog(self, name, logs, due)

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self.handle.writing("drop a blob"):
            self.in_each(lambda m: swept(m.storage).drop(ref))

    def in_each(self, step: Callable[[Member], T]) -> dict[Member, T]:
        """Make a step in each store, and return what it gave where it was done.

        Raises:
            StorageError: Fewer stores than the quorum did it. If none did, and each can be
                used on, so can this storage; otherwise it refuses everything from now on.
        """
        done: dict[Member, T] = {}
        refusals: dict[Member, HoldallError] = {}
        for member in tuple(self._members):
            try:
                done[member] = step(member)
            except HoldallError as error:
                refusals[member] = error
                if self._quorum == self._total:
                    break
        if refusals:
            self._go_on_without(refusals, done=len(done))
        return done

    def agreed(self, refs: Mapping[Member, str]) -> str:
        """Return the one name that all stores gave to the same bytes."""
        names = set(refs.values())
        if len(names) > 1:
            raise self.handle.fail(f"its stores named the same bytes {' and '.join(names)}")
        return names.pop()

    def _go_on_without(self, refusals: Mapping[Member, HoldallError], *, done: int) -> None:
        errors = list(refusals.values())
        if not done and all(isinstance(error, _HARMLESS) for error in errors):
            raise errors[0]
        if done < self._quorum:
            [member, *_] = refusals
            reason = f"of {self._quorum} stores that must do each step {done} did this one"
            failed = self.handle.fail(f"{reason}; {member.name}: {errors[0]}")
            stale = [error for error in errors if isinstance(error, StaleWriterError)]
            raise (*stale, failed)[0] from errors[0]
        for member, error in refusals.items():
            self._members.remove(member)
            self._storages.remove(member.storage)
            tell_lagging(self.id, member.name, error)
            with suppress(HoldallError):
                member.storage.close()


class MirrorLog:
    """A live log that is written in each store."""

    def __init__(
        self, writer: MirrorWriter, name: str, logs: Mapping[Member, LogWriter], size: int
    ) -> None:
        self._writer: Final = writer
        self._name: Final = name
        self._logs: Final = logs
        self._size = size
        self._is_over = False

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append bytes; they may wait in memory until `flush`."""
        self._check()
        self._in_each(lambda log: log.write(data))
        self._size += len(data)

    def flush(self) -> None:
        """Hand everything to the stores."""
        with self._writer.handle.writing("write a log"):
            self._check()
            self._in_each(lambda log: log.flush())

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        with self._writer.handle.writing("seal a log"):
            self._check()
            refs = self._in_each(lambda log: log.seal(ref=ref))
            self._is_over = True
            return self._writer.agreed(refs)

    def discard(self) -> None:
        """Drop the log."""
        with self._writer.handle.writing("drop a log"):
            if not self._is_over:
                self._in_each(lambda log: log.discard())
            self._is_over = True

    def _in_each(self, step: Callable[[LogWriter], T]) -> dict[Member, T]:
        return self._writer.in_each(lambda member: step(self._logs[member]))

    def _check(self) -> None:
        self._writer.handle.check_writable("write a log")
        if self._is_over:
            raise ValueError(f"the log {self._name!r} was sealed or discarded")


def tell_lagging(session_id: str, name: str, error: HoldallError) -> None:
    """Say that a store takes no further part in the writing of a session."""
    _log.warning(
        "%s takes no further part in the session %r (%s); when it is well again, "
        "`holdall sessions repair %s`, with the same --store, gives it what it lacks",
        name,
        session_id,
        error,
        session_id,
    )


def _due_size(logs: Mapping[Member, LogWriter], *, absent: int, quorum: int) -> int:
    """Return how much of a log counts.

    What was flushed is in as many stores as the quorum; one that was away when a log
    ended may still have it, and is outvoted where the quorum lets it.
    """
    sizes = sorted((log.size for log in logs.values()), reverse=True)
    return sizes[max(quorum - absent, 1) - 1]


def _copied_log(whole: Member, member: Member, name: str, log: LogWriter) -> LogWriter:
    log.discard()
    copy = member.storage.open_log(name)
    with whole.storage.read_log(name) as source:
        for chunk in pieces_of(source):
            copy.write(chunk)
    copy.flush()
    return copy


@contextmanager
def _kept(chunks: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """Keep bytes for several readings, in memory or, if they are many, in a temporary file."""
    with tempfile.SpooledTemporaryFile(max_size=PIECE) as file:
        for chunk in chunks:
            try:
                file.write(chunk)
            except OSError as error:
                raise refused(error, "keep a blob in", tempfile.gettempdir()) from error
        yield file


def _chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return pieces_of(file)
