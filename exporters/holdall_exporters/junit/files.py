"""The file that cases are written to, and further ones where files have a limit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Protocol

    from holdall.contracts import Sink, SplitSink

    class Limits(Protocol):
        """The options that say how files are written; 0 is no limit."""

        @property
        def ascii(self) -> bool:
            """Whether what is not ASCII is written as references."""
            ...

        @property
        def max_cases(self) -> int:
            """Cases of a file at most."""
            ...

        @property
        def max_bytes(self) -> int:
            """Bytes of a file at most."""
            ...


_END: Final = b"</testsuites>\n"
_REFERENCE: Final = re.compile(rb"&#(\d{3,7});")


class Files:
    """The file that is being written, and the next ones when it is full.

    Attributes:
        is_first: Whether no other was written before.
        suites: The suites in it.
        cases: The cases in it.
        size: Its bytes.
    """

    def __init__(self, sink: SplitSink, limits: Limits) -> None:
        self._first = sink
        self._sink: Sink = sink
        self._encoding = b"US-ASCII" if limits.ascii else b"UTF-8"
        self._limits = limits
        self.is_first = True
        self.suites = self.cases = self.size = 0
        self._begin()

    def _begin(self) -> None:
        self.suites = self.cases = self.size = 0
        self.write(b'<?xml version="1.0" encoding="%b"?>\n<testsuites>\n' % self._encoding)

    @property
    def is_limited(self) -> bool:
        """Whether there may be other files."""
        return bool(self._limits.max_cases or self._limits.max_bytes)

    def has_room(self, cases: int, size: int) -> bool:
        """Whether a suite of so many cases and bytes still fits."""
        most_cases, most = self._limits.max_cases, self._limits.max_bytes
        return (not most_cases or self.cases + cases <= most_cases) and (
            not most or self.size + size + len(_END) <= most
        )

    def write(self, data: bytes) -> None:
        """Write *data*, with characters in place of references to them if they may be there."""
        if not self._limits.ascii:
            data = _REFERENCE.sub(lambda match: chr(int(match[1])).encode(), data)
        self.size += len(data)
        self._sink.write(data)

    def next(self) -> None:
        """Go on in another file."""
        self.write(_END)
        self.is_first = False
        self._sink = self._first.part()
        self._begin()

    def finish(self) -> tuple[str, ...]:
        """Close the last file; return the files of an earlier report that would be behind it."""
        self.write(_END)
        return self._first.end_parts() if self.is_limited else ()
