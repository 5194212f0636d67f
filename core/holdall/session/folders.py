"""The folders that jobs run in: one for each attempt, and one that a session's jobs share."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.contracts import HasFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.contracts import Repository, Storage
    from holdall.units import Job

_PREFIX: Final = "holdall-job-"
SHARE: Final = "session-share"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PASSES: Final = 3


@contextmanager
def attempt_folder(job: Job, warn: Callable[[str], None]) -> Iterator[Path]:
    """Give an attempt at *job* its folder, and report what the job leaves there.

    A job with the flag `preserve-cwd` runs in holdall's own folder, which stays.

    Raises:
        OSError: No folder can be made.
    """
    if "preserve-cwd" in job.flags:
        yield Path.cwd()
        return
    with job_folder(warn) as folder:
        yield folder
        left = [] if "has-leftovers" in job.flags else _files_below(folder)
        if left:
            warn(f"the job {job.id!r} left files in its folder, which is removed: {_listed(left)}")


def _files_below(folder: Path) -> list[str]:
    """Return the paths of the files in a folder, relative to it, and of empty folders."""
    names = []
    for parent, folders, files in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        names += [str(relative / name) for name in files]
        if not folders and not files and relative != Path():
            names.append(f"{relative}/")
        if len(names) > _MOST_FILES:
            break  # more than a message needs
    return sorted(names)


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_MOST])) + (", ..." if len(names) > _MOST else "")


_MOST_FILES: Final = 1000


@contextmanager
def job_folder(warn: Callable[[str], None]) -> Iterator[Path]:
    """Give an attempt a folder of its own; what can't be removed afterwards is reported.

    Raises:
        OSError: No folder can be made.
    """
    path, descriptor = _made()
    try:
        yield path
    finally:
        reasons = remove_tree(path)
        os.close(descriptor)
        if reasons:
            warn(f"cannot remove the folder of a job, {path}: {_in_short(reasons)}")


def _in_short(reasons: list[str]) -> str:
    more = f", and {len(reasons) - _MOST:,} more" if len(reasons) > _MOST else ""
    return "; ".join(reasons[:_MOST]) + more


_MOST: Final = 3


def _made() -> tuple[Path, int]:
    """Return a new folder and a descriptor that holds its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with suppress(
            FileNotFoundError
        ):  # another run took it for a leftover before it was locked
            descriptor = os.open(path, _FOLDER)
            _locked(descriptor)
            if path.exists():
                return path, descriptor
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock an open folder until it is closed; False if another process has it."""
    # The kernel drops the lock with its owner, and knows also owners in other containers.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_leftovers() -> None:
    """Remove the folders of this user's jobs whose runs were killed."""
    try:
        present = list(Path(tempfile.gettempdir()).iterdir())
    except OSError:
        return  # then no job gets a folder, and each is told why
    _remove_unowned(path for path in present if path.name.startswith(_PREFIX))


def _remove_unowned(paths: Iterable[Path]) -> None:
    for path in paths:
        with ExitStack() as stack:
            try:
                descriptor = os.open(path, _FOLDER)
            except OSError:
                continue  # gone, or none of ours
            stack.callback(os.close, descriptor)
            if os.fstat(descriptor).st_uid == os.geteuid() and _locked(descriptor):
                remove_tree(path)


def remove_tree(path: Path) -> list[str]:
    """Remove a folder and all below it; return what stays, with the reasons.

    It never follows a symbolic link, never enters what is mounted below the
    folder, and takes trees of any depth.
    """
    reasons: list[str] = []
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return []  # nothing of it can be reached any more
    try:
        for _ in range(_PASSES):  # something may still write to it
            try:
                reasons = _emptied(path.name, parent)
                os.rmdir(path.name, dir_fd=parent)
            except FileNotFoundError:
                return []
            except NotADirectoryError:
                os.unlink(path.name, dir_fd=parent)  # the job put something else into its place
                return []
            except OSError as error:
                reasons = reasons or [_reason(".", error)]
            else:
                return []
    except OSError as error:
        reasons.append(_reason(".", error))
    finally:
        os.close(parent)
    return reasons


def _emptied(name: str, parent: int) -> list[str]:
    """Remove what is in a folder; return what stays, with the reasons."""
    root = _opened(name, parent)
    try:
        return _Emptying(root).reasons
    finally:
        os.close(root)


class _Emptying:
    """Removes what is in an open folder.

    Folders below are first moved up into it. So no path gets long and nothing has to
    recur; and since what is mounted can't be moved, nothing mounted is ever entered.
    """

    def __init__(self, root: int) -> None:
        self.reasons: list[str] = []
        self._root = root
        self._names = (f".holdall-{secrets.token_hex(8)}-{number}" for number in count())
        self._pending: list[str] = []
        self._clear(root, "")
        while self._pending:
            self._remove(self._pending.pop())

    def _remove(self, moved: str) -> None:
        try:
            folder = _opened(moved, self._root)
            try:
                self._clear(folder, f"{moved}/")
            finally:
                os.close(folder)
            os.rmdir(moved, dir_fd=self._root)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:  # then what is in it is reported
                self.reasons.append(_reason(moved, error))

    def _clear(self, folder: int, shown: str) -> None:
        """Remove the files of a folder, and move its folders to new names in the root."""
        with os.scandir(folder) as entries:
            present = [entry.name for entry in entries]
        for name in present:
            try:
                if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    moved = next(self._names)
                    _move(name, folder, moved, self._root)
                    self._pending.append(moved)
                else:
                    os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.reasons.append(_reason(f"{shown}{name}", error))


