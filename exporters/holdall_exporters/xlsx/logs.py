"""Logs in a sheet: in rows that a screen and a page can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall_exporters.xlsx.paper import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def rows_of(pieces: Iterable[str], *, width: int) -> Iterator[str]:
    """Yield the text of a log in parts for a row each, which a column of *width* shows whole."""
    waiting: list[str] = []
    room = MOST_LINES
    for line in _lines(pieces, width * MOST_LINES):
        takes = 1 + max(0, len(line) - 1) // width
        if takes > room:
            yield "\n".join(waiting)
            waiting, room = [], MOST_LINES
        waiting.append(line)
        room -= takes
    if waiting:
        yield "\n".join(waiting)


def _lines(pieces: Iterable[str], longest: int) -> Iterator[str]:
    """Yield the lines of a text; one that is longer than *longest* comes in several."""
    begun = ""
    for piece in pieces:
        *lines, begun = (begun + piece).split("\n")
        for line in lines:
            yield from _parts(line, longest)
        if len(begun) > longest:
            *whole, begun = _parts(begun, longest)
            yield from whole
    if begun:
        yield from _parts(begun, longest)


def _parts(line: str, longest: int) -> Iterator[str]:
    for start in range(0, max(len(line), 1), longest):
        yield line[start : start + longest]
