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
    assert made.depends == ("b", "a", SUSPENDS[flag])
    assert made.flags == {"noreturn"}
    assert made.command == source.command
    assert made.summary == "A after suspend (S3)"


def test_the_jobs_behind_a_suspend_are_a_group_of_their_own() -> None:
    by_itself, by_hand = jobs_of(
        job("a", flags="also-after-suspend also-after-suspend-manual", group="jack")
    )

    assert (by_itself.group, by_hand.group) == ("after-suspend-jack", "after-suspend-manual-jack")
    assert by_itself.flags == by_hand.flags == frozenset()


def test_all_other_flags_stay_as_they_were_written() -> None:
    (made,) = jobs_of(job("a", flags="noreturn also-after-suspend has-leftovers"))

    assert made.get("flags") == "noreturn has-leftovers"


def test_a_sibling_inherits_the_wish_to_run_behind_the_suspend_too() -> None:
    fields = {"flags": "also-after-suspend"}
    state = SessionState([job("a", siblings='[{"id": "b"}, {"id": "c", "flags": ""}]', **fields)])

    assert [each.id for each in state.job_list] == [
        *("a", "b", "after-suspend-b", "c", "after-suspend-a"),
    ]


def test_a_sibling_may_have_siblings() -> None:
    entry = {"id": "b", "siblings": [{"id": "c", "command": "false"}]}
    state = SessionState([job("a", siblings=json.dumps([entry]))])

    assert [each.id for each in state.job_list] == ["a", "b", "c"]


def test_values_of_siblings_are_taken_as_json_has_them() -> None:
    entry = {
        "id": "b",
        "estimated_duration": 5,
        "summary": True,
        "depends": ["x", 3],
        "user": None,
    }
    (made,) = jobs_of(job("a", user="root", siblings=json.dumps([entry])))

    assert (made.estimated_duration, made.summary) == (5.0, "True")
    assert (made.depends, made.user) == (("x", "3"), "")


@pytest.mark.parametrize("field", ["depends", "after"])
def test_a_job_that_is_behind_the_suspend_is_not_sent_before_it_too(field: str) -> None:
    suspend = SUSPENDS["also-after-suspend"]
    short = suspend.rpartition("::")[2]
    fields = {"id": "a", "plugin": "shell", "command": "true", field: short}
    source = make_unit(
        {**fields, "flags": "also-after-suspend"}, namespace="com.canonical.certification"
    )
    assert isinstance(source, Job)

    assert source.before == ()


def test_a_sibling_that_is_behind_the_suspend_sends_its_job_before_it() -> None:
    suspend = SUSPENDS["also-after-suspend"]
    source = job("a", siblings=json.dumps([{"id": "b", "after": suspend}]))

    assert source.before == (suspend,)


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
        '[{"id": ["b", {}]}]',
        '[{"id": "b", "depends": {"a": 1}}]',
        '[{"command": "no id of its own"}]',
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


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[{"id": "b", "n": ' + "9" * 5000 + "}]", id="a number of 5000 digits"),
        pytest.param("[" * 100_000, id="nested and open"),
        pytest.param('[{"id": "b", "n": ' + "[" * 900 + "]" * 900 + "}]", id="nested"),
        pytest.param("[" * 980 + "]" * 980, id="almost too deep"),
    ],
)
def test_siblings_that_are_too_much_for_python_are_a_fault_of_theirs(text: str) -> None:
    (error,) = siblings(job("a", siblings=text))

    assert isinstance(error, UnitError)
    assert "siblings: " in str(error)


def test_a_lone_surrogate_in_a_sibling_becomes_text_that_a_journal_holds() -> None:
    text = r'[{"id": "b", "summary": "\ud800", "flags": ["\udcff"], "x\ud800": "y"}]'

    (made,) = jobs_of(job("a", siblings=text))

    assert made.summary == "\\ud800"
    assert made.get("flags") == "\\udcff"
    assert made.get("x\\ud800") == "y"


def test_a_lone_surrogate_in_the_id_of_a_sibling_is_part_of_its_id() -> None:
    (made,) = jobs_of(job("a", siblings=r'[{"id": "b\ud800"}]'))

    assert made.id == "b\\ud800"
