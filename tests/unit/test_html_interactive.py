"""What the page's script is given: exact outcomes, links that last, output as it ended up."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import time
from base64 import b64decode
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from holdall.exports.pipeline import export
from holdall.journal import DeviceAdded, JobDefined, JobRecord, ResultRecorded, SessionCreated
from holdall.results import IOLogRecord, JobResult, Outcome
from holdall.testing.exporters import exported
from holdall.testing.sessions import SampleSession, big_session, devices_session, sample_session
from holdall.writing import html_text
from holdall_exporters.html import HtmlExporter
from holdall_exporters.html.coloured import CUT, coloured, less_coloured
from holdall_exporters.html.outcomes import outcome_id, tallied, wrong_outcomes
from holdall_exporters.html.terminal import overwritten

if TYPE_CHECKING:
    from holdall.results import Stream


def page(session: SampleSession, **options: object) -> html.HtmlElement:
    return html.document_fromstring(exported(HtmlExporter, session, options).decode())


def data(found: html.HtmlElement) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the first line of the data, and the details of all jobs."""
    lines = (found.findtext(".//script[@id='data']") or "").split("\n")
    first, *blocks = (json.loads(gzip.decompress(b64decode(line))) for line in lines)
    return first, [details for block in blocks for details in block]


def log(*texts: str, stream: Stream = "stdout") -> list[IOLogRecord]:
    return [IOLogRecord(0.1, stream, text.encode()) for text in texts]


def shown(*texts: str) -> list[Any]:
    return coloured(log(*texts), limit=1 << 16)


def expected_session() -> SampleSession:
    """Return a session with jobs that are expected to fail, of which one does."""
    events: list[Any] = [SessionCreated(at=1, session_id="s"), DeviceAdded(at=1)]
    for name, xfail, outcome in (
        ("plain", False, Outcome.FAIL),
        ("passes", False, Outcome.PASS),
        ("as-expected", True, Outcome.FAIL),
        ("surprise", True, Outcome.PASS),
    ):
        events.append(JobDefined(at=1, job=JobRecord(id=name, xfail=xfail)))
        events.append(ResultRecorded(at=2, job_id=name, result=JobResult(outcome=outcome)))
    return SampleSession(tuple(events))


@pytest.mark.parametrize("session", [sample_session, expected_session, devices_session])
def test_each_outcome_of_the_page_counts_what_its_jobs_are(session: Any) -> None:
    view = session().view()
    ids = [outcome_id(job) for job in view.jobs()]

    assert {name: tally.number for name, tally in tallied(view)} == {
        name: ids.count(name) for name in dict.fromkeys(ids)
    }


def test_outcomes_of_expected_failures_are_apart() -> None:
    assert [name for name, _ in tallied(expected_session().view())] == [
        "fail",
        "passed-unexpectedly",
        "pass",
        "failed-as-expected",
    ]
    assert wrong_outcomes(tallied(expected_session().view()), "finished") == [
        "fail",
        "passed-unexpectedly",
    ]


def test_the_chips_of_the_script_are_the_counts_of_the_page() -> None:
    found = page(sample_session())
    first, _ = data(found)

    links = found.xpath("//ul[@class='counts']//a/@href")
    outcomes = [f"#outcome={name}" for name, _kind, _label in first["outcomes"]]
    assert [link for link in links if link.startswith("#outcome=")] == outcomes
    assert {label[5] for label in first["labels"]} == {each[0] for each in first["outcomes"]}


def test_links_name_jobs_and_devices() -> None:
    found = page(devices_session())

    links = [urlsplit(link) for link in found.xpath("//article//a/@href")]
    assert [parse_qs(link.fragment) for link in links] == [
        {"job": ["com.example::disk"], "on": ["dut-2"]},
        {"job": ["com.example::cpu"], "on": ["dut-2"]},
    ]


def test_rows_have_status_flakiness_and_start() -> None:
    view = sample_session().view()
    first, _ = data(page(sample_session()))

    rows = zip(first["rows"], view.jobs(), strict=True)
    for (label, _summary, _id, _category, _device, _seconds, _note, start), job in rows:
        _kind, _label, _more, status, flaky, outcome = first["labels"][label]
        assert (status, flaky, outcome) == (
            html_text(job.certification_status),
            job.is_flaky,
            outcome_id(job),
        )
        started = job.last.started_at
        assert start == (None if started is None else started - first["begin"])


