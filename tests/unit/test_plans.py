from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.session.catalog import JobCatalog
from holdall.session.overrides import Overrides
from holdall.session.plans import plan_selection
from holdall.units import Job, TestPlan, make_unit

if TYPE_CHECKING:
    from holdall.session.plans import PlanSelection


def plan(plan_id: str, *, namespace: str = "ns", **fields: str) -> TestPlan:
    made = make_unit(
        {"unit": "test plan", "id": plan_id, "name": plan_id, **fields}, namespace=namespace
    )
    assert isinstance(made, TestPlan)
    return made


def job(job_id: str, *, namespace: str = "ns", **fields: str) -> Job:
    made = make_unit(
        {"id": job_id, "plugin": "shell", "command": "x", **fields}, namespace=namespace
    )
    assert isinstance(made, Job)
    return made


JOBS = [job("cpu/count"), job("cpu/heat"), job("disk/read"), job("zebra")]


def selected(
    *plans: TestPlan, nested: tuple[TestPlan, ...] = (), jobs: list[Job] | None = None
) -> PlanSelection:
    known = {each.id: each for each in (*plans, *nested)}
    return plan_selection(plans, JobCatalog(JOBS if jobs is None else jobs), known.get)


def names(ids: tuple[str, ...]) -> list[str]:
    return [each.removeprefix("ns::") for each in ids]


def in_force(*plans: TestPlan, job_id: str, nested: tuple[TestPlan, ...] = ()) -> dict[str, str]:
    (target,) = (each for each in JOBS if each.id == f"ns::{job_id}")
    overrides = Overrides(selected(*plans, nested=nested).overrides)
    by_job = overrides.by_job(JobCatalog(JOBS)).get(target.id, {})
    assert overrides.of(target) == by_job
    return by_job


def test_include_takes_ids_and_expressions_in_the_order_written() -> None:
    found = selected(plan("p", include="zebra\n# a comment\ncpu/.*"))

    assert names(found.jobs) == ["zebra", "cpu/count", "cpu/heat"]


def test_jobs_of_one_expression_stand_in_the_order_of_the_jobs() -> None:
    assert names(selected(plan("p", include=".*")).jobs) == names(tuple(each.id for each in JOBS))


@pytest.mark.parametrize("field", ["include", "mandatory_include", "bootstrap_include"])
def test_what_is_commented_out_is_not_selected(field: str) -> None:
    found = selected(plan("p", **{field: "zebra# cpu/count\n  # disk/read\n#cpu/heat"}))

    assert names(found.jobs or found.mandatory or found.bootstrap) == ["zebra"]


def test_excluding_beats_including() -> None:
    found = selected(plan("p", include=".*", exclude="cpu/.*\nzebra"))

    assert names(found.jobs) == ["disk/read"]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({"include": "zebra"}, {"exclude": "zebra", "include": "cpu/heat"}),
        ({"exclude": "zebra"}, {"include": "zebra\ncpu/heat"}),
        ({"include": "zebra"}, {"bootstrap_include": "zebra", "include": "cpu/heat"}),
    ],
)
def test_what_any_plan_of_the_tree_excludes_is_out(
    outer: dict[str, str], inner: dict[str, str]
) -> None:
    found = selected(plan("p", nested_part="q", **outer), nested=(plan("q", **inner),))

    assert names(found.jobs) == ["cpu/heat"]


def test_the_excludes_of_one_plan_hit_another_that_runs_with_it() -> None:
    found = selected(plan("p", include=".*"), plan("q", exclude="cpu/.*"))

    assert names(found.jobs) == ["disk/read", "zebra"]


def test_a_mandatory_job_is_not_excluded() -> None:
    found = selected(plan("p", mandatory_include="zebra", include=".*", exclude="zebra|cpu"))

    assert names(found.mandatory) == ["zebra"]


def test_an_id_is_meant_in_the_namespace_of_the_plan_unless_it_has_one() -> None:
    assert selected(plan("p", include="other::zebra")).jobs == ()
    assert selected(plan("p", include="ns::zebra")).jobs == ("ns::zebra",)
    assert selected(plan("p", include=".*::zebra", namespace="x")).jobs == ("ns::zebra",)


def test_a_nested_plan_of_another_namespace_means_its_own() -> None:
    inner = plan("q", include="zebra", namespace="other")
    jobs = [*JOBS, job("zebra", namespace="other")]

    found = selected(plan("p", nested_part="other::q"), nested=(inner,), jobs=jobs)

    assert found.jobs == ("other::zebra",)


@pytest.mark.parametrize("line", ["cpu/(", "a b", "a, b", "x a=1 b=2", '"open', "[", "a{2,3}"])
def test_a_line_that_cannot_be_read_is_a_problem_with_its_plan(line: str) -> None:
    found = selected(plan("p", include=f"{line}\nzebra"))

    assert names(found.jobs) == ["zebra"]
    assert "'ns::p'" in str(found.faults[0])
    assert line in str(found.faults[0])


