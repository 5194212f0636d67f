"""A wrapper that reads only, for looking at sessions that others write: `readonly::URL`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

from holdall.contracts import Repairable, Shippable
from holdall.errors import ReadOnlyStorageError, StoreUrlError
from holdall.stores import RepositoryWrapper

if TYPE_CHECKING:
    from holdall.contracts import Mode, Repository, Storage


class ReadOnlyRepository(RepositoryWrapper):
    """A repository that opens every session for reading only."""

    hidden: ClassVar[tuple[type, ...]] = (Repairable, Shippable)

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> ReadOnlyRepository:
        """Return the repository behind `readonly::` as something to read only."""
        del options
        if len(inner) != 1 or url != "readonly":
            raise StoreUrlError(url, "write readonly::URL, without options")
        return cls(inner[0])

    @property
    def url(self) -> str:
        """The URL that opens this repository again."""
        return f"readonly::{self.inner.url}"

    def create(self, session_id: str, *, first: int = 1) -> NoReturn:
        """Refuse."""
        del first
        raise ReadOnlyStorageError(self.url, f"create the session {session_id!r}")

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session for reading, whatever *mode* asks for."""
        del mode, take_over
        return super().open(session_id, mode="r")

    def remove(self, session_id: str) -> NoReturn:
        """Refuse."""
        raise ReadOnlyStorageError(self.url, f"remove the session {session_id!r}")


if TYPE_CHECKING:
    _: type[Repository] = ReadOnlyRepository
