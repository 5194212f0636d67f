from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.results import JobResult, Outcome
from holdall.session.state import SessionState
from holdall.units import Job, make_unit

if TYPE_CHECKING:
    from holdall.units import Unit


def job(job_id: str, **fields: str) -> Job:
    given = {"id": job_id, "plugin": "shell", "command": "true", **fields}
    made = make_unit({name.replace("_", "-"): text for name, text in given.items()})
    assert isinstance(made, Job)
    return made


def tried(outcomes: dict[str, str], *units: Unit) -> SessionState:
    state = SessionState(units)
    state.update_desired_job_list(state.job_list)
    for job_id, outcome in outcomes.items():
        state.update_job_result(state.job_state_map[job_id].job, JobResult(outcome=outcome))
    return state


def test_outcomes_are_counted_by_the_last_result_of_each_job() -> None:
    state = tried({"a": "fail", "b": "pass"}, job("a"), job("b"), job("c"))
    state.update_job_result(state.job_list[0], JobResult(outcome="pass"))

    assert state.get_outcome_stats() == {"pass": 2}


def test_jobs_that_only_gather_data_do_not_count_as_tests() -> None:
    state = tried(
        {"a": "pass", "b": "pass", "c": "fail"},
        job("a", plugin="resource"),
        job("b", plugin="attachment"),
        job("c"),
    )

    assert state.get_outcome_stats() == {"pass": 2, "fail": 1}
    assert state.get_test_outcome_stats() == {"fail": 1}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("pass", "pass"), Outcome.PASS),
        (("pass", "fail"), Outcome.FAIL),
        (("crash", "pass"), Outcome.FAIL),
        (("skip", "pass"), Outcome.PASS),
        (("skip", "not-supported"), Outcome.SKIP),
    ],
)
def test_a_category_failed_if_any_job_did_and_passed_if_any_other_did(
    outcomes: tuple[str, str], expected: Outcome
) -> None:
    one, two = job("a", category_id="disk"), job("b", category_id="disk")

    state = tried(dict(zip("ab", outcomes, strict=True)), one, two)

    assert state.category_outcome_map == {"disk": expected}


def test_a_category_without_results_has_no_outcome() -> None:
    state = tried({"a": "pass"}, job("a", category_id="one"), job("b", category_id="two"))

    assert list(state.category_outcome_map) == ["one"]


def test_the_category_map_holds_the_headings_that_are_known() -> None:
    category = make_unit({"unit": "category", "id": "disk", "name": "Disks"})
    state = tried({}, category)
    before = state.category_map

    state.remove_unit(category)

    assert before == {"disk": "Disks"}
    assert state.category_map == {}


def test_the_certification_map_has_failed_blockers_unless_told_otherwise() -> None:
    blocker = {"certification_status": "blocker"}
    state = tried(
        {"a": "fail", "b": "pass", "c": "fail", "d": "crash"},
        job("a", **blocker),
        job("b", **blocker),
        job("c"),
        job("d", **blocker),
    )

    def ids(*filters: tuple[str, ...]) -> list[str]:
        return list(state.get_certification_status_map(*filters))

    assert ids() == ["a"]
    assert ids(("fail", "crash")) == ["a", "d"]
    assert ids(("pass", "fail"), ("blocker", "non-blocker")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ((), (0.0, 0.0)),
        ((job("a", estimated_duration="2"), job("b", estimated_duration="1m")), (62.0, 0.0)),
        ((job("a", plugin="manual", estimated_duration="10"),), (0.0, 40.0)),
        ((job("a"), job("b", plugin="manual", estimated_duration="10")), (None, 40.0)),
        ((job("a", estimated_duration="2"), job("b", plugin="manual")), (2.0, None)),
    ],
)
def test_durations_add_up_unless_a_job_of_the_kind_does_not_say(
    jobs: tuple[Job, ...], expected: tuple[float | None, float | None]
) -> None:
    assert tried({}, *jobs).get_estimated_duration() == expected


def test_the_overhead_of_manual_jobs_can_be_given() -> None:
    state = tried({}, job("a", plugin="manual", estimated_duration="10"))

    assert state.get_estimated_duration(manual_overhead=5) == (0.0, 15.0)
