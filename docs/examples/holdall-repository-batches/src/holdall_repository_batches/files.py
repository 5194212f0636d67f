"""Files that are there whole or not at all, and locks that end with their process."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdall.errors import StorageAccessError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path


class SourceError(Exception):
    """The chunks of a blob could not be read; its argument says why."""


def write(path: Path, chunks: Iterable[bytes]) -> None:
    """Make a file of *chunks* at once, durably: it is there whole, or not at all."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def locked(path: Path) -> int | None:
    """Return the descriptor of the locked file, None if another one has locked it."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def chunks_of(path: Path) -> Generator[bytes]:
    """Yield what a file holds, piece by piece."""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


@contextmanager
def refusals(path: Path, doing: str) -> Iterator[None]:
    """Raise what holdall expects in place of what the operating system says."""
    try:
        yield
    except SourceError as error:
        raise error.args[0] from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(str(path), str(error)) from error
        raise StorageAccessError(str(path), doing, str(error)) from error
