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
    """The characters of a line and their classes, and the column that is written next.

    Every step costs as much as it was written, however long the line is: what is erased in front
    is only counted.
    """

    def __init__(self) -> None:
        self.column = 0
        self._cells: list[tuple[str, str]] = []
        self._erased = 0  # so many of the first cells are blank, whatever they hold

    def write(self, classes: str, text: str) -> None:
        """Put *text* into the next columns; it has no escape sequences."""
        if not text:
            return
        end = self.column + len(text)
        if self.column < self._erased:
            behind = self._erased - end
            self._cells[end : self._erased] = [_BLANK] * behind
            self._erased = self.column
        self._cells[self.column : end] = [(classes, character) for character in text]
        self.column = end

    def erase(self, which: str) -> None:
        """Erase to the end of the line, to its beginning (1), or all of it (2)."""
        if which == "1":
            self._erased = max(self._erased, min(self.column + 1, len(self._cells)))
        else:
            del self._cells[self.column :]
            self._erased = len(self._cells) if which == "2" else min(self._erased, self.column)

    def runs(self) -> Iterator[tuple[str, str]]:
        """Yield what it is in the end."""
        self._cells[: self._erased] = [_BLANK] * self._erased
        while self._cells and self._cells[-1] is _BLANK:
            self._cells.pop()
        for classes, group in groupby(self._cells, key=lambda cell: cell[0]):
            yield classes, "".join(character for _, character in group)


_BLANK: Final = ("", " ")
