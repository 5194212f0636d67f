"""Facts about the store in plain files on disks that refuse."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.errors import FailedStorageError, StorageFullError
from holdall_plugins.stores.disk import write_all
from holdall_plugins.stores.file import FileRepository, journal
from holdall_plugins.stores.file.storage import FileStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts.stores import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FileStorage]:
    storage = FileRepository(tmp_path).create("session")
    assert isinstance(storage, FileStorage)
    yield storage
    storage.close()


def journal_of(folder: Path, session_id: str = "session") -> Path:
    [found] = (folder / f"{session_id}.session").glob("journal-*")
    return found


def test_a_full_disk_loses_nothing_and_stays_usable(
    tmp_path: Path, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.append([b"kept"], expect=0)

    def half(fd: int, data: bytes) -> None:
        write_all(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_all", half)
        with pytest.raises(StorageFullError, match="No space left"):
            storage.append([b"lost"] * 3, expect=1)

    assert storage.append([b"next"], expect=1) == 2
    assert list(storage.read()) == [(1, b"kept"), (2, b"next")]
    assert list(FileRepository(tmp_path).open("session", mode="r").read()) == [
        (1, b"kept"),
        (2, b"next"),
    ]


def append_until_full(storage: Storage) -> int:
    """Return the head of a session that has no room for more."""
    while True:
        try:
            storage.append([b"x" * 5000] * 3, expect=storage.head)
        except StorageFullError:
            return storage.head


def test_a_file_system_that_really_is_full_loses_nothing(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["/usr/bin/env", "mount", "-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small file system")
    try:
        storage = FileRepository(tmp_path).create("session")
        head = append_until_full(storage)
        with pytest.raises(StorageFullError):
            storage.put_blob([b"x" * 300_000])
        log = storage.open_log("job")
        log.write(b"x" * 1000)
        with pytest.raises(StorageFullError):
            log.write(b"x" * 300_000)
        assert head
        assert [number for number, _ in storage.read()] == list(range(1, head + 1))
        log.discard()
        assert storage.compact(b"snapshot", expect=head) == head + 1
        assert storage.append([b"room again"], expect=head + 1) == head + 2
        append_until_full(storage)
        with suppress(StorageFullError):
            storage.put_blob(b"x" for _ in range(256 << 10))
        storage.close()
        FileRepository(tmp_path).open("session").close()
        FileRepository(tmp_path).remove("session")
        assert list(FileRepository(tmp_path).ids()) == []
    finally:
        subprocess.run(["/usr/bin/env", "umount", "-l", str(tmp_path)], check=True)


def make_unwritable(path: Path) -> None:
    """Let this process's descriptors of *path* only read: the system then refuses to write."""
    reading = os.open(path, os.O_RDONLY)
    for entry in Path("/proc/self/fd").iterdir():
        fd = int(entry.name)
        if fd != reading and os.path.realpath(entry) == os.path.realpath(path):
            os.dup2(reading, fd, inheritable=False)
    os.close(reading)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it finds descriptors in /proc")
def test_a_write_that_fails_for_another_reason_ends_the_handle(
    tmp_path: Path, storage: FileStorage
) -> None:
    storage.append([b"kept"], expect=0)
    make_unwritable(journal_of(tmp_path))

    with pytest.raises(FailedStorageError, match="Bad file descriptor"):
        storage.append([b"lost" * 20], expect=1)

    for use in (
        lambda: storage.append([b"lost"], expect=1),
        lambda: list(storage.read()),
        lambda: storage.compact(b"lost", expect=1),
        lambda: storage.open_log("x"),
    ):
        with pytest.raises(FailedStorageError):
            use()
    storage.close()
    again = FileRepository(tmp_path).open("session")
    assert list(again.read()) == [(1, b"kept")]
    again.close()


def test_a_sync_that_fails_ends_the_handle_and_is_never_repeated(
    tmp_path: Path, storage: FileStorage
) -> None:
    storage.append([b"kept"], expect=0)
    reading, writing = os.pipe()
    assert storage._writer is not None
    os.dup2(writing, storage._writer._fd)  # a pipe takes the bytes, but can't be synced

    with pytest.raises(FailedStorageError, match="may not be durable"):
        storage.append([b"unclear"], expect=1)
    taken = os.read(reading, 4096)
    with pytest.raises(FailedStorageError):
        storage.append([b"unclear"], expect=1)

    assert b"unclear" not in taken or taken.count(b"\n") == 1
    os.close(writing)
    storage.close()
    assert os.read(reading, 4096) == b""
    os.close(reading)
    assert list(FileRepository(tmp_path).open("session", mode="r").read()) == [(1, b"kept")]


def test_an_append_that_was_interrupted_ends_the_handle(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(fd: int, data: bytes) -> None:
        write_all(fd, data[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(journal, "write_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.append([b"unclear"], expect=0)

    with pytest.raises(FailedStorageError, match="interrupted"):
        storage.append([b"unclear"], expect=0)


def test_a_short_write_is_gone_on_with() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = b"x" * 60_000

    write_all(writing, data)

    assert os.read(reading, 65_536) == data
    os.close(reading)
    os.close(writing)
