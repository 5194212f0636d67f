"""One session in a bucket, open for reading or for writing."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import (
    CorruptSessionError,
    StaleWriterError,
    StorageError,
)
from holdall.stores import checked_blob, digest_of, file_of, is_compacted, is_repeated
from holdall_plugins.stores.objects.blobs import (
    Upload,
    blob_key,
    keys_of_blob,
    leftovers,
    opened_blob,
)
from holdall_plugins.stores.objects.ends import Ends, ends_of, put_ends
from holdall_plugins.stores.objects.logs import ObjectLog, bytes_of, names_of_logs
from holdall_plugins.stores.objects.records import Header, joined, packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.contracts import Level, LogWriter, Repository
    from holdall.stores import Handle
    from holdall_plugins.stores.objects.bucket import Bucket
    from holdall_plugins.stores.objects.journal import Journal
    from holdall_plugins.stores.objects.lease import Lease

MANY: Final = 32
"""Objects from the last snapshot on that `close` leaves; of more it makes one."""

MEMORY: Final = 1 << 20
"""Bytes of entries that a handle keeps for its `close`."""

LARGEST: Final = 8 << 20
"""Bytes that `close` puts together, and keeps in memory for it."""


class ObjectStorage:
    """One session of a bucket; what is acknowledged is an object that a server has."""

    def __init__(
        self, bucket: Bucket, journal: Journal, handle: Handle, lease: Lease | None = None
    ) -> None:
        self._bucket = bucket
        self._journal = journal
        self._place = journal.place
        self._handle = handle
        self._lease = lease
        self._ends = Ends()
        self._remembered = 0
        self._all: list[bytes] | None = None
        """All entries, if this handle wrote them and they are few: `close` need not read them."""
        if lease is not None:
            lease.keep(journal.is_writer)

    @property
    def id(self) -> str:
        """The session's id."""
        return self._handle.session_id

    @property
    def where(self) -> str:
        """The bucket and the prefix."""
        return self._handle.where

    @property
    def repository(self) -> Repository:
        """The repository that opened it."""
        return self._handle.repository

    @property
    def head(self) -> int:
        """Number of the last entry, one less than the first if there is none."""
        self._handle.check()
        return self._journal.head()

    def expect_ends(self, *, is_listed: bool, is_current: bool) -> None:
        """Know of the object with the ends, whether it is there and says what there is."""
        self._ends = Ends(is_listed=is_listed, is_current=is_current)

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        """Store *entries* behind entry *expect* by one request; durable on return at any level."""
        del level
        with self._handle.writing("append entries"):
            head = self._journal.head()
            if expect != head or not entries:
                self._journal.check_writer()
                if not is_repeated(self, entries, expect=expect):
                    raise StaleWriterError(self.id, expect, head)
                return head
            was_empty, is_first = self._journal.is_empty, not self._ends.is_listed
            try:
                payload = joined(entries)
                self._journal.commit("batch", payload, "append entries to", count=len(entries))
            except StaleWriterError:
                raise StaleWriterError(self.id, expect, head) from None
            self._ends = self._ends.followed_by(entries, is_first=was_empty)
            self._remember(entries, was_empty=was_empty)
            if is_first:
                # From now on it is listed among the sessions that have entries.
                with suppress(StorageError):
                    put_ends(self._bucket, self._place, None, self._journal.tail)
            return self._journal.head()

    def _remember(self, entries: Sequence[bytes], *, was_empty: bool) -> None:
        known = [] if was_empty else self._all
        if known is not None:
            known.extend(entries)
            self._remembered = sum(map(len, entries)) + (0 if was_empty else self._remembered)
            if self._remembered > MEMORY:
                known = None
        self._all = known

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        """Put *snapshot* beside the journal, read it back, and let reading begin with it."""
        with self._handle.writing("compact entries"):
            head = self._journal.head()
            if expect != head:
                self._journal.check_writer()
                if not is_compacted(self, snapshot, expect=expect):
                    raise StaleWriterError(self.id, expect, head)
                return head
            try:
                self._replace_all([snapshot], first=expect + 1)
            except StaleWriterError:
                raise StaleWriterError(self.id, expect, head) from None
            self._ends = Ends.of([snapshot], is_listed=self._ends.is_listed)
            self._remember([snapshot], was_empty=True)
            return self._journal.head()

    def _replace_all(self, entries: Sequence[bytes], *, first: int) -> None:
        """Let reading begin with *entries*: a snapshot, or all that there is, put together."""
        tail = self._journal.tail
        pack = Header(
            kind="pack",
            session=self._place.name,
            first=first,
            count=len(entries),
            nonce=secrets.token_hex(8),
        )
        key = f"{self._place.beside}/pack-{tail.following:020d}-{pack.nonce}"
        data = packed(pack, joined(entries))
        doing = "compact entries of"
        self._bucket.put(key, data, doing)
        if self._bucket.get(key, doing) != data:
            raise self._journal.damaged(key, "what was written reads back differently")
        at, count = tail.following, len(entries)
        self._journal.commit("snapshot", b"", doing, first=first, count=count, start=at, pack=key)
        with suppress(StorageError):  # the next writer sweeps what stays
            self.sweep()

    def sweep(self) -> None:
        """Delete what is older than the last snapshot, and what came to nothing beside it.

        Fences of writers that may be alive stay: see `journal`.
        """
        tail, place = self._journal.tail, self._place
        kept = {place.batch(at) for at in tail.standing}
        doing = "sweep a session of"
        stale = []
        for stored in self._bucket.list(place.journal, doing):
            if stored.key >= place.batch(tail.start):
                break
            if stored.key not in kept:
                stale.append(stored.key)
        beside = [stored.key for stored in self._bucket.list(place.beside, doing)]
        start = f"{place.beside}/pack-"
        stale += [key for key in beside if key.startswith(start) and key != tail.pack]
        stale += leftovers(self._bucket, place, beside)
        self._bucket.delete(stale, doing)

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*.

        Raises:
            StorageAccessError: The writer compacted entries that were not read yet.
        """
        self._handle.check()
        return self._journal.read(after)

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        """Store bytes and return `sha256:...`, durable on return."""
        with self._handle.writing("store a blob"):
            if ref is not None:
                digest_of(ref, session_id=self.id)
            upload = Upload(self._bucket, self._place)
            try:
                for chunk in chunks:
                    upload.write(chunk)
                stored = upload.finish(ref, session_id=self.id)
            except BaseException:
                upload.abandon()
                raise
            self._journal.check_writer()
            return stored

    def open_blob(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        self._handle.check()
        digest_of(ref, session_id=self.id)
        self._check_exists()
        actual, chunks = opened_blob(self._bucket, self._place, ref, self.id)
        return checked_blob(chunks, actual, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        """Return the live log *name* for appending, a new one or what a crash left of one."""
        with self._handle.writing("write a log"):
            return ObjectLog(self._bucket, self._journal, self._handle, name)

    def read_log(self, name: str) -> BinaryIO:
        """Return what was flushed of the live log *name*: nothing if there is no such log."""
        self._handle.check()
        self._check_exists()
        return file_of(bytes_of(self._bucket, self._place, self.id, name))

    def blobs(self) -> Iterator[str]:
        """Yield the refs of the blobs that are stored."""
        self._handle.check()
        listing = self._bucket.list(self._place.blobs, "list blobs of")
        return (f"sha256:{stored.key.rpartition('/')[2]}" for stored in listing)

    def logs(self) -> Iterator[str]:
        """Yield the names of the live logs."""
        self._handle.check()
        return names_of_logs(self._bucket, self._place)

    def drop(self, ref: str) -> None:
        """Drop a blob that no entry names."""
        with self._handle.writing("drop a blob"):
            key = blob_key(self._place, ref, self.id)
            self._journal.check_writer()
            for each in keys_of_blob(self._bucket, self._place, key):
                self._bucket.delete([each], "drop a blob from")

    def close(self) -> None:
        """Let go of the session; calling it again does nothing."""
        if self._handle.is_closed:
            return
        if not self._handle.is_inherited and self._lease is not None:
            with suppress(StorageError):  # what is not said at the end is read by listings
                self._conclude()
            self._lease.end()
        self._handle.is_closed = True

    def _conclude(self) -> None:
        """Put many small objects together, and say what the session begins and ends with."""
        if self._ends.is_current or self._journal.is_empty:
            return
        self._handle.check()
        self._journal.check_writer()
        objects = self._journal.look(is_whole=True).objects
        if len(objects) > MANY and sum(each.size for each in objects) <= LARGEST:
            entries = self._all or [entry for _, entry in self._journal.read(0)]
            self._replace_all(entries, first=self._journal.head() + 1 - len(entries))
        ends = self._ends.known() or ends_of(self._journal)
        put_ends(self._bucket, self._place, ends, self._journal.tail)

    def _check_exists(self) -> None:
        if self._handle.mode == "r":
            with suppress(CorruptSessionError):  # of entries, which nobody asks for here
                self._journal.look()
