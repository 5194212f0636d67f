"""Providers on the command line: those that are installed, and the languages they speak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.conftest import Cli
from tests.unit.test_installed_providers import definition, write
from tests.unit.test_provider_translations import PO, source_tree

if TYPE_CHECKING:
    from pathlib import Path

JOB = "id: a\nplugin: shell\ncommand: true\n"


def installed(holdall: Cli, tmp_path: Path) -> Path:
    folder = tmp_path / "installed"
    write(folder / "a.provider", definition(location=str(tmp_path / "a")))
    write(tmp_path / "a/units/a.pxu", JOB)
    holdall.environ["PROVIDERPATH"] = str(folder)
    return folder


def test_installed_providers_are_listed_with_their_files(holdall: Cli, tmp_path: Path) -> None:
    folder = installed(holdall, tmp_path)

    shown = holdall("providers", "list")
    rows = json.loads(holdall("providers", "list", "--json").out)

    assert f"org.x:a   ready  {folder}/a.provider" in shown.out
    assert rows[-1] == {
        "id": "org.x:a",
        "state": "ready",
        "origin": f"{folder}/a.provider",
        "distribution": "",
        "version": "1.0",
        "reason": "",
    }


def test_an_installed_provider_runs_and_resumes_by_its_name(holdall: Cli, tmp_path: Path) -> None:
    installed(holdall, tmp_path)

    done = holdall("run", "org.x:a")

    assert done.code == 0
    assert holdall.outcomes() == {"a": ["pass"]}
    del holdall.environ["PROVIDERPATH"]
    assert holdall("resume", "last").code == 0


def test_two_of_one_name_are_told_with_both_files(holdall: Cli, tmp_path: Path) -> None:
    folder = installed(holdall, tmp_path)
    write(folder / "b.provider", definition(location=str(tmp_path / "a")))

    done = holdall("run", "org.x:a")

    assert done.code == 2
    assert done.err == (
        f"holdall: several providers are called 'org.x:a': {folder}/a.provider and "
        f"{folder}/b.provider; write the path of the one that is meant, or remove the others\n"
    )
    assert holdall("providers", "list").out.count("ambiguous") == 2
    assert holdall("run", str(folder / "b.provider")).code == 0


def test_texts_and_reports_of_a_run_are_in_its_language(holdall: Cli, tmp_path: Path) -> None:
    write(source_tree(tmp_path / "tree") / "po/de.po", PO)
    unit = tmp_path / "tree/units/a.pxu"
    unit.write_text(unit.read_text().replace("command: Check the disk", "command: true"))

    done = holdall("run", str(tmp_path / "tree"), "--lang", "de", "--export", "text")
    again = holdall("resume", "last", "--export", "text")

    for out in (done.out, again.out):
        assert "Die Platte prüfen" in out
        assert "Urteil: PASS" in out
    assert "changed" not in again.err


def test_a_word_that_is_no_language_is_wrong_usage(holdall: Cli, tmp_path: Path) -> None:
    done = holdall("run", str(source_tree(tmp_path / "tree")), "--lang", "a/b")

    assert done.code == 2
    assert "'a/b' is no language" in done.err


def test_definitions_that_are_lost_are_named_by_the_run(holdall: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "lab/a.pxu", f"{JOB}\nid: b\nplugin: shel\ncommand: true\n")

    done = holdall("run", str(path.parent))

    assert f"holdall: {path}:6: error: job 'lab::b' can't be performed: the plugin" in done.err
    assert "FAIL: 1 pass, 1 error" in done.err
    assert done.code == 1


def test_validate_prints_each_issue_and_exits_by_the_worst(holdall: Cli, tmp_path: Path) -> None:
    job = f"_summary: A\n{JOB}"
    good = write(tmp_path / "good/a.pxu", job + "depends: o::b\n")
    bad = write(tmp_path / "bad/a.pxu", job + "depends: b\n")

    advised = holdall("providers", "validate", str(good.parent))
    failed = holdall("providers", "validate", "--json", str(bad.parent), str(good.parent))

    assert (advised.code, advised.out.splitlines()[-1]) == (
        0,
        "0 errors, 0 warnings, 1 piece of advice",
    )
    assert advised.out.startswith(f"{good}:5: advice: job 'good::a': whether there is a job")
    assert failed.code == 1
    shown = json.loads(failed.out)
    assert shown["counts"] == {"error": 1, "warning": 0, "advice": 1}
    assert [provider["name"] for provider in shown["providers"]] == ["bad", "good"]
    assert shown["issues"][0] == {
        "file": str(bad),
        "line": 5,
        "severity": "error",
        "message": "job 'bad::a': there is no job 'bad::b'; define it, or give the provider that "
        "does as a SOURCE too",
        "unit": "bad::a",
        "field": "depends",
    }


PLAN = """\
id: disks
plugin: resource
command: exit 1

