"""The journal of one session: read by anyone, written by the one that holds the lock."""

from __future__ import annotations

import logging
import os
import time
from contextlib import closing, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Final

from holdall.errors import CorruptSessionError, FailedStorageError, StorageError
from holdall_plugins.stores.disk import (
    APPEND,
    NEW,
    READ,
    TEMPORARY,
    names_in,
    opened,
    remove_quietly,
    sync_data,
    sync_folder,
    temporary_name,
    write_all,
)
from holdall_plugins.stores.file.delayed import DelayedSync
from holdall_plugins.stores.file.lines import encode_batch, header_line
from holdall_plugins.stores.file.lock import End, end_when_closed, may_have_lost_power
from holdall_plugins.stores.file.reading import (
    Index,
    Spot,
    damage_behind,
    damage_since_closed,
    journal_name,
    journal_names,
    open_newest,
)
from holdall_plugins.stores.os_errors import FULL, refusals, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Level
    from holdall.stores import Handle
    from holdall_plugins.stores.file.reachability import Reachability
    from holdall_plugins.stores.file.reading import Batch, JournalFile

_log: Final = logging.getLogger("holdall.stores.file")
SHARE: Final = "session-share"
_CHUNK: Final = 1 << 20
_BETWEEN_LOOKS_S: Final = 0.001
_AFTER_JOURNAL: Final = frozenset({"blobs", "io-logs", SHARE})
"""What is made only when the journal is there: a session that has one of them has begun."""


