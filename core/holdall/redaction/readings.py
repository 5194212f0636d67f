"""A text as a reader reads it: without colours and controls, escapes decoded."""

from __future__ import annotations

import re
from bisect import bisect_right
from html.entities import html5
from typing import TYPE_CHECKING, Final

from holdall.writing import escape_sequences, strip_escapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Edit = tuple[int, int, str]

_DEPTH: Final = 2
"""How often escapes are decoded: JSON in a string of JSON is common, more is not."""


class Reading:
    """A text, and for each part of it the location in the text that was written.

    Attributes:
        text: What is read. Most texts have nothing to be masked, so the locations are
            made out only when they are asked for.
    """

    __slots__ = ("_edits", "_parts", "_starts", "_written", "text")

    def __init__(
        self,
        text: str,
        written: Reading | None = None,
        edits: Callable[[], Iterable[Edit]] = tuple,
    ) -> None:
        self.text = text
        self._written = written
        self._edits = edits
        self._parts: list[tuple[int, int, int]] = []  # start here, start and end as written
        self._starts: list[int] = []

    def location(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from *start* to *end* were written."""
        if self._written is None:
            return start, end
        if not self._parts:
            self._parts = [*_parts(self._written.text, self._edits())]
            self._starts = [part[0] for part in self._parts]
        first, last = (bisect_right(self._starts, at) - 1 for at in (start, end - 1))
        part_start, part_from, _part_to = self._parts[first]
        begin = part_from + (start - part_start if self._is_plain(first) else 0)
        part_start, part_from, part_to = self._parts[last]
        finish = part_from + end - part_start if self._is_plain(last) else part_to
        return self._written.location(begin, finish)

    def _is_plain(self, number: int) -> bool:
        """Whether the part stands in the written text as it is."""
        behind = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.text)
        start, part_from, part_to = self._parts[number]
        return behind - start == part_to - part_from


def _parts(text: str, edits: Iterable[Edit]) -> Iterator[tuple[int, int, int]]:
    """Yield the parts that *text* has with *edits*: what stays, and what they put in."""
    size = position = 0
    for start, end, shown in (*edits, (len(text), len(text), "")):
        if start > position:
            yield size, position, start
            size += start - position
        if shown:
            yield size, start, end
            size += len(shown)
        position = end


def readings(text: str) -> Iterator[Reading]:
    """Yield *text* as it is, and in each other way in which it can be read."""
    written = Reading(text)
    yield written
    visible = _without_controls(written)
    if visible is not written:
        yield visible
    if "\b" in text:
        yield _overstruck(written)
    for _level in range(_DEPTH):
        decoded = _decoded(visible)
        if decoded is visible:
            return
        visible = _without_controls(decoded)
        yield visible


def without_controls(text: str) -> str:
    """Return *text* without escape sequences, and without characters that nobody sees."""
    return _CONTROLS.sub("", strip_escapes(text)) if _CONTROLS.search(text) else text


def _without_controls(reading: Reading) -> Reading:
    text = reading.text
    shown = without_controls(text)
    if shown is text:
        return reading
    return Reading(shown, reading, lambda: _controls(text))


def _controls(text: str, keep: str = "") -> Iterator[Edit]:
    controls = (match.span() for match in _CONTROLS.finditer(text) if match[0] not in keep)
    return ((start, end, "") for start, end in _apart(escape_sequences(text), controls))


def _apart(
    first: Iterable[tuple[int, int]], second: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield both in order, less those that begin inside of another one."""
    position = 0
    for start, end in sorted((*first, *second), key=lambda span: (span[0], -span[1])):
        if start >= position:
            yield start, end
            position = end


# Also what takes no room on a line; NUL stands between the letters of UTF-16.
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def _overstruck(written: Reading) -> Reading:
    """Return what is left on a terminal of a text with backspaces."""
    edits = [*_controls(written.text, keep="\b")]
    reading = Reading(_edited(written.text, edits), written, lambda: edits)
    text = reading.text
    kept: list[tuple[int, int]] = []
    for match in _BACKSPACES.finditer(text):
        start, end = match.span()
        if text[start] != "\b":
            kept.append((start, end))
            continue
        going = end - start
        while going and kept:
            first, last = kept.pop()
            if last - first > going:
                kept.append((first, last - going))
            going -= min(going, last - first)
    struck: list[Edit] = []
    position = 0
    for start, end in (*kept, (len(text), len(text))):
        if start > position:
            # What was written over belongs to the character in its place.
            behind = text[start : start + 1]
            struck.append((position, start + len(behind), behind))
        position = end
    return Reading(_edited(text, struck), reading, lambda: struck)


def _edited(text: str, edits: Iterable[Edit]) -> str:
    shown: list[str] = []
    position = 0
    for start, end, part in edits:
        shown += text[position:start], part
        position = end
    return "".join((*shown, text[position:]))


_BACKSPACES: Final = re.compile("\b+|[^\b]+")


def _decoded(reading: Reading) -> Reading:
    """Return the reading with escapes of URLs, of JSON and programs, and of HTML decoded."""
    text = reading.text
    if not any(mark in text for mark in _MARKS):
        return reading
    shown = _ESCAPES.sub(_unescaped, text)
    if shown == text:
        return reading
    return Reading(
        shown,
        reading,
        lambda: (
            (match.start(), match.end(), _unescaped(match)) for match in _ESCAPES.finditer(text)
        ),
    )


_MARKS: Final = ("%", "\\", "&", *map(chr, range(0x2400, 0x2420)))
_ESCAPES: Final = re.compile(
    "(?=[%\\\\&\u2400-\u241f])(?:"  # the quickest way to pass over what is none
    r"(?P<percent>(?:%[0-9A-Fa-f]{2}){1,256})"
    r"|(?P<bytes>(?:\\x[0-9A-Fa-f]{2}){1,256})"
    r"|(?P<octal>(?:\\[0-3][0-7]{2}){1,256})"
    r"|(?P<unit>(?:\\u[0-9A-Fa-f]{4}){1,256})"
    r"|\\u\{(?P<point>[0-9A-Fa-f]{1,6})\}"
    r"|\\U(?P<long>[0-9A-Fa-f]{8})"
    r"|\\(?P<letter>[^\n])"
    r"|&#(?P<decimal>[0-9]{1,9});?"
    r"|&#[xX](?P<hex>[0-9A-Fa-f]{1,8});?"
    r"|&(?P<name>[A-Za-z][A-Za-z0-9]{1,31};)"
    "|(?P<picture>[\u2400-\u241f]))"
)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "e": "\x1b", "0": "\0"}


def _unescaped(match: re.Match[str]) -> str:
    text = match[0]
    match match.lastgroup:
        case "percent":
            return _text_of(bytes.fromhex(text.replace("%", "")))
        case "bytes":
            return _text_of(bytes.fromhex(text.replace("\\x", "")))
        case "octal":
            return _text_of(bytes(int(part, 8) for part in text.split("\\")[1:]))
        case "unit":
            data = bytes.fromhex(text.replace("\\u", ""))
            return data.decode("utf-16-be", "surrogatepass")
        case "letter":
            return _LETTERS.get(text[1], text[1])
        case "name":
            return html5.get(text[1:], text)
        case "picture":
            return chr(ord(text) - 0x2400)
        case "decimal":
            return _character(int(match["decimal"])) or text
        case _:
            digits = match["point"] or match["long"] or match["hex"]
            return _character(int(digits, 16)) or text


def _character(point: int) -> str:
    return chr(point) if point <= 0x10FFFF else ""


def _text_of(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
