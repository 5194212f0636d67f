"""The workbook: read back by a reader that shares no code with its writer."""

from __future__ import annotations

import csv
import io
import re
import resource
import shutil
import subprocess
import tempfile
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast
from zipfile import BadZipFile, ZipFile

import pytest
from lxml import etree
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from holdall.errors import ExportTargetError
from holdall.exports import export
from holdall.journal.events import DeviceAdded, ResultRecorded, SessionCreated
from holdall.results import JobResult, Measurement, Subtest
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import (
    HOSTILE,
    START,
    SampleSession,
    big_session,
    empty_session,
    sample_session,
)
from holdall.writing.cleaning import cell_text
from holdall_exporters.xlsx import XlsxExporter
from holdall_exporters.xlsx import sheet as sheet_module
from holdall_exporters.xlsx.paper import lines_of

if TYPE_CHECKING:
    from pathlib import Path

MAIN = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
DRAWING = {
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "d": "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing",
}
CHART = "xl/charts/chart1.xml"


class TestXlsxExporter(ExporterContract):
    """The workbook keeps the promises of all exporters."""

    exporter: ClassVar[type[XlsxExporter]] = XlsxExporter
    many_jobs: ClassVar[int] = 3000


def sheets(session: Any = None, **options: str) -> dict[str, list[list[Any]]]:
    """Return every sheet of the report, as rows, by name."""
    report = exported(XlsxExporter, session or sample_session(), options)
    book = CalamineWorkbook.from_filelike(io.BytesIO(report))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def parts(session: Any = None) -> dict[str, etree._Element]:
    """Return the XML inside the report, by name."""
    with ZipFile(io.BytesIO(exported(XlsxExporter, session or sample_session()))) as archive:
        return {name: etree.fromstring(archive.read(name)) for name in archive.namelist()}


def rows(session: Any = None) -> dict[str, dict[str, Any]]:
    """Return the results by job, each by column."""
    head, *found = sheets(session)["Results"]
    return {row[2]: dict(zip(head, row, strict=True)) for row in found}


def test_the_sheets_are_in_order() -> None:
    assert list(sheets()) == [
        "Summary",
        "Results",
        "Failures",
        "Devices",
        "Attempts",
        "Descriptions",
        "Measurements",
        "Subtests",
        "Logs",
    ]


def test_results_have_a_row_for_each_job() -> None:
    found = rows()
    view = sample_session().view()

    assert list(found) == [job.id for job in view.jobs()]
    assert found["com.example::outcome-fail"] == {
        "Device": "local",
        "Category": "Disks & drives",
        "Job": "com.example::outcome-fail",
        "Summary": "Summary of outcome-fail",
        "Outcome": "failed",
        "Duration (s)": pytest.approx(0.246913578),
        "Exit code": -11,
        "Attempts": 1,
        "Status": "blocker",
        "Skip reason": "",
        "Comments": "",
    }


def test_hostile_text_comes_back_as_text() -> None:
    found = rows()

    for name, text in HOSTILE.items():
        wanted = cell_text(text).replace("_x005F_", "_")
        assert found[f"com.example::hostile-{name}"]["Summary"] == wanted


def test_no_cell_is_a_formula_or_an_error() -> None:
    for name, part in parts().items():
        if "worksheets" in name:
            assert part.findall(".//m:f", MAIN) == []
            types = {cell.get("t") for cell in part.iterfind(".//m:c", MAIN)}
            assert types <= {"inlineStr", "n", None}


def test_every_cell_names_its_place() -> None:
    for name, part in parts().items():
        if "worksheets" in name:
            assert all(cell.get("r") for cell in part.iterfind(".//m:c", MAIN))


def test_headers_are_frozen_and_filter_the_rows() -> None:
    results = parts()["xl/worksheets/sheet2.xml"]
    filters = results.find("m:autoFilter", MAIN)

    assert filters is not None
    assert filters.get("ref") == f"A1:K{sample_session().view().job_count + 1}"
    assert results.xpath("string(//m:pane/@state)", namespaces=MAIN) == "frozen"


