"""Log records of the library on standard error: a line each, with a traceback on demand."""

from __future__ import annotations

import logging

from holdall.cli.exits import traceback_of
from holdall.cli.lazy import is_debugging
from holdall.cli.output import note, note_lines
from holdall.registry import reason_of


class _Notes(logging.Handler):
    """Shows each record on standard error; one that is marked `once` is not repeated."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "once", False):
            if record.getMessage() in self._shown:
                return
            self._shown.add(record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        because = "" if error is None else f": {reason_of(error)}"
        note(f"holdall: {record.getMessage()}{because}")
        if error is not None and is_debugging():
            note_lines(traceback_of(error))


def show_log() -> None:
    """Show what the library logs from now on; only commands choose that for the process."""
    logger = logging.getLogger("holdall")
    if not any(isinstance(handler, _Notes) for handler in logger.handlers):
        logger.addHandler(_Notes(logging.WARNING))
