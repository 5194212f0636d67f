"""A store over another one that is only read: what is written goes into the upper one.

A session of the base is copied when it is opened for writing. A mark in the upper
store says of a session that its copy is complete, or that it was removed; from then
on that of the base is hidden. Until it is there, what an interrupted copy left is not
seen, and the next one goes on with it; a second mark says that it was begun, for when
the base is not there.
"""

from __future__ import annotations

from contextlib import closing, suppress
from itertools import chain
from typing import TYPE_CHECKING, Final

from holdall.errors import (
    SessionExistsError,
    StorageAccessError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.stores import StorageWrapper, catch_up, check_session_id, first_of
from holdall_plugins.stores.several import (
    Marks,
    ends_in,
    holds,
    is_made,
    options_in,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, SessionEnds, Storage


class OverlayRepository:
    """The sessions of *base*, which is never changed, and those of *upper*, which is written."""

    def __init__(self, base: Repository, upper: Repository) -> None:
        self._base: Final = base
        self._upper: Final = upper
        self._hidden: Final = Marks(upper, "over")
        self._begun: Final = Marks(upper, "begun")

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> OverlayRepository:
        """Return the overlay of the two in *inner*: the base, and the one that is written."""
        del options
        options_in(url, "overlay", ())
        if len(inner) != 2:
            reason = 'it is over two stores: inner = ["BASE", "UPPER"] below [stores.NAME]'
            raise StoreUrlError(url, reason)
        return cls(*inner)

    @property
    def url(self) -> str:
        """What stands for a URL in messages; the name of the store opens it again."""
        return text_of("overlay", (self._base, self._upper))

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, in the upper store."""
        self._check(session_id)
        if self._is_seen_in_base(session_id):
            raise SessionExistsError(self.url, session_id)
        return StorageWrapper(self._upper.create(session_id, first=first), self)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; to be written, one of the base is copied first."""
        self._check(session_id)
        if not self._is_seen_in_base(session_id):
            try:
                storage = self._upper.open(session_id, mode=mode, take_over=take_over)
            except UnknownSessionError:
                raise self._unknown(session_id) from None
            self._refuse_begun(storage)
        elif mode == "r":
            storage = self._base.open(session_id, mode="r")
        else:
            storage = self._copied(session_id, take_over=take_over)
        return StorageWrapper(storage, self)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, those of the upper store first."""
        upper = list(self._upper.ids())
        hidden = {name for name in upper if self._is_mark(name)}
        written = [name for name in upper if name not in hidden]
        seen = set(written)
        below = (
            session_id
            for session_id in (self._base.ids())
            if session_id not in seen and self._hidden.mark_of(session_id) not in hidden
        )
        return chain(written, below)

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session."""
        hidden = {name for name in self._upper.ids() if self._hidden.is_mark(name)}
        copying = set()
        for ends in ends_in(self._base):
            if self._hidden.mark_of(ends.id) not in hidden:
                copying.add(ends.id)
                yield ends
        for ends in ends_in(self._upper):
            if ends.id not in copying and not self._is_mark(ends.id):
                yield ends

    def exists(self) -> bool:
        """Whether one of the stores is there."""
        return is_made(self._base) or is_made(self._upper)

    def remove(self, session_id: str) -> None:
        """Remove a session from the upper store, and hide that of the base."""
        self._check(session_id)
        if self._is_seen_in_base(session_id):
            with suppress(UnknownSessionError):
                self._upper.remove(session_id)  # what an interrupted copy left
            self._hidden.set(session_id)
            self._begun.clear(session_id)
            return
        try:
            self._upper.remove(session_id)
        except UnknownSessionError:
            raise self._unknown(session_id) from None
        self._begun.clear(session_id)

    def _copied(self, session_id: str, *, take_over: bool) -> Storage:
        """Return the copy of a session of the base, complete and open for writing."""
        with closing(self._base.open(session_id, mode="r")) as source:
            try:
                target = self._upper.open(session_id, take_over=take_over)
            except UnknownSessionError:
                self._begun.set(session_id)
                target = self._upper.create(session_id, first=first_of(source))
            try:
                if self._is_seen_in_base(session_id):  # nobody completed it meanwhile
                    catch_up(source, target)
                    self._hidden.set(session_id)
                self._begun.clear(session_id)
            except BaseException:
                target.close()
                raise
        return target

    def _is_seen_in_base(self, session_id: str) -> bool:
        return holds(self._base, session_id) and not self._hidden.has(session_id)

    def _refuse_begun(self, storage: Storage) -> None:
        """Refuse a copy that was interrupted while the base has the rest, and is not there."""
        try:
            is_begun = not self._hidden.has(storage.id) and self._begun.has(storage.id)
        except BaseException:
            storage.close()
            raise
        if is_begun:
            storage.close()
            reason = "its copy was interrupted, and the base, which has the rest, lacks it now"
            raise StorageAccessError(self.url, f"open the session {storage.id!r} of", reason)

    def _is_mark(self, name: str) -> bool:
        return self._hidden.is_mark(name) or self._begun.is_mark(name)

    def _check(self, session_id: str) -> None:
        check_session_id(session_id)
        self._hidden.refuse(session_id)
        self._begun.refuse(session_id)

    def _unknown(self, session_id: str) -> UnknownSessionError:
        return UnknownSessionError(self.url, session_id, tuple(self.ids()))


if TYPE_CHECKING:
    _: type[Repository] = OverlayRepository
