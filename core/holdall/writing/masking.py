"""Masking in a log that comes in pieces: a match is masked also where no piece holds it whole.

A `filter_view` hook that masks each record by itself would leak a secret that a
job wrote in two pieces; `masked_records` searches across them.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from holdall.results import IOLogRecord

    Mask = Callable[[re.Match[str]], str]

LARGEST_MATCH: Final = 1 << 16
"""Characters that a match has at most; of a log so much is held back until more is known."""

_SEEN: Final = 256  # characters before, which an expression may look back at
_DECODER: Final = getincrementaldecoder("utf-8")


class _Waiting:
    """A record while it is masked: how much of its text is pending, and the masked pieces."""

    __slots__ = ("done", "left", "record")

    def __init__(self, record: IOLogRecord, left: int) -> None:
        self.record = record
        self.left = left
        self.done: list[str] = []


class _StreamMasker:
    """Masks the text of one stream, and knows which record each part came with."""

    def __init__(self, pattern: re.Pattern[str], mask: Mask) -> None:
        self._pattern = pattern
        self._mask = mask
        self._decoder = _DECODER("surrogateescape")
        self._seen = ""
        self._texts: list[str] = []
        self._size = 0
        self._records: deque[_Waiting] = deque()

    def feed(self, record: IOLogRecord) -> _Waiting:
        text = self._decoder.decode(record.data)
        waiting = _Waiting(record, len(text))
        self._texts.append(text)
        self._size += len(text)
        self._records.append(waiting)
        if self._size >= 4 * LARGEST_MATCH:
            self._release(self._size - LARGEST_MATCH)
        return waiting

    def finish(self) -> None:
        rest = self._decoder.decode(b"", final=True)
        if rest and self._records:
            self._records[-1].left += len(rest)
            self._texts.append(rest)
            self._size += len(rest)
        self._release(self._size)

    def _release(self, end: int) -> None:
        """Mask what stands before *end*, or before a match that goes on behind it."""
        text = "".join((self._seen, *self._texts))
        position = start = len(self._seen)
        end += start
        # What was released before stays in front, where a lookbehind can see it.
        for match in self._pattern.finditer(text, start):
            if match.start() >= end:
                break
            # More text may make this match longer, so it waits, unless the buffer begins with it.
            if match.end() > end and match.start() > start and end < len(text):
                end = match.start()
                break
            self._give(text[position : match.start()], match.start() - position)
            self._give(self._mask(match), match.end() - match.start())
            position = match.end()
        end = max(end, position)
        self._give(text[position:end], end - position)
        self._seen, rest = text[max(0, end - _SEEN) : end], text[end:]
        self._texts, self._size = [rest], len(rest)

    def _give(self, shown: str, length: int) -> None:
        """Hand *shown* to the records that the next *length* characters came with."""
        # A mask is shown where its match begins; the other records only lose their part.
        whole = len(shown) != length
        while length and self._records:
            first = self._records[0]
            part = min(first.left, length)
            first.done.append(shown if whole else shown[:part])
            shown = "" if whole else shown[part:]
            first.left -= part
            length -= part
            if not first.left:
                self._records.popleft()


def masked_records(
    records: Iterator[IOLogRecord], pattern: re.Pattern[str], mask: Mask
) -> Iterator[IOLogRecord]:
    """Yield *records* with each match of *pattern* masked, also one that several of them hold.

    Each stream is searched on its own. Records keep their order, unless one
    stream says nothing for long while the other goes on.

    Args:
        pattern: Matches `LARGEST_MATCH` characters at most; it is searched in text,
            in which bytes that are not UTF-8 are lone surrogates.
        mask: Returns what is shown in place of a match; called once for each.
    """
    maskers = {stream: _StreamMasker(pattern, mask) for stream in ("stdout", "stderr")}
    queue: list[_Waiting] = []
    size = 0
    for record in records:
        queue.append(maskers[record.stream].feed(record))
        size += len(record.data)
        if size >= 4 * LARGEST_MATCH:
            yield from _ready(queue)
            queue = [waiting for waiting in queue if waiting.left]
            size = sum(waiting.left for waiting in queue) - 2 * LARGEST_MATCH
    for masker in maskers.values():
        masker.finish()
    yield from _ready(queue)


def _ready(queue: list[_Waiting]) -> Iterator[IOLogRecord]:
    """Yield what is done of each record."""
    for waiting in queue:
        data = "".join(waiting.done).encode("utf-8", "surrogateescape")
        waiting.done.clear()
        if data:
            yield waiting.record._replace(data=data)
