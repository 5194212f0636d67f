"""The pxu loader: definitions, files, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.errors import ProviderLoadError
from holdall.providers import Problem
from holdall_plugins.providers.pxu import PxuLoader

if TYPE_CHECKING:
    from holdall.providers import Provider

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


def units(tmp_path: Path, text: str | bytes) -> tuple[list[str], list[Problem]]:
    provider = load(write(tmp_path / "x.pxu", text))
    return [unit.partial_id for unit in provider.unit_list], provider.problems


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


def test_only_files_that_hold_units_are_read_and_in_sorted_order(tmp_path: Path) -> None:
    write(tmp_path / "x.provider", RELOCATABLE)
    names = ["units/b.pxu", "units/a.txt", "units/sub/c.pxu", "jobs/d.txt", "jobs/e.txt.in"]
    for name in [*names, "jobs/f.in", "jobs/g.pxu"]:
        write(tmp_path / name, job(Path(name).stem.partition(".")[0]))
    for name in ["units/x.md", "units/x.rst", "units/x.txt.in", "units/.x.pxu", "data/x.pxu"]:
        write(tmp_path / name, "nothing: to be seen")

    provider = load(tmp_path)

    assert [unit.partial_id for unit in provider.unit_list] == list("abcdefg")
    assert provider.problems == []


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_yaml_files_are_left_out_with_a_warning_each(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / "x.provider", RELOCATABLE)
    path = write(tmp_path / f"units/a.{suffix}", "id: a")

    assert load(tmp_path).problems == [
        Problem(str(path), 0, "warning", "YAML units are not read by this loader")
    ]


def test_a_bare_folder_gives_its_name_to_the_provider(tmp_path: Path) -> None:
    folder = tmp_path / "My disks: new"
    write(folder / "a.pxu", job("a"))
    write(folder / "sub/b.pxu", job("b"))
    write(folder / "notes.txt", "nothing: to be seen")

    provider = load(folder)

    assert (provider.name, provider.namespace, provider.version) == (
        "My_disks_new",
        "My_disks_new",
        "0",
    )
    assert ids(provider) == ["My_disks_new::a", "My_disks_new::b"]


def test_one_file_is_a_provider_too(tmp_path: Path) -> None:
    write(tmp_path / "b.pxu", job("b"))
    provider = load(write(tmp_path / "a.pxu", job("a")))

    assert (provider.name, provider.folder) == ("a", tmp_path)
    assert ids(provider) == ["a::a"]


@pytest.mark.parametrize(
    ("folder", "name"), [("...", "local"), ("..a..b", "a.b"), ("ö", "_"), ("com.example", None)]
)
def test_a_name_made_from_a_folder_is_one_that_ids_can_begin_with(
    tmp_path: Path, folder: str, name: str | None
) -> None:
    write(tmp_path / folder / "a.pxu", job("a"))

    assert load(tmp_path / folder).namespace == (name or folder)


def test_a_relative_path_is_remembered_as_an_absolute_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.pxu", job("a"))
    monkeypatch.chdir(tmp_path)

    assert PxuLoader().load("a.pxu").source == str(tmp_path / "a.pxu")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("missing", "there is no such file or folder", id="missing"),
        pytest.param("empty", "it holds neither a .provider file nor .pxu files", id="empty"),
        pytest.param("notes.txt", "it is no folder, .provider file or .pxu file", id="other file"),
    ],
)
def test_a_place_without_a_provider_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "notes.txt", "")

    assert reason in refused(tmp_path / name)
    assert not PxuLoader().accepts(str(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    ["defined", "defined/x.provider", "bare", "deep", "bare/a.pxu"],
)
def test_every_form_of_a_provider_is_accepted(tmp_path: Path, name: str) -> None:
    write(tmp_path / "defined/x.provider", RELOCATABLE)
    write(tmp_path / "bare/a.pxu", job("a"))
    write(tmp_path / "deep/units/disk/a.pxu", job("a"))

    assert PxuLoader().accepts(str(tmp_path / name))


def test_loading_reads_no_unit_before_it_is_asked_for_one(tmp_path: Path) -> None:
    write(tmp_path / "x.provider", RELOCATABLE)
    provider = load(tmp_path)

    write(tmp_path / "units/late.pxu", job("late"))
    before = ids(load(tmp_path))
    write(tmp_path / "units/later.pxu", job("later"))

    assert before == ["com.example::late"]
    assert ids(provider) == []  # the folder units was not there when it was loaded


def test_units_are_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pxu", job("a"))
    provider = load(path)

    first = provider.unit_list
    path.write_text(job("b"))
    first.clear()

    assert [unit.partial_id for unit in provider.unit_list] == ["a"]


def test_a_bad_record_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "x.pxu"

    found = units(tmp_path, job("a") + "# why\nid: b\nwhat\n\n" + job("c"))

    assert found == (
        ["a", "c"],
        [Problem(str(path), 7, "error", "neither a field nor a continued line: 'what'")],
    )


def test_a_definition_of_no_use_is_an_error_on_the_line_of_the_field(tmp_path: Path) -> None:
    text = job("a") + "# why\nid: b\n_summary: B\nplugin: sehll\n\nplugin: shell\ncommand: true\n"

    found, problems = units(tmp_path, text)

    assert found == ["a"]
    assert [(each.line, each.severity) for each in problems] == [(8, "error"), (10, "error")]
    assert problems[0].message.startswith("job 'x::b' is left out: the plugin 'sehll' is none of")
    assert problems[1].message == "job is left out: the field 'id' is missing"


def test_a_doubt_is_a_warning_on_the_line_of_the_field(tmp_path: Path) -> None:
    text = "\nid: a\nplugin: shell\ncommand:\n true\nestimated-duration: soon\n"

    assert units(tmp_path, text) == (
        ["a"],
        [Problem(str(tmp_path / "x.pxu"), 6, "warning", "job 'x::a': 'soon' is no duration")],
    )


def test_units_know_the_file_and_line_they_begin_on(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pxu", "# one\n\n" + job("a") + job("b"))

    assert [unit.where for unit in load(path).unit_list] == [f"{path}:3", f"{path}:7"]


def test_bytes_that_are_not_utf8_become_visible_escapes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.pxu", job("a").encode() + b"id: b\n_summary: caf\xe9\nflags: simple"
    )

    provider = load(path)

    assert [unit.summary for unit in provider.unit_list] == ["a", "caf\\xe9"]
    assert [str(each) for each in provider.problems] == [
        f"{path}:6: warning: it is not UTF-8 here; such bytes are kept as escapes, like \\xff",
        f"{path}:5: warning: job 'x::b': a job with plugin 'shell' needs a command",
    ]


def test_the_same_definition_twice_counts_once(tmp_path: Path) -> None:
    assert units(tmp_path, job("a") + job("b") + job("a")) == (["a", "b"], [])


def test_of_two_definitions_with_one_id_the_first_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.pxu"

    assert units(tmp_path, job("a") + job("a", "false")) == (
        ["a"],
        [
            Problem(
                str(path),
                5,
                "error",
                f"the job 'x::a' is defined before at {path}:1, and differently; "
                "that one counts, give this one another id",
            )
        ],
    )


def test_units_of_two_kinds_may_share_an_id(tmp_path: Path) -> None:
    assert units(tmp_path, job("a") + "unit: category\nid: a\n_name: A\n") == (["a", "a"], [])


def test_units_without_an_id_are_all_kept(tmp_path: Path) -> None:
    one = "unit: packaging meta-data\nos-id: debian\nDepends: {}\n\n"

    found, problems = units(tmp_path, one.format("gcc") + one.format("make"))

    assert (found, problems) == (["", ""], [])


def test_templates_may_make_ids_of_one_form_under_different_template_ids(tmp_path: Path) -> None:
    one = (
        "unit: template\ntemplate-id: {0}\nid: a-{{n}}\ntemplate-resource: {0}\nplugin: manual\n\n"
    )

    found, problems = units(tmp_path, one.format("x") + one.format("y"))

    assert (found, problems) == (["a-{n}", "a-{n}"], [])


def test_a_file_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path / "b.pxu", job("b"))
    (tmp_path / "a.pxu").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "c.pxu")

    provider = load(tmp_path)

    assert [unit.partial_id for unit in provider.unit_list] == ["b"]
    assert provider.problems == [
        Problem(
            str(tmp_path / name), 0, "error", "it is no regular file, or a link that leads nowhere"
        )
        for name in ("a.pxu", "c.pxu")
    ]


def test_folders_linked_in_a_circle_are_left_out_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "sub/a.pxu", job("a"))
    (tmp_path / "sub/circle").symlink_to(tmp_path)

    provider = load(tmp_path)

    assert [unit.partial_id for unit in provider.unit_list] == ["a"]
    assert [(each.file, each.severity) for each in provider.problems] == [
        (str(tmp_path / "sub/circle"), "warning")
    ]


def test_a_linked_file_is_read(tmp_path: Path) -> None:
    there = write(tmp_path / "there/a.pxu", job("a"))
    (tmp_path / "here").mkdir()
    (tmp_path / "here/b.pxu").symlink_to(there)

    assert ids(load(tmp_path / "here")) == ["here::a"]


def test_nothing_of_a_provider_is_executed(tmp_path: Path) -> None:
    write(tmp_path / "x.provider", RELOCATABLE)
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')"
    write(tmp_path / "manage.py", trap)
    write(tmp_path / "__init__.py", trap)
    write(tmp_path / "units/a.pxu", job("a", f"touch {tmp_path / 'sprung'}"))

    load(tmp_path).unit_list  # noqa: B018 - reading the units is what is tested

    assert not (tmp_path / "sprung").exists()


def test_ten_thousand_units_are_kept_apart(tmp_path: Path) -> None:
    text = "".join(job(f"a{number}") for number in range(10_000))

    found, problems = units(tmp_path, text)

    assert (len(found), len(set(found)), problems) == (10_000, 10_000, [])
