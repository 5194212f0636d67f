"""Providers in our own plain form: tables of TOML files."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from holdall import load_provider
from holdall.errors import ProviderLoadError
from holdall.testing import ProviderLoaderContract
from holdall.units import Job, Template, TestPlan
from holdall_plugins.providers.toml import TomlLoader

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Provider

GOOD = """\
[provider]
name = "lab"
namespace = "com.example.lab"
version = "1.0"
description = "Checks of the lab"

[category.disks]
name = "Disks"

[job.place]
kind = "facts"
command = "printf 'name: root'"

[job."disk/free-{name}"]
for-each = "place"
where = "place.name == 'root'"
summary = "There is room at {name}"
command = '''awk '{print $1}' "${HOME}/{name}"'''

[job."disk/write"]
summary = "What is written can be read"
description = "Writes a file."
category = "disks"
command = "true"
timeout = "1m"
estimated-duration = 2.5
depends = ["place"]
requires = ["place.name == 'root'", "place.path != ''"]
user = "root"
environ = ["COLOUR", "SIZE"]
flags = ["has-leftovers"]
blocker = true
retry = true
xfail = "bug 12"
output-format = "tap"

[job.look]
kind = "manual"
steps = ["Look at it.", "Look again."]
question = "Is it there?"

[plan.all]
summary = "All of it"
include = ["disk/*", "look"]
exclude = ["disk/format"]

[plan.more]
plans = ["all"]
"""
BAD = """\
[job.first]
command = "true"

[job.second]
summary = 3
command = "true"

[job.third]
command = "true"
"""


def written(folder: Path, text: str | bytes = GOOD, name: str = "lab.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def loaded(folder: Path, text: str | bytes) -> Provider:
    return TomlLoader().load(str(written(folder, text)))


def problems(provider: Provider, folder: Path) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/") for problem in provider.problems]


class TestToml(ProviderLoaderContract):
    """The loader of a file keeps every promise."""

    loader = TomlLoader

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return str(written(tmp_path))

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> str:
        return str(written(tmp_path, BAD, "bad.toml"))


class TestTomlFolder(TestToml):
    """And so does that of a folder."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        folder = tmp_path / "lab"
        folder.mkdir()
        written(folder, '[provider]\nname = "lab"\n', "provider.toml")
        written(folder, '[job.a]\ncommand = "true"\n', "jobs.toml")
        (folder / "bin").mkdir()
        (folder / "bin" / "program.py").write_text("print()\n")
        return str(folder)


# What the tables are


def test_a_file_is_found_by_its_path_and_says_what_it_is(tmp_path: Path) -> None:
    provider = load_provider(written(tmp_path))

    assert (provider.loader, provider.name, provider.namespace, provider.version) == (
        *("toml", "lab", "com.example.lab"),
        "1.0",
    )
    assert provider.description == "Checks of the lab"
    assert provider.problems == []


def test_the_fields_of_a_job_are_those_of_a_unit(tmp_path: Path) -> None:
    units = {unit.id: unit for unit in TomlLoader().load(str(written(tmp_path))).unit_list}

    job = units["com.example.lab::disk/write"]
    assert isinstance(job, Job)
    assert dict(job.fields) == {
        "unit": "job",
        "id": "disk/write",
        "plugin": "shell",
        "summary": "What is written can be read",
        "purpose": "Writes a file.\n\nExpected to fail: bug 12",
        "category_id": "disks",
        "command": "true",
        "timeout": "1m",
        "estimated_duration": "2.5",
        "depends": "place",
        "requires": "place.name == 'root'\nplace.path != ''",
        "user": "root",
        "environ": "COLOUR SIZE",
        "flags": "has-leftovers",
        "certification-status": "blocker",
        "auto-retry": "yes",
        "xfail": "true",
        "output_format": "tap",
    }
    assert (job.timeout, job.output_format, job.xfail) == (60.0, "tap", True)
    assert job.where == f"{tmp_path}/lab.toml:20"
    manual = units["com.example.lab::look"]
    assert manual.get("plugin") == "manual"
    assert manual.get("steps") == "1. Look at it.\n2. Look again."


