"""Remove what a test left in a store."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from holdall.errors import HoldallError, LockedStorageError

if TYPE_CHECKING:
    from holdall.contracts import Repository


def empty(repository: Repository) -> None:
    """Remove what a test left: not every store goes with the folder in its URL."""
    with suppress(HoldallError):  # the test itself says what is wrong with the store
        for session_id in list(repository.ids()):
            with suppress(LockedStorageError):
                repository.remove(session_id)
                continue
            with suppress(HoldallError):
                repository.open(session_id, take_over=True).close()
                repository.remove(session_id)
