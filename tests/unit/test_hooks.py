from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plugin_worlds import found_in, install

from holdall import hookimpl
from holdall.errors import ExportTargetError, HookError, PluginCallError, StorageFullError
from holdall.hooks.calling import Hooks, implemented_hooks, load_hooks
from holdall.hooks.specs import OBSERVERS
from holdall.registry import Identity
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.results import JobResult
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.settings import Settings
from holdall.units import Job, TestPlan, make_unit
from holdall.units.device import Device
from holdall.units.provider import Provider
from holdall.view import SessionView
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from holdall.contracts import ExportReport
    from holdall.units import Unit

    Around = Callable[[], Generator[None, None, object]]

PASS = JobResult(outcome="pass")
ACME = Identity("hook module", "acme", "acme 1.0")


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def plan(plan_id: str) -> TestPlan:
    made = make_unit({"unit": "test plan", "id": plan_id, "name": plan_id, "include": "a"})
    assert isinstance(made, TestPlan)
    return made


def provider(*units: Unit, name: str = "lab") -> Provider:
    return Provider(name, namespace="", version="1", source=name, read=lambda: units)


class Notes:
    """Writes down what it is told, in words."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @hookimpl
    def session_created(self, manager: SessionManager) -> None:
        self.said.append(f"created {manager.storage.id[:8]}")

    @hookimpl
    def session_loaded(self, manager: SessionManager) -> None:
        self.said.append(f"loaded with {len(manager.device_context_list)}")

    @hookimpl
    def session_destroyed(self, session_id: str) -> None:
        self.said.append(f"destroyed {session_id[:8]}")

    @hookimpl
    def checkpoint_saved(self, event_count: int) -> None:
        self.said.append(f"saved {event_count > 0}")

    @hookimpl
    def device_context_added(self, context: SessionDeviceContext) -> None:
        self.said.append(f"device {context.device.id} added")

    @hookimpl
    def device_context_removed(self, context: SessionDeviceContext) -> None:
        self.said.append(f"device {context.device.id} removed")

    @hookimpl
    def test_plans_changed(self, old: tuple[TestPlan, ...], new: tuple[TestPlan, ...]) -> None:
        self.said.append(f"plans {[p.id for p in old]} -> {[p.id for p in new]}")

    @hookimpl
    def provider_added(self, context: SessionDeviceContext, provider: Provider) -> None:
        self.said.append(f"{context.device.id}: provider {provider.name}")

    @hookimpl
    def unit_added(self, context: SessionDeviceContext, unit: Unit) -> None:
        self.said.append(f"{context.device.id}: {unit.kind} {unit.id} added")

    @hookimpl
    def unit_removed(self, context: SessionDeviceContext, unit: Unit) -> None:
        self.said.append(f"{context.device.id}: {unit.kind} {unit.id} removed")

    @hookimpl
    def job_started(self, job: Job) -> None:
        self.said.append(f"{job.id} started")

    @hookimpl
    def job_result_changed(self, job: Job, result: JobResult) -> None:
        self.said.append(f"{job.id} {result.outcome}")


class Grumbler:
    """Fails at whatever it is told."""

    @hookimpl
    def device_context_added(self) -> None:
        raise RuntimeError("no devices, please")

    @hookimpl
    def checkpoint_saved(self) -> None:
        raise RuntimeError("no checkpoints, please")


@pytest.fixture
def manager() -> SessionManager:
    return SessionManager.create(MemoryRepository(), registry=Registry.empty())


@pytest.fixture
def notes(manager: SessionManager) -> list[str]:
    listener = Notes()
    manager.hooks.register(listener)
    return listener.said


def test_a_provider_is_told_before_its_units(manager: SessionManager, notes: list[str]) -> None:
    context = manager.add_local_device_context()

    context.add_provider(provider(job("a"), plan("p")))

    assert notes == [
        "device local added",
        "local: provider lab",
        "local: job a added",
        "local: test plan p added",
    ]


def test_every_unit_that_comes_or_goes_is_told_once(
    manager: SessionManager, notes: list[str]
) -> None:
    state = manager.add_local_device_context().state
    notes.clear()

    state.add_unit(job("a", flags="also-after-suspend"))
    state.add_unit(job("a", flags="also-after-suspend"))
    state.remove_unit(job("a", flags="also-after-suspend"))
    state.trim_job_list(lambda _job: False)
    state.trim_job_list(lambda _job: False)

    # A job's sibling is added because the job is, so it is complete first.
    assert sorted(notes) == [
        "local: job a added",
        "local: job a removed",
        "local: job after-suspend-a added",
        "local: job after-suspend-a removed",
    ]


def test_devices_that_come_and_go_are_told(manager: SessionManager, notes: list[str]) -> None:
    context = manager.add_device_context(SessionDeviceContext(device=Device("dut-7")))
    manager.remove_device_context(context)

    context.add_unit(job("a"))

    assert notes == ["device dut-7 added", "device dut-7 removed"]


def test_a_device_that_is_refused_is_not_told(manager: SessionManager, notes: list[str]) -> None:
    manager.add_local_device_context()
    notes.clear()

    with pytest.raises(ValueError, match="already"):
        manager.add_local_device_context()

    assert notes == []


def test_other_plans_are_told_and_the_same_ones_are_not(
    manager: SessionManager, notes: list[str]
) -> None:
    manager.test_plans = (plan("p"),)
    manager.test_plans = (plan("p"),)
    manager.test_plans = ()
    manager.test_plans = ()

    assert notes == ["plans [] -> ['p']", "plans ['p'] -> []"]


def test_results_are_told_with_their_job(manager: SessionManager, notes: list[str]) -> None:
    state = manager.add_local_device_context().state
    state.add_unit(job("a"))
    state.update_desired_job_list(state.job_list)
    notes.clear()

    state.job_started(state.job_list[0])
    state.update_job_result(state.job_list[0], PASS)
    manager.checkpoint()
    manager.checkpoint()

    assert notes == ["a started", "a pass", "saved True"]


def test_the_end_is_told(manager: SessionManager, notes: list[str]) -> None:
    manager.destroy()

    assert notes == ["destroyed holdall-"]


def test_listeners_of_one_manager_hear_nothing_of_another(notes: list[str]) -> None:
    SessionManager.create(MemoryRepository()).add_local_device_context()

    assert notes == []


def test_a_listener_that_is_unregistered_hears_nothing_more(manager: SessionManager) -> None:
    listener = Notes()
    manager.hooks.register(listener)

    manager.hooks.unregister(listener)
    manager.add_local_device_context()

    assert listener.said == []
    with pytest.raises(ValueError, match="not registered"):
        manager.hooks.unregister(listener)


def test_an_observer_that_raises_hinders_neither_the_others_nor_the_checkpoint(
    manager: SessionManager, caplog: pytest.LogCaptureFixture
) -> None:
    before, behind = Notes(), Notes()
    manager.hooks.register(before)
    manager.hooks.register(Grumbler(), plugin=ACME)
    manager.hooks.register(behind)

    with caplog.at_level(logging.ERROR, "holdall.hooks"):
        manager.add_local_device_context()
        manager.checkpoint()

    assert before.said == behind.said == ["device local added", "saved True"]
    assert manager.storage.head > 0
    assert [(f.hook, f.origin, str(f.error)) for f in manager.hooks.failures] == [
        ("device_context_added", "acme 1.0", "no devices, please"),
        ("checkpoint_saved", "acme 1.0", "no checkpoints, please"),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "the observer 'device_context_added' of acme 1.0 failed",
        "the observer 'checkpoint_saved' of acme 1.0 failed",
    ]


def test_an_observer_that_fails_again_and_again_is_reported_once_with_a_count(
    manager: SessionManager, caplog: pytest.LogCaptureFixture
) -> None:
    manager.hooks.register(Grumbler(), plugin=ACME)

    with caplog.at_level(logging.ERROR, "holdall.hooks"):
        for title in ("a", "b", "c"):
            manager.add_device_context(SessionDeviceContext(device=Device(title)))
        manager.checkpoint()
        manager.close()
        manager.close()

    assert [(failure.hook, failure.times) for failure in manager.hooks.failures] == [
        ("device_context_added", 3),
        ("checkpoint_saved", 1),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "the observer 'device_context_added' of acme 1.0 failed",
        "the observer 'checkpoint_saved' of acme 1.0 failed",
        "the observer 'device_context_added' of acme 1.0 failed 3 times in all",
    ]


def test_a_listener_without_origin_is_blamed_by_what_it_is(manager: SessionManager) -> None:
    manager.hooks.register(Grumbler())

    manager.add_local_device_context()

    (failure,) = manager.hooks.failures
    assert "Grumbler" in failure.origin


class Misspelt(Notes):
    @hookimpl
    def device_context_aded(self) -> None: ...


class Demanding(Notes):
    @hookimpl
    def device_context_added(self, weather: str) -> None: ...  # type: ignore[override]


class Wrapping(Notes):
    @hookimpl(wrapper=True)
    def checkpoint_saved(self) -> Iterator[None]:  # type: ignore[override]
        yield


class Asynchronous(Notes):
    @hookimpl
    async def checkpoint_saved(self) -> None: ...  # type: ignore[override]


class Yielding(Notes):
    @hookimpl
    def checkpoint_saved(self) -> Iterator[None]:  # type: ignore[override]
        yield


class OldWrapping(Notes):
    @hookimpl(hookwrapper=True)
    def checkpoint_saved(self) -> Iterator[None]:  # type: ignore[override]
        yield


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Misspelt, "device_context_aded"),
        (Asynchronous, "'checkpoint_saved' is a generator or coroutine"),
        (Yielding, "'checkpoint_saved' is a generator or coroutine"),
        (Demanding, "weather"),
        (Wrapping, "'checkpoint_saved' only tells"),
        (OldWrapping, "'checkpoint_saved' only tells"),
    ],
)
def test_a_listener_that_cannot_work_is_refused_and_nothing_of_it_stays(
    manager: SessionManager, kind: type[Notes], words: str
) -> None:
    wrong, good = kind(), Notes()

    with pytest.raises(HookError, match=words):
        manager.hooks.register(wrong, plugin=ACME)
    manager.hooks.register(good)
    manager.add_local_device_context()
    manager.checkpoint()

    assert wrong.said == []
    assert good.said == ["device local added", "saved True"]


def test_a_listener_registered_twice_is_refused_and_goes_on_to_hear(
    manager: SessionManager,
) -> None:
    listener = Notes()
    manager.hooks.register(listener)

    with pytest.raises(HookError, match="registered already"):
        manager.hooks.register(listener)
    manager.add_local_device_context()

    assert listener.said == ["device local added"]


@pytest.mark.parametrize("name", OBSERVERS)
def test_every_observer_can_be_told_without_anybody_there(name: str) -> None:
    Hooks().notify(name)


MODULE = """
from tests.unit.plugin_worlds import found_in, install

