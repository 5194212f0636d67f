"""The pxu loader: which files it reads, and what it makes of what is wrong in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.errors import ProviderLoadError
from holdall.units.provider import ProviderProblem
from holdall_plugins.providers.pxu import PxuLoader

if TYPE_CHECKING:
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


def units(tmp_path: Path, text: str | bytes) -> tuple[list[str], list[ProviderProblem]]:
    provider = load(write(tmp_path / "x.pxu", text))
    return [unit.partial_id for unit in provider.unit_list], provider.problems


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
def test_yaml_files_are_read_beside_pxu_files_in_the_order_of_their_names(
    tmp_path: Path, suffix: str
) -> None:
    write(tmp_path / "x.provider", RELOCATABLE)
    write(tmp_path / f"units/b.{suffix}", "id: b\nplugin: shell\ncommand: 'true'\n")
    for name in "ac":
        write(tmp_path / f"units/{name}.pxu", job(name))

    provider = load(tmp_path)

    assert [unit.partial_id for unit in provider.unit_list] == list("abc")
    assert provider.problems == []


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
        [ProviderProblem(str(path), 7, "error", "neither a field nor a continued line: 'what'")],
    )


def test_a_definition_of_no_use_is_an_error_on_the_line_of_the_field(tmp_path: Path) -> None:
    text = job("a") + "# why\nid: b\n_summary: B\nplugin: sehll\n\nplugin: shell\ncommand: true\n"

    found, problems = units(tmp_path, text)

    assert found == ["a", "b"]  # which is an error when it is run, and no pass for want of it
    assert [(each.line, each.severity) for each in problems] == [(8, "error"), (10, "error")]
    assert problems[0].message.startswith("job 'x::b' can't be performed: the plugin 'sehll' is")
    assert problems[1].message == "job is left out: the field 'id' is missing"


def test_a_doubt_is_a_warning_on_the_line_of_the_field(tmp_path: Path) -> None:
    text = "\nid: a\nplugin: shell\ncommand:\n true\nestimated-duration: soon\n"

    assert units(tmp_path, text) == (
        ["a"],
        [
            ProviderProblem(
                str(tmp_path / "x.pxu"), 6, "warning", "job 'x::a': 'soon' is no duration"
            )
        ],
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
            ProviderProblem(
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

    assert (found, problems) == (["x", "y"], [])


def test_a_file_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path / "b.pxu", job("b"))
    (tmp_path / "a.pxu").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "c.pxu")

    provider = load(tmp_path)

    assert [unit.partial_id for unit in provider.unit_list] == ["b"]
    assert provider.problems == [
        ProviderProblem(
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
