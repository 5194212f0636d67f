"""File names made of ids: no two ids give one name, and none leads out of its folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_LONGEST: Final = 120  # leaves room for what callers add to one of 255 bytes, and for paths

_ENDING: Final = re.compile(r"(.*?)((?:\.[A-Za-z0-9]{1,8})?)")


def file_name(text: str) -> str:
    """Return a name for *text*: ASCII, the same for no other text, whatever the file system.

    What is no letter, digit, `-`, `_` or `.` becomes `%xx`. Names that differ only in
    case, or are cut, get `~` and a digest of the whole, before the ending if there is one.
    A link to the file quotes the name once more, by `urllib.parse.quote`, or its `%` are read
    as those of an address.
    """
    # Reports of one file name none, and should not wait for these.
    from hashlib import sha256
    from urllib.parse import quote

    quoted = quote(text, safe="", errors="surrogatepass").replace("~", "%7e")
    if quoted.startswith((".", "-")):
        quoted = f"%{ord(quoted[0]):02x}{quoted[1:]}"
    plain = "".join(_lower_hex(quoted))
    if plain == plain.lower() and 0 < len(plain) <= _LONGEST:
        return plain
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    match = _ENDING.fullmatch(plain)
    stem, ending = match.groups() if match else (plain, "")
    return f"{stem[:_LONGEST]}~{digest}{ending}"


def _lower_hex(quoted: str) -> list[str]:
    """Return the parts of *quoted* with the digits behind each `%` in lower case."""
    first, *others = quoted.split("%")
    return [first, *(f"%{part[:2].lower()}{part[2:]}" for part in others)]


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
