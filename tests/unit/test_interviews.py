"""What a person is asked about jobs, question by question, and which jobs run once more."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from tests.unit.test_run import ScriptedRunner, history, job, new, run

from holdall.contracts import Move, Reply
from holdall.results import JobResult, Outcome
from holdall.session import auto_retry_candidates, retry_candidates

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holdall.contracts import Question, Task
    from holdall.results import Stream
    from holdall.units import Job

BACK = Move.BACK
DECIDE = Move.DECIDE


class Asked(NamedTuple):
    """A question, as far as these tests look at it."""

    job_id: str
    comments: str


class Passing(ScriptedRunner):
    """Performs commands, all of which end with exit code 0."""

    def run(self, task: Task) -> JobResult:
        return msgspec.structs.replace(super().run(task), return_code=0)


class Scripted:
    """Gives the replies of a script, one after another."""

    stdin = None

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []

    def announce(self, question: Question) -> None:
        pass

    def decide(self, question: Question) -> Reply:
        self.asked.append(Asked(question.job.id, question.comments))
        return self.replies.pop(0)

    prepare = decide

    def watch(self, _job: Job) -> AbstractContextManager[None]:
        return nullcontext()

    def show(self, stream: Stream, data: bytes) -> None:
        pass


def decided(outcome: str, comments: str = "") -> Reply:
    return Reply(move=DECIDE, outcome=Outcome(outcome), comments=comments)


@pytest.mark.parametrize("plugin", ["manual", "user-verify"])
def test_who_goes_back_to_a_job_finds_the_comment_and_may_keep_it(plugin: str) -> None:
    manager, state = new(job("a", plugin=plugin), job("b", plugin="manual"))
    person = Scripted(
        decided("fail", "too dim"),
        Reply(move=BACK),
        decided("pass", "too dim, but works"),
        decided("pass"),
    )

    run(manager, Passing(), person=person)

    assert person.asked == [("a", ""), ("b", ""), ("a", "too dim"), ("b", "")]
    assert history(state) == {"a": ["fail", "pass"], "b": ["pass"]}
    assert state.job_state_map["a"].result.comments == "too dim, but works"


@pytest.mark.parametrize("plugin", ["manual", "user-interact", "user-verify"])
def test_a_comment_typed_before_one_goes_back_is_there_when_one_returns(plugin: str) -> None:
    manager, state = new(job("a", plugin="manual"), job("b", plugin=plugin))
    person = Scripted(
        decided("pass"),
        Reply(move=BACK, comments="dock 3"),
        decided("pass"),
        Reply(move=BACK),
        decided("pass"),
        decided("skip", "dock 3"),
    )

    run(manager, Passing(), person=person)

    assert [asked.comments for asked in person.asked if asked.job_id == "b"] == [
        "",
        "dock 3",
        "dock 3",
    ]
    assert state.job_state_map["b"].result.comments == "dock 3"


@pytest.mark.parametrize(
    ("fields", "outcome", "is_offered"),
    [
        ({}, "fail", True),
        ({}, "pass", False),
        ({"xfail": "yes"}, "fail", False),
        ({"xfail": "yes"}, "pass", True),
        ({"xfail": "yes"}, "crash", True),
    ],
)
def test_jobs_that_are_expected_to_fail_are_offered_if_they_pass(
    fields: dict[str, str], outcome: str, *, is_offered: bool
) -> None:
    manager, state = new(job("a", **fields))
    state.update_job_result(state.job_state_map["a"].job, JobResult(outcome=Outcome(outcome)))

    offered = retry_candidates(manager.device_context_list[0])

    assert [known.job.id for known in offered] == (["a"] if is_offered else [])


@pytest.mark.parametrize(
    ("said", "is_retried"),
    [({}, True), ({"auto_retry": "yes"}, True), ({"auto_retry": "no"}, False)],
)
def test_a_job_that_refuses_it_does_not_run_again_by_itself(
    said: dict[str, str], *, is_retried: bool
) -> None:
    manager, state = new(job("a", **said))
    state.update_job_result(state.job_state_map["a"].job, JobResult(outcome=Outcome.FAIL))
    (context,) = manager.device_context_list

    assert [known.job.id for known in auto_retry_candidates(context)] == ["a"] * is_retried
    assert [known.job.id for known in retry_candidates(context)] == ["a"]
