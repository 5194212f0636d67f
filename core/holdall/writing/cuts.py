"""Long texts and logs cut in their middle: a beginning stays, and more of the end.

A log tells last what went wrong, so its end gets three quarters of the room.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from holdall.languages import ENGLISH, grouped
from holdall.results import IOLogRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.languages import Catalog

Key = TypeVar("Key")
Data = TypeVar("Data", str, bytes)


@dataclass(frozen=True, slots=True)
class Gap:
    """What was left out: so many characters or bytes."""

    size: int


def split_room(room: int) -> tuple[int, int]:
    """Return how much of *room* goes to the beginning of what is cut, and how much to its end."""
    return room // 4, room - room // 4


def cut_middle(
    pieces: Iterable[tuple[Key, Data]], head: int, tail: int
) -> Iterator[tuple[Key, Data] | Gap]:
    """Yield the first *head* and the last *tail* characters or bytes, and the gap between them.

    No more than those of the end, and one piece, are held in memory. What fits has no gap.
    """
    waiting: deque[tuple[Key, Data]] = deque()
    held = left_out = 0
    for key, data in pieces:
        rest = data
        if head:
            begun, rest = data[:head], data[head:]
            if begun:
                yield key, begun
                head -= len(begun)
        if not rest:
            continue
        waiting.append((key, rest))
        held += len(rest)
        while waiting and held - len(waiting[0][1]) >= tail:
            _key, first = waiting.popleft()
            held -= len(first)
            left_out += len(first)
    if held > tail:
        key, first = waiting.popleft()
        waiting.appendleft((key, first[held - tail :]))
        left_out += held - tail
    if left_out:
        yield Gap(left_out)
    yield from waiting


def cut_text(pieces: Iterable[str], room: int) -> tuple[str, int, str]:
    """Return beginning and end of a text that has *room* characters, and how many lie between."""
    beginning: list[str] = []
    end: list[str] = []
    kept, left_out = beginning, 0
    for part in cut_middle((("", piece) for piece in pieces), *split_room(room)):
        if isinstance(part, Gap):
            kept, left_out = end, part.size
        else:
            kept.append(part[1])
    return "".join(beginning), left_out, "".join(end)


def text_mark(left_out: int, catalog: Catalog = ENGLISH) -> str:
    """Return the line that stands in a text for so many characters."""
    mark = catalog.ngettext(
        "[... {count} character left out ...]", "[... {count} characters left out ...]", left_out
    )
    return f"\n{mark.format(count=grouped(left_out, catalog))}\n"


def shortened(
    records: Iterable[IOLogRecord], head: int, tail: int, catalog: Catalog = ENGLISH
) -> Iterator[IOLogRecord]:
    """Yield the first *head* and the last *tail* bytes of a log, with a mark between them.

    The mark is in the stream that was written to before it.
    """
    before = IOLogRecord(0.0, "stdout", b"")
    for part in cut_middle(((record, record.data) for record in records), head, tail):
        if isinstance(part, Gap):
            yield before._replace(data=mark_of(part.size, catalog))
        else:
            before, data = part
            yield before if data is before.data else before._replace(data=data)


def mark_of(left_out: int, catalog: Catalog = ENGLISH) -> bytes:
    """Return the mark that replaces so many bytes of a log."""
    mark = catalog.gettext("[... {count} bytes of output left out]")
    return f"\n{mark.format(count=grouped(left_out, catalog))}\n".encode()


def dropped_mark(dropped: int, catalog: Catalog = ENGLISH) -> str:
    """Return the line behind a log of which so many bytes were never kept; nothing if none."""
    if not dropped:
        return ""
    mark = catalog.gettext("[... {count} bytes more were not kept]")
    return f"\n{mark.format(count=grouped(dropped, catalog))}\n"
