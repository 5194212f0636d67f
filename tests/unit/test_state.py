from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.errors import DependencyDuplicateError, UnknownUnitError
from holdall.journal import OverrideRecord
from holdall.results import JobResult, Outcome
from holdall.session.job_state import JobState
from holdall.session.overrides import Override
from holdall.session.readiness import InhibitionCause
from holdall.session.state import SessionState
from holdall.units import Job, make_unit

if TYPE_CHECKING:
    from holdall.results import IOLogRecord

PASS = JobResult(outcome=Outcome.PASS)
FAIL = JobResult(outcome=Outcome.FAIL)


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def selected(*jobs: Job) -> SessionState:
    state = SessionState(jobs)
    assert state.update_desired_job_list(jobs) == []
    return state


def resource(text: str) -> JobResult:
    return JobResult(outcome=Outcome.PASS, io_log=((0.0, "stdout", text.encode()),))


def causes(state: SessionState, job_id: str) -> list[InhibitionCause]:
    return [each.cause for each in state.job_state_map[job_id].readiness_inhibitor_list]


def test_identical_units_collapse() -> None:
    state = SessionState([job("a"), job("a")])

    assert [each.id for each in state.job_list] == ["a"]


def test_different_units_of_one_id_are_refused() -> None:
    with pytest.raises(DependencyDuplicateError, match="'a'"):
        SessionState([job("a"), job("a", summary="other")])


def test_a_setup_job_and_a_job_cannot_have_one_id() -> None:
    setup = make_unit({"unit": "setup job", "id": "a", "command": "true"})

    for first, second in ((setup, job("a")), (job("a"), setup)):
        with pytest.raises(DependencyDuplicateError, match="'a'"):
            SessionState([first, second])


@pytest.mark.parametrize(
    "fields", [{"unit": "test plan"}, {"unit": "category"}, {"unit": "manifest entry"}]
)
def test_of_two_units_that_are_no_jobs_the_later_one_counts_and_it_is_told(
    fields: dict[str, str],
) -> None:
    given = {"id": "a", "value-type": "bool", **fields}
    first, second = (make_unit({**given, "name": name}) for name in ("one", "two"))

    state = SessionState([first, second, second])

    assert state.get_unit("a", fields["unit"]) is second
    assert state.unit_list == [second]
    assert [type(problem) for problem in state.problems] == [DependencyDuplicateError]


def test_two_templates_of_one_id_each_make_their_units() -> None:
    given = {"unit": "template", "template-id": "t", "template-resource": "r", "plugin": "shell"}
    templates = [
        make_unit({**given, "id": f"{name}-{{x}}", "command": "true"}) for name in ("a", "b")
    ]
    resource = job("r", plugin="resource")
    state = SessionState([resource, *templates])

    log = ((0.0, "stdout", b"x: 1\n"),)
    state.update_job_result(resource, JobResult(outcome="pass", io_log=log))

    assert [each.id for each in state.job_list] == ["r", "a-1", "b-1"]


def test_adding_an_identical_unit_returns_the_one_that_is_there() -> None:
    first = job("a")
    state = SessionState([first])

    assert state.add_unit(job("a")) is first


def test_a_job_and_a_category_may_share_an_id() -> None:
    category = make_unit({"unit": "category", "id": "a", "name": "A"})

    state = SessionState([job("a"), category])

    assert state.get_unit("a", "category") is category


def test_get_unit_suggests_the_nearest_id() -> None:
    with pytest.raises(UnknownUnitError, match="did you mean 'disk/read'"):
        SessionState([job("disk/read")]).get_unit("disk/raed")


def test_remove_unit_takes_a_job_out() -> None:
    one, two = job("a"), job("b")
    state = SessionState([one, two])

    state.remove_unit(one)

    assert state.job_list == [two]
    assert list(state.job_state_map) == ["b"]
    with pytest.raises(ValueError, match="not in this session"):
        state.remove_unit(one)


def test_remove_unit_refuses_a_job_that_is_to_run() -> None:
    one = job("a")

    with pytest.raises(ValueError, match="run list"):
        selected(one).remove_unit(one)


def test_a_job_that_is_not_selected_cannot_start() -> None:
    state = SessionState([job("a")])

    assert causes(state, "a") == [InhibitionCause.UNDESIRED]
    assert not state.job_state_map["a"].can_start()


