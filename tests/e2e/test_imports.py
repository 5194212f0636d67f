"""What is asked often must not pay for what is rarely needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "holdall_exporters",
    "holdall_plugins",
    "jinja2",
    "msgspec",
    "obstore",
    "openpyxl",
    "pluggy",
    "psycopg",
    "pytest",
    "rich",
}

CHILD = """\
import json, sys
before = set(sys.modules)
{statement}
json.dump(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}), sys.stderr)
"""

COMMAND = """\
from holdall.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert not end.code, end
"""


def imported_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter imports for *statement*."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(statement=statement)],
        capture_output=True,
        check=True,
        text=True,
    )
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["plugins", "list"],
        ["plugins", "list", "exporters"],
        ["plugins", "list", "--json"],
    ],
    ids=" ".join,
)
def test_listing_plugins_imports_none_of_them_and_nothing_heavy(arguments: list[str]) -> None:
    found = imported_by(COMMAND.format(arguments=arguments))

    assert "holdall" in found
    assert found & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]], ids=" ".join)
def test_help_imports_no_plugin_and_no_format(arguments: list[str]) -> None:
    found = imported_by(COMMAND.format(arguments=arguments))

    assert found & (HEAVY - {"msgspec", "pluggy"}) == set()


def test_names_of_providers_import_the_loaders_that_find_some_and_no_format() -> None:
    found = imported_by(COMMAND.format(arguments=["providers", "list"]))

    assert found & (HEAVY - {"msgspec", "pluggy", "holdall_plugins"}) == set()


def test_importing_holdall_imports_nothing_but_itself() -> None:
    found = imported_by("import holdall")

    assert {name for name in found if name not in sys.stdlib_module_names} == {"holdall"}
