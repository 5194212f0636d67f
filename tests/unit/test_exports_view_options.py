"""Options of all exporters: what a report is about, each cut visible and counted."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import OptionValueError
from holdall.exports.pipeline import export
from holdall.journal.events import JobDefined, JobRecord, ResultRecorded, SessionCreated
from holdall.registry.registry import Registry
from holdall.results import IOLogRecord, JobResult
from holdall.testing.sessions import SampleSession, sample_session
from holdall.view.verdict import verdict
from holdall.writing.cuts import shortened
from holdall_exporters.json import JsonExporter

if TYPE_CHECKING:
    from holdall.contracts.exporters import ExportContext, ExportReport, Sink
    from holdall.view.session import SessionView


@dataclass(frozen=True)
class NoOptions:
    """None at all."""


class Plain:
    """An exporter that knows of no option."""

    summary: ClassVar[str] = "ids, words and logs"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = NoOptions

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        sink.write(f"{view.title} {context.lang} {verdict(view).word}\n".encode())
        for group in view.groups():
            assert len(list(group.jobs())) == len(group)
        for job in view.jobs():
            files = "".join(f" {each.name}" for each in job.attachments)
            sink.write(f"{job.id} {job.io_log_size}{files}\n".encode())
            for record in job.io_log():
                sink.write(record.data)


def exported(*options: str, session: SampleSession | None = None) -> tuple[str, ExportReport]:
    registry = Registry.empty()
    registry.register("exporters", "acme.plain", Plain)
    stream = io.BytesIO()
    what = session or sample_session()
    report = export(what, "acme.plain", stream, options=options, registry=registry)
    return stream.getvalue().decode("utf-8", "backslashreplace"), report


def logged(*logs: bytes, outcome: str = "fail") -> SampleSession:
    """Return a session with a job for each log."""
    events: list[Any] = [SessionCreated(at=1, session_id="s")]
    for number, log in enumerate(logs):
        result = JobResult(outcome=outcome, io_log=[(0.1, "stdout", log)])
        events.append(JobDefined(at=1, job=JobRecord(id=f"j{number}")))
        events.append(ResultRecorded(at=1, job_id=f"j{number}", result=result))
    return SampleSession(tuple(events))


def test_a_log_is_cut_in_its_middle_with_a_mark() -> None:
    text, report = exported("log-max=4", "log-head=3", session=logged(b"0123456789", b"abc"))

    mark = "\n[... 6 bytes of output left out]\n"
    assert text == f"s en FAIL\nj0 {4 + len(mark)}\n012{mark}9j1 3\nabc"
    assert report.changes == {"logs cut": 1, "bytes of logs cut": 6}


def test_the_logs_together_are_cut_to_a_total() -> None:
    text, report = exported("log-total=5", session=logged(b"abc", b"def", b"ghi"))

    assert "abc" in text
    assert "\n[... 1 bytes of output left out]\nef" in text
    assert "\n[... 3 bytes of output left out]\n" in text
    assert "ghi" not in text
    assert report.changes == {"logs cut": 2, "bytes of logs cut": 4}


@given(
    pieces=st.lists(st.binary(max_size=9), max_size=9),
    head=st.integers(0, 9),
    tail=st.integers(0, 9),
)
def test_what_is_left_of_a_log_is_its_beginning_and_its_end(
    pieces: list[bytes], head: int, tail: int
) -> None:
    data = b"".join(pieces)
    records = iter([IOLogRecord(0.0, "stdout", piece) for piece in pieces])

    shown = [each.data for each in shortened(records, head, tail)]

    if len(data) <= head + tail:
        assert b"".join(shown) == data
    else:
        mark = f"\n[... {len(data) - head - tail} bytes of output left out]\n".encode()
        assert b"".join(shown) == data[:head] + mark + data[len(data) - tail :]


@pytest.mark.parametrize(
    ("choice", "left"), [("all", ["j0", "j1"]), ("failed", ["j0"]), ("none", [])]
)
def test_logs_are_those_of_the_jobs_that_were_asked_for(choice: str, left: list[str]) -> None:
    one, two = logged(b"one"), logged(b"", b"two", outcome="pass")
    both = SampleSession((*one.events, *two.events[3:]))

    text, report = exported(f"logs={choice}", session=both)

    assert [job for job, word in (("j0", "one"), ("j1", "two")) if word in text] == left
    assert report.changes.get("logs left out", 0) == 2 - len(left)


def test_only_some_jobs_are_shown_and_the_verdict_is_about_all() -> None:
    text, report = exported("only=pass", "order=id")

    head, *rows = text.splitlines()
    jobs = [job for job in sample_session().view().jobs() if job.outcome == "pass"]
    total = sample_session().view().job_count
    assert head == f'Sample <session> & "more" [{len(jobs)} of {total} jobs: pass] en FAIL'
    assert all(any(row.startswith(job.id) for row in rows) for job in jobs)
    assert report.changes == {"jobs left out": total - len(jobs)}


@pytest.mark.parametrize(("order", "ids"), [("run", "bca"), ("id", "abc"), ("category", "cab")])
def test_jobs_are_shown_in_the_order_that_was_asked_for(order: str, ids: str) -> None:
    events: list[Any] = [SessionCreated(at=1, session_id="s")]
    for job_id, category in (("b", "y"), ("c", "x"), ("a", "y")):
        record = JobRecord(id=job_id, category_id=category)
        events.append(JobDefined(at=1, job=record))
        result = JobResult(outcome="pass")
        events.append(ResultRecorded(at=1, job_id=job_id, result=result))

    text, _report = exported(f"order={order}", session=SampleSession(tuple(events)))

    assert [row[0] for row in text.splitlines()[1:]] == list(ids)


def test_attachments_are_left_out_and_counted_once() -> None:
    with_them, _ = exported()
    text, report = exported("no-attachments")

    assert "notes.txt" in with_them
    assert "notes.txt" not in text
    assert report.changes == {"attachments left out": 3}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ((), "\x1b[1mbold\x1b[0m \x07\u00e9"),
        (("ansi=strip",), "bold \x07\u00e9"),
        (("ansi=strip", "control=picture"), "bold \u2407\u00e9"),
        (("control=escape",), "\\x1b[1mbold\\x1b[0m \\x07\u00e9"),
        (("ansi=strip", "control=replace"), "bold \ufffd\u00e9"),
    ],
)
def test_controls_of_a_log_are_shown_as_was_asked_for(
    options: tuple[str, ...], shown: str
) -> None:
    text, _report = exported(*options, session=logged("\x1b[1mbold\x1b[0m \x07\u00e9".encode()))

    assert text.partition("\n")[2].partition("\n")[2] == shown


def test_title_and_language_are_those_that_were_given() -> None:
    text, _report = exported("title=Another", "lang=de", session=logged())

    assert text == "Another de FAIL\n"


@pytest.mark.parametrize("given", ["log-max=-1", "lang=/etc", "only=failed", "order=up"])
def test_a_value_that_means_nothing_is_refused(given: str) -> None:
    with pytest.raises(OptionValueError):
        exported(given)


def test_an_option_that_the_exporter_has_itself_is_its_own() -> None:
    registry = Registry.empty()
    registry.register("exporters", "acme.json", JsonExporter)
    stream = io.BytesIO()

    export(logged(b"abc"), "acme.json", stream, options=["logs=none"], registry=registry)

    attempt = json.loads(stream.getvalue())["jobs"][0]["attempts"][0]
    assert "io_log" not in attempt
    assert attempt["io_log_size"] == 3


def test_exporting_a_part_leaves_the_view_as_it_was() -> None:
    view = sample_session().view()
    before = [(job.id, job.io_log_size) for job in view.jobs()]
    registry = Registry.empty()
    registry.register("exporters", "acme.plain", Plain)

    options = ["only=fail", "log-max=1", "no-attachments", "ansi=strip", "title=x"]
    export(view, "acme.plain", io.BytesIO(), options=options, registry=registry)

    assert [(job.id, job.io_log_size) for job in view.jobs()] == before
    assert view.title != "x"


def test_the_mark_of_a_cut_is_in_the_stream_that_was_cut() -> None:
    records = [IOLogRecord(number / 8, "stderr", b"x" * 10) for number in range(9)]

    shown = list(shortened(records, 15, 15))

    assert {each.stream for each in shown} == {"stderr"}
    assert sum(b"left out" in each.data for each in shown) == 1