def test_bootstrap_and_mandatory_jobs_are_apart_from_the_others() -> None:
    found = selected(
        plan("p", include=".*", bootstrap_include="zebra", mandatory_include="disk/read")
    )

    assert names(found.bootstrap) == ["zebra"]
    assert names(found.mandatory) == ["disk/read"]
    assert "ns::zebra" not in found.jobs


def test_bootstrap_and_setup_take_ids_and_no_expressions() -> None:
    found = selected(
        plan("p", bootstrap_include="cpu/.*, zebra", setup_include="cpu/heat disk/.*")
    )

    assert (names(found.bootstrap), names(found.setup)) == (["zebra"], ["cpu/heat"])


def test_a_plan_comes_before_the_plans_that_are_nested_in_it() -> None:
    outer = plan("outer", include="zebra", nested_part="inner", setup_include="disk/read")
    inner = plan("inner", include="cpu/count", setup_include="cpu/heat")

    found = selected(outer, nested=(inner,))

    assert names(found.jobs) == ["zebra", "cpu/count"]
    assert names(found.setup) == ["disk/read", "cpu/heat"]


def test_plans_that_nest_each_other_do_not_run_for_ever() -> None:
    """TRAP 3.5: upstream raises RecursionError."""
    one = plan("one", include="zebra", nested_part="two")
    two = plan("two", include="cpu/count", nested_part="one")

    assert names(selected(one, nested=(two,)).jobs) == ["zebra", "cpu/count"]


def test_a_nested_plan_that_is_not_there_is_a_problem() -> None:
    found = selected(plan("p", include="zebra", nested_part="gone"))

    assert names(found.jobs) == ["zebra"]
    assert "'ns::gone'" in found.problems[0]


MADE = [
    job("disk/sda", **{"template-id": "disk/name"}),
    job("disk/sdb", **{"template-id": "disk/name"}),
    job("disk/other"),
]


@pytest.mark.parametrize("field", ["include", "mandatory_include", "bootstrap_include"])
def test_the_id_of_a_template_means_all_jobs_made_from_it(field: str) -> None:
    found = selected(plan("p", **{field: "disk/name"}), jobs=MADE)

    assert names(found.jobs or found.mandatory or found.bootstrap) == ["disk/sda", "disk/sdb"]


def test_an_expression_is_not_tried_on_the_ids_of_templates() -> None:
    assert selected(plan("p", include="disk/nam.*"), jobs=MADE).jobs == ()
    assert names(selected(plan("p", include=".*", exclude="disk/n.*"), jobs=MADE).jobs) == [
        *("disk/sda", "disk/sdb", "disk/other"),
    ]


def test_an_override_reaches_jobs_by_the_id_of_their_template() -> None:
    found = selected(
        plan("p", certification_status_overrides="apply blocker to disk/na.e"), jobs=MADE
    )

    by_job = Overrides(found.overrides).by_job(JobCatalog(MADE))
    assert names(tuple(by_job)) == ["disk/sda", "disk/sdb"]
    assert Overrides(found.overrides).of(MADE[0]) == {"certification_status": "blocker"}
    assert Overrides(found.overrides).of(MADE[2]) == {}


STATUS = "certification-status"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"include": f"zebra {STATUS}=blocker"}, "blocker"),
        ({"include": f"^zebra$ {STATUS}=blocker"}, "blocker"),
        ({"bootstrap_include": f"zebra {STATUS}=blocker"}, "blocker"),
        ({"mandatory_include": f'zebra {STATUS} = "blocker"'}, "blocker"),
        ({"exclude": f"zebra {STATUS}=blocker"}, None),
        # By the text of the patterns, and not by where they stand.
        ({"include": f"zebra {STATUS}=a\nzeb.* {STATUS}=b"}, "a"),
        ({"include": f"zeb.* {STATUS}=b\nzebra {STATUS}=a"}, "a"),
        ({"include": f"zebra.* {STATUS}=b\nzebra {STATUS}=a"}, "b"),
        ({"include": f"zebr. {STATUS}=b\nzebr[a] {STATUS}=a"}, "a"),
        # Of one text the block counts over the line.
        (
            {
                "include": f"zebra {STATUS}=a",
                "certification_status_overrides": "apply b to zebra",
            },
            "b",
        ),
        ({"certification_status_overrides": "apply b to ^zebra$"}, None),
        ({"certification_status_overrides": "apply b to zebra # and why"}, "b"),
        ({"certification-status-overrides": "apply b to zebra"}, None),
        ({"certification_status_overrides": "apply b to z.*\n\n# apply c to zebra"}, "b"),
        ({"certification_status_overrides": r"apply b to zebr\a"}, None),
        ({"include": rf"\zebra {STATUS}=a"}, None),
        ({"include": rf"zeb[r]a {STATUS}=banana"}, "banana"),
    ],
)
def test_overrides_apply_in_the_order_that_checkbox_applies_them(
    fields: dict[str, str], expected: str | None
) -> None:
    assert in_force(plan("p", **fields), job_id="zebra").get("certification_status") == expected


