"""Files of other tools as a session: importers are found by content, and blamed by name."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from functools import partial as bound
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import (
    ImportingError,
    PluginCallError,
    StorageError,
)
from holdall.recording.loading import load_source
from holdall.recording.recorder import Recorder, opened_repository
from holdall.recording.sources import parts_of
from holdall.registry import Registry
from holdall.units import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from holdall.contracts import Repository
    from holdall.errors import (
        HoldallError,
    )
    from holdall.recording.sources import Part
    from holdall.redaction import RedactionRules

_JOB: Final = "import"
_NOT_ACCEPTED: Final = "files that no importer accepts"


class Imported(NamedTuple):
    """What an import left behind.

    Attributes:
        session_id: The session that was made.
        importers: Ids of the importers that made it.
        left_out: What the sources have and a session can't keep, and how much of it.
        problems: What could not be imported; only of an import that may be partial.
    """

    session_id: str
    importers: tuple[str, ...]
    left_out: Mapping[str, int]
    problems: tuple[str, ...] = ()


def import_results(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    repository: Repository | str | os.PathLike[str] | None = None,
    *,
    importer: str = "",
    title: str = "",
    device: str = LOCAL,
    partial: bool = False,
    registry: Registry | None = None,
    redact: RedactionRules | None = None,
) -> Imported:
    """Record what *source* holds in a session of its own, by installed importers.

    All of it is recorded or nothing stays, unless the import may be partial: then the session
    keeps what was sound, and a job of it, with the outcome `error`, says what was not. So does
    a session whose import was killed.

    Args:
        source: A file, a folder or a pipe; or several of them for one session.
        repository: A repository or its URL; without one the store in the user's data folder.
        importer: Id of the importer; without one, the only one that accepts each source.
        title: What people call the session; without one, what the source says, or its name.
        device: What the results are of, where the source does not say.
        partial: Whether to keep what is sound of a source that is damaged.
        redact: What to mask before anything is stored.

    Raises:
        NoImporterError: No importer accepts the source.
        SeveralImportersError: Several do.
        ImportSourceError: It can't be read, the importer refused what is in it, or no job is.
        PluginError: The importer can't be loaded, or has a fault.
        StorageError: The session can't be stored.
        ValueError: There is no source.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not sources:
        raise ValueError("there is no source to import")
    plugins = Registry.given(registry)
    name = plugins.resolve("importers", importer).id if importer else ""
    stored = opened_repository(repository, plugins)
    make = bound(
        Recorder.create,
        stored,
        title=title,
        device=device,
        registry=plugins,
        redact=redact,
    )
    running = _Import(make, plugins, importer=name, may_be_partial=partial)
    with _kept_or_removed(running, stored):
        for each in sources:
            running.take(os.fspath(each))
        return running.finished(", ".join(map(_name_of, sources)))


def _name_of(source: str | os.PathLike[str]) -> str:
    """Return the name of a source; one that is no file, such as a pipe, is called as it was."""
    path = Path(source)
    return path.resolve().name if path.exists() and not path.is_fifo() else path.name


class _Import:
    """An import while it runs; its session is made when the first source was accepted.

    Until it has ended, an attempt at a job of its own is in flight, on a device that nothing else
    has: so a session of which a part is missing never looks whole.
    """

    def __init__(
        self,
        make: Callable[[], Recorder],
        plugins: Registry,
        *,
        importer: str,
        may_be_partial: bool,
    ) -> None:
        self.session: _Session | None = None
        self.may_be_partial: Final = may_be_partial
        self._make: Final = make
        self._plugins: Final = plugins
        self._importer: Final = importer
        self._used: Final[dict[str, None]] = {}
        self._problems: Final[list[HoldallError]] = []
        self._not_accepted = 0

    def take(self, source: str) -> None:
        """Record what *source* holds.

        Raises:
            ImportingError, PluginError: It can't be imported, and the import may not be partial.
        """
        with self._noted():
            for part in parts_of(source, self._importer, self._plugins):
                if not part.importer and part.problem is None:
                    self._not_accepted += 1
                    continue
                with self._noted():  # of a folder, the other files are imported all the same
                    self._take(part)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Keep what is wrong with a source, if the import may be partial."""
        try:
            yield
        except (ImportingError, PluginCallError) as error:
            if not self.may_be_partial:
                raise
            self._problems.append(error)

    def _take(self, part: Part) -> None:
        """Load a part; of one that could be unpacked in part, what there is."""
        if part.problem is None:
            self._load(part)
            return
        if self.may_be_partial and part.importer:
            # That it is cut off is the problem, whatever the importer makes of it.
            with suppress(ImportingError, PluginCallError):
                self._load(part)
        raise part.problem

    def finished(self, names: str) -> Imported:
        """Record how the import ended, close the session, and return what became of it.

        Args:
            names: What to call the session, if nobody and no source said.
        """
        if self.session is None or self.session.is_empty:
            raise self._problems[0]
        recorder = self.session.recorder
        if self._not_accepted:
            recorder.leave_out(_NOT_ACCEPTED, self._not_accepted)
        problems = tuple(map(str, self._problems))
        recorder.suggest_title(names)
        self.session.finish(problems)
        return Imported(recorder.session_id, tuple(self._used), dict(recorder.left_out), problems)

    def _load(self, part: Part) -> None:
        self._plugins.load("importers", part.importer)  # one that can't be loaded makes no session
        if self.session is None:
            self.session = _Session(self._make())
        recorder = self.session.recorder
        if part.importer not in self._used:
            self._used[part.importer] = None
            recorder.note_plugin("importers", part.importer, self._plugins)
        load_source(part.importer, part.named, part.path, recorder, plugins=self._plugins)


class _Session:
    """The session that is made, and the attempt that is in flight as long as it is."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder: Final = recorder
        # No source can have recorded a device of this name before.
        self._device: Final = f"{_JOB}-{recorder.session_id.rpartition('-')[2]}"
        self._attempt: Final = recorder.attempt(_JOB, device=self._device)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded but the import itself."""
        return self.recorder.job_count <= 1 and not self.recorder.result_count

    def finish(self, problems: Sequence[str]) -> None:
        """Say what the session lacks, or that it lacks nothing, and close it."""
        if problems:
            self._attempt.finish("error", comments="\n".join(problems))
        else:
            self._attempt.discard()
            self.recorder.remove_device(self._device)
        self.recorder.close()


@contextmanager
def _kept_or_removed(running: _Import, repository: Repository) -> Iterator[None]:
    """Remove the session of an import that failed, or say where what was recorded stays."""
    try:
        yield
    except BaseException as error:
        if running.session is not None:
            recorder = running.session.recorder
            is_kept = running.may_be_partial and not running.session.is_empty
            try:
                recorder.close()
                if not is_kept:
                    repository.remove(recorder.session_id)
            except StorageError as left:
                error.add_note(f"the session {recorder.session_id} stays: {left}")
            else:
                if is_kept:
                    where = f"the session {recorder.session_id}"
                    error.add_note(f"what was recorded before is in {where}")
        raise
