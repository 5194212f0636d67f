"""Runners by URL, each for its device, called across the border."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from holdall import Device, JobResult, SessionDeviceContext, SessionManager, make_unit
from holdall.errors import ConfigurationError, PluginCallError, RunnerUrlError, UnknownPluginError
from holdall.journal import DeviceAdded, read_events
from holdall.registry import Registry
from holdall.session import RunSettings, open_runner, run_session
from holdall.settings import Settings
from holdall.view import SessionView
from holdall_plugins.runners.local import LocalRunner
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Task

UNIT = make_unit({"id": "a", "plugin": "shell", "command": "true"})


@dataclass(frozen=True)
class Options:
    port: int = 22


class Remote:
    """Says in the job's output which URL it was made of, and for which device it worked."""

    Options = Options

    def __init__(self, url: str, port: int) -> None:
        self.url = url
        self.port = port

    @classmethod
    def from_url(cls, url: str, *, options: Any = None) -> Remote:
        if url == "remote:bad":
            raise RuntimeError("no route")
        return cls(url, options.port)

    def run(self, task: Task) -> JobResult:
        task.started(None)
        task.output("stdout", f"{task.device.id} by {self.url} at {self.port}".encode())
        return JobResult(outcome="pass")

    def interrupted(self, process: object) -> str:
        del process
        return "unknown"


