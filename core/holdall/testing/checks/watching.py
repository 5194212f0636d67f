"""Sees what a call starts and executes, by the audit events of Python."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_STARTS: Final = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.connect",
        "subprocess.Popen",
    }
)
_seen: ContextVar[list[str] | None] = ContextVar("seen", default=None)
_hooked: Final[list[bool]] = []


@contextmanager
def watched(folder: str = "") -> Iterator[list[str]]:
    """Give a list that fills with what this thread starts, connects to, or executes of *folder*.

    Python keeps a hook for ever, so it is set once, and does nothing outside of such a block.
    """
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_note)
    seen: list[str] = []
    token = _seen.set(seen)
    inside = _folder.set(folder)
    try:
        yield seen
    finally:
        _folder.reset(inside)
        _seen.reset(token)


_folder: ContextVar[str] = ContextVar("folder", default="")


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _STARTS and event != "exec":
        return
    seen = _seen.get()
    if seen is None:
        return
    if event != "exec":
        seen.append(event)
        return
    code: CodeType = arguments[0]
    folder = _folder.get()
    if folder and code.co_filename.startswith(folder):
        seen.append(f"the code of {code.co_filename}")
