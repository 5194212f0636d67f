"""Fifty packages with a mistake each: every command says the same of it, and whose it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.bad_packages import EXPORTER, OPTIONS_OF_NO_TYPE, PACKAGES, Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Cli

USES = {
    "exporters": ("export", "last", "{id}"),
    "repositories": ("sessions", "list", "--store", "{id}:///x"),
    "runners": ("run", "smoke", "--job", "executable", "--device", "dut={id}:"),
    "provider_loaders": ("run", "{id}:/x"),
    "importers": ("import", "--as", "{id}", "x.csv"),
    "hooks": ("run", "smoke", "--job", "executable"),
    "providers": ("run", "{id}"),
}
"""By kind, the command that uses such a plugin."""

EVERY = (*PACKAGES, *OPTIONS_OF_NO_TYPE)

# `list` and the doctor, which cost one start, tell of all; what costs one for each, of some.
EVERY_NTH = [3, pytest.param(1, marks=pytest.mark.soak)]

# Each command in a process of its own, which costs a fork instead of a start of Python.
FORKS = """
import json, os, sys, tempfile
import holdall.cli, holdall.cli.export, holdall.cli.plugins.showing, holdall.cli.running
from holdall.cli import main

done = []
for arguments in {commands!r}:
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            main(arguments)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        done.append((status, out.read().decode(errors="replace")))
print(json.dumps(done))
"""


def ran(holdall: Cli, commands: list[list[str]]) -> Iterator[tuple[int, str]]:
    done = holdall.python(FORKS.format(commands=commands))
    assert done.code == 0, done.err
    yield from json.loads(done.out)


@pytest.fixture
def lab(holdall: Cli) -> Cli:
    assert holdall("testing", "make-session", "--jobs", "1").code == 0
    (holdall.folder / "x.csv").write_text("a,b\n")
    for package in EVERY:
        package.install(holdall.folder / "site")
    holdall.environ["PYTHONPATH"] = str(holdall.folder / "site")
    return holdall


def some(every: int) -> list[Package]:
    """Return all packages but for exporters, of which each n-th is there."""
    return [
        each
        for number, each in enumerate(PACKAGES)
        if each.kind != "exporters" or number % every == 0
    ]


def about(rows: list[dict[str, Any]], package: Package) -> dict[str, Any]:
    (found,) = [row for row in rows if row["distribution"] == package.distribution]
    assert (found["kind"], found["id"], found["version"]) == (package.kind, package.id, "1.5")
    return found


def test_list_says_what_can_be_known_without_an_import(lab: Cli) -> None:
    listed = json.loads(lab("plugins", "list", "--json").out)

    for package in EVERY:
        found = about(listed, package)
        assert found["state"] == package.state, package.id
        assert (package.words in found["reason"]) == (package.state != "ready"), package.id


def test_the_doctor_says_what_an_import_tells(lab: Cli) -> None:
    lab.environ["HOLDALL_PLUGINS_BLOCK"] = "dist:holdall"  # these are well, and cost a start each
    done = lab("plugins", "doctor", "--json")

    assert done.code == 4
    for package in EVERY:
        found = about(json.loads(done.out)["plugins"], package)
        assert found["state"] == (package.loaded or package.state), package.id
        assert package.words in found["reason"], package.id


@pytest.mark.parametrize("every", EVERY_NTH)
def test_show_why_and_the_command_that_uses_it_give_the_same_reason(lab: Cli, every: int) -> None:
    # `show` loads a plugin as `why` does: some are enough.
    shown, packages = PACKAGES[::4], [each for each in some(every) if each.id != "Odd-Runner"]
    commands = [["plugins", "show", each.id, "--kind", each.kind] for each in shown]
    commands += [["plugins", "why", each.id, "--kind", each.kind] for each in packages]
    uses = [[part.format(id=each.id) for part in USES[each.kind]] for each in packages]

    done = ran(lab, [*commands, *uses])

    about_each = zip([*commands, *uses], [*shown, *packages, *packages], done, strict=True)
    for command, package, (code, text) in about_each:
        assert package.words in text, command
        assert package.distribution in text, command
        assert "1.5" in text, command
        # A listener that can't be loaded is told, and fails no run; a provider is a user's source.
        wanted = {"hooks": 0, "providers": 2}.get(package.kind, 4)
        assert code == (wanted if command in uses else 4), command
        assert "Traceback" not in text, command


@pytest.mark.parametrize("every", EVERY_NTH)
def test_check_gives_the_same_reason_and_exits_with_4(lab: Cli, every: int) -> None:
    packages = some(every)
    commands = [["plugins", "check", each.id, "--kind", each.kind] for each in packages]

    for package, (code, text) in zip(packages, ran(lab, commands), strict=True):
        assert code == 4, package.id
        assert package.words in text, (package.id, text)
        assert f"{package.distribution} 1.5" in text, package.id


def test_an_import_that_prints_is_told_by_doctor_and_check_and_spoils_no_report(
    holdall: Cli,
) -> None:
    printing = Package("odd.prints", f"print('hello')\n{EXPORTER}", "")
    printing.install(holdall.folder / "site")
    holdall.environ["PYTHONPATH"] = str(holdall.folder / "site")
    assert holdall("testing", "make-session", "--jobs", "1").code == 0

    doctor = holdall("plugins", "doctor", "odd.prints")
    check = holdall("plugins", "check", "odd.prints")
    report = holdall("export", "last", "odd.prints")

    assert doctor.code == 4
    assert "it printed 'hello\\n', where a report may be going" in doctor.out
    assert "its import printed 'hello'" in check.out
    assert report.out == "odd"


@pytest.mark.parametrize("what", ["raise SystemExit(0)", "import os; os._exit(0)"])
def test_a_plugin_that_exits_when_it_is_called_is_told_by_check(holdall: Cli, what: str) -> None:
    leaving = Package("odd.leaves", EXPORTER.replace('sink.write(b"odd")', what), "")
    leaving.install(holdall.folder / "site")
    holdall.environ["PYTHONPATH"] = str(holdall.folder / "site")

    check = holdall("plugins", "check", "odd.leaves", "--json")

    failed = [each for each in json.loads(check.out)["checks"] if each["outcome"] == "fail"]
    assert check.code == 4
    assert failed
