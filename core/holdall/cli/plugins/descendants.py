"""The processes below this one, those included whose parents ended, where the system tells."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SET_CHILD_SUBREAPER: Final = 36


@contextmanager
def adopting() -> Iterator[frozenset[int]]:
    """Be the parent of every process below this one whose own parent ends.

    Gives those that are there already. Linux only: elsewhere orphans go to the first process.
    """
    _set_subreaper(is_on=True)
    try:
        yield descendants()
    finally:
        _set_subreaper(is_on=False)


def _set_subreaper(*, is_on: bool) -> None:
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(is_on), 0, 0, 0)


def descendants() -> frozenset[int]:
    """Return the processes below this one; none where the system doesn't show them."""
    parents: dict[int, int] = {}
    with suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
            if name.isdecimal():
                with suppress(OSError, ValueError, IndexError):
                    parents[int(name)] = _parent(name)
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return frozenset(below - {os.getpid()})


def _parent(pid: str) -> int:
    with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - half the cost
        # The name of the program stands in brackets, and may hold any character.
        return int(stat.read().rpartition(b")")[2].split()[1])
