"""The verdict: what passes, what does not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import JobResult, Outcome
from holdall.testing.sessions import empty_session
from holdall.view.session import SessionView
from holdall.view.verdict import EXAMPLES, JobName, Reason, Verdict, VerdictPolicy, verdict

if TYPE_CHECKING:
    from holdall.journal.events import AnyEvent


def view(
    *outcomes: Outcome, then: tuple[AnyEvent, ...] = (), device: str = "local"
) -> SessionView:
    """Return a session of one job for each outcome: job-0, job-1..."""
    ids = tuple(f"job-{number}" for number in range(len(outcomes)))
    events: list[AnyEvent] = [SessionCreated(at=0, session_id="s")]
    events += [JobDefined(at=0, device=device, job=JobRecord(id=job_id)) for job_id in ids]
    events.append(JobsSelected(at=0, device=device, run_list=ids))
    for job_id, outcome in zip(ids, outcomes, strict=True):
        result = JobResult(outcome=outcome)
        events.append(ResultRecorded(at=0, device=device, job_id=job_id, result=result))
    return SessionView((*events, *then))


def test_what_could_not_be_performed_is_no_test_that_was_tried() -> None:
    found = verdict(view(Outcome.PASS, Outcome.ERROR), VerdictPolicy(fail_on=(), min_tests=2))

    assert found.reasons == (Reason("too-few", 1),)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.skipped])
def test_skipped_jobs_do_not_matter(outcome: Outcome) -> None:
    assert verdict(view(Outcome.PASS, outcome)) == Verdict(passed=True)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        pytest.param(Outcome.FAIL, "failed", id="fail"),
        pytest.param(Outcome.CRASH, "crashed", id="crash"),
        pytest.param(Outcome.ERROR, "error", id="error"),
        pytest.param(Outcome.UNDECIDED, "undecided", id="undecided"),
        pytest.param(Outcome.NONE, "not-started", id="not started"),
    ],
)
def test_one_job_that_is_not_well_is_enough(outcome: Outcome, code: str) -> None:
    found = verdict(view(Outcome.PASS, outcome))

    reason = Reason(code, 1, (JobName("local", "job-1"),))
    assert (found.word, found.reasons) == ("FAIL", (reason,))


def test_a_job_in_flight_has_not_passed_even_if_it_did_before() -> None:
    started = JobStarted(at=1, job_id="job-0", attempt=2)

    found = verdict(view(Outcome.PASS, then=(started,)))

    assert found.reasons == (Reason("in-flight", 1, (JobName("local", "job-0"),)),)


def test_only_the_last_attempt_counts() -> None:
    again = ResultRecorded(at=1, job_id="job-0", result=JobResult(outcome=Outcome.PASS))

    assert verdict(view(Outcome.FAIL, then=(again,))).passed


def test_a_non_blocker_that_fails_is_a_failure() -> None:
    record = JobRecord(id="job-1", certification_status="non-blocker")
    changed = JobDefined(at=1, job=record)

    assert verdict(view(Outcome.PASS, Outcome.FAIL, then=(changed,))).word == "FAIL"


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(empty_session().view(), id="empty"),
        pytest.param(view(Outcome.SKIP, Outcome.NOT_SUPPORTED), id="all skipped"),
    ],
)
def test_a_session_where_nothing_passed_has_not_passed(session: SessionView) -> None:
    assert verdict(session).reasons == (Reason("nothing-passed"),)


def test_reasons_are_words_and_name_a_few_jobs() -> None:
    reasons = verdict(view(Outcome.PASS, *[Outcome.FAIL] * 12, Outcome.CRASH)).reasons

    named = ", ".join(f"job-{number}" for number in range(1, EXAMPLES + 1))
    assert list(map(str, reasons)) == [
        f"12 jobs failed: {named} and 2 more",
        "1 job crashed: job-13",
    ]
    assert str(Reason("nothing-passed")) == "no job passed"


def test_reasons_name_the_device_where_there_are_several() -> None:
    other = DeviceAdded(at=1, device="dut-7")

    found = verdict(view(Outcome.FAIL, then=(other,)))

    assert found.reasons[0].jobs == (JobName("local", "job-0"),)
    assert str(found.reasons[0]) == "1 job failed: local: job-0"
