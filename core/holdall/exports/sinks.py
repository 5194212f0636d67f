"""Places that reports are written to: files that appear whole or not at all, and streams."""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import stat
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import ExportTargetError, HoldallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import Sink

    Target = str | os.PathLike[str] | Sink

# Opening these by name would truncate, or write over, the file behind the descriptor.
_DESCRIPTORS: Final = {"/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")

_BUFFER: Final = 1 << 18


class CountingSink:
    """Hands bytes on to a stream, and knows how many they were and their SHA-256."""

    def __init__(
        self,
        stream: Sink,
        name: str,
        *,
        open_part: Callable[[int], CountingSink] | None = None,
        end_parts: Callable[[int], tuple[str, ...]] | None = None,
    ) -> None:
        self._stream = stream
        self._is_raw = isinstance(stream, io.RawIOBase)
        self._sum = hashlib.sha256()
        self._open_part = open_part
        self._end_parts = end_parts
        self._parts: list[str] = []
        self.name = name
        self.size = 0

    @property
    def parts(self) -> tuple[str, ...]:
        """The files that `part` opened."""
        return tuple(self._parts)

    def part(self, number: int) -> CountingSink:
        """Return the sink of another file of the report: `report.2.xml` beside `report.xml`.

        The file before it is complete, and takes nothing more.

        Raises:
            ExportTargetError: The target is a stream, which has nothing beside it.
        """
        if self._open_part is None:
            raise ExportTargetError(self.name, "a report in parts needs a file, not a stream")
        part = self._open_part(number)
        self._parts.append(part.name)
        return part

    def end_parts(self, last: int) -> tuple[str, ...]:
        """Say that part *last* is the last one, and return the files that go for that.

        They are the parts behind it of an earlier, larger report; they are removed once this
        one is in place.
        """
        return () if self._end_parts is None else self._end_parts(last)

    @property
    def sha256(self) -> str:
        """The digest of everything written so far."""
        return self._sum.hexdigest()

    def write(self, data: bytes, /) -> int:
        """Write all of *data*.

        Raises:
            ExportTargetError: The target did not take it.
        """
        self._sum.update(data)
        try:  # for each piece of a report, so without the price of `_blaming`
            self._write(data)
        except HoldallError:
            raise
        except Exception as error:
            raise _refused(self.name, error) from error
        self.size += len(data)
        return len(data)

    def _write(self, data: bytes) -> None:
        if not self._is_raw:
            self._stream.write(data)
            return
        while data:
            taken = self._stream.write(data)
            if not isinstance(taken, int):
                raise BlockingIOError("it takes nothing for now, and reports don't wait")
            data = data[taken:]

    def flush(self) -> None:
        """Hand on what is buffered."""
        with _blaming(self.name):
            flush = getattr(self._stream, "flush", None)
            if flush is not None:
                flush()


def target_name(target: Target) -> str:
    """Return *target* as messages and reports show it."""
    if isinstance(target, str | os.PathLike):
        return os.fspath(target)
    return str(getattr(target, "name", "") or f"<{type(target).__name__}>")


@contextmanager
def open_target(
    target: Target, *, check: Callable[[BinaryIO], None] | None = None
) -> Iterator[CountingSink]:
    """Give a sink for *target*; a file is replaced when the block ends well, and only then.

    Streams, pipes and devices get the bytes as they come and stay open.

    Args:
        check: Reads what was written and raises if it is no good; then nothing is replaced,
            and streams get nothing.

    Raises:
        ExportTargetError: The target can't be opened or did not take everything.
    """
    name = target_name(target)
    if not isinstance(target, str | os.PathLike):
        with _checking(CountingSink(_checked(target, name), name), check) as sink:
            yield sink
        return
    path = Path(target)
    with _blaming(name):
        direct = _direct(path)
    if direct:
        with _closing(direct), _checking(CountingSink(direct, name), check) as sink:
            yield sink
        return
    old: list[Path] = []
    streams: list[BinaryIO] = []
    with ExitStack() as files:

        def part(number: int) -> CountingSink:
            with _blaming(name):
                _complete(streams.pop())  # or a report of many parts would have them all open
            beside = _part(path, number)
            return CountingSink(opened(beside), str(beside))

        def end_parts(last: int) -> tuple[str, ...]:
            old[:] = takewhile(Path.is_file, (_part(path, number) for number in count(last + 1)))
            return tuple(map(str, old))

        def opened(path: Path) -> BinaryIO:
            streams.append(files.enter_context(_replacing(path, str(path), check)))
            return streams[-1]

        yield CountingSink(opened(path), name, open_part=part, end_parts=end_parts)
    with _blaming(name):
        for each in old:
            each.unlink()