from holdall import hookimpl
SAID = []
@hookimpl
def session_created(manager): SAID.append("created")
@hookimpl
def session_loaded(manager): SAID.append("loaded")
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry with three hook modules: one good, one misspelt, one that can't be imported."""
    sources = {
        "hooks_good": MODULE,
        "hooks_misspelt": "from holdall import hookimpl\n@hookimpl\ndef session_creatd(): ...\n",
        "hooks_broken": "raise RuntimeError('broken')\n",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield Registry.of(*(Declared("hooks", n[6:], n, "acme", "1.0") for n in sources))
    for name in sources:
        sys.modules.pop(name, None)


def said() -> Any:
    return sys.modules["hooks_good"].SAID


def test_installed_hooks_are_told_of_a_session_from_its_beginning(installed: Registry) -> None:
    SessionManager.create(MemoryRepository(), registry=installed)

    assert said() == ["created"]


def test_installed_hooks_are_told_of_a_session_that_is_loaded(installed: Registry) -> None:
    manager = SessionManager.create(MemoryRepository(), registry=installed)
    manager.checkpoint()
    manager.storage.close()

    storage = manager.storage.repository.open(manager.storage.id)
    SessionManager.load_session([], storage, registry=installed)

    assert said() == ["created", "loaded"]


def test_listing_installed_hooks_imports_none(installed: Registry) -> None:
    installed.candidates("hooks")

    assert "hooks_good" not in sys.modules


def test_installed_hooks_that_do_not_work_hinder_nothing_and_are_reported(
    installed: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    manager = SessionManager.create(MemoryRepository(), registry=installed)

    assert {str(type(f.error).__name__) for f in manager.hooks.failures} == {
        "HookError",
        "PluginLoadError",
    }
    assert all("acme 1.0" in failure.origin for failure in manager.hooks.failures)
    assert len(caplog.records) == 2
    manager.checkpoint()


def test_the_session_says_which_hooks_took_part(installed: Registry) -> None:
    manager = SessionManager.create(MemoryRepository(), registry=installed)

    assert [(p.id, p.distribution, p.version) for p in manager.view().plugins] == [
        ("good", "acme", "1.0")
    ]


class Unmarked:
    def job_started(self) -> None: ...


class Plain:
    @hookimpl
    def filter_view(self, view: SessionView) -> SessionView:
        return view


class NoGenerator:
    @hookimpl(wrapper=True)
    def wrap_export(self) -> None: ...


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        pytest.param(Unmarked(), "nothing of it is marked with @holdall.hookimpl", id="unmarked"),
        pytest.param(Notes, "it is the class 'Notes'; give an instance of it", id="class"),
        pytest.param(Plain(), "'filter_view' can only be wrapped", id="no wrapper"),
        pytest.param(NoGenerator(), "not a generator function", id="no generator"),
    ],
)
def test_what_could_never_be_called_is_refused_with_the_reason(
    manager: SessionManager, listener: object, reason: str
) -> None:
    with pytest.raises(HookError) as caught:
        manager.hooks.register(listener, plugin=ACME)

    assert caught.value.listener == "acme 1.0"
    assert reason in caught.value.reason
    with pytest.raises(ValueError, match="not registered"):
        manager.hooks.unregister(listener)


