"""A session of a mirror, open for reading: from one store, and from the next if it fails."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from holdall.errors import (
    ClosedStorageError,
    HoldallError,
)
from holdall.stores import PIECE, StorageWrapper, file_of, pieces_of, swept
from holdall_plugins.stores.mirror.histories import Histories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from holdall.contracts import Repository, Storage
    from holdall.stores import Handle

T = TypeVar("T")

_PAUSE_S: Final = 0.2
"""How long whoever waits for entries looks away."""


class MirrorReader(StorageWrapper):
    """A session of which every store that is opened holds everything that was acknowledged.

    Args:
        inner: The storage whose folder is that of the session, if it has one.
        storages: Those that are open, in the order in which they are asked.
        more: Opens further ones, for when these fail.
    """

    def __init__(
        self,
        inner: Storage,
        repository: Repository,
        *,
        handle: Handle,
        storages: Iterable[Storage],
        more: Iterable[Callable[[], Storage]] = (),
    ) -> None:
        super().__init__(inner, repository)
        self.handle: Final = handle
        self._storages: Final = list(storages)
        self._more: Final = list(more)

    @property
    def where(self) -> str:
        """The locations, for messages."""
        return self.handle.where

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        return self._first_answer(lambda storage: storage.head)

    def wait(self, head: int, *, timeout: float) -> int:
        """Return the number of the last entry as soon as it is not *head*, or after *timeout*.

        It is looked for: what one store is told says nothing about the others, any of
        which may lack entries, or go away.
        """
        due = monotonic() + timeout
        while True:
            now = self.head
            left = due - monotonic()
            if now != head or left <= 0:
                return now
            sleep(min(_PAUSE_S, left))

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*, from the first store that can."""
        self.handle.check()
        return self._read(after)

    def _read(self, after: int) -> Iterator[tuple[int, bytes]]:
        failures = []
        for storage in self._sources():
            try:
                for number, entry in storage.read(after):
                    after = number
                    yield number, entry
            except HoldallError as error:
                failures.append(error)
            else:
                return
        raise failures[0] if failures else ClosedStorageError(self.id)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*, from the first store that has all of them.

        Those of a large one are read twice: what was handed out could not be taken back.
        """
        return self._first_answer(lambda storage: _whole(storage, ref))

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*."""
        return self._first_answer(lambda storage: storage.read_log(name))

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        return iter(self._first_answer(lambda storage: list(swept(storage).blobs())))

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        return iter(self._first_answer(lambda storage: list(swept(storage).logs())))

    def drop(self, ref: str) -> None:
        """Refuse: it is open for reading."""
        self.handle.check_writable("drop a blob")
        del ref

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        self.handle.is_closed = True
        close_all(self._storages)

    def _sources(self) -> Iterator[Storage]:
        """Yield the storages in the order they are asked in; more are opened as they are asked."""
        yield from tuple(self._storages)
        while self._more:
            opened = self._more.pop(0)
            with suppress(HoldallError):
                self._storages.append(opened())
                yield self._storages[-1]

    def _first_answer(self, ask: Callable[[Storage], T]) -> T:
        self.handle.check()
        failures = []
        for storage in self._sources():
            try:
                return ask(storage)
            except HoldallError as error:
                failures.append(error)
        raise failures[0] if failures else ClosedStorageError(self.id)


class QuorumReader(MirrorReader):
    """A session of which some store may lack the end, or have one that was never acknowledged."""

    def __init__(
        self,
        inner: Storage,
        repository: Repository,
        *,
        handle: Handle,
        storages: Iterable[Storage],
        quorum: int,
        total: int,
    ) -> None:
        super().__init__(inner, repository, handle=handle, storages=storages)
        self._quorum: Final = quorum
        self._total: Final = total

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*: the longest that a store has."""
        self.handle.check()
        sizes = {}
        for storage in super()._sources():
            with suppress(HoldallError), storage.read_log(name) as log:
                sizes[storage] = sum(map(len, pieces_of(log)))
        if not sizes:
            return super().read_log(name)
        return max(sizes, key=lambda storage: sizes[storage]).read_log(name)

    def _sources(self) -> Iterator[Storage]:
        """Yield the storages that follow the history that counts, the longest first."""
        heads, absent = {}, {}
        for storage in super()._sources():
            try:
                heads[storage] = storage.head
            except HoldallError as error:
                absent[storage.where] = error
        if not _agree(heads):
            followed = list(heads)
            settled = Histories(
                self.where,
                dict(enumerate(followed)),
                quorum=self._quorum,
                total=self._total,
                absent=absent,
            ).settle()
            for at in settled.diverged:
                del heads[followed[at]]
        yield from sorted(heads, key=lambda storage: -heads[storage])


def _agree(heads: Mapping[Storage, int]) -> bool:
    """Whether storages hold the same entry where the shortest ends.

    What was written behind different entries differs too: the entries of a journal are chained.
    """
    if len(heads) < 2:
        return True
    last = min(heads.values())
    try:
        entries = {next(storage.read(last - 1), None) for storage in heads}
    except HoldallError:
        return True  # whoever reads it is told
    return len({entry for entry in entries if entry is not None and entry[0] == last}) < 2


def _whole(storage: Storage, ref: str) -> BinaryIO:
    with storage.open_blob(ref) as blob:
        data = blob.read(PIECE)
        if len(data) < PIECE:
            data += blob.read()
            return file_of(iter((data,)))
        for _piece in pieces_of(blob):
            pass
    return storage.open_blob(ref)


def close_all(storages: Iterable[Storage]) -> None:
    """Close every one of *storages*, and raise what the first one raised that could not be."""
    failures = []
    for storage in storages:
        try:
            storage.close()
        except HoldallError as error:
            failures.append(error)
    if failures:
        raise failures[0]


@contextmanager
def closed_if_it_fails(storages: Mapping[int, Storage]) -> Iterator[None]:
    """Close what is in *storages* by then, if the block fails."""
    try:
        yield
    except BaseException:
        with suppress(HoldallError):
            close_all(storages.values())
        raise