def test_a_selected_job_without_needs_can_start() -> None:
    state = selected(job("a"))

    assert state.job_state_map["a"].can_start()
    assert state.job_state_map["a"].get_readiness_description() == "job can be started"


@pytest.mark.parametrize(
    ("field", "result", "expected"),
    [
        ("depends", None, [InhibitionCause.PENDING_DEP]),
        ("depends", PASS, []),
        ("depends", FAIL, [InhibitionCause.FAILED_DEP]),
        ("after", None, [InhibitionCause.PENDING_DEP]),
        ("after", FAIL, []),
        ("salvages", None, [InhibitionCause.PENDING_DEP]),
        ("salvages", PASS, [InhibitionCause.NOT_FAILED_DEP]),
        ("salvages", FAIL, []),
    ],
)
def test_what_a_job_waits_for_keeps_it_from_starting(
    field: str, result: JobResult | None, expected: list[InhibitionCause]
) -> None:
    needed, waiting = job("x"), job("y", **{field: "x"})
    state = selected(needed, waiting)
    assert causes(state, "y") == [InhibitionCause.PENDING_DEP]  # asked before, so it is cached

    if result is not None:
        state.update_job_result(needed, result)

    assert causes(state, "y") == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (None, [InhibitionCause.PENDING_RESOURCE]),
        ("kind: SSD\n", []),
        ("kind: HDD\n", [InhibitionCause.FAILED_RESOURCE]),
        ("", [InhibitionCause.FAILED_RESOURCE]),
        ("kind: HDD\n\nkind: SSD\n", []),
    ],
)
def test_a_resource_lets_a_job_start_or_not(
    output: str | None, expected: list[InhibitionCause]
) -> None:
    disk, waiting = job("disk", plugin="resource"), job("a", requires="disk.kind == 'SSD'")
    state = selected(disk, waiting)
    assert causes(state, "a") == [InhibitionCause.PENDING_RESOURCE]

    if output is not None:
        state.update_job_result(disk, resource(output))

    assert causes(state, "a") == expected


def test_a_second_resource_result_replaces_the_first() -> None:
    disk = job("disk", plugin="resource")
    state = selected(disk)

    state.update_job_result(disk, resource("kind: SSD\n"))
    state.update_job_result(disk, resource("kind: HDD\n"))

    assert state.resource_map == {"disk": ({"kind": "HDD"},)}


def test_an_expression_that_cannot_be_read_keeps_the_job_from_starting_and_says_where() -> None:
    state = selected(job("a", requires="disk.kind ="))

    (reason,) = state.job_state_map["a"].readiness_inhibitor_list

    assert reason.cause is InhibitionCause.FAILED_RESOURCE
    assert "line 1 column" in str(reason)


def test_reasons_are_in_words() -> None:
    state = selected(job("x"), job("y", depends="x"))

    description = state.job_state_map["y"].get_readiness_description()

    assert description == "job cannot be started: the job 'x' has not run yet"


def test_history_keeps_every_result_but_hollow_ones() -> None:
    one = job("a")
    state = selected(one)

    for result in (FAIL, JobResult(), PASS):
        state.update_job_result(one, result)

    assert state.job_state_map["a"].result_history == (FAIL, PASS)
    assert state.job_state_map["a"].result == PASS


def test_a_result_for_an_unknown_job_is_refused() -> None:
    with pytest.raises(UnknownUnitError):
        SessionState().update_job_result(job("a"), PASS)


def test_a_result_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a JobResult, not dict"):
        selected(job("a")).update_job_result(job("a"), {"outcome": "pass"})  # type: ignore[arg-type]


def test_problems_of_a_selection_are_returned_and_the_rest_runs() -> None:
    state = SessionState([job("a", depends="gone"), job("b")])

    problems = state.update_desired_job_list(state.job_list)

    assert [each.id for each in state.run_list] == ["b"]
    assert len(problems) == 1


def test_mandatory_jobs_come_first_unless_left_out() -> None:
    one, two = job("a"), job("b")
    state = SessionState([one, two])
    state.update_mandatory_job_list([two])

    state.update_desired_job_list([one])
    with_mandatory = [each.id for each in state.run_list]
    state.update_desired_job_list([one], include_mandatory=False)

    assert with_mandatory == ["b", "a"]
    assert [each.id for each in state.run_list] == ["a"]


