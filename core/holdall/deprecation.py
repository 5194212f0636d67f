"""Warnings of what is deprecated, which point at the line of the caller that still uses it."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

# Frames of holdall itself, and of what it is called through.
_INSIDE: Final = frozenset(
    {
        "holdall",
        "holdall_plugins",
        "holdall_exporters",
        "_collections_abc",
        "collections",
        "contextlib",
        "functools",
        "pluggy",
    }
)


class HoldallDeprecationWarning(DeprecationWarning):
    """Something of holdall is used that a later version will not have."""


def warn_deprecated(message: str) -> None:
    """Warn that the code that called holdall uses something deprecated, however deep it is."""
    frame: FrameType = sys._getframe(1)  # noqa: SLF001 - the one way to the caller's line
    while _is_inside(frame) and frame.f_back is not None:
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        HoldallDeprecationWarning,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _is_inside(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _INSIDE
