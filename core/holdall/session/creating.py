"""New sessions: an id that nobody has, and the storage under it."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from holdall.errors import SessionExistsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Repository, Storage

PREFIX: Final = "holdall-"
"""What the id of a new session begins with."""

_TRIES = 5


def create_storage(repository: Repository, prefix: str, clock: Callable[[], float]) -> Storage:
    """Return the storage of a new session; its id is *prefix* and the time of creation."""
    for remaining in reversed(range(_TRIES)):
        moment = datetime.fromtimestamp(clock(), UTC)
        session_id = f"{prefix}{moment:%Y-%m-%dT%H.%M.%S}-{secrets.token_hex(3)}"
        try:
            return repository.create(session_id)
        except SessionExistsError:
            if not remaining:
                raise
    raise AssertionError("the last try returns or raises")
