from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from holdall import peek
from holdall.errors import (
    CorruptSessionError,
    IncompatibleJobError,
    LockedStorageError,
    MissingFilesError,
    MissingJobError,
    NewerFormatError,
    ReadOnlyStorageError,
    SessionResumeError,
    UnknownSessionError,
    UnknownUnitError,
)
from holdall.journal import Position, encode, list_sessions, read_events
from holdall.journal.events import (
    FORMAT,
    MetadataChanged,
    Process,
    SessionCreated,
    Snapshot,
    WriterOpened,
)
from holdall.recording import Recorder
from holdall.registry.registry import Registry
from holdall.results import Attachment, JobResult, Outcome
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.session.metadata import SessionMetaData
from holdall.session.state import SessionState
from holdall.stores.opening import open_repository
from holdall.units import Job, TestPlan, make_unit
from holdall.units.device import Device
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts.stores import Repository, Storage
    from holdall.journal.events import AnyEvent
    from holdall.units import Unit

PASS = JobResult(outcome=Outcome.PASS)
FAIL = JobResult(outcome=Outcome.FAIL)


def job(job_id: str, **fields: str) -> Job:
    given = {"id": job_id, "plugin": "shell", "command": "true", **fields}
    made = make_unit({name.replace("_", "-"): text for name, text in given.items()})
    assert isinstance(made, Job)
    return made


def plan(plan_id: str, **fields: str) -> TestPlan:
    made = make_unit({"unit": "test plan", "id": plan_id, "name": plan_id, **fields})
    assert isinstance(made, TestPlan)
    return made


def new(*units: Unit, repository: Repository | None = None) -> tuple[SessionManager, SessionState]:
    """Return a session of one device, all of whose jobs are selected."""
    manager = SessionManager.create_with_unit_list(
        units, repository or MemoryRepository(), registry=Registry.empty()
    )
    assert manager.state is not None
    manager.state.update_desired_job_list(manager.state.job_list)
    return manager, manager.state


def reloaded(manager: SessionManager, units: Any, **more: Any) -> SessionManager:
    """Checkpoint, let go, and return what comes back."""
    manager.checkpoint()
    return load(left(manager), units, **more)


def load(storage: Storage, units: Any, **more: Any) -> SessionManager:
    return SessionManager.load_session(units, storage, registry=Registry.empty(), **more)


def left(manager: SessionManager) -> Storage:
    """Return the session's storage, opened again after the manager let go of it."""
    manager.storage.close()
    return manager.storage.repository.open(manager.storage.id)


def state_of(manager: SessionManager) -> SessionState:
    assert manager.state is not None
    return manager.state


def test_early_cb_sees_the_units_and_nothing_that_happened() -> None:
    manager, state = new(job("a"), job("b"))
    state.update_job_result(state.job_list[0], PASS)
    seen: list[tuple[list[str], bool]] = []

    def early(fresh: SessionState) -> None:
        hollow = all(each.result.is_hollow for each in fresh.job_state_map.values())
        seen.append(([each.id for each in fresh.job_list], hollow))

    reloaded(manager, [job("a"), job("b")], early_cb=early)

    assert seen == [(["a", "b"], True)]


def test_early_cb_may_give_another_state_for_each_device() -> None:
    manager, _ = new(job("a"))
    other = SessionState([job("a")])
    manager.add_device_context(SessionDeviceContext(other, device=Device("dut-2")))
    made: list[SessionState] = []

    def early(fresh: SessionState) -> SessionState:
        made.append(SessionState(fresh.unit_list))
        return made[-1]

    again = reloaded(manager, [job("a")], early_cb=early)

    assert [context.state for context in again.device_context_list] == made
    assert [state.device_id for state in made] == ["local", "dut-2"]


def test_everything_missing_is_named_at_once() -> None:
    manager, _ = new(job("a"), job("b"), job("c"))

    with pytest.raises(MissingJobError) as caught:
        reloaded(manager, [job("b")])

    assert caught.value.missing == ("a", "c")
    assert isinstance(caught.value, SessionResumeError)