def test_a_listener_that_can_not_be_looked_at_is_blamed_and_nothing_of_it_stays(
    manager: SessionManager,
) -> None:
    class Hidden(Notes):
        def __dir__(self) -> list[str]:
            raise SystemExit("do not look")

    listener = Hidden()

    with pytest.raises(PluginCallError, match="SystemExit: do not look"):
        manager.hooks.register(listener, plugin=ACME)
    manager.add_local_device_context()

    assert listener.said == []


def test_the_hooks_that_a_listener_implements_are_known_without_calling_any() -> None:
    assert implemented_hooks(Grumbler()) == ("checkpoint_saved", "device_context_added")


def test_an_observer_that_exits_ends_nothing(manager: SessionManager) -> None:
    class Exiting:
        @hookimpl
        def device_context_added(self) -> None:
            raise SystemExit(7)

    behind = Notes()
    manager.hooks.register(behind)
    manager.hooks.register(Exiting(), plugin=ACME)

    manager.add_local_device_context()

    assert behind.said == ["device local added"]
    (failure,) = manager.hooks.failures
    assert (failure.hook, failure.origin) == ("device_context_added", "acme 1.0")
    assert isinstance(failure.error, SystemExit)


def test_ctrl_c_goes_through_an_observer(manager: SessionManager) -> None:
    class Interrupted:
        @hookimpl
        def device_context_added(self) -> None:
            raise KeyboardInterrupt

    manager.hooks.register(Interrupted(), plugin=ACME)

    with pytest.raises(KeyboardInterrupt):
        manager.add_local_device_context()


