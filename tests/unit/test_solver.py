from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import DependencyCycleError, DependencyMissingError, DependencyUnknownError
from holdall.session.solver import solve
from holdall.units import Job, make_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.session.solver import Solution


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def solved(*jobs: Job, wanted: list[Job] | None = None) -> Solution:
    return solve({each.id: each for each in jobs}, jobs if wanted is None else wanted)


def ids(solution: Solution) -> list[str]:
    return [each.id for each in solution.run_list]


def test_jobs_without_dependencies_keep_their_order() -> None:
    assert ids(solved(job("b"), job("a"), job("c"))) == ["b", "a", "c"]


def test_what_a_job_depends_on_runs_first_and_is_pulled_in() -> None:
    a, b, c = job("a", depends="b"), job("b", after="c"), job("c")

    assert ids(solved(a, b, c, wanted=[a])) == ["c", "b", "a"]


def test_the_jobs_that_checkbox_brings_itself_are_no_missing_dependency() -> None:
    a = job("a", depends="com.canonical.plainbox::manifest", after="b")

    solution = solved(a, job("b"), wanted=[a])

    assert (ids(solution), solution.problems) == (["b", "a"], [])


def test_a_resource_that_is_required_runs_first() -> None:
    a = job("a", requires="disk.kind == 'SSD'")
    disk = job("disk", plugin="resource")

    assert ids(solved(a, disk, wanted=[a])) == ["disk", "a"]


def test_salvaging_comes_after_what_is_salvaged_and_pulls_nothing_in() -> None:
    a, b = job("a", salvages="b"), job("b")

    assert ids(solved(a, b)) == ["b", "a"]
    assert ids(solved(a, b, wanted=[a])) == ["a"]


def test_before_orders_jobs_that_both_run_and_pulls_nothing_in() -> None:
    a, b, c = job("a"), job("b", before="a"), job("c", before="nowhere")

    assert ids(solved(a, b, c)) == ["b", "a", "c"]
    assert ids(solved(a, b, c, wanted=[a])) == ["a"]


def test_a_group_stays_together() -> None:
    jobs = [job("a", group="g"), job("b"), job("c", group="g"), job("d")]

    assert ids(solved(*jobs)) == ["a", "c", "b", "d"]


def test_a_group_comes_after_what_any_of_it_waits_for() -> None:
    jobs = [job("a", group="g"), job("b"), job("c", group="g", depends="b")]

    assert ids(solved(*jobs)) == ["b", "a", "c"]


def test_a_group_that_cannot_hold_together_is_left_out_with_what_is_between() -> None:
    jobs = [job("a", group="g"), job("b", depends="a"), job("c", group="g", depends="b"), job("d")]

    solution = solved(*jobs)

    assert ids(solution) == ["d"]
    assert [type(each) for each in solution.problems] == [DependencyCycleError]
    assert "group" in str(solution.problems[0])


def test_a_circle_of_before_is_left_out() -> None:
    jobs = [job("a", before="b"), job("b", before="a"), job("c", depends="a"), job("d")]

    solution = solved(*jobs)

    assert ids(solution) == ["d"]
    assert [str(each) for each in solution.problems] == [
        "jobs wait for each other (before): b -> a -> b",
        "job 'c' cannot run: it depends on 'a': that job was left out itself",
    ]


def test_what_only_a_dropped_job_needs_does_not_run() -> None:
    jobs = [job("a", depends="b missing"), job("b"), job("c")]

    assert ids(solved(*jobs, wanted=[jobs[0], jobs[2]])) == ["c"]


def test_a_job_comes_right_behind_what_it_waits_for_in_the_order_it_names_that() -> None:
    jobs = [job("a", depends="x y"), job("b"), job("y", after="z"), job("z"), job("x")]

    assert ids(solved(*jobs, wanted=jobs[:2])) == ["x", "z", "y", "a", "b"]


def test_a_circle_is_left_out_with_all_that_needs_it() -> None:
    jobs = [job("a", depends="b"), job("b", depends="a"), job("c", depends="a"), job("d")]

    solution = solved(*jobs)

    assert ids(solution) == ["d"]
    assert [str(each) for each in solution.problems] == [
        "jobs wait for each other (dependencies): a -> b -> a",
        "job 'c' cannot run: it depends on 'a': that job was left out itself",
    ]


def test_a_job_that_waits_for_itself_is_a_circle() -> None:
    solution = solved(job("a", depends="a"))

    assert ids(solution) == []
    assert isinstance(solution.problems[0], DependencyCycleError)


def test_all_missing_jobs_are_reported_in_one_pass() -> None:
    jobs = [job("a", depends="x y"), job("b", depends="a"), job("c", after="z"), job("d")]

    solution = solved(*jobs)

    assert ids(solution) == ["d"]
    found = {
        (e.job_id, e.missing) for e in solution.problems if isinstance(e, DependencyMissingError)
    }
    assert found == {("a", "x"), ("a", "y"), ("b", "a"), ("c", "z")}


def test_a_job_that_the_session_does_not_have_is_unknown() -> None:
    solution = solved(job("a"), wanted=[job("b")])

    assert [type(each) for each in solution.problems] == [DependencyUnknownError]


def test_a_chain_of_ten_thousand_jobs_needs_no_recursion() -> None:
    jobs = [job(f"j{n}", depends=f"j{n + 1}") for n in range(10_000)] + [job("j10000")]

    assert len(solved(*jobs).run_list) == 10_001


@st.composite
def graphs(draw: st.DrawFn) -> list[Job]:
    names = [f"j{number}" for number in range(draw(st.integers(1, 8)))]
    some = st.lists(st.sampled_from([*names, "missing"]), max_size=2)
    return [
        job(
            name,
            depends=" ".join(draw(some)),
            after=" ".join(draw(some)),
            before=" ".join(draw(some)),
            group=draw(st.sampled_from(["", "g", "h"])),
        )
        for name in names
    ]


@given(graphs())
def test_whatever_is_wished_dependencies_run_first_and_losses_are_explained(
    jobs: list[Job],
) -> None:
    solution = solved(*jobs)

    place: Mapping[str, int] = {each.id: n for n, each in enumerate(solution.run_list)}
    assert len(place) == len(solution.run_list)
    for each in solution.run_list:
        for needed in (*each.depends, *each.after):
            assert place[needed] < place[each.id]
    lost = {each.id for each in jobs} - set(place)
    explained: set[str] = set()
    for problem in solution.problems:
        if isinstance(problem, DependencyMissingError):
            explained.add(problem.job_id)
        elif isinstance(problem, DependencyCycleError):
            names = {name.removeprefix("job ") for name in problem.cycle}
            explained.update(
                each.id for each in jobs if each.id in names or f"group {each.group}" in names
            )
    assert lost == explained
