"""Appends that may wait for their sync, and the thread that sees to it within a second."""

from __future__ import annotations

import logging
from threading import Timer
from typing import TYPE_CHECKING, Final

from holdall.errors import FailedStorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Lock

DELAY_S: Final = 0.75
"""How long an append waits; with the sync itself it is durable within a second."""

_log: Final = logging.getLogger("holdall.stores.file")


class DelayedSync:
    """Calls *sync* once some time after `start`, unless `cancel` comes first.

    All of it happens while *lock* is held; the thread takes it, and `start` and
    `cancel` are called with it. A failure is remembered by the handle that *sync*
    belongs to, and raised by its next step.
    """

    def __init__(self, lock: Lock, sync: Callable[[], None]) -> None:
        self._lock = lock
        self._sync = sync
        self._timer: Timer | None = None

    def start(self) -> None:
        """Let the time run, unless it runs already."""
        if self._timer is None:
            self._timer = timer = Timer(DELAY_S, lambda: self._run(timer))
            timer.daemon = True
            timer.start()

    def cancel(self) -> bool:
        """Whether a sync was due, which is none any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _run(self, timer: Timer) -> None:
        with self._lock:
            if self._timer is not timer:
                return  # synced meanwhile
            self._timer = None
            try:
                self._sync()
            except FailedStorageError as error:
                _log.error("%s", error)
