"""Parts of a JSON document of any size, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import ijson  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONGEST_ITEM: Final = 32 * 2**20
"""Bytes that an item may have; what is longer would have to be kept in memory."""


# With smaller pieces a long string takes the square of its length.
_PIECE: Final = 256 * 1024


_BEGINS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})


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


def json_parts(
    path: Path, wanted: Callable[[str], bool]
) -> Iterator[tuple[tuple[int, ...], str, Any]]:
    """Yield the values of a JSON document that stand where *wanted* says, nested ones too.

    Each comes with its numbers in the lists around it, from 0 on, and with where it stands:
    keys from the root on with dots between, `item` for each one of a list. What is inside of a
    value that is wanted is not asked for.

    Raises:
        ValueError: As `json_items` does.
    """
    with path.open("rb") as file:
        measured = _Measured(file)
        builder: ijson.ObjectBuilder | None = None
        where, depth, numbers = "", 0, list[int]()
        try:
            for prefix, event, value in ijson.parse(measured, use_float=True, buf_size=_PIECE):
                begins, ends = event in _BEGINS, event in _ENDS
                if builder is None:
                    if numbers and prefix.endswith("item") and not ends and event != "map_key":
                        numbers[-1] += 1
                    if event == "map_key" or ends or not wanted(prefix):
                        if event == "start_array":
                            numbers.append(-1)
                        elif event == "end_array":
                            numbers.pop()
                        continue
                    builder, where = ijson.ObjectBuilder(), prefix
                builder.event(event, value)
                depth += begins - ends
                if not depth:
                    yield tuple(numbers), where, builder.value
                    builder = None
                    measured.begin_item()
        except ijson.JSONError as error:
            reason = " ".join(str(error).split("\n")[0].split())
            raise ValueError(f"no JSON near byte {measured.position}: {reason}") from error


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
