"""The command line in the language of who sits there; what programs read stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from tests.e2e.test_imports import COMMAND, HEAVY, imported_by
from tests.unit.test_exporters_in_german import english_words, words_in

from holdall.cli import cli
from holdall.cli.translation import messages, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Cli

GERMAN = {"LANG": "de_DE.UTF-8"}


def commands(command: click.Command = cli, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, *path, name)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"LANG": "de_DE.UTF-8"}, id="LANG"),
        pytest.param({"LC_MESSAGES": "de_AT.UTF-8"}, id="LC_MESSAGES"),
        pytest.param({"LANG": "fr_FR.UTF-8", "LC_ALL": "de_DE.UTF-8"}, id="LC_ALL"),
        pytest.param({"LANG": "C.UTF-8", "LANGUAGE": "xx:de"}, id="LANGUAGE"),
    ],
)
def test_the_language_comes_from_where_gettext_looks(
    holdall: Cli, variables: dict[str, str]
) -> None:
    holdall.environ |= variables

    assert holdall("--help").out.startswith("Aufruf: holdall [OPTIONS]")


@pytest.mark.parametrize("lang", ["C", "C.UTF-8", "en_GB.UTF-8", "xx_XX.UTF-8", "nonsense"])
def test_a_language_that_nobody_speaks_is_english(holdall: Cli, lang: str) -> None:
    holdall.environ["LANG"] = lang
    found = holdall("--help")

    assert (found.code, found.err) == (0, "")
    assert "Show this message and exit." in found.out


def test_no_english_word_is_left_in_any_help(holdall: Cli) -> None:
    holdall.environ |= GERMAN
    program = (
        "import sys\nfrom holdall.cli import main\n"
        "for path in {paths!r}:\n"
        "    try:\n        main([*path, '--help'])\n"
        "    except SystemExit as end:\n        assert not end.code, path\n"
    )
    found = holdall.python(program.format(paths=list(commands())))

    assert (found.code, found.err) == (0, "")
    assert found.out.count("Aufruf:") == len(list(commands())) >= 20
    # Names of options and of what they take are the same in every language.
    shown = re.sub(
        r"(?m)^Aufruf:.*$|--?[\w-]+|\b[A-Z_]{2,}\b|`\w+`|\{\w+\}|file:\S*", " ", found.out
    )
    names = {word for path in commands() for name in path for word in name.split("-")}
    assert words_in(shown) & english_words() - names == set()


def test_a_run_its_session_and_its_tables_are_german(holdall: Cli) -> None:
    holdall.environ |= GERMAN
    run = holdall("run", "smoke", "--job", "executable", "--title", "Bank 7")

    assert run.code == 0
    first, counted, session = run.err.splitlines()
    assert re.fullmatch(r"\[1/1\] bestanden {6}holdall\.smoke::executable", first)
    assert counted == "PASS: 1 bestanden"
    assert session.startswith("Sitzung holdall-")
    assert holdall("sessions", "list").out.split()[:2] == ["SITZUNG", "ZUSTAND"]
    assert "Ergebnisse: 1 bestanden\n" in holdall("sessions", "show", "last").out
    assert holdall("plugins", "list").out.startswith("ART ")
    assert "Medientyp:    text/plain" in holdall("plugins", "show", "text").out


def test_wrong_usage_is_told_in_german_and_an_error_as_it_is_looked_for(holdall: Cli) -> None:
    holdall.environ |= GERMAN

    assert holdall("run").err.endswith("Fehler: Fehlendes Argument 'SOURCE...'.\n")
    assert "Fehler: Es gibt keinen Befehl 'fly'." in holdall("fly").err
    assert "ist weder NAME noch NAME=PATH" in holdall("export", "last", "=x").err
    unknown = holdall("export", "last", "text")
    assert unknown.code == 3
    assert unknown.err.startswith("holdall: no session ")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["plugins", "list", "--json"], id="plugins list"),
        pytest.param(["plugins", "show", "html", "--json"], id="plugins show"),
        pytest.param(["sessions", "show", "last", "--json"], id="sessions show"),
        pytest.param(["providers", "show", "smoke", "--json"], id="providers show"),
        pytest.param(["export", "last", "text"], id="export"),
        pytest.param(["--version"], id="version"),
    ],
)
def test_what_programs_read_is_the_same_in_every_language(
    smoke_session: Cli, arguments: list[str]
) -> None:
    english = smoke_session(*arguments)
    smoke_session.environ |= GERMAN

    assert english.code == 0
    assert smoke_session(*arguments) == english


def test_the_language_of_a_report_is_an_option_and_an_unknown_one_an_error(
    smoke_session: Cli,
) -> None:
    german = smoke_session("export", "last", "text", "-O", "lang=de")
    unknown = smoke_session("export", "last", "html=report.html", "json=r.json", "-O", "lang=xx")

    assert "Urteil: PASS\n" in german.out
    assert unknown.code == 2
    assert "the language 'xx': no catalog has it (languages: de, en)" in unknown.err
    assert not (smoke_session.folder / "report.html").exists()
    assert (smoke_session.folder / "r.json").exists()


def test_what_is_recorded_does_not_depend_on_the_language(holdall: Cli) -> None:
    holdall.environ |= GERMAN
    holdall("run", "smoke", "--job", ".*person.*")

    reasons = {job.skip_reason for job in holdall.jobs()}
    assert reasons == {"it needs a person, and there is no terminal to ask at"}


def test_speaking_german_imports_nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")

    assert imported_by(COMMAND.format(arguments=["plugins", "list"])) & HEAVY == set()


def test_a_translated_command_leaves_the_one_it_was_made_from() -> None:
    @click.command(help="One\ntwo.\n\nThree.")
    @click.option("--far", help="How far.")
    def go(far: str) -> None:
        del far

    shown = translated(go)

    assert shown is not go
    assert shown.params[0] is not go.params[0]
    assert (shown.help, go.help) == ("One two.\n\nThree.", "One\ntwo.\n\nThree.")
    assert messages(go.help) == ["One two.", "Three."]
    assert messages(None) == []
