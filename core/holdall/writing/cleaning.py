r"""Text made safe for what reads it; nothing vanishes, what can't stay becomes visible.

Control characters become their pictures (`␛` for escape), what has no picture
becomes an escape that can be read (``\x9b``, ``\u202e``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdall.languages import ENGLISH, N_
from holdall.results import encodable
from holdall.writing.cuts import cut_text, split_room, text_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.languages import Catalog


CELL_LENGTH: Final = 32_767
"""UTF-16 units that fit in a cell of a spreadsheet."""

CELL_LINE_FEEDS: Final = 253
"""Line feeds that fit in one."""

CELLS_CUT: Final = N_("cells cut")
"""What an `ExportReport` counts cells under whose text did not fit."""


def xml_text(text: str) -> str:
    """Return *text* with only characters that XML 1.0 allows; it still wants escaping."""
    # Most text is printable but for its line feeds, and this is the quickest way to know.
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    return encodable(text).translate(_XML) if _NOT_XML.search(text) else text


def html_text(text: str) -> str:
    """Return *text* with only characters that HTML allows and that don't reorder others."""
    if text.isprintable():  # as in `xml_text`
        return text
    return _shown(text.replace("\r\n", "\n"))


def terminal_text(text: str) -> str:
    r"""Return *text* with no escape sequence and no control character but ``\n`` and ``\t``."""
    if text.isprintable() or text.replace("\n", "").isprintable():  # as in `xml_text`
        return text
    return _shown(strip_escapes(text).replace("\r\n", "\n"))


