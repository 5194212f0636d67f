"""Commands whose streams are closed or full, whose folder is gone, or that print odd names."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from holdall import SessionManager, open_repository
from holdall.processes import process_mark
from holdall.units import Device

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Cli

JOBS = "id: a\nplugin: shell\ncommand: true\n\nid: b\nplugin: shell\ncommand: echo b\n"
# Commands and the exit codes that they have where nobody reads standard output.
PRINTING = {
    "sessions list": 2,
    "sessions list --json": 2,
    "sessions show last": 2,
    "plugins list": 2,
    "plugins show holdall.html": 2,
    "providers show ./lab": 2,
    "schema config": 2,
    "export last text": 2,
    "run ./lab --json": 2,
    "run ./lab --export text": 2,
    "run ./lab": 0,
    "resume last": 0,
    "--version": 0,
}


def shell(redirection: str) -> list[str]:
    return ["bash", "-c", f'"$@" {redirection}', "-"]


@pytest.fixture
def lab(holdall: Cli, provider: Callable[[str], str]) -> Cli:
    provider(JOBS)
    holdall("run", "./lab")
    return holdall


def check_sessions(holdall: Cli) -> None:
    """See that every session that was begun holds all of its results."""
    for session_id in holdall.sessions():
        shown = holdall("sessions", "show", session_id, "--json")
        assert json.loads(shown.out)["outcomes"] == {"pass": 2}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_standard_output_that_takes_nothing_is_a_sentence_and_no_failed_test(
    lab: Cli, redirection: str
) -> None:
    for command, code in PRINTING.items():
        if command == "--version":
            continue  # click's own
        done = lab(*command.split(), within=shell(redirection))

        assert (done.code, "Traceback" in done.err) == (code, False), (command, done)
        assert code == 0 or re.search(r"^holdall: cannot write", done.err, re.MULTILINE), done
        assert done.out == ""
    check_sessions(lab)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&-", "<&- 2>&-", "| true"])
def test_other_streams_that_take_nothing_change_nothing(lab: Cli, redirection: str) -> None:
    for command in PRINTING:
        if redirection == "| true" and "export" in command:
            continue
        done = lab(*command.split(), within=shell(f"{redirection}; exit ${{PIPESTATUS[0]}}"))

        assert done.code == 0, (command, done)
        assert "Traceback" not in done.err + done.out
        assert "rror" not in done.err
    check_sessions(lab)


def test_no_file_takes_the_number_of_a_stream_that_is_closed(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    # The parent of a command is a launcher, whose parent forks launchers for holdall.
    parent = "$(ps -o ppid= -p $(ps -o ppid= -p $PPID) | tr -d ' ')"
    command = f"readlink /proc/$PPID/fd/0 /proc/{parent}/fd/[012]"
    source = provider(f"id: a\nplugin: shell\ncommand: {command}\n")

    holdall("run", source, within=shell("<&- >&- 2>&-"))

    exported = holdall("export", "last", "json", "-O", "logs=all")
    assert exported.out.count("/dev/null") == 3


def test_errors_have_their_code_also_if_nobody_reads_them(lab: Cli) -> None:
    for redirection in ("2>&-", ">&- 2>&-", "2>/dev/full"):
        assert lab("sessions", "show", "no-such", within=shell(redirection)).code == 3
        assert lab("no-such", within=shell(redirection)).code == 2


def test_a_working_folder_that_is_gone_is_a_sentence(lab: Cli) -> None:
    gone = ["bash", "-c", 'mkdir gone && cd gone && rmdir ../gone && "$@"', "-"]

    for command in ("sessions list", "run ./lab", "run smoke", "export last text=x.txt"):
        done = lab(*command.split(), within=gone)

        assert done.code == 2
        assert done.err.startswith("holdall: the working folder is gone"), done
        assert done.err.count("\n") == 1


HOSTILE = "\x1b[2J\x1b]0;owned\x07evil\r\n[2/2] passed\u202e\x9b31m\u2028end"


@pytest.fixture
def hostile(holdall: Cli) -> Cli:
    repository = open_repository(f"file://{holdall.store}")
    with SessionManager.create(repository, title=HOSTILE) as manager:
        context = manager.add_local_device_context()
        context.device = Device("local", description=HOSTILE)
        manager.checkpoint()
    return holdall


@pytest.mark.parametrize(
    "command",
    ["sessions list", "sessions show last", "sessions list --json", "sessions show last --json"],
)
def test_no_control_character_of_a_title_reaches_a_terminal(hostile: Cli, command: str) -> None:
    printed = on_terminal(hostile, *command.split())

    # What rich draws with are colours and line ends.
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed.replace("\r\n", "\n")).replace("\n", "")
    assert "evil" in plain
    assert plain.isprintable()
    assert not re.search(r"^\[2/2\]", printed, re.MULTILINE)


def test_no_control_character_of_a_name_reaches_a_terminal_in_an_error(lab: Cli) -> None:
    for command in ("run", "sessions show", "run ./lab --job"):
        done = lab(*command.split(), HOSTILE)

        assert done.code in {2, 3}
        assert done.err.removesuffix("\n").isprintable(), done.err


def on_terminal(holdall: Cli, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        holdall.command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**holdall.environ, "COLUMNS": "200", "TERM": "xterm"},
        cwd=holdall.folder,
    ):
        os.close(theirs)
        data = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that nobody has the terminal any more
                break
            if not piece:
                break
            data += piece
    os.close(ours)
    return data.decode()


def test_an_empty_session_is_no_session_to_resume(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    source = provider("id: a\nplugin: shell\ncommand: touch tried; test -e ../nowhere\n")
    open_repository(f"file://{holdall.store}").create("left-over").close()

    nothing = holdall("resume")
    empty = holdall("resume", "left-over")
    holdall("run", source)
    last = holdall("resume")

    assert (nothing.code, empty.code, last.code) == (3, 3, 3)
    assert "1 passed over that have no jobs" in nothing.err
    assert "cannot resume the session 'left-over'" in empty.err
    assert "it has no jobs" in empty.err


@pytest.mark.parametrize("ignored", [False, True])
def test_a_terminal_that_is_closed_ends_the_run_unless_it_is_to_go_on(
    holdall: Cli,
    provider: Callable[[str], str],
    program: Callable[[str], str],
    tmp_path: Path,
    *,
    ignored: bool,
) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    seconds = 1 if ignored else 600
    source = provider(
        f"id: a\nplugin: shell\ncommand: setsid sleep 600 & echo $$ $! > {pids}; sleep {seconds}\n"
    )
    prefix = ["nohup"] if ignored else []
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [program("setsid"), "--ctty", "--wait", *prefix, *holdall.command("run", source)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=holdall.environ,
        cwd=holdall.folder,
    ):
        os.close(theirs)
        processes = [int(pid) for pid in pids.read_text().split()]
        os.close(ours)

    assert [pid for pid in processes if process_mark(pid)] == []
    assert holdall.outcomes() == {"a": ["pass"] if ignored else []}


def test_a_help_text_that_nobody_can_write_is_a_sentence(lab: Cli) -> None:
    for command in ("--help", "run --help"):
        done = lab(*command.split(), within=shell(">/dev/full"))
        assert (done.code, "cannot write to standard output" in done.err) == (2, True)


def test_a_report_whose_reader_has_seen_enough_is_no_error(lab: Cli) -> None:
    done = lab("export", "last", "json", within=shell("| true; exit ${PIPESTATUS[0]}"))

    assert (done.code, done.err) == (0, "")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0", "x"])
def test_a_time_limit_is_a_finite_number(lab: Cli, seconds: str) -> None:
    assert lab("run", "./lab", "--timeout", seconds).code == 2
