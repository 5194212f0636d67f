"""Files that were packed by gzip, bzip2 or xz: what is in them, up to a limit."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PACKINGS: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_FAULTS: Final = (EOFError, OSError, zlib.error, lzma.LZMAError)
_PIECE: Final = 64 * 1024
_RATIO: Final = 100


def packing_of(head: bytes) -> str:
    """Return `gzip`, `bzip2` or `xz` for what begins so, and nothing for anything else."""
    return next((name for mark, name in _PACKINGS.items() if head.startswith(mark)), "")


class Unpacking:
    """What is in a packed file, read once from its beginning.

    Args:
        path: The file.
        limit: Bytes that it may have whatever the size of the file; otherwise a hundred times
            that size. A few bytes fill no disk.
    """

    def __init__(self, path: Path, *, limit: int = 2**30) -> None:
        with path.open("rb") as file:
            self._packing: Final = packing_of(file.read(8))
        self._most: Final = max(limit, _RATIO * path.stat().st_size)
        self._file: Final = _opened(path, self._packing)
        self._size = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, none at the end.

        Raises:
            ValueError: The file is cut off, damaged, or holds more than it may.
        """
        try:
            piece = self._file.read(size)
        except _FAULTS as error:
            raise ValueError(
                f"what {self._packing} packed is damaged behind {self._size} bytes: {error}"
            ) from error
        self._size += len(piece)
        if self._size > self._most:
            raise ValueError(
                f"it unpacks to more than {self._most} bytes, which is more than a hundred times "
                "its size; if you trust it, unpack it before"
            )
        return piece

    def pieces(self) -> Iterator[bytes]:
        """Yield the rest; raises as `read` does."""
        while piece := self.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _opened(path: Path, packing: str) -> BinaryIO:
    if packing == "gzip":
        return cast("BinaryIO", gzip.open(path))
    if packing == "bzip2":
        return cast("BinaryIO", bz2.open(path))
    if packing == "xz":
        return cast("BinaryIO", lzma.open(path))
    raise ValueError(f"{path.name!r} is packed by none of {', '.join(_PACKINGS.values())}")
