"""What both layouts of an archive are made with: packers, members, and room for their content."""

from __future__ import annotations

import gzip
import lzma
import sys
import tarfile
from contextlib import contextmanager, nullcontext
from importlib import import_module
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from holdall.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from holdall.contracts import Sink

IN_MEMORY: Final = 1 << 20
_LEVEL: Final = 6
_ZSTD_LEVEL: Final = 3


def unpacked(report: BinaryIO) -> BinaryIO:
    """Return the archive decompressed by the method that its first bytes name."""
    start = report.read(len(_ZSTD_MAGIC))
    report.seek(0)
    if start == _ZSTD_MAGIC:
        return cast("BinaryIO", _zstd().open(report))
    if start.startswith(_GZIP_MAGIC):
        return cast("BinaryIO", gzip.open(report))
    if start.startswith(_XZ_MAGIC):
        return cast("BinaryIO", lzma.open(report))
    return report


@contextmanager
def _gzipped(stream: BinaryIO) -> Iterator[BinaryIO]:
    with gzip.GzipFile("", "wb", _LEVEL, stream, mtime=0) as packed:
        yield cast("BinaryIO", packed)


@contextmanager
def _xzipped(stream: BinaryIO) -> Iterator[BinaryIO]:
    with lzma.open(stream, "wb", preset=_LEVEL) as packed:
        yield cast("BinaryIO", packed)


@contextmanager
def _zstdipped(stream: BinaryIO) -> Iterator[BinaryIO]:
    with _zstd().open(stream, "wb", level=_ZSTD_LEVEL) as packed:
        yield packed


def _zstd() -> Any:
    """Return the module that Python has itself from 3.14 on, and its copy before."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ImportError as error:
        raise ExportError(
            f"cannot pack an archive with zst: the module {name!r} is not installed; "
            'run: pip install "holdall[zstd]", or choose compression=gz'
        ) from error


PACKERS: Final[Mapping[str, Callable[[BinaryIO], AbstractContextManager[BinaryIO]]]] = {
    "default": _gzipped,
    "gz": _gzipped,
    "xz": _xzipped,
    "zst": _zstdipped,
    "none": nullcontext,
}
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_XZ_MAGIC: Final = b"\xfd7zX"


def add_member(
    tar: tarfile.TarFile, name: str, content: BinaryIO, size: int, now: datetime
) -> None:
    """Append a member that anybody may read; nothing of it stays in memory."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mtime = int(now.timestamp())
    member.mode = 0o644
    tar.addfile(member, content)
    # It keeps each one, to look up what nobody asks here; the stubs forget the attribute.
    tar.members.clear()  # type: ignore[attr-defined]


def spool(folder: Path) -> BinaryIO:
    """Return a file that is in memory while it is small."""
    return cast("BinaryIO", SpooledTemporaryFile(IN_MEMORY, dir=str(folder)))


def spooled(pieces: Iterable[bytes], folder: Path, size: int) -> BinaryIO:
    """Return a file that holds *pieces*, at its start."""
    content = BytesIO() if size <= IN_MEMORY else spool(folder)
    for piece in pieces:
        content.write(piece)
    content.seek(0)
    return content


class Stream:
    """A sink as `GzipFile` wants it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: Any) -> int:
        """Write to the sink."""
        self._sink.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: the pipeline flushes."""
