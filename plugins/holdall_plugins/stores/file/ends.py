"""The two ends of a journal file, read with a few system calls, for listings of many sessions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdall.contracts import SessionEnds
from holdall_plugins.stores.disk import READ
from holdall_plugins.stores.file.lines import (
    FORMAT,
    header_line,
    parse_header,
    parse_line,
    stored_entry,
    stored_sum,
)
from holdall_plugins.stores.file.lock import NAME as LOCK
from holdall_plugins.stores.file.lock import end_when_closed
from holdall_plugins.stores.file.reading import is_journal, journal_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 4096
_MOST: Final = 1 << 24


def modified(folder: str, session_id: str) -> tuple[bool, int]:
    """Return what orders sessions by their last change: whether it has entries, and when it was.

    Where something is odd it is a guess: whoever wants to know reads the session.
    """
    try:
        status = os.lstat(f"{folder}/{journal_name(1)}")
    except OSError:
        try:
            status = os.lstat(f"{folder}/{_newest_name(folder)}")
        except OSError:
            return False, 0
    return status.st_size > len(header_line(session_id, 1)[0]), status.st_mtime_ns


def _newest_name(folder: str) -> str:
    return max(filter(is_journal, os.listdir(folder)), default="")


def read_ends(folder: str, session_id: str) -> SessionEnds:
    """Return the ends of the session in *folder*; whatever is odd is left to its readers."""
    unknown = SessionEnds(session_id, is_whole=False)
    try:
        if os.path.islink(folder):
            return unknown
        name = max(filter(is_journal, os.listdir(folder)))
        fd = os.open(f"{folder}/{name}", READ)
        try:
            end = end_when_closed(f"{folder}/{LOCK}")
            if end is not None and (end.journal, end.size) != (name, os.fstat(fd).st_size):
                return unknown
            return _ends(fd, name, session_id) or unknown
        finally:
            os.close(fd)
    except (OSError, ValueError):
        return unknown


def _ends(fd: int, name: str, session_id: str) -> SessionEnds | None:
    size = os.fstat(fd).st_size
    start = _first_lines(fd, size)
    header = parse_header(start[0])
    if header is None or header.format > FORMAT or header.session != session_id:
        return None
    if name != journal_name(header.first):
        return None
    if size == len(start[0]) + 1:
        return SessionEnds(session_id) if header.first == 1 and not header.synced else None
    first = parse_line(start[1], int(header.sum, 16))
    if first is None:
        return None
    if size == len(start[0]) + len(start[1]) + 2:
        return None if first.left else SessionEnds(session_id, first.entry, (first.entry,))
    before, raw = _last_lines(fd, size)
    last = parse_line(raw, stored_sum(before) or 0)
    if last is None or last.left:
        return None
    return SessionEnds(session_id, first.entry, (stored_entry(before), last.entry))


def _first_lines(fd: int, size: int) -> list[bytes]:
    """Return the first two lines without their newlines, the second one empty if there is none."""
    for length in _lengths(size):
        lines = os.pread(fd, length, 0).split(b"\n", 2)
        if len(lines) == 3:
            return lines[:2]
        if length >= size and len(lines) == 2:
            return lines
    raise ValueError("the first lines don't end")


def _last_lines(fd: int, size: int) -> tuple[bytes, bytes]:
    """Return the last two lines without their newlines."""
    for length in _lengths(size):
        lines = os.pread(fd, length, max(size - length, 0)).rsplit(b"\n", 3)
        if len(lines) == 4 and not lines[3]:
            return lines[1], lines[2]
        if length >= size and len(lines) == 3:
            break
    raise ValueError("the last line doesn't end")


def _lengths(size: int) -> Iterator[int]:
    # Most entries are short: one small read will do, and a few larger ones for the others.
    length = _CHUNK
    while True:
        yield length
        if length >= min(size, _MOST):
            return
        length *= 16