def _part(path: Path, number: int) -> Path:
    return path.with_suffix(f".{number}{path.suffix}")


@contextmanager
def _checking(
    sink: CountingSink, check: Callable[[BinaryIO], None] | None
) -> Iterator[CountingSink]:
    """Give *sink*, or one whose bytes reach it only once they were checked."""
    if check is None:
        yield sink
    else:
        with TemporaryFile(prefix="holdall-export-") as spool:
            yield CountingSink(spool, sink.name)
            spool.seek(0)
            check(spool)
            spool.seek(0)
            while piece := spool.read(_BUFFER):
                sink.write(piece)
    sink.flush()


def _checked(stream: Sink, name: str) -> Sink:
    if isinstance(stream, io.TextIOBase):
        raise ExportTargetError(name, "it takes text and reports are bytes; give its '.buffer'")
    if not callable(getattr(stream, "write", None)):
        raise TypeError(f"a target is a path or a binary stream, not {stream!r}")
    return stream


def _direct(path: Path) -> BinaryIO | None:
    """Return *path* opened, if it is something that can't be replaced; None for files."""
    number = _DESCRIPTORS.get(str(path))
    found = _DESCRIPTOR.fullmatch(str(path))
    if found:
        number = int(found[1])
    if number is not None:
        return os.fdopen(os.dup(number), "wb", buffering=_BUFFER)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError("it is a folder; name a file in it")
    return None if stat.S_ISREG(mode) else path.open("wb", buffering=_BUFFER)


@contextmanager
def _closing(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Close *stream* at the end; by then it was flushed, or has failed already."""
    try:
        yield stream
    finally:
        with suppress(OSError):
            stream.close()


@contextmanager
def _replacing(
    target: Path, name: str, check: Callable[[BinaryIO], None] | None = None
) -> Iterator[BinaryIO]:
    """Give a new file beside *target* that takes its place, and its mode, at the end.

    Behind a symbolic link it is the file that is replaced, not the link.
    """
    with _blaming(name):
        target = target.resolve()
        beside = target.with_name(f".holdall-{secrets.token_hex(8)}.tmp")
        stream = _created(beside, target)
    try:
        yield stream
        with _blaming(name):
            if not stream.closed:
                _complete(stream)
            if check is not None:
                with beside.open("rb") as written:
                    check(written)
            beside.replace(target)
            _sync_folder(target.parent)
    finally:
        with suppress(OSError):
            stream.close()
        with suppress(OSError):
            beside.unlink()


def _complete(stream: BinaryIO) -> None:
    """Close *stream*, with all its bytes on the disk."""
    stream.flush()
    os.fsync(stream.fileno())
    stream.close()


def _created(beside: Path, target: Path) -> BinaryIO:
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(beside, flags, 0o666)  # the umask takes its bits off
    with suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))
    return os.fdopen(descriptor, "wb", buffering=_BUFFER)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turn whatever the target raises into an error that names it."""
    try:
        yield
    except HoldallError:
        raise
    except Exception as error:
        raise _refused(name, error) from error


def _refused(name: str, error: Exception) -> ExportTargetError:
    words = error.strerror if isinstance(error, OSError) else None
    return ExportTargetError(name, words or str(error) or type(error).__name__)
