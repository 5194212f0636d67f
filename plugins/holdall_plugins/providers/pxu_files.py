"""Folders of pxu and YAML files, read as providers; what is wrong in them costs only itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdall.errors import ProviderLoadError
from holdall.units import Provider, ProviderProblem
from holdall_plugins.providers.definition import name_of, read_definition, shown
from holdall_plugins.providers.manage_py import MANAGE, manage_fault, read_source_tree
from holdall_plugins.providers.translation import Texts
from holdall_plugins.providers.unit_files import (
    JOBS_SUFFIXES,
    UNIT_SUFFIXES,
    UNITS_SUFFIXES,
    read_file,
    read_units,
    unit_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.units import Unit
    from holdall_plugins.providers.definition import Definition


def provider_at(path: Path, source: str, lang: str = "") -> Provider:
    """Return the provider that *path* holds; its units are read later.

    *path* is a `.provider` file, a folder with one of these, a source tree with a
    `manage.py`, a folder of `.pxu` and YAML files, or one such file. Where nothing says
    them, the name and the namespace are the file's or folder's own name, and the version is 0.

    Args:
        lang: Language of what people read; that of the definitions if not said.

    Raises:
        ProviderLoadError: *path* is nothing of the kind, or its `.provider` file makes no sense.
    """
    if path.is_dir():
        definitions = definitions_in(path)
        if len(definitions) > 1:
            names = " and ".join(repr(definition.name) for definition in definitions)
            reason = f"{names} are {'both' if len(definitions) == 2 else 'all'} there; "
            reason += f"write the whole path of the one that is meant, such as {definitions[0]}"
            raise ProviderLoadError(str(path), reason)
        if definitions:
            return _defined(read_definition(definitions[0]), source, lang)
        definition = read_source_tree(path, name_of(path.name))
        return _defined(definition, source, lang) if definition else _bare(path, source)
    if path.suffix == ".provider" and path.is_file():
        return _defined(read_definition(path), source, lang)
    if path.suffix in UNIT_SUFFIXES and path.is_file():
        return _single(path, source)
    reason = "there is no such file or folder; write the whole path"
    if path.exists():
        reason = "it is no folder, .provider file or .pxu file, nor YAML"
        reason += "; give the folder it lies in"
    raise ProviderLoadError(str(path), reason)


def definitions_in(folder: Path) -> list[Path]:
    """Return the `.provider` files of *folder*, sorted."""
    return sorted(path for path in folder.glob("*.provider") if path.is_file())


def _defined(definition: Definition, source: str, lang: str) -> Provider:
    return Provider(
        definition.name,
        namespace=definition.namespace,
        version=definition.version,
        description=definition.description,
        source=source,
        read=partial(_content, definition, lang),
        folder=definition.folder,
        data_folder=definition.data,
        bin_folder=definition.bin,
        units_folder=definition.units or definition.jobs,
        locale_folder=definition.locale,
        gettext_domain=definition.gettext_domain,
    )


def _content(definition: Definition, lang: str) -> Iterator[Unit | ProviderProblem]:
    yield from definition.problems
    roots = [(definition.units, UNITS_SUFFIXES), (definition.jobs, JOBS_SUFFIXES)]
    texts = Texts(definition, lang) if lang else None
    yield from read_units(roots, definition.namespace, texts)


def _bare(folder: Path, source: str) -> Provider:
    if not any(isinstance(item, Path) for item in unit_files(folder, UNIT_SUFFIXES)):
        reason = "it holds neither a .provider file nor .pxu files; give the folder that does"
        raise ProviderLoadError(str(folder), reason)
    name = name_of(folder.name)
    return _unnamed(name, folder, source, partial(_guessed, folder, name))


def _guessed(folder: Path, name: str) -> Iterator[Unit | ProviderProblem]:
    """Yield what is below a folder; a guess is a warning where it looks like Checkbox's tree."""
    if any((folder / part).is_dir() for part in ("units", "jobs")) or (folder / MANAGE).is_file():
        reason = f"nothing says the namespace, so that it is a guess: {name!r}, after the folder"
        way_out = "add a .provider file, or a manage.py that says it"
        fault = manage_fault(folder)
        if fault:
            way_out = f"mend {shown(folder / MANAGE)} ({fault}), or add a .provider file"
        yield ProviderProblem(shown(folder), 0, "warning", f"{reason}; {way_out}")
    yield from read_units([(folder, UNIT_SUFFIXES)], name)


def _single(path: Path, source: str) -> Provider:
    name = name_of(path.stem)
    return _unnamed(name, path.parent, source, partial(read_file, path, name))


def _unnamed(
    name: str, folder: Path, source: str, read: Callable[[], Iterable[Unit | ProviderProblem]]
) -> Provider:
    data, programs = folder / "data", folder / "bin"
    return Provider(
        name,
        namespace=name,
        version="0",
        source=source,
        read=read,
        folder=folder,
        data_folder=data if data.is_dir() else None,
        bin_folder=programs if programs.is_dir() else None,
        units_folder=folder,
    )
