"""A session that is written near, and shipped meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdall.errors import StaleWriterError, StorageError
from holdall.stores import LogWrapper, StorageWrapper, is_repeated, swept

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdall.contracts import Level, LogWriter, Repository, Storage
    from holdall_plugins.stores.tiered.shipping import Shipper


class TieredStorage(StorageWrapper):
    """The near session; what it acknowledges is told to the one who ships."""

    def __init__(
        self, inner: Storage, repository: Repository, *, shipper: Shipper, patience_s: float
    ) -> None:
        super().__init__(inner, repository)
        self._shipper: Final = shipper
        self._patience_s: Final = patience_s
        self._is_closed = False

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect* in the near store, all or none."""
        head = self.inner.append(entries, expect=expect, level=level)
        self._shipper.note(head, is_durable=level == "system")
        return head

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Make *snapshot* the entry behind *expect*, and drop all before it if that is far.

        As long as some of it is not, the snapshot is appended, and the entries stay.
        """
        if self.inner.head == expect:
            self.inner.append([], expect=expect)  # what waits to be synced is not shipped before
            if self._shipper.has_shipped(expect, within_s=self._patience_s):
                head = self.inner.compact(snapshot, expect=expect)
            else:
                head = self.inner.append([snapshot], expect=expect)
        else:
            head = self._repeated(snapshot, expect=expect)
        self._shipper.note(head, is_durable=True)
        return head

    def _repeated(self, snapshot: bytes, *, expect: int) -> int:
        try:
            return self.inner.compact(snapshot, expect=expect)
        except StaleWriterError:
            if not is_repeated(self.inner, [snapshot], expect=expect):
                raise
            return self.inner.append([snapshot], expect=expect)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes in the near store and return `sha256:...`, durable there on return."""
        stored = self.inner.put_blob(chunks, ref=ref)
        self._shipper.put(stored)
        return stored

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* of the near store; it is shipped when it is sealed."""
        return _TieredLog(self.inner.open_log(name), self._shipper)

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names from the near store."""
        swept(self.inner).drop(ref)
        self._shipper.dropped(ref)

    def close(self) -> None:
        """Ship what is left, for a limited time, and let go of the session."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._sync()
            self._shipper.close(within_s=self._patience_s)
        finally:
            self.inner.close()

    def _sync(self) -> None:
        """Make what was appended last durable near, so that it goes to the far store, too."""
        if self._shipper.waits_for_sync:
            with suppress(StorageError):  # then it is not shipped, which is told
                head = self.inner.append([], expect=self.inner.head)
                self._shipper.note(head, is_durable=True)


class _TieredLog(LogWrapper):
    def __init__(self, inner: LogWriter, shipper: Shipper) -> None:
        super().__init__(inner)
        self._shipper: Final = shipper

    def seal(self, *, ref: str | None = None) -> str:
        stored = self.inner.seal(ref=ref)
        self._shipper.put(stored)
        return stored