def test_everything_changed_is_named_at_once_over_all_devices() -> None:
    manager, _ = new(job("a"), job("b"))
    second = SessionState([job("c")])
    manager.add_device_context(SessionDeviceContext(second, device=Device("dut-2")))
    second.update_desired_job_list(second.job_list)
    for state in (state_of(manager), second):
        for each in state.job_list:
            state.update_job_result(each, PASS)
    changed = {
        "local": [job("a", summary="new"), job("b")],
        "dut-2": [job("c", summary="new")],
    }

    with pytest.raises(IncompatibleJobError) as caught:
        reloaded(manager, changed)

    assert caught.value.changed == ("a", "c")
    assert isinstance(caught.value, SessionResumeError)


def test_a_changed_job_that_never_ran_runs_as_it_is_now_and_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    manager, state = new(job("a"), job("b"))
    state.update_job_result(state.job_list[0], PASS)

    again = reloaded(manager, [job("a"), job("b", command="false")])

    assert state_of(again).run_list[1].command == "false"
    assert "have not run yet are defined anew, and run as they are now: b" in caplog.text


@pytest.mark.parametrize(
    ("changed", "last", "history"),
    [
        ({"*": "keep"}, ["fail", "pass", "none"], [1, 1, 0]),
        ({"*": "rerun"}, ["none", "none", "none"], [1, 1, 0]),
        ({"*": "skip"}, ["skip", "skip", "skip"], [2, 2, 1]),
        ({"*": "keep", "a": "rerun"}, ["none", "pass", "none"], [1, 1, 0]),
        ({"a": "skip", "b": "keep"}, ["skip", "pass", "none"], [2, 1, 0]),
        ({"a": "keep", "b": "rerun", "c": "skip"}, ["fail", "none", "skip"], [1, 1, 1]),
    ],
)
def test_each_changed_job_becomes_what_was_chosen_and_its_results_stay(
    changed: dict[str, str], last: list[str], history: list[int]
) -> None:
    manager, state = new(*(job(name) for name in "abc"))
    for each, result in zip(state.job_list, (FAIL, PASS), strict=False):
        state.update_job_result(each, result)
    units = [job(name, summary="new") for name in "abc"]

    manager = reloaded(manager, units, changed=changed)
    loaded = [state_of(manager), state_of(reloaded(manager, units))]

    for state in loaded:
        states = [state.job_state_map[name] for name in "abc"]
        assert [str(each.result.outcome) for each in states] == last
        assert [len(each.result_history) for each in states] == history


@pytest.mark.parametrize(("choice", "last"), [("rerun", "none"), ("skip", "skip")])
def test_a_changed_job_in_flight_gets_its_result_before_what_was_chosen(
    choice: str, last: str
) -> None:
    manager, state = new(job("a"))
    state.job_started(state.job_list[0])

    manager = reloaded(manager, [job("a", summary="new")], changed={"a": choice})
    state = state_of(manager)
    in_flight = state.job_state_map["a"].in_flight
    state.update_job_result(state.job_list[0], FAIL)
    manager.settle_changed()

    assert in_flight
    assert str(state.job_state_map["a"].result.outcome) == last
    assert state.job_state_map["a"].result_history[0] == FAIL


def test_without_a_choice_for_each_the_session_is_left_as_it_is() -> None:
    manager, state = new(job("a"), job("b"))
    for each in state.job_list:
        state.update_job_result(each, PASS)
    manager.checkpoint()
    units = [job("a", summary="new"), job("b", summary="new")]
    storage = left(manager)
    head = storage.head

    with pytest.raises(IncompatibleJobError) as caught:
        load(storage, units, changed={"a": "keep"})

    assert caught.value.changed == ("b",)
    assert "--changed" in str(caught.value)
    assert storage.head == head


@pytest.mark.parametrize(
    ("changed", "error"), [({"z": "keep"}, UnknownUnitError), ({"a": "drop"}, ValueError)]
)
def test_a_choice_for_no_changed_job_is_refused(
    changed: dict[str, str], error: type[Exception]
) -> None:
    manager, _ = new(job("a"))

    with pytest.raises(error):
        reloaded(manager, [job("a", summary="new")], changed=changed)


