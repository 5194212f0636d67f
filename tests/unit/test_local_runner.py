"""The local runner by itself: what it makes of a command, and what it leaves behind."""

from __future__ import annotations

import gc
import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import StorageFullError
from holdall.processes import is_alive, process_mark, this_process
from holdall.results import Outcome
from holdall.units import Device, Job, make_unit
from holdall_plugins.runners import launcher, local
from holdall_plugins.runners.launching import Launcher, Launchers
from holdall_plugins.runners.local import LocalOptions, LocalRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts.runners import ProcessMark
    from holdall.results import JobResult, Stream


class RecordedTask:
    """A task that keeps what it is told."""

    stdin: int | None = None
    device = Device()

    def __init__(self, job: Job, folder: Path, timeout: float | None = None) -> None:
        self.job = job
        self.folder = folder
        self.timeout = timeout
        self.user = job.user
        self.environ = {"PATH": os.environ["PATH"], "GREETING": "hello"}
        self.marks: list[ProcessMark | None] = []
        self.written: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.calls = 0
        self.on_start: Callable[[], None] = lambda: None

    def started(self, process: ProcessMark | None) -> None:
        self.marks.append(process)
        self.on_start()

    def output(self, stream: Stream, data: bytes) -> None:
        self.calls += 1
        self.written[stream] += data


def job(command: str, **fields: str) -> Job:
    given = {"id": "a", "plugin": "shell", "command": command, **fields}
    made = make_unit({name: text for name, text in given.items() if text})
    assert isinstance(made, Job)
    return made


@pytest.fixture
def perform(tmp_path: Path) -> Iterator[Callable[..., tuple[JobResult, RecordedTask]]]:
    """Run a command in a folder of its own, and see that nothing of it is left."""
    tasks: list[RecordedTask] = []

    def run(
        command: str, timeout: float | None = None, **fields: str
    ) -> tuple[JobResult, RecordedTask]:
        tasks.append(RecordedTask(job(command, **fields), tmp_path, timeout))
        return LocalRunner().run(tasks[-1]), tasks[-1]

    yield run
    for task in tasks:
        assert not [mark for mark in task.marks if mark and is_alive(mark)]


def gone(pid: int) -> bool:
    """Whether a process ends within a moment."""
    patience = time.monotonic() + 5
    while process_mark(pid):
        if time.monotonic() > patience:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("command", "outcome", "code", "words"),
    [
        ("true", "pass", 0, None),
        ("exit 3", "fail", 3, None),
        ("no-such-command-of-anybody", "fail", 127, "was not found"),
        ("/", "fail", 126, "can't be executed"),
        ("kill -TERM $$", "crash", -signal.SIGTERM, "SIGTERM"),
        ("kill -KILL $$", "crash", -signal.SIGKILL, "SIGKILL"),
        ("kill -ABRT $$", "crash", -signal.SIGABRT, "SIGABRT"),
    ],
)
def test_an_exit_code_or_signal_is_judged(
    perform: Any, command: str, outcome: str, code: int, words: str | None
) -> None:
    result, _ = perform(command)

    assert (result.outcome, result.return_code) == (outcome, code)
    assert (words or "") in (result.comments or "")
    assert result.execution_duration is not None


def test_both_streams_are_recorded_as_they_are(perform: Any) -> None:
    _, task = perform("printf 'a\\0\\377b'; echo err >&2")

    assert task.written == {"stdout": b"a\0\xffb", "stderr": b"err\n"}


def test_much_output_does_not_stop_a_command(perform: Any) -> None:
    result, task = perform("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")

    assert result.outcome is Outcome.PASS
    assert {name: len(data) for name, data in task.written.items()} == {
        "stdout": 3_000_000,
        "stderr": 3_000_000,
    }


def test_a_command_sees_its_folder_its_environment_and_no_input(
    perform: Any, tmp_path: Path
) -> None:
    _, task = perform('pwd; echo "$GREETING"; cat; echo "home is ${HOME-unset}"')

    expected = f"{tmp_path}\nhello\nhome is unset\n"
    assert task.written["stdout"].decode() == expected


