"""Jobs behind a suspend or a restart that are tried again find the machine as it was."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.unit.test_run import ScriptedRunner, history, new, reloaded

from holdall.results import JobResult
from holdall.session.run import RunSettings, run_session
from holdall.units import SUSPENDS, Job, make_unit

NAMESPACE = "com.canonical.certification"
SUSPEND = SUSPENDS["also-after-suspend"].rpartition("::")[2]


def job(job_id: str, **fields: str) -> Job:
    given = {"id": job_id, "plugin": "shell", "command": "true", **fields}
    made = make_unit(
        {name.replace("_", "-"): text for name, text in given.items()}, namespace=NAMESPACE
    )
    assert isinstance(made, Job)
    return made


def run(
    manager: Any, runner: ScriptedRunner, booted_at: float = 0.0, **settings: Any
) -> list[str]:
    before = len(runner.ran)
    chosen = RunSettings({}, booted_at=booted_at, **settings)
    runners: dict[str, Any] = {"local": runner}
    run_session(manager, chosen, runners=runners)
    return [job_id.rpartition("::")[2] for job_id in runner.ran[before:]]


UNITS = (job("a", flags="also-after-suspend"), job(SUSPEND), job("other", after=SUSPEND))
LATER = 9e12


def interrupted(*units: Job, at: str) -> tuple[Any, Any]:
    """Return a session as the next process finds it when the one before ended at a job."""
    manager, _ = new(*units)
    whole = f"{NAMESPACE}::{at}"

    class Ending(ScriptedRunner):
        def run(self, task: Any) -> JobResult:
            if task.job.id == whole:
                task.started(None)
                raise KeyboardInterrupt
            return super().run(task)

    with suppress(KeyboardInterrupt):
        run(manager, Ending())
    return reloaded(manager, *units)


def test_a_twin_that_is_retried_after_a_restart_runs_behind_the_suspend_again() -> None:
    manager, state = interrupted(*UNITS, at="after-suspend-a")

    ran = run(manager, ScriptedRunner(), booted_at=LATER, retry_interrupted=True)

    assert ran == [SUSPEND, "after-suspend-a", "other"]
    assert history(state)[f"{NAMESPACE}::{SUSPEND}"] == ["pass", "pass"]


def test_a_twin_that_is_retried_in_the_same_boot_is_behind_the_suspend_still() -> None:
    manager, _ = interrupted(*UNITS, at="after-suspend-a")

    ran = run(manager, ScriptedRunner(), retry_interrupted=True)

    assert ran == ["after-suspend-a", "other"]


def test_a_restart_repeats_no_suspend_that_no_job_to_run_needs() -> None:
    manager, _ = interrupted(*UNITS, at="other")

    ran = run(manager, ScriptedRunner(), booted_at=LATER, retry_interrupted=True)

    assert ran == ["other"]


def test_a_twin_whose_suspend_fails_the_second_time_is_skipped() -> None:
    manager, state = interrupted(*UNITS, at="after-suspend-a")

    failing = ScriptedRunner(**{f"{NAMESPACE}::{SUSPEND}": ["fail"]})
    run(manager, failing, booted_at=LATER, retry_interrupted=True)

    assert history(state)[f"{NAMESPACE}::after-suspend-a"] == ["crash", "skipped-dependency"]


def test_an_automatic_retry_follows_at_once_in_the_state_of_the_first_attempt() -> None:
    retried = job("a", flags="also-after-suspend", **{"auto-retry": "yes"})
    manager, _ = new(retried, job(SUSPEND), job("other", after=SUSPEND))
    twin = f"{NAMESPACE}::after-suspend-a"

    ran = run(manager, ScriptedRunner(**{twin: ["fail", "fail", "pass"]}))

    assert ran == ["a", SUSPEND, *["after-suspend-a"] * 3, "other"]


REBOOT = (
    job("reboot", flags="autorestart"),
    job("fresh", depends="reboot"),
    job(SUSPEND, after="fresh"),
    job("last", after=SUSPEND),
)


def test_a_job_behind_a_restart_that_is_retried_after_a_suspend_gets_its_restart_again() -> None:
    manager, state = interrupted(*REBOOT, at="last")
    state.update_job_result(
        state.job_state_map[f"{NAMESPACE}::fresh"].job,
        JobResult(outcome="crash", interrupted_by="killed"),
    )

    ran = run(manager, ScriptedRunner(), retry_interrupted=True)

    assert ran == ["reboot", "fresh", "last"]


def test_any_restart_since_the_suspend_is_one_that_the_job_is_behind() -> None:
    manager, state = interrupted(*REBOOT, at="last")
    state.update_job_result(
        state.job_state_map[f"{NAMESPACE}::fresh"].job,
        JobResult(outcome="crash", interrupted_by="killed"),
    )

    ran = run(manager, ScriptedRunner(), booted_at=LATER, retry_interrupted=True)

    assert ran == ["fresh", "last"]


def test_a_suspend_that_the_plan_put_before_the_job_takes_nothing_from_it() -> None:
    units = (job("reboot", flags="autorestart"), job(SUSPEND), job("fresh", depends="reboot"))
    manager, _ = interrupted(*units, at="fresh")

    ran = run(manager, ScriptedRunner(), retry_interrupted=True)

    assert ran == ["fresh"]
