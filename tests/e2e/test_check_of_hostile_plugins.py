"""What a plugin does to the process of its check is its fault, and told as such."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from holdall.processes import process_mark

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

ROW = json.dumps(
    {"check": "forged", "promise": "", "outcome": "pass", "words": "", "traceback": ""}
)

EVERYWHERE = f"""\
import os

ROW = {ROW.encode()!r} + b"\\n"


def forge():
    for name in os.listdir("/proc/self/fd"):
        try:
            os.write(int(name), ROW)
        except OSError:
            pass
"""

HOOKS = """\
import atexit
import os
import signal
import sys
import tempfile
import threading
import time

from holdall import hookimpl


class Plugin:
    @hookimpl
    def result_stored(self, result):
        {body}


plugin = Plugin()
"""


def tried(holdall: Cli, body: str, *options: str, before: str = "") -> tuple[Path, list[str]]:
    path = holdall.folder / "odd.py"
    path.write_text(before + HOOKS.format(body=body))
    return path, ["--plugin", f"odd={path}:plugin", "plugins", "check", "odd", "--json", *options]


def checked(
    holdall: Cli, body: str, *options: str, before: str = ""
) -> dict[str, tuple[str, str]]:
    done = holdall(*tried(holdall, body, *options, before=before)[1])
    assert done.code == 4, done
    assert "Traceback" not in done.err
    rows: list[dict[str, Any]] = json.loads(done.out)["checks"]
    return {row["check"]: (row["outcome"], row["words"]) for row in rows}


def test_a_row_that_a_plugin_forges_is_a_failed_check(holdall: Cli) -> None:
    rows = checked(holdall, "forge()", before=EVERYWHERE)

    assert "forged" not in rows
    outcome, words = rows["its reports"]
    assert outcome == "fail"
    assert words.startswith('it wrote to the file that the checks report by: \'{"check": "forged"')


LOOKS = """\
import os


def look():
    os.lseek(0, 0, 0)
    found = os.read(0, 100)
    if found:
        print("found", found)
        raise SystemExit(3)
"""


def test_a_plugin_finds_nothing_of_how_reports_are_signed_on_its_standard_input(
    holdall: Cli,
) -> None:
    done = holdall(*tried(holdall, "look()", before=LOOKS)[1])

    assert "found" not in done.out + done.err


FRAMES = """\
import os
import sys


def report():
    frame = sys._getframe()
    while frame is not None and "channel" not in frame.f_locals:
        frame = frame.f_back
    if frame is not None:
        row = {"check": "forged", "promise": "", "outcome": "pass", "words": "", "traceback": ""}
        frame.f_locals["channel"].send(row)
