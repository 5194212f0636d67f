"""Every name of holdall that the page on moving from plainbox gives exists."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import holdall
from holdall.hooks import specs
from holdall.session import job_state, metadata, readiness
from holdall.view import JobView

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-from-plainbox.md"

# Classes of what a session holds: nobody imports them, so no door has them.
HELD = (
    job_state.JobState,
    metadata.SessionMetaData,
    readiness.InhibitionCause,
    readiness.Inhibitor,
    JobView,
)

# What whoever moves looks for first.
ASKED_FOR = {
    *("OUTCOME_PASS", "get_builder", "supported_option_list", "storage.location"),
    *("dump_from_session_manager", "on_job_result_changed", "break_lock", "add_provider"),
}


class Row(NamedTuple):
    """A row of a table: names there, names here, what became of them, and how."""

    there: str
    here: str
    became: str
    how: str


def rows() -> Iterator[Row]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and cells[0] != "plainbox":
            yield Row(*cells)


ROWS = list(rows())


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def found(name: str) -> bool:
    """Whether a dotted name of holdall leads somewhere; a hook is one by itself."""
    if name in specs.OBSERVERS:
        return True
    if name.startswith("holdall.") and not hasattr(holdall, name.split(".")[1]):
        module, *path = name.removeprefix("holdall.").split(".")
        value: object = importlib.import_module(f"holdall.{module}")
        if path and path[0] not in getattr(value, "__all__", path):
            return False
    else:
        first, *path = name.removeprefix("holdall.").split(".")
        known = {kind.__name__: kind for kind in HELD}
        value = known[first] if first in known else getattr(holdall, first, None)
    for part in path:
        if value is None or not has(value, part):
            return False
        value = getattr(value, part, None)
    return value is not None or bool(path)


def has(value: object, name: str) -> bool:
    """Whether something has a member: a field, or what its `__init__` sets, is one too."""
    if hasattr(value, name):
        return True
    if not inspect.isclass(value):
        return False
    fields = {each for base in value.__mro__ for each in getattr(base, "__annotations__", ())}
    return name in fields or f"self.{name}" in inspect.getsource(value)


def test_every_name_of_holdall_exists() -> None:
    assert [(row.there, name) for row in ROWS for name in names(row.here) if not found(name)] == []


def test_every_row_says_what_became_of_the_name() -> None:
    for row in ROWS:
        assert row.became in {"same", "differs", "renamed", "gone"}, row
        assert bool(names(row.here)) == (row.became != "gone"), row
        assert row.how or row.became in {"same", "renamed"}, row


def test_what_is_gone_or_differs_says_why() -> None:
    assert [row.there for row in ROWS if row.became in {"gone", "differs"} and not row.how] == []


def test_the_names_that_are_looked_for_first_are_there() -> None:
    there = {name.rpartition("IJobResult.")[2] for row in ROWS for name in names(row.there)}

    assert there >= ASKED_FOR
    assert len(ROWS) > 140


def test_a_name_that_does_not_exist_is_noticed() -> None:
    wrong = ("SessionManager.break_lock", "holdall.session.nobody", "Nobody", "job_finished")

    assert [name for name in wrong if found(name)] == []
