"""Which files another account can read, told from permissions: only that account could try."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from holdall.units import Provider

_ACL: Final = "system.posix_acl_access"


def unreadable(paths: Iterable[Path], user: str) -> Path | None:
    """Return the first file or folder on the way to *paths* that keeps the account out.

    None if nothing does, or nobody can say: an account is unknown, or access lists decide.
    """
    try:
        account = pwd.getpwnam(user)
        groups = set(os.getgrouplist(user, account.pw_gid))
    except (KeyError, ValueError):
        return None
    if account.pw_uid == 0:
        return None
    for path in paths:
        with suppress(OSError):
            whole = path.resolve()
            for step in (*reversed(whole.parents), whole):
                wanted = (stat.S_IXOTH if step.is_dir() else 0) | (
                    stat.S_IROTH if step == whole else 0
                )
                if not _lets(step, wanted, account.pw_uid, groups):
                    return step
    return None


def _lets(path: Path, wanted: int, uid: int, groups: set[int]) -> bool:
    """Whether the permissions of *path* let the account do what the lowest bits of a mode say."""
    if hasattr(os, "listxattr") and _ACL in os.listxattr(path):
        return True
    status = path.stat()
    shift = 6 if status.st_uid == uid else 3 if status.st_gid in groups else 0
    return (status.st_mode >> shift) & wanted == wanted


def lets_read(status: os.stat_result, user: str) -> bool:
    """Whether the permissions of an open file let the account read it; root may read all.

    An account that nobody knows is the one that runs holdall, which has opened the file.
    """
    try:
        account = pwd.getpwnam(user)
        groups = set(os.getgrouplist(user, account.pw_gid))
    except (KeyError, ValueError):
        return True
    if account.pw_uid == 0:
        return True
    shift = 6 if status.st_uid == account.pw_uid else 3 if status.st_gid in groups else 0
    return bool((status.st_mode >> shift) & stat.S_IROTH)


def folders_of(provider: Provider) -> Iterator[Path]:
    """Yield the folders that jobs of a provider read."""
    for folder in (provider.folder, provider.bin_folder, provider.data_folder):
        if folder is not None and folder.exists():
            yield folder
