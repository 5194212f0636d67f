"""What a trace shows of a store that keeps sessions on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.crash import RECEIVES, SENDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.testing.crash import Call

FAULTS: Final = (SENDS, RECEIVES)
"""The system calls that fail when a connection is lost, by what is lost: request or answer."""


def unanswered(calls: Iterable[Call]) -> list[str]:
    """Return the connections on which something was sent and no answer was waited for."""
    waiting: dict[str, bool] = {}
    for call in calls:
        if call.is_sent:
            waiting.setdefault(call.path, True)
        elif call.is_received and call.path in waiting:
            waiting[call.path] = False
    return [connection for connection, waits in waiting.items() if waits]


def is_answered(calls: Iterable[Call]) -> bool:
    """Whether something was sent, and all connections got an answer."""
    calls = list(calls)
    return any(call.is_sent for call in calls) and not unanswered(calls)