"""


def test_what_is_reported_besides_the_plan_is_told(holdall: Cli) -> None:
    rows = checked(holdall, "report()", before=FRAMES)

    assert rows["its reports"][0] == "fail"
    assert "it reported what was not planned, or twice: forged" in rows["its reports"][1]


def test_a_fork_that_comes_back_from_the_call_makes_no_check_and_fails_this_one(
    holdall: Cli,
) -> None:
    started = time.monotonic()
    rows = checked(holdall, "os.fork()")

    words = "a process that it forked came back from the call; end it by os._exit"
    assert rows["raises_nothing_in_a_session"] == ("fail", words)
    assert rows["works_without_settings"][0] == "pass"
    assert time.monotonic() - started < 30  # forks that fork double with each call


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.stderr.write('unrelated'); os._exit(0)", "the process ended with exit code 0"),
        ("os.kill(os.getpid(), 9)", "the process ended with signal SIGKILL"),
    ],
)
def test_a_check_that_ends_the_process_says_how_and_which_were_not_made(
    holdall: Cli, body: str, words: str
) -> None:
    rows = checked(holdall, body)

    assert rows["raises_nothing_in_a_session"] == ("fail", words)
    assert rows["keeps_up"] == ("skip", "the process ended before")


def test_a_process_that_ends_badly_after_all_checks_is_told_as_that(holdall: Cli) -> None:
    rows = checked(holdall, "atexit.register(os._exit, 9)")

    words = "all checks ran, but then the process ended with exit code 9"
    assert rows["its end"] == ("fail", words)
    assert rows["keeps_up"][0] == "pass"


def test_a_thread_that_keeps_the_process_is_told_as_that(holdall: Cli) -> None:
    rows = checked(holdall, "threading.Thread(target=time.sleep, args=(500,)).start()")

    words = "all checks ran, but the process did not end: threads or children are left"
    assert rows["its end"] == ("fail", words)


DAEMON = """\
tempfile.mkdtemp()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                open({pid!r}, "w").write(str(os.getpid()))
                time.sleep(500)
            os._exit(0)
        time.sleep(500)"""


def started(holdall: Cli, *options: str) -> tuple[subprocess.Popen[bytes], Path, Path]:
    """Start a check of a plugin that hangs, and that left a daemon and a folder."""
    pid, temporary = holdall.folder / "pid", holdall.folder / "temporary"
    temporary.mkdir()
    _path, arguments = tried(holdall, DAEMON.format(pid=str(pid)), *options)
    environ = {**holdall.environ, "TMPDIR": str(temporary)}
    child = subprocess.Popen(
        holdall.command(*arguments),
        env=environ,
        cwd=holdall.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not pid.is_file() or not pid.read_text():
        assert child.poll() is None
        time.sleep(0.05)
    return child, pid, temporary


@pytest.mark.parametrize("how", ["timeout", "signal"])
def test_a_check_that_is_ended_leaves_no_process_and_no_folder(holdall: Cli, how: str) -> None:
    options = ("--timeout", "2") if how == "timeout" else ()
    child, pid, temporary = started(holdall, *options)
    assert list(temporary.iterdir())
    if how == "signal":
        child.send_signal(signal.SIGTERM)

    code = child.wait(20)

    assert code == (4 if how == "timeout" else 128 + signal.SIGTERM)
    assert process_mark(int(pid.read_text())) is None
    assert list(temporary.iterdir()) == []


def test_hooks_of_others_that_cannot_be_used_are_no_words_of_a_check(holdall: Cli) -> None:
    info = holdall.folder / "site" / "other-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[holdall.hooks]\nother = no_such_module:plugin\n")
    holdall.environ["PYTHONPATH"] = str(info.parent)
    path = holdall.folder / "lines.py"
    path.write_text(
        "import os\n"
        "class Lines:\n"
        "    summary, suffix, media_type = 'Lines', '.txt', 'text/plain'\n"
        "    def export(self, view, sink, context):\n"
        "        os._exit(3)\n"
    )

    done = holdall("--plugin", f"x.lines={path}:Lines", "plugins", "check", "x.lines", "--json")

    rows = json.loads(done.out)["checks"]
    fault = next(row for row in rows if row["outcome"] == "fail")
    assert fault["words"] == "the process ended with exit code 3"
    assert "other" not in fault["traceback"]


STORE = """\
from holdall_plugins.stores.memory import MemoryRepository


class Store(MemoryRepository):
    @classmethod
    def from_url(cls, url, inner=None, *, options=None):
        forge()
        os._exit(5)
"""


def install(holdall: Cli, source: str, declared: str) -> None:
    info = holdall.folder / "site" / "odd-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "odd.py").write_text(source)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(declared)
    holdall.environ["PYTHONPATH"] = str(info.parent)


def test_a_store_that_ends_the_process_of_its_tests_says_so(holdall: Cli) -> None:
    install(holdall, EVERYWHERE + STORE, "[holdall.repositories]\nodd = odd:Store\n")

    done = holdall("plugins", "check", "odd", "--url", "odd://{folder}", "--json")

    assert done.code == 4, done
    rows = {row["check"]: row for row in json.loads(done.out)["checks"]}
    assert rows["its reports"]["outcome"] == "fail"
    assert rows["its import"]["words"] == "the process ended with exit code 5"


def test_the_doctor_is_not_deceived_by_what_an_import_writes(holdall: Cli) -> None:
    source = f"{EVERYWHERE}\nforge()\nplugin = None\n"
    install(holdall, source, "[holdall.hooks]\nodd = odd:plugin\n")

    done = holdall("plugins", "doctor", "odd", "--json")

    [found] = json.loads(done.out)["plugins"]
    assert (done.code, found["state"]) == (4, "broken")
    assert found["reason"].startswith("its import wrote to the doctor's own file")
