"""Targets of reports: files that appear whole or not at all, and streams."""

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
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, Self, TypeAlias

from holdall.errors import ExportTargetError, HoldallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from holdall.contracts import Sink

    Target: TypeAlias = str | os.PathLike[str] | Sink

# Opening these by name would truncate, or write over, the file behind the descriptor.
_DESCRIPTORS: Final = {"/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")

_BUFFER: Final = 1 << 18


class CountingSink:
    """Writes to a stream, and counts and digests the bytes."""

    def __init__(self, stream: Sink, name: str) -> None:
        self._stream = stream
        self._is_raw = isinstance(stream, io.RawIOBase)
        self._sum = hashlib.sha256()
        self.name = name
        self.size = 0

    @property
    def parts(self) -> tuple[str, ...]:
        """Further files of the report."""
        return ()

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
        try:  # for each piece of a report, so without the price of `blaming`
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
        with blaming(self.name):
            flush = getattr(self._stream, "flush", None)
            if flush is not None:
                flush()


class Siblings(Protocol):
    """The numbered files beside the first one of a report."""

    def opened(self, number: int) -> CountingSink:
        """Return the sink of the file of that number; the one before it is complete."""
        ...

    def remove_behind(self, number: int) -> tuple[str, ...]:
        """Remove the files of higher numbers once the report is in place; return their names."""
        ...


class NumberedSink(CountingSink):
    """The `SplitSink` of a report that may be split; a stream has no files beside it."""

    def __init__(self, stream: Sink, name: str, siblings: Siblings | None = None) -> None:
        super().__init__(stream, name)
        self._siblings = siblings
        self._parts: list[str] = []

    @property
    def parts(self) -> tuple[str, ...]:
        """The files that `part` opened."""
        return tuple(self._parts)

    def part(self) -> CountingSink:
        """Return the next file of the report, as `SplitSink` says."""
        if self._siblings is None:
            raise ExportTargetError(self.name, "a report in parts needs a file, not a stream")
        part = self._siblings.opened(len(self._parts) + 2)
        self._parts.append(part.name)
        return part

    def end_parts(self) -> tuple[str, ...]:
        """Claim the names behind the last part, as `SplitSink` says."""
        if self._siblings is None:
            return ()
        return self._siblings.remove_behind(len(self._parts) + 1)


def target_name(target: Target) -> str:
    """Return *target* as messages and reports show it."""
    if isinstance(target, str | os.PathLike):
        return os.fspath(target)
    return str(getattr(target, "name", "") or f"<{type(target).__name__}>")


@contextmanager
def open_target(
    target: Target,
    *,
    check: Callable[[BinaryIO], None] | None = None,
    sink_class: type[CountingSink] = CountingSink,
) -> Iterator[CountingSink]:
    """Give a sink for *target*; a file is replaced when the block ends well, and only then.

    Streams, pipes and devices get the bytes as they come and stay open.

    Args:
        check: Reads what was written and raises if it is no good; then nothing is replaced,
            and streams get nothing.
        sink_class: `NumberedSink` for a report that may be split.

    Raises:
        ExportTargetError: The target can't be opened or did not take everything.
    """
    name = target_name(target)
    if not isinstance(target, str | os.PathLike):
        with _checking(sink_class(_checked(target, name), name), check) as sink:
            yield sink
        return
    path = Path(target)
    with blaming(name):
        if name.endswith(os.sep):
            raise IsADirectoryError("it names a folder; name a file in it")
        direct = _direct(path)
    if direct:
        with _closing(direct), _checking(sink_class(direct, name), check) as sink:
            yield sink
        return
    with _Files(path, name, check) as files:
        first = files.created(path)
        if issubclass(sink_class, NumberedSink):
            yield sink_class(first, name, files)
        else:
            yield sink_class(first, name)


class _Files:
    """The files of one report: all are put in place when the block ends well, or none."""

    def __init__(self, path: Path, name: str, check: Callable[[BinaryIO], None] | None) -> None:
        self._path = path
        self._name = name
        self._check = check
        self._files = ExitStack()
        self._last: BinaryIO | None = None
        self._surplus: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The new files come first: if one fails, the earlier report must still be whole.
        self._files.__exit__(kind, error, traceback)
        if error is None:
            with blaming(self._name):
                for path in self._surplus:
                    path.unlink()

    def created(self, path: Path) -> BinaryIO:
        """Return the file that takes the place of *path* at the end."""
        replacing = _replacing(path, str(path), self._check)
        self._last = self._files.enter_context(replacing)
        return self._last

    def opened(self, number: int) -> CountingSink:
        """Return the sink of the file of that number; the one before it is complete."""
        if self._last is not None:
            with blaming(self._name):
                _complete(self._last)  # or a report of many parts would have them all open
        path = _part(self._path, number)
        return CountingSink(self.created(path), str(path))

    def remove_behind(self, number: int) -> tuple[str, ...]:
        """Remove the files of higher numbers once the report is in place; return their names."""
        numbered = (_part(self._path, higher) for higher in count(number + 1))
        self._surplus = list(takewhile(Path.is_file, numbered))
        return tuple(map(str, self._surplus))


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
        # What reached a stream can't be taken back, so nothing reaches it unchecked.
        with TemporaryFile(prefix="holdall-export-") as spool:
            yield type(sink)(spool, sink.name)
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
    match = _DESCRIPTOR.fullmatch(str(path))
    if match:
        number = int(match[1])
    if number is not None:
        # Opened by its name it would begin at offset 0, over what the caller wrote there.
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
    with blaming(name):
        target = target.resolve()
        beside = target.with_name(f".holdall-{secrets.token_hex(8)}.tmp")
        stream = _created(beside, target)
    try:
        yield stream
        with blaming(name):
            if not stream.closed:
                _complete(stream)
            if check is not None:
                with beside.open("rb") as written:
                    check(written)
            beside.replace(target)
            sync_folder(target.parent)
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


def sync_folder(folder: Path) -> None:
    """Make what was renamed in *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Turn whatever the target raises into an error that names it."""
    try:
        yield
    except HoldallError:
        raise
    except Exception as error:
        raise _refused(name, error) from error


def _refused(name: str, error: Exception) -> ExportTargetError:
    reason = error.strerror if isinstance(error, OSError) else None
    return ExportTargetError(name, reason or str(error) or type(error).__name__)
