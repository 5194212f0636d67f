"""A file of another tool as a session: the importer is found by content, and blamed by name."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from holdall.contracts.importers import HEAD
from holdall.errors import (
    HoldallError,
    ImportSourceError,
    NoImporterError,
    PluginError,
    SeveralImportersError,
    StorageError,
)
from holdall.recording.recorder import Recorder, opened_repository
from holdall.registry import Registry, calling
from holdall.units import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from holdall.contracts import Importer, Repository
    from holdall.redaction import RedactionRules
    from holdall.registry import Candidate


class Imported(NamedTuple):
    """What an import left behind.

    Attributes:
        session_id: The session that was made.
        importer: Id of the importer that made it.
    """

    session_id: str
    importer: str


def import_results(
    source: str | os.PathLike[str],
    repository: Repository | str | os.PathLike[str] | None = None,
    *,
    importer: str = "",
    title: str = "",
    device: str = LOCAL,
    registry: Registry | None = None,
    redact: RedactionRules | None = None,
) -> Imported:
    """Record what *source* holds in a session of its own, by an installed importer.

    What was recorded before a damage of the source stays in the session; a session in which
    nothing was recorded does not stay.

    Args:
        source: A file, a folder or a pipe.
        repository: A repository or its URL; without one the store in the user's data folder.
        importer: Id of the importer; without one, the only one that accepts the source.
        title: What people call the session; without one, the source's name.
        device: What the results are of, where the source does not say.
        redact: What to mask before anything is stored.

    Raises:
        NoImporterError: No importer accepts the source.
        SeveralImportersError: Several do.
        ImportSourceError: It can't be read, the importer refused what is in it, or no job is.
        PluginError: The importer can't be loaded, or has a fault.
        StorageError: The session can't be stored.
    """
    plugins = Registry.given(registry)
    named = os.fspath(source)
    name = plugins.resolve("importers", importer).id if importer else ""
    with _opened(named) as (head, whole):
        name = name or _accepting(named, head, plugins)
        path = whole()
        made = plugins.load("importers", name)
        stored = opened_repository(repository, plugins)
        recorder = Recorder.create(
            stored,
            title=title or Path(source).resolve().name,
            device=device,
            registry=plugins,
            redact=redact,
        )
        with _kept_if_filled(recorder, stored), recorder:
            recorder.note_plugin("importers", name, plugins)
            candidate = plugins.resolve("importers", name)
            _load(made, candidate, named, path, recorder)
            if not recorder.job_count:
                reason = "no result is in it"
                raise ImportSourceError(named, reason, name, candidate.origin)
    return Imported(recorder.session_id, name)


def find_importer(source: str | os.PathLike[str], *, registry: Registry | None = None) -> str:
    """Return the id of the one installed importer that accepts a file or folder, by content.

    Importers that can't be loaded, or have a fault, accept nothing.

    Raises:
        NoImporterError: None accepts it.
        SeveralImportersError: Several do.
        ImportSourceError: It can't be read.
    """
    named = os.fspath(source)
    with _opened(named) as (head, _whole):
        return _accepting(named, head, Registry.given(registry))


def _accepting(source: str, head: bytes, plugins: Registry) -> str:
    """Return the id of the one importer that accepts a source with this beginning.

    Raises:
        NoImporterError, SeveralImportersError: None does, or several do.
    """
    path = Path(source)
    asked, accepting, reasons = [], [], []
    for name in dict.fromkeys(candidate.id for candidate in plugins.candidates("importers")):
        try:
            made = plugins.load("importers", name)
            identity = plugins.resolve("importers", name).identity
            with calling(identity, f"looking at {source}") as call:
                if call.returned(made().accepts(head, path.name), bool):
                    accepting.append(name)
            asked.append(name)
        except PluginError as error:
            reasons.append(str(error))
    if not accepting:
        raise NoImporterError(source, asked, reasons)
    if len(accepting) > 1:
        raise SeveralImportersError(source, accepting)
    return accepting[0]


def _load(
    made: type[Importer], candidate: Candidate, source: str, path: Path, recorder: Recorder
) -> None:
    with calling(candidate.identity, f"importing {source}"):
        try:
            made().load(path, recorder)
        except HoldallError:
            raise
        except ValueError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImportSourceError(source, reason, candidate.id, candidate.origin) from error


@contextmanager
def _kept_if_filled(recorder: Recorder, repository: Repository) -> Iterator[None]:
    """Say where results are that were recorded before an error, or remove the empty session."""
    try:
        yield
    except (HoldallError, KeyboardInterrupt) as error:
        if recorder.job_count:
            what = "1 job was" if recorder.job_count == 1 else f"{recorder.job_count} jobs were"
            error.add_note(f"{what} recorded before, in the session {recorder.session_id}")
        else:
            try:
                repository.remove(recorder.session_id)
            except StorageError as left:
                error.add_note(f"an empty session stays: {left}")
        raise


@contextmanager
def _opened(source: str) -> Iterator[tuple[bytes, Callable[[], Path]]]:
    """Give the beginning of a source, and what returns the whole as a file or folder.

    What comes from a pipe is put into a temporary file, but only once somebody wants the whole:
    it may have no end.

    Raises:
        ImportSourceError: It can't be read.
    """
    path = Path(source)
    if not source:
        raise ImportSourceError(source, "it names no file")
    if path.is_dir():
        yield b"", lambda: path
        return
    stream, head = _begun(source, path)
    with stream:
        if path.is_file():
            yield head, lambda: path
            return
        with TemporaryDirectory(prefix="holdall-import-") as folder:
            yield head, lambda: _copied(source, head, stream, Path(folder, path.name))


def _begun(source: str, path: Path) -> tuple[BinaryIO, bytes]:
    """Open a file, and read its beginning."""
    try:
        stream = path.open("rb")
        return stream, stream.read(HEAD)
    except OSError as error:
        raise ImportSourceError(source, error.strerror or str(error)) from error


def _copied(source: str, head: bytes, stream: BinaryIO, path: Path) -> Path:
    try:
        with path.open("wb") as target:
            target.write(head)
            shutil.copyfileobj(stream, target)
    except OSError as error:
        raise ImportSourceError(source, error.strerror or str(error)) from error
    return path