unit: template
template-resource: disks
id: read/{name}
template-id: read
plugin: shell
command: exit 1

unit: test plan
id: plan
_name: Plan
include:
 read
"""


def test_expand_shows_what_would_run_and_runs_nothing(holdall: Cli, tmp_path: Path) -> None:
    lab = str(write(tmp_path / "lab/a.pxu", PLAN).parent)
    records = write(tmp_path / "records.json", json.dumps({"lab::disks": "name: sda\n"}))

    waiting = holdall("providers", "expand", lab, "--plan", "plan")
    shown = holdall("providers", "expand", lab, "--plan", "plan", "--resources", str(records))
    data = holdall(
        *("providers", "expand", lab, "--plan", "plan", "--resources", str(records), "--json")
    )

    assert waiting.code == shown.code == data.code == 0
    assert "template lab::read makes jobs of the records of lab::disks" in waiting.out
    assert shown.out == "lab::plan: 1 job\n1  lab::read/sda\n"
    assert [job["id"] for job in json.loads(data.out)["jobs"]] == ["lab::read/sda"]
    assert not holdall.store.exists()


def test_expand_refuses_files_that_hold_no_records(holdall: Cli, tmp_path: Path) -> None:
    lab = str(write(tmp_path / "lab/a.pxu", PLAN).parent)

    for text, reason in [("[", "it is no JSON"), ("[1]", "does not give each resource its text")]:
        records = write(tmp_path / "records.json", text)
        done = holdall("providers", "expand", lab, "--plan", "plan", "--resources", str(records))
        assert (done.code, reason in done.err) == (2, True)
    missing = holdall("providers", "expand", lab, "--plan", "plan", "--resources", "none.json")
    assert (missing.code, "none.json: it can't be read" in missing.err) == (2, True)


def test_a_plan_of_several_providers_is_ambiguous(holdall: Cli, tmp_path: Path) -> None:
    labs = [str(write(tmp_path / f"lab{n}/a.pxu", PLAN).parent) for n in (1, 2)]

    done = holdall("providers", "expand", *labs, "--plan", "plan")

    assert done.code == 2
    assert "lab1::plan" in done.err
    assert "lab2::plan" in done.err


def test_without_a_source_the_providers_are_those_that_are_installed_as_checkboxs(
    holdall: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "providers/lab"
    write(folder / "units/a.pxu", f"{JOB}\nunit: test plan\nid: p\n_name: P\ninclude: a\n")
    write(
        tmp_path / "providers/lab.provider",
        f"[PlainBox Provider]\nname = org.example:lab\nversion = 1.0\nlocation = {folder}\n",
    )
    known = Cli(holdall.folder, holdall.environ | {"PROVIDERPATH": str(tmp_path / "providers")})

    assert known("run", "--plan", "p").code == 0
    assert "org.example::a" in known("providers", "expand", "--plan", "p").out
    assert known("providers", "validate").code == 0
    assert "Missing argument 'SOURCE...'" in known("run").err
    for command in (["run", "--plan", "p"], ["providers", "validate"]):
        nobody = Cli(holdall.folder, holdall.environ | {"PROVIDERPATH": str(tmp_path)})(*command)
        assert (nobody.code, "Missing argument" in nobody.err) == (2, True)