def test_the_shell_of_the_job_runs_its_command(perform: Any) -> None:
    _, by_default = perform("echo ${BASH_VERSION:+bash}")
    _, by_wish = perform("print(6 * 7)", shell="python3")  # noqa: S604 - a field of the job

    assert by_default.written["stdout"] == b"bash\n"
    assert by_wish.written["stdout"] == b"42\n"


@pytest.mark.parametrize(
    ("command", "fields", "reason"),
    [
        pytest.param("true", {"shell": "no-such-shell-of-anybody"}, "No such file", id="no shell"),
        pytest.param("true", {"shell": "/etc"}, "Permission denied", id="no program"),
        pytest.param(
            "true", {"user": "somebody-else"}, "no account 'somebody-else'", id="no user"
        ),
        pytest.param(": " + "x" * 140_000, {}, "too long", id="long command"),
        pytest.param("echo a\0b", {}, "null byte", id="a NUL"),
    ],
)
def test_a_job_that_cannot_be_started_could_not_be_performed(
    perform: Any, command: str, fields: dict[str, str], reason: str
) -> None:
    result, task = perform(command, **fields)

    assert (result.outcome, result.return_code) == ("error", None)
    assert result.comments.startswith("it could not be started: ")
    assert reason in result.comments
    assert task.written == {"stdout": b"", "stderr": b""}


def test_a_job_without_a_folder_could_not_be_performed(tmp_path: Path) -> None:
    result = LocalRunner().run(RecordedTask(job("true"), tmp_path / "gone"))

    assert result.outcome is Outcome.ERROR
    assert "gone" in (result.comments or "")


def test_variables_that_no_process_can_have_cost_only_their_job(tmp_path: Path) -> None:
    task = RecordedTask(job("true"), tmp_path)
    task.environ["FOO"] = "a\0b"

    assert LocalRunner().run(task).outcome is Outcome.ERROR


def test_a_job_without_a_command_fails(perform: Any) -> None:
    result, task = perform("", plugin="resource")

    assert result.outcome is Outcome.FAIL
    assert result.comments == "the job has no command"
    assert task.marks == []


def test_a_job_without_a_command_has_not_failed_as_expected(perform: Any) -> None:
    result, _ = perform("", xfail="yes")

    assert result.outcome is Outcome.ERROR


def test_a_job_for_this_account_runs(perform: Any) -> None:
    own, _ = perform("true", user=getpass.getuser())

    assert own.outcome is Outcome.PASS


def test_the_start_is_told_with_the_process_of_the_command(perform: Any) -> None:
    _, task = perform("echo $$")

    (mark,) = task.marks
    assert int(task.written["stdout"]) == mark.pid
    assert mark.boot_id == this_process().boot_id
    assert mark.started


def test_a_command_whose_start_cannot_be_stored_does_not_run(tmp_path: Path) -> None:
    task = RecordedTask(job("touch ran"), tmp_path)

    def full() -> None:
        raise StorageFullError("here", "no room")

    task.on_start = full
    with pytest.raises(StorageFullError):
        LocalRunner().run(task)

    (mark,) = task.marks
    assert mark is not None
    assert not is_alive(mark)
    assert not (tmp_path / "ran").exists()


def test_a_command_that_takes_too_long_is_ended_with_its_children(perform: Any) -> None:
    result, task = perform("sleep 600 & echo $!; wait", timeout=0.2)

    assert result.outcome is Outcome.CRASH
    assert "took longer than 0.2 s and was ended" in result.comments
    assert gone(int(task.written["stdout"]))


