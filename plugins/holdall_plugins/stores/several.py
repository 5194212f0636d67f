"""What the wrappers over several stores share: their URLs, listings and marks."""

from __future__ import annotations

from contextlib import closing, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NoReturn, final
from urllib.parse import parse_qsl

from holdall.contracts import HasExistence, HasSummaries, SessionEnds
from holdall.errors import (
    CorruptSessionError,
    SessionExistsError,
    SessionIdError,
    StorageAccessError,
    StorageError,
    StoreUrlError,
    UnknownSessionError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Repository


def options_in(url: str, name: str, known: Sequence[str]) -> dict[str, str]:
    """Return the options in a wrapper's URL, `name?option=value&...`.

    Raises:
        StoreUrlError: It is no such URL, or has an option that is not in *known*.
    """
    head, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if head != name or not set(options) <= set(known):
        usage = f"{name}?{'=...&'.join(known)}=..." if known else name
        raise StoreUrlError(
            url,
            f"no URL has several stores in it; write url = {usage!r} and inner = [...] with their "
            "names below [stores.NAME] in holdall.toml, and open NAME",
        )
    return options


def text_of(name: str, members: Sequence[Repository], options: str = "") -> str:
    """Return what stands for the URL of a wrapper over *members* in messages; it opens nothing."""
    parts = [member.url for member in members]
    return f"{name}:({', '.join([*parts, options] if options else parts)})"


def is_made(repository: Repository) -> bool:
    """Whether a repository is there already, as far as it can tell."""
    return not isinstance(repository, HasExistence) or repository.exists()


def refuse_removal(repository: Repository, doing: str, where: str, reason: str) -> NoReturn:
    """Refuse to remove a session from other stores, since *repository* would bring it back."""
    reason = f"{repository.url} would bring it back: {reason}; try again when it is there"
    raise StorageAccessError(where, doing, reason)


def holds(repository: Repository, session_id: str) -> bool:
    """Whether *repository* holds a session, which is opened for a moment; damaged ones count."""
    try:
        repository.open(session_id, mode="r").close()
    except UnknownSessionError:
        return False
    except CorruptSessionError:
        return True
    return True


def ends_in(repository: Repository) -> Iterator[SessionEnds]:
    """Yield the ends of every session of *repository*, whether it has summaries or not."""
    if isinstance(repository, HasSummaries):
        yield from repository.summaries()
        return
    for session_id in repository.ids():
        yield _ends(repository, session_id)


def _ends(repository: Repository, session_id: str) -> SessionEnds:
    try:
        with closing(repository.open(session_id, mode="r")) as storage:
            first = next(storage.read(), None)
            if first is None:
                return SessionEnds(session_id)
            last = [entry for _number, entry in storage.read(max(storage.head - 2, first[0] - 1))]
            return SessionEnds(session_id, first[1], tuple(last[-2:]))
    except StorageError:
        return SessionEnds(session_id, is_whole=False)  # whoever opens it gets the reason


@final
class Marks:
    """What a wrapper remembers of sessions, in one of its stores: empty sessions of odd names.

    A session is created and removed durably and in one step in every store, which
    is all that a mark has to do. They are shown by no listing of the wrapper.
    """

    def __init__(self, repository: Repository, kind: str) -> None:
        self._repository: Final = repository
        self._beginning: Final = f"holdall-{kind}-"

    def mark_of(self, session_id: str) -> str:
        """Return the name of the mark for a session."""
        return self._beginning + sha256(session_id.encode(errors="replace")).hexdigest()[:40]

    def is_mark(self, session_id: str) -> bool:
        """Whether that is the name of a mark."""
        return session_id.startswith(self._beginning)

    def refuse(self, session_id: str) -> None:
        """Refuse to use the name of a mark for a session.

        Raises:
            SessionIdError: It is one.
        """
        if self.is_mark(session_id):
            reason = f"names that begin with {self._beginning!r} are the store's own"
            raise SessionIdError(session_id, reason)

    def has(self, session_id: str) -> bool:
        """Whether a session is marked."""
        return holds(self._repository, self.mark_of(session_id))

    def set(self, session_id: str) -> None:
        """Mark a session, durably; one that is marked stays so."""
        with suppress(SessionExistsError):
            self._repository.create(self.mark_of(session_id)).close()

    def clear(self, session_id: str) -> None:
        """Remove the mark of a session, durably; one that is not marked stays so."""
        with suppress(UnknownSessionError):
            self._repository.remove(self.mark_of(session_id))
