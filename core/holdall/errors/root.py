"""The root of all errors, and the phrases that their messages share."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class HoldallError(Exception):
    """The root of every error that holdall raises on purpose."""


def near(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known name nearest to *name*, or nothing."""
    matches = get_close_matches(name, list(known), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def listed(names: Iterable[str]) -> str:
    """Return *names* in one line, `none` when there are none."""
    return ", ".join(sorted(names)) or "none"