@pytest.mark.parametrize(
    ("written", "stays"),
    [
        pytest.param("10%\r20%\rdone\n", "done\n", id="carriage-return"),
        pytest.param("100%\r20%\n", "20%%\n", id="what-is-longer-stays"),
        pytest.param("100%\r\x1b[K20%\n", "20%\n", id="erased-to-the-end"),
        pytest.param("100%\x1b[2K\rnew\n", "new\n", id="erased-whole"),
        pytest.param("ab cd\x1b[1K\n", "\n", id="erased-to-the-beginning"),
        pytest.param("ab cd\x1b[1Kef\n", "     ef\n", id="written-behind-what-was-erased"),
        pytest.param("abcdef\x1b[1K\rx\x1b[1Ky\n", " y\n", id="erased-twice"),
        pytest.param("abcdef\b\b\x1b[1K\rxy\n", "xy   f\n", id="written-into-what-was-erased"),
        pytest.param("abc\x1b[2Kd\n", "   d\n", id="written-behind-what-was-erased-whole"),
        pytest.param("typo\b\b\b\bword\n", "word\n", id="backspace"),
        pytest.param("\b\bback\n", "back\n", id="backspace-at-the-beginning"),
        pytest.param("one\r\ntwo\r\n", "one\ntwo\n", id="windows"),
        pytest.param("one\r\r\ntwo\n", "one\ntwo\n", id="two-returns"),
        pytest.param("tail\rhe", "heil", id="no-end-of-line"),
        pytest.param("a\nb\rc\nd\n", "a\nc\nd\n", id="only-its-line"),
        pytest.param("caf\u00e9\r\x1b[?25lC\n", "Caf\u00e9\n", id="other-sequences-have-no-width"),
    ],
)
def test_output_is_as_a_terminal_shows_it(written: str, stays: str) -> None:
    assert "".join(str(run) for run in shown(written)) == stays
    assert "".join(str(run) for run in shown(*written)) == stays


@pytest.mark.parametrize("piece", ["abc\x1b[1K", "abc\x1b[2K", "ab\b\x1b[1K", "ab\x1b[1K\b\bc"])
def test_a_line_that_is_erased_again_and_again_costs_as_much_as_was_written(piece: str) -> None:
    def seconds(times: int) -> float:
        start = time.process_time()
        deque(overwritten([("", piece * times)]), maxlen=0)
        return time.process_time() - start

    few, many = (min(seconds(times) for _ in range(2)) for times in (1_000, 16_000))

    assert many <= 3 * 16 * max(few, 0.002)


def test_what_is_written_over_takes_its_colours_with_it() -> None:
    written = "\x1b[31mred text\x1b[0m\r\x1b[32mgreen\x1b[0m\n"

    assert shown(written) == [("f2", "green"), ("f1", "ext"), "\n"]


def test_both_streams_write_to_one_line() -> None:
    records = [*log("loading"), *log("\rfailed!\n", stream="stderr")]

    assert coloured(records, limit=100) == [("err", "failed!"), ("err", "\n")]


@given(st.text(st.sampled_from("ab\n\t \u00e9"), max_size=40))
def test_text_that_leads_back_nowhere_stays(text: str) -> None:
    assert "".join(str(run) for run in shown(f"{text}\n\rx")) == f"{text}\nx"


def test_a_log_of_many_colours_keeps_those_of_its_end() -> None:
    dense: list[Any] = [("f1" if n % 2 else "f2", f"{n} ") for n in range(1000)]
    dense.insert(5, (CUT, "[cut]"))

    less = less_coloured(dense, 10)

    assert less[-10:] == dense[-10:]
    assert len(less) == 13
    texts = [run if isinstance(run, str) else run[1] for run in less]
    assert "".join(texts) == "".join(text for _, text in dense)
    assert less[1] == (CUT, "[cut]")
    assert less_coloured(dense, 2000) is dense


def archive(**options: str) -> tuple[html.HtmlElement, set[str]]:
    """Return the page in an archive, and the names of the files beside it."""
    stream = io.BytesIO()
    export(sample_session(), "tar", stream, options=options)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        report = tar.extractfile("sample-1/report.html")
        assert report is not None
        names = {name.removeprefix("sample-1/") for name in tar.getnames()}
        return html.document_fromstring(report.read().decode()), names


def links_of(found: html.HtmlElement) -> list[str]:
    _, details = data(found)
    attempts = [attempt for each in details for attempt in each.get("attempts", ())]
    files = [file for attempt in attempts for file in attempt.get("files", ())]
    return [unquote(each["at"]) for each in (*attempts, *files) if "at" in each]


def test_a_page_in_an_archive_links_to_every_file_beside_it() -> None:
    found, names = archive()

    links = links_of(found)
    assert len(links) == len(set(links)) > 30
    assert set(links) == {name for name in names if name.startswith(("logs/", "attachments/"))}


@pytest.mark.parametrize("options", [{"data": "no"}, {"inside": "html.archive=no"}], ids=str)
def test_a_page_links_to_no_file_that_is_not_there(options: dict[str, str]) -> None:
    found, _ = archive(**options)

    assert links_of(found) == []


def test_a_page_of_its_own_links_to_no_file() -> None:
    assert links_of(page(sample_session(), logs="all")) == []


def test_numbers_are_grouped_alike_wherever_they_stand() -> None:
    found = page(big_session(12_340), failures_max=0)

    reasons = "".join(found.find_class("reasons")[0].itertext())
    counts = "".join(found.find_class("counts")[0].itertext())
    assert "1,234 jobs failed" in reasons
    assert "1,234 failed" in " ".join(counts.split())
    assert not re.search(r"\b\d{4,}\b", f"{reasons} {counts}")
