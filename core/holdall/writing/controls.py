"""Terminal escape sequences and control characters, taken out of texts and logs on demand."""

from __future__ import annotations

from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Final

from holdall.results import encodable
from holdall.view import ViewFilter
from holdall.writing.cleaning import EscapeStripper, strip_escapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.results import IOLogRecord, Stream
    from holdall.view import Location

_CONTROLS: Final = [*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)]
_TABLES: Final[Mapping[str, Mapping[int, str]]] = {
    "keep": {},
    "picture": {
        **{point: chr(0x2400 + point) for point in _CONTROLS if point < 0x20},
        **{point: f"\\x{point:02x}" for point in _CONTROLS if point > 0x7F},
        0x7F: "\u2421",
    },
    "escape": {point: f"\\x{point:02x}" for point in _CONTROLS},
    "replace": dict.fromkeys(_CONTROLS, "\ufffd"),
}
_DECODER: Final = getincrementaldecoder("utf-8")


class ControlFilter(ViewFilter):
    """Shows texts and logs without escape sequences, or without control characters.

    Tabs and the ends of lines stay. Bytes that are no UTF-8 stay what they are.
    """

    def __init__(self, *, ansi: str, control: str) -> None:
        self._strips = ansi == "strip"
        self._table = _TABLES[control]

    def text(self, text: str, location: Location) -> str:  # noqa: ARG002 - all texts alike
        """Return *text* without them."""
        if text.isprintable():
            return text
        return encodable((strip_escapes(text) if self._strips else text).translate(self._table))

    def log(self, records: Iterator[IOLogRecord], location: Location) -> Iterator[IOLogRecord]:  # noqa: ARG002
        """Yield the log without them."""
        streams: tuple[Stream, ...] = ("stdout", "stderr")
        decoders = {stream: _DECODER("surrogateescape") for stream in streams}
        strippers = {stream: EscapeStripper() for stream in decoders}
        last = None
        for record in records:
            last = record
            text = decoders[record.stream].decode(record.data)
            if self._strips:
                text = strippers[record.stream].feed(text)
            if text:
                yield record._replace(data=self._bytes(text))
        for stream, decoder in decoders.items():
            text = decoder.decode(b"", final=True)
            if self._strips:
                text = strippers[stream].feed(text) + strippers[stream].finish()
            if text and last is not None:
                yield last._replace(stream=stream, data=self._bytes(text))

    def _bytes(self, text: str) -> bytes:
        return text.translate(self._table).encode("utf-8", "surrogateescape")
