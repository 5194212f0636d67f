"""The file system that a path is on: locks and syncs can't be trusted on all of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.errors import StorageAccessError

if TYPE_CHECKING:
    from collections.abc import Iterable

NETWORK: Final = frozenset(
    {"9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre"}
    | {"ncpfs", "nfs", "nfs4", "orangefs", "smb3", "smbfs", "vboxsf", "virtiofs", "gfs2", "ocfs2"}
)
"""File systems that other machines write to as well, as Linux calls them."""

_MOUNTS: Final = Path("/proc/self/mounts")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


def refuse_network(path: Path) -> None:
    """Refuse a location where a lock may not be seen, or a sync may do nothing.

    Raises:
        StorageAccessError: *path* is, or would be, on a network file system, or on one
            that a program provides.
    """
    try:
        path = path.resolve()  # comes first: it mounts what is mounted on demand
        table = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        kind = file_system(path, table)
    except (OSError, RuntimeError):
        return  # not Linux, or a path that the next step will refuse
    family = "a network file system" if kind in NETWORK else ""
    if is_user_space(kind):
        family = "a file system that a program provides (FUSE)"
    if family:
        reason = (
            f"it is on {family}, {kind}, where locks and syncs may do nothing; "
            "choose a local place, or add '?trust_fs=1' to the URL"
        )
        raise StorageAccessError(str(path), "write to", reason)


def is_user_space(kind: str) -> bool:
    """Whether a program decides what a lock or a sync does in this kind of file system.

    Of `fuseblk` too it does, but that is on a disk of this machine: no other machine
    writes to it, and the kernel keeps its locks.
    """
    return kind == "fuse" or kind.startswith("fuse.")


def file_system(path: Path, mounts: Iterable[str]) -> str:
    """Return the kind of file system that *path* is on, by lines of `/proc/self/mounts`."""
    nearest, kind = -1, ""
    for line in mounts:
        _device, mounted_on, its_kind, *_ = line.split(" ")
        folder = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), mounted_on))
        if len(folder.parts) >= nearest and path.is_relative_to(folder):
            nearest, kind = len(folder.parts), its_kind
    return kind
