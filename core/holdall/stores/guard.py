"""The border to a store that is a plugin: each call of it is made inside `calling`.

Whatever the store raises that its contract does not list becomes a
`PluginCallError` that names the plugin, its distribution and its version.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from holdall.errors import masked_url
from holdall.registry import calling, shown
from holdall.stores.wrapper import LogWrapper, RepositoryWrapper, StorageWrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from holdall.contracts import Level, LogWriter, Mode, Repository, Storage
    from holdall.registry import Identity

T = TypeVar("T")


class GuardedRepository(RepositoryWrapper):
    """The repository of a plugin, called across the border.

    Attributes:
        plugin: Which plugin it is of.
        over: The repositories that it wraps, none for a store.
    """

    def __init__(
        self, inner: Repository, plugin: Identity, over: Sequence[Repository], known_as: str = ""
    ) -> None:
        super().__init__(inner)
        self.plugin: Final = plugin
        self.over: Final = tuple(over)
        self._known_as: Final = known_as

    @property
    def url(self) -> str:
        """The URL of this repository, without a secret that the plugin may have left in it.

        No URL names a wrapper over stores that were configured: their name does.
        """
        if self._known_as:
            return self._known_as
        with calling(self.plugin, "telling its URL") as call:
            return masked_url(call.returned(self.inner.url, str))

    def wrapped(self, storage: Storage) -> Storage:
        """Return a storage of the plugin, called across the border."""
        if not callable(getattr(storage, "append", None)):
            raise self.plugin.blame("opening a session", f"it returned {shown(storage)}")
        return GuardedStorage(storage, self, self.plugin)

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session."""
        with calling(self.plugin, f"creating the session {session_id!r}"):
            return super().create(session_id, first=first)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists."""
        with calling(self.plugin, f"opening the session {session_id!r}"):
            return super().open(session_id, mode=mode, take_over=take_over)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first."""
        with calling(self.plugin, "listing its sessions") as call:
            for session_id in self.inner.ids():
                yield call.returned(session_id, str)

    def iterated(self, items: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what the plugin yields."""
        with calling(self.plugin, "listing its sessions"):
            yield from items()

    def remove(self, session_id: str) -> None:
        """Remove a session."""
        with calling(self.plugin, f"removing the session {session_id!r}"):
            super().remove(session_id)


class GuardedStorage(StorageWrapper):
    """The storage of a plugin, called across the border."""

    def __init__(self, inner: Storage, repository: Repository, plugin: Identity) -> None:
        super().__init__(inner, repository)
        self._plugin: Final = plugin

    @property
    def where(self) -> str:
        """The location, for messages; without secrets too."""
        with calling(self._plugin, "telling its location") as call:
            return masked_url(call.returned(self.inner.where, str))

    @property
    def head(self) -> int:
        """Number of the last entry; one less than that of the first if there is none."""
        with calling(self._plugin, "telling its last entry") as call:
            return call.returned(self.inner.head, int)

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect*, all or none, and return the new head."""
        with calling(self._plugin, f"appending behind entry {expect}") as call:
            head = call.returned(self.inner.append(entries, expect=expect, level=level), int)
        return self._counted(head, expect + len(entries), f"appending behind entry {expect}")

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect* and drop all before it, in one step."""
        with calling(self._plugin, f"compacting behind entry {expect}") as call:
            head = call.returned(self.inner.compact(snapshot, expect=expect), int)
        return self._counted(head, expect + 1, f"compacting behind entry {expect}")

    def _counted(self, head: int, due: int, doing: str) -> int:
        """Return the new head of the journal, which a store can't choose."""
        if head != due or isinstance(head, bool):
            raise self._plugin.blame(doing, f"it returned {head!r}, and the last entry is {due}")
        return head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*."""
        doing = f"reading behind entry {after}"
        with calling(self._plugin, doing):
            for number, entry in self.inner.read(after):
                if type(number) is not int or not isinstance(entry, bytes):
                    raise self._plugin.blame(doing, f"it gave {shown((number, entry))}")
                yield number, entry

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        callers: list[BaseException] = []

        def watched() -> Iterator[bytes]:
            try:
                yield from chunks
            except BaseException as error:
                callers.append(error)  # what the caller's chunks raise is no fault of the store
                raise

        passes = partial(_is_one_of, callers)
        with calling(self._plugin, "storing a blob", passes=passes) as call:
            return call.returned(self.inner.put_blob(watched(), ref=ref), str)

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        with calling(self._plugin, f"opening the blob {ref!r}"):
            return self.inner.open_blob(ref)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending."""
        with calling(self._plugin, f"opening the log {name!r}"):
            return _GuardedLog(self.inner.open_log(name), self._plugin)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*."""
        with calling(self._plugin, f"reading the log {name!r}"):
            return self.inner.read_log(name)

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        with calling(self._plugin, f"closing the session {self.inner.id!r}"):
            self.inner.close()

    def asked(self, doing: str, step: Callable[[], T]) -> T:
        """Return what an optional member of the plugin's storage gives."""
        with calling(self._plugin, doing):
            return super().asked(doing, step)

    def listed(self, doing: str, items: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what an optional member of the plugin's storage lists."""
        with calling(self._plugin, doing):
            yield from items()


def _is_one_of(errors: Sequence[BaseException], error: BaseException) -> bool:
    return any(error is known for known in errors)


class _GuardedLog(LogWrapper):
    def __init__(self, inner: LogWriter, plugin: Identity) -> None:
        super().__init__(inner)
        self._plugin: Final = plugin

    def write(self, data: bytes) -> None:
        with calling(self._plugin, "writing a log"):
            self.inner.write(data)

    def flush(self) -> None:
        with calling(self._plugin, "flushing a log"):
            self.inner.flush()

    def seal(self, *, ref: str | None = None) -> str:
        with calling(self._plugin, "sealing a log") as call:
            return call.returned(self.inner.seal(ref=ref), str)

    def discard(self) -> None:
        with calling(self._plugin, "dropping a log"):
            self.inner.discard()
