from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from holdall import hookimpl
from holdall.errors import HookError
from holdall.hooks.calling import Hooks
from holdall.hooks.specs import OBSERVERS
from holdall.registry import Identity
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.results import JobResult
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.units import Job, TestPlan, make_unit
from holdall.units.device import Device
from holdall.units.provider import Provider
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.units import Unit

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


class OldWrapping(Notes):
    @hookimpl(hookwrapper=True)
    def checkpoint_saved(self) -> Iterator[None]:  # type: ignore[override]
        yield


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Misspelt, "device_context_aded"),
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
