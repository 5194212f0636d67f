from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import (
    DeviceExistsError,
    IncompatibleJobError,
    MissingJobError,
    UnknownPluginError,
    UnknownSessionError,
)
from holdall.journal import ResultRecorded, read_events
from holdall.results import JobResult, Outcome
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.session.state import SessionState
from holdall.units import Job, TestPlan, make_unit
from holdall.units.device import Device
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.units import Unit

PASS = JobResult(outcome=Outcome.PASS, comments="fine", execution_duration=0.5)
FAIL = JobResult(outcome=Outcome.FAIL)


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def plan(plan_id: str, **fields: str) -> TestPlan:
    made = make_unit({"unit": "test plan", "id": plan_id, "name": plan_id, **fields})
    assert isinstance(made, TestPlan)
    return made


def reloaded(
    manager: SessionManager, units: Any, **more: Any
) -> tuple[SessionManager, SessionState]:
    """Return what comes back of the manager's session, after the manager let go of it."""
    repository = manager.storage.repository
    manager.storage.close()
    storage = repository.open(manager.storage.id)
    again = SessionManager.load_session(units, storage, **more)
    assert again.state is not None
    return again, again.state


@pytest.fixture
def manager() -> SessionManager:
    return SessionManager.create(MemoryRepository())


def with_jobs(manager: SessionManager, *jobs: Unit) -> SessionState:
    state = SessionState(jobs)
    manager.add_device_context(SessionDeviceContext(state))
    state.update_desired_job_list(state.job_list)
    return state


def test_a_new_session_has_no_devices(manager: SessionManager) -> None:
    assert manager.device_context_list == []
    assert manager.default_device_context is None
    assert manager.state is None


def test_the_prefix_begins_the_id() -> None:
    assert SessionManager.create(MemoryRepository()).storage.id.startswith("holdall-")
    assert SessionManager.create(MemoryRepository(), "lab-").storage.id.startswith("lab-")


def test_a_path_object_is_the_folder_of_a_file_store(tmp_path: Path) -> None:
    with SessionManager.create(tmp_path / "lab") as manager:
        assert manager.storage.repository.url == f"file://{tmp_path}/lab"


def test_two_sessions_never_get_one_id() -> None:
    repository = MemoryRepository()

    ids = {SessionManager.create(repository, clock=lambda: 1.0).storage.id for _ in range(50)}

    assert len(ids) == 50


def test_the_first_context_is_the_default_one(manager: SessionManager) -> None:
    first = manager.add_local_device_context()
    manager.add_device_context(SessionDeviceContext(device=Device("dut-2")))

    assert manager.default_device_context is first
    assert manager.state is first.state


def test_a_second_context_for_one_device_is_refused(manager: SessionManager) -> None:
    context = manager.add_local_device_context()

    with pytest.raises(ValueError, match="'local'"):
        manager.add_local_device_context()
    with pytest.raises(ValueError, match="'local'"):
        manager.add_device_context(context)


def test_a_context_that_is_not_there_cannot_be_removed(manager: SessionManager) -> None:
    with pytest.raises(ValueError, match="no such context"):
        manager.remove_device_context(SessionDeviceContext())


