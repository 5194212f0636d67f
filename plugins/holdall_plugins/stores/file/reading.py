"""Reading a journal file: whole batches only, and whether its end is torn or damaged."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from codecs import getincrementaldecoder
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import CorruptSessionError, NewerFormatError
from holdall_plugins.stores.disk import READ, names_in
from holdall_plugins.stores.file.lines import FORMAT, parse_header, parse_line, stored_sum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall_plugins.stores.file.lock import End

_NAME: Final = re.compile(r"journal-\d{20}\.jsonl")
_CHUNK: Final = 1 << 18
_INDEX_STEP: Final = 1 << 16


class Spot(NamedTuple):
    """A position between two batches: the next one starts at *offset*."""

    number: int
    offset: int
    sum: int


class Batch(NamedTuple):
    """Entries that were appended together, and the spot behind them.

    The very last one may lack its newline: it is whole, and its writer may not be done.
    """

    entries: list[bytes]
    behind: Spot
    is_ended: bool


class JournalFile(NamedTuple):
    """One journal file, open for reading."""

    fd: int
    name: str
    start: Spot
    synced: int

    def batches(self, spot: Spot) -> Iterator[Batch]:
        """Yield the batches behind *spot*, up to the first that is not whole."""
        number, offset, total = spot
        entries: list[bytes] = []
        for raw, is_cut in _lines(self.fd, offset):
            line = parse_line(raw, total)
            # Torn or damaged: `damage_behind` decides which.
            if line is None:
                return
            entries.append(line.entry)
            number += 1
            offset += len(raw) + 1
            total = line.sum
            if not line.left:
                yield Batch(entries, Spot(number, offset, total), not is_cut)
                entries = []

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def line_behind(self, spot: Spot) -> int:
        """Return the number of the line, from 1, that starts at *spot*."""
        return spot.number - self.start.number + 2


def journal_name(first: int) -> str:
    """Return the name of the file whose first entry has number *first*."""
    return f"journal-{first:020d}.jsonl"


def is_journal(name: str) -> bool:
    """Whether a file of that name is a journal file."""
    return _NAME.fullmatch(name) is not None


def journal_names(folder: int) -> list[str]:
    """Return the names of a session's journal files, the one in force last."""
    return sorted(filter(is_journal, names_in(folder)))


def open_newest(folder: int, session_id: str, location: str) -> JournalFile | None:
    """Return the journal file that is in force, None if there is none.

    Raises:
        CorruptSessionError: Its header is not what was written there.
        NewerFormatError: A newer holdall wrote it.
    """
    while names := journal_names(folder):
        try:
            fd = os.open(names[-1], READ, dir_fd=folder)
        except FileNotFoundError:
            continue  # a compaction replaced it just now
        try:
            return _journal_file(fd, names[-1], session_id, f"{location}/{names[-1]}")
        except BaseException:
            os.close(fd)
            raise
    return None


def _journal_file(fd: int, name: str, session_id: str, location: str) -> JournalFile:
    line, is_cut = next(_lines(fd, 0), (b"", True))
    header = None if is_cut else parse_header(line)
    if header is None:
        raise CorruptSessionError(session_id, f"{location}, line 1", "it is no journal header")
    if header.format > FORMAT:
        raise NewerFormatError(session_id, header.format, FORMAT)
    if header.session != session_id or name != journal_name(header.first):
        reason = f"this is entry {header.first} and on of the session {header.session!r}"
        raise CorruptSessionError(session_id, f"{location}, line 1", reason)
    start = Spot(header.first - 1, len(line) + 1, int(header.sum, 16))
    return JournalFile(fd, name, start, header.synced)


def _lines(fd: int, offset: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines from *offset* on without their newlines, and whether that was missing."""
    begun: list[bytes] = []
    while chunk := os.pread(fd, _CHUNK, offset):
        offset += len(chunk)
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            yield b"".join(begun), False
            yield from ((line, False) for line in others[:-1])
            begun = others[-1:]
    if any(begun):
        yield b"".join(begun), True


def damage_behind(journal: JournalFile, spot: Spot, *, lost_power: bool) -> str:
    """Return why what stands behind *spot* can't be a batch that was cut short, or nothing.

    A write that was cut short leaves the beginning of its lines and nothing behind
    them. After the machine lost power, blocks that never reached the disk may also
    show as NULs. Neither is possible in what was synced before the file got its name.
    """
    due = spot.number + 1
    if due < journal.start.number + 1 + journal.synced:
        return f"entry {due} was synced before this file got its name, and is not whole"
    total: int | None = spot.sum
    left: int | None = None
    is_holed = False
    for count, (raw, is_cut) in enumerate(_lines(journal.fd, spot.offset)):
        if left == 0:
            return f"entry {due} or the next do not fit, and more follow"
        line = None if total is None else parse_line(raw, total)
        if lost_power and b"\0" in raw:
            is_holed = True
        elif line is None and not is_holed:
            if not is_cut or not _is_beginning(raw, total):
                return f"entry {due + count} does not fit its checksum"
        elif line is not None:
            if left is not None and line.left >= left:
                return f"entry {due + count} follows others that do not fit"
            left = line.left
        total = stored_sum(raw)
    return ""


def damage_since_closed(journal: JournalFile, spot: Spot, end: End | None, *, size: int) -> str:
    """Return how the journal, whole up to *spot*, differs from the *end* it was closed with."""
    # A reader may go on in a file that was replaced since by a compaction.
    if end is None or end.journal != journal.name or end.size == size:
        return ""
    if spot.number < end.entry:
        last = f"entry {spot.number}" if spot.number > journal.start.number else "its header"
        return f"it ends at {last}, and entry {end.entry} was there when it was closed"
    if size < end.size:
        return f"it has {size} bytes, and had {end.size} when it was closed"
    return f"it goes on behind entry {end.entry}, the last one when it was closed"


def _is_beginning(raw: bytes, total: int | None) -> bool:
    """Whether *raw*, the end of a file, may be the beginning of a line behind sum *total*."""
    if b"\0" in raw:
        return False
    if total is not None and parse_line(raw[:-1], total) is not None:
        return False  # a whole line, and something else in the place of its newline
    try:
        getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return False
    return True


class Index:
    """Spots of one journal file, 64 KiB apart, so that reading near its end is quick."""

    def __init__(self, journal: JournalFile) -> None:
        self.name = journal.name
        self.end = journal.start
        self._lock = Lock()  # threads read beside the one that writes
        self._numbers = [journal.start.number]
        self._spots = [journal.start]

    def note(self, spot: Spot) -> None:
        """Remember *spot*, for good if it is far enough behind the one before."""
        with self._lock:
            if spot.number > self.end.number:
                self.end = spot
            if spot.offset >= self._spots[-1].offset + _INDEX_STEP:
                self._numbers.append(spot.number)
                self._spots.append(spot)

    def before(self, number: int) -> Spot:
        """Return the nearest spot known with entry *number* + 1 behind it."""
        with self._lock:
            if number >= self.end.number:
                return self.end
            return self._spots[max(bisect_right(self._numbers, number) - 1, 0)]
