"""Causes: failures that say the same thing stand together, and each is said in words."""

from __future__ import annotations

from io import BytesIO
from itertools import islice, product
from string import ascii_lowercase
from typing import TYPE_CHECKING

import pytest

from holdall.exports.pipeline import export
from holdall.journal.events import (
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    ResultRecorded,
    SessionCreated,
)
from holdall.results import JobResult, Measurement, Subtest
from holdall.view import SessionView
from holdall.writing import CAUSES_MAX, causes_of, last_lines
from holdall.writing.causes import _VARYING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.journal import AnyEvent


TRACEBACK = """Traceback (most recent call last):
  File "/home/me/a.py", line 3, in run
    open("/dev/x")
"""
PARTS = (
    Subtest(name="eth0", outcome="pass"),
    Subtest(name="eth1", outcome="fail", message="no link\nmore"),
)
TOO_SLOW = Measurement(name="speed", value=3, unit="MB/s", lower=5)


def test_messages_that_differ_in_numbers_and_paths_are_one_cause() -> None:
    found = causes_of(
        _view(
            {
                "a": _failed("open /dev/sda1 at 0x7f32: no such device (3.1 s)"),
                "b": _failed("open /dev/nvme0n1 at 0x00ff: no such device (12 s)"),
                "c": _failed("wrong colour"),
            }
        )
    )

    assert [(cause.count, cause.text) for cause in found] == [
        (2, "open … at #: no such device (# s)"),
        (1, "wrong colour"),
    ]
    assert [job.id for job in found[0].jobs] == ["a", "b"]
    assert found[0].numbers == (0, 1)


def test_the_words_stay_as_they_are_where_all_jobs_say_the_same() -> None:
    found = causes_of(
        _view({"a": _failed("exit 7 of /bin/x/y"), "b": _failed("exit 7 of /bin/x/y")})
    )

    assert [cause.text for cause in found] == ["exit 7 of /bin/x/y"]


def test_blockers_come_first_then_the_more_frequent() -> None:
    results = {
        "a": _failed("rare"),
        "b": _failed("often"),
        "c": _failed("often"),
        "d": _failed("must not be"),
    }

    found = causes_of(_view(results, blockers={"d"}))

    assert [cause.text for cause in found] == ["must not be", "often", "rare"]
    assert [cause.is_blocker for cause in found] == [True, False, False]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (JobResult(outcome="fail", comments="\n \n first \nsecond"), "first: second"),
        (JobResult(outcome="fail", io_log=[(0, "stdout", b"out\n")]), "out"),
        (
            JobResult(
                outcome="fail",
                io_log=[(0, "stderr", b"Traceback\nError: it\n\n"), (1, "stdout", b"bye\n")],
            ),
            "Error: it",
        ),
        (
            JobResult(outcome="fail", io_log=[(0, "stdout", b" \n\n")], return_code=3),
            "exit code 3",
        ),
        (JobResult(outcome="crash"), "no reason was recorded"),
        (JobResult(outcome="fail", comments="\x1b[31mred\x1b[0m"), "red"),
        (
            JobResult(outcome="fail", comments=f"{TRACEBACK}OSError: no such device\n"),
            "OSError: no such device",
        ),
        (JobResult(outcome="fail", comments="FAILED:\nno link"), "no link"),
        (
            JobResult(outcome="fail", comments="main\n\nAlso tear-down failed:\nno tear-down"),
            "main",
        ),
        (
            JobResult(outcome="fail", comments="command failed\nno route\nmore"),
            "command failed: no route",
        ),
        (
            JobResult(outcome="fail", comments="self = <a.T>\n\nassert x == y and z"),
            "assert x == y and z",
        ),
        (
            JobResult(outcome="fail", comments="contains 1 failed subtest", subtests=PARTS),
            "eth1: no link: more",
        ),
        (JobResult(outcome="fail", subtests=PARTS, return_code=1), "eth1: no link: more"),
        (JobResult(outcome="fail", measurements=[TOO_SLOW]), "speed: 3 MB/s"),
    ],
)
def test_every_cause_has_words(result: JobResult, words: str) -> None:
    (cause,) = causes_of(_view({"a": result}))

    assert cause.text == words


def test_what_passed_although_it_should_fail_is_a_cause_of_its_own() -> None:
    good = JobResult(outcome="pass", comments="fine")
    events = [*_events({"a": good, "b": _failed("fine")}, set())]
    job = JobDefined(at=0, job=JobRecord(id="a", xfail=True))

    found = causes_of(SessionView([*events, job]))

    assert sorted(cause.text for cause in found) == ["fine", "passed unexpectedly"]


def test_a_cause_that_nobody_knows_comes_last() -> None:
    silent = JobResult(outcome="fail")

    found = causes_of(_view({"a": silent, "b": silent, "c": _failed("broken")}))

    assert [cause.text for cause in found] == ["broken", "no reason was recorded"]


def test_no_output_is_shown_where_none_is_wanted() -> None:
    result = JobResult(outcome="fail", return_code=3, io_log=[(0, "stdout", b"swordfish\n")])

    (cause,) = causes_of(_view({"a": result}), output=False)

    assert cause.text == "exit code 3"
    for name in ("text", "html", "tap", "ctrf"):
        stream = BytesIO()
        export(_view({"a": result}), name, stream, options=["logs=none"])
        assert b"swordfish" not in stream.getvalue(), name


def test_exit_codes_are_causes_of_their_own() -> None:
    found = causes_of(
        _view({str(code): JobResult(outcome="fail", return_code=code) for code in (1, 127)})
    )

    assert [cause.text for cause in found] == ["exit code 1", "exit code 127"]


