"""Manager, state and journal, driven at random beside a model of plain Python values.

After every step everything that can be observed is the same on both sides; and
what a crash leaves is what was checkpointed, no more and no less.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.unit.state_facts import manager_facts

from holdall.registry.registry import Registry
from holdall.results import JobResult, Outcome
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.session.overrides import Override
from holdall.session.readiness import InhibitionCause as Why
from holdall.units import Job, Pattern, TestPlan, make_unit
from holdall.units.device import Device
from holdall.view.session import SessionView
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.contracts.stores import Repository
    from holdall.units import Unit

# The definitions that come and go


def unit(**fields: str) -> Unit:
    """Return a unit; blocks of overrides have an effect only in the spelling with `_`."""
    spelled = {name if "overrides" in name else name.replace("_", "-"): name for name in fields}
    return make_unit({spelling: fields[name] for spelling, name in spelled.items()})


def job(job_id: str, **fields: str) -> Unit:
    return unit(id=job_id, **{"plugin": "shell", "command": "true", **fields})


MANIFEST = "from com.canonical.plainbox import manifest"
JOBS = {
    "a": job("a"),
    "b": job("b", depends="a"),
    "c": job("c", salvages="b"),
    "r": job("r", plugin="resource"),
    "d": job("d", requires="r.kind == 'SSD'"),
    "m": job("m", imports=MANIFEST, requires="manifest.has_dock == 'True'"),
}
MADE = {f"t-{kind}": kind for kind in ("SSD", "HDD")}
NEEDS = {"b": ["a"], "d": ["r"]}
TEMPLATE = unit(
    unit="template",
    template_id="t",
    id="t-{kind}",
    template_resource="r",
    plugin="shell",
    command="true",
)
ENTRY = unit(unit="manifest entry", id="has_dock", value_type="bool", name="dock")
CATEGORY = unit(unit="category", id="disk", name="Disks")
UNCATEGORISED = "com.canonical.plainbox::uncategorised"
PLAN_P = unit(
    unit="test plan",
    id="p",
    name="P",
    mandatory_include="c",
    include="[ab] certification-status=blocker\nt certification-status=blocker",
    category_overrides="apply disk to a",
)
PLAN_Q = unit(unit="test plan", id="q", name="Q", include="a certification-status=non-blocker")
PLANS = {"p": PLAN_P, "q": PLAN_Q}
BLOCKERS = {"a", "b", *MADE}
OTHERS = {each.id: each for each in (TEMPLATE, ENTRY, CATEGORY, PLAN_P, PLAN_Q)}

RESULTS = {
    "pass": JobResult(outcome="pass", execution_duration=1, comments="fine"),
    "fail": JobResult(outcome="fail", return_code=3),
    "skip": JobResult(outcome="skip", skip_reason="not today"),
    "hollow": JobResult(),
    "SSD": JobResult(outcome="pass", io_log=[(0, "stdout", b"kind: SSD\n")]),
    "both": JobResult(outcome="pass", io_log=[(0, "stdout", b"kind: HDD\n\nkind: SSD\n")]),
    "noise": JobResult(outcome="fail", io_log=[(0, "stderr", b"kind: SSD\n")]),
}
RECORDS = {"SSD": ["SSD"], "both": ["HDD", "SSD"]}
METADATA: dict[str, list[Any]] = {
    "title": [None, "one", "two \udcff"],
    "flags": [set(), {"incomplete"}, {"submitted", "incomplete"}],
    "app_blob": [b"", b"\x00\xff", None],
    "last_job_start_time": [None, 0.5],
    "rejected_jobs": [[], ["a"]],
}
DEVICES: dict[str, tuple[str, dict[str, str]]] = {
    "local": ("", {}),
    "dut-1": ("the first one", {"slot": "1"}),
    "dut-2": ("", {"slot": "2"}),
}


# The model


@dataclass
class ModelDevice:
    """One device, as plain values; ids stand for units."""

    units: dict[str, None] = field(default_factory=dict)
    jobs: dict[str, None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    history: dict[str, list[str]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)
    flying: set[str] = field(default_factory=set)
    run_list: list[str] = field(default_factory=list)
    desired: list[str] = field(default_factory=list)
    mandatory: list[str] = field(default_factory=list)
    resources: dict[str, list[str]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, str] = field(default_factory=dict)
    provider_count: int = 0

    def select(self, ids: list[str], *, mandatory: bool = True) -> None:
        order: dict[str, None] = {}
        starts = [*(self.mandatory if mandatory else []), *ids]

        def can_run(job_id: str) -> bool:
            return job_id in self.jobs and all(map(can_run, NEEDS.get(job_id, ())))

        def pull(job_id: str) -> None:
            for needed in NEEDS.get(job_id, ()):
                pull(needed)
            if job_id == "c" and "b" in starts and can_run("b"):
                pull("b")  # which it salvages, if that is there anyhow
            order[job_id] = None

        for job_id in filter(can_run, starts):
            pull(job_id)
        self.run_list = list(order)
        self.desired = [each for each in ids if each in order]
        self.told.update(order)

    def put_plans(self, plans: tuple[str, ...]) -> None:
        mandatory = [each for each in ("c",) if "p" in plans and each in self.jobs]
        if mandatory != self.mandatory:
            self.mandatory = mandatory
            if plans:
                self.select(self.desired)

    def record(self, job_id: str, word: str) -> None:
        self.told.add(job_id)
        self.last[job_id] = word
        self.flying.discard(job_id)
        if word != "hollow":
            self.history.setdefault(job_id, []).append(word)
            if job_id not in self.ended:
                self.ended.append(job_id)
            if job_id == "r":
                self.resources["r"] = RECORDS.get(word, [""])
                self.make()

    def shown(self) -> list[str]:
        """Return the run list behind what ended before any of it did."""
        earlier = takewhile(lambda each: each not in self.run_list, self.ended)
        return [*(earlier if self.run_list else ()), *self.run_list]

    def make(self) -> None:
        if "t" in self.units:
            for kind in self.resources.get("r", ()):
                if kind:
                    self.jobs.setdefault(f"t-{kind}")

    def forget(self, job_id: str) -> None:
        self.jobs.pop(job_id)
        for known in (self.history, self.last, self.resources):
            known.pop(job_id, None)
        self.ended = [each for each in self.ended if each != job_id]
        self.told.discard(job_id)
        self.flying.discard(job_id)
        self.mandatory = [each for each in self.mandatory if each != job_id]

    def load(self) -> None:
        """Leave out what nothing names, as loading does."""
        kept = self.told | set(self.desired) | set(self.mandatory)
        rejected = self.metadata.get("rejected_jobs", ())
        self.jobs.update(dict.fromkeys(each for each in rejected if each in JOBS))
        kept.update(rejected)
        for job_id in set(self.jobs) - kept:
            self.forget(job_id)

    def why_not(self, job_id: str) -> list[Why]:
        if job_id not in self.run_list:
            return [Why.UNDESIRED]
        if job_id == "m":
            fits = self.manifest.get("has_dock") == "True"
            return [] if fits else [Why.REQUIRED_MANIFEST]
        if job_id == "d":
            if "r" not in self.resources:
                return [Why.PENDING_RESOURCE]
            return [] if "SSD" in self.resources["r"] else [Why.FAILED_RESOURCE]
        if job_id in {"b", "c"}:
            waits_for = {"b": "a", "c": "b"}[job_id]
            outcome = RESULTS[self.last.get(waits_for, "hollow")].outcome
            if outcome is Outcome.NONE:
                return [Why.PENDING_DEP]
            if job_id == "b":
                return [] if outcome is Outcome.PASS else [Why.FAILED_DEP]
            return [] if outcome.failed else [Why.NOT_FAILED_DEP]
        return []


@dataclass
class Model:
    """A session, as plain values."""

    devices: dict[str, ModelDevice] = field(default_factory=dict)
    plans: tuple[str, ...] = ()

    def status(self, job_id: str) -> str:
        statuses = {"p": "blocker" if job_id in BLOCKERS else "", "q": ""}
        statuses["q"] = "non-blocker" if job_id == "a" else ""
        return [each for each in ("non-blocker", *map(statuses.get, self.plans)) if each][-1]

    def category(self, job_id: str) -> str:
        return "disk" if job_id == "a" and "p" in self.plans else UNCATEGORISED


class Engine(RuleBasedStateMachine):
    """A manager and its model, through everything that can happen to both."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 0.0
        self.repository = self.new_repository()
        self.manager = SessionManager.create(
            self.repository, registry=Registry.empty(), clock=self.clock
        )
        self.model = Model()
        self.durable: Model | None = None

    def new_repository(self) -> Repository:
        return MemoryRepository()

    def clock(self) -> float:
        self.moment += 1
        return self.moment

    def pick(self, data: st.DataObject) -> tuple[SessionDeviceContext, ModelDevice]:
        index = data.draw(st.integers(0, len(self.model.devices) - 1), label="device")
        context = self.manager.device_context_list[index]
        return context, self.model.devices[context.device.id]

    def pick_job(self, data: st.DataObject) -> tuple[SessionDeviceContext, ModelDevice, str]:
        context, device = self.pick(data)
        present = sorted(device.jobs) or sorted(JOBS)
        return context, device, data.draw(st.sampled_from(present), label="job")

    # Devices and units

    @initialize(ids=st.lists(st.sampled_from(sorted(DEVICES)), unique=True, max_size=2))
    def begin(self, ids: list[str]) -> None:
        if not ids:
            self.crash(take_over=False, is_saved=False)
        for device_id in ids:
            self.add_device(device_id, filled=True)

    @rule(device_id=st.sampled_from(sorted(DEVICES)), filled=st.booleans())
    def add_device(self, device_id: str, filled: bool) -> None:  # noqa: FBT001
        context = SessionDeviceContext(
            device=Device(device_id, *DEVICES[device_id]), clock=self.clock
        )
        if device_id in self.model.devices:
            with pytest.raises(ValueError, match="already"):
                self.manager.add_device_context(context)
            return
        device = self.model.devices[device_id] = ModelDevice()
        for each in (*JOBS.values(), *OTHERS.values()) if filled else ():
            context.add_unit(each)
            (device.jobs if isinstance(each, Job) else device.units)[each.id] = None
        self.manager.add_device_context(context)
        device.put_plans(self.model.plans)

    @precondition(lambda self: len(self.model.devices) > 1)
    @rule(data=st.data())
    def remove_device(self, data: st.DataObject) -> None:
        context, _ = self.pick(data)
        del self.model.devices[context.device.id]
        self.manager.remove_device_context(context)

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data(), other=st.sampled_from([*JOBS.values(), *OTHERS.values()]))
    def add_unit(self, data: st.DataObject, other: Unit) -> None:
        context, device = self.pick(data)
        assert context.add_unit(other) == other
        if isinstance(other, Job):
            device.jobs.setdefault(other.id)
        elif other.id not in device.units:
            device.units[other.id] = None
            if other is TEMPLATE:
                device.make()

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data())
    def remove_job(self, data: st.DataObject) -> None:
        context, device, job_id = self.pick_job(data)
        found = context.state.job_state_map.get(job_id)
        if found is None:
            assert job_id not in device.jobs
            return
        if job_id in device.run_list:
            with pytest.raises(ValueError, match="run list"):
                context.remove_unit(found.job)
            return
        context.remove_unit(found.job)
        device.forget(job_id)

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        """Take a job out, whatever became of it, and add and select it again."""
        context, device, job_id = self.pick_job(data)
        state = context.state
        found = state.job_state_map.get(job_id)
        if found is None:
            return
        state.update_desired_job_list([], include_mandatory=False)
        device.select([], mandatory=False)
        context.remove_unit(found.job)
        device.forget(job_id)
        context.add_unit(found.job)
        device.jobs[job_id] = None
        state.update_desired_job_list([found.job])
        device.select([job_id])

    # What is to run, and what came out

    @precondition(lambda self: self.model.devices)
    @rule(
        data=st.data(),
        ids=st.lists(st.sampled_from([*JOBS, *MADE]), unique=True, max_size=4),
        mandatory=st.booleans(),
    )
    def select(self, data: st.DataObject, ids: list[str], mandatory: bool) -> None:  # noqa: FBT001
        context, device = self.pick(data)
        known = context.state.job_state_map
        wanted = [known[each].job for each in ids if each in known]
        context.state.update_desired_job_list(wanted, mandatory)
        device.select([each for each in ids if each in device.jobs], mandatory=mandatory)

    @precondition(lambda self: self.model.devices)
    @rule(
        data=st.data(),
        words=st.lists(st.sampled_from(sorted(RESULTS)), min_size=1, max_size=4),
    )
    def record(self, data: st.DataObject, words: list[str]) -> None:
        for word in words:
            context, device, job_id = self.pick_job(data)
            found = context.state.job_state_map.get(job_id)
            if found is not None:
                context.state.update_job_result(found.job, RESULTS[word])
                device.record(job_id, word)

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        context, device, job_id = self.pick_job(data)
        found = context.state.job_state_map.get(job_id)
        if found is not None:
            context.state.job_started(found.job)
            device.told.add(job_id)
            device.flying.add(job_id)

    @rule(ids=st.lists(st.sampled_from(sorted(PLANS)), unique=True))
    def set_plans(self, ids: list[str]) -> None:
        plans = tuple(PLANS[each] for each in ids)
        assert all(isinstance(each, TestPlan) for each in plans)
        self.manager.test_plans = plans  # type: ignore[assignment]
        if tuple(ids) != self.model.plans:
            self.model.plans = tuple(ids)
            for device in self.model.devices.values():
                device.put_plans(self.model.plans)

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data(), retry=st.sampled_from(["yes", "no", ""]))
    def override(self, data: st.DataObject, retry: str) -> None:
        context, _, job_id = self.pick_job(data)
        target = Pattern(job_id, fixed=True)
        context.state.set_overrides([Override(target, "auto_retry", retry)] if retry else [])

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data(), name=st.sampled_from(sorted(METADATA)))
    def set_metadata(self, data: st.DataObject, name: str) -> None:
        context, device = self.pick(data)
        value = data.draw(st.sampled_from(METADATA[name]), label=name)
        setattr(context.state.metadata, name, copy.copy(value))
        device.metadata[name] = value

    @precondition(lambda self: self.model.devices)
    @rule(data=st.data(), answer=st.booleans())
    def answer(self, data: st.DataObject, answer: bool) -> None:  # noqa: FBT001
        context, device = self.pick(data)
        if ENTRY.id in device.units:
            context.state.update_manifest({"has_dock": answer})
            device.manifest["has_dock"] = str(answer)

    # The journal

    @rule()
    def checkpoint(self) -> None:
        self.manager.checkpoint()
        self.durable = copy.deepcopy(self.model)
        head = self.manager.storage.head
        assert seen(self.manager.view()) == seen(SessionView.of(self.manager.storage))
        assert self.manager.view().unsaved == 0
        self.manager.checkpoint()
        assert self.manager.storage.head == head

    @precondition(lambda self: self.durable is not None)
    @rule()
    def compact(self) -> None:
        before = seen(SessionView.of(self.manager.storage))
        self.manager._journal.compact(at=self.moment)
        assert seen(SessionView.of(self.manager.storage)) == before

    @precondition(lambda self: self.model.devices)
    @rule(take_over=st.booleans(), is_saved=st.sampled_from([True, True, True, False]))
    def crash(self, take_over: bool, is_saved: bool) -> None:  # noqa: FBT001
        if is_saved:
            self.checkpoint()
        before = self.manager
        if not (take_over and self.can_take_over):
            self.manager.storage.close()
        self.load(take_over=take_over and self.can_take_over)
        if is_saved:
            live = manager_facts(before, like=self.manager)
            assert manager_facts(self.manager, like=before) == live
            self.nothing_is_known_of_jobs_that_were_trimmed(before)

    def nothing_is_known_of_jobs_that_were_trimmed(self, before: SessionManager) -> None:
        kept = {
            context.device.id: context.state.job_state_map
            for context in self.manager.device_context_list
        }
        for context in before.device_context_list:
            for job_id, found in context.state.job_state_map.items():
                if job_id not in kept[context.device.id]:
                    assert found.result_history == ()
                    assert not found.in_flight

    can_take_over: ClassVar[bool] = True

    def load(self, *, take_over: bool) -> None:
        storage = self.repository.open(self.manager.storage.id, take_over=take_over)
        fresh = self.durable is None
        self.model = copy.deepcopy(self.durable) or Model({"local": ModelDevice()})
        units: dict[str, list[Unit]] = {
            device_id: [*JOBS.values(), *(OTHERS[each] for each in device.units)]
            for device_id, device in self.model.devices.items()
        }
        units[""] = list(PLANS.values())
        self.manager = SessionManager.load_session(
            {"local": []} if fresh else units,
            storage,
            registry=Registry.empty(),
            clock=self.clock,
        )
        for device in self.model.devices.values():
            device.load()

    # What must be the same

    @invariant()
    def everything_is_the_same(self) -> None:
        found = [context.device.id for context in self.manager.device_context_list]
        assert found == list(self.model.devices)
        assert tuple(plan.id for plan in self.manager.test_plans) == self.model.plans
        for context in self.manager.device_context_list:
            self.check_device(context, self.model.devices[context.device.id])

    def check_device(self, context: SessionDeviceContext, device: ModelDevice) -> None:
        state = context.state
        assert sorted(each.id for each in state.job_list) == sorted(device.jobs)
        assert sorted(state.job_state_map) == sorted(device.jobs)
        others = [each.id for each in state.unit_list if not isinstance(each, Job)]
        assert sorted(others) == sorted(device.units)
        assert [each.id for each in state.run_list] == device.run_list
        assert [each.id for each in state.desired_job_list] == device.desired
        assert [each.id for each in state.mandatory_job_list] == device.mandatory
        assert {
            name: [record.get("kind", "") for record in records]
            for name, records in state.resource_map.items()
        } == device.resources
        assert state.manifest == device.manifest
        for name, value in device.metadata.items():
            shown = "two \\udcff" if value == "two \udcff" else value
            assert getattr(state.metadata, name) == shown
        for job_id, each in state.job_state_map.items():
            assert (each.job.id, each.in_flight) == (job_id, job_id in device.flying)
            words = device.history.get(job_id, ())
            assert each.result_history == tuple(RESULTS[word] for word in words)
            assert each.result == RESULTS[device.last.get(job_id, "hollow")]
            assert [r.cause for r in each.readiness_inhibitor_list] == device.why_not(job_id)
            assert each.effective_certification_status == self.model.status(job_id)
            assert each.effective_category_id == self.model.category(job_id)

    @invariant()
    def the_view_is_the_same(self) -> None:
        shown = seen(self.manager.view())
        for device_id, device in self.model.devices.items():  # others that were tried follow
            del shown["order"][device_id][len(device.shown()) :]
        assert shown == self.expected_view()

    def expected_view(self) -> dict[str, Any]:
        jobs = {}
        for device_id, device in self.model.devices.items():
            tried = {each for each in device.told if device.history.get(each)} | device.flying
            for job_id in {*device.run_list, *tried}:
                words = device.history.get(job_id, ())
                jobs[device_id, job_id] = {
                    "results": [RESULTS[word] for word in words],
                    "in_flight": job_id in device.flying,
                    "status": self.model.status(job_id),
                    "category": self.model.category(job_id),
                    "template": "t" if job_id in MADE else "",
                    "plugin": "resource" if job_id == "r" else "shell",
                }
        titles = (device.metadata.get("title") for device in self.model.devices.values())
        title = next(filter(None, titles), self.manager.storage.id)
        return {
            "title": title.replace("\udcff", "\\udcff"),
            "devices": [(each, *DEVICES[each]) for each in self.model.devices],
            "plans": list(self.model.plans),
            "jobs": jobs,
            "order": {
                device_id: device.shown() for device_id, device in self.model.devices.items()
            },
        }

    def teardown(self) -> None:
        self.manager.storage.close()