def test_jobs_that_a_recorder_added_to_a_run_do_not_hinder_its_resume() -> None:
    manager, state = new(job("a"), job("b"))
    state.update_job_result(state.job_list[0], PASS)
    manager.checkpoint()
    with Recorder(left(manager)) as recorder:
        recorder.record("extra", outcome="pass")
        recorder.record("b", outcome="pass")

    again = load(manager.storage.repository.open(manager.storage.id), [job("a"), job("b")])

    assert [each.id for each in state_of(again).run_list] == ["a", "b"]
    assert [each.id for each in again.view().jobs()] == ["a", "b", "extra"]


def test_changed_jobs_that_were_gone_on_with_are_the_definitions_from_then_on() -> None:
    manager, _ = new(job("a", summary="old"))
    changed = [job("a", summary="new")]

    again = reloaded(manager, changed, flags=["ignore-job-checksums"])

    assert [each.summary for each in again.view().jobs()] == ["new"]
    assert state_of(reloaded(again, changed)).job_list == changed


def test_a_flag_asks_whether_all_logs_are_there() -> None:
    manager, state = new(job("a"), job("b"), job("c"))
    a, b, c = state.job_list
    there = manager.storage.put_blob([b"0.1 stdout 1\nx\n"])
    gone = "sha256:" + "0" * 64
    state.update_job_result(a, JobResult(outcome="pass", io_log_ref=there))
    state.update_job_result(b, JobResult(outcome="pass", io_log_ref=gone))
    attachment = Attachment(name="x", size=1, ref=gone)
    state.update_job_result(c, JobResult(outcome="pass", attachments=[attachment]))

    again = reloaded(manager, [a, b, c])
    with pytest.raises(MissingFilesError) as caught:
        reloaded(again, [a, b, c], flags=["file-reference-checks"])

    assert caught.value.jobs == ("b", "c")
    assert isinstance(caught.value, SessionResumeError)


def test_a_log_of_a_resource_that_is_gone_is_damage_and_records_nothing() -> None:
    _manager, state = new(job("r", plugin="resource"))
    result = JobResult(outcome="pass", io_log_ref="sha256:" + "0" * 64)

    with pytest.raises(CorruptSessionError, match="no such blob"):
        state.update_job_result(state.job_list[0], result)

    assert state.job_state_map["r"].result.is_hollow


@pytest.mark.parametrize("flag", ["bootstrapping", "setting_up"])
def test_a_session_that_is_still_selecting_keeps_all_its_jobs(flag: str) -> None:
    manager, state = new(job("r", plugin="resource"))
    state.add_unit(job("later"))
    state.metadata.flags = {flag}
    units = list(state.unit_list)

    again = reloaded(manager, units)

    assert [each.id for each in state_of(again).job_list] == ["r", "later"]


def test_trimming_keeps_what_a_selected_job_needs() -> None:
    units = [job("a", depends="b"), job("b", requires="r.x == ''"), job("r", plugin="resource")]
    manager = SessionManager.create_with_unit_list(
        [*units, job("other")], MemoryRepository(), registry=Registry.empty()
    )
    state_of(manager).update_desired_job_list(units[:1])

    again = state_of(reloaded(manager, [*units, job("other")]))

    assert {each.id for each in again.job_list} == {"a", "b", "r"}
    assert [each.id for each in again.run_list] == ["r", "b", "a"]
    assert [each.id for each in again.desired_job_list] == ["a"]


def test_a_job_that_was_removed_and_came_back_has_no_past() -> None:
    manager, state = new(job("a"))
    a = state.job_list[0]
    state.update_job_result(a, FAIL)
    state.update_desired_job_list([])
    state.remove_unit(a)
    state.add_unit(a)
    state.update_desired_job_list([a])

    again = reloaded(manager, [a])

    assert state.job_state_map["a"].result_history == ()
    assert state_of(again).job_state_map["a"].result_history == ()
    assert [each.outcome for each in again.view().jobs()] == [Outcome.NONE]


