"""The reference lists what there is, all of it and nothing else."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import pytest

from holdall import Registry, contracts, errors
from holdall.cli import INTERNAL, INTERRUPTED, cli, exits
from holdall.exports.options import LEGACY_OPTIONS, describe_options
from holdall.exports.view_options import ViewOptions
from holdall.hooks import specs
from holdall.journal import INLINE, codec
from holdall.registry.aliases import SHORT
from holdall.registry.candidates import ALIASES, KINDS, State
from holdall.results import JobResult
from holdall.session import capture, environment
from holdall.units import Job, Provider, make_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page(name), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{name}.md has no section {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables in *text*, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|- ")}
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for number, line in enumerate(lines)
        if number not in heads and number - 1 not in heads
    ]


def code(cell: str) -> str:
    """Return the first piece of code in a cell."""
    found = re.search(r"`([^`]+)`", cell)
    return found[1] if found else ""


class Documented(NamedTuple):
    """A command as the tree of commands has it."""

    path: str
    command: click.Command


def commands(command: click.Command, path: str) -> Iterator[Documented]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, f"{path} {name}")
    else:
        yield Documented(path, command)


ALL = list(commands(cli, "holdall"))


def options(command: click.Command) -> set[str]:
    """Return each option as help shows it: its names, and what it takes."""
    context = click.Context(command)
    shown = (each.get_help_record(context) for each in command.params)
    return {
        record[0]
        for record, each in zip(shown, command.params, strict=True)
        if record is not None and isinstance(each, click.Option)
    }


@pytest.mark.parametrize("documented", ALL, ids=lambda each: each.path)
def test_every_command_is_documented_with_its_usage_and_all_its_options(
    documented: Documented,
) -> None:
    text = section("cli", f"`{documented.path}`")
    usage = re.search(r"^```text\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)

    context = click.Context(documented.command, info_name=documented.path, terminal_width=200)
    assert usage is not None
    assert usage[1] == documented.command.get_usage(context).removeprefix("Usage: ")
    assert {code(row[0]) for row in rows(text) if "-" in row[0]} == options(documented.command)


def test_no_command_is_documented_that_does_not_exist() -> None:
    found = re.findall(r"^## `(holdall .*)`$", page("cli"), re.MULTILINE)

    assert found == sorted(found, key=found.index)
    assert set(found) == {each.path for each in ALL}


def test_every_exit_code_is_documented() -> None:
    failures = {exits.TESTS_FAILED, exits.USAGE, exits.STORAGE, exits.PLUGIN, INTERNAL}
    codes = {0, INTERRUPTED, *failures}

    assert {int(code(row[0])) for row in rows(section("cli", "Exit codes"))} == codes


def test_every_json_option_says_what_is_printed() -> None:
    with_json = [each for each in ALL if any(p.name == "as_json" for p in each.command.params)]

    for each in with_json:
        (row,) = (r for r in rows(section("cli", f"`{each.path}`")) if code(r[0]) == "--json")
        assert row[1], each.path


def test_every_variable_that_a_job_sees_is_documented() -> None:
    text = section("cli", "Variables")

    folder = Path("/lab")
    provider = Provider(
        "lab",
        namespace="lab",
        version="1",
        source="lab",
        read=tuple,
        folder=folder,
        data_folder=folder,
        bin_folder=folder,
        units_folder=folder,
        locale_folder=folder,
        gettext_domain="lab",
    )
    job = make_unit({"id": "a", "plugin": "shell", "command": "true"}, namespace="lab")
    assert isinstance(job, Job)
    seen = environment.job_environ(
        *(job, provider, {}), session_id="s", session_share=Path("/s"), normal_user="ann"
    )
    documented = {code(row[0]) for row in rows(text)} | {*re.findall(r"`([A-Z_]+)`", text)}

    assert seen.keys() | {"HOLDALL_STORE"} <= documented


def test_every_state_before_a_load_is_documented() -> None:
    after_a_load = {State.LOADED, State.MISSING_DEPENDENCY, State.BROKEN, State.INVALID}
    text = section("cli", "`holdall plugins list`")
    found = {code(row[0]) for row in rows(text)} - {"--all", "--json"}

    assert found == {str(state) for state in set(State) - after_a_load}


ERRORS = [name for name in errors.__all__ if isinstance(getattr(errors, name), type)]


def expected_code(error: type[errors.HoldallError]) -> str:
    found = next((number for kind, number in exits._CODES if issubclass(error, kind)), None)
    return "-" if found is None else str(found)


def test_every_error_is_documented_with_its_exit_code_and_what_to_do() -> None:
    found = {code(row[0]): row[1:] for row in rows(page("errors"))}

    assert set(found) == set(ERRORS)
    for name, (meaning, remedy, number) in found.items():
        assert meaning, name
        assert remedy, name
        assert number == expected_code(getattr(errors, name)), name


def test_every_builtin_that_an_error_also_is_is_told() -> None:
    found = {code(row[0]): row[1] for row in rows(page("errors"))}

    for name in ERRORS:
        bases = getattr(errors, name).__bases__
        builtin = [each.__name__ for each in bases if each.__module__ == "builtins"]
        for each in set(builtin) - {"Exception"}:
            assert f"also a `{each}`" in found[name], name


def test_every_group_of_entry_points_is_documented() -> None:
    text = page("entry-points").partition("## Rules")[0]

    assert [code(row[0]) for row in rows(text)] == [
        f"holdall.{kind}" for kind in (*KINDS, ALIASES)
    ]


def test_every_importer_has_a_row_and_a_section_that_says_what_becomes_of_its_format() -> None:
    declared = {
        each.id
        for each in Registry.discover().candidates("importers")
        if each.distribution == "holdall"
    }
    text = page("importers")
    table = text.partition("For all of them")[0]
    found = dict(re.findall(r"^\| \[`(\w+)`\]\(#([\w-]+)\)", table, re.MULTILINE))
    headings = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")}

    assert set(found) == declared
    assert {place.replace("-", " ") for place in found.values()} == headings


def test_every_built_in_plugin_is_documented_with_its_alias_and_extra() -> None:
    registry = Registry.discover()
    exporters = {code(row[0]): row for row in rows(section("entry-points", "Exporters"))}
    others = {
        (code(row[0]), code(row[1])) for row in rows(section("entry-points", "Other built-ins"))
    }

    own = {
        kind: [each for each in registry.candidates(kind) if each.distribution == "holdall"]
        for kind in KINDS
    }
    assert {name: (code(row[1]), code(row[2])) for name, row in exporters.items()} == {
        each.id: (each.aliases[0], "".join(each.extras)) for each in own.pop("exporters")
    }
    shorts = [each for row in exporters.values() for each in re.findall("`([^`]+)`", row[1])]
    assert sorted(shorts) == sorted(SHORT)
    assert others == {(kind, each.id) for kind, found in own.items() for each in found}


def test_every_type_of_event_is_documented() -> None:
    found = {code(row[0]) for row in rows(section("session-files", "Entries"))}

    assert found == codec._KNOWN_TAGS


@pytest.mark.parametrize(
    ("heading", "contract"),
    [
        ("Repository", contracts.Repository),
        ("Storage", contracts.Storage),
        ("LogWriter", contracts.LogWriter),
        ("HasFolder", contracts.HasFolder),
        ("HasSummaries", contracts.HasSummaries),
        ("HasExistence", contracts.HasExistence),
        ("Sweepable", contracts.Sweepable),
        ("Watchable", contracts.Watchable),
        ("Repairable", contracts.Repairable),
        ("Shippable", contracts.Shippable),
    ],
)
def test_every_member_of_a_contract_of_stores_is_documented_as_it_is(
    heading: str, contract: type
) -> None:
    text = page("stores")
    table = re.search(rf"^##+ {heading}\n.*?((?:^\|[^\n]*\n)+)", text, re.MULTILINE | re.DOTALL)
    assert table is not None

    documented = [code(row[0]) for row in rows(table[1])]

    assert documented == [_spelled(name, member) for name, member in _members(contract)]


def test_every_field_of_a_listed_session_is_documented() -> None:
    documented = [code(row[0]) for row in rows(section("stores", "Listing"))]

    assert documented == [field.name for field in dataclasses.fields(contracts.SessionInfo)]


def _members(contract: type) -> list[tuple[str, object]]:
    return [(name, member) for name, member in vars(contract).items() if name[0] != "_"]


def _spelled(name: str, member: object) -> str:
    """Return a member as a page writes it: its arguments without their types."""
    if isinstance(member, property):
        return name
    function = member.__func__ if isinstance(member, classmethod) else member
    assert callable(function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return f"{name}{inspect.Signature(plain)}".replace("'", '"')


def test_every_field_of_a_result_is_documented() -> None:
    text = section("session-files", "Entries")

    missing = [name for name in JobResult.__struct_fields__ if f"`{name}`" not in text]
    assert missing == []


def test_the_limits_of_output_are_those_in_force() -> None:
    text = section("session-files", "Entries")

    assert f"{INLINE:,}".replace(",", " ") + " bytes" in text
    assert f"{capture.MOST // 2**20} MiB" in text


def described(kind: type) -> list[list[str]]:
    """Return the rows that a page should have on the options of *kind*."""
    return [[each.name, each.type, each.default, each.help] for each in describe_options(kind)]


def documented(text: str) -> list[list[str]]:
    """Return the rows of the table of options in *text*."""
    found = [row for row in rows(text) if len(row) == 4]
    return [[*(code(cell).replace("\\|", "|") for cell in row[:3]), row[3]] for row in found]


def test_every_option_of_every_exporter_is_documented() -> None:
    registry = Registry.discover()
    own = [each for each in registry.candidates("exporters") if each.distribution == "holdall"]

    assert documented(section("exporters", "Of all exporters")) == described(ViewOptions)
    for each in own:
        exporter = registry.load("exporters", each.id)
        assert documented(section("exporters", f"`{each.id}`")) == described(exporter.Options)


def test_every_option_of_plainbox_is_documented() -> None:
    found = {
        code(row[0]): code(row[1]) for row in rows(section("exporters", "Options of plainbox"))
    }

    wanted = {}
    for name, (field, value) in LEGACY_OPTIONS.items():
        shown = f"{field}={value}" if isinstance(value, str) else field
        wanted[name] = f"no-{shown}" if value is False else shown
    assert found == {k.replace("_", "-"): v.replace("_", "-") for k, v in wanted.items()}


def members(protocol: type) -> set[str]:
    """Return what a Protocol itself asks for."""
    own = {name for name in vars(protocol) if not name.startswith("_")}
    return own | set(protocol.__annotations__)


PROTOCOLS = (
    contracts.Exporter,
    contracts.HasOptions,
    contracts.Verifies,
    contracts.HasSchema,
    contracts.GrowsByLines,
    contracts.SplitExporter,
    contracts.FolderExporter,
    contracts.ExportContext,
)
SINKS = {
    contracts.SplitExporter: contracts.SplitSink,
    contracts.FolderExporter: contracts.FolderSink,
}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.__name__)
def test_every_member_of_the_contract_of_exporters_is_documented(protocol: type) -> None:
    text, _head, of_sink = section("exporter-contract", f"`{protocol.__name__}`").partition("###")
    documented = {code(row[0]) for row in rows(text)}

    common = members(contracts.Exporter) if protocol in SINKS else set()
    assert documented == members(protocol) - (common - {"export"})
    if protocol in SINKS:
        sink = SINKS[protocol]
        inherited = members(contracts.Sink) if contracts.Sink in sink.__mro__ else set()
        assert {code(row[0]) for row in rows(of_sink)} == members(sink) | inherited


def test_no_exporter_protocol_is_documented_that_does_not_exist() -> None:
    headings = re.findall(r"^##+ `(\w+)`$", page("exporter-contract"), re.MULTILINE)

    assert set(headings) == {each.__name__ for each in (*PROTOCOLS, *SINKS.values())}


def test_every_hook_is_documented_with_its_arguments() -> None:
    found = {
        heading: {
            code(row[0]): tuple(re.findall(r"`(\w+)`", row[1]))
            for row in rows(section("hooks", heading))
        }
        for heading in ("Observers", "Settings", "Wrappers")
    }

    def wanted(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return {name: tuple(inspect.signature(getattr(specs, name)).parameters) for name in names}

    assert found == {
        "Observers": wanted(specs.OBSERVERS),
        "Settings": wanted(("configure",)),
        "Wrappers": wanted(specs.WRAPPERS),
    }


def test_every_hook_is_an_observer_a_wrapper_or_for_settings() -> None:
    declared = {name for name, each in vars(specs).items() if hasattr(each, "holdall_spec")}

    assert declared == {*specs.OBSERVERS, *specs.WRAPPERS, "configure"}
