"""I/O logs as text: decoded, without terminal escapes, in pieces of bounded size."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from holdall.languages import N_
from holdall.writing.cleaning import EscapeStripper
from holdall.writing.cuts import shortened, split_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import ExportContext
    from holdall.results import IOLogRecord, Stream
    from holdall.view import AttemptView, JobView

LogChoice = Literal["none", "failed", "all"]
"""Whose logs a report holds: nobody's, those of jobs that failed or crashed, all."""

LOGS_CUT: Final = N_("logs cut")
"""What an `ExportReport` counts logs under that are not whole."""

BYTES_CUT: Final = N_("bytes of logs cut")
"""What it counts the bytes under that are missing of them."""

_PIECE: Final = 1 << 16
_HAS_C1: Final = re.compile(rb"\xc2[\x80-\x9f]")  # control characters that begin escapes too
_DECODER: Final = getincrementaldecoder("utf-8")


def wants_log(choice: LogChoice, of: JobView | AttemptView) -> bool:
    """Whether *choice* asks for the log of a job's last attempt, or of one, which wrote one."""
    if choice == "none" or not of.io_log_size:
        return False
    return choice == "all" or of.counts_as.failed


def is_cut(of: JobView | AttemptView, most: int) -> bool:
    """Whether `kept_log` leaves something out of a log."""
    return 0 < most < of.io_log_size


def kept_log(
    of: JobView | AttemptView, most: int, context: ExportContext
) -> Iterator[IOLogRecord]:
    """Return a log of which no more than *most* bytes are shown; 0 is no limit.

    What is left out of its middle has a mark there, and is counted in the `ExportReport`.
    """
    if not is_cut(of, most):
        return of.io_log()
    context.count(LOGS_CUT)
    context.count(BYTES_CUT, of.io_log_size - most)
    return shortened(of.io_log(), *split_room(most))


def log_text(records: Iterable[IOLogRecord]) -> Iterator[str]:
    r"""Yield the text of a log; bytes that are no UTF-8 become visible as ``\xNN``.

    The streams are decoded each on its own, so a character whose bytes come in
    two records is whole; a carriage return before a line feed is dropped.
    """
    rest = iter(records)
    while batch := _batch(rest):
        text = _plain(batch)
        if text is None:
            yield from _cleaned(chain(batch, rest))
            return
        if text:
            yield text


def _batch(records: Iterator[IOLogRecord]) -> list[IOLogRecord]:
    """Return the next records, of `_PIECE` bytes if there are as many."""
    batch: list[IOLogRecord] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.data)
        if size >= _PIECE:
            break
    return batch


def _plain(batch: list[IOLogRecord]) -> str | None:
    """Return the text of records that need nothing but decoding, as most do; None of others."""
    # A record that ends in ASCII ends no character early, so the streams need not be told apart.
    if not b"".join([record.data[-1:] for record in batch]).isascii():
        return None
    data = b"".join([record.data for record in batch])
    if b"\x1b" in data or b"\r" in data or _HAS_C1.search(data) or len(data) > 2 * _PIECE:
        return None
    return data.decode("utf-8", "backslashreplace")


def _cleaned(records: Iterable[IOLogRecord]) -> Iterator[str]:
    """Yield the text of records, of each stream on its own."""
    streams = {"stdout": _StreamText(), "stderr": _StreamText()}
    for name, data in stream_runs(records):
        text = streams[name].feed(data)
        if text:
            yield text
    for stream in streams.values():
        text = stream.finish()
        if text:
            yield text


def stream_runs(records: Iterable[IOLogRecord]) -> Iterator[tuple[Stream, bytes]]:
    """Yield stream and bytes of what was written to one stream in a row, in bounded pieces."""
    waiting: list[bytes] = []
    size = 0
    stream: Stream = "stdout"
    for record in records:
        if waiting and (record.stream != stream or size >= _PIECE):
            yield from _pieces(stream, b"".join(waiting))
            waiting.clear()
            size = 0
        stream = record.stream
        waiting.append(record.data)
        size += len(record.data)
    yield from _pieces(stream, b"".join(waiting))


def _pieces(stream: Stream, data: bytes) -> Iterator[tuple[Stream, bytes]]:
    for start in range(0, len(data), _PIECE):
        yield stream, data[start : start + _PIECE]


class _StreamText:
    """Turns the bytes of one stream into text, piece by piece."""

    __slots__ = ("_decoder", "_return", "_stripper")

    def __init__(self) -> None:
        self._decoder = _DECODER("backslashreplace")
        self._stripper = EscapeStripper()
        self._return = False

    def feed(self, data: bytes) -> str:
        return self._unreturned(self._stripper.feed(self._decoder.decode(data)), last=False)

    def finish(self) -> str:
        text = self._stripper.feed(self._decoder.decode(b"", final=True))
        return self._unreturned(text + self._stripper.finish(), last=True)

    def _unreturned(self, text: str, *, last: bool) -> str:
        """Return *text* with line ends as line feeds; a return at its end waits for the next."""
        if self._return:
            text = "\r" + text
        self._return = text.endswith("\r") and not last
        if self._return:
            text = text[:-1]
        return text.replace("\r\n", "\n")
