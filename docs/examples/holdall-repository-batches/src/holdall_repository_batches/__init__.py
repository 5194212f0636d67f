"""Sessions of holdall as folders, with a file for each batch of entries: `batches:///folder`."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote

from holdall.errors import (
    LockedStorageError,
    SessionExistsError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.stores import Handle, check_session_id

from holdall_repository_batches.files import locked, refusals, sync, write
from holdall_repository_batches.storage import FolderStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository

_SCHEME: Final = "batches"


class BatchesRepository:
    """A folder with a folder for each session."""

    def __init__(self, root: Path) -> None:
        """Keep sessions in *root*, which is made when it is needed."""
        self._root = root

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Self:
        """Return the repository that *url* names; nothing is made yet."""
        path = unquote(url.removeprefix(f"{_SCHEME}://"))
        if inner or not path.startswith("/") or "\0" in path:
            raise StoreUrlError(url, f"write {_SCHEME}:///path/of/a/folder")
        return cls(Path(path))

    @property
    def url(self) -> str:
        """The URL that opens this repository again."""
        return f"{_SCHEME}://{quote(str(self._root))}"

    def create(self, session_id: str, *, first: int = 1) -> FolderStorage:
        """Return the open storage of a new session, durable although it is empty."""
        check_session_id(session_id)
        with refusals(self._root, "create a session in"):
            self._root.mkdir(parents=True, exist_ok=True)
            self._sweep()
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._root))
            for name in ("entries", "blobs", "logs"):
                (new / name).mkdir()
            write(new / "first", [b"%d" % first])
            write(new / "lock", [])
            lock = locked(new / "lock")
            try:
                new.rename(self._root / session_id)  # all of it at once, or nothing
                sync(self._root)
            except OSError as error:
                if lock is not None:
                    os.close(lock)
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                shutil.rmtree(new)
                raise SessionExistsError(str(self._root), session_id) from None
        return self._storage(session_id, "w", lock)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> FolderStorage:
        """Return the storage of a session; a living writer can't be driven out."""
        self._check_known(session_id)
        lock = None if mode == "r" else self._lock(session_id)
        return self._storage(session_id, mode, lock)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first and empty ones last."""
        if not self._root.is_dir():
            return
        moments = {}
        for folder in self._root.iterdir():
            with suppress(FileNotFoundError):  # removed since
                entries = folder / "entries"
                if not folder.name.startswith("."):
                    moments[folder.name] = (any(entries.iterdir()), entries.stat().st_mtime_ns)
        yield from sorted(moments, key=moments.__getitem__, reverse=True)

    def remove(self, session_id: str) -> None:
        """Remove a session; no entry or blob can be read afterwards."""
        self._check_known(session_id)
        lock = self._lock(session_id)
        try:
            with refusals(self._root, "remove a session from"):
                gone = tempfile.mkdtemp(prefix=".removed-", dir=self._root)
                (self._root / session_id).rename(gone)
                sync(self._root)
                self._sweep()
        finally:
            os.close(lock)

    def _check_known(self, session_id: str) -> None:
        if not (self._root / check_session_id(session_id)).is_dir():
            raise UnknownSessionError(str(self._root), session_id, tuple(self.ids()))

    def _lock(self, session_id: str) -> int:
        with refusals(self._root, "lock a session of"):
            lock = locked(self._root / session_id / "lock")
        if lock is None:
            raise LockedStorageError(session_id, str(self._root), "another writer")
        if not os.fstat(lock).st_nlink:  # removed since
            os.close(lock)
            raise UnknownSessionError(str(self._root), session_id, tuple(self.ids()))
        return lock

    def _sweep(self) -> None:
        """Finish removals that were interrupted."""
        for folder in self._root.glob(".removed-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _storage(self, session_id: str, mode: Mode, lock: int | None) -> FolderStorage:
        folder = self._root / session_id
        return FolderStorage(folder, Handle(session_id, str(folder), mode, self), lock)


if TYPE_CHECKING:
    _: type[Repository] = BatchesRepository
