"""Manifest entries at the command line: given, remembered, asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli, Terminal

ASKING = """\
unit: manifest entry
id: has_dock
_name: A docking station
_prompt: Is this there?
value-type: bool

unit: manifest entry
id: ports
_name: Ports
value-type: natural

unit: manifest entry
id: _secret
_name: Nobody asks
value-type: bool
hidden-reason: set by the laboratory

unit: manifest entry
id: unused
_name: No job cites it
value-type: bool

id: dock
plugin: shell
imports: from com.canonical.plainbox import manifest
requires: manifest.has_dock == 'True'
command: true

id: many
plugin: shell
imports: from com.canonical.plainbox import manifest
requires: int(manifest.ports) >= 2
command: true

id: hidden
plugin: shell
imports: from com.canonical.plainbox import manifest
requires: manifest._secret == 'True'
command: true
"""


def outcomes(cli: Cli) -> dict[str, str]:
    return {job_id: tried[-1] for job_id, tried in cli.outcomes().items()}


def remembered(cli: Cli, device: str = "local") -> Path:
    return cli.folder / f"home/.local/state/holdall/manifest/{device}.json"


@pytest.fixture
def lab(provider: Callable[[str], str]) -> str:
    return provider(ASKING)


def test_what_nobody_answers_counts_as_no_and_is_named(holdall: Cli, lab: str) -> None:
    done = holdall("run", lab)

    assert outcomes(holdall) == dict.fromkeys(("dock", "many", "hidden"), "skipped-manifest")
    assert (
        "nobody answered these manifest entries, which count as False or 0; "
        "give --manifest ID=VALUE: lab::has_dock, lab::ports\n"
    ) in done.err
    assert done.code == 1
    assert not remembered(holdall).exists()


@pytest.mark.parametrize("yes", ["yes", "Y", "true", "T", "on", "1"])
def test_answers_are_given_by_id(holdall: Cli, lab: str, yes: str) -> None:
    arguments = ["--manifest", f"has_dock={yes}", "--manifest", "lab::ports=2"]

    holdall("run", lab, *arguments, "--manifest", "_secret=on")

    assert outcomes(holdall) == dict.fromkeys(("dock", "many", "hidden"), "pass")


def test_answers_are_given_by_a_file_and_the_last_of_an_id_counts(holdall: Cli, lab: str) -> None:
    path = holdall.folder / "machine-manifest.json"
    answers = {"lab::has_dock": True, "lab::ports": 1, "elsewhere::x": 4, "lab::unused": None}
    path.write_text(json.dumps(answers))

    holdall("run", lab, "--manifest", str(path), "--manifest", "ports=3")

    assert outcomes(holdall) == {"dock": "pass", "many": "pass", "hidden": "skipped-manifest"}


def test_answers_are_remembered_for_the_device_and_hidden_ones_are_not(
    holdall: Cli, lab: str
) -> None:
    holdall("run", lab, "--manifest", "has_dock=yes", "--manifest", "_secret=yes")
    path = remembered(holdall)
    path.write_text(json.dumps({**json.loads(path.read_text()), "elsewhere::x": 4}))

    holdall("run", lab, "--manifest", "ports=4")

    assert outcomes(holdall) == {"dock": "pass", "many": "pass", "hidden": "skipped-manifest"}
    assert path.read_text() == (
        '{\n  "elsewhere::x": 4,\n  "lab::has_dock": true,\n  "lab::ports": 4\n}\n'
    )


def test_what_was_remembered_by_another_device_does_not_count(holdall: Cli, lab: str) -> None:
    holdall("run", lab, "--manifest", "has_dock=yes", "--device", "dut/7")

    holdall("run", lab)

    assert remembered(holdall, "dut%2F7").exists()
    assert outcomes(holdall)["dock"] == "skipped-manifest"


def test_an_answer_outlives_the_run_in_its_session(
    holdall: Cli, provider: Callable[[str], str], lab: str
) -> None:
    holdall("run", lab, "--manifest", "_secret=yes")
    provider(ASKING.replace("'True'\ncommand: true", "'True'\ncommand: true again"))

    holdall("resume", "last", "--changed", "rerun")

    assert outcomes(holdall)["hidden"] == "pass"


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("has_dok=yes", "did you mean 'has_dock'"),
        ("has_dock=maybe", "the manifest entry 'lab::has_dock' takes yes or no, not 'maybe'"),
        ("ports=-1", "takes a number from 0 on, not '-1'"),
        ("ports=two", "takes a number from 0 on, not 'two'"),
        ("=yes", "is neither ID=VALUE nor the name of a file"),
        ("nowhere.json", "nowhere.json can't be used: No such file"),
        ("list.json", "list.json can't be used: it holds list and should hold an object"),
        ("text.json", "text.json can't be used: it is no JSON"),
        ("nested.json", "lab::ports is [1] and should be true, false, a number or a text"),
        ("wrong.json", "wrong.json: the manifest entry 'lab::has_dock' takes yes or no, not 3"),
        ("lab", "lab can't be used: Is a directory"),
    ],
)
def test_an_answer_that_makes_no_sense_is_wrong_usage_and_leaves_no_session(
    holdall: Cli, lab: str, argument: str, words: str
) -> None:
    files = {
        "list.json": "[1]",
        "text.json": "has_dock = yes",
        "nested.json": '{"lab::ports": [1]}',
        "wrong.json": '{"lab::has_dock": 3}',
    }
    for name, text in files.items():
        (holdall.folder / name).write_text(text)

    refused = holdall("run", lab, "--manifest", argument)

    assert (refused.code, refused.out) == (2, "")
    assert words in refused.err
    assert not holdall.store.exists()


def test_a_file_of_answers_that_is_damaged_is_reported_and_the_run_goes_on(
    holdall: Cli, lab: str
) -> None:
    path = remembered(holdall)
    path.parent.mkdir(parents=True)
    path.write_text("[]")

    done = holdall("run", lab, "--manifest", "has_dock=yes")

    assert "local.json can't be used: it holds list" in done.err
    assert outcomes(holdall)["dock"] == "pass"
    assert json.loads(path.read_text()) == {"lab::has_dock": True}


def test_a_person_at_the_terminal_is_asked_what_the_jobs_need_and_only_once(
    holdall: Cli, lab: str, terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", lab)
    run.wait_for("How much or how many?")
    run.wait_for("Ports:")
    run.type("many\n")
    run.wait_for("is not a valid integer")
    run.type("2\n")
    run.wait_for("Is this there?")
    run.wait_for("A docking station")
    run.type("y\n")
    run.end()

    again = terminal("run", lab)
    again.end()

    assert outcomes(holdall) == {"dock": "pass", "many": "pass", "hidden": "skipped-manifest"}
    assert "No job cites it" not in run.ever_shown
    assert "docking" not in again.ever_shown


@pytest.mark.parametrize("leave", ["interrupt", "kill", "end of input"])
def test_an_answer_is_kept_when_it_is_given(
    holdall: Cli, lab: str, terminal: Callable[..., Terminal], leave: str
) -> None:
    run = terminal("run", lab)
    run.wait_for("Ports:")
    run.type("2\n")
    run.wait_for("A docking station")
    if leave == "interrupt":
        run.interrupt()
    elif leave == "kill":
        run.child.kill()
    else:
        run.type("\x04")
    run.end()

    (remembered,) = (holdall.folder / "home").rglob("manifest/*.json")
    assert json.loads(remembered.read_text()) == {"lab::ports": 2}
    remembered.unlink()  # the session has it too
    resumed = terminal("resume", "last")
    resumed.wait_for("A docking station")
    assert "Ports:" not in resumed.plain
    resumed.type("y\n")
    resumed.end()
    assert outcomes(holdall) == {"dock": "pass", "many": "pass", "hidden": "skipped-manifest"}


def test_a_question_is_not_answered_by_what_was_pasted_at_the_one_before(
    holdall: Cli, lab: str, terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", lab)
    run.wait_for("Ports:")
    run.type("2\ny\n")
    run.wait_for("A docking station")
    run.type("n\n")
    run.end()

    assert outcomes(holdall)["dock"] == "skipped-manifest"


def test_a_terminal_that_goes_away_at_a_question_leaves_the_session_to_be_resumed(
    holdall: Cli, lab: str, terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", lab)
    run.wait_for("Ports:")
    run.interrupt()
    assert run.end() == 130

    holdall("resume", "last", "--manifest", "ports=2", "--manifest", "has_dock=n")

    assert outcomes(holdall) == {
        "dock": "skipped-manifest",
        "many": "pass",
        "hidden": "skipped-manifest",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(f"has_dock={'y' * 5000}", "takes yes or no", id="longer than a file name"),
        pytest.param(f"ports={'9' * 5000}", "takes a number from 0 on", id="5000 digits"),
        pytest.param("n" * 5000, "can't be used: File name too long", id="a long file name"),
    ],
)
def test_answers_that_are_too_much_for_python_are_refused(
    holdall: Cli, lab: str, text: str, reason: str
) -> None:
    done = holdall("run", lab, "--manifest", text)

    assert done.code == 2
    assert reason in done.err


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("[" * 100_000, id="open"),
        pytest.param('{"a": ' + "[" * 900 + "]" * 900 + "}", id="nested"),
        pytest.param('{"ports": ' + "9" * 5000 + "}", id="5000 digits"),
    ],
)
def test_a_file_that_is_too_much_for_python_is_refused(
    holdall: Cli, lab: str, content: str
) -> None:
    path = holdall.folder / "answers.json"
    path.write_text(content)

    done = holdall("run", lab, "--manifest", str(path))

    assert done.code == 2
    assert f"the manifest {path} can't be used: " in done.err


def test_what_a_plan_would_run_is_shown_with_the_answers(holdall: Cli, lab: str) -> None:
    path = Path(lab)
    plan = path if path.is_file() else next(path.glob("**/*.pxu"))
    text = "\nunit: test plan\nid: p\nname: P\ninclude:\n dock\n many\n"
    plan.write_text(plan.read_text() + text)
    arguments = ("providers", "expand", lab, "--plan", "p", "--manifest", "has_dock=no")

    shown = holdall(*arguments, "--manifest", "ports=2", "--json")
    wrong = holdall(*arguments, "--manifest", "nothing=2")

    skipped = {job["id"]: bool(job["skipped"]) for job in json.loads(shown.out)["jobs"]}
    assert skipped == {"lab::dock": True, "lab::many": False}
    assert wrong.code == 2
    assert "no manifest entry is called 'nothing'" in wrong.err
