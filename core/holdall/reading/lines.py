"""Lines of text whose encoding nobody says, one at a time."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_LINE: Final = 16 * 2**20
"""Bytes that a line may have; what is longer is no file of lines."""

_BOMS: Final = {BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}


def text_lines(path: Path, *, errors: str = "strict") -> Iterator[tuple[int, str]]:
    """Yield each line with its number from 1 on, without its end (LF or CR LF).

    The text is UTF-8, or UTF-16 if it begins with the mark of it, as what PowerShell writes does.

    Args:
        errors: What becomes of other bytes, as `bytes.decode` takes it; `strict` refuses them.

    Raises:
        ValueError: A line is no such text, or longer than `LONGEST_LINE`; the message has
            its number.
    """
    with path.open("rb") as file:
        encoding = _BOMS.get(file.read(2))
        if encoding is None:
            file.seek(len(BOM_UTF8) if _begins(file, BOM_UTF8) else 0)
            yield from _utf8_lines(file, errors)
            return
        for number, line in enumerate(_lines(file, "\n".encode(encoding)), start=1):
            try:
                yield number, line.decode(encoding, errors).removesuffix("\r")
            except UnicodeDecodeError as error:
                raise _no_text(number, encoding, line, error) from error


def _utf8_lines(file: BinaryIO, errors: str) -> Iterator[tuple[int, str]]:
    """Yield lines as `text_lines` does; a file may have millions, so little is done for each."""
    pieces = iter(partial(file.readline, LONGEST_LINE + 1), b"")
    for number, line in enumerate(pieces, start=1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"line {number}: longer than {LONGEST_LINE} bytes")
        try:
            text = line.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise _no_text(number, "UTF-8", line, error) from error
        yield number, text.removesuffix("\n").removesuffix("\r")


def _no_text(number: int, encoding: str, line: bytes, error: UnicodeDecodeError) -> ValueError:
    byte, place = line[error.start], error.start + 1
    return ValueError(f"line {number}: not {encoding}: the byte 0x{byte:02x} at {place}")


def _begins(file: BinaryIO, mark: bytes) -> bool:
    file.seek(0)
    return file.read(len(mark)) == mark


def _lines(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield lines of UTF-16 without *end*, whose bytes may also stand across two characters."""
    number, line = 1, b""
    while piece := file.readline(LONGEST_LINE + 1 - len(line)):
        line += piece
        if len(line) > LONGEST_LINE:
            raise ValueError(f"line {number}: longer than {LONGEST_LINE} bytes")
        if piece.endswith(b"\n"):
            line += _rest_of_character(file, line, end)
        if line.endswith(end) and not len(line) % len(end):
            yield line[: -len(end)]
            number, line = number + 1, b""
    if line:
        yield line


def _rest_of_character(file: BinaryIO, line: bytes, end: bytes) -> bytes:
    """Return the second byte of a character of which *line* has the first."""
    return file.read(1) if len(line) % len(end) else b""
