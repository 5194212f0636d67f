"""The sessions of a mirror: all that one of its stores has."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from holdall.contracts import SessionEnds
from holdall.errors import HoldallError, StorageAccessError
from holdall_plugins.stores.several import ends_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Repository

_log: Final = logging.getLogger("holdall.stores.mirror")


def all_ids(members: Sequence[Repository], *, needed: int, where: str) -> list[str]:
    """Return the ids of all sessions, each once, in the order of the stores.

    Raises:
        StorageAccessError: Fewer stores than *needed* could be listed.
    """
    ids: dict[str, None] = {}
    failures = []
    for repository in members:
        try:
            ids.update(dict.fromkeys(repository.ids()))
        except HoldallError as error:
            failures.append(error)
            _log.warning("%s is left out of the list: %s", repository.url, error)
    _check(len(members) - len(failures), needed, where, failures)
    return list(ids)


def all_ends(
    members: Sequence[Repository], *, needed: int, where: str, compare: bool
) -> Iterator[SessionEnds]:
    """Yield the ends of every session, each once.

    Where a store may lag behind, ends that are not the same in all are left to whoever
    opens the session.

    Raises:
        StorageAccessError: Fewer stores than *needed* could be listed.
    """
    failures: list[HoldallError] = []
    others = _Others()
    for repository in members[1:] if compare else ():
        with _kept(failures):
            others.add(repository)
    seen = set()
    for repository in members[:1] if compare else members:
        with _kept(failures):
            for ends in ends_in(repository):
                if ends.id not in seen:
                    seen.add(ends.id)
                    yield ends if others.agree(ends) else SessionEnds(ends.id, is_whole=False)
            if not compare:
                break
    _check(len(members) - len(failures), needed, where, failures)
    for session_id in all_ids(members, needed=needed, where=where):
        if session_id not in seen:
            yield SessionEnds(session_id, is_whole=False)


class _Others:
    """What the other stores hold of each session, as a number that tells two ends apart."""

    def __init__(self) -> None:
        self._ends: Final[dict[str, int]] = {}
        self._odd: Final[set[str]] = set()

    def add(self, repository: Repository) -> None:
        for ends in ends_in(repository):
            if not self.agree(ends):
                self._odd.add(ends.id)
            self._ends[ends.id] = hash(ends)

    def agree(self, ends: SessionEnds) -> bool:
        return ends.id not in self._odd and self._ends.get(ends.id, hash(ends)) == hash(ends)


@contextmanager
def _kept(failures: list[HoldallError]) -> Iterator[None]:
    """Go on behind the block if a store fails in it, which is one among *failures* then."""
    try:
        yield
    except HoldallError as error:
        failures.append(error)


def _check(reached: int, needed: int, where: str, failures: Sequence[HoldallError]) -> None:
    if reached < needed:
        reasons = "; ".join(map(str, failures))
        reason = f"{needed} of its stores are needed, and some fail: {reasons}"
        raise StorageAccessError(where, "list the sessions of", reason)
