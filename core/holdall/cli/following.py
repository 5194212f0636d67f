"""`holdall export --follow`: a report that grows while its session runs.

A report is made again whenever something new is stored, and of its lines those are written that
were not there yet, in their order. So each line is written once, whatever happens to
the follower: one that is started again finds in the file what it had written.
"""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager, suppress
from gettext import gettext as _
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from time import monotonic, sleep
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import click
from msgspec.structs import replace

from holdall.contracts import GrowsByLines
from holdall.errors import ExportTargetError
from holdall.exports import find_exporter
from holdall.upkeep import wait_for_entries
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from holdall.contracts import ExportReport, Repository
    from holdall.registry import Registry
    from holdall.session import ReportRequest

if TYPE_CHECKING:
    Write = Callable[[SessionView, Sequence[ReportRequest], BinaryIO], list[ExportReport]]

_SHARE: Final = 5  # times as long as a report took, a follower waits before it makes the next one
_LEAST_PAUSE_S: Final = 0.2


def require_growing(wanted: tuple[ReportRequest, ...], registry: Registry) -> ReportRequest:
    """Return the only report that is wanted.

    Raises:
        click.UsageError: There are several, or its exporter writes none that grow.
    """
    if len(wanted) != 1:
        raise click.UsageError(_("--follow is for one report"))
    known = find_exporter(registry, wanted[0].exporter, {})
    if not isinstance(known.load(), GrowsByLines):
        message = _("--follow is for reports that grow by lines, such as ndjson, not for {name}")
        raise click.UsageError(message.format(name=known.id))
    return wanted[0]


def follow_report(
    repository: Repository,
    session_id: str,
    wanted: ReportRequest,
    write: Write,
    *,
    timeout: float | None,
) -> tuple[SessionView, list[ExportReport]]:
    """Write the lines of a report as they come; return what it shows at last, and the report.

    It ends when the session is finished, or when nothing came for *timeout* seconds. The last
    line, which says how the session stands, is written then and no sooner. Lines that are in the
    file already are not written again.

    Args:
        write: Writes reports on a view to a file.

    Raises:
        ExportTargetError: The file can't be written, or has lines of another report.
    """
    request = replace(wanted, path=None)
    with _target(wanted.path) as lines:
        while True:
            with closing(repository.open(session_id, mode="r")) as storage:
                head, start = storage.head, monotonic()
                view = SessionView.of(storage)
                with _blaming(gettempdir()), TemporaryFile(prefix="holdall-follow-") as file:
                    reports = write(view, [request], file)
                    if reports[0].exception is not None:
                        return view, reports
                    file.seek(0)
                    lines.add(file)
                is_over = view.state == "finished"
                if not is_over:
                    sleep(max(_LEAST_PAUSE_S, _SHARE * (monotonic() - start)))
                    is_over = not wait_for_entries(storage, head, timeout=timeout)
            if is_over:
                lines.end()
                return view, reports


class _Before(NamedTuple):
    """What a file has from a follower before: its first and its last line, and where that is."""

    first: bytes
    last: bytes
    start: int


class _Lines:
    """The lines that are written, each known by its digest.

    Args:
        stream: Takes the lines.
        target: What errors call it.
    """

    def __init__(self, stream: BinaryIO, target: str) -> None:
        self._stream: Final = stream
        self._target: Final = target
        self._known: Final[set[bytes]] = set()
        self._before: _Before | None = None
        self._last = b""

    def recall(self, line: bytes, start: int) -> None:
        """Know a line that was written before, and that begins at byte *start*."""
        digest = _digest(line)
        self._known.add(digest)
        first = digest if self._before is None else self._before.first
        self._before = _Before(first, digest, start)

    def add(self, report: BinaryIO) -> None:
        """Write the lines of *report* that are new, all but the last one.

        Raises:
            ExportTargetError: They can't be written, or those that were there before begin
                otherwise than *report*.
        """
        if self._before is not None:
            self._go_on(report, self._before)
            self._before = None
        report.seek(0)
        previous = b""
        for line in report:
            if previous:
                self._write(previous)
            previous = line
        self._last = previous
        self._flush()

    def _go_on(self, report: BinaryIO, before: _Before) -> None:
        """Go on behind lines of *report*; the last of a follower that had ended is no longer."""
        if _digest(report.readline()) != before.first:
            raise ExportTargetError(self._target, _("the lines in it are of another report"))
        report.seek(0)
        places = [n for n, line in enumerate(report) if _digest(line) == before.last]
        report.seek(0)
        if not places or places[-1] == sum(1 for _line in report) - 1:
            with _blaming(self._target):
                self._stream.truncate(before.start)
            self._known.discard(before.last)

    def end(self) -> None:
        """Write the last line of the last report."""
        self._write(self._last)
        self._flush()

    def _write(self, line: bytes) -> None:
        digest = _digest(line)
        if digest in self._known:
            return
        with _blaming(self._target):
            self._stream.write(line)
        self._known.add(digest)

    def _flush(self) -> None:
        with _blaming(self._target):
            self._stream.flush()


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()


@contextmanager
def _blaming(target: str) -> Iterator[None]:
    """Say of which target an error is."""
    try:
        yield
    except OSError as error:
        raise ExportTargetError(target, error.strerror or str(error)) from error


@contextmanager
def _target(path: str | None) -> Iterator[_Lines]:
    """Give what writes to *path*, behind the whole lines that are there, or to standard output."""
    if path is None:
        yield _Lines(sys.stdout.buffer, _("standard output"))
        return
    with _blaming(path):
        file = Path(path).open("a+b" if _is_kept(path) else "wb")  # noqa: SIM115 - closed below
    try:
        lines = _Lines(file, path)
        if _is_kept(path):
            _recall(file, lines, path)
        yield lines
    finally:
        with suppress(OSError):  # all was flushed, or is told to have failed
            file.close()


def _is_kept(path: str) -> bool:
    """Whether what is written there can be read again: it is no pipe and no device."""
    return Path(path).is_file() or not Path(path).exists()


def _recall(file: BinaryIO, lines: _Lines, path: str) -> None:
    """Know the lines that are there; one that is not whole is of a follower that was killed."""
    with _blaming(path):
        file.seek(0)
        end = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            lines.recall(line, end)
            end += len(line)
        file.truncate(end)
