"""A job's log as runs of text with the names of their colours, cut in the middle if long."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Final

from holdall.languages import ENGLISH
from holdall.writing import (
    Gap,
    cut_middle,
    html_text,
    split_room,
    stream_runs,
    strip_escapes,
    text_mark,
)
from holdall_exporters.html.terminal import is_overwritten, overwritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.languages import Catalog
    from holdall.results import IOLogRecord

Run = str | tuple[str, str]
"""Plain text, or class names with the text they are for."""

CUT: Final = "cut"
"""The class of the mark where text was left out."""

_TAIL_LINES: Final = 5  # of a failure that are read without a click
_TAIL_LENGTH: Final = 1000  # characters of them at most
_DECODER: Final = getincrementaldecoder("utf-8")
_WANTS_CARE: Final = re.compile(r"[\x08\r\x1b\x80-\x9f]")
_SGR: Final = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]{0,256})m")

# Attributes that are on until one of the second set comes.
_ON: Final = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike"}
_OFF: Final = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 29: ("strike",)}


def coloured(
    records: Iterable[IOLogRecord], *, limit: int, catalog: Catalog = ENGLISH
) -> list[Run]:
    """Return a log as at most *limit* characters of text; what is cut is said in its place.

    The classes are `f0` to `f15` for a colour, `b0` to `b15` for a background,
    `bold`, `dim`, `italic`, `underline`, `strike`, and `err` for the error stream.
    """
    styles = {"stdout": _Style(), "stderr": _Style("err")}
    head: list[tuple[str, str]] = []
    tail: list[tuple[str, str]] = []
    mark: list[Run] = []
    for part in cut_middle(_decoded(records), *split_room(limit)):
        if isinstance(part, Gap):
            mark.append((CUT, text_mark(part.size, catalog)))
        else:
            (tail if mark else head).append(part)
    return [*_runs(head, styles), *mark, *_runs(tail, styles)]


def plain_runs(records: Sequence[IOLogRecord], limit: int) -> list[Run] | None:
    """Return what `coloured` does, in less time, of a log in which nothing wants its care.

    None stands for one that has escapes or returns, is not UTF-8 or exceeds *limit*.
    """
    runs: list[Run] = []
    room = limit
    for stream, group in groupby(records, key=attrgetter("stream")):
        try:
            text = b"".join(map(attrgetter("data"), group)).decode()
        except UnicodeDecodeError:
            return None
        room -= len(text)
        if room < 0 or _WANTS_CARE.search(text):
            return None
        if text:
            shown = html_text(text)
            runs.append(("err", shown) if stream == "stderr" else shown)
    return runs


def _decoded(records: Iterable[IOLogRecord]) -> Iterator[tuple[str, str]]:
    """Yield stream and text; characters cut by a record are whole."""
    decoders = {stream: _DECODER("backslashreplace") for stream in ("stdout", "stderr")}
    for stream, data in stream_runs(records):
        yield stream, decoders[stream].decode(data)
    for name, decoder in decoders.items():
        yield name, decoder.decode(b"", final=True)


class _Style:
    """The attributes that are on in one stream."""

    def __init__(self, always: str = "") -> None:
        self._always = always
        self._on: dict[str, str] = {}
        self.classes = always

    def _named(self) -> str:
        # On a background, a colour of the job's choice might not be readable.
        hidden = "colour" if "background" in self._on else ""
        names = [name for what, name in self._on.items() if what != hidden]
        return " ".join(filter(None, (self._always, *names)))

    def apply(self, parameters: str) -> None:
        codes = iter(_codes(parameters))
        for code in codes:
            if code == 0:
                self._on.clear()
            elif code in _ON:
                self._on[_ON[code]] = _ON[code]
            elif code in _OFF or code in {39, 49}:
                for name in _OFF.get(code, ("colour" if code == 39 else "background",)):
                    self._on.pop(name, None)
            else:
                self._colour(code, codes)
        self.classes = self._named()

    def _colour(self, code: int, codes: Iterator[int]) -> None:
        bright = 8 if code >= 90 else 0
        tens, unit = divmod(code - (60 if bright else 0), 10)
        number = _extended(codes) if unit == 8 and not bright else unit + bright
        if tens == 3 and number is not None and number < 16:
            self._on["colour"] = f"f{number}"
        elif tens == 4 and number is not None and number < 16:
            self._on["background"] = f"b{number}"


@lru_cache(maxsize=256)
def _codes(parameters: str) -> tuple[int, ...]:
    return tuple(int(code or 0) for code in re.split("[;:]", parameters) if len(code) < 6)


def _extended(codes: Iterator[int]) -> int | None:
    """Return the nearest of 16 colours to one of 256, or to red, green and blue."""
    match next(codes, None):
        case 5:
            number = next(codes, None)
            if number is None or number < 16:
                return number
            red, green, blue = _cube(number)
        case 2:
            red, green, blue = (next(codes, 0) for _ in range(3))
        case _:
            return None
    bits = (red > 95) | (green > 95) << 1 | (blue > 95) << 2
    return bits + 8 * (max(red, green, blue) > 191)


def _cube(number: int) -> tuple[int, int, int]:
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    number -= 16
    return number // 36 * 51, number // 6 % 6 * 51, number % 6 * 51


def _runs(pieces: list[tuple[str, str]], styles: dict[str, _Style]) -> Iterator[Run]:
    runs = _styled(pieces, styles)
    if is_overwritten("".join(map(itemgetter(1), pieces))):
        runs = overwritten(runs)
    for classes, text in runs:
        shown = html_text(strip_escapes(text))
        if shown:
            yield (classes, shown) if classes else shown


def _styled(
    pieces: Iterable[tuple[str, str]], styles: dict[str, _Style]
) -> Iterator[tuple[str, str]]:
    """Yield the text with its classes; other escape sequences are still in it."""
    for stream, group in groupby(pieces, key=itemgetter(0)):
        text = "".join(map(itemgetter(1), group))
        style = styles[stream]
        for number, part in enumerate(_SGR.split(text)):
            if number % 2:
                style.apply(part)
            elif part:
                yield style.classes, part


def less_coloured(runs: list[Run], most: int) -> list[Run]:
    """Return *runs* as at most *most* and a few: the colours of the earlier ones are gone."""
    if len(runs) <= most:
        return runs
    plain: list[Run] = []
    for is_cut, group in groupby(runs[:-most], key=lambda run: run[0] == CUT):
        texts = (run if isinstance(run, str) else run[1] for run in group)
        text = "".join(texts)
        plain.append((CUT, text) if is_cut else text)
    return plain + runs[-most:]


def split_tail(runs: list[Run]) -> tuple[list[Run], list[Run]]:
    """Return a log without its last lines, and those: five, if they are short."""
    text = "".join(run if isinstance(run, str) else run[1] for run in runs)
    end = len(text.rstrip())
    at = end
    for _ in range(_TAIL_LINES):
        at = text.rfind("\n", 0, at)
        if at < 0:
            break
    at = max(at + 1, end - _TAIL_LENGTH)
    head: list[Run] = []
    tail: list[Run] = []
    for run in runs:
        classes, piece = ("", run) if isinstance(run, str) else run
        first, rest = piece[:at] if at > 0 else "", piece[max(at, 0) :]
        at -= len(piece)
        if first:
            head.append((classes, first) if classes else first)
        if rest:
            tail.append((classes, rest) if classes else rest)
    return head, tail
