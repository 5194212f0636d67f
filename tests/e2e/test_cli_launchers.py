"""Launchers of Checkbox at the command line, from start to reports."""

from __future__ import annotations

import json
import os
import pwd
import tarfile
from typing import TYPE_CHECKING

import pytest
from tests.e2e.test_cli_providers import installed
from tests.unit.test_installed_providers import definition, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Cli, Terminal

JOBS = """\
unit: test plan
id: all
_name: Everything
include: port
 dock
 flaky
 above
 look

unit: test plan
id: few
_name: A few
include: port

unit: manifest entry
id: has_dock
_name: A dock
value-type: bool

id: port
plugin: shell
_summary: The port
command: echo "on $PORT"

id: dock
plugin: shell
_summary: The dock
imports: from com.canonical.plainbox import manifest
requires: manifest.has_dock == 'True'
command: true

id: flaky
plugin: shell
_summary: Passes the second time
command: f=$PLAINBOX_SESSION_SHARE/f; test -e $f || { touch $f; exit 1; }

id: above
plugin: shell
_summary: Needs the flaky one
depends: flaky
command: true

id: look
plugin: manual
_summary: Look
"""

UNATTENDED = f"""\
[agent]
normal_user = {pwd.getpwuid(os.geteuid()).pw_name}
[launcher]
stock_reports = none
session_title = Nightly
[test plan]
unit = lab::all
forced = yes
[test selection]
forced = yes
[ui]
type = silent
"""


@pytest.fixture
def launch(
    holdall: Cli, provider: Callable[[str], str]
) -> Callable[..., tuple[str, str, str, str]]:
    """Write a launcher, and return the arguments that run it."""

    def written(text: str) -> tuple[str, str, str, str]:
        path = holdall.folder / "smoke.launcher"
        path.write_text(text)
        return ("launcher", str(path), "--source", provider(JOBS))

    return written