class Threads(Remote):
    """Hands over output from many threads at once."""

    def run(self, task: Task) -> JobResult:
        task.started(None)
        threads = [
            threading.Thread(target=task.output, args=("stdout", b"%d" % number * 5000))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.task = task
        return JobResult(outcome="pass")


def registry(settings: dict[str, Settings] | None = None, **runners: type) -> Registry:
    known = Registry(settings=settings)
    for name, runner in {"remote": Remote, "local": LocalRunner, **runners}.items():
        known.register("runners", name, runner)
    return known


def session(*devices: Device, plugins: Registry | None = None) -> SessionManager:
    manager = SessionManager.create(MemoryRepository(), registry=plugins or registry())
    for device in devices:
        context = manager.add_device_context(SessionDeviceContext(device=device))
        context.add_unit(UNIT)
        context.state.update_desired_job_list(context.state.job_list)
    return manager


def output(manager: SessionManager) -> list[bytes]:
    return [b"".join(record.data for record in job.io_log()) for job in manager.view().jobs()]


def test_each_device_is_reached_by_its_own_runner_which_is_told_the_device() -> None:
    manager = session(
        Device("left", runner="remote://10.0.0.1"), Device("right", runner="remote://10.0.0.2")
    )

    run_session(manager, RunSettings({}))

    assert output(manager) == [
        b"left by remote://10.0.0.1 at 22",
        b"right by remote://10.0.0.2 at 22",
    ]


def test_a_runner_gets_what_is_set_for_it() -> None:
    plugins = registry({"remote": Settings({"port": "2222"})})
    manager = session(Device("left", runner="remote:x"), plugins=plugins)

    run_session(manager, RunSettings({}))

    assert output(manager) == [b"left by remote:x at 2222"]


def test_settings_that_are_no_options_name_their_place() -> None:
    plugins = registry({"remote": Settings({"prot": 1}, "holdall.toml:3")})

    with pytest.raises(ConfigurationError, match=r"holdall.toml:3: .*'prot'; did you mean 'port'"):
        open_runner("remote:x", plugins)


def test_a_session_knows_the_runner_of_a_device_when_it_is_loaded() -> None:
    manager = session(Device("left", runner="remote:x"))
    manager.checkpoint()
    manager.close()
    storage = manager.storage.repository.open(manager.storage.id)

    again = SessionManager.load_session([UNIT], storage, registry=registry())

    assert [context.device.runner for context in again.device_context_list] == ["remote:x"]


def test_the_local_runner_is_not_written_down() -> None:
    manager = session(Device())
    manager.checkpoint()

    (added,) = (e for e in read_events(manager.storage) if isinstance(e, DeviceAdded))
    assert added.runner == "local"
    assert b'"runner"' not in b"".join(entry for _number, entry in manager.storage.read())


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        pytest.param("10.0.0.1", RunnerUrlError, "does not begin with the name", id="no name"),
        pytest.param("", RunnerUrlError, "does not begin with the name", id="nothing"),
        pytest.param("local:x", RunnerUrlError, "nothing can stand behind 'local'", id="local"),
        pytest.param("remot:x", UnknownPluginError, "did you mean 'remote'", id="unknown"),
        pytest.param("remote:bad", PluginCallError, "RuntimeError: no route", id="fails"),
    ],
)
def test_a_runner_that_can_not_be_had_says_why_and_nothing_runs(
    url: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        open_runner(url, registry())


def test_output_of_many_threads_is_kept_whole() -> None:
    manager = session(Device("left", runner="threads"), plugins=registry(threads=Threads))

    run_session(manager, RunSettings({}))

    (written,) = output(manager)
    assert len(written) == 40_000
    assert {written[at : at + 5000] for at in range(0, 40_000, 5000)} == {
        b"%d" % number * 5000 for number in range(8)
    }


def test_output_after_the_end_of_an_attempt_is_refused() -> None:
    class Late(Threads):
        def run(self, task: Task) -> JobResult:
            kept.append(task)
            return super().run(task)

    kept: list[Task] = []
    manager = session(Device("left", runner="late"), plugins=registry(late=Late))
    run_session(manager, RunSettings({}))

    with pytest.raises(RuntimeError, match="is over and takes no output"):
        kept[0].output("stdout", b"more")


@pytest.mark.parametrize("value", [None, "pass", {"outcome": "pass"}])
def test_a_result_that_is_none_is_blamed_on_the_runner(value: object) -> None:
    class Wrong(Remote):
        def run(self, task: Task) -> Any:
            task.started(None)
            return value

    manager = session(Device("left", runner="wrong"), plugins=registry(wrong=Wrong))

    with pytest.raises(PluginCallError, match=r"the runner 'wrong' .* and not a JobResult"):
        run_session(manager, RunSettings({}))


def test_an_interruption_that_is_none_is_blamed_on_the_runner() -> None:
    class Wrong(Remote):
        def interrupted(self, process: object) -> str:
            del process
            return "dunno"

    manager = session(Device("left", runner="wrong"), plugins=registry(wrong=Wrong))
    assert manager.state is not None
    manager.state.job_started(manager.state.job_list[0])

    with pytest.raises(PluginCallError, match=r"'dunno', none of 'killed', 'rebooted', 'unknown'"):
        run_session(manager, RunSettings({}))


def test_a_view_shows_what_a_remote_runner_recorded() -> None:
    manager = session(Device("left", runner="remote:x"))
    run_session(manager, RunSettings({}))

    view = SessionView.of(manager.storage)

    assert [(job.device_id, str(job.outcome)) for job in view.jobs()] == [("left", "pass")]


class Mark:
    pid, started, boot_id = 7, 12345.5, "b"


def test_a_mark_of_a_process_that_could_not_be_stored_is_blamed_on_the_runner() -> None:
    class Wrong(Remote):
        def run(self, task: Task) -> JobResult:
            task.started(Mark())  # type: ignore[arg-type]
            return JobResult(outcome="pass")

    manager = session(Device("left", runner="wrong"), plugins=registry(wrong=Wrong))
    manager.checkpoint()

    with pytest.raises(PluginCallError, match=r"'wrong' .* TypeError: the mark of a process"):
        run_session(manager, RunSettings({}))
    assert len(list(read_events(manager.storage))) > 0


def test_output_of_another_stream_is_blamed_on_the_runner() -> None:
    class Wrong(Remote):
        def run(self, task: Task) -> JobResult:
            task.started(None)
            task.output("stdin", b"x")  # type: ignore[arg-type]
            return JobResult(outcome="pass")

    manager = session(Device("left", runner="wrong"), plugins=registry(wrong=Wrong))

    with pytest.raises(PluginCallError, match=r"'wrong' .* a stream is stdout or stderr"):
        run_session(manager, RunSettings({}))


def test_a_url_that_gives_no_runner_is_blamed_before_anything_runs() -> None:
    class Nothing(Remote):
        @classmethod
        def from_url(cls, url: str, *, options: Any = None) -> Any:
            del url, options

    with pytest.raises(PluginCallError, match="it returned None and not a runner"):
        open_runner("nothing", registry(nothing=Nothing))


@pytest.mark.parametrize(
    ("misbehave", "cause"),
    [
        pytest.param(
            lambda task: task.output("stdout", "text"), "must be bytes, not str", id="str"
        ),
        pytest.param(lambda task: task.started(None), "was started already", id="started twice"),
        pytest.param(lambda task: {}[task.job.id], "KeyError: 'a'", id="raises"),
        pytest.param(lambda _task: sys.exit(3), "SystemExit: 3", id="exits"),
    ],
)
def test_a_runner_that_fails_ends_its_device_and_no_other(
    misbehave: Callable[[Task], object], cause: str
) -> None:
    class Wrong(Remote):
        def run(self, task: Task) -> JobResult:
            task.started(None)
            misbehave(task)
            return JobResult(outcome="pass")

    manager = session(
        Device("left", runner="wrong"),
        Device("right", runner="remote:x"),
        plugins=registry(wrong=Wrong, remote=Remote),
    )

    with pytest.raises(PluginCallError, match=f"the runner 'wrong' .*{cause}"):
        run_session(manager, RunSettings({}))

    jobs = SessionView.of(manager.storage).jobs()
    assert [(each.device_id, str(each.outcome), each.in_flight) for each in jobs] == [
        ("left", "none", True),
        ("right", "pass", False),
    ]


def test_a_log_that_a_runner_returns_in_its_result_is_kept_behind_what_it_recorded() -> None:
    class Wrong(Remote):
        def run(self, task: Task) -> JobResult:
            task.started(None)
            task.output("stdout", b"recorded, ")
            return JobResult(outcome="pass", io_log=[(0.5, "stdout", b"returned")])

    manager = session(Device("left", runner="wrong"), plugins=registry(wrong=Wrong))

    run_session(manager, RunSettings({}))

    assert output(manager) == [b"recorded, returned"]
