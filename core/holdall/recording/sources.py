"""What a user names becomes files and folders, each with the importer that accepts it."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.contracts import FolderImporter
from holdall.contracts.importers import HEAD
from holdall.errors import (
    ImportingError,
    ImportSourceError,
    NoImporterError,
    PluginError,
    SeveralImportersError,
)
from holdall.reading import Unpacking, packing_of
from holdall.registry import Registry, calling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.contracts import Importer


_PREFIX: Final = "holdall-import-"
_PIECE: Final = 64 * 1024


class Part(NamedTuple):
    """Something that one importer loads as a whole.

    Attributes:
        named: What a user calls it, for messages.
        importer: Id of the importer; empty for a file in a folder that none accepts.
        path: The file or folder to load; what was packed or came from a pipe is unpacked there.
        problem: Why not all of it is there.
    """

    named: str
    importer: str
    path: Path
    problem: ImportingError | None = None


def find_importer(source: str | os.PathLike[str], *, registry: Registry | None = None) -> str:
    """Return the id of the one installed importer that accepts a file or folder, by content.

    Importers that can't be loaded, or have a fault, accept nothing.

    Raises:
        NoImporterError: None accepts it as a whole.
        SeveralImportersError: Several do.
        ImportSourceError: It can't be read.
    """
    named = os.fspath(source)
    plugins = Registry.given(registry)
    if named and Path(named).is_dir():
        return _the_one(named, _accepting(named, _of_folder(Path(named)), plugins))
    with _opened(named) as opened:
        return _one_of(named, opened.head, plugins)


def parts_of(source: str, importer: str, plugins: Registry) -> Iterator[Part]:
    """Yield what *source* consists of; each part is there until the next one is asked for.

    A folder is one part if an importer accepts it as such, or is named; otherwise each file in
    it, and in its folders, is one.

    Raises:
        NoImporterError: No importer accepts it, or any file in it.
        SeveralImportersError: Several do.
        ImportSourceError: It can't be read.
    """
    if not source or not Path(source).is_dir():
        with _opened(source) as opened:
            name = importer or _one_of(source, opened.head, plugins)
            yield Part(source, name, *opened.whole())
        return
    folder = Path(source)
    found = [importer] if importer else _accepting(source, _of_folder(folder), plugins).names
    if len(found) > 1:
        raise SeveralImportersError(source, found)
    if found:
        yield Part(source, found[0], folder)
        return
    yield from _files(folder, plugins)


def _files(folder: Path, plugins: Registry) -> Iterator[Part]:
    """Yield the files of a folder that no importer accepts as such."""
    asked = _Answers([], [], [])
    is_any, is_empty = False, True
    for path in _below(folder):
        is_empty = False
        try:
            with _opened(os.fspath(path)) as opened:
                asked = _accepting(str(path), _of_file(opened.head, path.name), plugins)
                if len(asked.names) > 1:
                    raise SeveralImportersError(str(path), asked.names)
                if asked.names:
                    is_any = True
                    yield Part(str(path), asked.names[0], *opened.whole())
                else:
                    yield Part(str(path), "", path)
        except ImportingError as error:  # which the other files are none the worse for
            is_any = True
            yield Part(str(path), "", path, error)
    if is_empty:
        raise ImportSourceError(str(folder), "no file is in it")
    if not is_any:
        raise NoImporterError(str(folder), asked.asked, asked.faults)


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in the order of their names; links are not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


class _Answers(NamedTuple):
    names: list[str]
    asked: list[str]
    faults: list[str]


def _one_of(source: str, head: bytes, plugins: Registry) -> str:
    """Return the id of the one importer that accepts a file with this beginning.

    Raises:
        ImportSourceError: It is empty.
        NoImporterError, SeveralImportersError: None does, or several do.
    """
    if not head:
        raise ImportSourceError(source, "it is empty")
    return _the_one(source, _accepting(source, _of_file(head, Path(source).name), plugins))


def _the_one(source: str, answers: _Answers) -> str:
    if not answers.names:
        raise NoImporterError(source, answers.asked, answers.faults)
    if len(answers.names) > 1:
        raise SeveralImportersError(source, answers.names)
    return answers.names[0]


def _accepting(source: str, accepts: Callable[[Importer], bool], plugins: Registry) -> _Answers:
    """Return the importers that accept a source; those that have a fault accept nothing."""
    answers = _Answers([], [], [])
    for name in dict.fromkeys(candidate.id for candidate in plugins.candidates("importers")):
        try:
            made = plugins.load("importers", name)
            identity = plugins.resolve("importers", name).identity
            with calling(identity, f"looking at {source}") as call:
                if call.returned(accepts(made()), bool):
                    answers.names.append(name)
            answers.asked.append(name)
        except PluginError as error:
            answers.faults.append(str(error))
    return answers


def _of_file(head: bytes, name: str) -> Callable[[Importer], bool]:
    return lambda importer: importer.accepts(head, name)


def _of_folder(folder: Path) -> Callable[[Importer], bool]:
    def accepts(importer: Importer) -> bool:
        if isinstance(importer, FolderImporter):
            return importer.accepts_folder(folder)
        return importer.accepts(b"", folder.name)

    return accepts


class _Opened(NamedTuple):
    """The beginning of a file, and what returns the whole as a file that can be loaded.

    What was packed may be damaged; then the file has what is in front of that.
    """

    head: bytes
    whole: Callable[[], tuple[Path, ImportSourceError | None]]


@contextmanager
def _opened(source: str) -> Iterator[_Opened]:
    """Open a file, or what is packed in it, or a pipe.

    What comes from a pipe, or is packed, is put into a temporary file, but only once somebody
    wants the whole: it may have no end.

    Raises:
        ImportSourceError: It can't be read.
    """
    path = Path(source)
    if not source:
        raise ImportSourceError(source, "it names no file")
    with ExitStack() as held:
        with _reasoned(source):
            stream = held.enter_context(path.open("rb"))
            head = stream.read(HEAD)
        folder = cache(lambda: Path(held.enter_context(TemporaryDirectory(prefix=_PREFIX))))
        plain = cache(lambda: path)
        if not path.is_file():
            pieces = chain([head], iter(lambda: stream.read(_PIECE), b""))
            plain = cache(lambda: _written(source, pieces, folder() / path.name))
        if packing_of(head):
            unpacking = held.enter_context(_unpacking(source, plain()))
            with _reasoned(source):
                first = unpacking.read(HEAD)
            rest = chain([first], unpacking.pieces())
            yield _Opened(
                first, lambda: _unpacked(source, rest, folder() / f"{path.stem}.unpacked")
            )
        else:
            yield _Opened(head, lambda: (plain(), None))


def _unpacked(
    source: str, pieces: Iterable[bytes], path: Path
) -> tuple[Path, ImportSourceError | None]:
    try:
        return _written(source, pieces, path), None
    except ImportSourceError as error:
        if isinstance(error.__cause__, OSError):  # of the temporary file
            raise
        return path, error


@contextmanager
def _unpacking(source: str, path: Path) -> Iterator[Unpacking]:
    with _reasoned(source), closing(Unpacking(path)) as unpacking:
        yield unpacking


def _written(source: str, pieces: Iterable[bytes], path: Path) -> Path:
    with _reasoned(source), path.open("wb") as target:
        target.writelines(pieces)
    return path


@contextmanager
def _reasoned(source: str) -> Iterator[None]:
    """Say of which source it is that it can't be read."""
    try:
        yield
    except OSError as error:
        raise ImportSourceError(source, error.strerror or str(error)) from error
    except ValueError as error:
        raise ImportSourceError(source, str(error)) from error