@pytest.mark.parametrize("compacted", [False, True])
def test_jobs_of_a_template_outlive_the_resource_that_made_them(
    compacted: bool,  # noqa: FBT001 - both must be true
) -> None:
    fields = {"unit": "template", "id": "a-{n}", "template-resource": "r", "command": "true"}
    units = [job("r", plugin="resource"), make_unit({**fields, "plugin": "shell"})]
    manager, state = new(*units)
    resource = state.job_list[0]
    log = ((0.0, "stdout", b"n: 1\n"),)
    state.update_job_result(resource, JobResult(outcome="pass", io_log=log))
    state.update_desired_job_list([state.job_state_map["a-1"].job])
    state.remove_unit(resource)
    manager.checkpoint()
    for _ in range(2 if compacted else 0):
        manager._journal.compact(at=1.0)

    again = state_of(reloaded(manager, units))

    assert [each.id for each in again.job_list] == ["a-1"]
    assert again.resource_map == state.resource_map == {}


def test_plans_come_back_without_any_device() -> None:
    manager, _ = new()
    wanted = plan("p", include="a")
    manager.test_plans = (wanted,)
    for context in manager.device_context_list:
        manager.remove_device_context(context)

    again = reloaded(manager, [wanted])
    assert again.test_plans == (wanted,)
    assert reloaded(again, {"dut-7": [wanted]}).test_plans == (wanted,)


def test_plans_that_are_gone_are_named_all_at_once() -> None:
    manager, _ = new()
    manager.test_plans = (plan("p"), plan("q"))

    with pytest.raises(MissingJobError, match="test plan p, test plan q"):
        reloaded(manager, [])


def test_mandatory_jobs_come_back_as_they_were_set() -> None:
    units = [job("a"), job("b"), plan("p", mandatory_include="b")]
    manager, state = new(*units)
    state.update_desired_job_list([units[0]])  # type: ignore[list-item]
    manager.test_plans = (units[2],)  # type: ignore[assignment]

    again = state_of(reloaded(manager, units))

    for each in (state, again):
        assert [job.id for job in each.mandatory_job_list] == ["b"]
        assert [job.id for job in each.run_list] == ["b", "a"]


def test_a_mandatory_job_that_was_removed_stays_away() -> None:
    units = [job("c"), plan("p", mandatory_include="c")]
    manager, state = new(*units)
    manager.test_plans = (units[1],)  # type: ignore[assignment]
    state.update_desired_job_list([], include_mandatory=False)
    state.remove_unit(units[0])

    again = state_of(reloaded(manager, units))

    for each in (state, again):
        assert each.mandatory_job_list == each.job_list == []


def test_mandatory_jobs_of_plans_are_gone_with_the_plans() -> None:
    units = [job("a"), job("b"), plan("p", mandatory_include="b")]
    manager, state = new(*units)

    manager.test_plans = (units[2],)  # type: ignore[assignment]
    manager.test_plans = ()

    assert state.mandatory_job_list == []


def test_an_attempt_in_flight_comes_back_with_its_process() -> None:
    manager, state = new(job("a"))
    mark = Process(pid=7, started="12", boot_id="another boot")
    state.job_started(state.job_list[0], mark)

    again = state_of(reloaded(manager, state.job_list)).job_state_map["a"]

    assert again.in_flight
    assert again.process == mark


def test_a_process_without_a_boot_belongs_to_the_boot_of_its_writer() -> None:
    repository = MemoryRepository()
    storage = repository.create("s")
    manager, state = new(job("a"))
    state.job_started(state.job_list[0], Process(pid=7, started="12"))
    events = [
        msgspec.structs.replace(event, boot_id="boot-1")
        if isinstance(event, WriterOpened)
        else event
        for event in manager._pending
    ]
    entries, _ = encode(events, Position())
    storage.append(entries, expect=0)

    again = state_of(load(storage, state.job_list)).job_state_map["a"]

    assert again.process == Process(pid=7, started="12", boot_id="boot-1")


