"""What the system that holdall carries on was known to do, by the numbers of carried-on.md.

Most numbers are proved where their subject is; here stands what is left of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import (
    CorruptSessionError,
    DependencyDuplicateError,
    HoldallError,
    IncompatibleJobError,
    MissingFilesError,
    MissingJobError,
    NewerFormatError,
    SessionResumeError,
    StorageError,
)
from holdall.journal import list_sessions
from holdall.journal.codec import START, _sum, encode
from holdall.journal.events import MetadataChanged, SessionCreated
from holdall.registry.registry import Registry
from holdall.results import JobResult, Outcome
from holdall.session.context import SessionDeviceContext
from holdall.session.manager import SessionManager
from holdall.session.readiness import InhibitionCause, Inhibitor
from holdall.session.state import SessionState
from holdall.units import Job, TestPlan, make_unit
from holdall.units.provider import Provider
from holdall.view.session import SessionView
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts.stores import Storage
    from holdall.units import Unit

PASS = JobResult(outcome=Outcome.PASS)


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def new(*units: Unit) -> tuple[SessionManager, SessionState]:
    manager = SessionManager.create_with_unit_list(
        units, MemoryRepository(), registry=Registry.empty()
    )
    assert manager.state is not None
    return manager, manager.state


def reloaded(manager: SessionManager, *units: Unit) -> SessionState:
    manager.checkpoint()
    manager.storage.close()
    storage = manager.storage.repository.open(manager.storage.id)
    again = SessionManager.load_session(units, storage, registry=Registry.empty())
    assert again.state is not None
    return again.state


def test_02_state_is_that_of_the_default_context_and_the_storage_stays_the_same() -> None:
    storage = MemoryRepository().create("s")
    manager = SessionManager.load_session([], storage, registry=Registry.empty())

    assert manager.storage is storage
    assert manager.default_device_context is manager.device_context_list[0]
    assert manager.state is manager.device_context_list[0].state


def test_04_a_load_wraps_the_state_in_one_context_for_one_device() -> None:
    manager, _ = new(job("a"))
    manager.checkpoint()
    manager.storage.close()
    storage = manager.storage.repository.open(manager.storage.id)

    again = SessionManager.load_session([job("a")], storage, registry=Registry.empty())

    assert again.storage is storage
    assert [type(each) for each in again.device_context_list] == [SessionDeviceContext]


def test_05_the_well_known_folders_are_in_the_folder_of_a_session(tmp_path: Path) -> None:
    with SessionManager.create(FileRepository(tmp_path), "pbox-") as manager:
        manager.checkpoint()
        log = manager.storage.open_log("a")
        log.write(b"x")
        log.flush()

        (folder,) = tmp_path.glob("pbox-*.session")

        assert (folder / "io-logs").is_dir()


def test_05_a_manager_made_with_a_state_has_that_very_state() -> None:
    state = SessionState([job("a")])

    assert SessionManager.create_with_state(state, MemoryRepository()).state is state


def test_06_a_context_that_is_added_is_returned_and_kept() -> None:
    manager = SessionManager.create(MemoryRepository())
    context = SessionDeviceContext()

    assert manager.add_device_context(context) is context
    assert manager.device_context_list == [context]
    with pytest.raises(ValueError, match="already"):
        manager.add_device_context(context)
    with pytest.raises(TypeError, match="must be a SessionDeviceContext"):
        manager.add_device_context(SessionState())  # type: ignore[arg-type]


def test_26_a_job_that_was_neither_selected_nor_tried_is_not_in_the_journal() -> None:
    manager, state = new(job("unused"), job("waits"), job("tried"))
    state.update_desired_job_list([job("waits")])
    state.update_job_result(job("tried"), PASS)
    manager.checkpoint()

    assert {each.id for each in SessionView.of(manager.storage).jobs()} == {"waits", "tried"}
    assert all(each.checksum for each in SessionView.of(manager.storage).jobs())


def test_28_equal_flags_are_stored_as_equal_bytes() -> None:
    _, one = new()
    _, other = new()
    one.metadata.flags = {"b", "a", "c"}
    other.metadata.flags = {"c", "b", "a"}

    assert one.metadata.encoded() == other.metadata.encoded()
    assert bytes(one.metadata.encoded()["flags"]) == b'["a","b","c"]'


def test_30_a_checksum_is_the_one_that_plainbox_made() -> None:
    found = make_unit({"plugin": "shell", "id": "used", "command": "echo 'hello world'"})

    assert found.checksum.startswith("8c393c19")


def test_32_everything_that_keeps_a_session_from_going_on_has_one_root() -> None:
    for error in (IncompatibleJobError, MissingJobError, MissingFilesError):
        assert issubclass(error, SessionResumeError)
    for damage in (CorruptSessionError, NewerFormatError):
        assert issubclass(damage, StorageError)
    assert issubclass(SessionResumeError, HoldallError)
    assert issubclass(StorageError, HoldallError)


def stored(*events: bytes) -> Storage:
    """Return the storage of a session whose entries fit, whatever the events say."""
    storage = MemoryRepository().create("s")
    entries, (number, epoch, total) = encode([SessionCreated(at=1.0, session_id="s")], START)
    device = b'{"type":"device","at":1.0,"device":"local"}'
    for event in (device, *events):
        number += 1
        total = _sum(number, epoch, event, total)
        entries.append(
            b'{"n":%d,"epoch":%d,"sum":"%08x","event":%b}' % (number, epoch, total, event)
        )
    storage.append(entries, expect=0)
    return storage


@pytest.mark.parametrize(
    "result",
    [
        b'{"outcome":"sunny"}',
        b'{"outcome":3}',
        b'{"comments":[]}',
        b'{"return_code":"0"}',
        b'{"execution_duration":"long"}',
        b'{"execution_duration":-1.0}',
        b'{"started_at":"today"}',
        b'{"io_log":3}',
        b'{"io_log":[[0.1,"stdout"]]}',
        b'{"io_log":[["soon","stdout","eA=="]]}',
        b'{"io_log":[[-1.0,"stdout","eA=="]]}',
        b'{"io_log":[[0.1,"stdin","eA=="]]}',
        b'{"io_log":[[0.1,"stdout","\\u00fc"]]}',
        b'{"io_log":[[0.1,"stdout","x"]]}',
        b'{"io_log_ref":3}',
        b'{"interrupted_by":"aliens"}',
        b"[]",
    ],
)
def test_34_to_36_a_stored_result_that_makes_no_sense_is_damage(result: bytes) -> None:
    event = b'{"type":"result","at":1.0,"job_id":"a","result":%b}' % result

    with pytest.raises(CorruptSessionError, match="entry 3"):
        SessionManager.load_session([job("a")], stored(event), registry=Registry.empty())


def test_34_nothing_and_whole_numbers_are_fine_in_a_stored_result() -> None:
    """TRAP 1.7: upstream refuses a duration without a fraction."""
    result = b'{"outcome":"pass","comments":null,"return_code":null,"execution_duration":1}'
    known = b'{"type":"job","at":1.0,"job":{"id":"a","checksum":"%b"}}'
    event = b'{"type":"result","at":1,"job_id":"a","result":%b}' % result
    storage = stored(known % job("a").checksum.encode(), event)

    state = SessionManager.load_session([job("a")], storage, registry=Registry.empty()).state

    assert state is not None
    expected = JobResult(outcome="pass", execution_duration=1.0)
    assert state.job_state_map["a"].result == expected


@pytest.mark.parametrize(
    "event",
    [
        b'{"type":"selection","at":1.0,"run_list":"a"}',
        b'{"type":"selection","at":1.0,"run_list":[3]}',
        b'{"type":"result","at":1.0,"result":{}}',
        b'{"type":"result","at":1.0,"job_id":7,"result":{}}',
        b'{"type":"result","at":1.0,"job_id":"a","result":[{}]}',
        b'{"type":"job","at":1.0,"job":{}}',
    ],
)
def test_38_41_43_an_event_of_wrong_types_is_damage(event: bytes) -> None:
    with pytest.raises(CorruptSessionError, match="entry 3"):
        SessionManager.load_session([job("a")], stored(event), registry=Registry.empty())


@pytest.mark.parametrize(
    "changes",
    [
        b'{"title":3}',
        b'{"flags":"incomplete"}',
        b'{"flags":[3]}',
        b'{"running_job_name":[]}',
        b'{"app_blob":"\\u00fc"}',
        b'{"app_blob":"x"}',
        b'{"app_id":1}',
        b'{"custom_joblist":"yes"}',
        b'{"rejected_jobs":[null]}',
        b'{"last_job_start_time":"now"}',
    ],
)
def test_39_40_stored_metadata_of_wrong_types_are_damage(changes: bytes) -> None:
    tag = str(MetadataChanged.__struct_config__.tag).encode()
    storage = stored(b'{"type":"%b","at":1.0,"changes":%b}' % (tag, changes))

    with pytest.raises(CorruptSessionError):
        SessionManager.load_session([], storage, registry=Registry.empty())
    assert SessionView.of(storage).title == "s"
    storage.close()
    (info,) = list_sessions(storage.repository)
    assert info.title == ""


@pytest.mark.parametrize("name", ["title", "running_job_name", "app_blob", "app_id"])
def test_39_40_nothing_is_fine_where_metadata_may_be_nothing(name: str) -> None:
    manager, state = new()
    setattr(state.metadata, name, b"x" if name == "app_blob" else "x")
    manager.checkpoint()
    setattr(state.metadata, name, None)

    assert getattr(reloaded(manager).metadata, name) is None


def test_42_48_a_job_without_results_is_hollow_after_a_load_and_the_last_of_many_is_current() -> (
    None
):
    manager, state = new(job("none"), job("many"))
    state.update_desired_job_list(state.job_list)
    fail = JobResult(outcome=Outcome.FAIL)
    for result in (fail, PASS, fail):
        state.update_job_result(job("many"), result)

    again = reloaded(manager, job("none"), job("many"))

    assert again.job_state_map["none"].result.is_hollow
    assert again.job_state_map["none"].result_history == ()
    assert again.job_state_map["many"].result == fail
    assert again.job_state_map["many"].result_history == (fail, PASS, fail)


def test_46_jobs_that_a_person_rejected_stay_known() -> None:
    manager, state = new(job("a"), job("b"), job("c"))
    state.update_desired_job_list([job("a")])
    state.metadata.rejected_jobs = ["b"]

    again = reloaded(manager, job("a"), job("b"), job("c"))

    assert sorted(again.job_state_map) == ["a", "b"]


def test_56_a_reason_must_name_what_it_is_about() -> None:
    about_nothing = set(InhibitionCause) - {InhibitionCause.UNDESIRED}

    for cause in about_nothing:
        with pytest.raises(ValueError, match=cause.name):
            Inhibitor(cause)
    wrong: Any = 3
    with pytest.raises(ValueError, match="InhibitionCause"):
        Inhibitor(wrong, "a")


def test_56_reasons_stand_in_a_fixed_order() -> None:
    needs = {
        "imports": "from com.canonical.plainbox import manifest",
        "requires": "r.kind == 'SSD'\nmanifest.has_dock == 'True'",
        "depends": "z y",
        "after": "x",
        "salvages": "w",
    }
    units = [job("a", **needs), job("r", plugin="resource"), *map(job, "wxyz")]
    _, state = new(*units)
    state.update_desired_job_list(state.job_list)

    found = state.job_state_map["a"].readiness_inhibitor_list

    assert [(each.cause.name, each.related_job.rpartition("::")[2]) for each in found] == [
        ("REQUIRED_MANIFEST", "manifest"),
        ("PENDING_RESOURCE", "r"),
        ("PENDING_DEP", "y"),
        ("PENDING_DEP", "z"),
        ("PENDING_DEP", "x"),
        ("PENDING_DEP", "w"),
    ]


def test_58_overrides_fall_back_to_the_definition() -> None:
    _, state = new(job("a", **{"certification-status": "blocker", "auto-retry": "yes"}))
    found = state.job_state_map["a"]

    found.apply_overrides([("certification_status", "non-blocker"), ("category_id", "disk")])
    overridden = (found.effective_certification_status, found.effective_category_id)
    found.apply_overrides([])

    assert overridden == ("non-blocker", "disk")
    assert found.effective_certification_status == "blocker"
    assert found.effective_category_id == "com.canonical.plainbox::uncategorised"
    assert found.effective_auto_retry == "yes"


def provider(name: str, *units: Unit) -> Provider:
    return Provider(name, namespace="", version="1", source=name, read=lambda: units)


def test_59_a_provider_joins_once_and_its_units_can_be_had() -> None:
    """TRAP 1.10: upstream fails with an AttributeError for an equal one."""
    context = SessionDeviceContext()
    plan = make_unit({"unit": "test plan", "id": "a", "name": "A"})
    context.add_provider(provider("lab", job("a"), plan))

    with pytest.raises(ValueError, match="'lab' is in this context already"):
        context.add_provider(provider("lab", job("a"), plan))

    assert isinstance(context.get_unit("a", "test plan"), TestPlan)
    assert isinstance(context.get_unit("a"), Job)
    with pytest.raises(KeyError):
        context.get_unit("a", "category")


def test_59_a_provider_that_clashes_joins_not_at_all() -> None:
    """TRAP 1.15: upstream keeps half of it."""
    context = SessionDeviceContext()
    context.add_provider(provider("one", job("a")))

    with pytest.raises(DependencyDuplicateError):
        context.add_provider(provider("two", job("b"), job("a", summary="another")))

    assert [each.name for each in context.provider_list] == ["one"]
    assert [each.id for each in context.unit_list] == ["a"]


def test_59_what_is_shared_is_computed_once_until_it_is_forgotten() -> None:
    context = SessionDeviceContext()
    calls: list[int] = []

    def compute(number: int) -> int:
        calls.append(number)
        return number

    found = [context.compute_shared("key", compute, number) for number in (1, 2)]
    context.invalidate_shared("key")
    found.append(context.compute_shared("key", compute, 3))

    assert (found, calls) == ([1, 1, 3], [1, 3])


def test_trap_1_14_exporting_changes_nothing_of_the_session(tmp_path: Path) -> None:
    units = [job("a"), job("b", salvages="a")]
    manager = SessionManager.create_with_unit_list(units, MemoryRepository())
    state = manager.state
    assert state is not None
    state.update_desired_job_list(state.job_list)
    state.update_job_result(units[1], JobResult(outcome="not-supported"))
    manager.checkpoint()
    head = manager.storage.head

    manager.create_exporter("json").export_to(tmp_path / "report.json")

    assert state.job_state_map["b"].result.outcome == "not-supported"
    assert [each.id for each in state.run_list] == ["a", "b"]
    manager.checkpoint()
    assert manager.storage.head == head
