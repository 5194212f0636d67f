"""One event of each kind, all the way: what no reader knows of would be lost there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.unit.state_facts import manager_facts, state_facts, view_facts

from holdall.errors import HoldallError, NewerFormatError
from holdall.journal import (
    START,
    AnyEvent,
    CategoryDefined,
    DeviceAdded,
    DeviceEvent,
    DeviceRemoved,
    JobDefined,
    JobRemoved,
    JobsAppended,
    JobsSelected,
    JobStarted,
    Journal,
    ManifestAnswered,
    MetadataChanged,
    OverrideRecord,
    OverridesChanged,
    PlanRecord,
    PlansChanged,
    PluginUsed,
    Process,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    SessionSummarised,
    Snapshot,
    StateEvent,
    WriterOpened,
    compacted,
    decode,
    describe_session,
    encode,
    read_events,
)
from holdall.journal.codec import pack_snapshot, unpack_snapshot
from holdall.journal.summary import RunningSummary
from holdall.registry import Registry
from holdall.results import JobResult
from holdall.session import SessionDeviceContext, SessionManager, SessionState
from holdall.session.recorder import job_record
from holdall.units import Job, make_unit
from holdall.view import SessionView
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.contracts import Storage
    from holdall.journal import JobRecord
    from holdall.units import Unit


def unit(**fields: str) -> Unit:
    return make_unit({name.replace("_", "-"): text for name, text in fields.items()})


def job(job_id: str, plugin: str = "shell") -> Job:
    made = unit(id=job_id, plugin=plugin, command="true", _summary=f"Job {job_id}")
    assert isinstance(made, Job)
    return made


UNITS = [
    *(job("a"), job("b"), job("gone"), job("r", "resource")),
    unit(unit="test plan", id="p", name="P", include="a certification-status=blocker"),
    unit(unit="manifest entry", id="has_dock", value_type="bool", name="dock"),
    unit(unit="category", id="disk", name="Disks"),
]


def record(job_id: str) -> JobRecord:
    state = SessionState(UNITS)
    return job_record(state.job_state_map[job_id])


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def summary_of(events: list[AnyEvent]) -> AnyEvent:
    summary = RunningSummary()
    for event in events:
        summary.apply(event)
    return summary.event()


PROCESS = Process(pid=7, started="123")
RECORDS = JobResult(outcome="pass", io_log=[(0, "stdout", b"kind: SSD\n")])
LIVED: list[AnyEvent] = [
    SessionCreated(at=1.0, session_id="s", title="first"),
    WriterOpened(at=1.0, version="1", boot_id="boot"),
    PluginUsed(at=1.0, kind="hooks", id="x", distribution="d", version="1", target="x:y"),
    DeviceAdded(at=2.0, description="this one", facts={"slot": "1"}),
    DeviceAdded(at=2.0, device="other"),
    ProviderAdded(at=2.0, name="com.example:p", namespace="com.example", version="3"),
    PlansChanged(at=2.0, plans=(PlanRecord(id="p", name="P"),)),
    MetadataChanged(at=3.0, changes={"title": raw("second"), "rejected_jobs": raw(["b"])}),
    ManifestAnswered(at=3.0, answers={"has_dock": "True"}),
    OverridesChanged(
        at=3.0, overrides=(OverrideRecord(pattern="a", field="auto_retry", value="yes"),)
    ),
    CategoryDefined(at=3.0, id="disk", name="Disks"),
    *(JobDefined(at=3.0, job=record(job_id)) for job_id in ("a", "b", "gone", "r")),
    JobsSelected(at=4.0, run_list=("r", "a"), desired=("a", "r")),
    JobsAppended(at=4.0, job_ids=("b",)),
    ResultRecorded(at=5.0, job_id="r", result=RECORDS),
    ResultRecorded(at=5.0, job_id="gone", result=JobResult(outcome="fail")),
    JobStarted(at=6.0, job_id="a"),
    ResultRecorded(at=7.0, job_id="a", result=JobResult(outcome="fail", comments="why")),
    JobRemoved(at=8.0, job_id="gone"),
    DeviceRemoved(at=8.0, device="other"),
    JobStarted(at=9.0, job_id="b", process=PROCESS),
]
LIVED.append(summary_of(LIVED))
SNAPSHOT = pack_snapshot(LIVED, at=10.0)
STATE_EVENTS = [event for event in LIVED if isinstance(event, StateEvent.__args__)]


def storage_of(events: list[AnyEvent]) -> Storage:
    storage = MemoryRepository().create("s")
    Journal.begin(storage).append(events)
    return storage


def loaded(storage: Storage) -> SessionManager:
    storage.close()
    opened = storage.repository.open(storage.id)
    return SessionManager.load_session(UNITS, opened, registry=Registry.empty())


def test_there_is_a_sample_of_each_kind_of_event() -> None:
    assert {type(event) for event in (*LIVED, SNAPSHOT)} == set(AnyEvent.__args__)


def test_each_kind_of_event_is_stored_and_read_as_it_was() -> None:
    events: list[AnyEvent] = [SNAPSHOT, *LIVED]

    entries, _ = encode(events, START)
    read = [event for _position, event in decode("s", enumerate(entries, start=1))]

    assert read == events


def test_a_snapshot_holds_each_kind_of_event() -> None:
    assert list(unpack_snapshot("s", SNAPSHOT)) == LIVED


def test_a_session_with_each_kind_of_event_shows_the_same_after_compaction() -> None:
    storage = storage_of(LIVED)
    view = view_facts(SessionView.of(storage))
    described = describe_session(storage.repository, "s")
    state = manager_facts(loaded(storage))
    storage = storage.repository.open("s", take_over=True)

    Journal.resume(storage)[0].compact(at=11.0)

    assert len(list(storage.read())) == 1
    assert view_facts(SessionView.of(storage)) == view
    assert describe_session(storage.repository, "s") == described
    assert manager_facts(loaded(storage)) == state


@pytest.mark.parametrize("end", range(1, len(LIVED) + 1))
def test_each_beginning_of_the_session_shows_the_same_when_compacted(end: int) -> None:
    events = LIVED[:end]
    fewer = compacted(events)

    assert view_facts(SessionView(fewer)) == view_facts(SessionView(events))
    assert manager_facts(loaded(storage_of(fewer))) == manager_facts(loaded(storage_of(events)))


# A summary is about the others, and the opening of a writer is about processes.
UNSEEN = (SessionSummarised, WriterOpened, Snapshot)


@pytest.mark.parametrize("kind", [kind for kind in AnyEvent.__args__ if kind not in UNSEEN])
def test_an_event_of_any_kind_is_missed_where_it_is_left_out(kind: type) -> None:
    """So a reader that passes over a kind, and a compaction that drops it, are found out."""
    numbers = [number for number, event in enumerate(LIVED) if isinstance(event, kind)]

    assert any(seen([*LIVED[:number], *LIVED[number + 1 :]]) != seen(LIVED) for number in numbers)


def seen(events: list[AnyEvent]) -> tuple[dict[str, Any], dict[str, Any] | str]:
    """Return what a view and a loaded session show of *events*, or why they can't be loaded."""
    try:
        state: dict[str, Any] | str = manager_facts(loaded(storage_of(events)))
    except (HoldallError, KeyError) as error:
        state = repr(error)
    return view_facts(SessionView(events)), state


