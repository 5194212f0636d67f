"""Showing on standard error how names of plugins are resolved, and which plugins are called."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdall.cli.output import note
from holdall.errors import masked_url

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Notes(logging.Handler):
    """Prints each record as a line."""

    def emit(self, record: logging.LogRecord) -> None:
        note(f"holdall: {masked_url(record.getMessage())}")


@contextmanager
def shown(*names: str) -> Iterator[None]:
    """Print what the loggers of these names are told while the block runs."""
    handler = _Notes()
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