def test_of_one_text_a_nested_plan_counts_over_the_one_that_nests_it() -> None:
    outer = plan("outer", include=f"zebra {STATUS}=outer", nested_part="inner")
    inner = plan("inner", include=f"zebra {STATUS}=inner")

    assert in_force(outer, job_id="zebra", nested=(inner,)) == {"certification_status": "inner"}


def test_a_block_of_the_outer_plan_counts_over_a_line_of_a_nested_one() -> None:
    outer = plan("outer", certification_status_overrides="apply outer to zebra", nested_part="i")
    inner = plan("i", include=f"zebra {STATUS}=inner")

    assert in_force(outer, job_id="zebra", nested=(inner,)) == {"certification_status": "outer"}


@pytest.mark.parametrize(
    ("block", "expected"), [("", {}), ("apply hot to cpu/.*", {"category_id": "ns::cold"})]
)
def test_category_blocks_of_nested_plans_count_where_the_outer_plan_has_one(
    block: str, expected: dict[str, str]
) -> None:
    outer = plan("outer", category_overrides=block, nested_part="inner")
    inner = plan("inner", category_overrides="apply cold to zebra")

    assert in_force(outer, job_id="zebra", nested=(inner,)) == expected


def test_a_category_is_qualified_in_a_block_and_not_behind_an_id() -> None:
    inline = plan("p", include="zebra category-id=hot")
    block = plan("p", category_overrides="apply hot to zebra")

    assert in_force(inline, job_id="zebra") == {"category_id": "hot"}
    assert in_force(block, job_id="zebra") == {"category_id": "ns::hot"}


def test_a_retry_can_be_overridden_behind_an_id() -> None:
    assert in_force(plan("p", include="zebra auto-retry=no"), job_id="zebra") == {
        "auto_retry": "no"
    }


def test_plans_that_run_together_apply_one_after_the_other() -> None:
    one = plan("one", include=f"z.* {STATUS}=one")
    two = plan("two", include=f"ze.* {STATUS}=two\nz.* {STATUS}=late")

    # A text that stands in both keeps the place that the first plan gave it.
    assert in_force(one, two, job_id="zebra") == {"certification_status": "two"}


@pytest.mark.parametrize("line", ["zebra unknown=1", "zebra blocker"])
def test_an_override_of_nothing_is_a_problem(line: str) -> None:
    assert line in str(selected(plan("p", include=line)).faults[0])


def test_a_block_line_that_is_no_override_is_a_problem_and_blank_ones_are_not() -> None:
    found = selected(
        plan("p", include="zebra", category_overrides="# words\n\nput it somewhere\napply a to b")
    )

    assert len(found.problems) == 1
    assert len(found.overrides) == 1


def test_the_spelling_that_has_no_effect_is_told() -> None:
    (doubt,) = plan("p", **{"category-overrides": "apply a to b"}).doubts()

    assert "'category_overrides'" in doubt.text


def test_a_job_and_a_template_of_one_id_are_both_meant_as_far_as_checkbox_looks() -> None:
    jobs = [job("x-1", **{"template-id": "x"}), job("x"), job("x-2", **{"template-id": "x"})]

    found = selected(plan("p", include=f"x {STATUS}=blocker"), jobs=jobs)

    # Looking for the id ends at the job; what overrides it is tried on every one.
    assert names(found.jobs) == ["x-1", "x"]
    by_job = Overrides(found.overrides).by_job(JobCatalog(jobs))
    assert sorted(names(tuple(by_job))) == ["x", "x-1", "x-2"]


def test_overrides_of_plans_of_two_namespaces_stand_in_the_order_of_whole_texts() -> None:
    outer = plan("p", namespace="a", nested_part="z::q", include=f".*::zebra {STATUS}=outer")
    inner = plan("q", namespace="z", include=f"ns::zebra {STATUS}=inner")

    # '^.*::zebra$' comes before '^ns::zebra$'.
    assert in_force(outer, job_id="zebra", nested=(inner,)) == {"certification_status": "inner"}


def test_a_part_that_two_plans_lack_is_told_once_for_each() -> None:
    outer = plan("p", nested_part="q gone gone", include="zebra")

    problems = selected(outer, nested=(plan("q", nested_part="gone"),)).problems

    assert len(problems) == 2
