"""The system calls that make bytes durable, and the flags that follow no links."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if sys.platform == "darwin":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER: Final = READ | os.O_DIRECTORY
APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
NEW: Final = APPEND | os.O_CREAT | os.O_EXCL

TEMPORARY: Final = ".new-"
"""How the name of a file starts that is not in its place yet."""


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Write all of *data*, however little the system takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_data(fd: int) -> None:
    """Return when the bytes of a file, and its size, would survive a power cut."""
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
            os.fsync(fd)
    else:
        os.fdatasync(fd)


def sync_folder(fd: int) -> None:
    """Return when the names in a folder would survive a power cut."""
    os.fsync(fd)


def names_in(folder: int) -> list[str]:
    """Return the names in an open folder."""
    # Two threads that list one descriptor share its position, and each gets a part of the names.
    with opened(".", FOLDER, within=folder) as own:
        return os.listdir(own)  # noqa: PTH208 - pathlib knows no descriptors


def status_if_same(name: str, known: os.stat_result, *, within: int) -> os.stat_result | None:
    """Return the status of what is called *name*, None if that is not the file *known*."""
    try:
        status = os.stat(name, dir_fd=within, follow_symlinks=False)
    except OSError:
        return None
    return status if os.path.samestat(status, known) else None


def make_folder(name: str, parent: int) -> None:
    """Make the folder *name* for this user alone, unless it is there; not yet durable."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)


def make_folders(path: Path) -> None:
    """Make *path* and what is missing on the way to it for this user alone; not yet durable."""
    if path.is_dir():
        return
    make_folders(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)


def sync_way_to(path: Path) -> None:
    """Return when the names on the way to *path* would survive a power cut.

    Those are left out that this user can't have made: names in folders that it may not
    write to, and in another file system.
    """
    path = path.resolve()
    device = path.stat().st_dev
    for folder in path.parents:
        if folder.stat().st_dev != device or not os.access(folder, os.R_OK | os.W_OK):
            return
        with opened(str(folder), FOLDER) as fd:
            sync_folder(fd)


@contextmanager
def opened(name: str, flags: int, *, within: int | None = None) -> Iterator[int]:
    """Give the descriptor of a file or folder, and close it."""
    fd = os.open(name, flags, 0o600, dir_fd=within)
    try:
        yield fd
    finally:
        os.close(fd)


def temporary_name() -> str:
    """Return a name that no other file has."""
    return TEMPORARY + secrets.token_hex(8)


def remove_quietly(name: str, *, within: int) -> None:
    """Remove a file if it is there; what stays is removed by the next writer."""
    with suppress(OSError):
        os.unlink(name, dir_fd=within)