def test_a_cause_has_the_label_that_its_jobs_have_in_common() -> None:
    killed = JobResult(outcome="crash", comments="gone", interrupted_by="rebooted")

    (cause,) = causes_of(_view({"a": killed, "b": JobResult(outcome="crash", comments="gone")}))

    assert (cause.count, cause.label) == (2, "crashed")


def test_jobs_that_passed_or_were_skipped_have_no_cause_and_those_in_flight_have_one() -> None:
    events = [*_events({"a": JobResult(outcome="pass"), "b": JobResult(outcome="skip")}, set())]
    view = SessionView([*events, JobStarted(at=2, job_id="a")])

    (cause,) = causes_of(view)

    assert (cause.outcome, cause.label, cause.count) == (None, "in flight", 1)


def test_what_has_more_causes_than_are_told_apart_is_counted_together() -> None:
    letters = product(ascii_lowercase, repeat=3)
    names = ["".join(three) for three in islice(letters, CAUSES_MAX + 100)]
    found = causes_of(_view({name: _failed(f"broken {name}") for name in names}))

    assert len(found) == CAUSES_MAX + 1
    assert (found[-1].text, found[-1].count) == ("other causes", 100)
    assert sum(cause.count for cause in found) == CAUSES_MAX + 100


def test_the_last_lines_are_what_a_terminal_would_show() -> None:
    log = [
        (0.0, "stdout", b"a" * 70_000 + b"\none\n\n 10 %\r 50"),
        (0.1, "stdout", b" %\r100 %\r\n\x1b[1mthree\x1b[0m"),
    ]
    result = JobResult(outcome="fail", io_log=log)

    assert last_lines(result.io_log, 2) == ["100 %", "three"]
    assert last_lines(result.io_log, 9)[-3:] == ["one", "100 %", "three"]
    assert last_lines((), 3) == []
    indented = JobResult(outcome="fail", io_log=[(0, "stdout", b"a:\n  - b   c\n")])
    assert last_lines(indented.io_log, 2) == ["a:", "  - b   c"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["/a", "~/", "0x", "aa:", "a" * 8 + "-", "1.", "f" * 9, "/:"])
def test_no_message_takes_long_to_compare(piece: str) -> None:
    assert _VARYING.sub("#", piece * 20_000) is not None


def test_how_far_a_session_has_come() -> None:
    selected = JobsSelected(at=0, run_list=("a", "b"))
    a, b = (ResultRecorded(at=1, job_id=name, result=_failed("x")) for name in "ab")
    start: list[AnyEvent] = [
        SessionCreated(at=0, session_id="s"),
        _job("a"),
        _job("b"),
        selected,
    ]
    again = ResultRecorded(at=2, job_id="a", result=JobResult())
    flight = JobStarted(at=2, job_id="b")

    assert SessionView(start).state == "new"
    assert SessionView([*start, a]).state == "unfinished"
    assert SessionView([*start, a, flight]).state == "unfinished"
    assert SessionView([*start, flight]).state == "unfinished"
    assert SessionView([*start, ResultRecorded(at=1, job_id="c", result=_failed("x"))]).state == (
        "unfinished"
    )
    assert SessionView([*start, a, flight], is_live=True).state == "running"
    assert SessionView([*start, a, b]).state == "finished"
    assert SessionView([*start, a, b], is_live=True).state == "finished"
    assert SessionView([*start, a, b, again]).state == "unfinished"
    assert SessionView([*start, a, b, again, a]).state == "finished"


def test_flaky_is_what_passed_after_it_went_wrong_by_itself() -> None:
    good, bad = JobResult(outcome="pass"), JobResult(outcome="fail")
    killed = JobResult(outcome="crash", interrupted_by="killed")

    assert _view({"a": [bad, good], "b": [good]}).flaky_count == 1
    assert _view({"a": [good, bad], "b": [killed, good], "c": [bad, bad]}).flaky_count == 0
    assert [job.is_flaky for job in _view({"a": [bad, killed, good], "b": good}).jobs()] == [
        True,
        False,
    ]


def test_the_time_that_went_by_is_from_the_first_start_to_the_last_end() -> None:
    early = JobResult(outcome="pass", started_at=100, execution_duration=30)
    late = JobResult(outcome="pass", started_at=110, execution_duration=5)

    assert _view({"a": early, "b": late}).elapsed == 30
    assert _view({"a": late}).elapsed == 5
    unknown = JobResult(outcome="pass", execution_duration=3)
    assert _view({"a": unknown}).elapsed is None
    assert _view({"a": early, "b": unknown}).elapsed is None
    assert _view({"a": early, "b": JobResult(outcome="skip")}).elapsed == 30


def _failed(comments: str) -> JobResult:
    return JobResult(outcome="fail", comments=comments)


def _view(
    results: Mapping[str, JobResult | list[JobResult]], blockers: Iterable[str] = ()
) -> SessionView:
    return SessionView(_events(results, set(blockers)))


def _events(
    results: Mapping[str, JobResult | list[JobResult]], blockers: set[str]
) -> Iterator[AnyEvent]:
    yield SessionCreated(at=0, session_id="s")
    for name in results:
        yield _job(name, "blocker" if name in blockers else "non-blocker")
    yield JobsSelected(at=0, run_list=tuple(results))
    for name, given in results.items():
        for result in given if isinstance(given, list) else [given]:
            yield ResultRecorded(at=1, job_id=name, result=result)


def _job(name: str, status: str = "non-blocker") -> JobDefined:
    return JobDefined(at=0, job=JobRecord(id=name, certification_status=status))
