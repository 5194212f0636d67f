"""`.provider` files: what they say, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.errors import ProviderLoadError
from holdall_plugins.providers.pxu import PxuLoader

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.units.provider import Provider

DEFINITION = "[PlainBox Provider]\nname = disks\nnamespace = com.example\nversion = 1.0\n"
RELOCATABLE = DEFINITION + "relocatable = yes\n"


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def job(name: str, command: str = "true") -> str:
    return f"id: {name}\nplugin: shell\ncommand: {command}\n\n"


def load(path: Path) -> Provider:
    return PxuLoader().load(str(path))


def ids(provider: Provider) -> list[str]:
    return [unit.id for unit in provider.unit_list]


def refused(path: Path) -> str:
    with pytest.raises(ProviderLoadError) as caught:
        load(path)
    return str(caught.value)


def defined(tmp_path: Path, *lines: str) -> Path:
    return write(tmp_path / "x.provider", "\n".join(["[PlainBox Provider]", *lines]))


def test_a_provider_is_what_its_definition_says(tmp_path: Path) -> None:
    write(tmp_path / "disks.provider", RELOCATABLE + "description = Disks, and 100 % of them\n")
    for folder in ("units", "data", "bin"):
        (tmp_path / folder).mkdir()

    provider = load(tmp_path)

    assert (provider.name, provider.namespace, provider.version, provider.description) == (
        "disks",
        "com.example",
        "1.0",
        "Disks, and 100 % of them",
    )
    assert (provider.folder, provider.data_folder, provider.bin_folder) == (
        tmp_path,
        tmp_path / "data",
        tmp_path / "bin",
    )
    assert (provider.unit_list, provider.problems, provider.source) == ([], [], str(tmp_path))


def test_the_definition_file_itself_names_the_provider_too(tmp_path: Path) -> None:
    path = write(tmp_path / "disks.provider", RELOCATABLE)
    write(tmp_path / "other.provider", RELOCATABLE)
    write(tmp_path / "units/a.pxu", job("a"))

    assert ids(load(path)) == ["com.example::a"]


def test_folders_that_are_not_there_are_none(tmp_path: Path) -> None:
    provider = load(write(tmp_path / "disks.provider", RELOCATABLE))

    assert (provider.data_folder, provider.bin_folder, provider.unit_list) == (None, None, [])


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("com.example:disks", "com.example"), ("2013.com.example:disks", "2013.com.example")],
)
def test_a_long_name_holds_the_namespace(tmp_path: Path, name: str, namespace: str) -> None:
    path = defined(tmp_path, f"name = {name}", "version = 1")

    assert (load(path).name, load(path).namespace) == (name, namespace)


def test_an_explicit_namespace_wins_over_that_of_a_long_name(tmp_path: Path) -> None:
    path = defined(tmp_path, "name = com.example:disks", "namespace = org.other", "version = 1")

    assert load(path).namespace == "org.other"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param(
            ["namespace = a.b", "version = 1"],
            "field 'name': it is missing; add a line like 'name = my-provider'",
            id="no name",
        ),
        pytest.param(
            ["", "name = two words", "version = 1"],
            "line 3, field 'name': 'two words' is neither like 'my-provider' nor like "
            "'com.example:disks'",
            id="bad name",
        ),
        pytest.param(
            ["name = disks", "version = 1"],
            "field 'namespace': it is missing; write it, or call it 'com.example:disks'",
            id="short name without namespace",
        ),
        pytest.param(
            ["name = disks", "namespace = a::b", "version = 1"],
            "line 3, field 'namespace': 'a::b' is no dotted name; write one like 'com.example'",
            id="bad namespace",
        ),
        pytest.param(
            ["name = a.b:c"],
            "field 'version': it is missing; add a line like 'version = 1.0'",
            id="no version",
        ),
        pytest.param(
            ["name = a.b:c", "version = new"],
            "line 3, field 'version': 'new' is no version; write one like '1.0'",
            id="bad version",
        ),
        pytest.param(
            ["name = a.b:c", "version = 1", "location = here"],
            "line 4, field 'location': 'here' is not absolute; write the whole path, or "
            "'relocatable = yes'",
            id="relative location",
        ),
        pytest.param(
            ["name = a.b:c", "version = 1", "units_dir = /no/such/folder"],
            "line 4, field 'units_dir': there is no folder '/no/such/folder'; make it, or "
            "remove the line",
            id="missing folder",
        ),
        pytest.param(
            ["name = a.b:c", "version = 1", "relocatable = perhaps"],
            "line 4, field 'relocatable': 'perhaps' is neither yes nor no",
            id="bad flag",
        ),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused_with_the_way_out(
    tmp_path: Path, lines: list[str], reason: str
) -> None:
    path = defined(tmp_path, *lines)

    assert refused(path) == f"cannot load a provider from {str(path)!r}: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "the section [PlainBox Provider] is missing", id="empty"),
        pytest.param("[Other]\na = b\n", "the section [PlainBox Provider] is missing", id="other"),
        pytest.param("\nname = a\n", "line 2: there is no section yet", id="no section"),
        pytest.param(RELOCATABLE + "name = b\n", "line 6", id="field twice"),
        pytest.param(RELOCATABLE + "what\n", "line 6", id="no field"),
        pytest.param(RELOCATABLE.encode() + b"\xff", "line 6: it is not UTF-8", id="bytes"),
    ],
)
def test_a_file_that_is_no_definition_is_refused(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    assert reason in refused(write(tmp_path / "x.provider", text))


def test_several_definitions_in_one_folder_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "a.provider", RELOCATABLE)
    write(tmp_path / "b.provider", RELOCATABLE)

    assert "'a.provider' and 'b.provider' are both there" in refused(tmp_path)


def test_a_location_stands_for_the_folders_below_it(tmp_path: Path) -> None:
    there = tmp_path / "there"
    write(there / "units/a.pxu", job("a"))
    (there / "data").mkdir()
    here = write(tmp_path / "here/x.provider", DEFINITION + f"location = {there}\n")

    provider = load(here)

    assert ids(provider) == ["com.example::a"]
    assert (provider.folder, provider.data_folder) == (there, there / "data")


def test_a_folder_that_is_written_wins_over_the_one_below_the_location(tmp_path: Path) -> None:
    write(tmp_path / "units/a.pxu", job("a"))
    elsewhere = write(tmp_path / "elsewhere/b.pxu", job("b")).parent
    lines = f"location = {tmp_path}\nunits_dir = {elsewhere}\n"

    assert ids(load(write(tmp_path / "x.provider", DEFINITION + lines))) == ["com.example::b"]


def test_a_relocatable_provider_lies_beside_its_definition_whatever_else_is_written(
    tmp_path: Path,
) -> None:
    write(tmp_path / "units/a.pxu", job("a"))
    lines = "location = /no/such/place\nunits_dir = nor/this\n"

    assert ids(load(write(tmp_path / "x.provider", RELOCATABLE + lines))) == ["com.example::a"]


def test_without_any_place_a_provider_lies_beside_its_definition(tmp_path: Path) -> None:
    write(tmp_path / "units/a.pxu", job("a"))

    assert ids(load(write(tmp_path / "x.provider", DEFINITION))) == ["com.example::a"]
