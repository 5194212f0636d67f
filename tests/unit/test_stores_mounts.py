"""Facts about telling file systems apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdall.errors import StorageAccessError
from holdall_plugins.stores import mounts
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.mounts import file_system, is_user_space
from holdall_plugins.stores.sqlite import SqliteRepository

MOUNTS = (
    "/dev/sda1 / ext4 rw,relatime 0 0",
    "server:/home /home nfs4 rw,vers=4.2 0 0",
    "/dev/sdb1 /home/local\\040disk xfs rw 0 0",
    "me@host:/ /mnt/ssh fuse.sshfs rw 0 0",
    "tmpfs /mnt/over tmpfs rw 0 0",
    "server:/over /mnt/over nfs rw 0 0",
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/lab", "ext4"),
        ("/home", "nfs4"),
        ("/home/me/sessions", "nfs4"),
        ("/home/local disk/x", "xfs"),
        ("/homeless", "ext4"),
        ("/mnt/ssh/deep/er", "fuse.sshfs"),
        ("/mnt/over", "nfs"),
    ],
)
def test_a_path_is_on_the_nearest_and_latest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["fuse", "fuse.sshfs", "fuse.anything-of-tomorrow"])
def test_a_file_system_of_a_program_is_known_by_its_type(kind: str) -> None:
    assert is_user_space(kind)


@pytest.mark.parametrize("kind", ["ext4", "fuseblk", "fusectl", "overlay"])
def test_a_file_system_of_the_kernel_is_none_of_a_program(kind: str) -> None:
    assert not is_user_space(kind)


@pytest.mark.parametrize("kind", ["nfs4", "fuse", "fuse.new"])
@pytest.mark.parametrize("store", [FileRepository, SqliteRepository])
def test_a_network_file_system_is_refused_for_writing_unless_trusted(
    store: type[FileRepository | SqliteRepository],
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store(tmp_path / "store").create("session").close()
    table = tmp_path / "mounts"
    table.write_text(f"server:/ {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    repository = store(tmp_path / "store")

    for use in (repository.create, repository.open):
        with pytest.raises(StorageAccessError, match=rf"{kind},.*trust_fs=1"):
            use("session")
    repository.open("session", mode="r").close()
    store(tmp_path / "store", trust_fs=True).open("session").close()
