"""`holdall export`: what the command line adds to an export."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.conftest import command_line, write_provider

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

TALKER = """
unit: job
id: talker
plugin: shell
_summary: Says too much
command: echo the token is hunter2-hunter3; echo 'password: swordfish'; false
"""


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a provider and a store, whose session is one of that provider."""
    folder = tmp_path_factory.mktemp("talked")
    assert command_line(folder)("run", write_provider(folder, TALKER)).code == 1
    return folder


@pytest.fixture
def session(holdall: Cli, talked: Path) -> Cli:
    shutil.copytree(talked / "store", holdall.store)
    return holdall


def with_variables(cli: Cli, **variables: str) -> Cli:
    return replace(cli, environ={**cli.environ, **variables})


def test_secrets_of_variables_and_keys_are_masked_and_counted(session: Cli) -> None:
    cli = with_variables(session, TOKEN="hunter2-hunter3")  # noqa: S106 - the subject

    found = cli(
        *("export", "last", "json=report.json", "--redact-env", "TOKEN"),
        *("--redact-key", "password", "--redact", "to+ken", "--verify"),
    )

    text = (cli.folder / "report.json").read_text()
    assert found.code == 0
    assert json.loads(text)["job_count"] == 1
    for secret in ("hunter2", "swordfish", "token"):
        assert secret not in text
        assert secret not in found.err
    assert "redacted: secret TOKEN 1 x" in found.err


@pytest.mark.parametrize(
    "options", [("--redact-env", "NO_SUCH_VARIABLE"), ("--redact", "("), ("--redact-key", "")]
)
def test_what_can_not_be_masked_is_wrong_usage(session: Cli, options: tuple[str, ...]) -> None:
    found = session("export", "last", "json", *options)

    assert found.code == 2
    assert found.out == ""


def test_colours_follow_the_variables_of_the_user(session: Cli) -> None:
    forced = with_variables(session, FORCE_COLOR="1")
    refused = with_variables(session, FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b[1;31mFAILED" in forced("export", "last", "text").out
    assert "\x1b" not in forced("export", "last", "text", "-O", "color=never").out
    assert "\x1b" not in refused("export", "last", "text").out
    assert "\x1b" not in session("export", "last", "text").out


def test_options_of_plainbox_are_taken_with_a_warning(session: Cli) -> None:
    found = session("export", "last", "text", "-O", "with-io-log")

    assert "the token is hunter2-hunter3" in found.out
    assert "write 'logs=all'" in found.err


LAB = """
unit: job
id: fine
plugin: shell
command: true

unit: exporter
id: card
entry_point: template
file_extension: txt
data: {"template": "card.txt"}

unit: exporter
id: lost
entry_point: nowhere
file_extension: txt
"""


@pytest.fixture
def lab(holdall: Cli) -> Cli:
    folder = holdall.folder / "here"
    for name, text in {
        "lab.provider": "[PlainBox Provider]\nname = com.example:lab\nversion = 1.0\n",
        "units/all.pxu": LAB,
        "data/card.txt": "{{ verdict.word }} {{ view.job_count }}\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return holdall


def test_a_providers_exporter_unit_is_a_report_of_run_resume_and_export(lab: Cli) -> None:
    run = lab("run", "./here", "--export", "com.example::card")
    resume = lab("resume", "last", "--export", "com.example::card")
    export = lab("export", "last", "com.example::card")

    assert (run.code, run.out) == (0, "PASS 1\n")
    assert (resume.code, resume.out) == (0, "PASS 1\n")
    assert (export.code, export.out) == (0, "PASS 1\n")


def test_a_unit_whose_exporter_is_missing_is_told_before_anything_runs(lab: Cli) -> None:
    found = lab("run", "./here", "--export", "com.example::lost")

    assert found.code == 2
    assert "no exporter is called 'nowhere'" in found.err
    assert lab("sessions", "list", "--json").out.strip() == "[]"


def test_a_provider_that_is_gone_fails_its_own_report_and_can_be_given(lab: Cli) -> None:
    lab("run", "./here")
    (lab.folder / "here").rename(lab.folder / "there")

    lost = lab("export", "last", "com.example::card=card.txt", "global=verdict.txt")
    given = lab("export", "last", "com.example::card", "--source", "./there")

    assert lost.code == 2
    assert "'com.example:lab' 1.0, which is not loaded" in lost.err
    assert "--source" in lost.err
    assert not (lab.folder / "card.txt").exists()
    assert (lab.folder / "verdict.txt").read_text() == "PASS\n"
    assert (given.code, given.out) == (0, "PASS 1\n")


def test_a_provider_of_another_version_is_used_and_told(lab: Cli) -> None:
    lab("run", "./here")
    definition = lab.folder / "here" / "lab.provider"
    definition.write_text(definition.read_text().replace("1.0", "2.0"))

    found = lab("export", "last", "com.example::card")

    assert (found.code, found.out) == (0, "PASS 1\n")
    assert "com.example:lab is 2.0 now; the session had 1.0" in found.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "a\n{{ nothing }}", "mine.txt, line 2: 'nothing' is undefined", id="undefined"
        ),
        pytest.param("{% if %}", "mine.txt, line 1: ", id="syntax"),
    ],
)
def test_an_error_in_a_template_is_told_with_file_and_line(
    session: Cli, text: str, words: str
) -> None:
    (session.folder / "mine.txt").write_text(text)
    report = session.folder / "report.txt"
    report.write_text("the old report")

    found = session("export", "last", "template=report.txt", "-O", "template=mine.txt")

    assert found.code == 2
    assert words in found.err
    assert report.read_text() == "the old report"


