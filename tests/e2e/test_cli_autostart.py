"""Sessions that go on by themselves after a restart of the machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.cli.autostart import Restart, install, remove, restart_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

REBOOTING = """\
id: before
plugin: shell
command: true

id: reboot
plugin: shell
flags: noreturn
depends: before
command: touch "$HOME/restarting"

id: after
plugin: shell
depends: reboot
command: echo "$COLOUR"
"""
BY_ITSELF = REBOOTING.replace(
    'touch "$HOME/restarting"',
    'cp "$PLAINBOX_SESSION_SHARE/__respawn_checkbox" "$HOME/respawn"; touch "$HOME/restarting"',
)
HARD = "a b%c$d\"e'f\\g`h;i"

in_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux",
    reason="another boot id needs a mount namespace, and that root",
)


def installed(cli: Cli) -> list[str]:
    config = cli.folder / "home" / ".config"
    return sorted(str(path.relative_to(config)) for path in config.rglob("*") if not path.is_dir())


def restarted(cli: Cli, *arguments: str) -> None:
    """Run until the machine would restart, and let holdall be ended as that ends it."""
    running = cli.start(*arguments)
    patience = time.monotonic() + 30
    while not (cli.folder / "home" / "restarting").exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < patience
        time.sleep(0.05)
    time.sleep(1)  # the command ends, and the restart is waited for
    running.send_signal(signal.SIGKILL)
    running.communicate()
    (cli.folder / "home" / "restarting").unlink()


def after_a_boot(cli: Cli, command: list[str], environ: dict[str, str], folder: Path) -> str:
    """Run *command* where the kernel says that it was booted anew; return what it prints."""
    boot = cli.folder / "boot_id"
    boot.write_text("00000000-0000-4000-8000-00000000b007\n")
    mounted = f"mount --bind {shlex.quote(str(boot))} /proc/sys/kernel/random/boot_id"
    done = subprocess.run(
        [
            shutil.which("unshare") or "",
            "--mount",
            "sh",
            "-c",
            f'{mounted} && exec "$@"',
            "sh",
            *command,
        ],
        env=environ,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def unit_of(path: Path) -> tuple[list[str], dict[str, str], Path]:
    """Return command, variables and folder of a unit, as systemd reads them."""
    values: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals:
            values.setdefault(name, []).append(value)
    variables = [systemd_words(value)[0] for value in values["Environment"]]
    (started,) = values["ExecStart"]
    words = systemd_words(started.removeprefix("/usr/bin/env "))
    return (
        [text.replace("$$", "$") for text in words],
        dict(variable.split("=", 1) for variable in variables),
        Path(values["WorkingDirectory"][0].replace("%%", "%")),
    )


def systemd_words(value: str) -> list[str]:
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    assert value == " ".join(f'"{word}"' for word in words)
    assert not re.search(r"(?<!%)%(?:%%)*(?!%)", value)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in words]


@in_namespaces
def test_a_session_goes_on_by_its_unit_after_the_restart_that_a_job_brought_about(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    report = holdall.folder / "report.txt"
    arguments = ("--export", "text=report.txt", "--env", "COLOUR=given")
    restarted(holdall, "run", provider(REBOOTING), "--install-autostart=systemd-user", *arguments)
    (session,) = holdall.sessions()
    unit = f"systemd/user/{session}.service"
    assert installed(holdall) == [f"systemd/user/default.target.wants/{session}.service", unit]

    config = holdall.folder / "home" / ".config"
    command, environ, folder = unit_of(config / unit)
    shown = after_a_boot(holdall, command, environ, folder)

    assert holdall.outcomes() == {"before": ["pass"], "reboot": ["pass"], "after": ["pass"]}
    assert "the session ended: " in shown
    assert installed(holdall) == []
    assert report.exists()
    (after,) = [job for job in holdall.jobs() if job.id.endswith("::after")]
    assert b"".join(record.data for record in after.io_log()) == b"given\n"


@in_namespaces
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{"outcome": "pass", "comments": "three times"}', ("pass", "three times")),
        ('{"outcome": "fail"}', ("fail", "the job wrote it to the file '__result'")),
        ('{"outcome": "maybe"}', ("crash", "the job wrote it to the file '__result'")),
        ("no JSON", ("crash", "the job wrote it to the file '__result'")),
    ],
)
def test_a_job_that_goes_on_by_itself_is_left_to_it_and_tells_its_result(
    holdall: Cli, provider: Callable[[str], str], written: str, expected: tuple[str, str]
) -> None:
    lab = provider(BY_ITSELF)
    restarted(holdall, "run", lab, "--install-autostart=systemd-user")
    (session,) = holdall.sessions()
    respawn = ["sh", "-c", (holdall.folder / "home" / "respawn").read_text()]
    early = after_a_boot(holdall, respawn, holdall.environ, holdall.folder)
    share = holdall.store / f"{session}.session" / "session-share"
    (share / "__result").write_text(written)

    after_a_boot(holdall, respawn, holdall.environ, holdall.folder)

    assert "yet: the job 'lab::reboot' restarts the machine" in early
    (job,) = [job for job in holdall.jobs() if job.id.endswith("::reboot")]
    assert (str(job.outcome), job.comments) == expected
    assert not (share / "__result").exists()


@pytest.mark.parametrize("kind", ["systemd-user", "xdg"])
def test_an_autostart_is_removed_with_the_end_of_its_session(
    holdall: Cli, provider: Callable[[str], str], kind: str
) -> None:
    done = holdall(
        "run", provider("id: a\nplugin: shell\ncommand: true\n"), f"--install-autostart={kind}"
    )

    assert done.code == 0, done
    assert "the session goes on after a restart, by " in done.err
    assert "the session ended: " in done.err
    assert installed(holdall) == []


def test_an_autostart_is_removed_with_its_session(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    restarted(holdall, "run", provider(REBOOTING), "--install-autostart=xdg")
    assert len(installed(holdall)) == 1

    holdall("sessions", "rm", "last")

    assert installed(holdall) == []


def test_a_run_without_autostart_says_how_to_go_on_before_a_job_restarts_the_machine(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    running = holdall.start("run", provider(REBOOTING))
    assert running.stderr is not None
    line = running.stderr.readline()
    running.send_signal(signal.SIGINT)
    running.communicate()

    assert line.startswith("1 job restarts the machine; go on afterwards with: holdall resume ")
    assert "--install-autostart" in line


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--install-autostart=cron", "'cron' is not one of 'auto', 'systemd-user', 'systemd'"),
        pytest.param(
            "--install-autostart",
            "nothing here starts programs with the machine",
            marks=pytest.mark.skipif(
                Path("/run/systemd/system").exists(), reason="systemd runs here"
            ),
        ),
    ],
)
def test_an_autostart_that_can_not_be_is_wrong_usage(
    holdall: Cli, argument: str, words: str
) -> None:
    refused = holdall("run", "smoke", "--job", "executable", argument)

    assert refused.code == 2
    assert words in refused.err


# What is written


def hard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Restart, Path]:
    """Return the restart of a session whose words need every kind of quoting."""
    folder = tmp_path / HARD
    folder.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    program = folder / "program"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$COLOUR" "$@"\n')
    program.chmod(0o755)
    command = [str(program), HARD, "--export", "text=100% done $HOME"]
    return Restart("holdall-1", command, folder, {"COLOUR": HARD}), tmp_path / "config"


def test_a_unit_holds_any_word_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restart, _ = hard(tmp_path, monkeypatch)

    path = install("systemd-user", restart)

    assert unit_of(path) == ([*restart.command], restart.environ, restart.folder)


def test_a_desktop_entry_holds_any_word_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart, _ = hard(tmp_path, monkeypatch)

    path = install("xdg", restart)

    parser = ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text())
    value = parser["Desktop Entry"]["Exec"].replace("\\\\", "\\")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    plain = [re.sub(r'\\(["`$\\])', r"\1", word).replace("%%", "%") for word in words]
    assert plain == ["env", f"COLOUR={HARD}", *restart.command]
    assert parser["Desktop Entry"]["Terminal"] == "true"


def test_the_command_for_a_shell_runs_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart, _ = hard(tmp_path, monkeypatch)

    done = subprocess.run(
        ["/bin/sh", "-c", restart.shell_command], capture_output=True, encoding="utf-8", check=True
    )

    assert done.stdout.splitlines() == ["", *restart.command[1:]]


def test_systemd_finds_nothing_wrong_with_a_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    restart, _ = hard(tmp_path, monkeypatch)
    verify = program("systemd-analyze")

    done = subprocess.run(
        [verify, "verify", "--user", str(install("systemd-user", restart))],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_desktops_find_nothing_wrong_with_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    restart, _ = hard(tmp_path, monkeypatch)
    validate = program("desktop-file-validate")

    done = subprocess.run(
        [validate, str(install("xdg", restart))], capture_output=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, b"")


def test_what_was_installed_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart, config = hard(tmp_path, monkeypatch)
    other = install("systemd-user", restart._replace(session_id="holdall-2"))
    path = install("systemd-user", restart)

    removed = remove("holdall-1")

    assert removed == [path]
    assert {file.name for file in config.rglob("holdall-*")} == {other.name}
    assert remove("holdall-1") == []


def test_a_restart_has_the_variables_that_find_things_again_and_no_others() -> None:
    own = {"HOME": "/h", "PATH": "/bin", "XDG_DATA_HOME": "/d", "HOLDALL_STORE": "s", "TOKEN": "t"}

    restart = restart_of("holdall-1", "file:///s", "xdg", own)

    assert restart.environ == {name: own[name] for name in own if name != "TOKEN"}
    assert list(restart.command[1:]) == [
        *("-m", "holdall", "resume", "holdall-1", "--store", "file:///s"),
        *("--install-autostart=xdg", "--at-start"),
    ]
