"""The terminal that a run shares with the person who sits there and with commands that ask."""

from __future__ import annotations

import codecs
import select
import signal
import sys
import termios
from contextlib import ExitStack, contextmanager, suppress
from gettext import gettext as _
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self

from holdall.cli.output import note, show_text
from holdall.contracts import AttemptEnded
from holdall.results import encodable
from holdall.writing import terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.cli.progress import Pause
    from holdall.results import Stream
    from holdall.units import Job

_TWICE_S: Final = 2.0
"""Seconds within which a second Ctrl-C is about the run, and no longer about the job."""

_QUIET_S: Final = 0.05
"""Seconds without input after which what was pasted has come to its end."""

_MOST_PIECES: Final = 200
"""Pieces of input that are dropped before a question: a key that is held down has no end."""


class Terminal:
    """Standard input and standard error, as long as a person is there.

    A command that asks has standard input to itself while it runs. Nothing is read ahead of the
    line that was asked for, and nothing answers a question that was typed before it was shown.
    """

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._output: _Output | None = None
        self._ended_at = -_TWICE_S
        self._ends = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Keep still what else is shown."""
        with self._pause():
            yield

    def ask(self, prompt: str) -> str:
        """Return the line that is typed behind *prompt*, without blanks around it.

        Raises:
            KeyboardInterrupt: The terminal is gone, or has no more lines.
        """
        self._ended_at = -_TWICE_S
        drop_typed()
        show_text(f"{prompt}: ")
        try:
            line = sys.stdin.buffer.readline()
        except OSError:
            raise KeyboardInterrupt from None
        if not line:
            raise KeyboardInterrupt
        return encodable(line.decode(errors="backslashreplace")).strip()

    @contextmanager
    def watching(self, job: Job, *, shown: bool) -> Iterator[None]:
        """Show what a command writes, and let Ctrl-C end nothing but the command."""
        self._ends = False
        with ExitStack() as stack:
            if not job.automated:
                stack.enter_context(self._pause())
                stack.enter_context(_same_modes())
            if shown:
                self._output = stack.enter_context(_Output(self._pause))
            previous = signal.signal(signal.SIGINT, self._interrupted)
            try:
                yield
            finally:
                signal.signal(signal.SIGINT, previous)
                self._output = None

    def show(self, stream: Stream, data: bytes) -> None:
        """Show what the command wrote.

        Raises:
            AttemptEnded: Somebody pressed Ctrl-C.
        """
        if self._ends:
            with self._pause():
                note(_("this job ends, and the run goes on; Ctrl-C once more ends the run"))
            raise AttemptEnded
        if self._output is not None and data:
            self._output.write(stream, data)

    def _interrupted(self, _number: int, _frame: object) -> None:
        now = monotonic()
        if self._ends or now - self._ended_at < _TWICE_S:
            raise KeyboardInterrupt
        # The run goes on: nothing of it may be cut in the middle, so `show` raises.
        self._ends, self._ended_at = True, now


class _Output:
    """What one command writes, in characters that a terminal takes for text."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._stack = ExitStack()
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {name: decoder("replace") for name in ("stdout", "stderr")}
        self._has_written = False
        self._is_at_start = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if not self._is_at_start:
            show_text("\n")
        self._stack.close()

    def write(self, stream: Stream, data: bytes) -> None:
        text = self._decoders[stream].decode(data)
        if not text:
            return
        if not self._has_written:
            self._has_written = True
            self._stack.enter_context(self._pause())
        text = _shown(text)
        self._is_at_start = text.endswith("\n")
        show_text(text)


def drop_typed() -> None:
    """Drop what was typed, or pasted, and not read: nobody has seen the next question yet."""
    with suppress(OSError, ValueError, termios.error):  # there is no terminal, or not any more
        for _piece in range(_MOST_PIECES):
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
            if not select.select([sys.stdin], [], [], _QUIET_S)[0]:
                break
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _shown(text: str) -> str:
    """Return *text* with its line ends and the returns of a counter that counts in place."""
    return "\r".join(map(terminal_text, text.replace("\r\n", "\n").split("\r")))


@contextmanager
def _same_modes() -> Iterator[None]:
    """Give the terminal its modes back: a command that was ended may have turned the echo off."""
    descriptor = sys.stdin.fileno()
    modes: list[Any] | None = None
    with suppress(termios.error):
        modes = termios.tcgetattr(descriptor)
    try:
        yield
    finally:
        if modes is not None:
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, modes)
