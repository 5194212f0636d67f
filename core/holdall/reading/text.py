"""Text of any length, of which memory holds a little."""

from __future__ import annotations

from io import BytesIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    from typing import IO

MOST_IN_MEMORY: Final = 256 * 1024
"""Characters of a long text that stay in memory; what is longer goes to a temporary file."""


class LongText:
    """Text that comes piece by piece, and is as long as a stranger wants it to be.

    Attributes:
        size: Characters.
    """

    __slots__ = ("_file", "_parts", "size")

    def __init__(self, text: str = "") -> None:
        self._parts: list[str] = [text] if text else []
        self._file: IO[bytes] | None = None
        self.size = len(text)

    def add(self, text: str) -> None:
        """Append *text*."""
        self.size += len(text)
        if self._file is None and self.size > MOST_IN_MEMORY:
            # Closed with the object; nothing names it, so nobody else can.
            self._file = TemporaryFile()  # noqa: SIM115
            self._file.writelines(map(_encoded, self._parts))
            self._parts.clear()
        if self._file is None:
            self._parts.append(text)
        else:
            self._file.write(_encoded(text))

    def head(self, most: int) -> str:
        """Return the first characters, *most* of them if there are more."""
        if self._file is None:
            return "".join(self._parts)[:most]
        self._file.seek(0)
        data = self._file.read(4 * most)
        self._file.seek(0, 2)
        return data.decode(errors="ignore")[:most]

    def stream(self) -> BinaryIO:
        """Return a stream of it as UTF-8, to be read before anything is added."""
        if self._file is None:
            return BytesIO("".join(self._parts).encode(errors="replace"))
        self._file.seek(0)
        return cast("BinaryIO", self._file)

    def __bool__(self) -> bool:
        if not self.size:
            return False
        return self._file is not None or any(not part.isspace() for part in self._parts)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")
