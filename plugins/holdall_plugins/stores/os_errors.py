"""Errors of the operating system as errors of storage that say what to do."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from holdall.errors import StorageAccessError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.errors import StorageError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Error numbers that mean: make room, and try again."""

PUT_BACK: Final = "what was acknowledged went with it: put it back, and open the session again"
"""What to do where the file or folder of a store was moved away under its writer."""

_WAYS_OUT: Final = {
    errno.EACCES: "give this user access to it, or choose another place",
    errno.EPERM: "give this user access to it, or choose another place",
    errno.EROFS: "mount it for writing, or choose another place",
    errno.ENOENT: "it, or a folder on the way to it, does not exist",
    errno.ENOTDIR: "it, or something on the way to it, is no folder, or a link to one",
    errno.EEXIST: "a file is where a folder should be; move it away, or choose another place",
    errno.ELOOP: "it is a symbolic link, and those are not followed; name the place itself",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "close other sessions, or raise the limit of open files (`ulimit -n`)",
    errno.EIO: "the disk may be failing; copy away what is there",
}


def refused(error: OSError, doing: str, location: str) -> StorageError:
    """Return the error that says that *doing* something *location* was refused, and why."""
    reason = error.strerror or str(error)
    if error.errno in FULL:
        return StorageFullError(location, reason)
    way_out = _WAYS_OUT.get(error.errno or 0)
    return StorageAccessError(location, doing, f"{reason}; {way_out}" if way_out else reason)


@contextmanager
def refusals(doing: str, location: str) -> Iterator[None]:
    """Turn what the operating system refuses inside into the error that says so."""
    try:
        yield
    except OSError as error:
        raise refused(error, doing, location) from error
