"""A store on a file system whose power is cut keeps what it acknowledged.

The file system is a real one, on a loop device, and is shut down by the ioctl
that file system developers use for this: nothing that had not reached the disk
does so any more. The writer is stopped before, since the ioctl may otherwise
meet a sync half-way, and such a sync is not acknowledged yet.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts.stores import Repository

pytestmark = [
    pytest.mark.power,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system"),
]

ROUNDS = 20
SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING_THE_LOG = struct.pack("I", 2)

WRITER = """
import sys
from holdall_plugins.stores.{module} import {store}
repository = {store}({path!r})
number = 0
while True:
    session = "session %d" % number
    storage = repository.create(session)
    for head in range(0, 60, 3):
        ref = storage.put_blob([b"%d" % head] * 9) if not head % 12 else ""
        entries = [b"%d %b" % (head + n, ref.encode()) for n in range(3)]
        if head == 30:
            storage.append(entries[:2], expect=head)
            storage.compact(entries[2], expect=head + 2)
        else:
            storage.append(entries, expect=head)
        print(number, head + 3, ref, flush=True)
    storage.close()
    number += 1
"""


@pytest.fixture(params=["ext4", "xfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Return the image of a new file system."""
    maker = shutil.which(f"mkfs.{request.param}")
    if maker is None:
        pytest.skip(f"mkfs.{request.param} is not installed")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(320 << 20)
    subprocess.run([maker, "-q", str(image)], check=True)
    (tmp_path / "disk").mkdir()
    mounted(image)
    yield image
    run("umount", "-l", tmp_path / "disk")


@pytest.mark.parametrize("store", [FileRepository, SqliteRepository])
def test_what_was_acknowledged_survives_a_power_cut(
    disk: Path, store: type[FileRepository | SqliteRepository]
) -> None:
    for _ in range(ROUNDS):
        place = mounted(disk) / "store"
        place.unlink() if place.is_file() else shutil.rmtree(place, ignore_errors=True)
        acknowledged = cut_while_writing(disk, store, place)
        mounted(disk)
        check(store(place), acknowledged)


def cut_while_writing(disk: Path, store: type[Any], place: Path) -> list[list[str]]:
    """Return what a writer had acknowledged when the power went."""
    module = store.__module__.split(".")[-2]
    code = WRITER.format(module=module, store=store.__name__, path=str(place))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(random.uniform(0, 0.3))  # noqa: S311 - a moment
        writer.send_signal(signal.SIGSTOP)
        while b") T" not in Path(f"/proc/{writer.pid}/stat").read_bytes():
            time.sleep(0.001)
        folder = os.open(disk.with_name("disk"), os.O_RDONLY)
        fcntl.ioctl(folder, SHUTDOWN, WITHOUT_FLUSHING_THE_LOG)
        os.close(folder)
        writer.kill()
        lines.extend(writer.stdout)
    run("umount", disk.with_name("disk"))
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


def check(repository: Repository, acknowledged: list[list[str]]) -> None:
    assert acknowledged
    for number, head, *refs in acknowledged:
        storage = repository.open(f"session {number}", mode="r")
        entries = dict(storage.read())
        assert storage.head >= int(head)
        assert storage.head % 3 == 0 or storage.head == 32
        assert all(entries[n].split()[0] == b"%d" % (n - 1) for n in entries)
        assert list(entries) == list(range(min(entries), storage.head + 1))
        for ref in refs:
            with storage.open_blob(ref) as blob:
                assert blob.read()
        storage.close()
    storage = repository.open(f"session {acknowledged[-1][0]}")
    assert storage.append([b"next"], expect=storage.head) == storage.head
    storage.close()


def mounted(disk: Path) -> Path:
    place = disk.with_name("disk")
    if not place.is_mount():
        run("mount", "-o", "loop", disk, place)
    return place


def run(command: str, *arguments: object) -> None:
    subprocess.run(["/usr/bin/env", command, *map(str, arguments)], check=True)
