"""What a run was asked for besides its jobs, and a resume does as well."""

from __future__ import annotations

import os
import pwd
import signal
import tarfile
from typing import TYPE_CHECKING

import pytest
from tests.e2e.test_cli_people import DECISION, definition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Cli, Terminal

    Provider = Callable[[str], str]
    Start = Callable[..., Terminal]

KILLING = """\
id: begin
plugin: shell
command: true

id: kill
plugin: shell
command: [ -e "$PLAINBOX_SESSION_SHARE/begun" ] && exit 0; touch "$PLAINBOX_SESSION_SHARE/begun"
 kill -KILL $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); sleep 20

id: flaky
plugin: shell
command: test -e $PLAINBOX_SESSION_SHARE/f || { touch $PLAINBOX_SESSION_SHARE/f; exit 1; }

unit: test plan
id: all
_name: All
include: begin
 kill
 flaky
"""

LAUNCHER = f"""\
[agent]
normal_user = {pwd.getpwuid(os.geteuid()).pw_name}
[launcher]
stock_reports = submission_files
[test plan]
unit = lab::all
forced = yes
[test selection]
forced = yes
[ui]
type = silent
auto_retry = yes
max_attempts = 2
delay_before_retry = 0
"""


def killed(holdall: Cli, *arguments: str) -> None:
    """Run what kills holdall in the middle."""
    assert holdall(*arguments).code == -signal.SIGKILL


def names_in(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_a_killed_run_writes_its_reports_when_it_is_resumed_from_anywhere(
    holdall: Cli, provider: Provider
) -> None:
    arguments = ("--export", "html=a.html", "--export", "tar=s.tar.xz", "--export", "text")
    killed(holdall, "run", provider(KILLING), *arguments, "-O", "tar.flavour=checkbox")
    folder = holdall.folder
    (folder / "elsewhere").mkdir()
    holdall.folder = folder / "elsewhere"  # where the resume is called

    done = holdall("resume", "--store", f"file://{folder}/store")

    assert "lab::kill" in (folder / "a.html").read_text()
    assert "submission.json" in names_in(folder / "s.tar.xz")
    assert "verdict: FAIL" in done.out


def test_a_killed_launcher_writes_the_same_files_and_makes_the_same_rounds(
    holdall: Cli, provider: Provider
) -> None:
    path = holdall.folder / "l"
    path.write_text(LAUNCHER)
    killed(holdall, "launcher", str(path), "--source", provider(KILLING))

    done = holdall("resume")

    files = sorted((holdall.folder / "home/.local/share/checkbox-ng").iterdir())
    assert {file.name.split(".", 4)[-1] for file in files} == {"html", "junit.xml", "tar.xz"}
    (archive,) = (file for file in files if file.name.endswith(".tar.xz"))
    assert "submission.json" in names_in(archive)
    assert holdall.outcomes()["flaky"] == ["fail", "pass"]
    assert done.err.count("runs again in 0 s") + done.err.count("run again in 0 s") == 1
    assert done.err.count("written: ") == 3


def test_rounds_that_were_made_before_are_not_made_again(holdall: Cli, provider: Provider) -> None:
    jobs = definition(
        "bad",
        "shell",
        command="""\
n=$(cat $PLAINBOX_SESSION_SHARE/n); echo "x$n" > $PLAINBOX_SESSION_SHARE/n
 [ "$n" = x ] && kill -KILL $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); exit 1""",
    )
    path = holdall.folder / "l"
    path.write_text(LAUNCHER.replace("lab::all", "lab::bads"))
    plan = "unit: test plan\nid: bads\n_name: Bad\ninclude: bad\n"
    killed(holdall, "launcher", str(path), "--source", provider(f"{jobs}\n{plan}"))

    done = holdall("resume")

    assert done.code == 1, done
    assert holdall.outcomes() == {"bad": ["fail", "crash"]}


def test_the_reports_of_a_session_left_at_a_question_are_written_at_its_end(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "manual"))
    run = terminal("run", lab, "--job", "a", "--export", "json=a.json", "--output", "show")
    run.wait_for(DECISION)
    run.type("q\n")
    run.end()
    assert not (holdall.folder / "a.json").exists()

    resumed = terminal("resume")
    resumed.wait_for(DECISION)
    resumed.type("p\n")

    assert resumed.end() == 0
    assert (holdall.folder / "a.json").exists()