class Configured:
    """Keeps its settings, and refuses some."""

    def __init__(self) -> None:
        self.settings: list[dict[str, object]] = []

    @hookimpl
    def configure(self, settings: Mapping[str, object]) -> None:
        if settings.get("color") == "plaid":
            raise ValueError("no such colour")
        self.settings.append(dict(settings))

    @hookimpl
    def device_context_added(self) -> None:
        self.settings.append({"device": 1})


def test_a_plugin_gets_its_settings_once_before_anything_else(manager: SessionManager) -> None:
    first, second = Configured(), Configured()

    manager.hooks.register(first, plugin=ACME, settings={"color": "red"})
    manager.hooks.register(second)
    manager.add_local_device_context()

    assert first.settings == [{"color": "red"}, {"device": 1}]
    assert second.settings == [{}, {"device": 1}]


def test_a_plugin_that_refuses_its_settings_is_not_used(manager: SessionManager) -> None:
    listener = Configured()

    with pytest.raises(PluginCallError, match=r"'acme' of acme 1\.0 failed in 'configure'"):
        manager.hooks.register(listener, plugin=ACME, settings={"color": "plaid"})
    manager.add_local_device_context()

    assert listener.settings == []


def test_settings_that_nothing_takes_are_refused(manager: SessionManager) -> None:
    class Deaf:
        @hookimpl
        def device_context_added(self) -> None:
            raise AssertionError

    with pytest.raises(HookError, match=r"no hook 'configure'\); remove color"):
        manager.hooks.register(Deaf(), plugin=ACME, settings={"color": "red"})
    manager.add_local_device_context()


