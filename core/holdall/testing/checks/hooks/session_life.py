"""A session from its beginning to its end, in which every hook is called with real arguments."""

from __future__ import annotations

import time
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.registry import PluginPolicy, Registry
from holdall.results import JobResult, Outcome
from holdall.session import RunSettings, SessionDeviceContext, SessionManager, run_session
from holdall.settings import Settings
from holdall.stores import open_repository
from holdall.testing.sessions import HOSTILE, START
from holdall.units import Device, Job, Provider, TestPlan, make_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.contracts import ExportReport, ProcessMark, Task
    from holdall.hooks import HookFailure
    from holdall.results import Interruption
    from holdall.units import Unit
    from holdall.view import JobView, SessionView

LISTENER: Final = "listener"
"""The id that a listener goes by in the checks."""

EXPORTER: Final = "checks.json"
"""The exporter of the checks; it writes all that a session holds."""

_PIECES: Final = (b"password: swor", b"dfish\n", b"\0\xff no text\n", HOSTILE["controls"].encode())


class Life(NamedTuple):
    """What a session came to that a listener listened to.

    Attributes:
        failures: What the listener raised, hook by hook.
        facts: What became of each job, and what else the session knows.
        reports: What was exported, while the session ran and when it was loaded again.
        printed: What went to standard output.
        checkpoints: How many were made while it ran.
        seconds: How long the run took.
    """

    failures: tuple[HookFailure, ...]
    facts: tuple[Any, ...]
    reports: tuple[ExportReport, ...]
    printed: str
    checkpoints: int
    seconds: float


def registry_with(listener: object | None, settings: Mapping[str, Any] | None = None) -> Registry:
    """Return a registry of a few built-ins, and of no listener but this one."""
    own = Registry.discover(PluginPolicy(only_own="in the checks"))
    chosen = Registry(settings={LISTENER: Settings(settings)} if settings else {})
    chosen.register("exporters", EXPORTER, own.load("exporters", "holdall.json"))
    chosen.register("repositories", "memory", own.load("repositories", "memory"))
    if listener is not None:
        chosen.register("hooks", LISTENER, listener)
    return chosen


def lived(registry: Registry, *, jobs: int = 4) -> Life:
    """Run a session, export it, load it again, export it once more, and remove it."""
    printed = StringIO()
    repository = open_repository(f"memory://life-{next(_NUMBERS)}", registry=registry)
    clock = map(float, count(int(START)))
    given: dict[str, Any] = {"registry": registry, "clock": clock.__next__}
    with redirect_stdout(printed):
        with SessionManager.create(repository, title=HOSTILE["markup"], **given) as manager:
            session_id = manager.storage.id
            context = manager.add_local_device_context()
            context.add_provider(_provider(jobs))
            plans = [unit for unit in context.unit_list if isinstance(unit, TestPlan)]
            manager.test_plans = tuple(plans)
            context.state.update_desired_job_list(context.state.job_list)
            _change_devices_and_units(manager)
            start = time.perf_counter()
            run_session(manager, RunSettings({}), runners={context.device.id: _Scripted()})
            seconds = time.perf_counter() - start
            reports = [_exported(manager)]
            facts = _facts(manager.view())
            failures = list(manager.hooks.failures)
        units = list(_provider(jobs).unit_list)
        with SessionManager.load_session(units, repository.open(session_id), **given) as manager:
            reports.append(_exported(manager))
            manager.destroy()
            failures += manager.hooks.failures
    made = 2 * jobs
    return Life(tuple(failures), facts, tuple(reports), printed.getvalue(), made, seconds)


_NUMBERS: Final = count()


def _exported(manager: SessionManager) -> ExportReport:
    report: ExportReport = manager.create_exporter(EXPORTER).export_to(BytesIO())
    return report


def _change_devices_and_units(manager: SessionManager) -> None:
    """Let a device and a unit come and go."""
    passing = manager.add_device_context(SessionDeviceContext(device=Device("passing")))
    manager.remove_device_context(passing)
    context = manager.device_context_list[0]
    context.remove_unit(context.add_unit(_job("gone")))
    manager.checkpoint()


def _facts(view: SessionView) -> tuple[Any, ...]:
    jobs = tuple(
        (job.device_id, job.id, job.outcome, job.comments, _written(job)) for job in view.jobs()
    )
    return (view.title, *jobs)


def _written(job: JobView) -> list[tuple[str, bytes]]:
    return [(record.stream, record.data) for record in job.io_log()]  # delays are chance


def _provider(jobs: int) -> Provider:
    return Provider(
        "life", namespace="life", version="1", source="life", read=lambda: _units(jobs)
    )


def _units(jobs: int) -> list[Unit]:
    made: list[Unit] = [_job(f"job-{number}") for number in range(jobs)]
    plan = {"unit": "test plan", "id": "all", "name": HOSTILE["astral"]}
    made.append(make_unit({**plan, "include": "job-.*"}, namespace="life"))
    return made


def _job(job_id: str) -> Job:
    summary = HOSTILE["formula"]
    fields = {"id": job_id, "plugin": "shell", "command": "true", "_summary": summary}
    unit = make_unit(fields, namespace="life")
    assert isinstance(unit, Job)
    return unit


class _Scripted:
    """A runner without processes: every second job fails, and what each writes is hostile."""

    @classmethod
    def from_url(cls, _url: str, *, options: object = None) -> _Scripted:
        del options
        return cls()

    def run(self, task: Task) -> JobResult:
        task.started(None)
        for piece in _PIECES:
            task.output("stdout", piece)
        task.output("stderr", HOSTILE["c1"].encode())
        fails = int(task.job.id.rpartition("-")[2]) % 2
        outcome = Outcome.FAIL if fails else Outcome.PASS
        return JobResult(outcome=outcome, comments=HOSTILE["lines"], return_code=fails)

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        del process
        return "unknown"
