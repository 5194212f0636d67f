"""The importer under test, and what it records."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import RecordingError
from holdall.recording import Recorder
from holdall.stores import open_repository
from holdall.testing.checks.fresh import installed_class, own_plugins
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped
from holdall.testing.sessions import START
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Importer
    from holdall.registry import Candidate
    from holdall.view import AttemptView

LARGE: Final = 1 << 20
"""Bytes from which on a sample measures memory; checks that read often leave it out."""

_numbers: Final = count()


class Load(NamedTuple):
    """What came of one load.

    Attributes:
        view: The session as it was left.
        error: What the importer raised.
    """

    view: SessionView
    error: BaseException | None


@dataclass(frozen=True, kw_only=True)
class ImporterSubject:
    """An importer to check.

    Attributes:
        importer: Its class.
        samples: Files or folders that it reads; those of a MiB or more measure its memory
            besides being accepted and read.
        candidate: Its installed declaration; None for a class that is not installed.
        allowance_mib: How much memory one import may take beside the recorder.
        import_ms: How much CPU time its import may take.
    """

    importer: type[Importer]
    samples: Sequence[Path] = ()
    candidate: Candidate | None = None
    allowance_mib: float = 5.0
    import_ms: float = 1000.0

    @classmethod
    def of(cls, importer: type[Importer], samples: Sequence[Path] = ()) -> ImporterSubject:
        """Return the subject for a class; if it is installed, that is checked as well."""
        candidate = installed_class("importers", importer)
        return cls(importer=importer, samples=tuple(samples), candidate=candidate)

    @contextmanager
    def sources(self) -> Iterator[list[Path]]:
        """Give a copy of each small sample, so that no check can harm what the author keeps.

        If all are large, it is the smallest one.

        Raises:
            CheckSkipped: There are no samples.
        """
        samples = self._sorted()
        small = [sample for sample in samples if size_of(sample) < LARGE]
        with _copies(small or samples[:1]) as sources:
            yield sources

    @contextmanager
    def all_sources(self) -> Iterator[list[Path]]:
        """Give a copy of each sample, of whatever size.

        Raises:
            CheckSkipped: There are no samples.
        """
        with _copies(self._sorted()) as sources:
            yield sources

    def _sorted(self) -> list[Path]:
        if not self.samples:
            raise CheckSkipped("it takes a sample; give --source PATH, or `samples` in a test")
        return sorted(map(Path, self.samples), key=size_of)

    @contextmanager
    def large_sources(self) -> Iterator[list[Path]]:
        """Give a copy of each large sample.

        Raises:
            CheckSkipped: There are none.
        """
        large = [Path(sample) for sample in self.samples if size_of(Path(sample)) >= LARGE]
        if not large:
            wanted = "it takes a sample of 1 MiB (1048576 bytes) or more"
            if not self.samples:
                raise CheckSkipped(f"{wanted}; give --source PATH, or `samples` in a test")
            largest = max(map(size_of, map(Path, self.samples)))
            has = f"the largest that was given has {largest}"
            raise CheckSkipped(f"{wanted}, and {has}; give a larger one besides")
        with _copies(large) as sources:
            yield sources

    def load(self, source: Path) -> Load:
        """Record *source* in a session in memory, at one fixed moment.

        Raises:
            CheckFailed: The importer closed the recorder.
        """
        url = f"memory://check-{next(_numbers)}"
        repository = open_repository(url, registry=own_plugins())
        error: BaseException | None = None
        with Recorder.create(repository, clock=lambda: START) as recorder:
            try:
                self.importer().load(source, recorder)
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - the border to a stranger's code
                error = raised
            try:
                recorder.checkpoint()
            except RecordingError as closed:
                raise CheckFailed("it closed the recorder, which is its caller's") from closed
        storage = repository.open(recorder.session_id, mode="r")
        return Load(SessionView.of(storage), error)

    def loaded(self, source: Path) -> SessionView:
        """Record *source*, and return the session.

        Raises:
            CheckFailed: The importer raised.
        """
        view, error = self.load(source)
        if error is not None:
            words = f"{type(error).__name__}: {error}"
            raise CheckFailed(f"loading {source.name!r} raised {words}") from error
        return view


def recorded(view: SessionView) -> list[Any]:
    """Return what a session says of its devices and jobs, as values to compare."""
    devices = [(each.id, each.description, dict(each.facts)) for each in view.devices]
    return [devices] + [
        (
            job.device_id,
            job.id,
            job.summary,
            job.description,
            job.plugin,
            job.category,
            job.certification_status,
            job.estimated_duration,
            [_of_attempt(attempt) for attempt in job.attempts],
        )
        for job in view.jobs()
    ]


def _of_attempt(attempt: AttemptView) -> tuple[Any, ...]:
    output = sha256()
    for record in attempt.io_log():
        output.update(f"{record.stream} ".encode() + record.data)
    return (
        attempt.outcome,
        attempt.duration,
        attempt.return_code,
        attempt.comments,
        attempt.skip_reason,
        attempt.started_at,
        output.hexdigest(),
        [(each.name, each.media_type, each.size, each.data) for each in attempt.attachments],
        attempt.subtests,
        attempt.measurements,
    )


def size_of(source: Path) -> int:
    """Return how many bytes a file, or all files of a folder, have."""
    if source.is_dir():
        return sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    return source.stat().st_size


@contextmanager
def _copies(samples: Sequence[Path]) -> Iterator[list[Path]]:
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        yield [_copied(sample, Path(folder, str(number))) for number, sample in enumerate(samples)]


def _copied(sample: Path, folder: Path) -> Path:
    folder.mkdir()
    target = folder / sample.name
    if sample.is_dir():
        shutil.copytree(sample, target)
    else:
        shutil.copyfile(sample, target)
    return target
