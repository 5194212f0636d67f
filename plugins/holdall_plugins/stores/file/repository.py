"""A folder that holds sessions, each in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from holdall.errors import (
    LockedStorageError,
    SessionExistsError,
    UnknownSessionError,
)
from holdall.stores import Handle, check_session_id
from holdall_plugins.stores.disk import (
    FOLDER,
    make_folder,
    make_folders,
    names_in,
    sync_folder,
    sync_way_to,
)
from holdall_plugins.stores.file.ends import modified, read_ends
from holdall_plugins.stores.file.journal import SHARE
from holdall_plugins.stores.file.lock import SessionLock
from holdall_plugins.stores.file.reachability import is_at
from holdall_plugins.stores.file.storage import FileStorage
from holdall_plugins.stores.mounts import refuse_network
from holdall_plugins.stores.os_errors import refusals, refused
from holdall_plugins.stores.urls import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, SessionEnds, Storage

_SUFFIX: Final = ".session"
_REMOVED: Final = ".removed-"


class FileRepository:
    """Sessions as folders `<path>/<session>.session`, for this user alone."""

    def __init__(self, path: Path | str, *, trust_fs: bool = False) -> None:
        self._root = Path(path).absolute()
        self._trust_fs = trust_fs

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> FileRepository:
        """Return the repository in the folder that `file:///path` names."""
        del options
        path, trust_fs = local_path(url, inner, start="file:///")
        return cls(path, trust_fs=trust_fs)

    @property
    def url(self) -> str:
        """The URL that names this repository again."""
        return f"file://{quote(str(self._root))}" + ("?trust_fs=1" if self._trust_fs else "")

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, durable although it is empty."""
        name = check_session_id(session_id) + _SUFFIX
        self._refuse_network()
        with refusals("make the folder", str(self._root)):
            make_folders(self._root)
        with self._opened_root() as root:
            if not any(name.endswith(_SUFFIX) for name in names_in(root)):
                # Who made the folders may have been killed; a session there says that it was not.
                with refusals("sync the way to", str(self._root)):
                    sync_way_to(self._root)
            _finish_removing(root)
            try:
                os.mkdir(name, 0o700, dir_fd=root)
            except FileExistsError:
                raise SessionExistsError(str(self._root), session_id) from None
            except OSError as error:
                raise refused(error, "create a session in", str(self._root)) from error
            with _removed_if_it_fails(name, root):
                fd = self._open_folder(session_id)
                return self._open_to_write(session_id, fd, root, first=first)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session that exists.

        Args:
            mode: `r` reads beside a writer that is alive, and changes nothing at all.
            take_over: Changes nothing here: the kernel's lock ends with its holder, so as
                soon as that is dead anyone may go on, and never before.
        """
        del take_over
        check_session_id(session_id)
        if mode == "r":
            handle = Handle(session_id, str(self._folder(session_id)), mode, self)
            return FileStorage(
                self._folder(session_id), self._open_folder(session_id), handle, None
            )
        self._refuse_network()
        fd = self._open_folder(session_id)
        with self._opened_root() as root:
            _finish_removing(root)
            return self._open_to_write(session_id, fd, root)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first; changes nothing at all.

        The moments are those of the journals' files; a session whose journal has
        nothing but its header comes last.
        """
        root = os.fspath(self._root)
        ids = ((modified(f"{root}/{name}{_SUFFIX}", name), name) for name in self._session_ids())
        return (session_id for _moment, session_id in sorted(ids, reverse=True))

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session; changes nothing at all."""
        root = os.fspath(self._root)
        return (
            read_ends(f"{root}/{session_id}{_SUFFIX}", session_id)
            for session_id in self._session_ids()
        )

    def exists(self) -> bool:
        """Whether the folder is there; the first session makes it."""
        return self._root.is_dir()

    def remove(self, session_id: str) -> None:
        """Remove a session; if that is interrupted, it is out of sight and ended later."""
        check_session_id(session_id)
        folder = self._folder(session_id)
        hidden = _REMOVED + secrets.token_hex(8)
        with ExitStack() as stack:
            fd = self._open_folder(session_id)
            stack.callback(os.close, fd)
            root = stack.enter_context(self._opened_root())
            stack.callback(self._lock(session_id, fd).release)
            # The rename is the removal; what follows may be interrupted, and is finished later.
            with refusals("remove", str(folder)):
                os.rename(folder.name, hidden, src_dir_fd=root, dst_dir_fd=root)
                sync_folder(root)
            with refusals("finish removing", f"{self._root}/{hidden}"):
                _remove_folder(hidden, root)
            _finish_removing(root)

    def _open_to_write(self, session_id: str, fd: int, root: int, *, first: int = 1) -> Storage:
        """Return the storage in the folder *fd*, which is closed with it, or if this fails."""
        folder = self._folder(session_id)
        with ExitStack() as undo:
            undo.callback(os.close, fd)
            lock = self._lock(session_id, fd)
            undo.callback(lock.release)
            with refusals("open", str(folder)):
                handle = Handle(session_id, str(folder), "w", self)
                storage = FileStorage(folder, fd, handle, lock, first=first)
            undo.pop_all()
            undo.callback(storage.close)
            with refusals("open", str(folder)):
                make_folder(SHARE, fd)
                # Who created the session may have been killed before its name was durable.
                sync_folder(root)
            if not is_at(folder, fd):
                raise self._unknown(session_id)
            with refusals("open", str(folder)):
                lock.note_open()
            undo.pop_all()
        return storage

    def _lock(self, session_id: str, fd: int) -> SessionLock:
        folder = self._folder(session_id)
        with refusals("lock", str(folder)):
            lock = SessionLock(folder, fd, session_id)
        if not is_at(folder, fd):  # removed since it was opened
            lock.release()
            raise self._unknown(session_id)
        return lock

    def _open_folder(self, session_id: str) -> int:
        folder = self._folder(session_id)
        try:
            return os.open(folder, FOLDER)
        except FileNotFoundError:
            raise self._unknown(session_id) from None
        except OSError as error:
            raise refused(error, "open", str(folder)) from error

    def _unknown(self, session_id: str) -> UnknownSessionError:
        return UnknownSessionError(str(self._root), session_id, self._session_ids())

    @contextmanager
    def _opened_root(self) -> Iterator[int]:
        with refusals("open", str(self._root)):
            fd = os.open(self._root, FOLDER & ~os.O_NOFOLLOW)
        try:
            yield fd
        finally:
            os.close(fd)

    def _session_ids(self) -> tuple[str, ...]:
        try:
            names = [entry.name for entry in os.scandir(self._root)]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise refused(error, "list", str(self._root)) from error
        shown = (name for name in names if name.endswith(_SUFFIX) and not name.startswith("."))
        return tuple(name.removesuffix(_SUFFIX) for name in shown)

    def _folder(self, session_id: str) -> Path:
        return self._root / f"{session_id}{_SUFFIX}"

    def _refuse_network(self) -> None:
        if not self._trust_fs:
            refuse_network(self._root)


@contextmanager
def _removed_if_it_fails(name: str, root: int) -> Iterator[None]:
    try:
        yield
    except LockedStorageError:
        raise  # somebody else opened it between two steps of its making
    except BaseException:
        shutil.rmtree(name, ignore_errors=True, dir_fd=root)
        raise


def _remove_folder(name: str, root: int) -> None:
    with suppress(FileNotFoundError):  # another process finishes it at the same time
        shutil.rmtree(name, dir_fd=root)


def _finish_removing(root: int) -> None:
    for name in names_in(root):
        if name.startswith(_REMOVED):
            shutil.rmtree(name, ignore_errors=True, dir_fd=root)


if TYPE_CHECKING:
    _: type[Repository] = FileRepository
