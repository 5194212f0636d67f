"""What programs, plugins and users may use is in the reference, and nothing is left out."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tests.docs.test_reference import code, options, page, rows, section

from holdall import Registry
from holdall.cli import cli
from holdall.cli.schema import config_schema
from holdall.registry.candidates import KINDS
from holdall_plugins import pytest_recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "holdall"
HOW_TO = ROOT / "docs" / "how-to"
public_names = import_module("tests.docs.public_names")

# Rooms that nobody imports from: the program, what only it needs, and what rooms are made with.
NOBODYS = {"__init__", "__main__", "cli", "validation", "deprecation", "doors", "version"}

# What `plugins check` says to the tests and jobs that it starts.
OF_CHECKS = "HOLDALL_CHECK"


def test_every_room_is_on_the_page_of_public_names_or_is_nobodys() -> None:
    rooms = {path.stem for path in CORE.glob("*.py")} | {
        path.parent.name for path in CORE.glob("*/__init__.py")
    }

    assert rooms - NOBODYS == {*public_names.DOORS, *public_names.MODULES}


def test_every_option_and_fixture_of_the_pytest_plugin_is_documented() -> None:
    text = (ROOT / "docs" / "reference" / "pytest.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(--holdall[a-z-]*|holdall_(?!plugins)[a-z]+)", text))

    fixtures = {name for name in vars(pytest_recorder) if name.startswith("holdall_")}
    assert documented == {*pytest_recorder._OPTIONS, *fixtures, "holdall_store"}


def test_every_public_name_says_what_it_is() -> None:
    listed = [row for row in rows(page("api")) if len(row) == 2]

    assert [row[0] for row in listed if not row[1]] == []
    assert len(listed) > 400


def groups(command: click.Command, path: str) -> Iterator[tuple[str, click.Group]]:
    if isinstance(command, click.Group):
        yield path, command
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from groups(child, f"{path} {name}")


def test_every_option_of_all_commands_is_documented() -> None:
    documented = {code(row[0]) for row in rows(section("cli", "Options before the command"))}

    assert documented == options(cli)


def test_no_group_of_commands_has_options_of_its_own() -> None:
    # A group's options would need a place in the reference; only the program itself has some.
    assert [path for path, group in groups(cli, "") if path and group.params] == []


def test_every_variable_that_is_read_is_documented() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("core", "plugins", "exporters")
        for path in (ROOT / folder).rglob("*.py")
    ]
    read = {
        name for text in sources for name in re.findall(r"""["'](HOLDALL_[A-Z_]+)["']""", text)
    }
    documented = set(re.findall(r"`(HOLDALL_[A-Z_]+)\b", page("cli")))

    assert {name for name in read - documented if not name.startswith(OF_CHECKS)} == set()
    assert "HOLDALL_STORE" in read


def keys(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the name of every key that a schema has, of tables in tables too."""
    for name, below in schema.get("properties", {}).items():
        yield name
        yield from keys(below)
    for part in ("additionalProperties", "items"):
        if isinstance(schema.get(part), dict):
            yield from keys(schema[part])


def test_every_key_of_the_configuration_is_documented() -> None:
    text = (HOW_TO / "configure-plugins.md").read_text(encoding="utf-8")

    named = set(re.findall(r"(?:^|[`\[.])([a-z_]+)(?=\]|`|\.| =)", text, re.MULTILINE))
    assert set(keys(config_schema())) - named == set()


def built_in_settings() -> Iterator[tuple[str, str]]:
    """Yield plugin and field of every setting of what is built in, exporters aside."""
    registry = Registry.discover()
    for kind in set(KINDS) - {"exporters", "providers"}:
        for candidate in registry.candidates(kind):
            if candidate.distribution == "holdall":
                settings = getattr(registry.load(kind, candidate.id), "Options", None)
                for field in getattr(settings, "__struct_fields__", ()):
                    yield candidate.id, field


def test_every_setting_of_a_built_in_plugin_is_documented() -> None:
    text = page("cli") + page("entry-points") + (HOW_TO / "configure-plugins.md").read_text()
    found = list(built_in_settings())

    assert [field for _, field in found if field not in text] == []
    assert ("local", "leave_processes") in found
