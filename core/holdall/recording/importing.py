"""A file of another tool as a session: the importer is found by content, and blamed by name."""

from __future__ import annotations

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
    import os
    from collections.abc import Iterator

    from holdall.contracts import Importer, Repository
    from holdall.redaction import RedactionRules


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
    with _as_path(source) as path:
        name = plugins.resolve("importers", importer).id if importer else ""
        name = name or find_importer(path, registry=plugins)
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
            _load(made, plugins, name, path, recorder)
            if not recorder.job_count:
                reason = "no result is in it"
                raise ImportSourceError(
                    str(path), reason, name, plugins.resolve("importers", name).origin
                )
    return Imported(recorder.session_id, name)


def find_importer(source: str | os.PathLike[str], *, registry: Registry | None = None) -> str:
    """Return the id of the one installed importer that accepts a file or folder, by content.

    Importers that can't be loaded, or have a fault, accept nothing.

    Raises:
        NoImporterError: None accepts it.
        SeveralImportersError: Several do.
        ImportSourceError: It can't be read.
    """
    plugins = Registry.given(registry)
    path = Path(source)
    head = _head(path)
    asked, accepting, reasons = [], [], []
    for name in dict.fromkeys(candidate.id for candidate in plugins.candidates("importers")):
        try:
            made = plugins.load("importers", name)
            identity = plugins.resolve("importers", name).identity
            with calling(identity, f"looking at {path}") as call:
                if call.returned(made().accepts(head, path.name), bool):
                    accepting.append(name)
            asked.append(name)
        except PluginError as error:
            reasons.append(str(error))
    if not accepting:
        raise NoImporterError(str(path), asked, reasons)
    if len(accepting) > 1:
        raise SeveralImportersError(str(path), accepting)
    return accepting[0]


def _load(
    made: type[Importer], registry: Registry, name: str, path: Path, recorder: Recorder
) -> None:
    candidate = registry.resolve("importers", name)
    with calling(candidate.identity, f"importing {path}"):
        try:
            made().load(path, recorder)
        except HoldallError:
            raise
        except ValueError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImportSourceError(str(path), reason, name, candidate.origin) from error


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


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            return b""
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise ImportSourceError(str(path), error.strerror or str(error)) from error


@contextmanager
def _as_path(source: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the source as a file or folder; what comes from a pipe is in a temporary file."""
    path = Path(source)
    if path.is_file() or path.is_dir() or not path.exists():
        yield path
        return
    with TemporaryDirectory(prefix="holdall-import-") as folder:
        copied = Path(folder, path.name)
        try:
            with path.open("rb") as pipe, copied.open("wb") as target:
                shutil.copyfileobj(pipe, target)
        except OSError as error:
            raise ImportSourceError(str(path), error.strerror or str(error)) from error
        yield copied