def test_failures_are_the_results_that_failed() -> None:
    found = sheets()["Failures"]
    jobs = [j.id for j in sample_session().view().jobs() if j.outcome.failed or j.in_flight]

    assert [row[2] for row in found[1:]] == jobs


def logs_of(session: SampleSession, **options: str) -> dict[str, list[str]]:
    """Return the rows of each job's log, whose parts are numbered."""
    found: dict[str, list[str]] = {}
    for _device, job, _outcome, part, text in sheets(session, **options)["Logs"][1:]:
        found.setdefault(str(job), []).append(str(text))
        assert part == len(found[str(job)])
    return found


def test_logs_of_failed_jobs_are_there_and_cut_visibly() -> None:
    logs = logs_of(sample_session(), log_max="8k")

    assert logs["com.example::outcome-fail"][0].startswith("plain line\nnot UTF-8: \\xff")
    big = "\n".join(logs["com.example::big-log"])
    assert 8 << 10 <= len(big) < 9 << 10
    assert big.startswith("plain line\n")
    assert "characters left out" in big
    assert big.endswith("cut escape: red\n\n[... 1,234,567 bytes more were not kept]")
    assert "com.example::outcome-pass" not in logs


def test_a_long_log_stands_in_rows_that_show_it_whole() -> None:
    text = b"".join(b"line %d\n" % number for number in range(400)) + b"x" * 5000 + b"\nFATAL\n"
    events = (
        SessionCreated(at=START, session_id="s"),
        ResultRecorded(
            at=START,
            job_id="a",
            result=JobResult(outcome="fail", io_log=[(0, "stdout", text)]),
        ),
    )

    (rows,) = logs_of(SampleSession(events)).values()

    assert all(lines_of(row, width=120) <= 20 for row in rows)
    assert "\n".join(rows).replace("\n", "") == text.decode().replace("\n", "")
    assert rows[-1].endswith("FATAL")
    assert rows[0] == "\n".join(f"line {number}" for number in range(20))


def test_a_failure_leads_to_its_log_and_the_summary_to_the_sheets() -> None:
    book = load_workbook(io.BytesIO(exported(XlsxExporter, sample_session(), [])))

    places = {
        row[2].value: row[2].hyperlink.location
        for row in book["Failures"].iter_rows(min_row=2)
        if row[2].hyperlink is not None
    }
    assert "com.example::outcome-fail" in places
    for job, place in places.items():
        sheet, _mark, cell = str(place).partition("!")
        row = book[sheet.strip("'")][cell].row
        assert book["Logs"].cell(row, 2).value == job
        assert book["Logs"].cell(row, 4).value == 1
    leading = [c.hyperlink.location for (c,) in book["Summary"]["B1:B40"] if c.hyperlink]
    assert leading == ["'Results'!A1", "'Failures'!A1", "'Logs'!A1"]


def test_a_link_leads_into_the_next_sheet_where_the_log_begins_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sheet_module, "LAST_ROW", 3)
    book = load_workbook(io.BytesIO(exported(XlsxExporter, sample_session(), [])))

    linked = 0
    failures = [sheet for sheet in book.worksheets if sheet.title.startswith("Failures")]
    for row in (row for sheet in failures for row in sheet.iter_rows(min_row=2)):
        if row[2].hyperlink is not None:
            sheet, _mark, cell = str(row[2].hyperlink.location).partition("!")
            assert book[sheet.strip("'")].cell(book[sheet.strip("'")][cell].row, 2).value == (
                row[2].value
            )
            linked += 1
    assert linked > 3


def test_a_full_disk_is_no_fault_of_the_workbook() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(ExportTargetError, match="File too large; make room there") as caught:
            export(big_session(3000), "xlsx", io.BytesIO())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert caught.value.target.startswith(tempfile.gettempdir())