def test_trim_job_list_takes_out_what_is_not_kept() -> None:
    one, two = job("a"), job("b")
    state = SessionState([one, two])

    state.trim_job_list(lambda each: each.id == "a")

    assert state.job_list == [one]
    assert state.unit_list == [one]


def test_trim_job_list_refuses_jobs_of_the_run_list() -> None:
    one, two = job("a"), job("b")
    state = selected(one, two)

    with pytest.raises(ValueError, match="a"):
        state.trim_job_list(lambda each: each.id == "b")
    assert state.job_list == [one, two]


def test_estimated_duration_adds_up_unless_a_job_does_not_say() -> None:
    automated = job("a", estimated_duration="1.5")
    manual = job("b", plugin="manual", estimated_duration="1m")
    vague = job("c")

    assert selected(automated, manual).get_estimated_duration() == (1.5, 90.0)
    assert selected(automated, vague, manual).get_estimated_duration() == (None, 90.0)


def test_outcome_stats_count_jobs_with_results() -> None:
    one, two, three = job("a"), job("b"), job("c")
    state = selected(one, two, three)

    state.update_job_result(one, PASS)
    state.update_job_result(two, PASS)

    assert state.get_outcome_stats() == {"pass": 2}


def test_recording_a_result_touches_only_what_waits_for_it() -> None:
    needed, waiting, other = job("x"), job("y", depends="x"), job("z")
    state = selected(needed, waiting, other)
    before = {name: each.readiness_inhibitor_list for name, each in state.job_state_map.items()}

    state.update_job_result(needed, PASS)

    cached = {name: each.knows_readiness for name, each in state.job_state_map.items()}
    assert cached == {"x": False, "y": False, "z": True}
    assert before["y"] != state.job_state_map["y"].readiness_inhibitor_list


def public_names(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_what_a_state_returns_changes_nothing_of_it() -> None:
    state = selected(job("a"), job("b"))

    for name in ("unit_list", "job_list", "desired_job_list", "mandatory_job_list", "run_list"):
        before = list(getattr(state, name))
        getattr(state, name).append(job("c"))
        with pytest.raises(AttributeError):
            setattr(state, name, [])
        assert getattr(state, name) == before
    for name in ("job_state_map", "resource_map", "manifest", "made_from", "units_by_kind"):
        with pytest.raises(TypeError):
            getattr(state, name)["a"] = None


def test_a_job_state_can_only_be_read_and_overridden() -> None:
    state = selected(job("a")).job_state_map["a"]

    for name in ("result", "result_history", "in_flight", "process"):
        with pytest.raises(AttributeError):
            setattr(state, name, None)
    assert {name for name in public_names(JobState) if callable(getattr(JobState, name))} == {
        "apply_overrides",
        "can_start",
        "get_readiness_description",
    }


def test_a_result_whose_records_cannot_be_read_is_not_recorded() -> None:
    resource = job("r", plugin="resource")
    state = selected(resource)
    events: list[object] = []
    state.recorder.attach("local", "", events.append)
    events.clear()
    broken = JobResult(outcome="pass", io_log_ref="sha256:gone")

    def unreadable(_result: JobResult) -> list[IOLogRecord]:
        raise OSError("the disk is gone")

    state.read_io_log = unreadable
    with pytest.raises(OSError, match="gone"):
        state.update_job_result(resource, broken)

    assert events == []
    assert state.job_state_map["r"].result_history == ()


def test_a_job_that_comes_back_under_its_id_waits_for_what_it_says_now() -> None:
    first = job("a", depends="b")
    state = SessionState([first, job("b"), job("c")])
    state.update_desired_job_list([first])
    state.update_desired_job_list([])
    state.remove_unit(first)

    again = job("a", depends="c")
    state.add_unit(again)
    state.update_desired_job_list([again])

    assert [each.id for each in state.run_list] == ["c", "a"]


def test_an_expression_of_an_older_journal_means_whole_ids() -> None:
    record = OverrideRecord(pattern="a|b", fixed=False, field="auto_retry", value="no")
    state = SessionState([job("a"), job("b"), job("ab")])

    state.set_overrides([Override.of(record)])

    retry = {job_id: each.refuses_retry for job_id, each in state.job_state_map.items()}
    assert retry == {"a": True, "b": True, "ab": False}
