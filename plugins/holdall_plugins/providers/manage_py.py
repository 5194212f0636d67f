"""Source trees of providers, by their `manage.py`, which is read and never executed."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.units import ProviderProblem
from holdall_plugins.providers.definition import Definition, namespace_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANAGE: Final = "manage.py"
_MARKS: Final = frozenset({"_", "N_", "gettext", "gettext_noop"})
_LARGEST: Final = 1_000_000


class _Setup(NamedTuple):
    """The call of `setup`: what its arguments say, and the lines of those that can't be read."""

    line: int
    values: Mapping[str, str]
    unread: Mapping[str, int]


def read_source_tree(folder: Path, fallback: str) -> Definition | None:
    """Return what the `manage.py` in *folder* says of a provider; None if it says nothing.

    Args:
        fallback: Name and namespace where `manage.py` says none.
    """
    path = folder / MANAGE
    setup = _setup_of(path)
    if setup is None:
        return None
    problems = [
        _problem(path, line, f"{name!r} is computed, and only a text can be read from there")
        for name, line in setup.unread.items()
        if name in {"name", "namespace", "version", "description", "gettext_domain"}
    ]
    name, namespace = _names(path, setup, fallback, problems)
    return Definition(
        name=name,
        namespace=namespace,
        version=setup.values.get("version") or "0",
        description=setup.values.get("description", ""),
        folder=folder,
        units=_existing(folder / "units"),
        jobs=_existing(folder / "jobs"),
        data=_existing(folder / "data"),
        bin=_existing(folder / "bin"),
        gettext_domain=setup.values.get("gettext_domain", ""),
        locale=_existing(folder / "build" / "mo"),
        po=_existing(folder / "po"),
        problems=tuple(problems),
    )


def _names(
    path: Path, setup: _Setup, fallback: str, problems: list[ProviderProblem]
) -> tuple[str, str]:
    name = setup.values.get("name") or fallback
    try:
        return name, namespace_of(name, setup.values.get("namespace", ""))
    except ValueError as error:
        field, reason = error.args
    if field == "name":
        problems.append(_problem(path, setup.line, f"{reason}; it is called {fallback!r} here"))
        name = fallback
    reason = f"nothing says the namespace, so that it is a guess: {fallback!r}, after the folder"
    way_out = "give setup() a namespace, or a name like 'com.example:disks'"
    problems.append(_problem(path, setup.line, f"{reason}; {way_out}"))
    return name, fallback


def _problem(path: Path, line: int, message: str) -> ProviderProblem:
    return ProviderProblem(shown(path), line, "warning", message)


def _existing(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def manage_fault(folder: Path) -> str:
    """Return why the `manage.py` in *folder* says nothing; empty if there is none, or it does."""
    path = folder / MANAGE
    if not path.is_file():
        return ""
    try:
        if path.stat().st_size > _LARGEST:
            return f"it is larger than {_LARGEST} bytes"
        return "" if _setup_in(path) else "it calls no 'setup' that can be seen there"
    except OSError as error:
        return f"it can't be read: {error.strerror}"
    except (RecursionError, MemoryError):
        return "it is nested too deep"
    except SyntaxError as error:
        line = f" on line {error.lineno}" if error.lineno else ""
        return f"it is no Python{line}: {error.msg}"
    except ValueError as error:
        return f"it is no Python: {error}"


def _setup_of(path: Path) -> _Setup | None:
    """Return the call of `setup` in the file, None if there is none that can be read."""
    try:
        return _setup_in(path)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _setup_in(path: Path) -> _Setup | None:
    data = path.read_bytes()
    if len(data) > _LARGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's views on '\d' are its author's business
        tree = ast.parse(data)
    constants: dict[str, str] = {}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                text = _text(value, constants)
                if text is not None:
                    constants[name] = text
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    call = next((call for call in calls if _called(call) == "setup"), None)
    if call is None:
        return None
    values: dict[str, str] = {}
    unread: dict[str, int] = {}
    for keyword in call.keywords:
        text = _text(keyword.value, constants)
        if keyword.arg and text is not None:
            values[keyword.arg] = text
        elif keyword.arg:
            unread[keyword.arg] = keyword.value.lineno
    return _Setup(call.lineno, values, unread)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _text(value: ast.expr, constants: Mapping[str, str]) -> str | None:
    """Return the text that *value* is wherever it is evaluated, None if that can't be said."""
    match value:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return constants.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = (_text(left, constants), _text(right, constants))
            return parts[0] + parts[1] if parts[0] is not None and parts[1] is not None else None
        case ast.Call(args=[argument], keywords=[]) if _called(value) in _MARKS:
            return _text(argument, constants)
    return None
