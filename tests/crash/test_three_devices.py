"""A session of three devices, killed again and again, ends with everything exactly once.

The run is a real process with real jobs on the default store. It is killed
with SIGKILL at random moments and resumed each time until it ends by itself.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from holdall.journal import list_sessions
from holdall.processes import process_mark
from holdall.results import Outcome
from holdall.view.session import SessionView
from holdall_plugins.stores.file import FileRepository

if TYPE_CHECKING:
    from pathlib import Path

DEVICES = ("one", "two", "three")

# Creates the session, or resumes it, and runs it to its end; says when it begins to run.
CHILD = """
import json, os, sys
from holdall import Device, SessionDeviceContext, SessionManager, SessionState, make_unit
from holdall.journal import list_sessions
from holdall.session.run import RunSettings, run_session
from holdall_plugins.stores.file import FileRepository

folder, devices, retry = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] == "retry"
units = {name: [make_unit(fields) for fields in jobs] for name, jobs in devices.items()}
repository = FileRepository(folder)
found = [info.id for info in list_sessions(repository) if info.state != "empty"]
if found:
    manager = SessionManager.load_session(units, repository.open(found[0]))
else:
    manager = SessionManager.create(repository)
    for name in devices:
        state = SessionState(units[name])
        manager.add_device_context(SessionDeviceContext(state, device=Device(name)))
        state.update_desired_job_list(state.job_list)
    manager.checkpoint()
print("running", flush=True)
settings = RunSettings(os.environ, retry_interrupted=retry)
run_session(manager, settings)
"""


class Lab(NamedTuple):
    """Where it happens: the store, and what jobs leave as proof that they ran."""

    folder: Path
    retry: bool

    def jobs(self, device: str) -> list[dict[str, str]]:
        ran = f"echo {device}/$0 >> {self.folder}/ran"
        commands = {
            "quick": "true",
            "slow": "sleep 0.06",
            "loud": "head -c 20000 /dev/zero | tr '\\0' x",
            "leaves-a-child": f"sleep 300 & echo $! >> {self.folder}/children; sleep 0.03",
            "last": "sleep 0.02",
        }
        needs = {"last": "quick"}
        return [
            {
                "id": name,
                "plugin": "shell",
                "command": f"set -- {name}; {ran.replace('$0', '$1')}; {command}",
                "after": needs.get(name, ""),
            }
            for name, command in commands.items()
        ]

    def start(self) -> subprocess.Popen[bytes]:
        devices = json.dumps({name: self.jobs(name) for name in DEVICES})
        how = "retry" if self.retry else "settle"
        command = [sys.executable, "-c", CHILD, str(self.folder / "store"), devices, how]
        return subprocess.Popen(command, stdout=subprocess.PIPE)

    def runs(self) -> Counter[str]:
        """How often each command began."""
        ran = self.folder / "ran"
        return Counter(ran.read_text().split()) if ran.exists() else Counter()

    def children(self) -> list[int]:
        """Processes that jobs left behind and that still live."""
        found = self.folder / "children"
        pids = [int(line) for line in found.read_text().split()] if found.exists() else []
        return [pid for pid in pids if process_mark(pid)]

    def attempts(self) -> dict[str, list[str]]:
        """The attempts at each job of each device that are stored."""
        repository = FileRepository(self.folder / "store")
        sessions = [info.id for info in list_sessions(repository) if info.state != "empty"]
        if not sessions:
            return {}
        (session_id,) = sessions
        storage = repository.open(session_id, mode="r")
        view = SessionView.of(storage)
        found = {
            f"{job.device_id}/{job.id}": [
                f"{each.outcome} by {each.interrupted_by}"
                if each.interrupted_by
                else str(each.outcome)
                for each in job.attempts
            ]
            for job in view.jobs()
        }
        for job in view.jobs():
            for attempt in job.attempts if job.id == "loud" else ():
                size = sum(len(record.data) for record in attempt.io_log())
                assert size == 20_000 or attempt.outcome is Outcome.CRASH
        storage.close()
        return found


def killed_again_and_again(lab: Lab, kills: int, chance: random.Random) -> int:
    """Run the session to its end in spite of up to so many kills; return how many there were."""
    before: dict[str, list[str]] = {}
    code = 0
    for done in range(kills + 1):
        with lab.start() as child:
            assert child.stdout is not None
            if done < kills:
                if chance.random() < 0.8:
                    child.stdout.readline()  # else it is killed while it starts or loads
                time.sleep(chance.uniform(0, 0.25))
                child.kill()
            code = child.wait()
        now = lab.attempts()
        assert all(now[name][: len(known)] == known for name, known in before.items())
        before = now
        if code == 0:
            return done
    raise AssertionError(f"the session did not end by itself: {code}")


def finished(lab: Lab) -> dict[str, list[str]]:
    return {f"{device}/{job['id']}": ["pass"] for device in DEVICES for job in lab.jobs(device)}


def check_settled(lab: Lab) -> int:
    """Each job of each device has exactly one result; return how many were interrupted."""
    found = lab.attempts()
    crashed = {name for name, attempts in found.items() if attempts == ["crash by killed"]}
    assert found == {**finished(lab), **{name: ["crash by killed"] for name in crashed}}
    runs = lab.runs()
    assert {name for name in found if runs[name] != 1} <= crashed
    assert max(runs.values()) == 1
    assert lab.children() == []
    return len(crashed)


def check_retried(lab: Lab) -> None:
    """Each job of each device was finished exactly once, behind its interrupted attempts."""
    found = lab.attempts()
    interrupted = {name: attempts[:-1] for name, attempts in found.items()}
    assert {name: attempts[-1:] for name, attempts in found.items()} == finished(lab)
    assert all(set(attempts) <= {"crash by killed"} for attempts in interrupted.values())
    runs = lab.runs()
    assert all(1 <= runs[name] <= len(attempts) for name, attempts in found.items())
    assert lab.children() == []


def moments(seed: int | None = None) -> random.Random:
    return random.Random(seed)  # noqa: S311 - moments, no secrets


def test_a_run_that_nothing_interrupts_does_everything_once(tmp_path: Path) -> None:
    lab = Lab(tmp_path, retry=False)

    assert killed_again_and_again(lab, 0, moments(0)) == 0
    assert check_settled(lab) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_interrupted_jobs_are_marked_and_everything_else_is_done_once(
    tmp_path: Path, seed: int
) -> None:
    lab = Lab(tmp_path, retry=False)

    kills = killed_again_and_again(lab, 8, moments(seed))

    assert check_settled(lab) <= kills


def test_interrupted_jobs_are_done_again_if_asked_for(tmp_path: Path) -> None:
    lab = Lab(tmp_path, retry=True)

    killed_again_and_again(lab, 8, moments(3))

    check_retried(lab)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("retry", [False, True])
def test_fifty_kills_change_nothing_of_that(tmp_path: Path, *, retry: bool) -> None:
    chance = moments()
    kills = 0
    for number in range(50):
        folder = tmp_path / str(number)
        folder.mkdir()
        lab = Lab(folder, retry=retry)
        kills += killed_again_and_again(lab, 50, chance)
        check_retried(lab) if retry else check_settled(lab)
        if kills >= 50:
            return
    pytest.fail(f"only {kills} kills came before the runs had ended")
