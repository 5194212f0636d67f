"""Targets: files appear whole or not at all, streams and devices get the bytes as they come."""

from __future__ import annotations

import io
import os
import resource
import stat
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from holdall.errors import ExportTargetError
from holdall.exports.sinks import open_target


def write(target: Any, *pieces: bytes) -> tuple[int, str]:
    with open_target(target) as sink:
        for piece in pieces:
            sink.write(piece)
    return sink.size, sink.sha256


def test_a_file_is_written_counted_and_digested(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"

    assert write(target, b"one ", b"two") == (7, sha256(b"one two").hexdigest())
    assert target.read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_bytes(b"old")

    with pytest.raises(ZeroDivisionError), open_target(target) as sink:
        sink.write(b"new" * (1 // 0))

    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_old_file_is_there_until_the_end(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_bytes(b"old")

    with open_target(target) as sink:
        sink.write(b"new")
        sink.flush()
        seen = target.read_bytes()

    assert (seen, target.read_bytes()) == (b"old", b"new")


def test_a_new_file_honours_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "report.txt", b"x")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "report.txt").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_bytes(b"old")
    target.chmod(0o604)

    write(target, b"new")

    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_behind_a_link_the_file_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "report.txt"
    target.write_bytes(b"old")
    link = tmp_path / "link.txt"
    link.symlink_to(target)

    write(link, b"new")

    assert (link.is_symlink(), target.read_bytes()) == (True, b"new")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param(".", "folder", id="a folder"),
        pytest.param("missing/report.txt", "there is no folder", id="no such folder"),
        pytest.param("file/report.txt", "", id="below a file"),
        pytest.param("n" * 300, "name too long", id="too long"),
        pytest.param("nul\0", "null", id="null character"),
    ],
)
def test_an_impossible_target_is_named_with_the_reason(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    target = f"{tmp_path}/{name}"

    with pytest.raises(ExportTargetError) as caught:
        write(target, b"x")

    assert caught.value.target == target
    assert reason in caught.value.reason.lower()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(ExportTargetError, match="Permission denied"):
        write(tmp_path / "report.txt", b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is full")
def test_a_full_device_is_reported() -> None:
    with pytest.raises(ExportTargetError, match="No space left") as caught:
        write("/dev/full", b"x" * 10_000)

    assert caught.value.target == "/dev/full"


def test_a_disk_without_room_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(ExportTargetError, match="File too large"):
            write(target, b"x" * (1 << 21))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_gets_the_bytes_as_they_come(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()

    write(fifo, b"one ", b"two")
    reader.join()

    assert read == [b"one two"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_standard_output_is_appended_to_where_it_leads_to_a_file(tmp_path: Path) -> None:
    code = (
        "from holdall.exports.sinks import open_target\n"
        "print('before', flush=True)\n"
        "with open_target('/dev/stdout') as sink: sink.write(b'report\\n')\n"
        "print('after')\n"
    )
    with (tmp_path / "out.txt").open("wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)

    assert (tmp_path / "out.txt").read_text() == "before\nreport\nafter\n"


def test_a_stream_is_written_and_stays_open() -> None:
    stream = io.BytesIO()

    write(stream, b"one ", b"two")

    assert (stream.closed, stream.getvalue()) == (False, b"one two")


def test_a_raw_stream_that_takes_little_at_a_time_gets_everything() -> None:
    class Slow(io.RawIOBase):
        taken = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.taken += bytes(data[:3])
            return min(3, len(data))

    stream = Slow()

    write(stream, b"0123456789")

    assert stream.taken == b"0123456789"


def test_a_closed_pipe_is_a_target_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with (
        os.fdopen(writing, "wb", buffering=0) as stream,
        pytest.raises(ExportTargetError) as caught,
    ):
        write(stream, b"x")

    assert isinstance(caught.value.__cause__, BrokenPipeError)


def test_a_closed_stream_is_a_target_error() -> None:
    stream = io.BytesIO()
    stream.close()

    with pytest.raises(ExportTargetError, match="closed"):
        write(stream, b"x")


def test_a_text_stream_is_refused_with_advice() -> None:
    with pytest.raises(ExportTargetError, match="buffer"):
        write(io.StringIO(), b"x")


def test_what_is_neither_path_nor_stream_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        write(7, b"x")
