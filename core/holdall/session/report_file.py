"""The file that a job may write a report to, and files that it wants to be kept, read safely.

What is read was put there by a job, perhaps of another account, while holdall may be root: no
link is followed, nothing but regular files is read, and no more of them than is said here.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from holdall.results import Measurement, Subtest
from holdall.session.folders import remove_tree
from holdall.session.reading import lets_read, unreadable
from holdall.session.report_lines import AttachmentLine, parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.results import Attachment
    from holdall.session.reported import Reported

MOST_BYTES: Final = 64 * 2**20
"""Bytes that are read of one report."""

MOST_LINE: Final = 64 * 1024
"""Bytes that one line of a report may have."""

MOST_ATTACHED: Final = 64 * 2**20
"""Bytes that one attachment may have."""

MOST_ATTACHED_IN_ALL: Final = 256 * 2**20
"""Bytes that the attachments of one attempt may have together."""

MOST_ATTACHMENTS: Final = 1000

_PIECE: Final = 64 * 1024
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Surroundings(NamedTuple):
    """Where a job leaves files, and who it is.

    Attributes:
        folder: Below it, and below the shared one, a file is kept that the job asks to keep;
            paths that are not absolute begin there. None if it is gone.
        share: The folder that jobs share.
        user: The account of the job; empty for the one that runs holdall.
        keep: Stores a file by its name, media type and pieces.
    """

    folder: Path | None
    share: Path
    user: str
    keep: Callable[[str, str, Iterator[bytes]], Attachment]


class ReportFile:
    """The report of one attempt at a job.

    It lies in the folder that the jobs share, whose path a resume knows too: what an attempt
    wrote that was interrupted counts.
    """

    def __init__(self, share: Path, device_id: str, job_id: str, attempt: int) -> None:
        key = "\0".join((device_id, job_id, str(attempt)))
        digest = sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]
        self.path: Final = share / f".holdall-report-{digest}.jsonl"

    def begin(self) -> None:
        """Make it anew, empty, and writable for every account that the share is open to.

        Raises:
            OSError: It can't be made.
        """
        self.path.parent.mkdir(mode=0o700, exist_ok=True)  # a job may have removed it
        self.remove()
        is_open = self.path.parent.stat().st_mode & stat.S_IWOTH
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            if is_open:
                os.fchmod(descriptor, 0o666)
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Remove whatever is in its place."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            remove_tree(self.path)  # a folder, say; what can't be removed is no report

    def read(self, reported: Reported, surroundings: Surroundings) -> None:
        """Add to *reported* what the job wrote; what is wrong with it is told there."""
        try:
            with _opened(self.path.parent, (self.path.name,), surroundings.user) as file:
                _Reading(reported, surroundings).read(file)
        except FileNotFoundError:
            return  # the job removed it, and so reports nothing
        except (OSError, ValueError) as error:
            reported.blame(f"its report can't be read: {_reason(error)}")


class _Reading:
    """One report, line by line."""

    def __init__(self, reported: Reported, surroundings: Surroundings) -> None:
        self._reported = reported
        self._surroundings = surroundings
        self._attached = 0
        self._attached_bytes = 0

    def read(self, file: BinaryIO) -> None:
        for number, line in _lines(file):
            if line is None:
                self._blame(number, f"it is longer than {MOST_LINE:,} bytes")
            elif line.strip():
                self._take(number, line)
        if file.tell() >= MOST_BYTES and file.read(1):
            self._reported.blame(
                f"its report is longer than {MOST_BYTES >> 20} MiB, and was not read to its end"
            )

    def _take(self, number: int, line: bytes) -> None:
        try:
            entry, unknown = parse_line(line)
            if unknown:
                self._blame(number, unknown)
            if isinstance(entry, Subtest | Measurement):
                self._reported.add(entry)
            elif isinstance(entry, AttachmentLine):
                self._attach(entry)
            else:
                self._reported.say(entry.text)
        except (OSError, ValueError) as error:
            self._blame(number, _reason(error))

    def _blame(self, number: int, reason: str) -> None:
        self._reported.blame(f"line {number:,} of its report: {reason}")

    def _attach(self, entry: AttachmentLine) -> None:
        """Keep a file.

        Raises:
            OSError, ValueError: It can't be kept.
        """
        if self._attached >= MOST_ATTACHMENTS:
            raise ValueError(f"more than {MOST_ATTACHMENTS:,} attachments are not kept")
        root, parts = self._located(entry.path)
        with _opened(root, parts, self._surroundings.user) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_ATTACHED:
                limit = f"{MOST_ATTACHED >> 20} MiB"
                raise ValueError(f"{entry.path!r} has {size:,} bytes, more than the {limit}")
            if self._attached_bytes + size > MOST_ATTACHED_IN_ALL:
                limit = f"{MOST_ATTACHED_IN_ALL >> 20} MiB"
                raise ValueError(f"with {entry.path!r} the attachments have more than {limit}")
            pieces = _pieces(file, size)
            kept = self._surroundings.keep(entry.name, entry.media_type, pieces)
            self._reported.attach(kept)
        self._attached += 1
        self._attached_bytes += size

    def _located(self, text: str) -> tuple[Path, tuple[str, ...]]:
        """Return the folder that holds a file, and the steps from there to it.

        Raises:
            ValueError: It is in none that the job may name.
        """
        folder, share = self._surroundings.folder, self._surroundings.share
        path = Path(text)
        if folder is None and not path.is_relative_to(share):
            raise ValueError(f"{text!r} is gone with the folder of the interrupted attempt")
        if folder is not None and not path.is_absolute():
            path = folder / path
        for root in filter(None, (folder, share)):
            for known_as in dict.fromkeys((root, root.resolve())):
                if path != known_as and path.is_relative_to(known_as):
                    parts = path.relative_to(known_as).parts
                    if ".." not in parts:
                        return root, parts
        raise ValueError(
            f"{text!r} is neither in the job's folder nor in that of $HOLDALL_SESSION_SHARE"
        )


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number; None for one that is too long."""
    number = 0
    while file.tell() < MOST_BYTES:
        line = file.readline(MOST_LINE + 1)
        if not line:
            return
        number += 1
        if len(line) <= MOST_LINE or line.endswith(b"\n"):
            yield number, line
            continue
        while file.tell() < MOST_BYTES and not line.endswith(b"\n"):
            line = file.readline(_PIECE)
            if not line:
                break
        yield number, None


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the first *size* bytes: something may still write to it."""
    while size > 0:
        piece = file.read(min(_PIECE, size))
        if not piece:
            return
        size -= len(piece)
        yield piece


@contextmanager
def _opened(root: Path, parts: tuple[str, ...], user: str) -> Iterator[BinaryIO]:
    """Open a regular file below *root*, without following a link on the way.

    Raises:
        OSError, ValueError: There is none, or the account can't read it.
    """
    descriptor = os.open(root, _FOLDER)
    try:
        for index, part in enumerate(parts):
            flags = _FILE if index == len(parts) - 1 else _FOLDER
            below = os.open(part, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        _check(os.fstat(descriptor), root.joinpath(*parts), user)
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _check(status: os.stat_result, path: Path, user: str) -> None:
    """Refuse what is open but is not to be read.

    Raises:
        ValueError: It may never end, or root would read for a job what its account can't read.
    """
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path.name!r} is no regular file")
    is_kept_from = not lets_read(status, user) or unreadable([path], user) is not None
    if os.geteuid() == 0 and is_kept_from:
        raise ValueError(f"{path.name!r} is none that {user!r} can read")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        what = f"{error.filename!r}: " if error.filename else ""
        reason = error.strerror or str(error)
        return f"{what}{'it is a link' if error.errno == errno.ELOOP else reason}"
    return str(error)
