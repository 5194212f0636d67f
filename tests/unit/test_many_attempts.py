"""A job with thousands of attempts costs four times as much when it has four times as many."""

from __future__ import annotations

import gc
import time
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from holdall.exports import export
from holdall.journal import JobDefined, JobRecord, JobStarted, ResultRecorded
from holdall.recording import Recorder
from holdall.results import JobResult
from holdall.session.state import SessionState
from holdall.stores import open_repository
from holdall.units import Job, make_unit
from holdall.view import SessionView
from holdall.view.fold import fold
from holdall.view.logs import SmallLogs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.journal import AnyEvent

FEW, MANY = 4_000, 16_000
SLACK = 2.0
PASS = JobResult(outcome="pass")


@pytest.fixture(autouse=True)
def nothing_else_to_collect() -> Iterator[None]:
    """Keep what other tests left in memory out of the rounds of the garbage collector."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def assert_linear(prepared: Callable[[int], Callable[[], object]]) -> None:
    """Assert that many attempts take as long as their number says, the best of two each."""
    few = min(seconds(prepared(FEW)) for _ in range(2))
    many = min(seconds(prepared(MANY)) for _ in range(2))

    # Clocks of some systems are coarse.
    assert many <= SLACK * MANY / FEW * max(few, 0.005)


def attempts(count: int, device: str = "local") -> list[AnyEvent]:
    events: list[AnyEvent] = [JobDefined(at=0.0, device=device, job=JobRecord(id="one"))]
    for number in range(1, count + 1):
        events.append(JobStarted(at=0.0, device=device, job_id="one", attempt=number))
        events.append(ResultRecorded(at=0.0, device=device, job_id="one", result=PASS))
    return events


def viewed(count: int) -> SessionView:
    repository = open_repository(f"memory://attempts-{count}")
    with Recorder.create(repository) as recorder:
        for number in range(count):
            recorder.record("one", outcome="pass", comments=f"line {number}")
    return SessionView.of(repository.open(recorder.session_id, mode="r"))


def job() -> Job:
    made = make_unit({"id": "one", "plugin": "shell", "command": "true"})
    assert isinstance(made, Job)
    return made


def test_the_time_to_fold_grows_with_the_attempts_at_one_job() -> None:
    def folded(count: int) -> Callable[[], object]:
        events = attempts(count)
        return lambda: fold(events, SmallLogs())

    assert_linear(folded)


def test_the_time_to_run_or_load_grows_with_the_attempts_at_one_job() -> None:
    def applied(count: int) -> Callable[[], object]:
        only, state = job(), SessionState([job()])
        state.update_desired_job_list([only])

        def work() -> None:
            for _ in range(count):
                state.job_started(only)
                state.update_job_result(only, PASS)
                assert state.job_state_map["one"].attempts >= 0

        return work

    assert_linear(applied)


def test_the_time_to_record_grows_with_the_attempts_at_one_job() -> None:
    assert_linear(lambda count: lambda: viewed(count))


@pytest.mark.parametrize(
    "exporter",
    [
        "tap",
        "ndjson",
        "csv",
        "agent",
        "markdown",
        "otr",
        "ctrf",
        "html",
        "json",
        "junit",
        "text",
        "xlsx",
    ],
)
def test_the_time_to_export_grows_with_the_attempts_at_one_job(exporter: str) -> None:
    views = {count: viewed(count // 8) for count in (FEW, MANY)}

    assert_linear(lambda count: lambda: export(views[count], exporter, BytesIO()))


def test_folded_attempts_stand_in_order_and_go_with_their_job() -> None:
    results = [JobResult(outcome="fail", comments=str(number)) for number in range(4)]
    events = [
        ResultRecorded(at=0.0, device="local", job_id="one", result=result) for result in results
    ]

    (only,) = fold(events, SmallLogs()).jobs["local"]

    assert only.results == tuple(results)