def test_a_job_for_each_record_is_a_template_whose_other_braces_stay(tmp_path: Path) -> None:
    units = TomlLoader().load(str(written(tmp_path))).unit_list

    [template] = [unit for unit in units if isinstance(unit, Template)]
    assert template.id == "com.example.lab::disk/free-name"
    assert template.get("command") == """awk '{{print $1}}' "${{HOME}}/{name}\""""
    assert template.get("template_filter") == "place.name == 'root'"


def test_a_plan_selects_by_names_and_stars_and_runs_the_facts_first(tmp_path: Path) -> None:
    units = TomlLoader().load(str(written(tmp_path))).unit_list

    first, second = (unit for unit in units if isinstance(unit, TestPlan))
    assert first.get("include") == "disk/.*\nlook"
    assert first.bootstrap_include == ("com.example.lab::place",)
    assert first.lists.faults == ()
    assert second.nested_part == ("com.example.lab::all",)


def test_without_a_table_provider_the_names_are_the_files(tmp_path: Path) -> None:
    provider = TomlLoader().load(str(written(tmp_path, BAD, "my lab.toml")))

    assert (provider.name, provider.namespace, provider.version) == ("my_lab", "my_lab", "0")


def test_a_folder_holds_more_files_programs_and_data(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    for name in ("bin", "data", "jobs", ".git"):
        (folder / name).mkdir(parents=True)
    written(folder, '[provider]\nversion = "2"\n[job.a]\ncommand = "true"\n', "provider.toml")
    written(folder / "jobs", '[job.b]\ncommand = "true"\n', "more.toml")
    written(folder / "data", '[job.c]\ncommand = "true"\n', "settings.toml")
    written(folder / "data", "id: d\n", "units.yaml")
    written(folder / ".git", '[job.e]\ncommand = "true"\n')

    provider = load_provider(folder)

    assert (provider.loader, provider.name, provider.version) == ("toml", "lab", "2")
    assert [unit.id for unit in provider.unit_list] == ["lab::a", "lab::b"]
    assert (provider.bin_folder, provider.data_folder) == (folder / "bin", folder / "data")


def test_a_folder_with_a_provider_file_of_checkbox_stays_one(tmp_path: Path) -> None:
    written(tmp_path, "[PlainBox Provider]\nname = x\nnamespace = x\nversion = 1\n", "x.provider")
    written(tmp_path, '[provider]\nname = "y"\n', "provider.toml")

    assert load_provider(tmp_path).loader == "pxu"


# What is wrong


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[job.a]\ncommand = "true"\nsumary = "x"\n',
            (
                "3: warning: job 'a': holdall does not know "
                "the field 'sumary'; did you mean 'summary'?"
            ),
        ),
        (
            "[job.a]\ncommand = 3\n",
            (
                "2: error: job 'a' can't be performed: field 'command': it "
                "takes a text, not a number; put it in quotes"
            ),
        ),
        (
            "[job.a]\n",
            (
                "1: error: job 'a' can't be performed: it has no 'command'; a job that a "
                'person does has kind = "manual"'
            ),
        ),
        (
            '[job.a]\nkind = "manul"\ncommand = "x"\n',
            (
                "2: error: job 'a' can't be performed: field "
                "'kind': it takes one of automatic, facts, attachment, manual, manual-start, "
                "manual-check, manual-start-and-check, not 'manul'"
            ),
        ),
        (
            '[job.a]\nkind = "manual"\n',
            (
                "1: error: job 'a' can't be performed: it has no 'steps', "
                "and nobody knows what to do"
            ),
        ),
        (
            '[job."a b"]\ncommand = "x"\n',
            ("1: error: job 'a b' is left out: a name has letters, digits and -_./"),
        ),
        (
            '[job."a{b}"]\ncommand = "x"\n',
            (
                "1: error: job 'a{b}' is left out: a name has letters, "
                "digits and -_./; a name with {} needs 'for-each'"
            ),
        ),
        (
            '[job.a]\ncommand = "x"\ntimeout = "soon"\n',
            (
                "3: error: job 'a' can't be performed: "
                "field 'timeout': it takes seconds above 0, or a text like '1h 2m 3s', not 'soon'"
            ),
        ),
        (
            '[job.a]\ncommand = "x"\ndepends = ["b", 3]\n',
            (
                "3: error: job 'a' can't be performed: "
                "field 'depends': it takes a list of texts, and a number is in it"
            ),
        ),
        (
            '[job.a]\ncommand = "x"\nretry = "yes"\n',
            (
                "3: error: job 'a' can't be performed: field "
                "'retry': it takes true or false, not a text"
            ),
        ),
        (
            '[job.a]\ncommand = "x"\nflags = ["simple"]\n',
            (
                "3: error: job 'a' can't be performed: "
                "field 'flags': there is no flag 'simple' (flags: noreturn, autorestart, "
                "preserve-cwd, has-leftovers, fail-on-resource, reset-locale, suppress-output)"
            ),
        ),
        (
            '[job.a]\ncommand = "x"\nwhere = "x.y == 1"\n',
            (
                "1: error: job 'a' can't be performed: "
                "'where' says which records of 'for-each' count, and there is none"
            ),
        ),
        (
            "[plan.p]\n",
            (
                "1: error: plan 'p' is left out: it has neither 'include' nor 'plans', and "
                "so no jobs"
            ),
        ),
        (
            '[plan.p]\ninclude = ["a|b"]\n',
            (
                "2: error: plan 'p' is left out: field 'include': 'a|b' "
                "is no name of a job; it has letters, digits, -_./ and *"
            ),
        ),
        (
            "[category.c]\n",
            ("1: error: category 'c' is left out: it has no 'name', the heading in reports"),
        ),
        (
            '[jobs.a]\ncommand = "x"\n[job.b]\ncommand = "x"\n',
            (
                "1: error: holdall knows no table "
                "'jobs' (tables: [provider], [job.NAME], [category.NAME], [plan.NAME])"
            ),
        ),
        (
            '[[job]]\nname = "a"\n[plan.x]\ninclude = []\n',
            ("1: error: 'job' is a table; begin it with [job.NAME]"),
        ),
        (
            "[job]\na = 1\n[plan.x]\ninclude = []\n",
            "2: error: the job 'a' is a table; begin it with [job.a]",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    provider = loaded(tmp_path, text)

    assert problems(provider, tmp_path) == [f"lab.toml:{told}"]


def test_a_bad_job_costs_itself_and_a_run_of_it_is_an_error(tmp_path: Path) -> None:
    provider = loaded(tmp_path, BAD)

    jobs = [unit for unit in provider.unit_list if isinstance(unit, Job)]
    assert [(job.id, bool(job.fault)) for job in jobs] == [
        ("lab::first", False),
        ("lab::second", True),
        ("lab::third", False),
    ]
    assert jobs[1].fault == (
        f"the plugin 'unusable, see {tmp_path}/lab.toml:4' is none of attachment, manual, "
        "resource, shell, user-interact, user-interact-verify, user-verify"
    )


@pytest.mark.parametrize(
    ("broken", "line", "words"),
    [
        ("[job.b]\ncommand = \n", 5, "Invalid value"),
        ('[job.b]\ncommand = "x\n', 5, "Illegal character"),
        ("[job.b]\ncommand = 'x'\ncommand = 'y'\n", 6, "Cannot overwrite a value"),
        ("[job.b\n", 3, "it is no TOML"),
        ("[job.a]\ncommand = 'y'\n", 4, "stands there twice; the first counts"),
        ("[job.b]\nx = " + "[" * 2000 + "\n", 4, "it is nested too deep"),
        ("[job.b]\nx = 1" + "0" * 5000 + "\n", 4, "it is no TOML"),
        ("[job.b]\nx = 2026-99-99\n", 5, "it is no TOML"),
        ('[job.b]\ncommand = """\n', 6, "it is no TOML"),
        ("[job.b]\ncommand = 'a\x00b'\n", 5, "invalid character"),
        ("[job.b]\ncommand = 'a\udcffb'\n", 5, "it is not UTF-8 here"),
    ],
)
def test_a_table_that_is_no_toml_costs_itself(
    broken: str, line: int, words: str, tmp_path: Path
) -> None:
    good = "[job.a]\ncommand = 'true'\n\n{}\n[job.c]\ncommand = 'true'\n"
    text = good.format(broken).encode("utf-8", "surrogateescape")

    provider = loaded(tmp_path, text)

    usable = [unit.id for unit in provider.unit_list if isinstance(unit, Job) and not unit.fault]
    assert {"lab::a", "lab::c"} <= {*usable, *(["lab::a"] if line == 3 else [])}
    assert any(
        problem.line in {line, line - 1, line + 1} and words in problem.message
        for problem in provider.problems
    ), provider.problems


def test_a_job_that_is_no_toml_stays_as_one_that_can_not_be_performed(tmp_path: Path) -> None:
    text = "[job.a]\ncommand = \n[job.b]\ncommand = 'true'\n[plan.p]\ninclude = ['a', 'b']\n"

    units = loaded(tmp_path, text).unit_list

    jobs = {unit.id: bool(unit.fault) for unit in units if isinstance(unit, Job)}
    assert jobs == {"lab::a": True, "lab::b": False}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no table such as [job.NAME]"),
        ("[tool.x]\na = 1\n", "it has no table such as [job.NAME]"),
        ("[provider]\nname = 3\n", "line 2, table [provider]: field 'name': it takes a text"),
        ('[provider]\nname = "a b"\n', "line 2, table [provider]: 'a b' is neither like"),
        ('[provider]\nnamespace = "a:b"\n', "line 2, table [provider]: 'a:b' is no dotted name"),
    ],
)
def test_a_provider_that_says_nothing_usable_of_itself_is_refused(
    text: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ProviderLoadError) as caught:
        loaded(tmp_path, text)

    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["pyproject.toml", "holdall.toml"])
