"""The file system that a path is on: locks and syncs can't be trusted on all of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.errors import StorageAccessError

if TYPE_CHECKING:
    from collections.abc import Iterable

NETWORK: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"smb3", "smbfs", "virtiofs", "gfs2", "ocfs2"}
    | {"fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)
"""File systems that other machines write to as well, as Linux calls them."""

_MOUNTS: Final = Path("/proc/self/mounts")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


def refuse_network(path: Path) -> None:
    """Refuse a location where the lock of another machine would not be seen.

    Raises:
        StorageAccessError: *path* is, or would be, on a network file system.
    """
    try:
        table = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        kind = file_system(path.resolve(), table)
    except (OSError, RuntimeError):
        return  # not Linux, or a path that the next step will refuse
    if kind in NETWORK:
        reason = (
            f"it is on a network file system ({kind}), where locks and syncs may do nothing; "
            "choose a local place, or add '?trust_fs=1' to the URL"
        )
        raise StorageAccessError(str(path), "write to", reason)


def file_system(path: Path, mounts: Iterable[str]) -> str:
    """Return the kind of file system that *path* is on, by lines of `/proc/self/mounts`."""
    nearest, kind = -1, ""
    for line in mounts:
        _device, mounted_on, its_kind, *_ = line.split(" ")
        folder = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), mounted_on))
        if len(folder.parts) >= nearest and path.is_relative_to(folder):
            nearest, kind = len(folder.parts), its_kind
    return kind