def test_a_launcher_runs_its_plan_with_its_variables_and_answers(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    more = "[environment]\nPORT = usb-c\n[manifest]\nlab::has_dock = yes\n"

    done = holdall(*launch(UNATTENDED + more))

    assert done.code == 1, done
    assert holdall.outcomes() == {
        "port": ["pass"],
        "dock": ["pass"],
        "flaky": ["fail"],
        "above": ["skipped-dependency"],
        "look": ["skip"],
    }
    (port, *_others) = holdall.jobs()
    assert b"".join(record.data for record in port.last.result.io_log) == b"on usb-c\n"


def test_the_environment_itself_wins_over_the_launcher(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    holdall.environ["PORT"] = "real"

    holdall(*launch(f"{UNATTENDED}[environment]\nPORT = usb-c\n"))

    (port, *_others) = holdall.jobs()
    assert b"".join(record.data for record in port.last.result.io_log) == b"on real\n"


def test_the_launcher_wins_over_the_variables_of_the_configuration(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    text = '[environment]\nPORT = "configured"\n'
    (holdall.folder / "holdall.toml").write_text(text)

    holdall(*launch(f"{UNATTENDED}[environment]\nPORT = usb-c\n"))

    (port, *_others) = holdall.jobs()
    assert b"".join(record.data for record in port.last.result.io_log) == b"on usb-c\n"


@pytest.mark.parametrize(("given", "outcome"), [("yes", "pass"), ("no", "skipped-manifest")])
def test_the_command_line_answers_the_manifest_over_the_launcher(
    holdall: Cli, launch: Callable[..., tuple[str, ...]], given: str, outcome: str
) -> None:
    other = "no" if given == "yes" else "yes"
    arguments = launch(f"{UNATTENDED}[manifest]\nlab::has_dock = {other}\n")

    holdall(*arguments, "--manifest", f"lab::has_dock={given}")

    assert holdall.outcomes()["dock"] == [outcome]


def test_the_command_line_names_the_normal_user_over_the_launcher(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    own = pwd.getpwuid(os.geteuid()).pw_name
    arguments = launch(UNATTENDED.replace(f"normal_user = {own}", "normal_user = no-such-one"))

    holdall(*arguments)
    assert holdall.outcomes()["port"] == ["error"]
    holdall(*arguments, "--normal-user", own)
    assert holdall.outcomes()["port"] == ["pass"]


@pytest.mark.parametrize(("attempts", "outcomes"), [(1, ["fail"]), (2, ["fail", "pass"])])
def test_the_first_attempt_is_one_of_those_that_are_allowed(
    holdall: Cli, launch: Callable[..., tuple[str, ...]], attempts: int, outcomes: list[str]
) -> None:
    keys = f"[ui]\nauto_retry = yes\nmax_attempts = {attempts}\ndelay_before_retry = 0\n"

    holdall(*launch(UNATTENDED.replace("[ui]\n", keys)))

    assert holdall.outcomes()["flaky"] == outcomes


def test_whole_rounds_are_run_again_of_what_failed_and_what_depends_on_it(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    text = UNATTENDED.replace(
        "[ui]\n", "[ui]\nauto_retry = yes\nmax_attempts = 3\ndelay_before_retry = 0\n"
    )

    done = holdall(*launch(text))

    assert done.code == 0, done
    outcomes = holdall.outcomes()
    assert outcomes["flaky"] == ["fail", "pass"]
    assert outcomes["above"] == ["skipped-dependency", "pass"]
    assert outcomes["port"] == ["pass"]
    assert done.err.count("2 jobs that failed run again in 0 s\n") == 1


def test_exclude_and_match_are_anchored_at_the_start_of_whole_ids(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    selection = "[test selection]\nexclude = lab::(dock|flaky) port\nmatch = lab::p .*::dock\n"

    holdall(*launch(UNATTENDED.replace("[test selection]\n", selection)))

    assert holdall.outcomes() == {"port": ["pass"]}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("unit = lab::all\n", ""), "smoke.launcher:7: the test plan is forced, and no unit = ID"),
        (("unit = lab::all", "unit = lab::al"), "no test plan is called 'lab::al'"),
        (("forced = yes\n[ui]", "[ui]"), "nobody can be asked for the selection of tests"),
        (("forced = yes\n[test sel", "[test sel"), "nobody can be asked for the test plan"),
        (("= none", "= txt"), "no stock report is called 'txt'; did you mean 'text'?"),
    ],
)
def test_a_launcher_that_does_not_say_what_to_run_is_wrong_usage(
    holdall: Cli,
    launch: Callable[..., tuple[str, ...]],
    change: tuple[str, str],
    error: str,
) -> None:
    done = holdall(*launch(UNATTENDED.replace(*change)))

    assert done.code == 2, done
    assert error in done.err
    assert holdall.sessions() == []


def test_what_does_not_count_is_named_and_the_rest_runs(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    arguments = launch(f"{UNATTENDED}outptu = show\n[typo]\na = b\n")

    checked = holdall("launcher", "check", arguments[1])
    done = holdall(*arguments)

    lines = [
        f"{arguments[1]}:13: [ui] has no key 'outptu'; did you mean 'output'?; it does not count",
        f"{arguments[1]}:14: there is no section [typo]; nothing of it counts",
    ]
    assert (checked.code, checked.out.splitlines()) == (1, lines)
    assert all(f"holdall: {line}\n" in done.err for line in lines)
    assert holdall.outcomes()["port"] == ["pass"]


def test_a_launcher_without_fault_is_checked_in_silence(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    assert holdall("launcher", "check", launch(UNATTENDED)[1]).code == 0
    assert holdall("launcher", "check", "gone").code == 2


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("= none", "= txt"), 4, "no stock report is called 'txt'; did you mean 'text'?"),
        (("= none", "= certification"), 4, "the report certification is not sent"),
        (("unit = lab::all", "unit ="), 8, "the test plan is forced, and no unit = ID says"),
        (("[ui]", "exclude = *\n[ui]"), 11, "nothing to repeat"),
        (("[ui]", "match = a b(\n[ui]"), 11, "unterminated"),
        (("[launcher]", "[launcher]\napp_id = x"), 4, "app_id changes nothing"),
        (("[launcher]", "[launcher]\nsession_desc = x"), 4, "session_desc changes nothing"),
        (("[launcher]", "[launcher]\nlocal_submission = no"), 4, "local_submission changes"),
        (("[ui]", "[transport:t]\ntype = submission-service\n[ui]"), 12, "nothing is uploaded"),
        (("[ui]", "[transport:t]\nsecure_id = a\n[ui]"), 12, "secure_id changes nothing"),
        (
            ("[ui]", "[report:r]\ntransport = out\nexporter = text\n[ui]"),
            *(12, "there is no section [transport:out]"),
        ),
        (
            (
                "[ui]",
                "[exporter:e]\nunit = chess\n[report:r]\ntransport = stdout\nexporter = e\n[ui]",
            ),
            *(12, "no exporter is called 'chess'"),
        ),
        (("[ui]", "[manifest]\nhas_dock = perhaps\n[ui]"), 12, "takes yes or no, not 'perhaps'"),
        (("[ui]", "[manifest]\nhas_duck = yes\n[ui]"), 12, "'has_duck'"),
    ],
)
def test_a_check_finds_what_a_run_refuses_or_passes_over_with_its_line(
    holdall: Cli,
    launch: Callable[..., tuple[str, ...]],
    change: tuple[str, str],
    line: int,
    message: str,
) -> None:
    _launcher, path, *source = launch(UNATTENDED.replace(*change))

    checked = holdall("launcher", "check", path, *source)

    (found,) = checked.out.splitlines()
    assert checked.code == 1
    assert found.startswith(f"{path}:{line}: ")
    assert message in found


def test_an_answer_that_no_entry_takes_is_named_by_the_run(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    arguments = launch(f"{UNATTENDED}[manifest]\nlab::has_duck = yes\n")

    done = holdall(*arguments)

    assert f"holdall: {arguments[1]}:14: " in done.err
    assert "'lab::has_duck'" in done.err


def test_a_provider_that_is_left_out_is_named_with_the_reason(
    holdall: Cli, launch: Callable[..., tuple[str, ...]], tmp_path: Path
) -> None:
    folder = installed(holdall, tmp_path)
    for name in "bc":
        write(folder / f"{name}.provider", definition("org.x:twin", location=str(tmp_path / "a")))
    write(folder / "d.provider", "[PlainBox Provider]\n")
    write(tmp_path / "a/units/plan.pxu", "unit: test plan\nid: all\n_name: A\ninclude: a\n")

    done = holdall(*launch(UNATTENDED.replace("lab::all", "org.x::all"))[:2])

    assert holdall.outcomes() == {"a": ["pass"]}
    assert done.err.count(" is left out: ") == 3
    assert f"{folder}/b.provider is left out: " in done.err
    assert f"{folder}/d.provider is left out: " in done.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs jobs as another account unasked")
def test_an_account_that_can_not_read_a_provider_is_named_before_the_run(
    holdall: Cli, launch: Callable[..., tuple[str, ...]], tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    own = pwd.getpwuid(os.geteuid()).pw_name

    done = holdall(*launch(UNATTENDED.replace(f"= {own}", "= nobody")))

    assert done.err.count("jobs of 'lab' run as 'nobody', which can't read '/") == 1


def test_run_takes_a_launcher_too_and_nothing_beside_it_that_selects(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    _launcher, path, _source, lab = launch(UNATTENDED)

    done = holdall("run", "--launcher", path, lab)
    refused = holdall("run", "--launcher", path, lab, "--job", "port")

    assert done.code == 1
    assert holdall.outcomes()["port"] == ["pass"]
    assert refused.code == 2
    assert "--job can't stand beside --launcher" in refused.err
    assert holdall("run").code == 2


def test_a_launcher_can_be_a_program_of_its_own(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    _launcher, path, _source, lab = launch("")
    command = " ".join(holdall.command("launcher", "run", "--source", lab))
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"#!/usr/bin/env -S {command}\n{UNATTENDED}")
    os.chmod(path, 0o755)  # noqa: PTH101, S103

    done = holdall.python(f"import subprocess; subprocess.run([{path!r}])")

    assert done.code == 0
    assert holdall.outcomes()["port"] == ["pass"]


def test_reports_are_written_where_checkbox_writes_them(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    more = (
        "[exporter:j]\nunit = com.canonical.plainbox::json\n[transport:f]\ntype = file\n"
        "path = ~/mine.json\n[report:j]\nexporter = j\ntransport = f\n"
    )

    done = holdall(*launch(UNATTENDED.replace("= none", "= text submission_files") + more))

    home = holdall.folder / "home"
    files = sorted((home / ".local/share/checkbox-ng").iterdir())
    endings = {file.name.split(".", 4)[-1] for file in files}
    assert endings == {"html", "junit.xml", "tar.xz"}
    assert all(file.name.startswith("submission_") for file in files)
    assert done.out.startswith("Nightly\n")
    assert "is deprecated" not in done.err
    submission = json.loads((home / "mine.json").read_text())
    assert submission["results"][0]["outcome"] == "pass"
    (archive,) = (file for file in files if file.name.endswith(".tar.xz"))
    with tarfile.open(archive) as tar:
        assert "submission.json" in tar.getnames()


def test_the_person_chooses_a_plan_of_the_filter_and_the_reports(
    holdall: Cli, launch: Callable[..., tuple[str, ...]], terminal: Callable[..., Terminal]
) -> None:
    text = (
        "[launcher]\nstock_reports = none\n[test plan]\nfilter = *few *all\nunit = lab::few\n"
        "[transport:f]\ntype = file\npath = ~/r.txt\n"
        "[report:1]\nexporter = text\ntransport = f\n[report:2]\nexporter = text\ntransport = f\n"
    )
    run = terminal(*launch(text))
    run.wait_for("2  A few  (lab::few)")
    run.wait_for("Which one? A number (Enter: 2): ")
    run.type("9\n")
    run.wait_for("'9' is no answer here")
    run.wait_for("Which one?")
    run.type("\n")
    run.wait_for("Write the report 1 to")
    run.type("n\n")
    run.wait_for("Write the report 2 to")
    run.type("\n")

    assert run.end() == 0
    assert holdall.outcomes() == {"port": ["pass"]}
    assert (holdall.folder / "home" / "r.txt").exists()


def test_without_providers_that_are_installed_a_launcher_says_how_to_name_one(
    holdall: Cli, launch: Callable[..., tuple[str, ...]]
) -> None:
    holdall.environ["PROVIDERPATH"] = str(holdall.folder / "empty")

    done = holdall(*launch(UNATTENDED)[:2])

    assert done.code == 2
    assert "no provider of Checkbox is installed" in done.err
    assert "--source PATH" in done.err