def test_a_command_that_does_not_end_when_asked_to_is_killed(
    perform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_GRACE_S", 0.2)

    result, _ = perform("trap '' TERM; while true; do sleep 0.05; done", timeout=0.1)

    assert (result.outcome, result.return_code) == ("crash", -signal.SIGKILL)
    assert "did not end when asked to" in result.comments


def test_what_a_command_leaves_behind_is_not_waited_for_and_is_ended(perform: Any) -> None:
    start = time.monotonic()

    result, task = perform("sleep 600 & echo $!")

    assert result.outcome is Outcome.PASS
    assert time.monotonic() - start < 30
    assert gone(int(task.written["stdout"]))


# Each prints the number of a process that got out of the command's group.
ESCAPES = {
    "setsid": "setsid sleep 600 & echo $!",
    "double fork": "(setsid sh -c 'sleep 600 & echo $!; exit') & wait",
    "no environment": "env -i setsid sleep 600 >/dev/null 2>&1 & sleep 0.1; pgrep -P $$ -f sleep",
    "orphan without environment": """python3 -c "
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
print(os.getpid(), flush=True)
os.execve('/bin/sleep', ['sleep', '600'], {})
" && sleep 0.2""",
    "stopped": "setsid sleep 600 & sleep 0.2; kill -STOP $!; echo $!",
    "deaf": """setsid sh -c 'trap "" TERM HUP INT; echo $$; exec sleep 600' & sleep 0.2""",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child subreapers")
@pytest.mark.parametrize(
    "command", [pytest.param(text, id=name) for name, text in ESCAPES.items()]
)
def test_what_got_out_of_the_group_of_a_command_is_ended_with_it_and_reported(
    perform: Any, command: str
) -> None:
    result, task = perform(command)

    assert result.outcome is Outcome.PASS, task.written
    assert result.comments == "it left processes behind, which were ended: sleep"
    assert process_mark(int(task.written["stdout"])) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child subreapers")
def test_what_got_out_of_the_group_is_ended_with_a_command_that_takes_too_long(
    perform: Any,
) -> None:
    result, task = perform("setsid sleep 600 & echo $!; sleep 600", timeout=0.4)

    assert "took longer" in result.comments
    assert process_mark(int(task.written["stdout"])) is None


def test_what_ends_by_itself_in_a_moment_is_not_left_behind(perform: Any) -> None:
    result, task = perform("(sleep 0.1; echo late) &")

    assert (result.outcome, result.comments) == ("pass", None)
    assert task.written["stdout"] == b"late\n"


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        pytest.param(LocalOptions(leave_processes=True), {}, id="by the settings"),
        pytest.param(LocalOptions(), {"flags": "noreturn"}, id="by a job that restarts"),
    ],
)
def test_processes_may_be_left_behind_on_purpose(
    tmp_path: Path, options: LocalOptions, fields: dict[str, str]
) -> None:
    task = RecordedTask(job("setsid sleep 600 >/dev/null 2>&1 & echo $!", **fields), tmp_path)

    result = LocalRunner(options).run(task)

    left = int(task.written["stdout"])
    assert (result.outcome, result.comments) == ("pass", None)
    assert process_mark(left)
    os.kill(left, signal.SIGKILL)


def test_a_command_that_kills_its_launcher_crashed_and_nothing_of_it_is_left(
    perform: Any,
) -> None:
    result, task = perform("echo $$; setsid sleep 600 & echo $!; kill -9 $PPID; sleep 600")

    assert result.outcome is Outcome.CRASH
    assert "launcher" in result.comments
    assert all(gone(int(pid)) for pid in task.written["stdout"].split())