# What is to be seen of a kind, so that one that a reader forgets is missed here.
def test_what_each_kind_of_event_says_can_be_seen() -> None:
    storage = storage_of(LIVED)
    view = view_facts(SessionView.of(storage))
    (context,) = loaded(storage).device_context_list
    state = state_facts(context.state)

    assert (view["session_id"], view["title"], view["created"]) == ("s", "second", 1.0)
    assert [plugin.id for plugin in view["plugins"]] == ["x"]
    assert [device.id for device in view["devices"]] == ["local"]
    assert [provider.name for provider in view["providers"]] == ["com.example:p"]
    assert [plan.id for plan in view["plans"]] == ["p"]
    assert view["rejected_jobs"] == ["b"]
    assert view["categories"] == {"disk": "Disks"}
    assert [facts["id"] for facts in view["jobs"]] == ["r", "a", "b"]
    assert state["manifest"] == {"has_dock": "True"}
    assert state["resources"] == {"r": [{"kind": "SSD"}]}
    assert [job_id for job_id, _position in state["run_list"]] == ["r", "a", "b"]
    assert "gone" not in state["job_states"]
    assert state["job_states"]["a"]["result"].comments == "why"
    assert state["job_states"]["a"]["auto_retry"] == "yes"
    assert state["job_states"]["b"]["process"] == PROCESS.resolved("boot")


def test_each_event_that_is_applied_to_a_live_state_is_recorded() -> None:
    manager = SessionManager.create_with_unit_list(
        UNITS, MemoryRepository(), registry=Registry.empty()
    )
    assert manager.state is not None
    for event in STATE_EVENTS:
        manager.state.apply(event)
    manager.checkpoint()
    written = list(read_events(manager.storage))
    live = manager_facts(manager)

    again = loaded(manager.storage)

    for event in STATE_EVENTS:
        assert event in written
    assert manager_facts(again) == manager_facts(manager, like=again)
    assert live["states"]["local"]["job_states"]["a"]["history"] != ()


def test_the_events_of_a_state_without_a_session_are_kept_for_it() -> None:
    state = SessionState(UNITS)
    for event in STATE_EVENTS:
        state.apply(event)

    manager = SessionManager.create_with_state(
        state, MemoryRepository(), registry=Registry.empty()
    )
    manager.checkpoint()
    written = list(read_events(manager.storage))
    again = loaded(manager.storage)

    results = {event.at: event for event in written if isinstance(event, ResultRecorded)}
    assert sorted(results) == [5.0, 7.0]  # the moments are those at which it happened
    assert manager_facts(again) == manager_facts(manager, like=again)


@pytest.mark.parametrize("read", [compacted, SessionView], ids=["compaction", "view"])
def test_a_snapshot_is_unpacked_before_its_events_are_read(read: type) -> None:
    with pytest.raises(ValueError, match="unpack it first"):
        read([SNAPSHOT])


def test_an_event_of_a_kind_that_is_not_known_is_of_a_newer_version() -> None:
    class FromTheFuture(DeviceEvent, frozen=True, kw_only=True, tag="from-the-future"):
        text: str

    entries, _ = encode([FromTheFuture(at=1.0, text="keep me")], START)  # type: ignore[list-item]

    with pytest.raises(NewerFormatError, match="kind 'from-the-future', which this holdall"):
        list(decode("s", enumerate(entries, start=1)))


def test_a_context_takes_part_with_the_events_of_its_state() -> None:
    manager = SessionManager.create(MemoryRepository(), registry=Registry.empty())
    state = SessionState(UNITS)
    state.update_desired_job_list([job("a")])
    context = SessionDeviceContext(state)

    manager.add_device_context(context)
    manager.checkpoint()

    kinds = [type(event) for event in read_events(manager.storage)]
    assert kinds == [SessionCreated, WriterOpened, DeviceAdded, JobDefined, JobsSelected]
