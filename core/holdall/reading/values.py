"""Values as other tools write them: times, durations, names of files beside a report."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_DOTTED: Final = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})*,\d*")


def seconds_of(text: str) -> float | None:
    """Return the seconds that a number says, None if they are no sound duration.

    A comma groups thousands where it can (`1,234.5`, `1,234`), and is a decimal point elsewhere
    (`0,25`, `1.234,5`).
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = float(_with_point(text.strip()))
        except ValueError:
            return None
    return seconds if 0 <= seconds < math.inf else None


def _with_point(text: str) -> str:
    """Return a number with commas as Python writes it."""
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    if text.count(",") == 1 and ("." not in text or _DOTTED.fullmatch(text)):
        return text.replace(".", "").replace(",", ".")
    return text


def moment_of(text: str) -> float | None:
    """Return seconds since 1970 of a time in ISO 8601, None if it is none or before.

    A time without a zone is taken as UTC.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp()
    return seconds if seconds >= 0 else None


def file_below(folder: Path, name: str) -> Path | None:
    """Return the file that a report in *folder* names, None if it is not there.

    A file outside of the folder is not there: neither by `..` or an absolute path, nor by links.
    """
    parts = PureWindowsPath(name).parts if "\\" in name else PurePosixPath(name).parts
    if not parts or ".." in parts or "\0" in name or PureWindowsPath(name).anchor:
        return None
    try:
        path = folder.joinpath(*parts).resolve(strict=True)
        is_below = path.is_relative_to(folder.resolve(strict=True))
    except (OSError, RuntimeError):
        return None
    return path if is_below and path.is_file() else None