def _move(name: str, folder: int, moved: str, root: int) -> None:
    try:
        os.rename(name, moved, src_dir_fd=folder, dst_dir_fd=root)
    except PermissionError:
        # A folder without permission to write can't be moved, and its owner can change that.
        os.chmod(name, stat.S_IRWXU, dir_fd=folder)
        os.rename(name, moved, src_dir_fd=folder, dst_dir_fd=root)


def _opened(name: str, parent: int) -> int:
    """Return a descriptor of a folder that this user may change."""
    try:
        folder = os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=parent)
        folder = os.open(name, _FOLDER, dir_fd=parent)
    if os.fstat(folder).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        with suppress(OSError):  # what can't be removed for want of it is reported
            os.fchmod(folder, stat.S_IRWXU)
    return folder


def _reason(name: str, error: OSError) -> str:
    if error.errno in {errno.EBUSY, errno.EXDEV}:
        return f"{name!r} is mounted or in use"
    return f"{name!r}: {error.strerror}"


@contextmanager
def session_share(
    storage: Storage, warn: Callable[[str], None], open_shares: Path | None = None
) -> Iterator[Path]:
    """Give the folder that the session's jobs share, the same one in every run of it.

    It is in the session's own folder where the store has such a thing, and in the
    user's data folder otherwise; or, open to all accounts, below *open_shares*.
    """
    if open_shares is not None:
        with _open_share(share_of(storage.repository, storage.id, open_shares)) as share:
            yield share
        return
    if isinstance(storage, HasFolder):
        share = storage.folder / SHARE
        share.mkdir(mode=0o700, exist_ok=True)
        yield share
        return
    with ExitStack() as stack:
        try:
            share = share_of(storage.repository, storage.id)
            share.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(share, _FOLDER)
        except OSError as error:
            warn(f"cannot keep the folder that jobs share for a resume: {error}")
            folder = tempfile.TemporaryDirectory(
                prefix="holdall-share-", ignore_cleanup_errors=True
            )
            yield Path(stack.enter_context(folder))
            return
        stack.callback(os.close, descriptor)
        _locked(descriptor)
        _remove_shares_of_no_session(storage.repository, share.parent)
        try:
            yield share
        finally:
            with suppress(OSError):  # something is in it, which is what it is for
                share.rmdir()


@contextmanager
def _open_share(share: Path) -> Iterator[Path]:
    """Give a folder that any account may write to, below one that only its owner may."""
    share.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    share.mkdir(exist_ok=True)
    share.chmod(0o777)
    try:
        yield share
    finally:
        with suppress(OSError):  # something is in it, which is what it is for
            share.rmdir()
            share.parent.rmdir()


def share_of(repository: Repository, session_id: str, shares: Path | None = None) -> Path:
    """Return the folder that jobs of a session share, in the user's data or below *shares*."""
    store = sha256(repository.url.encode(errors="surrogateescape")).hexdigest()[:16]
    return (shares or _own_shares()) / store / session_id


def _own_shares() -> Path:
    from platformdirs import user_data_path

    return user_data_path("holdall") / SHARE


def share_in(storage: Storage) -> Path:
    """Return the folder that the jobs of a stored session share; it may not be there."""
    if isinstance(storage, HasFolder):
        return storage.folder / SHARE
    return share_of(storage.repository, storage.id)


def copy_share(source: Storage, target: Storage) -> str:
    """Copy the folder that the jobs share; return why not all of it could be."""
    share = share_in(source)
    if not share.is_dir():
        return ""
    try:
        shutil.copytree(share, share_in(target), symlinks=True, dirs_exist_ok=True)
    except OSError as error:
        return str(error)
    return ""


OPEN_SHARES: Final = Path("/var/lib/holdall") / SHARE
"""Where root, for jobs of several accounts, makes the folders that they share."""


def remove_share(repository: Repository, session_id: str) -> None:
    """Remove the folders that the jobs of a removed session shared, if there are some."""
    for shares in (_own_shares(), OPEN_SHARES):
        remove_tree(share_of(repository, session_id, shares))


def _remove_shares_of_no_session(repository: Repository, shares: Path) -> None:
    """Remove old shares of sessions that were removed by other programs, or ended in memory."""
    # A session in the memory of another process is not known here: so only old ones go.
    oldest = time.time() - _UNUSED_S
    old = [path for path in shares.iterdir() if path.stat().st_mtime < oldest]
    if old:
        known = set(repository.ids())
        _remove_unowned(path for path in old if path.name not in known)


_UNUSED_S: Final = 30 * 86400.0
