"""Folders of pxu and YAML files, read as providers; what is wrong in them costs only itself."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.errors import ProviderLoadError, RecordSyntaxError
from holdall.units import Origin, Provider, ProviderProblem, draft_unit, parse_records
from holdall_plugins.providers.definition import read_definition
from holdall_plugins.providers.yaml_units import MISSING, Remark, parse_yaml_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.units import Finding, Record, Unit

_YAML: Final = (".yaml", ".yml")
UNIT_SUFFIXES: Final = (".pxu", *_YAML)
_UNITS: Final = (".pxu", ".txt", *_YAML)
_JOBS: Final = (".pxu", ".txt", ".in", *_YAML)


def provider_at(path: Path, source: str) -> Provider:
    """Return the provider that *path* holds; its units are read later.

    *path* is a `.provider` file, a folder with one of these, a folder of `.pxu`
    and YAML files, or one such file. Without a `.provider` file the name and the namespace
    are the file's or folder's own name, and the version is 0.

    Raises:
        ProviderLoadError: *path* is nothing of the kind, or its `.provider` file makes no sense.
    """
    if path.is_dir():
        definitions = definitions_in(path)
        if len(definitions) > 1:
            names = " and ".join(repr(definition.name) for definition in definitions)
            reason = f"{names} are both there; name the one that is meant"
            raise ProviderLoadError(str(path), reason)
        return _defined(definitions[0], source) if definitions else _bare(path, source)
    if path.suffix == ".provider" and path.is_file():
        return _defined(path, source)
    if path.suffix in UNIT_SUFFIXES and path.is_file():
        return _single(path, source)
    reason = "there is no such file or folder; write the whole path"
    if path.exists():
        reason = (
            "it is no folder, .provider file or .pxu file, nor YAML; give the folder it lies in"
        )
    raise ProviderLoadError(str(path), reason)


def definitions_in(folder: Path) -> list[Path]:
    """Return the `.provider` files of *folder*, sorted."""
    return sorted(path for path in folder.glob("*.provider") if path.is_file())


def _defined(path: Path, source: str) -> Provider:
    definition = read_definition(path)
    roots = [(definition.units, _UNITS), (definition.jobs, _JOBS)]
    return Provider(
        definition.name,
        namespace=definition.namespace,
        version=definition.version,
        description=definition.description,
        source=source,
        read=partial(_units, roots, definition.namespace),
        folder=definition.folder,
        data_folder=definition.data,
        bin_folder=definition.bin,
        units_folder=definition.units or definition.jobs,
    )


def _bare(folder: Path, source: str) -> Provider:
    if not any(isinstance(item, Path) for item in _files(folder, UNIT_SUFFIXES)):
        reason = "it holds neither a .provider file nor .pxu files, and no YAML files either"
        reason += "; give the folder that does"
        raise ProviderLoadError(str(folder), reason)
    name = _as_name(folder.name)
    return _unnamed(name, folder, source, partial(_units, [(folder, UNIT_SUFFIXES)], name))


def _single(path: Path, source: str) -> Provider:
    name = _as_name(path.stem)
    return _unnamed(name, path.parent, source, partial(_units_of, path, name))


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


def _as_name(word: str) -> str:
    """Return *word* with all that can't stand in a namespace replaced."""
    parts = re.sub(r"[^A-Za-z0-9_.-]+", "_", word).split(".")
    return ".".join(filter(None, parts)) or "local"


def _units(
    roots: Iterable[tuple[Path | None, tuple[str, ...]]], namespace: str
) -> Iterator[Unit | ProviderProblem]:
    for root, suffixes in roots:
        for item in _files(root, suffixes) if root else ():
            if isinstance(item, ProviderProblem):
                yield item
            else:
                yield from _units_of(item, namespace)


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path | ProviderProblem]:
    """Yield the files below *folder* that end so, sorted; hidden ones are none of ours.

    Linked files are read and linked folders are not, so that no walk is endless.
    """
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.endswith(suffixes):
                yield Path(parent, name)
        for path in (Path(parent, name) for name in folders):
            if path.is_symlink():
                reason = "a linked folder is not followed; move it here, or link its files"
                yield ProviderProblem(_shown(path), 0, "warning", reason)
    for error in refused:
        reason = f"the folder can't be read: {error.strerror}"
        yield ProviderProblem(_shown(error.filename), 0, "error", reason)


def _units_of(path: Path, namespace: str) -> Iterator[Unit | ProviderProblem]:
    """Yield the units of one file, and what is wrong with its other records."""
    shown = _shown(path)
    if not path.is_file():
        reason = "it is no regular file, or a link that leads nowhere"
        yield ProviderProblem(shown, 0, "error", reason)
        return
    try:
        data = path.read_bytes()
    except OSError as exc:
        yield ProviderProblem(shown, 0, "error", f"it can't be read: {exc.strerror}")
        return
    for item in _yaml_items(data, shown) if path.suffix in _YAML else _pxu_items(data, shown):
        if isinstance(item, ProviderProblem):
            yield item
        elif isinstance(item, RecordSyntaxError):
            yield ProviderProblem(shown, item.line, "error", item.reason)
        else:
            yield from _judged(item, shown, namespace)


def _pxu_items(data: bytes, file: str) -> Iterator[Record | RecordSyntaxError | ProviderProblem]:
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        text = data.decode(errors="backslashreplace")
        line = data.count(b"\n", 0, exc.start) + 1
        reason = "it is not UTF-8 here; such bytes are kept as escapes, like \\xff"
        yield ProviderProblem(file, line, "warning", reason)
    yield from parse_records(text)


def _yaml_items(data: bytes, file: str) -> Iterator[Record | RecordSyntaxError | ProviderProblem]:
    try:
        for item in parse_yaml_units(data):
            if isinstance(item, Remark):
                yield ProviderProblem(file, item.line, "warning", item.text)
            else:
                yield item
    except ImportError:
        yield ProviderProblem(file, 0, "error", MISSING)


def _judged(record: Record, file: str, namespace: str) -> Iterator[Unit | ProviderProblem]:
    unit = draft_unit(record.fields, namespace=namespace, origin=Origin(file, record.first_line))
    faults = list(unit.faults())
    what = f"{unit.kind} {unit.id!r}" if unit.id else unit.kind
    if faults:
        reasons = "; ".join(fault.text for fault in faults)
        line = _line(record, faults[0])
        yield ProviderProblem(file, line, "error", f"{what} is left out: {reasons}")
        return
    yield unit
    for doubt in unit.doubts():
        yield ProviderProblem(file, _line(record, doubt), "warning", f"{what}: {doubt.text}")


def _line(record: Record, finding: Finding) -> int:
    """Return the line of the field that is meant, in whichever spelling, or the record's first."""
    for written, line in record.field_lines.items():
        if written.replace("-", "_").removeprefix("_") == finding.field:
            return line
    return record.first_line


def _shown(path: str | Path) -> str:
    """Return the path for people, whatever bytes it is made of."""
    return os.fsencode(path).decode(errors="backslashreplace")