def test_an_option_is_for_the_exporter_it_names_by_any_name(session: Cli) -> None:
    found = session(
        *("export", "last", "text=a.txt", "json=a.json"),
        *("-O", "holdall.text.logs=all", "-O", "title=Ours"),
    )

    text = (session.folder / "a.txt").read_text()
    assert found.code == 0
    assert text.startswith("Ours\n")
    assert "| password: swordfish" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ("json", "-O", "html.logs=none"),
            "-O 'html.logs=none' is for 'html', which is not exported",
            id="an option for nobody",
        ),
        pytest.param(
            ("text=same", "json=./same"), "2 reports can't all be '{folder}/same'", id="one file"
        ),
        pytest.param(
            ("json", "-O", "logs=none", "-O", "logs=all"), "it was given twice", id="option twice"
        ),
        pytest.param(("json=.",), "cannot write the report to '.': it is a folder", id="a folder"),
        pytest.param(
            ("json=no/x.json",), "there is no folder '{folder}/no'", id="a folder that is missing"
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_words(
    session: Cli, arguments: tuple[str, ...], words: str
) -> None:
    found = session("export", "last", *arguments)

    assert (found.code, found.out) == (2, "")
    assert words.format(folder=session.folder) in found.err


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "name",
    [
        "tap",
        "ndjson",
        "csv",
        "agent",
        "otr",
        "markdown",
        "ctrf",
        "html",
        "json",
        "junit",
        "tar",
        "template",
        "text",
        "global",
        "xlsx",
        "testplan",
        "parquet",
    ],
)
def test_a_full_disk_is_told_and_hinders_no_other_report(session: Cli, name: str) -> None:
    found = session("export", "last", f"{name}=/dev/full", "global=verdict.txt")

    assert found.code == 2
    assert "cannot write the report to '/dev/full': No space left on device" in found.err
    assert (session.folder / "verdict.txt").read_text() == "FAIL\n"


def test_two_reports_of_one_exporter_have_options_of_their_own(session: Cli) -> None:
    options = ("-O", "text@1.logs=all", "-O", "text@2.logs=none", "-O", "text.comments=no")

    found = session("export", "last", "text=a.txt", "text=b.txt", *options)

    assert (found.code, found.err) == (0, "")
    assert "swordfish" in (session.folder / "a.txt").read_text()
    assert "swordfish" not in (session.folder / "b.txt").read_text()


def test_one_option_is_given_to_two_reports_of_one_exporter(session: Cli) -> None:
    found = session("export", "last", "text=a.txt", "text=b.txt", "-O", "logs=all")

    assert (found.code, found.err) == (0, "")
    for name in ("a.txt", "b.txt"):
        assert "swordfish" in (session.folder / name).read_text()