def test_a_command_that_stops_its_launcher_is_ended_in_time(
    perform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_GRACE_S", 0.2)

    result, _ = perform("kill -STOP $PPID; sleep 600", timeout=0.3)

    assert result.outcome is Outcome.CRASH
    assert "took longer" in result.comments


def test_a_command_whose_launcher_heeds_nothing_is_ended_all_the_same(
    perform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Launcher.ask
    monkeypatch.setattr(local, "_GRACE_S", 0.1)
    monkeypatch.setattr(local, "_REPORT_S", 0.1)
    monkeypatch.setattr(Launcher, "ask", lambda own, what: what == b"go" and ask(own, what))

    result, task = perform("echo $$; sleep 30", timeout=0.3)

    assert result.outcome is Outcome.CRASH
    assert result.execution_duration < 20
    assert gone(int(task.written["stdout"]))


def test_a_command_that_stopped_itself_is_ended_by_the_request(perform: Any) -> None:
    result, _ = perform("kill -STOP $$", timeout=0.3)

    assert (result.outcome, result.return_code) == ("crash", -signal.SIGTERM)
    assert result.comments == "it took longer than 0.3 s and was ended"


@pytest.mark.skipif(sys.platform != "linux", reason="environments are read from /proc")
def test_what_survived_its_launcher_is_recognised_by_the_very_process_it_descends_from(
    tmp_path: Path,
) -> None:
    task = RecordedTask(job("true"), tmp_path)
    LocalRunner().run(task)
    (mark,) = task.marks
    assert mark is not None
    of_the_job = f"{mark.pid}-{mark.started}-{mark.boot_id}"
    of_another = f"{mark.pid}-{mark.started}1-{mark.boot_id}"
    survivors = [
        subprocess.Popen(
            ["/bin/sleep", "600"], env={"HOLDALL_TASK": task_id}, start_new_session=True
        )
        for task_id in (of_the_job, of_another)
    ]

    interruption = LocalRunner().interrupted(mark)

    assert interruption == "killed"
    assert survivors[0].wait(5) == -signal.SIGTERM
    assert survivors[1].poll() is None
    survivors[1].kill()
    survivors[1].wait()


def test_a_silent_command_is_looked_after(perform: Any) -> None:
    _, task = perform("sleep 0.5")

    assert task.calls >= 2


def test_what_interrupted_an_attempt_is_told_by_its_process() -> None:
    runner = LocalRunner()
    here = this_process()
    other_boot = type(here)(pid=here.pid, started=here.started, boot_id="another boot")
    ended = type(here)(pid=here.pid, started="not this one", boot_id=here.boot_id)

    assert runner.interrupted(None) == "unknown"
    assert runner.interrupted(other_boot) == "rebooted"
    assert runner.interrupted(ended) == "killed"


def test_a_process_that_forks_launchers_and_was_killed_is_started_again(tmp_path: Path) -> None:
    launchers = Launchers()
    request: Any = {"folder": tmp_path, "environ": {"PATH": os.environ["PATH"]}, "leave": False}
    with launchers.launch(["true"], **request) as first:
        first.ask(b"go")
        assert first.has_ended(5)
    control = launchers._control
    assert control is not None
    control.shutdown(socket.SHUT_RDWR)  # it sees its end, as if holdall were gone

    with launchers.launch(["sh", "-c", "echo again"], **request) as second:
        second.ask(b"go")
        assert second.has_ended(5)
        assert second.stdout.read() == b"again\n"


def test_launchers_of_several_threads_keep_their_streams_apart(tmp_path: Path) -> None:
    launchers = Launchers()

    def said(number: int) -> bytes:
        command = ["sh", "-c", f"echo {number}; echo {number} >&2"]
        environ = {"PATH": os.environ["PATH"]}
        with launchers.launch(command, folder=tmp_path, environ=environ, leave=False) as one:
            one.ask(b"go")
            assert one.has_ended(20)
            return one.stdout.read() + one.stderr.read()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(said, range(40))) == [b"%d\n%d\n" % (n, n) for n in range(40)]


def test_the_process_that_forks_launchers_ends_with_the_runner() -> None:
    launchers = Launchers()
    launchers._started()
    stop = launchers._stop
    facts = stop.peek() if stop else None
    assert facts
    _control, process = facts[2]

    del launchers, facts, stop
    gc.collect()

    assert process.poll() == 0


def test_who_signals_for_a_launcher_and_does_not_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launcher, "_SIGNALLED_S", 0.3)
    number = tmp_path / "number"
    start = time.monotonic()

    launcher._run_briefly(["sh", "-c", f"echo $$ > {number}; exec sleep 600"])

    assert time.monotonic() - start < 60
    os.waitpid(int(number.read_text()), 0)


def test_a_command_that_writes_into_the_report_of_its_launcher_crashed(perform: Any) -> None:
    garbage = "for fd in /proc/$PPID/fd/*; do (echo '{no JSON' > $fd) 2>/dev/null; done"

    result, _ = perform(f"{garbage}; kill -9 $PPID; sleep 600")

    assert result.outcome is Outcome.CRASH


def test_what_thousands_of_leftovers_are_called_fits_into_the_report() -> None:
    processes = {pid: "x" * 15 + str(pid % 700) for pid in range(20_000)}

    counts = launcher._counted(processes)

    assert len(json.dumps(counts)) < 1 << 12
    assert len(counts) == 50