def test_a_silent_launcher_asks_nobody_when_it_is_resumed_either(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    path = holdall.folder / "l"
    path.write_text(LAUNCHER)
    jobs = KILLING.replace("include: begin", "include: begin\n look")
    lab = provider(f"{jobs}\n{definition('look', 'manual')}")
    killed(holdall, "launcher", str(path), "--source", lab)

    resumed = terminal("resume")
    resumed.end()

    assert holdall.outcomes()["look"] == ["skip"]


def test_reports_of_a_resume_come_besides_and_in_place_of_those_of_the_same_file(
    holdall: Cli, provider: Provider
) -> None:
    files = ("--export", "html=a", "--export", "json=b", "--export", "text")
    killed(holdall, "run", provider(KILLING), *files)

    done = holdall("resume", "--export", "junit=./a", "--export", "text=c", "--export", "json")

    assert (holdall.folder / "a").read_text().startswith("<?xml")
    assert (holdall.folder / "b").read_text().startswith("{")
    assert "verdict: " in (holdall.folder / "c").read_text()
    assert done.out.startswith("{")
    assert done.err.count("lab::kill") == 1


def test_a_resume_for_a_program_keeps_standard_output_for_its_json(
    holdall: Cli, provider: Provider
) -> None:
    killed(holdall, "run", provider(KILLING), "--export", "text", "--export", "text=t")

    done = holdall("resume", "--json")

    assert done.out.startswith("{")
    assert (holdall.folder / "t").exists()


def test_a_report_that_can_not_be_written_any_more_does_not_keep_the_jobs_from_running(
    holdall: Cli, provider: Provider
) -> None:
    unit = "unit: exporter\nid: mine\n_summary: Mine\nentry_point: text\nfile_extension: txt\n"
    killed(holdall, "run", provider(f"{KILLING}\n{unit}"), "--export", "lab::mine=m")
    provider(KILLING)

    done = holdall("resume")

    assert holdall.outcomes()["flaky"] == ["fail"]
    assert "lab::mine" in done.err
    assert done.code not in {0, 1}


def test_a_masked_path_is_not_written_to_but_named(holdall: Cli, provider: Provider) -> None:
    holdall.environ["TOKEN"] = "hunter2hunter2"  # noqa: S105 - of this test alone
    secret = ("--redact-env", "TOKEN")
    files = ("--export", "json=hunter2hunter2.json", "--export", "text=t")
    killed(holdall, "run", provider(KILLING), *secret, *files)

    done = holdall("resume", *secret)

    assert "the path or an option of the report json masked" in done.err
    assert "hunter2" not in "".join(
        path.read_text(errors="replace") for path in holdall.store.rglob("*") if path.is_file()
    )
    assert (holdall.folder / "t").exists()
    assert not list(holdall.folder.glob("*redacted*"))


def test_a_file_name_that_is_no_text_is_kept(holdall: Cli, provider: Provider) -> None:
    killed(holdall, "run", provider(KILLING), "--export", "json=\udcff.json")

    holdall("resume")

    assert (holdall.folder / "\udcff.json").exists()


def test_the_time_that_a_job_may_take_is_kept(holdall: Cli, provider: Provider) -> None:
    jobs = KILLING.replace("test -e $PLAINBOX_SESSION_SHARE/f ||", "sleep 600;")
    killed(holdall, "run", provider(jobs), "--timeout", "2")

    holdall("resume")

    assert holdall.outcomes()["flaky"] == ["crash"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("command", ["run", "resume"])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-O", "flavour=checkbox"), "-O is for reports, and none is asked for with --export"),
        (("--export", "tar=t", "-O", "json.x=1"), "'json', which is not exported"),
        (("--export", "tar=t", "-O", "flavor=checkbox"), "'flavor'"),
        (("--export", "tar=t", "-O", "flavour=chess"), "'chess'"),
    ],
)
def test_an_option_that_can_not_be_is_refused_before_a_job_runs(
    holdall: Cli, provider: Provider, command: str, options: tuple[str, ...], reason: str
) -> None:
    lab = provider(KILLING)
    if command == "resume":
        killed(holdall, "run", lab)

    done = holdall(command, *([lab] if command == "run" else []), *options)

    assert done.code == 2, done
    assert reason in done.err
    assert command == "resume" or holdall.sessions() == []
