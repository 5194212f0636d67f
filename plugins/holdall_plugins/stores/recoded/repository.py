"""Repositories whose bytes a codec changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.contracts import SessionEnds
from holdall.errors import StorageError
from holdall.stores import Handle, RepositoryWrapper
from holdall_plugins.stores.recoded.codec import DamageError
from holdall_plugins.stores.recoded.storage import recoded

if TYPE_CHECKING:
    from holdall.contracts import Mode, Repository, Storage
    from holdall_plugins.stores.recoded.codec import Codec


class RecodedRepository(RepositoryWrapper):
    """Another repository, to which only what a codec makes of the bytes goes."""

    def codec(self, session_id: str) -> Codec:
        """Return the codec of one session."""
        raise NotImplementedError(f"{type(self).__name__} must have a codec for {session_id!r}")

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session."""
        codec = self.codec(session_id)  # or none is created
        return self._opened(self.inner.create(session_id, first=first), codec, "w")

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists."""
        codec = self.codec(session_id)
        storage = self.inner.open(session_id, mode=mode, take_over=take_over)
        return self._opened(storage, codec, mode)

    def plain_ends(self, ends: SessionEnds) -> SessionEnds:
        """Return the ends as they are read; of what can't be, whoever opens it says why."""
        codec = self.codec(ends.id)
        try:
            first = None if ends.first is None else codec.plain_entry(None, ends.first)
            last = tuple(codec.plain_entry(None, entry) for entry in ends.last)
        except (DamageError, StorageError):
            return SessionEnds(ends.id, is_whole=False)
        return SessionEnds(ends.id, first, last, ends.is_whole)

    def _opened(self, storage: Storage, codec: Codec, mode: Mode) -> Storage:
        return recoded(storage, codec, Handle(storage.id, storage.where, mode, self))


if TYPE_CHECKING:
    _: type[Repository] = RecodedRepository