def test_a_state_that_joins_brings_its_attempt_in_flight_along() -> None:
    state = SessionState([job("a")])
    state.update_desired_job_list(state.job_list)
    state.job_started(state.job_list[0], Process(pid=7))
    manager = SessionManager.create_with_state(
        state, MemoryRepository(), registry=Registry.empty()
    )

    again = state_of(reloaded(manager, [job("a")]))

    assert again.job_state_map["a"].in_flight


def test_a_hollow_last_result_comes_back_as_the_last_one() -> None:
    state = SessionState([job("a")])
    state.update_desired_job_list(state.job_list)
    for result in (PASS, JobResult()):
        state.update_job_result(state.job_list[0], result)
    manager = SessionManager.create_with_state(
        state, MemoryRepository(), registry=Registry.empty()
    )

    again = state_of(reloaded(manager, [job("a")])).job_state_map["a"]

    assert again.result.is_hollow
    assert again.result_history == (PASS,)


def test_a_device_that_left_and_joined_again_brings_everything_back() -> None:
    manager, state = new(job("a"))
    state.update_job_result(state.job_list[0], FAIL)
    (context,) = manager.device_context_list
    manager.checkpoint()
    manager.remove_device_context(context)
    manager.checkpoint()
    manager.add_device_context(context)

    again = state_of(reloaded(manager, [job("a")]))

    assert again.job_state_map["a"].result_history == (FAIL,)
    assert [each.id for each in again.run_list] == ["a"]


def test_metadata_that_went_back_to_its_default_is_written_once() -> None:
    manager, state = new()
    state.metadata.title = "mine"
    manager.checkpoint()
    state.metadata.title = None
    manager.checkpoint()
    before = manager.storage.head

    manager.checkpoint()

    assert manager.storage.head == before
    again = reloaded(manager, [])
    assert state_of(again).metadata.title is None
    again.checkpoint()
    head = again.storage.head
    again.checkpoint()
    assert again.storage.head == head


def test_metadata_that_only_a_later_version_knows_is_left_alone() -> None:
    manager, state = new()
    manager.checkpoint()
    changes = {"mood": msgspec.Raw(b'"good"'), "title": msgspec.Raw(b'"t"')}
    manager._journal.append([MetadataChanged(at=1.0, changes=changes)])

    again = reloaded(manager, [])
    state = state_of(again)
    state.metadata.title = "u"
    again.checkpoint()

    assert state_of(reloaded(again, [])).metadata.title == "u"


# What keeps a session from being loaded: each has an error of its own.


def test_a_session_that_is_not_there_is_unknown() -> None:
    with pytest.raises(UnknownSessionError):
        MemoryRepository().open("nobody")


def test_an_empty_session_is_fresh() -> None:
    manager = SessionManager.create(MemoryRepository(), registry=Registry.empty())

    again = load(left(manager), [job("a")])

    assert [each.id for each in state_of(again).job_list] == ["a"]
    assert again.storage.head == 0


@pytest.mark.parametrize(
    "entry", [b"", b"\x1f\x8b garbage", b"{}", b"[]", b'{"n":1,"epoch":1}', b"\xff\xfe"]
)
def test_what_is_no_entry_is_damage(entry: bytes) -> None:
    storage = MemoryRepository().create("s")
    storage.append([entry], expect=0)

    with pytest.raises(CorruptSessionError, match="entry 1"):
        load(storage, [])


@pytest.mark.parametrize("packed", [b"", b"no zlib", b"x\x9c\x03"])
def test_a_snapshot_that_cannot_be_unpacked_is_damage(packed: bytes) -> None:
    storage = MemoryRepository().create("s")
    entries, _ = encode([Snapshot(at=1.0, packed=packed)], Position())
    storage.append(entries, expect=0)

    with pytest.raises(CorruptSessionError, match="a snapshot"):
        load(storage, [])


def test_a_session_of_a_newer_holdall_is_refused_as_such() -> None:
    storage = MemoryRepository().create("s")
    events: list[AnyEvent] = [
        SessionCreated(at=1.0, session_id="s"),
        WriterOpened(at=1.0, version="9", format=FORMAT + 1),
    ]
    entries, _ = encode(events, Position())
    storage.append(entries, expect=0)

    with pytest.raises(NewerFormatError):
        load(storage, [])
    with pytest.raises(NewerFormatError):
        peek(storage)


