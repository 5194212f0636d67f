from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdall import hookimpl
from holdall.contracts import Move, Reply
from holdall.errors import (
    AmbiguousUnitError,
    NothingSelectedError,
    PluginCallError,
    StorageFullError,
    UnitError,
)
from holdall.journal import compacted, list_sessions, read_events
from holdall.journal.events import JobStarted, Process
from holdall.processes import this_process
from holdall.registry.registry import Registry
from holdall.results import JobResult, Outcome
from holdall.session import folders
from holdall.session.conduct import Request
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.session.run import RESTART_PATIENCE_S, RunSettings, run_session, settle_interrupted
from holdall.session.runners import bound_runner
from holdall.session.selection import begin, find_plan
from holdall.session.state import SessionState
from holdall.stores import open_repository
from holdall.testing.children import in_child
from holdall.units import Job, TestPlan, draft_unit, make_unit
from holdall.units.device import Device
from holdall.view.session import SessionView
from holdall_plugins.runners.local import LocalRunner
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from holdall.contracts import Question
    from holdall.contracts.runners import ProcessMark, Task
    from holdall.contracts.stores import Repository
    from holdall.results import Interruption, Stream
    from holdall.units import Unit

ENVIRON = {"PATH": os.environ["PATH"]}
REBOOTED = Process(pid=1, started="1", boot_id="another boot")


def job(job_id: str, **fields: str) -> Job:
    given = {"id": job_id, "plugin": "shell", "command": "true", **fields}
    made = make_unit({name.replace("_", "-"): text for name, text in given.items()})
    assert isinstance(made, Job)
    return made


def plan(plan_id: str, **fields: str) -> TestPlan:
    made = make_unit({"unit": "test plan", "id": plan_id, "name": plan_id, **fields})
    assert isinstance(made, TestPlan)
    return made


class ScriptedRunner:
    """Gives each job the outcomes it is told, one after another; else it passes."""

    def __init__(self, **outcomes: list[str]) -> None:
        self.outcomes = outcomes
        self.ran: list[str] = []
        self.output: dict[str, bytes] = {}
        self.interruption: Interruption = "killed"

    def run(self, task: Task) -> JobResult:
        job_id = task.job.id
        self.ran.append(job_id)
        task.started(this_process())
        task.output("stdout", self.output.get(job_id, b""))
        left = self.outcomes.get(job_id, [])
        return JobResult(outcome=left.pop(0) if left else "pass")

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        return "unknown" if process is None else self.interruption


