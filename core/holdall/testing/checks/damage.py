"""Damage to copies of samples, the same each time: cut, overwritten, and full of hostile text."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE: Final = "h\x1b[31m=cmd|'<b>\u202e\"&]]>"
_MOST: Final = 1 << 18  # bytes of a file that is damaged; larger ones would take their time
_FEW: Final = 3
_MANY: Final = 12
_WORD: Final = re.compile(rb"[A-Za-z]{4,}")


def damaged(source: Path) -> Iterator[str]:
    """Damage a file, or files of a folder, in one way after another; yield how while it is so."""
    for path in _files(source):
        whole = path.read_bytes()
        size = len(whole)
        try:
            for end in sorted({0, size // 4, size // 2, size * 3 // 4, size - 1}):
                path.write_bytes(whole[:end])
                yield f"cut after {end} bytes"
            for start in sorted({size * number // 7 for number in range(7)}):
                for byte in (b"\x00", b"\xff", b"9"):
                    changed = whole[:start] + byte * 8 + whole[start + 8 :]
                    path.write_bytes(changed)
                    yield f"with {byte!r} at byte {start}"
            for word in _some(list(_WORD.finditer(whole)), _MANY):
                changed = whole[: word.start()] + b"x" * len(word[0]) + whole[word.end() :]
                path.write_bytes(changed)
                yield f"with 'x' for {word[0].decode()!r} at byte {word.start()}"
        finally:
            path.write_bytes(whole)


def with_hostile_text(source: Path) -> Iterator[str]:
    """Put hostile text in the place of a word, one after another; yield which while it is so."""
    for path in _files(source):
        whole = path.read_bytes()
        found = list(_WORD.finditer(whole))
        try:
            for word in _some(found[len(found) // 2 :], _FEW):
                changed = whole[: word.start()] + HOSTILE.encode() + whole[word.end() :]
                path.write_bytes(changed)
                yield word[0].decode()
        finally:
            path.write_bytes(whole)


def contents(folder: Path) -> dict[str, Any]:
    """Return the digest of each file below a folder, and when its folders were changed."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns if path.is_dir() else sha256(path.read_bytes()).hexdigest()
        )
        for path in sorted(folder.rglob("*"))
    }


def _some(found: list[re.Match[bytes]], most: int) -> list[re.Match[bytes]]:
    """Return *most* of what was found, spread over all of it."""
    return found[:: max(1, len(found) // most)][:most]


def _files(source: Path) -> list[Path]:
    """Return the files to damage: a few, and none that is large."""
    files = [source] if source.is_file() else sorted(source.rglob("*"))
    return [path for path in files if path.is_file() and 0 < path.stat().st_size <= _MOST][:_FEW]
