from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.session.plans import pattern, plan_selection
from holdall.units import Job, TestPlan, make_unit

if TYPE_CHECKING:
    from holdall.session.plans import PlanSelection


def plan(plan_id: str, **fields: str) -> TestPlan:
    made = make_unit(
        {"unit": "test plan", "id": plan_id, "name": plan_id, **fields}, namespace="ns"
    )
    assert isinstance(made, TestPlan)
    return made


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "x", **fields}, namespace="ns")
    assert isinstance(made, Job)
    return made


JOBS = [job("cpu/count"), job("cpu/heat"), job("disk/read"), job("zebra")]


def selected(*plans: TestPlan, nested: tuple[TestPlan, ...] = ()) -> PlanSelection:
    known = {each.id: each for each in (*plans, *nested)}
    return plan_selection(plans, JOBS, known.get)


def names(ids: tuple[str, ...]) -> list[str]:
    return [each.removeprefix("ns::") for each in ids]


def test_include_takes_ids_and_expressions_in_the_order_written() -> None:
    found = selected(plan("p", include="zebra\n# a comment\ncpu/.*"))

    assert names(found.jobs) == ["zebra", "cpu/count", "cpu/heat"]


def test_an_expression_means_a_whole_id() -> None:
    assert names(selected(plan("p", include="cpu/c.*|read")).jobs) == ["cpu/count"]


def test_alternatives_are_grouped_before_they_are_anchored() -> None:
    """TRAP 1.11: upstream reads `z|y` as `^z|y$`, which selects `zebra`."""
    assert selected(plan("p", include="z|y")).jobs == ()


def test_anchors_of_the_author_do_no_harm() -> None:
    assert names(selected(plan("p", include="^cpu/count$")).jobs) == ["cpu/count"]


def test_excluding_beats_including() -> None:
    found = selected(plan("p", include=".*", exclude="cpu/.*\nzebra"))

    assert names(found.jobs) == ["disk/read"]


def test_an_id_is_meant_in_the_namespace_of_the_plan_unless_it_has_one() -> None:
    assert selected(plan("p", include="other::zebra")).jobs == ()
    assert selected(plan("p", include="ns::zebra")).jobs == ("ns::zebra",)


def test_a_regular_expression_that_is_none_is_a_problem_with_its_plan() -> None:
    found = selected(plan("p", include="cpu/(\nzebra"))

    assert names(found.jobs) == ["zebra"]
    assert "'ns::p'" in found.problems[0]
    assert "cpu/(" in found.problems[0]


def test_bootstrap_and_mandatory_jobs_are_apart_from_the_others() -> None:
    found = selected(
        plan("p", include=".*", bootstrap_include="zebra", mandatory_include="disk/read")
    )

    assert names(found.bootstrap) == ["zebra"]
    assert names(found.mandatory) == ["disk/read"]
    assert "ns::zebra" not in found.jobs


def test_nested_plans_come_before_the_plan_that_nests_them() -> None:
    outer = plan("outer", include="zebra", nested_part="inner")
    inner = plan("inner", include="cpu/count")

    assert names(selected(outer, nested=(inner,)).jobs) == ["cpu/count", "zebra"]


def test_plans_that_nest_each_other_do_not_run_for_ever() -> None:
    """TRAP 3.5: upstream raises RecursionError."""
    one = plan("one", include="zebra", nested_part="two")
    two = plan("two", include="cpu/count", nested_part="one")

    assert names(selected(one, nested=(two,)).jobs) == ["cpu/count", "zebra"]


def test_a_nested_plan_that_is_not_there_is_a_problem() -> None:
    found = selected(plan("p", include="zebra", nested_part="gone"))

    assert names(found.jobs) == ["zebra"]
    assert "'ns::gone'" in found.problems[0]


def test_overrides_stand_in_declaration_order_the_nested_ones_first() -> None:
    """TRAP 1.11: upstream sorts them by the text of their patterns."""
    outer = plan("outer", include="zebra certification-status=blocker", nested_part="inner")
    inner = plan(
        "inner",
        include="cpu/count",
        certification_status_overrides="apply non-blocker to zebra",
        category_overrides="apply hot to cpu/.*",
    )

    found = selected(outer, nested=(inner,))

    assert [(each.field, each.value) for each in found.overrides] == [
        ("category_id", "ns::hot"),
        ("certification_status", "non-blocker"),
        ("certification_status", "blocker"),
    ]


@pytest.mark.parametrize("line", ["zebra unknown=1", "zebra blocker"])
def test_an_override_of_nothing_is_a_problem(line: str) -> None:
    assert "overrides nothing" in selected(plan("p", include=line)).problems[0]


def test_a_block_line_that_is_no_override_is_a_problem_and_blank_ones_are_not() -> None:
    found = selected(
        plan("p", include="zebra", category_overrides="# words\n\nput it somewhere\napply a to b")
    )

    assert len(found.problems) == 1
    assert len(found.overrides) == 1


def test_a_job_is_matched_by_the_id_of_its_template_too() -> None:
    made = job("disk/sda", **{"template-id": "disk/name"})

    assert pattern("disk/name", "ns").matches(made)