# Reading beside a writer


@pytest.mark.parametrize("scheme", ["memory", "file", "sqlite"])
def test_a_session_can_be_loaded_for_reading_beside_its_writer(
    scheme: str, tmp_path: Path
) -> None:
    urls = {
        "memory": "memory://beside-its-writer",
        "file": f"file://{tmp_path}/store",
        "sqlite": f"sqlite:///{tmp_path}/store.db",
    }
    repository = open_repository(urls[scheme])
    manager, state = new(job("a"), repository=repository)
    state.update_job_result(state.job_list[0], PASS)
    manager.checkpoint()
    with pytest.raises(LockedStorageError):
        repository.open(manager.storage.id)

    reader = load(repository.open(manager.storage.id, mode="r"), [job("a")])
    found = state_of(reader).job_state_map["a"].result
    state_of(reader).update_job_result(state.job_list[0], FAIL)

    assert found == PASS
    with pytest.raises(ReadOnlyStorageError, match="reading only"):
        reader.checkpoint()
    assert [each.outcome for each in reader.view().jobs()] == ["fail"]
    reader.storage.close()
    state.update_job_result(state.job_list[0], FAIL)
    manager.checkpoint()
    manager.storage.close()


# Metadata without units


def test_peek_gives_the_metadata_without_any_unit() -> None:
    manager, state = new(job("a"))
    state.metadata.title = "mine"
    state.metadata.app_blob = b"\x00blob"
    state.metadata.flags = {"incomplete"}
    state.metadata.last_job_start_time = 3.5
    manager.checkpoint()

    found = peek(manager.storage)

    assert found.encoded() == state.metadata.encoded()


def test_peek_is_about_the_first_device_unless_told_otherwise() -> None:
    manager, _ = new()
    second = manager.add_device_context(SessionDeviceContext(device=Device("dut-2")))
    second.state.metadata.title = "second"
    manager.checkpoint()

    assert peek(manager.storage).title is None
    assert peek(manager.storage, device_id="dut-2").title == "second"
    manager.remove_device_context(manager.device_context_list[0])
    manager.checkpoint()
    assert peek(manager.storage).title == "second"


def test_peek_of_an_empty_session_is_empty() -> None:
    assert peek(MemoryRepository().create("s")).encoded() == SessionMetaData().encoded()


def test_a_title_of_a_report_is_that_of_the_first_device_also_after_compaction() -> None:
    manager, state = new()
    second = manager.add_device_context(SessionDeviceContext(device=Device("dut-2")))
    for title in ("one", "two"):
        state.metadata.title = f"first {title}"
        manager.checkpoint()
        second.state.metadata.title = f"second {title}"
        manager.checkpoint()
    before = manager.view().title
    manager._journal.compact(at=1.0)

    (info,) = list_sessions(manager.storage.repository)

    assert (before, manager.view().title, info.title) == ("first two",) * 3


def test_what_a_removed_device_had_selected_counts_no_more() -> None:
    manager, _ = new(job("a"))
    second = SessionState([job("b")])
    context = manager.add_device_context(SessionDeviceContext(second, device=Device("dut-2")))
    second.update_desired_job_list(second.job_list)
    manager.remove_device_context(context)
    manager.checkpoint()

    (info,) = list_sessions(manager.storage.repository)

    assert (info.jobs, info.results) == (1, 0)


def test_a_creation_that_is_refused_leaves_no_session_behind() -> None:
    repository = MemoryRepository()
    wrong: Any = 3

    with pytest.raises(TypeError, match="must be a SessionState"):
        SessionManager.create_with_state(wrong, repository)

    assert list(repository.ids()) == []


def test_what_is_stored_is_what_was_told(tmp_path: Path) -> None:
    manager, state = new(job("a"), repository=open_repository(f"file://{tmp_path}"))
    state.update_job_result(state.job_list[0], PASS)
    pending = list(manager._pending)
    manager.checkpoint()

    assert list(read_events(manager.storage)) == pending
    manager.storage.close()
