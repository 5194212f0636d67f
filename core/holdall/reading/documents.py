"""Parts of a JSON document of any size, one at a time."""

from __future__ import annotations

from codecs import BOM_UTF8
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import ijson  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

DEEPEST: Final = 1000
"""In how many others a value may be."""
LONGEST_ITEM: Final = 32 * 2**20
"""Bytes that an item may have; what is longer would have to be kept in memory."""


_PIECE: Final = 256 * 1024
_SMALLEST: Final = 8 * 1024
_BEGINS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})


def json_items(path: Path, where: str, *, before: str = "") -> Iterator[Any]:
    """Yield each value of a JSON document that stands at *where*.

    Numbers are int or float. A document in which nothing stands there yields nothing.

    Args:
        where: Keys from the root on with dots between; `item` is each one of a list, as in
            `results.tests.item`. Empty for the whole document.
        before: Name of a member of the document; what stands behind its beginning is not read.

    Raises:
        ValueError: It is no JSON, an item is longer than `LONGEST_ITEM`, or a value is in more
            than `DEEPEST` others; the message says near which byte.
    """
    return _read(path, ijson.items, where, before)


def json_pairs(path: Path, where: str, *, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and value of each member of the object at *where*, as `json_items` does values.

    Raises:
        ValueError: As `json_items` does.
    """
    return _read(path, ijson.kvitems, where, before)


def _read(path: Path, reader: Any, where: str, before: str) -> Iterator[Any]:
    with _measured(path) as measured, _located(measured):
        for item in reader(_events(measured, where, before), where):
            yield item
            measured.begin_item()


def _events(measured: _Measured, where: str, before: str) -> Iterator[tuple[str, str, Any]]:
    """Yield what the parser finds; what stands elsewhere is not gathered, and may be long."""
    end = ("", "map_key", before) if before else None
    for event in _parsed(measured):
        if event == end:
            return
        if not event[0].startswith(where):
            measured.begin_item()
        yield event


@contextmanager
def _located(measured: _Measured) -> Iterator[None]:
    """Say near which byte something is wrong."""
    try:
        yield
    except ijson.JSONError as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise ValueError(f"no JSON near byte {measured.position}: {reason}") from error
    except OverflowError as error:
        raise ValueError(f"near byte {measured.position}: {error}") from error


def json_parts(
    path: Path, wanted: Callable[[str], bool], *, several: bool = False
) -> Iterator[tuple[tuple[int, ...], str, Any]]:
    """Yield the values of a JSON document that stand where *wanted* says, nested ones too.

    Each comes with its numbers in the lists around it, from 0 on, and with where it stands:
    keys from the root on with dots between, `item` for each one of a list. What is inside of a
    value that is wanted is not asked for.

    Args:
        several: Whether documents may stand one behind the other, as in a file of JSON lines;
            the number of the document is then the first one of each value.

    Raises:
        ValueError: As `json_items` does.
    """
    with _measured(path) as measured, _located(measured):
        yield from _parts(measured, wanted, several=several)


def _parts(
    measured: _Measured, wanted: Callable[[str], bool], *, several: bool
) -> Iterator[tuple[tuple[int, ...], str, Any]]:
    builder: ijson.ObjectBuilder | None = None
    where, depth = "", 0
    # How far each list is, None for an object; several documents are as the items of a list.
    around: list[int | None] = [-1] if several else []
    for prefix, event, value in _parsed(measured, several=several):
        begins, ends = event in _BEGINS, event in _ENDS
        if builder is None:
            if ends:
                around.pop()
                measured.begin_item()
                continue
            if event == "map_key":
                continue
            if around and around[-1] is not None:
                around[-1] += 1
            if not wanted(prefix):
                if begins:
                    around.append(-1 if event == "start_array" else None)
                continue
            builder, where = ijson.ObjectBuilder(), prefix
        builder.event(event, value)
        depth += begins - ends
        if not depth:
            yield tuple(number for number in around if number is not None), where, builder.value
            builder = None
            measured.begin_item()


@contextmanager
def _measured(path: Path) -> Iterator[_Measured]:
    """Open a document; a mark of the order of bytes in front is none of it."""
    with path.open("rb") as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:
            file.seek(0)
        yield _Measured(file)


def _parsed(measured: _Measured, *, several: bool = False) -> Iterator[tuple[str, str, Any]]:
    """Return what the parser finds, and where each stands."""
    options = {"use_float": True, "multiple_values": several, "buf_size": _PIECE}
    found = ijson.basic_parse(measured, **options)
    events: Iterator[tuple[str, str, Any]] = ijson.parse(_shallow(found, measured))
    return events


def _shallow(events: Iterable[tuple[str, Any]], measured: _Measured) -> Iterator[tuple[str, Any]]:
    """Refuse values in too many others: where each stands is as long as it is deep."""
    depth = 0
    for event in events:
        if event[0] in _BEGINS:
            depth += 1
            if depth > DEEPEST:
                place = f"near byte {measured.position}"
                raise ValueError(f"{place}: values are nested more than {DEEPEST} deep")
        elif event[0] in _ENDS:
            depth -= 1
        yield event


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
        if size <= 0:
            return self._file.read(size)
        # Small pieces, of which little is lost where the document breaks off; larger ones within
        # a long string, which the parser would otherwise copy for each.
        return self._file.read(max(_SMALLEST, min(size, (self.position - self._begun) // 4)))