def line_text(text: str) -> str:
    """Return *text* as `terminal_text` does, in one line: each run of blanks is one space."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(terminal_text(text).split())


def cell_text(
    text: str, catalog: Catalog = ENGLISH, *, cut: Callable[[], object] | None = None
) -> str:
    """Return *text* as one cell of a spreadsheet holds it; what does not fit is visibly cut.

    Args:
        catalog: The language of the text that marks a cut.
        cut: Called if the text does not fit.
    """
    if text.isprintable() and len(text) <= CELL_LENGTH // 2 and "_x" not in text:
        return text
    return _cell(text, 0, "", catalog, cut)


def cell_of(
    pieces: Iterable[str], catalog: Catalog = ENGLISH, *, cut: Callable[[], object] | None = None
) -> str:
    """Return a text of any length as `cell_text` does; no more than a cell is held of it."""
    return _cell(*cut_text(pieces, CELL_LENGTH), catalog, cut)


def _cell(
    beginning: str,
    left_out: int,
    end: str,
    catalog: Catalog,
    cut: Callable[[], object] | None,
) -> str:
    """Return a text of which the middle may be gone already as a cell holds it."""
    beginning, end = (_shown(part.replace("\r\n", "\n")) for part in (beginning, end))
    escaped = _escaped(beginning)
    if not left_out and escaped.count("\n") <= CELL_LINE_FEEDS and _units(escaped) <= CELL_LENGTH:
        return escaped
    if cut is not None:
        cut()
    whole = len(beginning) + left_out + len(end)
    feeds, last_feeds = split_room(CELL_LINE_FEEDS - 2)
    units, last_units = split_room(CELL_LENGTH - len(text_mark(whole, catalog)))
    head = "\n".join(beginning.split("\n", feeds + 1)[: feeds + 1])[:units]
    # As long as nothing of a text was left out, its end is that of its beginning.
    lines = (end if left_out else beginning).rsplit("\n", last_feeds + 1)[-last_feeds - 1 :]
    tail = "\n".join(lines)[-last_units:]
    while (excess := _units(_escaped(head)) - units) > 0:
        head = head[: -((excess + 1) // 2)]
    while (excess := _units(_escaped(tail)) - last_units) > 0:
        tail = tail[(excess + 1) // 2 :]
    mark = text_mark(whole - len(head) - len(tail), catalog)
    return f"{_escaped(head)}{mark}{_escaped(tail)}"


def _escaped(text: str) -> str:
    return _ESCAPED_UNIT.sub("_x005F_", text)


def _shown(text: str) -> str:
    if text.isprintable() or text.replace("\n", "").isprintable():  # as in `xml_text`
        return text
    return encodable(text).translate(_TERMINAL) if _NOT_TERMINAL.search(text) else text


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _table(points: Iterable[int], keep: str) -> dict[int, str]:
    return {point: _visible(point) for point in points if chr(point) not in keep}


def _visible(point: int) -> str:
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\u2421"
    if point in {0xFFFE, 0xFFFF}:
        return "\ufffd"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"


_C0: Final = range(0x20)
_C1: Final = range(0x7F, 0xA0)
_BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_LINES: Final = (0x2028, 0x2029)
_NO_CHARACTERS: Final = (0xFFFE, 0xFFFF)

_XML: Final = _table((*_C0, *_NO_CHARACTERS), keep="\t\n\r")
_TERMINAL: Final = _table((*_C0, *_C1, *_BIDI, *_LINES, *_NO_CHARACTERS), keep="\t\n")

_SURROGATES: Final = "\ud800-\udfff"
_NOT_XML: Final = re.compile(f"[{re.escape(''.join(map(chr, _XML)))}{_SURROGATES}]")
_NOT_TERMINAL: Final = re.compile(f"[{re.escape(''.join(map(chr, _TERMINAL)))}{_SURROGATES}]")
_ESCAPED_UNIT: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


# A string but for its end. What begins another one ends it: else a text of nothing but beginnings
# would be searched for an end from each of them.
_STRING: Final = r"(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,4096}"

# A whole sequence: CSI; strings (OSC, DCS, SOS, PM, APC) with their end; both in ESC and C1 form;
# longer and two-character escapes. Last, the marks of sequences that never end, which would make
# a terminal listen. NEL is a C1 control too, but no mark of anything.
_SEQUENCE: Final = re.compile(
    r"(?=[\x1b\x80-\x9f])(?:"  # most characters begin none, and this is the quickest way to know
    r"(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}[@-~]"
    rf"|{_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{1,16}[0-~]"
    r"|\x1b[0-OQ-WYZ\\`-~]"
    r"|\x1b[\[\]PX^_]?|[\x80-\x84\x86-\x9f])"
)

# What may be the beginning of one, at the end of a piece.
_BEGUN: Final = re.compile(
    r"(?:"
    r"(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}"
    rf"|{_STRING}\x1b?"
    r"|\x1b[ -/]{0,16}"
    r")\Z"
)

_ANY: Final = re.compile(r"[\x1b\x80-\x84\x86-\x9f]")
_HAS_C1: Final = re.compile(r"[\x80-\x9f]")  # one range takes half as long as several


class EscapeStripper:
    """Takes escape sequences out of one stream of text, also ones cut by its pieces.

    Of a sequence that never ends only the introducer goes, so that a job can't
    hide what it prints behind one.
    """

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = ""

    def feed(self, text: str) -> str:
        """Return *text* without sequences; the beginning of one may be held back."""
        if self._begun:
            text, self._begun = self._begun + text, ""
        elif not _has_any(text):
            return text
        begun = _begun_at(text)
        if begun < len(text):
            text, self._begun = text[:begun], text[begun:]
        return _SEQUENCE.sub("", text)

    def finish(self) -> str:
        """Return what was held back, as text, and be ready for another stream."""
        text, self._begun = self._begun, ""
        return _SEQUENCE.sub("", text)


def strip_escapes(text: str) -> str:
    """Return *text* without terminal escape sequences."""
    return _SEQUENCE.sub("", text) if _has_any(text) else text


def escape_sequences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the terminal escape sequences of *text* begin and end."""
    if _has_any(text):
        yield from (match.span() for match in _SEQUENCE.finditer(text))


def _has_any(text: str) -> bool:
    """Whether there may be a mark of a sequence; in ASCII there is but one."""
    return "\x1b" in text or (not text.isascii() and _HAS_C1.search(text) is not None)


def _begun_at(text: str) -> int:
    """Return where the sequence that *text* ends in begins; its length if there is none."""
    for match in _ANY.finditer(text, max(0, len(text) - _LONGEST)):
        if _BEGUN.match(text, match.start()):
            return match.start()
    return len(text)


_LONGEST: Final = 4096 + 8
