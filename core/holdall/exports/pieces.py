"""Pieces of a report in larger ones, so that many small ones cost no more than they must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LARGE: Final = 1 << 16


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces* joined to some of at least 64 KiB, and what is left."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _LARGE:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
    if waiting:
        yield b"".join(waiting)
