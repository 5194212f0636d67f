r"""Lines that were written over, as a terminal shows them in the end.

Programs draw progress with ``\r``, which leads back to the beginning of the line, ``\b``,
and sequences that erase the line or a part of it.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from holdall.writing import strip_escapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOVES: Final = re.compile(r"(\r|\n|\x08|(?:\x1b\[|\x9b)[0-2]?K)")
_OVERWRITES: Final = re.compile(r"\r(?!\n)|\x08|(?:\x1b\[|\x9b)[12]K")
_MARKS: Final = ("\r", "\x08", "1K", "2K")  # which most texts have none of


def is_overwritten(text: str) -> bool:
    """Whether *text* leads back within a line; the ends of lines of Windows don't."""
    return any(mark in text for mark in _MARKS) and _OVERWRITES.search(text) is not None


def overwritten(runs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield runs of the text that stays, each with the classes that it was written in."""
    line = _Line()
    for classes, text in runs:
        for number, part in enumerate(_MOVES.split(text)):
            if not number % 2:
                line.write(classes, strip_escapes(part))
            elif part == "\n":
                yield from line.runs()
                yield classes, part
                line = _Line()
            elif part == "\r":
                line.column = 0
            elif part == "\x08":
                line.column = max(0, line.column - 1)
            else:
                line.erase(part[-2])
    yield from line.runs()


class _Line:
    """The characters of a line and their classes, and the column that is written next."""

    def __init__(self) -> None:
        self.column = 0
        self._cells: list[tuple[str, str]] = []

    def write(self, classes: str, text: str) -> None:
        """Put *text* into the next columns; it has no escape sequences."""
        if not text:
            return
        cells = [(classes, character) for character in text]
        end = self.column + len(cells)
        if self.column > len(self._cells):
            self._cells += [("", " ")] * (self.column - len(self._cells))
        self._cells[self.column : end] = cells
        self.column = end

    def erase(self, which: str) -> None:
        """Erase to the end of the line, from its beginning (1), or all of it (2)."""
        end = self.column + 1 if which == "1" else len(self._cells)
        start = 0 if which in "12" else self.column
        blank = [("", " ")] * max(0, min(end, len(self._cells)) - start)
        self._cells[start:end] = blank if which == "1" else []

    def runs(self) -> Iterator[tuple[str, str]]:
        """Yield what it is in the end."""
        for classes, group in groupby(self._cells, key=lambda cell: cell[0]):
            yield classes, "".join(character for _, character in group)