class LocalUntil(LocalRunner):
    """Performs jobs up to one at which holdall is interrupted."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.last = last

    def run(self, task: Task) -> JobResult:
        if task.job.id == self.last:
            raise KeyboardInterrupt
        return super().run(task)


def output(state: SessionState, job_id: str) -> bytes:
    result = state.job_state_map[job_id].result
    return b"".join(record.data for record in state.read_io_log(result))


def new(*units: Unit, repository: Repository | None = None) -> tuple[SessionManager, SessionState]:
    """Return a session of one device, all of whose jobs are selected."""
    manager = SessionManager.create_with_unit_list(
        units, repository or MemoryRepository(), registry=Registry.empty()
    )
    assert manager.state is not None
    manager.state.update_desired_job_list(manager.state.job_list)
    return manager, manager.state


def reloaded(manager: SessionManager, *units: Unit) -> tuple[SessionManager, SessionState]:
    """Return the session as the next process finds it, without a last checkpoint."""
    manager.storage.close()
    storage = manager.storage.repository.open(manager.storage.id)
    again = SessionManager.load_session(units, storage, registry=Registry.empty())
    assert again.state is not None
    return again, again.state


def run(manager: SessionManager, runner: Any = None, **settings: Any) -> Any:
    runner = runner or ScriptedRunner()
    runners = dict.fromkeys((c.device.id for c in manager.device_context_list), runner)
    run_session(manager, RunSettings(ENVIRON, **settings), runners=runners)
    return runner


def history(state: SessionState) -> dict[str, list[str]]:
    return {
        each.job.id: [str(result.outcome) for result in each.result_history]
        for each in state.job_state_map.values()
    }


def reason(state: SessionState, job_id: str) -> str:
    return state.job_state_map[job_id].result.skip_reason or ""


# What is run, and what is not


def test_every_selected_job_runs_once_in_order_and_is_durable() -> None:
    manager, state = new(job("b", depends="a"), job("a"), job("c"))

    runner = run(manager)

    assert runner.ran == ["a", "b", "c"] == [each.id for each in state.run_list]
    stored = SessionView.of(manager.storage)
    assert [(each.id, str(each.outcome)) for each in stored.jobs()] == [
        ("a", "pass"),
        ("b", "pass"),
        ("c", "pass"),
    ]


def test_jobs_that_are_not_selected_do_not_run() -> None:
    manager, state = new(job("a"), job("b"))
    state.update_desired_job_list([state.job_list[1]])

    assert run(manager).ran == ["b"]


def test_running_again_runs_nothing_more() -> None:
    manager, _ = new(job("a"))
    run(manager)

    assert run(manager).ran == []


@pytest.mark.parametrize(
    ("fields", "outcome", "words"),
    [
        ({"depends": "x"}, "skipped-dependency", "'x' did not pass (failed)"),
        ({"salvages": "y"}, "skipped-dependency", "'y' did not fail"),
        ({"requires": "r.kind == 'SSD'"}, "skipped-resource", "'SSD'\" does not hold"),
        (
            {
                "imports": "from com.canonical.plainbox import manifest",
                "requires": "manifest.has_dock == 'True'",
            },
            "skipped-manifest",
            "the manifest says otherwise",
        ),
        ({"depends": "x", "requires": "r.kind == 'SSD'"}, "skipped-dependency", "; the job 'x'"),
        ({"depends": "s", "requires": "r.kind == 'SSD'"}, "skip", "; the job 's'"),
        ({"depends": "s\nx"}, "skip", "'x' did not pass"),
        (
            {
                "depends": "x",
                "imports": "from com.canonical.plainbox import manifest",
                "requires": "manifest.has_dock == 'True'\nr.kind == 'SSD'",
            },
            "skipped-manifest",
            "'SSD'\" does not hold; the job 'x'",
        ),
        ({"flags": "fail-on-resource", "requires": "r.kind == 'SSD'"}, "fail", "does not hold"),
        (
            {"flags": "fail-on-resource", "requires": "r.kind == 'SSD'", "xfail": "yes"},
            "error",
            "does not hold",
        ),
        (
            {"flags": "fail-on-resource", "requires": "r.kind == 'SSD'", "depends": "x"},
            "skipped-dependency",
            "; the job 'x'",
        ),
    ],
)
def test_a_job_that_cannot_start_is_skipped_with_the_reason(
    fields: dict[str, str], outcome: str, words: str
) -> None:
    resource = job("r", plugin="resource")
    manager, state = new(job("x"), job("y"), job("s"), resource, job("a", **fields))

    runner = run(manager, ScriptedRunner(x=["fail"], s=["skip"]))

    assert "a" not in runner.ran
    assert state.job_state_map["a"].result.outcome == outcome
    assert words in reason(state, "a")


@pytest.mark.parametrize("fields", [{}, {"depends": "x"}, {"flags": "fail-on-resource"}])
def test_a_job_whose_requirements_cannot_be_read_could_not_be_performed(
    fields: dict[str, str],
) -> None:
    manager, state = new(job("x"), job("a", requires="r.kind =", **fields))

    runner = run(manager, ScriptedRunner(x=["fail"]))

    assert "a" not in runner.ran
    result = state.job_state_map["a"].result
    assert result.outcome == "error"
    assert "line 1 column" in (result.comments or "")


@pytest.mark.parametrize("fields", [{"plugin": "shel"}, {"plugin": ""}])
def test_a_job_whose_definition_is_of_no_use_could_not_be_performed(
    fields: dict[str, str],
) -> None:
    broken = draft_unit({"id": "a", "command": "true", **fields})
    assert isinstance(broken, Job)
    manager, state = new(broken, job("b", depends="a"))

    runner = run(manager)

    assert runner.ran == []
    assert history(state) == {"a": ["error"], "b": ["skipped-dependency"]}
    assert "plugin" in (state.job_state_map["a"].result.comments or "")


def test_a_skip_by_hand_is_one_of_everything_behind_it() -> None:
    manager, state = new(job("s"), job("a", depends="s"), job("b", depends="a"))

    run(manager, ScriptedRunner(s=["skip"]))

    assert history(state) == {"s": ["skip"], "a": ["skip"], "b": ["skip"]}


def test_a_job_that_fails_for_want_of_a_resource_is_not_retried() -> None:
    fields = {"flags": "fail-on-resource", "requires": "r.kind == 'SSD'", "auto-retry": "yes"}
    manager, state = new(job("r", plugin="resource"), job("a", **fields))

    run(manager)

    assert history(state)["a"] == ["fail"]


def test_a_reason_why_a_job_was_skipped_outlives_a_load() -> None:
    """TRAP 1.6: upstream forgets it."""
    units = [job("x"), job("a", depends="x")]
    manager, state = new(*units)
    run(manager, ScriptedRunner(x=["fail"]))

    _, again = reloaded(manager, *units)

    assert reason(again, "a") == reason(state, "a") != ""


def test_a_resource_lets_those_run_that_require_it() -> None:
    manager, state = new(job("r", plugin="resource"), job("a", requires="r.kind == 'SSD'"))
    runner = ScriptedRunner()
    runner.output["r"] = b"kind: SSD\n"

    run(manager, runner)

    assert history(state) == {"r": ["pass"], "a": ["pass"]}


def test_a_job_that_salvages_runs_when_the_other_one_failed() -> None:
    manager, _ = new(job("a"), job("b", salvages="a"))

    assert run(manager, ScriptedRunner(a=["fail"])).ran == ["a", "b"]


# Bootstrapping

TEMPLATE = make_unit(
    {
        "unit": "template",
        "template-id": "reads",
        "id": "read-{name}",
        "template-resource": "disk",
        "plugin": "shell",
        "command": "true",
    }
)
PLAN = plan("p", include="reads\nlast", bootstrap_include="disk")
BOOT_UNITS: list[Unit] = [job("disk", plugin="resource"), TEMPLATE, job("last"), PLAN]


def bootstrapping(repository: Repository | None = None) -> tuple[SessionManager, ScriptedRunner]:
    manager = SessionManager.create_with_unit_list(
        BOOT_UNITS, repository or MemoryRepository(), registry=Registry.empty()
    )
    manager.test_plans = (PLAN,)
    assert manager.default_device_context is not None
    assert begin(manager.default_device_context, Request()) == []
    runner = ScriptedRunner()
    runner.output["disk"] = b"name: sda\n\nname: sdb\n"
    return manager, runner


def test_jobs_of_templates_are_selected_once_their_resource_ran() -> None:
    manager, runner = bootstrapping()

    run(manager, runner)

    assert runner.ran in (
        ["disk", "last", "read-sda", "read-sdb"],
        ["disk", "read-sda", "read-sdb", "last"],
    )


def test_a_run_that_is_killed_while_it_bootstraps_selects_the_rest_when_it_goes_on() -> None:
    manager, _ = bootstrapping()
    state = manager.state
    assert state is not None
    state.job_started(state.job_list[0], this_process())
    manager.checkpoint()

    again, found = reloaded(manager, *BOOT_UNITS)
    runner = ScriptedRunner(disk=["pass"])
    runner.output["disk"] = b"name: sda\n"
    run(again, runner, retry_interrupted=True)

    assert history(found) == {
        "disk": ["crash", "pass"],
        "last": ["pass"],
        "read-sda": ["pass"],
    }


def test_a_bootstrap_after_which_nothing_is_left_is_an_error() -> None:
    manager, _ = bootstrapping()
    state = manager.state
    assert state is not None
    state.remove_unit(state.get_unit("last"))

    with pytest.raises(NothingSelectedError):
        run(manager, ScriptedRunner(disk=["fail"]))

    manager.checkpoint()
    (info,) = list_sessions(manager.storage.repository)
    assert info.state == "unfinished"


# Attempts


def test_a_job_with_auto_retry_is_tried_until_it_passes() -> None:
    manager, state = new(job("a", **{"auto-retry": "yes"}), job("b"))

    runner = run(manager, ScriptedRunner(a=["fail", "crash"]))

    assert runner.ran == ["a", "a", "a", "b"]
    assert history(state)["a"] == ["fail", "crash", "pass"]
    assert state.job_state_map["a"].attempts == 0


def test_a_job_with_auto_retry_fails_for_good_after_three_attempts() -> None:
    manager, state = new(job("a", **{"auto-retry": "yes"}))

    run(manager, ScriptedRunner(a=["fail"] * 9))

    assert history(state)["a"] == ["fail"] * 3


def test_what_could_not_be_performed_is_not_tried_again() -> None:
    manager, state = new(job("a", **{"auto-retry": "yes"}))

    run(manager, ScriptedRunner(a=["error", "pass"]))

    assert history(state)["a"] == ["error"]


def test_a_job_without_auto_retry_is_tried_once() -> None:
    manager, state = new(job("a"))

    run(manager, ScriptedRunner(a=["fail", "pass"]))

    assert history(state)["a"] == ["fail"]


def test_a_plan_may_ask_for_retries() -> None:
    wish = plan("p", include="a auto-retry=yes")
    manager, state = new(job("a"), wish)
    manager.test_plans = (wish,)

    run(manager, ScriptedRunner(a=["fail"]))

    assert history(state)["a"] == ["fail", "pass"]


def test_attempts_that_are_left_are_made_after_a_kill_between_two_of_them() -> None:
    units = [job("a", **{"auto-retry": "yes"})]
    manager, state = new(*units)
    state.update_job_result(units[0], JobResult(outcome="fail"))
    manager.checkpoint()

    again, found = reloaded(manager, *units)
    run(again, ScriptedRunner(a=["fail", "fail", "fail"]))

    assert history(found)["a"] == ["fail"] * 3


# What was interrupted


def interrupted(
    mark: Process | None, **fields: str
) -> tuple[SessionManager, SessionState, list[Unit]]:
    units: list[Unit] = [job("a", **fields), job("b")]
    manager, state = new(*units)
    state.job_started(state.job_list[0], mark)
    manager.checkpoint()
    again, found = reloaded(manager, *units)
    return again, found, units


def test_a_runner_that_can_not_tell_what_interrupted_names_the_way_round_it() -> None:
    manager, _state, _ = interrupted(None)
    broken: Any = LocalRunner()
    broken.interrupted = lambda _process: "whatever"

    with pytest.raises(PluginCallError, match="none of 'killed'") as caught:
        settle_interrupted(manager, {"local": bound_runner(broken)})

    assert "--device local=RUNNER" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("mark", "fields", "outcome", "interruption"),
    [
        pytest.param(REBOOTED, {}, "crash", "rebooted", id="rebooted"),
        pytest.param(REBOOTED, {"flags": "noreturn"}, "pass", "rebooted", id="meant to reboot"),
        pytest.param(REBOOTED, {"flags": "autorestart"}, "pass", "rebooted", id="restarts itself"),
        pytest.param(None, {}, "crash", "unknown", id="nobody knows"),
        pytest.param(None, {"flags": "noreturn"}, "crash", "unknown", id="no reboot known"),
    ],
)
def test_an_interrupted_attempt_is_judged_by_what_interrupted_it(
    mark: Process | None, fields: dict[str, str], outcome: str, interruption: str
) -> None:
    manager, state, _ = interrupted(mark, **fields)

    settled = settle_interrupted(manager, {"local": bound_runner(LocalRunner())})

    assert [each.job.id for each in settled] == ["a"]
    result = state.job_state_map["a"].result
    assert (result.outcome, result.interrupted_by) == (outcome, interruption)
    assert result.comments
    assert not state.job_state_map["a"].in_flight
    assert settle_interrupted(manager, {"local": bound_runner(LocalRunner())}) == []


def test_a_noreturn_job_whose_runner_was_killed_without_a_reboot_crashed() -> None:
    manager, state, _ = interrupted(this_process(), flags="noreturn")

    run(manager)  # the runner says "killed"

    assert history(state) == {"a": ["crash"], "b": ["pass"]}


def test_an_interrupted_job_runs_again_only_if_asked_for() -> None:
    manager, state, units = interrupted(REBOOTED)
    runner = ScriptedRunner()
    runner.interruption = "rebooted"
    run(manager, runner)
    assert history(state) == {"a": ["crash"], "b": ["pass"]}

    again, found = reloaded(manager, *units)
    run(again, retry_interrupted=True)

    assert history(found) == {"a": ["crash", "pass"], "b": ["pass"]}


def test_an_interrupted_job_with_auto_retry_is_not_retried_by_itself() -> None:
    manager, state, _ = interrupted(REBOOTED, **{"auto-retry": "yes"})

    run(manager)

    assert history(state)["a"] == ["crash"]


def test_a_reboot_that_was_meant_is_not_repeated() -> None:
    manager, state, _ = interrupted(REBOOTED, flags="noreturn")
    runner = ScriptedRunner()
    runner.interruption = "rebooted"

    run(manager, runner, retry_interrupted=True)

    assert history(state) == {"a": ["pass"], "b": ["pass"]}
    assert runner.ran == ["b"]


def test_a_noreturn_job_after_which_no_restart_comes_crashed() -> None:
    manager, state = new(job("a", flags="noreturn", command="echo bye"))

    run(manager, LocalRunner(), timeout=0.2)

    result = state.job_state_map["a"].result
    assert result.outcome is Outcome.CRASH
    assert "was not within 0.2 s" in (result.comments or "")
    assert [record.data for record in result.io_log] == [b"bye\n"]


class EndOfTheMachineError(Exception):
    """Stands for the restart that ends holdall while it waits for it."""


def test_what_a_noreturn_job_wrote_outlives_the_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = [job("a", flags="noreturn", command="echo bye")]
    manager, _ = new(*units, repository=FileRepository(tmp_path / "store"))

    really_sleep = time.sleep

    def end(seconds: float) -> None:
        if seconds == RESTART_PATIENCE_S:
            raise EndOfTheMachineError
        really_sleep(seconds)  # others sleep too, while they wait for a process

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", end)
        with pytest.raises(EndOfTheMachineError):
            run(manager, LocalRunner())
    again, state = reloaded(manager, *units)
    runner = ScriptedRunner()
    runner.interruption = "rebooted"
    run(again, runner)

    result = state.job_state_map["a"].result
    assert (result.outcome, result.io_log_size) == ("pass", len(b"bye\n"))
    assert [record.data for record in again._read_io_log(result)] == [b"bye\n"]
    again.storage.close()


# What is durable when


class Killer:
    """Ends its own process, at once, when it is told of what it waits for."""

    def __init__(self, moment: str) -> None:
        self.moment = moment
        self.started = False

    @hookimpl
    def job_started(self) -> None:
        self.started = True
        self.kill("before the start is durable")

    @hookimpl
    def checkpoint_saved(self) -> None:
        if self.started:
            self.kill("before the command runs")

    def kill(self, moment: str) -> None:
        if self.moment == moment:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("moment", "starts"), [("before the start is durable", 0), ("before the command runs", 1)]
)
def test_a_command_runs_only_when_its_start_is_durable(
    tmp_path: Path, moment: str, starts: int
) -> None:
    repository = FileRepository(tmp_path / "store")
    ran = tmp_path / "ran"
    units = [job("a", command=f"touch {ran}")]

    def work() -> None:
        manager, _ = new(*units, repository=repository)
        manager.checkpoint()
        manager.hooks.register(Killer(moment))
        run(manager, LocalRunner())

    status = in_child(work)

    (info,) = list_sessions(repository)
    storage = repository.open(info.id)
    found = [event for event in read_events(storage) if isinstance(event, JobStarted)]
    assert status == -signal.SIGKILL
    assert len(found) == starts
    assert not ran.exists()
    manager = SessionManager.load_session(units, storage, registry=Registry.empty())
    run(manager, LocalRunner())
    assert manager.state is not None
    assert history(manager.state) == {"a": ["crash"] if starts else ["pass"]}
    assert ran.exists() is not bool(starts)
    storage.close()


@pytest.mark.parametrize("size", [0, 10, 4096, 4097, 1_000_000])
def test_output_of_any_size_comes_back_whole(size: int) -> None:
    units = [job("a", command=f"head -c {size} /dev/zero | tr '\\0' x; echo err >&2")]
    manager, _ = new(*units)
    run(manager, LocalRunner())

    again, state = reloaded(manager, *units)

    result = state.job_state_map["a"].result
    found = list(again._read_io_log(result))
    assert b"".join(r.data for r in found if r.stream == "stdout") == b"x" * size
    assert b"".join(r.data for r in found if r.stream == "stderr") == b"err\n"
    assert result.io_log_size == size + 4
    assert (result.io_log_ref is None) is (size + 4 <= 4096)


def test_a_store_that_is_full_ends_the_run_and_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    units = [job("a"), job("b")]
    manager, _ = new(*units)
    manager.checkpoint()
    storage: Any = manager.storage

    def full(*_args: object, **_more: object) -> int:
        raise StorageFullError("here", "no room")

    with monkeypatch.context() as patch:
        patch.setattr(type(storage), "append", full)
        with pytest.raises(StorageFullError):
            run(manager, LocalRunner())

    again, state = reloaded(manager, *units)
    run(again, LocalRunner())
    assert history(state) == {"a": ["pass"], "b": ["pass"]}


# People


class Helpful:
    """Is always ready, and found everything as the script says."""

    stdin = None
    seen = b""

    def __init__(self, *, ready: bool = True, outcome: str = "pass") -> None:
        self.ready = ready
        self.outcome = outcome
        self.asked: list[tuple[str, str | None]] = []

    def announce(self, question: Question) -> None:
        self.announced = question.job.id

    def prepare(self, question: Question) -> Reply:
        self.asked.append((question.job.id, "ready?"))
        if self.ready:
            return Reply(move=Move.RUN)
        return Reply(move=Move.DECIDE, outcome=Outcome.SKIP)

    def decide(self, question: Question) -> Reply:
        result = question.result
        self.asked.append((question.job.id, None if result is None else str(result.outcome)))
        return Reply(move=Move.DECIDE, outcome=Outcome(self.outcome), comments="as seen")

    def watch(self, job: Job) -> AbstractContextManager[None]:
        del job
        return nullcontext()

    def show(self, stream: Stream, data: bytes) -> None:
        self.seen += data if stream == "stdout" else b""


@pytest.mark.parametrize(
    ("plugin", "asked"),
    [
        ("manual", [("a", None)]),
        ("user-interact", [("a", "ready?")]),
        ("user-verify", [("a", "pass")]),
        ("user-interact-verify", [("a", "ready?"), ("a", "pass")]),
        ("shell", []),
    ],
)
def test_a_person_is_asked_what_the_job_needs_one_for(
    plugin: str, asked: list[tuple[str, str | None]]
) -> None:
    manager, state = new(job("a", plugin=plugin))
    person = Helpful()

    run(manager, LocalRunner(), person=person)

    assert person.asked == asked
    assert state.job_state_map["a"].result.outcome == "pass"


def test_a_person_may_find_that_a_job_failed() -> None:
    manager, state = new(job("a", plugin="manual"), job("b", plugin="user-verify"))

    run(manager, LocalRunner(), person=Helpful(outcome="fail"))

    assert history(state) == {"a": ["fail"], "b": ["fail"]}
    assert state.job_state_map["a"].result.comments == "as seen"


@pytest.mark.parametrize(
    ("person", "words"), [(None, "needs a person"), (Helpful(ready=False), "skipped it")]
)
def test_a_job_for_a_person_is_skipped_where_nobody_does_it(
    person: Helpful | None, words: str
) -> None:
    manager, state = new(job("a", plugin="user-interact-verify", command="exit 9"))

    run(manager, LocalRunner(), person=person)

    assert state.job_state_map["a"].result.outcome == "skip"
    assert words in reason(state, "a")


# Several devices, and runners that fail


def test_devices_run_one_after_another_each_with_its_own_results() -> None:
    manager = SessionManager.create(MemoryRepository(), registry=Registry.empty())
    states = []
    for name in ("one", "two", "three"):
        state = SessionState([job(f"{name}-a"), job("b")])
        manager.add_device_context(SessionDeviceContext(state, device=Device(name)))
        state.update_desired_job_list(state.job_list)
        states.append(state)

    runner = run(manager, ScriptedRunner(b=["pass", "fail", "pass"]))

    assert runner.ran == ["one-a", "b", "two-a", "b", "three-a", "b"]
    assert [history(state)["b"] for state in states] == [["pass"], ["fail"], ["pass"]]


class Broken(ScriptedRunner):
    def run(self, task: Task) -> JobResult:
        if task.job.id == "b":
            task.started(None)
            raise RuntimeError("out of order")
        return super().run(task)


class Exiting(ScriptedRunner):
    def run(self, task: Task) -> JobResult:
        raise SystemExit(task.job.id)


class Returning(ScriptedRunner):
    def run(self, task: Task) -> JobResult:
        return task.job  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("runner", "cause"),
    [
        pytest.param(Exiting(), "SystemExit: a", id="exits"),
        pytest.param(Returning(), "and not a JobResult", id="returns something else"),
    ],
)
def test_a_runner_that_does_not_keep_to_its_contract_is_blamed(
    runner: ScriptedRunner, cause: str
) -> None:
    manager, _ = new(job("a"))

    with pytest.raises(PluginCallError) as caught:
        run(manager, runner)

    assert (caught.value.kind, caught.value.doing) == ("runner", "running the job 'a'")
    assert cause in caught.value.cause


def test_a_runner_that_raises_is_blamed_and_its_job_is_settled_by_the_next_run() -> None:
    units = [job("a"), job("b"), job("c")]
    manager, _ = new(*units)

    with pytest.raises(PluginCallError, match=r"'Broken'.*'b'.*RuntimeError: out of order"):
        run(manager, Broken())

    again, state = reloaded(manager, *units)
    run(again)
    assert history(state) == {"a": ["pass"], "b": ["crash"], "c": ["pass"]}
    assert state.job_state_map["b"].result.interrupted_by == "unknown"


def test_problems_of_the_selection_are_warned_of_and_the_rest_runs() -> None:
    wrong = plan("q", include="last", nested_part="gone", bootstrap_include="disk")
    manager = SessionManager.create_with_unit_list(
        [*BOOT_UNITS, wrong], MemoryRepository(), registry=Registry.empty()
    )
    manager.test_plans = (wrong,)
    assert manager.default_device_context is not None
    begin(manager.default_device_context, Request())
    warned: list[str] = []

    runner = run(manager, warn=warned.append)

    assert runner.ran == ["disk", "last"]
    assert any("'gone'" in each for each in warned)


def test_a_plan_with_lines_that_cannot_be_read_is_refused_with_all_of_them() -> None:
    wrong = plan("q", include="last\n[", exclude="a b", bootstrap_include="disk")
    manager = SessionManager.create_with_unit_list(
        [*BOOT_UNITS, wrong], MemoryRepository(), registry=Registry.empty()
    )
    manager.test_plans = (wrong,)
    assert manager.default_device_context is not None

    with pytest.raises(UnitError, match=r"'\['.*no regular expression.*'a b'"):
        begin(manager.default_device_context, Request())


def test_jobs_written_in_jinja_are_told_the_environment_and_are_the_same_after_a_load() -> None:
    written = make_unit(
        {
            "id": "lab-{{ __system_env__['LAB'] }}",
            "template-engine": "jinja2",
            "plugin": "shell",
            "command": "true",
            "flags": "also-after-suspend",
        }
    )
    chosen = plan("p", include="lab-.*")
    manager = SessionManager.create_with_unit_list(
        [written, chosen], MemoryRepository(), registry=Registry.empty()
    )
    manager.test_plans = (chosen,)
    assert manager.default_device_context is not None
    begin(manager.default_device_context, Request(), {"LAB": "north"})
    run(manager)

    again, state = reloaded(manager, written, chosen)

    assert history(state) == {"lab-north": ["pass"]}
    assert [each.id for each in state.run_list] == ["lab-north"]
    again.close()


def prepared(request: Request, *units: Job, **fields: str) -> SessionManager:
    chosen = plan("p", **fields)
    manager = SessionManager.create_with_unit_list(
        [*units, chosen], MemoryRepository(), registry=Registry.empty()
    )
    manager.test_plans = (chosen,)
    assert manager.default_device_context is not None
    begin(manager.default_device_context, request)
    return manager


def test_a_plan_that_two_namespaces_have_needs_its_whole_id() -> None:
    context = SessionDeviceContext()
    for namespace in ("one", "two"):
        fields = {"unit": "test plan", "id": "smoke", "name": "Smoke", "include": ".*"}
        context.add_unit(make_unit(fields, namespace=namespace))

    with pytest.raises(AmbiguousUnitError, match="one::smoke and two::smoke; give the whole id"):
        find_plan(context, "smoke")

    assert find_plan(context, "two::smoke").id == "two::smoke"


SETUP = make_unit({"unit": "setup job", "id": "install", "command": "true"})


def test_setup_jobs_run_before_everything_else() -> None:
    assert isinstance(SETUP, Job)
    manager = prepared(
        Request(),
        *(job("a"), job("first"), job("disk", plugin="resource"), SETUP),
        mandatory_include="first",
        include="a",
        bootstrap_include="disk",
        setup_include="install",
    )

    assert run(manager).ran == ["install", "disk", "first", "a"]


def test_what_a_request_excludes_does_not_run_in_any_phase_unless_it_is_needed() -> None:
    units = (job("a", depends="b"), job("b"), job("c"), job("disk", plugin="resource"))
    request = Request(exclude=("b", "c", "dis"))
    manager = prepared(request, *units, include=".*", bootstrap_include="disk")

    assert run(manager).ran == ["b", "a"]
    assert manager.state is not None
    assert manager.state.metadata.rejected_jobs == []
    assert not manager.state.metadata.custom_joblist


def test_a_request_may_pick_of_what_a_plan_selects() -> None:
    units = (job("a", depends="b"), job("b"), job("c"), job("d"))
    units = (*units[:3], job("d", summary="The last"))
    manager = prepared(Request(match=("a", "c$"), exclude=("c",)), *units, include=".*")

    assert run(manager).ran == ["b", "a"]
    assert manager.state is not None
    assert manager.state.metadata.custom_joblist
    assert [each.summary for each in manager.view().rejected_jobs()] == ["b", "The last"]


def test_reports_have_the_jobs_in_the_order_in_which_they_ran() -> None:
    assert isinstance(SETUP, Job)
    manager = prepared(
        Request(),
        *(job("a"), job("first"), job("disk", plugin="resource"), SETUP),
        mandatory_include="first",
        include="a",
        bootstrap_include="disk",
        setup_include="install",
    )

    ran = run(manager).ran

    assert [each.id for each in manager.view().jobs()] == ran
    events = compacted(read_events(manager.storage))
    view = SessionView(events, open_blob=manager.storage.open_blob)
    assert [each.id for each in view.jobs()] == ran


def test_a_record_that_is_none_is_told_when_it_was_printed() -> None:
    manager, state = new(job("disk", plugin="resource"), job("a", requires="disk.name == 'b'"))
    runner = ScriptedRunner()
    runner.output["disk"] = b"name: a\n\ngarbage\n\nname: b\n"
    warned: list[str] = []

    run(manager, runner, warn=warned.append)

    assert history(state) == {"disk": ["pass"], "a": ["pass"]}
    assert ["line 3" in each and "'garbage'" in each for each in warned] == [True]


def test_what_is_excluded_does_not_run_whatever_else_is_asked_for() -> None:
    units = (job("a"), job("b"), job("c", plugin="manual"))

    everything = prepared(Request(everything=True, exclude=("a",)), *units)
    named = prepared(Request(patterns=("a", "b"), exclude=("a",)), *units)

    assert run(everything).ran == ["b"]
    assert run(named).ran == ["b"]


@pytest.mark.parametrize("request_of", [Request(exclude=("[",)), Request(match=("(",))])
def test_a_request_with_no_expression_is_refused_before_anything_runs(request_of: Request) -> None:
    with pytest.raises(NothingSelectedError, match="no regular expression"):
        prepared(request_of, job("a"), include="a")


def test_templates_are_told_the_environment_and_a_resume_elsewhere_makes_the_same_jobs() -> None:
    source = make_unit(
        {
            "unit": "template",
            "id": "read-{{ name }}",
            "template-resource": "disk",
            "template-engine": "jinja2",
            "plugin": "shell",
            "command": "{{ __system_env__['LAB'] }}",
        }
    )
    chosen = plan("p", include="read.*", bootstrap_include="disk")
    units = [job("disk", plugin="resource"), source, chosen]
    manager = SessionManager.create_with_unit_list(
        units, MemoryRepository(), registry=Registry.empty()
    )
    manager.test_plans = (chosen,)
    assert manager.default_device_context is not None
    begin(manager.default_device_context, Request(), {"LAB": "north", "OTHER": "secret"})
    runner = ScriptedRunner()
    runner.output["disk"] = b"name: sda\n"

    run(manager, runner)

    assert runner.ran == ["disk", "read-sda"]
    begin(manager.default_device_context, Request(), {"LAB": "south"})
    assert manager.default_device_context.state.metadata.environ == {"LAB": "north"}

    again, state = reloaded(manager, *units)
    assert state.job_state_map["read-sda"].job.command == "north"
    assert state.metadata.environ == {"LAB": "north"}
    again.close()


def test_jobs_share_a_folder_of_the_session_and_each_has_one_of_its_own(tmp_path: Path) -> None:
    writes = job("a", command='pwd > "$HOLDALL_SESSION_SHARE/at"; echo mine > file')
    reads = job("b", command='test ! -e file && cat "$PLAINBOX_SESSION_SHARE/at"')
    manager, state = new(writes, reads, repository=FileRepository(tmp_path / "store"))

    run(manager, LocalRunner())

    assert history(state) == {"a": ["pass"], "b": ["pass"]}
    assert [each.name for each in (tmp_path / "store").rglob("session-share")]
    manager.storage.close()


@pytest.mark.parametrize("store", ["file", "sqlite", "memory", "wrapped"])
def test_what_jobs_share_is_there_when_the_session_goes_on_and_goes_with_it(
    store: str, tmp_path: Path
) -> None:
    repositories: dict[str, Repository] = {
        "file": FileRepository(tmp_path / "store"),
        "sqlite": SqliteRepository(tmp_path / "store.db"),
        "memory": MemoryRepository(),
        "wrapped": open_repository(f"faulty::file://{tmp_path}/faulty"),
    }
    writes = job("a", command='echo measured > "$HOLDALL_SESSION_SHARE/value"')
    reads = job("b", command='cat "$HOLDALL_SESSION_SHARE/value"; echo "$HOLDALL_SESSION_SHARE"')
    manager, _ = new(writes, reads, repository=repositories[store])
    with pytest.raises(KeyboardInterrupt):
        run(manager, LocalUntil("b"))

    manager, state = reloaded(manager, writes, reads)
    run(manager, LocalRunner())

    (value, share) = output(state, "b").decode().splitlines()
    assert value == "measured"
    assert Path(share).is_dir()
    manager.destroy()
    assert not Path(share).exists()


def test_what_jobs_of_another_session_share_is_kept_until_nobody_can_want_it(
    tmp_path: Path,
) -> None:
    repository = SqliteRepository(tmp_path / "store.db")
    shares = []
    for removed in (False, True, True):
        manager, state = new(
            job("a", command='cd "$HOLDALL_SESSION_SHARE" && touch kept && pwd'),
            repository=repository,
        )
        run(manager, LocalRunner())
        shares.append(Path(output(state, "a").decode().strip()))
        manager.close()
        if removed:
            repository.remove(manager.storage.id)
    old = time.time() - 40 * 86400
    for share in shares[:2]:
        os.utime(share, (old, old))

    run(new(job("a"), repository=repository)[0], LocalRunner())

    assert [share.exists() for share in shares] == [True, False, True]


def test_a_result_is_durable_before_the_folder_of_its_job_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager, _ = new(job("a"))
    outcomes: list[str] = []

    def look(path: Path) -> list[str]:
        outcomes.extend(str(each.outcome) for each in SessionView.of(manager.storage).jobs())
        return [f"{path.name} stays"]

    monkeypatch.setattr(folders, "remove_tree", look)
    warnings: list[str] = []
    run(manager, warn=warnings.append)

    assert outcomes == ["pass"]
    assert len(warnings) == 1


def test_a_job_for_which_no_folder_can_be_made_could_not_be_performed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    class TakesTheFolderAway(ScriptedRunner):
        def run(self, task: Task) -> JobResult:
            shutil.rmtree(tmp_path)
            return super().run(task)

    gone, after = job("x"), job("y")
    manager, state = new(gone, after)
    run(manager, TakesTheFolderAway())

    assert history(state) == {"x": ["pass"], "y": ["error"]}
    comments = state.job_state_map["y"].result.comments or ""
    assert "no folder can be made for it" in comments


def calls_of(action: Callable[[], object]) -> int:
    """Count the calls of functions, which unlike time is the same on every machine."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(seen)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("first", ["pass", "fail"])
@pytest.mark.parametrize("backwards", [False, True])
def test_jobs_that_each_depend_on_the_one_before_cost_in_proportion_to_their_number(
    first: str, *, backwards: bool
) -> None:
    calls = []
    for number in (100, 200):
        links = [job("j0"), *(job(f"j{n}", depends=f"j{n - 1}") for n in range(1, number))]
        units = links[::-1] if backwards else links

        def whole(units: Sequence[Job] = units) -> None:
            manager, state = new(*units)
            run(manager, ScriptedRunner(j0=[first]))
            _, again = reloaded(manager, *units)
            assert [each.id for each in again.run_list] == [f"j{n}" for n in range(len(units))]
            assert all(each.was_tried for each in state.job_state_map.values())

        calls.append(calls_of(whole))

    assert calls[1] < 2.2 * calls[0]


def test_a_chain_of_jobs_may_be_longer_than_any_stack() -> None:
    links = [job("j0"), *(job(f"j{n}", depends=f"j{n - 1}") for n in range(1, 3000))]

    _, state = new(*reversed(links))

    assert state.run_list == links
