"""Reports that are folders: written beside the target, and published whole."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import ExportTargetError
from holdall.exports.sinks import blaming, sync_folder, target_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.exports.sinks import Target

LISTING: Final = ".holdall-report"
"""The file of a report's folder that lists the others: such a folder may be replaced."""

_MOST_NAMED: Final = 3  # foreign files that a message names


class FolderWriter:
    """The `FolderSink` of one report.

    Attributes:
        name: The folder, as messages and reports show it.
        size: Bytes of all files, once they are complete.
        sha256: Digest of what `sha256sum` would print of them, in the order of their names.
        parts: The files, where they will be.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._open: list[BinaryIO] = []
        self.name = name
        self.size = 0
        self.sha256 = ""
        self.parts: tuple[str, ...] = ()

    def open(self, name: str) -> BinaryIO:
        """Return a new file of the report, as `FolderSink` says."""
        _check_name(name)
        path = self._folder / name
        with blaming(self.name):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                taken = "a folder" if path.is_dir() else "a file"
                raise ExportTargetError(self.name, f"the report has {taken} {name!r} already")
            file = io.BufferedWriter(_ReportFile(path, self.name))
        # A file that is closed is not kept: there may be very many.
        self._open = [each for each in self._open if not each.closed]
        self._open.append(file)
        self._names.append(name)
        return file

    def complete(self) -> None:
        """Close every file, with all its bytes on the disk, and list them."""
        total = hashlib.sha256()
        for file in self._open:
            file.close()
        self._names.sort()
        for name in self._names:
            path = self._folder / name
            with path.open("rb") as written:
                digest = hashlib.file_digest(written, "sha256").hexdigest()
                os.fsync(written.fileno())
                self.size += written.tell()
            total.update(f"{digest}  {name}\n".encode("utf-8", "surrogateescape"))
        names = "".join(f"{name}\n" for name in self._names)
        (self._folder / LISTING).write_text(names, encoding="utf-8", errors="surrogateescape")
        self.sha256 = total.hexdigest()
        self.parts = tuple(f"{self.name}/{name}" for name in self._names)

    def close(self) -> None:
        """Close the files of a report that failed."""
        for file in self._open:
            with suppress(OSError, ExportTargetError):
                file.close()


class _ReportFile(io.FileIO):
    """A file of a report; what the disk refuses is no fault of the exporter."""

    def __init__(self, path: Path, target: str) -> None:
        super().__init__(path, "xb")
        self._target = target

    def write(self, data: object, /) -> int:
        with blaming(self._target):
            return super().write(data)  # type: ignore[arg-type]


def check_is_path(target: Target) -> str | os.PathLike[str]:
    """Return a target that is a path; a stream can hold no folder.

    Raises:
        ExportTargetError: It is one.
    """
    if not isinstance(target, str | os.PathLike):
        reason = "the report is a folder, which needs a path, not a stream"
        raise ExportTargetError(target_name(target), reason)
    return target


@contextmanager
def open_folder(
    target: Target, *, check: Callable[[Path], None] | None = None
) -> Iterator[FolderWriter]:
    """Give a sink for the folder *target*, which is replaced when the block ends well.

    A folder that holds anything but an earlier report is never replaced.

    Args:
        check: Looks at the folder and raises if it is no good; then nothing is replaced.

    Raises:
        ExportTargetError: The folder can't be written, or holds something else.
    """
    name = target_name(target)
    place = check_is_path(target)
    with blaming(name):
        path = Path(place).resolve()
        mode = _replaceable(path)
        # In the same folder: only a rename within one file system is a single step.
        beside = path.with_name(f".holdall-{secrets.token_hex(8)}.tmp")
        beside.mkdir()
    writer = FolderWriter(beside, name.rstrip(os.sep) or name)
    try:
        yield writer
        with blaming(name):
            writer.complete()
        if check is not None:
            check(beside)
        with blaming(name):
            if mode is not None:
                beside.chmod(mode)
            _put_in_place(beside, path)
    finally:
        writer.close()
        shutil.rmtree(beside, ignore_errors=True)


def _check_name(name: str) -> None:
    """Refuse what is no path of a file inside the folder: a programming error."""
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts) or not name.isprintable() or "\\" in name:
        raise ValueError(f"{name!r} is no name of a file in the report's folder")
    if parts[0] == LISTING:
        raise ValueError(f"the name {name!r} is taken: it lists the files of the report")


def _replaceable(path: Path) -> int | None:
    """Return the mode of the folder that may be replaced, None if there is none.

    Raises:
        ExportTargetError: It holds files that are not of an earlier report.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r}")
    if not path.exists():
        return None
    if not path.is_dir():
        raise NotADirectoryError("it is a file, and the report is a folder")
    listing = path / LISTING
    text = listing.read_text("utf-8", "surrogateescape") if listing.is_file() else ""
    foreign = sorted(_files_in(path) - {LISTING, *text.splitlines()})
    if foreign:
        named = ", ".join(foreign[:_MOST_NAMED]) + (", ..." if foreign[_MOST_NAMED:] else "")
        reason = f"it holds what no earlier report wrote ({named}); name another folder"
        raise ExportTargetError(str(path), reason)
    return stat.S_IMODE(path.stat().st_mode)


def _files_in(folder: Path) -> set[str]:
    """Return the paths of all files below *folder*; what is linked to is not looked into."""
    names = set()
    for above, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(above) / name).is_symlink()]
        names |= {(Path(above) / name).relative_to(folder).as_posix() for name in files + links}
    return names


def _put_in_place(beside: Path, path: Path) -> None:
    """Rename *beside* to *path*; what was there is kept until then, and put back on failure."""
    earlier = path.with_name(f"{beside.name}.old") if path.exists() else None
    if earlier is not None:
        path.rename(earlier)
    try:
        beside.rename(path)
    except BaseException:
        if earlier is not None:
            earlier.rename(path)
        raise
    sync_folder(path.parent)
    if earlier is not None:
        shutil.rmtree(earlier, ignore_errors=True)