def measured_session() -> SampleSession:
    """Return a session of a job that was tried twice, with measurements and subtests."""
    attempts = (
        JobResult(
            outcome="fail",
            measurements=[
                Measurement(name="speed", value=7.5, unit="MB/s", lower=10),
                Measurement(name="serial", value="=1+1"),
                Measurement(name="serial number", value=2**60 + 1),
                Measurement(name="plugged in", value=True),
                Measurement(name="drift", value=0.1 + 0.2, upper=0.3),
            ],
        ),
        JobResult(
            outcome="pass",
            measurements=[Measurement(name="speed", value=12, unit="MB/s", lower=10, upper=20)],
            subtests=[
                Subtest(name="first", outcome="pass", duration=0.5),
                Subtest(name="second", outcome="fail", message="one\ntwo\x1b[0m"),
            ],
        ),
    )
    events = [
        ResultRecorded(at=START, device="local", job_id="disk", result=result)
        for result in attempts
    ]
    return SampleSession((SessionCreated(at=START, session_id="s"), *events))


def test_measurements_and_subtests_have_sheets() -> None:
    found = sheets(measured_session())

    assert found["Measurements"] == [
        [
            *("Device", "Job", "Attempt", "Measurement", "Value", "Unit"),
            *("At least", "At most", "Outcome"),
        ],
        ["local", "disk", 1, "speed", 7.5, "MB/s", 10, "", "failed"],
        ["local", "disk", 1, "serial", "=1+1", "", "", "", ""],
        ["local", "disk", 1, "serial number", str(2**60 + 1), "", "", "", ""],
        ["local", "disk", 1, "plugged in", "True", "", "", "", ""],
        ["local", "disk", 1, "drift", 0.1 + 0.2, "", "", 0.3, "failed"],
        ["local", "disk", 2, "speed", 12, "MB/s", 10, 20, "passed"],
    ]
    assert found["Subtests"] == [
        ["Device", "Job", "Attempt", "Subtest", "Outcome", "Duration (s)", "Reason"],
        ["local", "disk", 2, "first", "passed", 0.5, ""],
        ["local", "disk", 2, "second", "failed", "", "one\ntwo"],
    ]


def test_a_session_with_one_kind_of_parts_has_no_sheet_of_the_other() -> None:
    subtests = [Subtest(name="first", outcome="pass")]
    result = JobResult(outcome="pass", subtests=subtests)
    event = ResultRecorded(at=START, job_id="disk", result=result)

    found = sheets(SampleSession((SessionCreated(at=START, session_id="s"), event)))

    assert found["Subtests"][1][3] == "first"
    assert "Measurements" not in found


def test_the_summary_says_how_many_are_flaky() -> None:
    attempts = [JobResult(outcome="fail"), JobResult(outcome="pass")]
    events = [ResultRecorded(at=START, job_id="disk", result=result) for result in attempts]

    found = sheets(SampleSession((SessionCreated(at=START, session_id="s"), *events)))

    assert ["Flaky", 1] in [row[:2] for row in found["Summary"]]
    assert "Flaky" not in [row[0] for row in sheets(big_session(3))["Summary"]]


def test_a_fact_that_is_called_as_a_label_is_beside_it() -> None:
    device = DeviceAdded(at=START, device="d", description="Board", facts={"description": "own"})

    found = sheets(SampleSession((SessionCreated(at=START, session_id="s"), device)))

    assert found["Devices"][1:] == [["d", "description", "Board"], ["d", "description", "own"]]


def test_measurements_and_subtests_that_are_not_wanted_are_counted() -> None:
    report = export(measured_session(), "xlsx", io.BytesIO(), options={"parts": False})
    whole = export(measured_session(), "xlsx", io.BytesIO())

    assert (report.changes["measurements left out"], report.changes["subtests left out"]) == (6, 2)
    assert whole.changes == {}
    assert "Measurements" not in sheets(measured_session(), parts="no")
    assert "Measurements" not in sheets(big_session(3))


