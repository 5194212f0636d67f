"""Our own plain form: jobs, plans and categories as tables of TOML files."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import ProviderLoadError, near
from holdall.units import Origin, Provider, ProviderProblem, Record, draft_unit
from holdall_plugins.providers.definition import name_of, namespace_of, shown
from holdall_plugins.providers.toml_fields import (
    FILLED_IN,
    ID,
    PROVIDER,
    TABLES,
    TEMPLATE_ID,
    pattern,
    schema,
)
from holdall_plugins.providers.toml_tables import DEFINITION, Fault, has_tables, parse_tables
from holdall_plugins.providers.unit_files import judged, unit_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import HasSchema, ProviderLoader
    from holdall.units import Unit
    from holdall_plugins.providers.toml_tables import Table

_SUFFIX: Final = ".toml"
_HEAD: Final = 2**20
_LEFT_OUT: Final = ("bin", "data", "locale")


class TomlLoader:
    """Reads a `.toml` file, or a folder with a `provider.toml` and more of them."""

    def accepts(self, source: str) -> bool:
        """Whether *source* is such a file, which has a table of ours, or such a folder."""
        try:
            path = _path(source)
            if path.is_dir():
                return (path / DEFINITION).is_file()
            return path.suffix == _SUFFIX and path.is_file() and _has_tables(path)
        except (OSError, ProviderLoadError):
            return False

    def load(self, source: str) -> Provider:
        """Return the provider at the path *source*; its jobs are read on first use.

        Raises:
            ProviderLoadError: There is none, or its table `[provider]` makes no sense.
        """
        path = _path(source)
        try:
            is_folder = path.is_dir()
            main = path / DEFINITION if is_folder else path
            if not main.is_file() or main.suffix != _SUFFIX:
                reason = f"there is no such .toml file, nor a folder with a {DEFINITION}"
                raise ProviderLoadError(source, f"{reason}; write the whole path")
            data = main.read_bytes()
        except OSError as error:
            raise ProviderLoadError(source, f"it can't be read: {error.strerror}") from error
        items = list(parse_tables(data))
        faults = [item for item in items if isinstance(item, Fault)]
        if len(faults) == len(items) and not any(fault.kind for fault in faults if fault.name):
            reasons = [f"line {fault.line}: {fault.text}" for fault in faults if fault.line]
            reason = "it has no table such as [job.NAME]"
            raise ProviderLoadError(source, "; ".join([reason, *reasons[:1]]))
        return _provider(path, is_folder=is_folder, main=main, items=items)

    def json_schema(self) -> str:
        """Return the JSON Schema of such a file, as text."""
        return json.dumps(schema(), indent=2, ensure_ascii=False)


def _path(source: str) -> Path:
    """Return the path that *source* means.

    Raises:
        ProviderLoadError: No file can have it.
    """
    try:
        path = Path(source).expanduser().absolute()
        path.exists()  # refuses a path with a NUL, and one that is too long
    except (OSError, RuntimeError, ValueError) as error:
        raise ProviderLoadError(source, f"no such path can be read: {error}") from error
    return path


def _has_tables(path: Path) -> bool:
    with path.open("rb") as file:
        return has_tables(file.read(_HEAD).decode("utf-8-sig", errors="replace"))


def _provider(
    path: Path, *, is_folder: bool, main: Path, items: Iterable[Table | Fault]
) -> Provider:
    folder = main.parent
    tables = [item for item in items if not isinstance(item, Fault) and item.kind == "provider"]
    said = _said(main, tables[0]) if tables else {}
    own = name_of(folder.name if is_folder else path.stem)
    name = said.get("name") or own
    namespace = said.get("namespace") or ""
    try:
        namespace = namespace_of(name, namespace or ("" if ":" in name else name_of(name)))
    except ValueError as error:
        field, reason = error.args
        raise _refusal(main, tables[0].lines.get(field, 0) if tables else 0, reason) from error
    data, programs = folder / "data", folder / "bin"
    return Provider(
        name,
        namespace=namespace,
        version=said.get("version") or "0",
        description=said.get("description", ""),
        source=str(path),
        read=partial(_content, folder if is_folder else None, main, namespace),
        folder=folder,
        data_folder=data if data.is_dir() else None,
        bin_folder=programs if programs.is_dir() else None,
        units_folder=folder,
    )


def _said(main: Path, table: Table) -> dict[str, str]:
    """Return what `[provider]` says.

    Raises:
        ProviderLoadError: A field has a value that it does not take.
    """
    said = {}
    for name, value in table.content.items():
        if name in PROVIDER:
            try:
                said[name] = PROVIDER[name].value.text(value)
            except (TypeError, ValueError) as error:
                line = table.lines.get(name, table.line)
                raise _refusal(main, line, f"field {name!r}: {error}") from error
    return said


def _refusal(main: Path, line: int, reason: str) -> ProviderLoadError:
    where = f"line {line}, " if line else ""
    return ProviderLoadError(str(main), f"{where}table [provider]: {reason}")


def _content(folder: Path | None, main: Path, namespace: str) -> Iterator[Unit | ProviderProblem]:
    """Yield the units of one file, or of all in a folder, and what is wrong with them."""
    records: list[_Drafted] = []
    for file in _files(folder, main):
        if isinstance(file, ProviderProblem):
            yield file
            continue
        name = shown(file)
        try:
            data = file.read_bytes()
        except OSError as error:
            yield ProviderProblem(name, 0, "error", f"it can't be read: {error.strerror}")
            continue
        for item in parse_tables(data):
            draft = _Draft(name, is_main=file == main)
            record = draft.of_fault(item) if isinstance(item, Fault) else draft.of_table(item)
            yield from draft.problems
            if record is not None:
                records.append(_Drafted(name, record))
    _add_facts([drafted.record for drafted in records])
    for drafted in records:
        if not drafted.record.field_lines:  # a job that can't be performed, as was told
            origin = Origin(drafted.file, drafted.record.first_line)
            yield draft_unit(drafted.record.fields, namespace=namespace, origin=origin)
            continue
        yield from judged(drafted.record, drafted.file, namespace, None)


class _Drafted(NamedTuple):
    file: str
    record: Record


def _files(folder: Path | None, main: Path) -> Iterator[Path | ProviderProblem]:
    if folder is None:
        yield main
        return
    for item in unit_files(folder, (_SUFFIX,)):
        if isinstance(item, ProviderProblem):
            yield item
        elif item.parent == folder or item.relative_to(folder).parts[0] not in _LEFT_OUT:
            if item.is_file():
                yield item
            else:
                yield ProviderProblem(shown(item), 0, "error", "it is no regular file")


class _Draft:
    """One table as the record of a unit, and what is wrong with it."""

    def __init__(self, file: str, *, is_main: bool) -> None:
        self.problems: list[ProviderProblem] = []
        self._file = file
        self._is_main = is_main

    def of_fault(self, fault: Fault) -> Record | None:
        """Return a job that can't be performed for a table that can't be read, if it was one."""
        is_job = fault.kind == "job" and TEMPLATE_ID.fullmatch(fault.name)
        outcome = f"job {fault.name!r} can't be performed: " if is_job else ""
        self._error(fault.line, f"{outcome}{fault.text}")
        return self._unusable(fault.name, fault.line) if is_job else None

    def of_table(self, table: Table) -> Record | None:
        """Return the unit that a table defines; None if it is of no use, or none."""
        self._look_for_unknown(table)
        if table.kind == "provider":
            if not self._is_main:
                self._error(table.line, f"the table [provider] belongs into {DEFINITION}")
            return None
        made = "for-each" in table.content and table.kind == "job"
        if not (TEMPLATE_ID if made else ID).fullmatch(table.name):
            reason = "a name has letters, digits and -_./"
            hint = "" if made or "{" not in table.name else "; a name with {} needs 'for-each'"
            self._error(table.line, f"{table.kind} {table.name!r} is left out: {reason}{hint}")
            return None
        fields, faults = self._fields(table)
        if not faults:
            return self._record(table, fields)
        outcome = "can't be performed" if table.kind == "job" else "is left out"
        for line, text in faults:
            self._error(line, f"{table.kind} {table.name!r} {outcome}: {text}")
        return self._unusable(table.name, table.line) if table.kind == "job" else None

    def _look_for_unknown(self, table: Table) -> None:
        known = TABLES[table.kind]
        for name in table.content:
            if name not in known:
                line = table.lines.get(name, table.line)
                what = f"{table.kind} {table.name!r}" if table.name else "[provider]"
                text = f"{what}: holdall does not know the field {name!r}{near(name, known)}"
                self.problems.append(ProviderProblem(self._file, line, "warning", text))

    def _fields(self, table: Table) -> tuple[dict[str, str], list[tuple[int, str]]]:
        """Return the fields of the unit, and the faults of a table with their lines."""
        fields: dict[str, str] = {}
        faults: list[tuple[int, str]] = []
        for name, value in table.content.items():
            field = TABLES[table.kind].get(name)
            if field is None:
                continue
            try:
                fields[field.unit] = field.value.text(value)
            except (TypeError, ValueError) as error:
                faults.append((table.lines.get(name, table.line), f"field {name!r}: {error}"))
        faults += [(table.line, text) for text in _missing(table)]
        return fields, faults

    def _record(self, table: Table, fields: dict[str, str]) -> Record:
        fields = _FINISHED[table.kind](table, fields)
        units = {field.unit: name for name, field in TABLES[table.kind].items()}
        lines = {unit: table.lines[name] for unit, name in units.items() if name in table.lines}
        last = max(lines.values(), default=table.line)
        return Record(fields, table.line, last, lines)

    def _unusable(self, name: str, line: int) -> Record:
        """Return a job whose run is an error: one that is not there would let a plan pass."""
        plugin = f"unusable, see {self._file}:{line}"
        return Record({"id": name, "plugin": plugin}, line, line, {})

    def _error(self, line: int, text: str) -> None:
        # A job that stays is told here, in words of the file that its author wrote.
        self.problems.append(ProviderProblem(self._file, line, "error", text))


def _missing(table: Table) -> Iterator[str]:
    content = table.content
    if table.kind == "plan" and not {"include", "plans"} & {*content}:
        yield "it has neither 'include' nor 'plans', and so no jobs"
    if table.kind == "category" and "name" not in content:
        yield "it has no 'name', the heading in reports"
    if table.kind == "job":
        kind = content.get("kind", "automatic")
        if kind != "manual" and "command" not in content:
            yield "it has no 'command'; a job that a person does has kind = \"manual\""
        if kind == "manual" and not {"steps", "description"} & {*content}:
            yield "it has no 'steps', and nobody knows what to do"
        if "where" in content and "for-each" not in content:
            yield "'where' says which records of 'for-each' count, and there is none"


def _job(table: Table, fields: dict[str, str]) -> dict[str, str]:
    fields.setdefault("plugin", "shell")
    reason = table.content.get("xfail")
    if isinstance(reason, str):
        said = (fields.get("purpose"), f"Expected to fail: {reason}")
        fields["purpose"] = "\n\n".join(filter(None, said))
    if "template_resource" not in fields:
        return {"unit": "job", "id": table.name, **fields}
    filled = {
        name: text if name.startswith("template_") else _with_braces(text)
        for name, text in fields.items()
    }
    return {"unit": "template", "id": table.name, **filled}


def _with_braces(text: str) -> str:
    """Return *text* with all braces doubled but those around names of fields."""
    pieces, end = [], 0
    for match in FILLED_IN.finditer(text):
        pieces += [_doubled(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*pieces, _doubled(text[end:])])


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _plan(table: Table, fields: dict[str, str]) -> dict[str, str]:
    fields.setdefault("name", table.name)
    fields.setdefault("include", "")
    return {"unit": "test plan", "id": table.name, **fields}


def _category(table: Table, fields: dict[str, str]) -> dict[str, str]:
    return {"unit": "category", "id": table.name, **fields}


_FINISHED: Final = {"job": _job, "plan": _plan, "category": _category}


def _add_facts(records: list[Record]) -> None:
    """Let each plan run the facts first that jobs are made of which it includes."""
    templates = [record.fields for record in records if record.fields.get("unit") == "template"]
    for record in records:
        if record.fields.get("unit") != "test plan":
            continue
        fields: dict[str, Any] = dict(record.fields)
        included = "\n".join((fields["include"], fields.get("mandatory_include", "")))
        lines = [line for line in included.splitlines() if line]
        first = fields.get("bootstrap_include", "").splitlines()
        for template in templates:
            made = pattern(template["id"])
            resource = template["template_resource"]
            if resource not in first and any(re.fullmatch(line, made) for line in lines):
                first.append(resource)
        if first:
            record.fields["bootstrap_include"] = "\n".join(first)


if TYPE_CHECKING:
    _: type[ProviderLoader] = TomlLoader
    _schema: type[HasSchema] = TomlLoader