def test_a_toml_file_of_something_else_is_not_accepted(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, "[project]\nname = 'x'\n[stores.lab]\nurl = 'x'\n", name)

    assert not TomlLoader().accepts(str(path))


def test_a_folder_is_not_read_for_what_is_no_file(tmp_path: Path) -> None:
    import os

    written(tmp_path, '[job.a]\ncommand = "true"\n', "provider.toml")
    os.mkfifo(tmp_path / "pipe.toml")

    provider = load_provider(tmp_path)

    assert len(provider.unit_list) == 1
    assert [problem.message for problem in provider.problems] == ["it is no regular file"]


# The schema


def schema() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(TomlLoader().json_schema())
    return made


def test_the_schema_is_one_and_takes_what_the_loader_takes() -> None:
    Draft7Validator.check_schema(schema())

    assert list(Draft7Validator(schema()).iter_errors(tomllib.loads(GOOD))) == []


@pytest.mark.parametrize(
    "text",
    [
        "[job.a]\nsumary = 'x'\ncommand = 'x'",
        "[job.a]\ncommand = 3",
        "[job.a]",
        "[job.a]\nkind = 'manul'\ncommand = 'x'",
        "[job.'a b']\ncommand = 'x'",
        "[job.a]\ncommand = 'x'\ndepends = [3]",
        "[job.a]\ncommand = 'x'\nretry = 'yes'",
        "[job.a]\ncommand = 'x'\nflags = ['simple']",
        "[job.a]\ncommand = 'x'\nwhere = 'x'",
        "[plan.p]",
        "[category.c]",
        "[jobs.a]\ncommand = 'x'",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str, tmp_path: Path) -> None:
    assert not Draft7Validator(schema()).is_valid(tomllib.loads(text))
    try:
        assert loaded(tmp_path, text).problems
    except ProviderLoadError:
        return
