"""Parts of a JSON document of any size, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import ijson  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_ITEM: Final = 32 * 2**20
"""Bytes that an item may have; what is longer would have to be kept in memory."""


# With smaller pieces a long string takes the square of its length.
_PIECE: Final = 256 * 1024


def json_items(path: Path, where: str) -> Iterator[Any]:
    """Yield each value of a JSON document that stands at *where*.

    Numbers are int or float. A document in which nothing stands there yields nothing.

    Args:
        where: Keys from the root on with dots between; `item` is each one of a list, as in
            `results.tests.item`. Empty for the whole document.

    Raises:
        ValueError: It is no JSON, or an item is longer than `LONGEST_ITEM`; the message says
            near which byte.
    """
    with path.open("rb") as file:
        measured = _Measured(file)
        try:
            for item in ijson.items(measured, where, use_float=True, buf_size=_PIECE):
                yield item
                measured.begin_item()
        except ijson.JSONError as error:
            reason = " ".join(str(error).split("\n")[0].split())
            raise ValueError(f"no JSON near byte {measured.position}: {reason}") from error
        except OverflowError as error:
            raise ValueError(f"near byte {measured.position}: {error}") from error


class _Measured:
    """A file that refuses to be read on where one item would be gathered without end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file: Final = file
        self._begun = 0

    @property
    def position(self) -> int:
        return self._file.tell()

    def begin_item(self) -> None:
        self._begun = self.position

    def read(self, size: int = -1) -> bytes:
        if self.position - self._begun > LONGEST_ITEM:
            raise ValueError(
                f"an item that begins at byte {self._begun} has more than {LONGEST_ITEM} bytes"
            )
        return self._file.read(size)
