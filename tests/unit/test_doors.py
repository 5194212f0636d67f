"""Doors that import a name when it is first used: they open to what type checkers see."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "core"
DOORS = {
    ".".join(file.parent.relative_to(CORE).parts): file
    for file in sorted(CORE.rglob("__init__.py"))
    if "lazy_door(" in file.read_text(encoding="utf-8")
}


def checked(door: str) -> dict[str, str]:
    """Return the names that a door imports for type checkers only, with their modules."""
    tree = ast.parse(DOORS[door].read_text(encoding="utf-8"))
    conditions = [node for node in tree.body if isinstance(node, ast.If)]
    (branch,) = (node for node in conditions if ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in branch.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def imported_by(statement: str) -> set[str]:
    """Return what modules of holdall a fresh interpreter has after *statement*."""
    program = f"{statement}\nimport sys\nprint(*(n for n in sys.modules if n[:7] == 'holdall'))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    return set(done.stdout.split())


def test_the_costly_doors_are_lazy() -> None:
    rooms = {
        "contracts",
        "reading",
        "recording",
        "redaction",
        "registry",
        "session",
        "stores",
        "testing",
        "view",
        "writing",
    }

    assert set(DOORS) == {"holdall", *(f"holdall.{room}" for room in rooms)}


@pytest.mark.parametrize("door", DOORS)
def test_a_lazy_door_opens_to_what_type_checkers_see(door: str) -> None:
    room = import_module(door)

    for name, module in checked(door).items():
        assert getattr(room, name) is getattr(import_module(module), name), name


@pytest.mark.parametrize("door", DOORS)
def test_a_lazy_door_lists_all_its_names_before_any_was_used(door: str) -> None:
    room = import_module(door)

    assert set(checked(door)) <= set(room.__all__) <= set(dir(room))


@pytest.mark.parametrize("door", DOORS)
def test_no_lazy_name_is_that_of_a_module_of_its_room(door: str) -> None:
    modules = {path.stem for path in DOORS[door].parent.iterdir()}

    assert set(checked(door)) & modules == set()


@pytest.mark.parametrize("door", DOORS)
def test_a_lazy_door_has_no_other_names(door: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{door}' has no attribute 'nonesuch'"):
        _ = import_module(door).nonesuch


def test_one_name_of_a_room_imports_its_own_module_and_not_those_beside_it() -> None:
    modules = imported_by("from holdall.view import verdict")

    assert {name for name in modules if name.startswith("holdall.view.")} == {
        "holdall.view.verdict"
    }
    assert "holdall.journal" not in modules


def test_a_lazy_name_is_an_attribute_of_its_room_once_it_was_used() -> None:
    room = import_module("holdall.view")

    assert room.SessionView is vars(room)["SessionView"]


def test_naming_stores_imports_neither_their_contract_nor_the_border_to_them() -> None:
    modules = imported_by("from holdall.stores import NamedStore, default_url, open_repository")

    assert modules.isdisjoint({"holdall.contracts", "holdall.stores.guard"})


def test_a_recorder_imports_nothing_of_the_engine_that_runs_jobs() -> None:
    modules = imported_by("from holdall import Recorder\nRecorder")

    engine = {"manager", "state", "run", "plans", "templates"}
    assert modules.isdisjoint(f"holdall.session.{module}" for module in engine)


def test_a_registry_that_finds_and_loads_does_not_look_for_owners() -> None:
    modules = imported_by(
        "from holdall import Registry\nRegistry.discover().load('exporters', 'text')"
    )

    assert modules.isdisjoint({"holdall.registry.ownership", "holdall.journal", "holdall.units"})
