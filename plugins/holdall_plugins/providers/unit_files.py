"""Files of units below folders, read one after another; what is wrong costs only itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.errors import RecordSyntaxError
from holdall.units import Job, Origin, ProviderProblem, draft_unit, parse_records
from holdall_plugins.providers.definition import shown
from holdall_plugins.providers.yaml_units import MISSING, Remark, parse_yaml_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.units import Finding, Record, Unit
    from holdall_plugins.providers.translation import Texts

_YAML: Final = (".yaml", ".yml")
UNIT_SUFFIXES: Final = (".pxu", *_YAML)
UNITS_SUFFIXES: Final = (".pxu", ".txt", *_YAML)
JOBS_SUFFIXES: Final = (".pxu", ".txt", ".in", *_YAML)


def read_units(
    roots: Iterable[tuple[Path | None, tuple[str, ...]]],
    namespace: str,
    texts: Texts | None = None,
) -> Iterator[Unit | ProviderProblem]:
    """Yield the units in all files below *roots* that end as said there, and all problems.

    Args:
        texts: Translates what people read.
    """
    for root, suffixes in roots:
        for item in unit_files(root, suffixes) if root else ():
            if isinstance(item, ProviderProblem):
                yield item
            else:
                yield from read_file(item, namespace, texts)


def unit_files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path | ProviderProblem]:
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
                yield ProviderProblem(shown(path), 0, "warning", reason)
    for error in refused:
        reason = f"the folder can't be read: {error.strerror}"
        yield ProviderProblem(shown(error.filename), 0, "error", reason)


def read_file(
    path: Path, namespace: str, texts: Texts | None = None
) -> Iterator[Unit | ProviderProblem]:
    """Yield the units of one file, and what is wrong with its other records."""
    file = shown(path)
    if not path.is_file():
        reason = "it is no regular file, or a link that leads nowhere"
        yield ProviderProblem(file, 0, "error", reason)
        return
    try:
        data = path.read_bytes()
    except OSError as exc:
        yield ProviderProblem(file, 0, "error", f"it can't be read: {exc.strerror}")
        return
    for item in _yaml_items(data, file) if path.suffix in _YAML else _pxu_items(data, file):
        if isinstance(item, ProviderProblem):
            yield item
        elif isinstance(item, RecordSyntaxError):
            yield ProviderProblem(file, item.line, "error", item.reason)
        else:
            yield from judged(item, file, namespace, texts)


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


def judged(
    record: Record, file: str, namespace: str, texts: Texts | None
) -> Iterator[Unit | ProviderProblem]:
    """Yield the unit that a record defines, and what is wrong with it."""
    fields = texts.of(record.fields) if texts else record.fields
    unit = draft_unit(fields, namespace=namespace, origin=Origin(file, record.first_line))
    faults = list(unit.faults())
    what = f"{unit.kind} {unit.id!r}" if unit.id else unit.kind
    if faults:
        reasons = "; ".join(fault.text for fault in faults)
        line = _line(record, faults[0])
        # A job with an id stays, so that a run of it is an error, and no pass for want of it.
        stays = isinstance(unit, Job) and all(fault.field != "id" for fault in faults)
        outcome = "can't be performed" if stays else "is left out"
        yield ProviderProblem(file, line, "error", f"{what} {outcome}: {reasons}")
        if stays:
            yield unit
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