class JournalReader:
    """Reads the journal in *folder*, beside a writer that appends and compacts."""

    def __init__(self, folder: int, handle: Handle) -> None:
        self._folder = folder
        self._handle = handle
        self._index: Index | None = None

    @property
    def head(self) -> int:
        """Number of the last entry that is there now, one less than the first if none is."""
        journal = self._newest()
        if journal is None:
            return 0
        with closing(journal), refusals("read", self._handle.where):
            spot = self.index(journal).end
            for batch in self.batches(journal, spot):
                spot = batch.behind
            return spot.number

    def read(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after* that are there at the end of each batch."""
        journal = self._newest()
        if journal is None:
            return
        with closing(journal), refusals("read", self._handle.where):
            for batch in self.batches(journal, self.index(journal).before(after)):
                first = batch.behind.number - len(batch.entries) + 1
                skipped = max(after + 1 - first, 0)
                yield from enumerate(batch.entries[skipped:], start=first + skipped)
                self._handle.check()

    def batches(self, journal: JournalFile, spot: Spot) -> Iterator[Batch]:
        """Yield the batches behind *spot*.

        Raises:
            CorruptSessionError: What stands behind the last one is no torn end, or the
                session was closed with another end.
        """
        seen = None
        while True:
            index = self.index(journal)
            for batch in journal.batches(spot):
                spot = batch.behind
                if batch.is_ended:
                    index.note(spot)
                yield batch
            state = os.fstat(journal.fd)
            lost_power = may_have_lost_power(self._folder)
            reason = damage_behind(journal, spot, lost_power=lost_power) or damage_since_closed(
                journal, spot, end_when_closed(within=self._folder), size=state.st_size
            )
            if not reason:
                return
            # A writer may append between the two readings, or cut back a write that failed.
            # Damage is only what is still the same at another look, however often it takes.
            looked_at = (spot, reason, state.st_size, state.st_mtime_ns)
            if looked_at == seen:
                location = f"{self._handle.where}/{journal.name}, line {journal.line_behind(spot)}"
                raise CorruptSessionError(self._handle.session_id, location, reason)
            seen = looked_at
            time.sleep(_BETWEEN_LOOKS_S)

    def index(self, journal: JournalFile) -> Index:
        """Return what is known of *journal*; another file than before starts anew."""
        index = self._index  # other threads may read another file
        if index is None or index.name != journal.name:
            index = self._index = Index(journal)
        return index

    def _newest(self) -> JournalFile | None:
        with refusals("open", self._handle.where):
            return newest_journal(self._folder, self._handle, has_begun=self._index is not None)


def newest_journal(folder: int, handle: Handle, *, has_begun: bool = False) -> JournalFile | None:
    """Return the journal file that is in force, None if the session was only being made.

    Raises:
        CorruptSessionError: Its header is damaged, or there is none although the session began.
        NewerFormatError: A newer holdall wrote it.
    """
    journal = open_newest(folder, handle.session_id, handle.where)
    if journal is None and (has_begun or _AFTER_JOURNAL & set(names_in(folder))):
        # Looked for once more: it may have been put in place between the two listings.
        journal = open_newest(folder, handle.session_id, handle.where)
        if journal is None:
            raise CorruptSessionError(handle.session_id, handle.where, "its journal is gone")
    end = None if journal is None else end_when_closed(within=folder)
    if journal is None or end is None or journal.name == end.journal:
        return journal
    # A writer may have compacted and closed the session since the file was opened.
    opened_before = journal.name
    journal.close()
    journal = open_newest(folder, handle.session_id, handle.where)
    is_same = journal is not None and journal.name == opened_before
    if journal is not None and is_same and end_when_closed(within=folder) == end:
        journal.close()
        location = f"{handle.where}/{journal.name}"
        reason = f"it is not {end.journal}, which held the session when that was closed"
        raise CorruptSessionError(handle.session_id, location, reason)
    return journal


class JournalWriter:
    """Appends to the journal in *folder*, of which it is the only writer.

    Attributes:
        recovered: What was repaired when it was opened, nothing if all was well.
    """

    def __init__(
        self,
        folder: int,
        handle: Handle,
        reader: JournalReader,
        reachability: Reachability,
        first: int,
    ) -> None:
        self.recovered = ""
        self._reachability = reachability
        self._folder = folder
        self._handle = handle
        self._reader = reader
        self._lock = Lock()  # between what writes the file and the thread that syncs it later
        self._delayed = DelayedSync(self._lock, self._sync)
        self._fd, self._index = self._open(first)

    @property
    def head(self) -> int:
        """Number of the last entry, one less than the first if there is none."""
        return self._index.end.number

    @property
    def last(self) -> End:
        """What the journal ends with, for the note of the one that closes the session."""
        return End(self._index.name, self._index.end.number, self._index.end.offset)

    def append(self, entries: Sequence[bytes], level: Level) -> None:
        """Append a batch; durable on return, or a second later at the level `process`.

        Raises:
            StorageFullError: No room; the file ends where it did before.
            FailedStorageError: The outcome is unclear; the handle refuses all further work.
        """
        with self._lock, self._failing_if_cut("an append was interrupted"):
            self._handle.check()  # a delayed sync may have failed just now
            before = self._index.end
            data, total = encode_batch(entries, before.sum)
            try:
                write_all(self._fd, data)
            except OSError as error:
                raise self._cut_back(before, error) from error
            if level == "process":
                self._delayed.start()
            else:
                self._sync()
                self._delayed.cancel()
            behind = Spot(before.number + len(entries), before.offset + len(data), total)
            self._reachability.check(self._index.name, self._fd, size=behind.offset)
            # Only here: a batch counts once it is as durable as its level promises.
            self._index.note(behind)

    def compact(self, snapshot: bytes) -> None:
        """Put a file with *snapshot* as its only entry in the place of the present one.

        Raises:
            StorageFullError: No room for the new file; the present one stays.
            FailedStorageError: The outcome is unclear; the handle refuses all further work.
        """
        number = self.head + 1
        header, total = header_line(self._handle.session_id, number, begun=1)
        lines, _ = encode_batch([snapshot], total)
        with refusals("compact", self._handle.where):
            temporary = self._write_new(header + lines)
        with self._lock, self._failing_if_cut("a compaction was interrupted"):
            try:
                self._reachability.check_lock()
                self._put_in_place(temporary, number)
                fd, index = self._open(number)
                self._reachability.check(index.name, fd)
            except FailedStorageError:
                raise
            except (OSError, StorageError) as error:
                reason = f"a compaction may not be durable: {error}"
                raise self._handle.fail(reason) from error
            os.close(self._fd)
            self._fd, self._index = fd, index
            self._delayed.cancel()

    def sync_what_waits(self) -> None:
        """Sync what was appended at the level `process` and is not synced yet.

        Raises:
            FailedStorageError: It may not be durable; the handle refuses all further work.
        """
        with self._lock, self._failing_if_cut("a sync was interrupted"):
            self._handle.check()
            if self._delayed.cancel():
                self._sync()
            self._reachability.check(self._index.name, self._fd, size=self._index.end.offset)

    def close(self) -> None:
        """Close the file, synced if it is not yet.

        Raises:
            FailedStorageError: What was appended at the level `process` may not be durable.
        """
        if self._handle.is_inherited:  # with a lock that nobody in this process gives back
            os.close(self._fd)
            return
        with self._lock:
            try:
                if self._delayed.cancel() and not self._handle.failure:
                    self._sync()
            finally:
                os.close(self._fd)

    @contextmanager
    def _failing_if_cut(self, reason: str) -> Iterator[None]:
        """Refuse further work if what is inside is cut short by what is no error of storage."""
        try:
            yield
        except StorageError:
            raise
        except BaseException:
            self._handle.fail(reason)
            raise

    def _sync(self) -> None:
        try:
            sync_data(self._fd)
        except OSError as error:
            raise self._handle.fail(f"an append may not be durable: {error.strerror}") from error

    def _cut_back(self, before: Spot, error: OSError) -> StorageError:
        # A full disk leaves the file as it was but for the piece that is cut off here; what
        # any other error left in it is unknown.
        if error.errno in FULL:
            with suppress(OSError):
                os.ftruncate(self._fd, before.offset)
                return refused(error, "append to", self._handle.where)
        return self._handle.fail(f"an append failed: {error.strerror}")

    def _open(self, first: int) -> tuple[int, Index]:
        journal = newest_journal(self._folder, self._handle)
        if journal is None:
            header, _ = header_line(self._handle.session_id, first)
            self._put_in_place(self._write_new(header), first)
            # Opened like any other, so that a new file passes the same checks.
            return self._open(first)
        with closing(journal):
            index = self._reader.index(journal)
            end = index.end
            for batch in self._reader.batches(journal, end):
                end = batch.behind
            fd = os.open(journal.name, APPEND, dir_fd=self._folder)
        try:
            self._mend_end(fd, index, end)
            # What is built upon now may be new, or left by a writer that was killed before it
            # synced. Without the folder's sync a power cut can undo the rename.
            sync_folder(self._folder)
            sync_data(fd)
        except BaseException:
            os.close(fd)
            raise
        self._remove_leftovers()
        return fd, index

    def _write_new(self, data: bytes) -> str:
        """Return the name of a new file that holds *data*, synced and read back."""
        name = temporary_name()
        try:
            with opened(name, NEW, within=self._folder) as fd:
                write_all(fd, data)
                sync_data(fd)
            self._check_written(name, data)
        except BaseException:
            remove_quietly(name, within=self._folder)
            raise
        return name

    def _check_written(self, name: str, data: bytes) -> None:
        with opened(name, READ, within=self._folder) as fd:
            for start in range(0, len(data) + 1, _CHUNK):
                if os.pread(fd, _CHUNK, start) != data[start : start + _CHUNK]:
                    location = f"{self._handle.where}/{name}"
                    reason = "what was written reads back differently"
                    raise CorruptSessionError(self._handle.session_id, location, reason)

    def _put_in_place(self, temporary: str, first: int) -> None:
        here = self._folder
        os.rename(temporary, journal_name(first), src_dir_fd=here, dst_dir_fd=here)

    def _mend_end(self, fd: int, index: Index, end: Spot) -> None:
        extra = os.fstat(fd).st_size - end.offset
        if extra < -1:
            raise self._handle.fail("its journal is shorter than what was read of it")
        if extra < 0:
            write_all(fd, b"\n")
            index.note(end)
            self.recovered = f"the newline behind entry {end.number} was missing"
        elif extra:
            os.ftruncate(fd, end.offset)
            self.recovered = (
                f"{extra} bytes of a batch that was never acknowledged were cut off behind "
                f"entry {end.number}"
            )
        if extra:
            _log.warning("%s/%s: %s", self._handle.where, index.name, self.recovered)

    def _remove_leftovers(self) -> None:
        # Comes last: until the newest file is synced, an older one may be the only whole one.
        older = journal_names(self._folder)[:-1]
        unfinished = [name for name in names_in(self._folder) if name.startswith(TEMPORARY)]
        for name in (*older, *unfinished):
            remove_quietly(name, within=self._folder)
