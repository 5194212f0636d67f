"""Masking in a log that comes in pieces: a match is masked also where no piece holds it whole.

A `filter_view` hook that masks each record by itself would leak a secret that a
job wrote in two pieces; `masked_records` searches across them, in each stream and in
both as a reader of the report sees them, one after the other.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

    from holdall.results import IOLogRecord

    Mask = Callable[[re.Match[str]], str]

LARGEST_MATCH: Final = 1 << 16
"""Characters that a match has at most; of a log so much is held back until more is known."""

_SEEN: Final = 256  # characters before, which an expression may look back at
_PIECE: Final = 1 << 16  # bytes of a record that are masked at a time
_DECODER: Final = getincrementaldecoder("utf-8")


class Span(NamedTuple):
    """A part of a text to be masked; `show` is called once, for what stands in its place."""

    start: int
    end: int
    show: Callable[[], str]


Find = Callable[[str], "Iterable[Span]"]
"""Gives the parts of a text to be masked, in order, none inside of another."""


Settled = Callable[[str], int]
"""Gives how many characters of a text no match that goes on behind it can have begun in."""


def _nothing(text: str) -> int:
    del text
    return 0


class _Waiting:
    """A record while it is searched.

    Attributes:
        searches: How many searches have not come to its end.
        cuts: What to mask of its text: start, end, and what to show if the mask begins here.
    """

    __slots__ = ("cuts", "record", "searches", "text")

    def __init__(self, record: IOLogRecord, text: str) -> None:
        self.record = record
        self.text = text
        self.searches = 0
        self.cuts: list[tuple[int, int, Callable[[], str] | None]] = []

    def parted(self, end: int) -> _Waiting:
        """Return what stands before *end* by itself, and keep the rest."""
        first = _Waiting(self.record, self.text[:end])
        first.cuts = [(start, min(to, end), show) for start, to, show in self.cuts if start < end]
        self.text = self.text[end:]
        self.cuts = [
            (max(0, start - end), to - end, show if start >= end else None)
            for start, to, show in self.cuts
            if to > end
        ]
        return first

    def masked(self) -> IOLogRecord:
        """Return the record with what was found in it masked."""
        if not self.cuts:
            return self.record._replace(data=self.text.encode("utf-8", "surrogateescape"))
        shown = []
        position = 0
        for start, end, show in sorted(self.cuts, key=lambda cut: (cut[0], cut[2] is None)):
            if start >= position:
                shown.append(self.text[position:start])
                if show is not None:
                    shown.append(show())
            position = max(position, end)
        shown.append(self.text[position:])
        return self.record._replace(data="".join(shown).encode("utf-8", "surrogateescape"))


class _Search:
    """Searches the text of a stream, or of both, and cuts what it finds out of the records."""

    def __init__(self, find: Find, hold: int) -> None:
        self._find = find
        self._hold = hold
        self._seen = ""
        self._texts: list[str] = []
        self._size = 0
        self._parts: deque[tuple[_Waiting, int, int]] = deque()  # record, from, how much

    def forked(self) -> _Search:
        """Return a search that goes on from here by itself."""
        other = _Search(self._find, self._hold)
        other._seen, other._texts, other._size = self._seen, list(self._texts), self._size
        other._parts = self._parts.copy()
        for waiting, _start, _size in self._parts:
            waiting.searches += 1
        return other

    def feed(self, waiting: _Waiting) -> bool:
        """Take the text of a record; return whether records may be done by that."""
        waiting.searches += 1
        self._texts.append(waiting.text)
        self._size += len(waiting.text)
        self._parts.append((waiting, 0, len(waiting.text)))
        is_due = self._size >= 4 * self._hold
        if is_due:
            self.advance()
        return is_due

    def advance(self) -> None:
        """Decide on all but the end, in which a match may have begun."""
        self.release(self._size - self._hold)

    def begun(self) -> list[_Waiting]:
        """Return the record that is decided on in part, if there is one."""
        return [waiting for waiting, begin, _size in [*self._parts][:1] if begin]

    def position_in(self, waiting: _Waiting) -> int:
        """Return how much of a record is decided on."""
        begins = (begin for other, begin, _size in self._parts if other is waiting)
        return next(begins, len(waiting.text))

    def drop_beginning(self, waiting: _Waiting, end: int) -> None:
        """Take *waiting* for a record that begins at *end*."""
        self._parts = deque(
            (other, begin - end if other is waiting else begin, size)
            for other, begin, size in self._parts
        )

    def flush(self, settled: Settled) -> None:
        """Decide on all that can be decided on now."""
        end = max(self._size - self._hold, settled("".join(self._texts)))
        if end > 0:
            self.release(end)

    def release(self, end: int | None = None) -> None:
        """Decide on what stands before *end*, or before a match that goes on behind it."""
        text = "".join((self._seen, *self._texts))
        start = len(self._seen)
        end = len(text) if end is None else max(0, end) + start
        spans = []
        # What was released before stays in front, where a lookbehind can see it.
        for span in self._find(text):
            if span.end <= start:
                continue
            if span.start >= end:
                break
            # More text may make this match longer, so it waits, unless the buffer begins with it.
            if span.end > end and span.start > start and end < len(text):
                end = span.start
                break
            end = max(end, span.end)
            spans.append(span._replace(start=max(start, span.start)))
        self._cut(spans, start, end)
        self._seen, rest = text[max(0, end - _SEEN) : end], text[end:]
        self._texts, self._size = [rest], len(rest)

    def _cut(self, spans: list[Span], position: int, end: int) -> None:
        """Hand *spans* to the records that their characters came with."""
        pending = deque(spans)
        parts = self._parts
        while parts and (position < end or not parts[0][2]):
            waiting, begin, size = parts.popleft()
            part = min(size, end - position)
            for span in pending:
                if span.start >= position + part:
                    break
                first, last = max(span.start, position), min(span.end, position + part)
                # A mask is shown where its match begins; other records only lose their part.
                show = span.show if first == span.start else None
                waiting.cuts.append((begin + first - position, begin + last - position, show))
            position += part
            while pending and pending[0].end <= position:
                pending.popleft()
            if part < size:
                parts.appendleft((waiting, begin + part, size - part))
            else:
                waiting.searches -= 1


class MaskedLog:
    """A log that is masked while it is written; `feed` and `finish` return what is decided on."""

    def __init__(
        self, find: Find, *, hold: int = LARGEST_MATCH, settled: Settled = _nothing
    ) -> None:
        self._find = find
        self._settled = settled
        self._hold = hold
        self._both = _Search(find, hold)
        self._streams: dict[str, _Search | None] = {}
        self._decoders = {name: _DECODER("surrogateescape") for name in ("stdout", "stderr")}
        self._last: dict[str, IOLogRecord] = {}
        self._waiting: list[_Waiting] = []

    def feed(self, record: IOLogRecord) -> list[IOLogRecord]:
        """Take the next record; return those of which everything is known."""
        is_due = False
        self._last[record.stream] = record
        # A record is known as a whole, so one that is larger than what is held back is parted.
        piece = min(_PIECE, self._hold)
        for start in range(0, len(record.data), piece):
            text = self._decoders[record.stream].decode(record.data[start : start + piece])
            is_due |= self._add(record, text)
        return self._done() if is_due else []

    def advance(self) -> list[IOLogRecord]:
        """Return what is known of the records, all but the end that may be part of a match."""
        for search in self._searches():
            search.flush(self._settled)
        self._part_records()
        return self._done()

    def finish(self) -> list[IOLogRecord]:
        """Return the rest of the log."""
        for stream, record in self._last.items():
            if rest := self._decoders[stream].decode(b"", final=True):
                self._add(record, rest)
        for search in self._searches():
            search.release()
        return self._done()

    def _searches(self) -> Iterator[_Search]:
        yield self._both
        yield from (search for search in self._streams.values() if search is not None)

    def _add(self, record: IOLogRecord, text: str) -> bool:
        waiting = _Waiting(record, text)
        self._waiting.append(waiting)
        stream = record.stream
        if stream not in self._streams:
            # The first stream is searched by itself only once there is another one.
            self._streams = {name: self._both.forked() for name in self._streams}
            self._streams[stream] = _Search(self._find, self._hold) if self._streams else None
        search = self._streams[stream]
        is_due = search is not None and search.feed(waiting)
        return self._both.feed(waiting) or is_due

    def _part_records(self) -> None:
        """Part the records that the searches have not come to the end of."""
        searches = [*self._searches()]
        begun = {id(waiting): waiting for search in searches for waiting in search.begun()}
        for waiting in begun.values():
            end = min(search.position_in(waiting) for search in searches)
            if end:
                self._waiting.insert(self._waiting.index(waiting), waiting.parted(end))
                for search in searches:
                    search.drop_beginning(waiting, end)

    def _done(self) -> list[IOLogRecord]:
        """Return the records that all searches have passed, in order."""
        done = [waiting.masked() for waiting in self._waiting if not waiting.searches]
        self._waiting = [waiting for waiting in self._waiting if waiting.searches]
        return [record for record in done if record.data]


def masked_log(records: Iterable[IOLogRecord], find: Find) -> Iterator[IOLogRecord]:
    """Yield *records* with what *find* finds masked, also what several of them hold.

    Records keep their order, unless one stream says nothing for long while the other goes on.
    """
    log = MaskedLog(find)
    for record in records:
        yield from log.feed(record)
    yield from log.finish()


def masked_records(
    records: Iterator[IOLogRecord], pattern: re.Pattern[str], mask: Mask
) -> Iterator[IOLogRecord]:
    """Yield *records* with each match of *pattern* masked, also one that several of them hold.

    Each stream is searched by itself, and both as they follow each other. Records keep their
    order, unless one stream says nothing for long while the other goes on.

    Args:
        pattern: Matches `LARGEST_MATCH` characters at most; it is searched in text,
            in which bytes that are not UTF-8 are lone surrogates.
        mask: Returns what is shown in place of a match; called once for each.
    """

    def find(text: str) -> Iterator[Span]:
        for match in pattern.finditer(text):
            start, end = match.span()
            yield Span(start, end, lambda match=match: mask(match))  # type: ignore[misc]

    return masked_log(records, find)