def test_an_option_of_a_report_that_is_not_there_is_wrong_usage(session: Cli) -> None:
    found = session("export", "last", "text=a.txt", "-O", "text@2.logs=all")

    assert found.code == 2
    assert "'text@2', which is not exported" in found.err
    assert not (session.folder / "a.txt").exists()


def test_a_traceback_is_printed_when_it_is_asked_for(session: Cli) -> None:
    failing = ("export", "last", "text=missing/a.txt")

    plain, debugging = session(*failing), session("--debug", *failing)
    by_variable = with_variables(session, HOLDALL_DEBUG="1")(*failing)
    of_the_command = session("--debug", "export", "nothing", "text")

    assert (plain.code, "Traceback" in plain.err) == (2, False)
    assert (debugging.code, "Traceback (most recent call last)" in debugging.err) == (2, True)
    assert "FileNotFoundError" in debugging.err
    assert "Traceback" in by_variable.err
    assert "UnknownSessionError" in of_the_command.err


def test_the_schema_of_an_exporter_that_has_none_is_wrong_usage(holdall: Cli) -> None:
    assert holdall("schema", "session").out == holdall("schema", "session", "holdall.json").out
    assert holdall("schema", "session", "junit").code == 2


def test_a_report_with_the_path_of_a_dash_goes_to_standard_output(session: Cli) -> None:
    dash = session("export", "last", "json=-")

    assert (dash.code, dash.out) == (0, session("export", "last", "json").out)
    assert not (session.folder / "-").exists()
    both = session("export", "last", "json=-", "text")
    assert both.code == 2
    assert "only one report can go to standard output" in both.err


def test_a_file_may_be_called_a_dash(session: Cli) -> None:
    assert session("export", "last", "global=./-").code == 0
    assert (session.folder / "-").read_text() == "FAIL\n"


def test_a_folder_that_is_not_there_takes_no_file(session: Cli) -> None:
    found = session("export", "last", "text=zz/", "text=/nowhere/zz/")

    assert found.code == 2
    assert found.err.count("it names a folder; name a file in it") == 2
    assert not (session.folder / "zz").exists()


def test_a_finished_session_is_followed_to_its_end_once_however_often(session: Cli) -> None:
    target = session.folder / "lines.ndjson"

    for _time in range(2):
        assert session("export", "last", f"ndjson={target}", "--follow").code == 0

    assert target.read_text() == session("export", "last", "ndjson").out


def test_a_file_with_lines_of_another_report_is_left_as_it_was(session: Cli) -> None:
    target = session.folder / "notes.txt"
    target.write_text("my notes\n")

    found = session("export", "last", f"ndjson={target}", "--follow")

    assert found.code == 2
    assert "the lines in it are of another report" in found.err
    assert target.read_text() == "my notes\n"


def test_a_file_of_another_session_is_left_as_it_was(session: Cli) -> None:
    target = session.folder / "lines.ndjson"
    assert session("export", "last", f"ndjson={target}", "--follow").code == 0
    before = target.read_text()
    again = json.loads(before.splitlines()[0])
    others = before.replace(again["session"], "another-session", 1)
    target.write_text(others)

    found = session("export", "last", f"ndjson={target}", "--follow")

    assert (found.code, target.read_text()) == (2, others)
    assert "the lines in it are of another report" in found.err


def test_the_end_of_a_follower_that_gave_up_is_no_line_of_one_that_goes_on(session: Cli) -> None:
    target = session.folder / "lines.ndjson"
    assert session("export", "last", f"ndjson={target}", "--follow").code == 0
    whole = target.read_text().splitlines(keepends=True)
    early = [*whole[:2], whole[-1].replace('"lines":', '"lines":1')]  # as if it had seen so few
    target.write_text("".join(early))

    assert session("export", "last", f"ndjson={target}", "--follow").code == 0

    assert target.read_text() == "".join(whole)


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        pytest.param(["json"], "such as ndjson, not for holdall.json", id="whole"),
        pytest.param(["ndjson", "text=report.txt"], "--follow is for one report", id="several"),
        pytest.param(["ndjson=/dev/full"], "No space left on device", id="full disk"),
    ],
)
def test_what_can_not_be_followed_is_told(reports: list[str], words: str, session: Cli) -> None:
    found = session("export", "last", *reports, "--follow")

    assert (found.code, found.out) == (2, "")
    assert words in found.err
