"""The variables and folders that jobs of the command line see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

SEEN = """\
id: seen
plugin: shell
command: echo "$COLOUR $SIZE"
"""


def logged(cli: Cli, job_id: str = "seen") -> str:
    (job,) = [job for job in cli.jobs() if job.id.endswith(f"::{job_id}")]
    return b"".join(record.data for record in job.io_log()).decode()


def configure(cli: Cli, text: str) -> None:
    (cli.folder / "holdall.toml").write_text(text)


@pytest.mark.parametrize(
    ("own", "arguments", "expected"),
    [
        pytest.param({}, [], "configured big\n", id="configured"),
        pytest.param({"COLOUR": "real"}, [], "real big\n", id="the environment wins"),
        pytest.param(
            {"COLOUR": "real"},
            ["--env", "COLOUR=given", "--env", "SIZE="],
            "given \n",
            id="an option wins over both",
        ),
    ],
)
def test_a_variable_is_that_of_the_option_the_environment_or_the_file(
    holdall: Cli,
    provider: Callable[[str], str],
    own: dict[str, str],
    arguments: list[str],
    expected: str,
) -> None:
    configure(holdall, '[environment]\nCOLOUR = "configured"\nSIZE = "big"\n')
    holdall.environ |= own

    assert holdall("run", provider(SEEN), *arguments).code == 0

    assert logged(holdall) == expected


def test_a_resume_lets_jobs_see_what_the_run_gave_them(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    lab = provider("id: first\nplugin: shell\ncommand: false\n\n" + SEEN)
    holdall("run", lab, "--env", "COLOUR=given", "--env", "SIZE=s")
    change = SEEN.replace("echo", "echo again")
    provider("id: first\nplugin: shell\ncommand: false\n\n" + change)

    resumed = holdall("resume", "last", "--changed", "rerun", "--env", "SIZE=l")

    assert resumed.code == 1, resumed
    assert logged(holdall) == "again given l\n"


@pytest.mark.parametrize("text", ["COLOUR", "=x", "1A=x", "A B=x"])
def test_a_variable_that_is_none_is_wrong_usage(holdall: Cli, text: str) -> None:
    refused = holdall("run", "smoke", "--env", text)

    assert refused.code == 2
    assert f"{text!r} is not NAME=VALUE with the name of a variable" in refused.err


@pytest.mark.parametrize(
    ("table", "reason"),
    [("COLOUR = 3", "it is 3 and should be a text"), ('"A B" = "x"', "can't be the name")],
)
def test_a_table_of_variables_that_makes_no_sense_is_refused(
    holdall: Cli, table: str, reason: str
) -> None:
    configure(holdall, f"[environment]\n{table}\n")

    refused = holdall("run", "smoke")

    assert refused.code == 2
    assert "holdall.toml:2" in refused.err
    assert reason in refused.err


def test_a_secret_that_jobs_were_given_is_masked_in_the_session_and_asked_for_again(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    lab = provider(SEEN.replace("echo", "true"))
    given = ["--env", "COLOUR=hunter2", "--redact-key", "COLOUR"]
    holdall("run", lab, *given)
    provider(SEEN.replace("echo", "true other"))

    resumed = holdall("resume", "last", "--changed", "rerun")

    journal = b"".join(path.read_bytes() for path in holdall.store.rglob("journal-*"))
    assert b"hunter2" not in journal
    assert "keeps COLOUR masked; give it again with --env COLOUR=" in resumed.err


FOLDERS = """\
id: own
plugin: shell
flags: preserve-cwd
command: pwd

id: messy
plugin: shell
command: mkdir -p deep/down; touch one deep/two

id: silent
plugin: shell
flags: has-leftovers
command: touch one
"""


def test_a_job_may_run_in_the_folder_of_the_caller(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall("run", provider(FOLDERS))

    assert logged(holdall, "own") == f"{holdall.folder}\n"
    assert holdall.folder.exists()


def test_what_a_job_leaves_in_its_folder_is_reported_unless_it_says_that_it_does(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    done = holdall("run", provider(FOLDERS))

    assert done.code == 0
    lines = [line for line in done.err.splitlines() if "left files" in line]
    (line,) = lines
    assert line == (
        "holdall: the job 'lab::messy' left files in its folder, which is removed: "
        "'deep/down/', 'deep/two', 'one'"
    )
