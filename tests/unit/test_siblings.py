from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from holdall.errors import DependencyDuplicateError, UnitError
from holdall.session.siblings import siblings
from holdall.session.state import SessionState
from holdall.units import SUSPENDS, Job, make_unit

if TYPE_CHECKING:
    from holdall.units import Unit


def job(job_id: str, **fields: str) -> Job:
    made = make_unit({"id": job_id, "plugin": "shell", "command": "true", **fields})
    assert isinstance(made, Job)
    return made


def jobs_of(source: Job) -> list[Job]:
    found = list(siblings(source))
    assert all(isinstance(each, Job) for each in found), found
    return [each for each in found if isinstance(each, Job)]


def test_a_plain_job_brings_no_others() -> None:
    assert list(siblings(job("a", flags="noreturn"))) == []


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("also-after-suspend", "after-suspend-a"),
        ("also-after-suspend-manual", "after-suspend-manual-a"),
    ],
)
def test_a_flag_asks_for_the_job_once_more_behind_the_suspend(flag: str, expected: str) -> None:
    source = job("a", flags=f"{flag} noreturn", depends="b", summary="A")

    (made,) = jobs_of(source)

    assert made.id == expected
    assert made.depends == ("b", SUSPENDS[flag])
    assert made.flags == {"noreturn"}
    assert made.command == source.command
    assert made.summary.startswith("A after suspend")


def test_the_job_itself_runs_before_the_suspend() -> None:
    assert job("a", flags="also-after-suspend").before == (SUSPENDS["also-after-suspend"],)


def test_siblings_differ_in_the_fields_that_are_written() -> None:
    changes = [{"id": "b", "command": "false"}, {"id": "c", "_summary": "C"}]
    source = job("a", summary="A", siblings=json.dumps(changes))

    first, second = jobs_of(source)

    assert (first.id, first.command, first.summary) == ("b", "false", "A")
    assert (second.id, second.command, second.summary) == ("c", "true", "C")


def test_siblings_stay_in_the_namespace_and_at_the_place_of_their_job() -> None:
    fields = {"id": "a", "flags": "simple also-after-suspend", "command": "true"}
    source = make_unit(fields, namespace="com.example")
    assert isinstance(source, Job)

    (made,) = jobs_of(source)

    assert made.id == "com.example::after-suspend-a"
    assert made.origin == source.origin


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '"words"',
        "[3]",
        '[{"id": 3}]',
        '[{"id": "b", "plugin": "nonsense"}]',
        pytest.param("[" * 200_000, id="deep"),
    ],
)
def test_siblings_that_make_no_sense_are_a_problem_and_the_job_is_there(text: str) -> None:
    state = SessionState([job("a", siblings=text)])

    (problem,) = state.problems
    assert isinstance(problem, UnitError)
    assert [each.id for each in state.job_list] == ["a"]


def test_a_sibling_whose_id_is_taken_is_a_problem() -> None:
    taken = job("b", summary="another")

    state = SessionState([taken, job("a", siblings='[{"id": "b"}]')])

    (problem,) = state.problems
    assert isinstance(problem, DependencyDuplicateError)
    assert state.get_unit("b") is taken


def test_siblings_join_the_session_behind_their_job() -> None:
    units: list[Unit] = [job("a", flags="also-after-suspend"), job("c")]

    state = SessionState(units)

    assert [each.id for each in state.job_list] == ["a", "after-suspend-a", "c"]
    assert state.made_from["after-suspend-a"] == "a"