CONFIGURED = """
from tests.unit.plugin_worlds import found_in, install

from holdall import hookimpl
GOT = []
@hookimpl
def configure(settings): GOT.append(dict(settings))
"""


def test_installed_hooks_get_the_table_of_their_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hooks_configured.py").write_text(CONFIGURED)
    monkeypatch.syspath_prepend(tmp_path)
    plugin = Declared("hooks", "acme", "hooks_configured", "acme", "1.0")
    settings = {"acme": Settings({"level": 3}), "other": Settings({"level": 4})}

    load_hooks(Hooks(), Registry([plugin], settings=settings))
    load_hooks(Hooks(), Registry([plugin]))

    assert sys.modules.pop("hooks_configured").GOT == [{"level": 3}, {}]


class Wrapper:
    """A wrapper of exports that does what its function says."""

    def __init__(self, around: Around) -> None:
        self._around = around

    @hookimpl(wrapper=True)
    def wrap_export(self) -> Generator[None, None, object]:
        return (yield from self._around())


def swallowing() -> Generator[None]:
    with suppress(BaseException):
        yield


def returning_early() -> Generator[None]:
    return
    yield


def yielding_twice() -> Generator[None]:
    yield
    yield


def yielding_twice_after_an_error() -> Generator[None]:
    with suppress(ValueError):
        yield
    yield


def returning_something() -> Generator[None, None, object]:
    yield
    return "report"


def raising_before() -> Generator[None]:
    raise ArithmeticError("before")
    yield


def raising_behind() -> Generator[None]:
    yield
    raise SystemExit(3)


def raising_instead() -> Generator[None]:
    try:
        yield
    except ValueError:
        raise ArithmeticError("instead") from None


def wrapped(work: Callable[[], None], *around: Around) -> None:
    hooks = Hooks()
    for each in around:
        hooks.register(Wrapper(each), plugin=ACME._replace(id=each.__name__))
    hooks.wrap("wrap_export", work, type(None), view=None, exporter_id="x", context=None)


def fail() -> None:
    raise ValueError("no disk")