@pytest.mark.parametrize("name", ["storage", "device_context_list", "state"])
def test_a_field_that_is_read_only_cannot_be_set(manager: SessionManager, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(manager, name, None)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ([], TypeError, "takes a tuple of test plans, not list"),
        ((3,), TypeError, "3 is none"),
        ((plan("p"), plan("p")), ValueError, "each plan once"),
    ],
)
def test_test_plans_refuse_what_is_no_tuple_of_different_plans(
    manager: SessionManager, value: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        manager.test_plans = value


def test_test_plans_reach_every_context_also_a_later_one(manager: SessionManager) -> None:
    override = plan("p", include="a certification-status=blocker")
    first = manager.add_device_context(SessionDeviceContext(SessionState([job("a"), override])))

    manager.test_plans = (override,)
    second = manager.add_device_context(
        SessionDeviceContext(SessionState([job("a"), override]), device=Device("dut-2"))
    )

    for context in (first, second):
        state = context.state.job_state_map["a"]
        assert state.effective_certification_status == "blocker"


def test_clearing_the_plans_restores_what_was_there(manager: SessionManager) -> None:
    """TRAP 1.10: upstream keeps the overrides."""
    override = plan("p", include="a certification-status=blocker")
    state = with_jobs(manager, job("a"), override)

    manager.test_plans = (override,)
    manager.test_plans = ()

    assert state.job_state_map["a"].effective_certification_status == "non-blocker"


def test_a_job_that_is_added_late_gets_its_overrides(manager: SessionManager) -> None:
    override = plan("p", include="a certification-status=blocker")
    state = with_jobs(manager, override)
    manager.test_plans = (override,)

    state.add_unit(job("a"))

    assert state.job_state_map["a"].effective_certification_status == "blocker"


def test_a_session_comes_back_as_it_was(manager: SessionManager) -> None:
    a, b, c = job("a"), job("b", depends="a"), job("c")
    state = with_jobs(manager, a, b, c)
    state.metadata.title = "mine"
    state.metadata.flags = {"incomplete"}
    state.update_job_result(a, FAIL)
    state.update_job_result(a, PASS)
    manager.checkpoint()

    _, again = reloaded(manager, [a, b, c])

    assert again.job_state_map["a"].result_history == (FAIL, PASS)
    assert again.job_state_map["a"].result == PASS
    assert [each.id for each in again.run_list] == ["a", "b", "c"]
    assert [each.id for each in again.desired_job_list] == ["a", "b", "c"]
    assert again.metadata.title == "mine"
    assert again.metadata.flags == {"incomplete"}
    assert again.job_state_map["b"].can_start()


def test_what_was_not_checkpointed_is_not_there(manager: SessionManager) -> None:
    a = job("a")
    state = with_jobs(manager, a)
    manager.checkpoint()
    state.update_job_result(a, PASS)

    _, again = reloaded(manager, [a])

    assert again.job_state_map["a"].result.is_hollow


def test_a_session_that_was_never_checkpointed_comes_back_fresh(manager: SessionManager) -> None:
    """TRAP 1.5: upstream calls it corrupted."""
    with_jobs(manager, job("a"))

    again, state = reloaded(manager, [job("b")])

    assert [each.id for each in state.job_list] == ["b"]
    again.checkpoint()


def test_a_session_can_be_loaded_again_and_again(manager: SessionManager) -> None:
    a = job("a")
    with_jobs(manager, a)
    manager.checkpoint()

    for count in range(1, 4):
        manager, state = reloaded(manager, [a])
        state.update_job_result(a, PASS)
        manager.checkpoint()
        assert len(state.job_state_map["a"].result_history) == count


def test_resource_results_come_back(manager: SessionManager) -> None:
    disk, a = job("disk", plugin="resource"), job("a", requires="disk.kind == 'SSD'")
    state = with_jobs(manager, disk, a)
    result = JobResult(outcome=Outcome.PASS, io_log=((0.0, "stdout", b"kind: SSD\n"),))
    state.update_job_result(disk, result)
    manager.checkpoint()

    _, again = reloaded(manager, [disk, a])

    assert again.resource_map == {"disk": ({"kind": "SSD"},)}
    assert again.job_state_map["a"].can_start()


def test_all_changed_jobs_are_named_in_one_error(manager: SessionManager) -> None:
    state = with_jobs(manager, job("a"), job("b"), job("c"))
    for each in state.job_list:
        state.update_job_result(each, JobResult(outcome="pass"))
    manager.checkpoint()
    changed = [job("a", summary="new"), job("b"), job("c", summary="new")]

    with pytest.raises(IncompatibleJobError) as caught:
        reloaded(manager, changed)

    assert caught.value.changed == ("a", "c")


def test_a_flag_goes_on_although_jobs_changed(manager: SessionManager) -> None:
    with_jobs(manager, job("a"))
    manager.checkpoint()

    _, state = reloaded(manager, [job("a", summary="new")], flags=["ignore-job-checksums"])

    assert state.job_list[0].summary == "new"


def test_all_missing_jobs_are_named_in_one_error(manager: SessionManager) -> None:
    with_jobs(manager, job("a"), job("b"))
    manager.checkpoint()

    with pytest.raises(MissingJobError) as caught:
        reloaded(manager, [])

    assert caught.value.missing == ("a", "b")


def test_jobs_that_the_session_never_mentioned_are_trimmed(manager: SessionManager) -> None:
    a, b, c = job("a", depends="b"), job("b"), job("c")
    state = SessionState([a, b, c])
    manager.add_device_context(SessionDeviceContext(state))
    state.update_desired_job_list([a])
    manager.checkpoint()

    _, again = reloaded(manager, [a, b, c])

    assert {each.id for each in again.job_list} == {"a", "b"}


def test_early_cb_sees_the_state_before_results_and_may_replace_it(
    manager: SessionManager,
) -> None:
    a = job("a")
    with_jobs(manager, a).update_job_result(a, PASS)
    manager.checkpoint()
    seen: list[bool] = []
    other = SessionState([a])

    def early(state: SessionState) -> SessionState:
        seen.append(state.job_state_map["a"].result.is_hollow)
        return other

    _, state = reloaded(manager, [a], early_cb=early)

    assert seen == [True]
    assert state is other
    assert state.job_state_map["a"].result == PASS


def test_three_devices_come_back_each_with_its_own(manager: SessionManager) -> None:
    a = job("a")
    results = {"one": PASS, "two": FAIL, "three": None}
    for name, result in results.items():
        state = SessionState([a])
        device = Device(name, f"the {name}", {"slot": name})
        manager.add_device_context(SessionDeviceContext(state, device=device))
        state.update_desired_job_list([a])
        if result:
            state.update_job_result(a, result)
    manager.checkpoint()

    again, _ = reloaded(manager, {name: [a] for name in results})

    assert [each.device.facts for each in again.device_context_list] == [
        {"slot": name} for name in results
    ]
    outcomes = [each.state.job_state_map["a"].result.outcome for each in again.device_context_list]
    assert outcomes == ["pass", "fail", "none"]


def test_a_device_that_was_removed_does_not_come_back(manager: SessionManager) -> None:
    a = job("a")
    with_jobs(manager, a)
    other = manager.add_device_context(
        SessionDeviceContext(SessionState([a]), device=Device("dut-2"))
    )
    manager.checkpoint()
    manager.remove_device_context(other)
    manager.checkpoint()

    again, _ = reloaded(manager, [a])

    assert [each.device.id for each in again.device_context_list] == ["local"]


def test_plans_come_back_with_their_overrides(manager: SessionManager) -> None:
    a, override = job("a"), plan("p", include="a certification-status=blocker")
    with_jobs(manager, a, override)
    manager.test_plans = (override,)
    manager.checkpoint()

    again, state = reloaded(manager, [a, override])

    assert again.test_plans == (override,)
    assert state.job_state_map["a"].effective_certification_status == "blocker"


def test_a_state_with_a_past_joins_with_all_of_it() -> None:
    a = job("a")
    state = SessionState([a])
    state.update_desired_job_list([a])
    state.update_job_result(a, FAIL)
    state.update_job_result(a, PASS)
    manager = SessionManager.create_with_state(state, MemoryRepository())
    manager.checkpoint()

    _, again = reloaded(manager, [a])

    assert again.job_state_map["a"].result_history == (FAIL, PASS)
    assert [each.id for each in again.run_list] == ["a"]


def test_a_checkpoint_without_changes_writes_nothing(manager: SessionManager) -> None:
    with_jobs(manager, job("a"))
    manager.checkpoint()
    before = manager.storage.head

    manager.checkpoint()

    assert manager.storage.head == before


def test_a_checkpoint_of_one_result_is_one_entry(manager: SessionManager) -> None:
    a = job("a")
    state = with_jobs(manager, a)
    manager.checkpoint()
    before = manager.storage.head

    state.update_job_result(a, PASS)
    manager.checkpoint()

    assert manager.storage.head == before + 1


def test_the_view_of_a_manager_after_a_checkpoint_is_that_of_its_storage(
    manager: SessionManager,
) -> None:
    from holdall.view.session import SessionView

    a = job("a")
    with_jobs(manager, a).update_job_result(a, PASS)
    unsaved = manager.view().unsaved
    manager.checkpoint()

    live, stored = manager.view(), SessionView.of(manager.storage)

    assert unsaved > 0
    assert live.unsaved == 0
    assert [(j.id, j.outcome, j.comments) for j in live.jobs()] == [("a", "pass", "fine")]
    assert [(j.id, j.outcome, j.comments) for j in stored.jobs()] == [("a", "pass", "fine")]


def test_an_unknown_exporter_is_a_lookup_error(manager: SessionManager) -> None:
    with pytest.raises(UnknownPluginError, match="did you mean 'junit'"):
        manager.create_exporter("junti")
    assert issubclass(UnknownPluginError, LookupError)


def test_destroy_leaves_nothing(manager: SessionManager) -> None:
    with_jobs(manager, job("a"))
    manager.checkpoint()
    repository = manager.storage.repository

    manager.destroy()

    with pytest.raises(UnknownSessionError):
        repository.open(manager.storage.id)


def test_leaving_a_manager_closes_its_storage_and_does_not_checkpoint() -> None:
    repository = MemoryRepository()
    with SessionManager.create(repository) as manager:
        with_jobs(manager, job("a"))

    assert repository.open(manager.storage.id).head == 0


def test_lone_surrogates_of_an_application_do_not_stop_a_checkpoint(
    manager: SessionManager,
) -> None:
    a = job("a", summary="bad \udcff name")
    state = with_jobs(manager, a)
    state.metadata.title = "also \udcff"
    state.update_job_result(a, JobResult(outcome=Outcome.PASS, comments="\udc80"))

    manager.checkpoint()

    assert next(iter(manager.view().jobs())).summary == "bad \\udcff name"


def test_create_with_unit_list_takes_none() -> None:
    manager = SessionManager.create_with_unit_list(None, MemoryRepository())

    assert manager.state is not None
    assert manager.state.unit_list == []


def test_a_state_of_one_session_is_refused_by_another(manager: SessionManager) -> None:
    state = with_jobs(manager, job("a"))
    repository = MemoryRepository()

    with pytest.raises(ValueError, match=manager.storage.id):
        SessionManager.create_with_state(state, repository)

    assert list(repository.ids()) == []


def test_a_context_of_one_session_is_refused_by_another(manager: SessionManager) -> None:
    context = manager.add_device_context(SessionDeviceContext(device=Device("x")))
    other = SessionManager.create(MemoryRepository())

    with pytest.raises(ValueError, match=manager.storage.id):
        other.add_device_context(context)

    assert other.device_context_list == []
    assert other.view().devices == ()


def test_a_context_is_refused_a_second_time(manager: SessionManager) -> None:
    context = manager.add_device_context(SessionDeviceContext(device=Device("x")))

    with pytest.raises(DeviceExistsError, match=r"the device 'x' .* has it already") as caught:
        manager.add_device_context(context)
    assert isinstance(caught.value, ValueError)

    assert manager.device_context_list == [context]


def test_two_contexts_of_one_state_cannot_both_be_in_a_session(manager: SessionManager) -> None:
    state = SessionState([job("a")])
    one = SessionDeviceContext(state, device=Device("one"))
    two = SessionDeviceContext(state, device=Device("two"))
    manager.add_device_context(one)

    with pytest.raises(ValueError, match=manager.storage.id):
        manager.add_device_context(two)

    assert state.device_id == "one"


def test_a_loaded_state_belongs_to_its_session(manager: SessionManager) -> None:
    with_jobs(manager, job("a"))
    manager.checkpoint()
    _, state = reloaded(manager, [job("a")])

    with pytest.raises(ValueError, match=manager.storage.id):
        SessionManager.create_with_state(state, MemoryRepository())


def test_a_removed_context_is_free_and_joins_with_all_it_has(manager: SessionManager) -> None:
    state = with_jobs(manager, job("a"), job("b"))
    state.update_job_result(job("a"), FAIL)
    state.update_job_result(job("a"), PASS)
    state.job_started(job("b"))
    state.metadata.title = "moved"
    manager.checkpoint()
    (context,) = manager.device_context_list
    manager.remove_device_context(context)
    state.update_job_result(job("b"), FAIL)
    manager.checkpoint()
    other = SessionManager.create(MemoryRepository())

    other.add_device_context(context)
    other.checkpoint()
    _, again = reloaded(other, [job("a"), job("b")])

    assert manager.view().job_count == 0
    assert again.job_state_map["a"].result_history == (FAIL, PASS)
    assert again.job_state_map["b"].result_history == (FAIL,)
    assert again.run_list == [job("a"), job("b")]
    assert again.metadata.title == "moved"


def test_a_destroyed_session_lets_go_of_its_contexts(manager: SessionManager) -> None:
    state = with_jobs(manager, job("a"))
    manager.destroy()

    assert SessionManager.create_with_state(state, MemoryRepository()).state is state


def test_what_happened_before_a_state_joined_keeps_its_moment() -> None:
    moments = iter(range(1, 100))
    state = SessionState([job("a")], clock=lambda: float(next(moments)))
    state.update_desired_job_list(state.job_list)
    state.job_started(job("a"))
    state.update_job_result(job("a"), PASS)

    manager = SessionManager.create_with_state(state, MemoryRepository())
    manager.checkpoint()

    events = read_events(manager.storage)
    assert [event.at for event in events if isinstance(event, ResultRecorded)] == [3.0]


def test_a_job_that_left_before_its_state_joined_does_not_join(manager: SessionManager) -> None:
    state = SessionState([job("a"), job("b")])
    for name in ("a", "b"):
        state.update_job_result(job(name), FAIL)
    state.remove_unit(job("a"))

    manager.add_device_context(SessionDeviceContext(state))
    manager.checkpoint()
    _, again = reloaded(manager, [job("b")])

    assert [each.id for each in again.job_list] == ["b"]


def test_overrides_that_are_set_by_hand_come_back(manager: SessionManager) -> None:
    state = with_jobs(manager, job("a"))
    found = state.job_state_map["a"]
    found.apply_overrides([("auto_retry", "yes"), ("certification_status", "blocker")])
    manager.test_plans = (plan("p", include="a certification-status=non-blocker"),)

    manager.checkpoint()
    _, again = reloaded(manager, [job("a"), plan("p", include="a auto-retry=no")])

    for each in (found, again.job_state_map["a"]):
        assert each.effective_auto_retry == "yes"
        assert each.effective_certification_status == "blocker"


def test_the_plans_of_a_context_are_those_of_its_session(manager: SessionManager) -> None:
    with_jobs(manager, job("a"))
    (context,) = manager.device_context_list
    chosen = plan("p", include="a certification-status=blocker")

    with pytest.raises(ValueError, match="test_plans"):
        context.set_test_plan_list([chosen])
    with pytest.raises(ValueError, match="while a session is loaded"):
        context.restore_test_plans([chosen])
    manager.test_plans = (chosen,)
    context.set_test_plan_list([chosen])

    assert manager.view().plans[0].id == "p"