def seen(view: SessionView) -> dict[str, Any]:
    """Return what a view shows, as plain values."""
    jobs = list(view.jobs())
    selected: dict[str, list[str]] = {device.id: [] for device in view.devices}
    for each in jobs:
        selected[each.device_id].append(each.id)
    return {
        "title": view.title,
        "devices": [(each.id, each.description, each.facts) for each in view.devices],
        "plans": [each.id for each in view.plans],
        "jobs": {
            (each.device_id, each.id): {
                "results": [attempt.result for attempt in each.attempts],
                "in_flight": each.in_flight,
                "status": each.certification_status,
                "category": each.category_id,
                "template": each.template_id,
                "plugin": each.plugin,
            }
            for each in jobs
        },
        "order": selected,
    }


class EngineOnFiles(Engine):
    """The same on the store that sessions are in by default."""

    # The kernel's lock is held while a storage is open, so a crash lets go of it.
    can_take_over = False

    def new_repository(self) -> Repository:
        self.folder = TemporaryDirectory(prefix="holdall-machine-")
        return FileRepository(Path(self.folder.name) / "store")

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


def profile(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def test_the_engine_is_what_its_model_is_after_every_step() -> None:
    run_state_machine_as_test(Engine, settings=profile(70, 50))


def test_the_engine_on_files_is_what_its_model_is_after_every_step() -> None:
    run_state_machine_as_test(EngineOnFiles, settings=profile(20, 25))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_engine_is_what_its_model_is_for_long() -> None:
    run_state_machine_as_test(Engine, settings=profile(1500, 60))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_engine_on_files_is_what_its_model_is_for_long() -> None:
    run_state_machine_as_test(EngineOnFiles, settings=profile(200, 50))