def test_moments_and_durations_are_values_to_count_with() -> None:
    book = load_workbook(io.BytesIO(exported(XlsxExporter, sample_session(), [])))

    summary = {row[0].value: row[1].value for row in book["Summary"].iter_rows()}
    assert summary["Created (UTC)"] == datetime.fromisoformat("2026-01-01")
    durations = [row[5] for row in book["Results"].iter_rows(min_row=2) if row[5].value]
    assert {cell.number_format for cell in durations} == {"#,##0.000"}
    started = [row[4] for row in book["Attempts"].iter_rows(min_row=2) if row[4].value]
    assert all(cell.is_date for cell in started)
    assert started


def test_a_long_comment_is_wrapped_within_its_column() -> None:
    comment = "word " * 200
    result = JobResult(outcome="fail", comments=comment)
    session = SampleSession(
        (
            SessionCreated(at=START, session_id="s"),
            ResultRecorded(at=START, job_id="a", result=result),
        )
    )
    book = load_workbook(io.BytesIO(exported(XlsxExporter, session, [])))

    for name in ("Results", "Failures"):
        cell = book[name]["K2"]
        assert (cell.value, cell.alignment.wrap_text) == (comment, True)
        assert book[name].row_dimensions[2].height == 15 * 20
        assert book[name]["C2"].alignment.vertical == "top"


def test_the_summary_has_no_list_of_jobs() -> None:
    written = [str(cell) for row in sheets()["Summary"] for cell in row]

    assert "13 jobs failed" in written
    assert not any("com.example::outcome" in text for text in written)


def test_logs_can_be_left_out() -> None:
    assert len(sheets(logs="none")["Logs"]) == 1


def test_the_summary_has_verdict_and_counts() -> None:
    found = {row[0]: row[1] for row in sheets()["Summary"]}

    assert found["Verdict"] == "FAIL"
    assert found["passed"] == sample_session().view().counts["pass"]  # type: ignore[index]
    assert found["Session"] == "sample-1"


def test_a_full_sheet_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_module, "LAST_ROW", 8)

    found = sheets(big_session(20))

    names = [name for name in found if name.startswith("Results")]
    assert names == ["Results", "Results 2", "Results 3"]
    assert [len(found[name]) for name in names] == [8, 8, 7]
    assert {tuple(found[name][0]) for name in names} == {tuple(found["Results"][0])}
    jobs = [row[2] for name in names for row in found[name][1:]]
    assert jobs == [job.id for job in big_session(20).view().jobs()]


def test_an_empty_session_has_headers_alone() -> None:
    found = sheets(empty_session())

    assert [len(found[name]) for name in ("Results", "Failures", "Devices", "Logs")] == [1] * 4


def test_dates_and_order_inside_are_those_of_the_session() -> None:
    with ZipFile(io.BytesIO(exported(XlsxExporter, sample_session()))) as archive:
        assert archive.testzip() is None
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 1, 1, 0, 0, 50)}
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert archive.read("docProps/core.xml").count(b"2026-01-01T00:00:51Z") == 2


def test_every_attempt_has_a_row() -> None:
    rows = sheets(attempts="all")["Attempts"]

    flaky = [row[2:4] for row in rows if row[1] == "com.example::flaky"]
    assert flaky == [
        [1.0, "failed"],
        [2.0, "crashed (interrupted by a reboot)"],
        [3.0, "passed"],
    ]
    attempts = sum(job.attempt_count for job in sample_session().view().jobs())
    assert len(rows) == attempts + 1
    assert len(sheets()["Attempts"]) == 1 + 3


def test_descriptions_have_a_sheet() -> None:
    found = {row[1]: row[2] for row in sheets()["Descriptions"]}
    assert found["com.example::flaky"] == "What flaky is about.\nIn several lines."


def test_sheets_can_be_left_out() -> None:
    found = sheets(summary="no", devices="no", attempts="none", descriptions="no", parts="no")

    assert list(found) == ["Results", "Failures", "Logs"]


