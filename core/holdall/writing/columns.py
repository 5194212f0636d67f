"""Lines of text that keep to so many columns, as a terminal or a console shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import category, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOUR: Final = re.compile(r"\x1b\[[\d;]*m")
_WORDS: Final = re.compile(r"\s+|\S+")
_JOINER: Final = "\u200d"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)


def columns_of(text: str) -> int:
    """Return how many columns *text* takes at most; colours take none.

    East Asian wide characters take two (UAX #11). A combining character is counted as one,
    because not every terminal draws it over the character before it.
    """
    if text.isascii():
        return len(_COLOUR.sub("", text) if "\x1b" in text else text)
    return sum(1 + (east_asian_width(c) in "WF") for c in _COLOUR.sub("", text))


def wrapped(line: str, width: int, indent: str) -> Iterator[str]:
    """Yield *line* in lines of at most *width* columns, all but the first behind *indent*.

    It is broken at blanks, words that are longer than a line between two characters.
    A character that is wider than *width* alone is in a line of its own.
    """
    if len(indent) * 2 > width:
        indent = ""
    current, room, begun = "", width, ""
    for word in _WORDS.findall(line):
        size = columns_of(word)
        if size > room and word.isspace():
            yield current.rstrip()
            current, room, begun = indent, width - len(indent), indent
            continue
        if room < size <= width - len(indent) and current.strip():
            yield current.rstrip()
            current, room, begun = indent, width - len(indent), indent
        for part in (word,) if size <= room else _characters(word, width - len(indent)):
            if columns_of(part) > room and current != begun:
                yield current
                current, room, begun = indent, width - len(indent), indent
            if current != indent or not part.isspace():  # blanks at a break are dropped
                current += part
                room -= columns_of(part)
    if current.strip():
        yield current.rstrip()


def _characters(word: str, width: int) -> Iterator[str]:
    """Yield the characters of *word* as people count them: with what combines with them.

    Those that are wider than *width* come in parts.
    """
    start = 0
    for match in (*_COLOUR.finditer(word), None):
        for character in _plain_characters(word[start : match.start() if match else None]):
            yield from character if columns_of(character) > width else (character,)
        if match:
            yield match[0]
            start = match.end()


def _plain_characters(text: str) -> Iterator[str]:
    character = ""
    for point in text:
        if character and not (character.endswith(_JOINER) or _combines(point)):
            yield character
            character = ""
        character += point
    if character:
        yield character


def _combines(point: str) -> bool:
    return point == _JOINER or ord(point) in _SKIN_TONES or category(point)[0] == "M"
