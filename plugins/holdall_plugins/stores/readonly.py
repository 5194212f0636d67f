"""A wrapper that reads only, for looking at sessions that others write: `readonly::URL`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from holdall.errors import ReadOnlyStorageError, StoreUrlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, SessionInfo, Storage


class ReadOnlyRepository:
    """Another repository, of which every session is opened for reading."""

    def __init__(self, inner: Repository) -> None:
        self._inner = inner

    @classmethod
    def from_url(cls, url: str, inner: Repository | None) -> ReadOnlyRepository:
        """Return *inner* as something to read only."""
        if inner is None or url != "readonly":
            raise StoreUrlError(url, "write readonly::URL, without options")
        return cls(inner)

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        return f"readonly::{self._inner.url}"

    def create(self, session_id: str) -> NoReturn:
        """Refuse."""
        raise ReadOnlyStorageError(self.url, f"create the session {session_id!r}")

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session for reading, whatever *mode* asks for."""
        del mode, take_over
        return cast("Storage", _Opened(self._inner.open(session_id, mode="r"), self))

    def list(self) -> Iterator[SessionInfo]:
        """Yield what is known of each session, newest first."""
        return self._inner.list()

    def remove(self, session_id: str) -> NoReturn:
        """Refuse."""
        raise ReadOnlyStorageError(self.url, f"remove the session {session_id!r}")


class _Opened:
    """A storage that names the wrapper as the repository that opened it."""

    def __init__(self, inner: Storage, repository: ReadOnlyRepository) -> None:
        self.repository = repository
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


if TYPE_CHECKING:
    _: type[Repository] = ReadOnlyRepository
