"""What a job writes to standard output, read as the results of its parts: `output-format`.

A format is an importer's, and importers record with a `Recorder`, which is built on this room.
So who runs a session hands over the function that reads one.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Protocol

from holdall.errors import HoldallError, ImportSourceError
from holdall.journal import unpack_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.registry import Registry
    from holdall.results import JobResult, Measurement, Subtest
    from holdall.session.manager import SessionManager
    from holdall.session.reported import Reported

MOST_READ: Final = 64 * 2**20
"""Bytes of a job's output that are read in its format."""


class OutputReader(Protocol):
    """Reads the output of a job: `holdall.recording.read_output` does."""

    def __call__(
        self,
        importer: str,
        source: Path,
        add: Callable[[Subtest | Measurement], None],
        *,
        registry: Registry,
    ) -> str:
        """Hand over each part of the job that *source* tells of; return what is wrong, if any.

        Raises:
            HoldallError: It can't be read; what was handed over before counts.
        """
        ...


class OutputCopy:
    """The beginning of what a job wrote to standard output, in a file."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.fault = ""
        self._file = path.open("wb")
        self._size = 0

    def write(self, data: bytes) -> None:
        """Keep what was written just now; nothing is raised, the log has it anyway."""
        room = MOST_READ - self._size
        self._size += len(data)
        if self._size > MOST_READ:
            self.fault = self.fault or f"only its first {MOST_READ >> 20} MiB were read"
        try:
            self._file.write(data[: max(0, room)])
        except OSError as error:
            self.fault = f"it could not be copied: {error.strerror}"

    def close(self) -> None:
        """Let all of it be read."""
        try:
            self._file.close()
        except OSError as error:
            self.fault = f"it could not be copied: {error.strerror}"


@contextmanager
def output_copy(pieces: Iterable[bytes] = ()) -> Iterator[OutputCopy]:
    """Give a copy of a job's output that is gone afterwards.

    Raises:
        OSError: None can be made.
    """
    with TemporaryDirectory(prefix="holdall-output-", ignore_cleanup_errors=True) as folder:
        copy = OutputCopy(Path(folder, "stdout"))
        try:
            for piece in pieces:
                copy.write(piece)
            yield copy
        finally:
            copy.close()


class Outputs:
    """Reads the outputs of a session's jobs."""

    def __init__(self, manager: SessionManager, reader: OutputReader | None) -> None:
        self._manager: Final = manager
        self._reader: Final = reader
        self._noted: Final[set[str]] = set()

    def read(self, importer: str, copy: OutputCopy, reported: Reported) -> None:
        """Add to *reported* what the output says; what is wrong with it is told there."""
        copy.close()
        what = f"its output was not read as {importer!r}"
        if self._reader is None:
            reported.doubt(f"{what}: the application that runs it reads no output")
            return
        registry = self._manager.registry
        try:
            fault = self._reader(importer, copy.path, reported.add, registry=registry)
            if importer not in self._noted:
                self._noted.add(importer)
                self._manager.note_plugin("importers", importer)
        except HoldallError as error:
            reason = error.reason if isinstance(error, ImportSourceError) else str(error)
            reported.doubt(f"{what}: {' '.join(reason.split())}")
        else:
            if fault:
                reported.blame(f"its output as {importer!r}: {fault}")
        if copy.fault:
            reported.blame(f"its output as {importer!r}: {copy.fault}")

    def read_recovered(self, importer: str, result: JobResult, reported: Reported) -> None:
        """Add to *reported* what the kept output of an interrupted attempt says."""
        try:
            with output_copy(self._stdout(result)) as copy:
                self.read(importer, copy, reported)
        except (OSError, HoldallError) as error:
            reported.doubt(f"its output was not read as {importer!r}: {error}")

    def _stdout(self, result: JobResult) -> Iterator[bytes]:
        yield from (record.data for record in result.io_log if record.stream == "stdout")
        if result.io_log_ref is not None:
            with self._manager.storage.open_blob(result.io_log_ref) as log:
                for record in unpack_records(log, name=result.io_log_ref):
                    if record.stream == "stdout":
                        yield record.data
