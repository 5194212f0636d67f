"""Tell what happens to plugins to those who listen: how names are resolved, what is called."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

NAMES: Final = "holdall.plugins.names"
"""The logger that is told, at the level DEBUG, by which steps each name was resolved."""

CALLS: Final = "holdall.plugins.calls"
"""The logger that is told, at the level DEBUG, of each call of a plugin, and how long it took."""


def listener(name: str) -> Logger | None:
    """Return the logger of that name if anybody listens to it."""
    # Who listens has imported it; listing plugins has no use for it, nor time.
    logging = sys.modules.get("logging")
    if logging is None or not hasattr(logging, "getLogger"):
        return None
    logger: Logger = logging.getLogger(name)
    return logger if logger.isEnabledFor(logging.DEBUG) else None


def call_begun() -> Callable[..., None] | None:
    """Return what is to be told how a call ends that begins now; None if nobody listens.

    It takes kind, id and origin of the plugin, what it is doing, and what it raised, or None.
    """
    trace = listener(CALLS)
    if trace is None:
        return None
    start = perf_counter()

    def ended(
        kind: str, plugin_id: str, origin: str, doing: str, error: BaseException | None
    ) -> None:
        took = 1000 * (perf_counter() - start)
        end = "" if error is None else f", raised {type(error).__name__}"
        words = (kind, plugin_id, origin, doing, took, end)
        trace.debug("the %s %r of %s, %s: %.2f ms%s", *words)

    return ended
