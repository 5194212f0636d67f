"""The CSV exporter: rows that every reader takes, and no cell that is a formula."""

from __future__ import annotations

import csv
import re
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.one_job import session_of, started_again

from holdall.results import Attachment, IOLogRecord, JobResult
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import START, empty_session, sample_session
from holdall_exporters.csv import COLUMNS, CsvExporter

if TYPE_CHECKING:
    from holdall.testing.sessions import SampleSession

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.sampled(6)
class TestCsvExporter(ExporterContract):
    """The CSV exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[CsvExporter]] = CsvExporter


def table(session: SampleSession, **options: str) -> list[dict[str, str]]:
    text = exported(CsvExporter, session, options).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def comment(text: str, **options: str) -> str:
    (row,) = table(session_of(JobResult(outcome="fail", comments=text)), **options)
    return row["comments"]


def test_a_job_is_a_row() -> None:
    result = JobResult(
        outcome="fail",
        comments='one, "two"\nthree',
        started_at=START + 0.5,
        execution_duration=0.25,
        return_code=-11,
        io_log=[IOLogRecord(0, "stdout", b"12345")],
        attachments=[Attachment(name="a", size=1, data=b"a")],
    )
    again = session_of(JobResult(outcome="crash"), result, summary="The disk", plugin="shell")

    assert table(again) == [
        {
            "device": "local",
            "id": "com.example::disk",
            "summary": "The disk",
            "category": "Uncategorised",
            "plugin": "shell",
            "certification_status": "non-blocker",
            "outcome": "fail",
            "counts_as": "fail",
            "in_flight": "false",
            "flaky": "false",
            "attempts": "2",
            "started": "2026-01-01T00:00:00.500Z",
            "duration": "0.25",
            "return_code": "-11",
            "reason": "",
            "comments": 'one, "two"\nthree',
            "output_bytes": "5",
            "files": "1",
        }
    ]


def test_a_job_in_flight_and_one_that_passed_at_last_are_marked() -> None:
    flaky = session_of(JobResult(outcome="fail"), JobResult(outcome="pass"))

    (passed,), (running,) = table(flaky), table(started_again(flaky))
    assert (passed["flaky"], passed["in_flight"]) == ("true", "false")
    assert running["in_flight"] == "true"


def test_rows_end_as_rfc_4180_says() -> None:
    report = exported(CsvExporter, sample_session())

    assert report.startswith(b"device,id,summary,")
    assert report.endswith(b"\r\n")
    assert len(table(sample_session())) == sample_session().view().job_count


def test_an_empty_session_has_a_heading() -> None:
    assert exported(CsvExporter, empty_session()).decode() == f"{','.join(COLUMNS)}\r\n"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", '"=1', "\uff1d1", "a\n=1", "a;=1", 'a,"=1', "a\t=1"]
)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert comment(text) != text
    assert comment(text).replace("'", "") == text
    assert comment(text, safe="no") == text


@pytest.mark.parametrize("text", ["a=b", "a - b", "x@example.com", "1+1", "", " =1", "'"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert comment(text) == text


def test_numbers_of_ours_stay_numbers() -> None:
    (row,) = table(session_of(JobResult(outcome="crash", return_code=-9)))

    assert row["return_code"] == "-9"


@settings(max_examples=20, deadline=None)
@given(st.text(st.sampled_from(f"{SIGNS}a\",;\t\r\n\x0b\x1b\u2028 '"), max_size=12))
def test_no_cell_begins_a_formula_wherever_a_reader_splits(text: str) -> None:
    report = exported(CsvExporter, session_of(JobResult(outcome="fail", comments=text)))

    (_head, *rows) = report.decode().split("\r\n", 1)
    ours = {"-9", "-11"}
    for line in "".join(rows).splitlines():
        for cell in re.split("[,;\t]", line):
            assert cell in ours or cell.lstrip('"')[:1] not in {*SIGNS}


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=30).filter(str.isprintable))
def test_any_text_comes_back_where_cells_need_not_be_safe(text: str) -> None:
    assert comment(text, safe="no") == text


@pytest.mark.parametrize(
    ("delimiter", "sign"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")]
)
def test_cells_are_apart_by_what_is_wanted(delimiter: str, sign: str) -> None:
    report = exported(CsvExporter, sample_session(), {"delimiter": delimiter}).decode()

    rows = list(csv.reader(StringIO(report, newline=""), delimiter=sign, strict=True))
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_a_byte_order_mark_is_there_if_it_is_wanted() -> None:
    assert exported(CsvExporter, empty_session(), {"bom": "yes"}).startswith(b"\xef\xbb\xbfdevice")


def test_a_cell_of_any_size_is_read_back() -> None:
    before = csv.field_size_limit()
    session = session_of(JobResult(outcome="fail", comments="x" * 200_000))

    CsvExporter.verify(BytesIO(exported(CsvExporter, session, [])))

    assert csv.field_size_limit() == before
