"""The local runner by itself: what it makes of a command, and what it leaves behind."""

from __future__ import annotations

import getpass
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import StorageFullError
from holdall.processes import is_alive, process_mark, this_process
from holdall.results import Outcome
from holdall.units import Device, Job, make_unit
from holdall_plugins.runners import local
from holdall_plugins.runners.local import LocalRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts.runners import ProcessMark
    from holdall.results import JobResult, Stream


class RecordedTask:
    """A task that keeps what it is told."""

    person = None
    device = Device()

    def __init__(self, job: Job, folder: Path, timeout: float | None = None) -> None:
        self.job = job
        self.folder = folder
        self.timeout = timeout
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


def test_a_shell_that_is_not_there_is_a_failure(perform: Any) -> None:
    result, _ = perform("true", shell="no-such-shell-of-anybody")  # noqa: S604 - a field of the job

    assert (result.outcome, result.return_code) == ("fail", 127)


def test_a_job_without_a_command_is_not_implemented(perform: Any) -> None:
    result, task = perform("", plugin="resource")

    assert result.outcome is Outcome.NOT_IMPLEMENTED
    assert task.marks == []


def test_a_job_for_another_account_is_skipped_and_one_for_this_account_runs(
    perform: Any,
) -> None:
    other, _ = perform("true", user="somebody-else")
    own, _ = perform("true", user=getpass.getuser())

    assert other.outcome is Outcome.SKIP
    assert "'somebody-else'" in other.skip_reason
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
