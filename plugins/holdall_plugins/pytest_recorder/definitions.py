"""Test items as jobs: the heading, the summary and the origin of each."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_MARKER = 200


class Definition(NamedTuple):
    """What a session knows of a test besides its results.

    Attributes:
        id: The node id, without the group that pytest-xdist appends.
        category: The file, and the class if there is one.
        summary: The first line of the docstring.
        description: The other lines, and the markers.
        origin: File and line.
    """

    id: str
    category: str = ""
    summary: str = ""
    description: str = ""
    origin: str = ""


def definition_of(item: pytest.Item) -> Definition:
    """Return the job that a collected test is."""
    function = _function(item)
    doc = _docstring(function)
    first, _, rest = doc.partition("\n")
    parameters = getattr(getattr(item, "callspec", None), "id", "")
    markers = ", ".join(dict.fromkeys(map(_marker, item.iter_markers())))
    parts = (rest.strip(), f"markers: {markers}" if markers else "")
    node_id = job_id(item)
    return Definition(
        id=node_id,
        category=item.parent.nodeid if item.parent is not None else heading(node_id),
        summary=f"{first.strip()} [{parameters}]" if first and parameters else first.strip(),
        description="\n\n".join(part for part in parts if part),
        origin=_origin(item, function),
    )


def known_by_id(node_id: str) -> Definition:
    """Return the job of a test of which only the node id is known."""
    return Definition(node_id, category=heading(node_id))


def heading(node_id: str) -> str:
    """Return the file and class of a node id, whose parameters may hold `::` too."""
    path, _, rest = node_id.partition("::")
    names = rest.partition("[")[0].rpartition("::")[0]
    return f"{path}::{names}" if names else path


def job_id(item: pytest.Item) -> str:
    """Return the node id, without the group that a worker appends to it."""
    node_id = item.nodeid
    if not item.config.getoption("loadgroup", default=False) or "@" not in node_id:
        return node_id
    groups = {
        str(mark.args[0] if mark.args else mark.kwargs.get("name", "default"))
        for mark in item.iter_markers("xdist_group")
    }
    return node_id.removesuffix(f"@{'_'.join(sorted(groups))}") if groups else node_id


def deselect(config: pytest.Config, items: list[pytest.Item], finished: Iterable[str]) -> None:
    """Take out of *items* what has a result already."""
    done = frozenset(finished)
    deselected = [item for item in items if job_id(item) in done]
    if deselected:
        items[:] = [item for item in items if job_id(item) not in done]
        config.hook.pytest_deselected(items=deselected)


def _function(item: pytest.Item) -> Any:
    """Return the function of a test, without making an instance of its class."""
    if not isinstance(item, pytest.Function):
        return None
    owner = getattr(item.parent, "obj", None)
    return inspect.unwrap(getattr(owner, item.originalname or item.name, None) or item.obj)


def _docstring(function: Any) -> str:
    doc = getattr(function, "__doc__", None)
    return inspect.cleandoc(doc).strip() if isinstance(doc, str) and doc else ""


def _origin(item: pytest.Item, function: Any) -> str:
    code = getattr(function, "__code__", None)
    if code is not None:
        return f"{item.nodeid.partition('::')[0]}:{code.co_firstlineno}"
    path, line, _domain = item.location
    return path if line is None else f"{path}:{line + 1}"


def _marker(mark: pytest.Mark) -> str:
    """Return a marker as it is written, as far as its arguments are plain."""
    if mark.name in {"parametrize", "usefixtures"}:
        return mark.name
    plain = (str, int, float, bool, type(None))
    given = [repr(value) for value in mark.args if isinstance(value, plain)]
    given += [f"{key}={value!r}" for key, value in mark.kwargs.items() if isinstance(value, plain)]
    shown = f"{mark.name}({', '.join(given)})" if given else mark.name
    return shown if len(shown) <= _LONGEST_MARKER else mark.name