def test_plainbox_options_of_the_workbook_mean_what_they_meant() -> None:
    with pytest.warns(DeprecationWarning, match="with-"):
        report = exported(
            XlsxExporter,
            sample_session(),
            ["with-sys-info", "with-summary", "with-job-description"],
        )

    found = CalamineWorkbook.from_filelike(io.BytesIO(report)).sheet_names
    assert {"Summary", "Devices", "Descriptions"} <= set(found)


def test_a_workbook_that_is_cut_short_is_not_verified() -> None:
    report = exported(XlsxExporter, sample_session())
    XlsxExporter.verify(io.BytesIO(report))

    with pytest.raises(BadZipFile):
        XlsxExporter.verify(io.BytesIO(report[:-500]))


def charted(part: str) -> list[Any]:
    """Return the cells that the chart takes its labels or numbers from."""
    chart = parts()[CHART]
    formula = str(chart.xpath(f"string(//c:{part}//c:f)", namespaces=DRAWING))
    found = re.fullmatch(r"'Summary'!\$([AB])\$(\d+):\$([AB])\$(\d+)", formula)
    assert found is not None
    column = "AB".index(found[1])
    return [row[column] for row in sheets()["Summary"][int(found[2]) - 1 : int(found[4])]]


def test_the_chart_is_of_the_cells_with_the_outcomes() -> None:
    tallies = sample_session().view().tallies

    assert charted("cat") == [each.label for each in tallies]
    assert charted("val") == [each.number for each in tallies]


def test_the_chart_has_a_colour_for_each_outcome() -> None:
    chart = parts()[CHART]
    colours = chart.xpath("//c:dPt/c:spPr/a:solidFill/a:srgbClr/@val", namespaces=DRAWING)
    found = dict(zip(charted("cat"), cast("list[str]", colours), strict=True))

    assert found["passed"] == "3AA565"
    assert found["failed"] == "D9483D"
    assert found["crashed"] == "E5812F"
    assert found["in flight"] == found["undecided"] == "5598DF"
    assert found["skipped"] == found["not supported"] == "AAB3BE"


def test_the_chart_is_told_in_words_and_stands_beside_the_cells() -> None:
    drawing = parts(big_session(20))["xl/drawings/drawing1.xml"]

    assert drawing.xpath("string(//d:cNvPr/@descr)", namespaces=DRAWING) == (
        "Outcomes: 2 failed, 18 passed"
    )
    assert drawing.xpath("string(//d:from/d:col)", namespaces=DRAWING) == "3"
    assert max(map(len, sheets(big_session(20))["Summary"])) == 2
    title = parts()[CHART].xpath("string(//c:title/c:overlay/@val)", namespaces=DRAWING)
    assert title == "0"


def test_where_nothing_is_to_be_shown_there_is_no_chart() -> None:
    assert CHART not in parts(empty_session())


def test_a_chart_is_never_of_cells_in_two_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_module, "LAST_ROW", 14)  # the first outcome's, but not the second's

    assert CHART not in parts(big_session(20))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param("a" * 10, 1, id="as wide as the column"),
        pytest.param("a" * 11, 2, id="wider"),
        pytest.param("a\nb\n", 2, id="ended lines"),
        pytest.param("\n" * 1000 + "a", 20, id="too many"),
    ],
)
def test_a_row_is_as_high_as_its_lines(text: str, lines: int) -> None:
    assert lines_of(text, width=10) == lines


def test_rows_of_several_lines_are_higher() -> None:
    descriptions = parts()["xl/worksheets/sheet6.xml"]
    heights = descriptions.xpath("//m:row/@ht", namespaces=MAIN)

    assert set(cast("list[str]", heights)) == {"30", "45"}


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_reads_every_result(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    path.write_bytes(exported(XlsxExporter, sample_session(), ["no-summary"]))

    subprocess.run(
        [
            str(shutil.which("soffice")),
            "--headless",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1",
            "--outdir",
            str(tmp_path),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=100,
    )
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        ids = [row[2] for row in csv.reader(file)][1:]
    wanted = [cell_text(job.id).replace("_x005F_", "_") for job in sample_session().view().jobs()]
    assert ids == wanted