@pytest.mark.parametrize(
    ("around", "work", "cause"),
    [
        (swallowing, fail, "it swallowed ValueError: no disk"),
        (returning_early, fail, "it returned before it yielded"),
        (yielding_twice, lambda: None, "it yielded twice"),
        (yielding_twice_after_an_error, fail, "it yielded twice"),
        (returning_something, lambda: None, "it returned 'report' and not None"),
        (raising_before, fail, "ArithmeticError: before"),
        (raising_behind, lambda: None, "SystemExit: 3"),
        (raising_instead, fail, "ArithmeticError: instead"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrapper_that_does_not_keep_to_its_part_is_blamed_by_name(
    around: Around, work: Callable[[], None], cause: str
) -> None:
    with pytest.raises(PluginCallError) as caught:
        wrapped(work, around)

    error = caught.value
    assert (error.name, error.origin, error.doing) == (
        around.__name__,
        "acme 1.0",
        "in 'wrap_export'",
    )
    assert error.cause == cause


def good() -> Generator[None]:
    yield


def test_the_blame_is_that_of_the_wrapper_that_failed_and_not_of_those_around_it() -> None:
    with pytest.raises(PluginCallError) as caught:
        wrapped(lambda: None, good, yielding_twice, good)

    assert caught.value.name == "yielding_twice"


def test_the_wrapper_that_was_registered_last_is_the_outermost() -> None:
    steps: list[str] = []

    def around(name: str) -> Around:
        def step() -> Generator[None]:
            steps.append(f"{name} before")
            yield
            steps.append(f"{name} after")

        step.__name__ = name
        return step

    wrapped(lambda: steps.append("work"), around("first"), around("last"))

    assert steps == ["last before", "first before", "work", "first after", "last after"]


def test_an_error_of_the_work_comes_out_of_wrappers_as_it_is() -> None:
    with pytest.raises(ValueError, match="no disk"):
        wrapped(fail, good, good)


@pytest.mark.parametrize("around", [swallowing, yielding_twice_after_an_error, good])
def test_ctrl_c_goes_through_every_wrapper(
    around: Around,
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wrapped(interrupted, around)


class Exports:
    """Keeps what it is told of reports."""

    def __init__(self) -> None:
        self.reports: list[ExportReport] = []

    @hookimpl
    def export_finished(self, report: ExportReport) -> None:
        self.reports.append(report)


def test_listeners_are_told_of_each_report_that_was_written_or_failed(tmp_path: Path) -> None:
    listener = Exports()
    manager = SessionManager.create(MemoryRepository())
    manager.hooks.register(listener)

    report = manager.create_exporter("global").export_to(tmp_path / "verdict.txt")
    with pytest.raises(ExportTargetError) as caught:
        manager.create_exporter("global").export_to(tmp_path / "missing" / "verdict.txt")

    written, failed = listener.reports
    assert written == report
    assert (failed.exporter, failed.exception) == ("holdall.verdict", caught.value)


def test_a_listener_that_fails_when_it_is_told_of_a_report_fails_no_export(
    tmp_path: Path,
) -> None:
    class Failing:
        @hookimpl
        def export_finished(self) -> None:
            raise RuntimeError("no reports, please")

    manager = SessionManager.create(MemoryRepository())
    manager.hooks.register(Failing(), plugin=ACME)

    manager.create_exporter("global").export_to(tmp_path / "verdict.txt")

    assert (tmp_path / "verdict.txt").exists()
    assert [failure.hook for failure in manager.hooks.failures] == ["export_finished"]


def test_the_second_installation_of_a_hook_plugin_is_passed_over_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    points = "[holdall.hooks]\ntwice = hooks_twice\n"
    for site in ("a", "b"):
        install(tmp_path / site, "acme", points=points, modules={"hooks_twice": MODULE})
    monkeypatch.syspath_prepend(tmp_path / "a")
    hooks = Hooks()

    registered = load_hooks(hooks, found_in(tmp_path / "a", tmp_path / "b"))

    sys.modules.pop("hooks_twice")
    assert [candidate.id for candidate in registered] == ["twice"]
    assert (hooks.failures, caplog.records) == ([], [])


class Reader:
    """Reads from the storage what it is notified of."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, str]] = []

    @hookimpl
    def result_stored(
        self, manager: SessionManager, context: SessionDeviceContext, job: Job, result: JobResult
    ) -> None:
        stored = {each.id: each for each in SessionView.of(manager.storage).jobs()}
        assert stored[job.id].last.outcome is result.outcome
        self.stored.append((context.device.id, job.id))


def test_a_result_is_announced_as_stored_once_its_checkpoint_holds_it(
    manager: SessionManager,
) -> None:
    reader = Reader()
    manager.hooks.register(reader)
    context = manager.add_local_device_context()
    context.add_provider(provider(job("a"), job("b")))
    for each in context.state.job_list:
        context.state.update_job_result(each, JobResult(outcome="pass"))
    before = list(reader.stored)

    manager.checkpoint()
    manager.checkpoint()

    assert before == []
    assert reader.stored == [("local", "a"), ("local", "b")]
    assert manager.hooks.failures == []


def test_a_result_whose_checkpoint_failed_is_announced_by_the_one_that_stores_it() -> None:
    repository = FaultyRepository(MemoryRepository(), full=3)
    manager = SessionManager.create(repository, registry=Registry.empty())
    reader = Reader()
    manager.hooks.register(reader)
    context = manager.add_local_device_context()
    context.add_provider(provider(job("a")))
    manager.checkpoint()
    context.state.update_job_result(context.state.job_list[0], JobResult(outcome="pass"))
    with pytest.raises(StorageFullError):
        manager.checkpoint()
    refused = list(reader.stored)

    manager.checkpoint()

    assert refused == []
    assert reader.stored == [("local", "a")]
