"""Remove what a test left in a store."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from holdall.errors import HoldallError, LockedStorageError

if TYPE_CHECKING:
    from holdall.contracts import Repository


def empty(repository: Repository) -> None:
    """Remove what a test left: not every store goes with the folder in its URL.

    What can't be removed stays; the test itself says what is wrong with the store.
    """
    with suppress(HoldallError):
        for session_id in list(repository.ids()):
            with suppress(HoldallError):
                _remove(repository, session_id)


def _remove(repository: Repository, session_id: str) -> None:
    try:
        repository.remove(session_id)
    except LockedStorageError:  # by a writer that the test killed, or left open
        repository.open(session_id, take_over=True).close()
        repository.remove(session_id)
