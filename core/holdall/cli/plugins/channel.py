"""What a plugin's own process reports by.

A plugin that writes wherever it can forges nothing. One that looks for this object in the frames
of Python could: what it reports then besides what is planned is told.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import sys
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from holdall.testing.checks import Finding

PLANNED: Final = "planned"
"""Outcome of a check that is announced, and not made yet."""

LAST: Final = "last"
"""What the last row of a program has a value for: all that is left is the end of its process."""

_LOWEST: Final = 200
"""Plugins that close descriptors one by one stop before; none of theirs gets the number."""

_COMING_BACK_S: Final = 1.0
"""How long a fork may take to come back, after the check that it was made in."""


class Channel:
    """Rows for the parent process, each signed, in a file that forks and children lose.

    Standard input begins with a line that says where the file is and what signs; the rest is
    for who asked. Afterwards standard input is empty, so that a plugin doesn't find the line.
    """

    def __init__(self) -> None:
        head, _end, given = sys.stdin.read().partition("\n")
        self.given: Final = given
        inherited, self._signature = json.loads(head)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
            os.dup2(nothing.fileno(), 0)
        self._file = fcntl.fcntl(inherited, fcntl.F_DUPFD_CLOEXEC, _LOWEST)
        os.close(inherited)
        self._owner = os.getpid()
        self._has_forked = False
        self._came_back = mmap.mmap(-1, 1)  # shared with forks
        os.register_at_fork(after_in_child=self._forked, after_in_parent=self._note_fork)

    def send(self, row: Mapping[str, Any]) -> None:
        """Write a row for the parent."""
        if os.getpid() != self._owner:
            self._end_fork()
        data = f"{self._signature}{json.dumps(row)}\n".encode()
        while data:
            data = data[os.write(self._file, data) :]

    def send_finding(self, finding: Finding) -> None:
        """Write what came of a check."""
        row = finding._asdict()
        words = row.pop("message")
        self.send({**row, "words": words})

    def fork_came_back(self) -> bool:
        """Whether a fork came back from a call of the plugin, since this was asked before."""
        end = monotonic() + _COMING_BACK_S
        while self._has_forked and not self._came_back[0] and monotonic() < end:
            sleep(0.01)
        came_back = bool(self._came_back[0])
        self._has_forked = False
        self._came_back[0] = 0
        return came_back

    def _note_fork(self) -> None:
        self._has_forked = True

    def _forked(self) -> None:
        """Close the file in a fork, and end the fork once it returns to who called the plugin."""
        os.close(self._file)
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the stack that was forked
        while frame is not None and not frame.f_globals.get("__name__", "").startswith("holdall."):
            frame = frame.f_back
        if frame is None:
            return
        caller, own = frame, self._forked.__code__

        def watch(returned: FrameType, event: str, _value: object) -> None:
            if event == "return" and returned.f_back is caller and returned.f_code is not own:
                self._end_fork()

        sys.setprofile(watch)

    def _end_fork(self) -> NoReturn:
        self._came_back[0] = 1
        os._exit(0)
