"""The test plan as a workbook and as CSV: jobs by category, and no result of any."""

from __future__ import annotations

import csv
import io
from typing import Any, ClassVar

import pytest
from openpyxl import load_workbook

from holdall.journal.events import (
    CategoryDefined,
    JobDefined,
    JobRecord,
    JobsSelected,
    PlanRecord,
    PlansChanged,
    SessionCreated,
)
from holdall.registry import Registry
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import START, SampleSession, sample_session
from holdall_exporters.csv import PLAN_COLUMNS, CsvExporter
from holdall_exporters.xlsx import XlsxExporter
from holdall_exporters.xlsx.plan import PlanExporter


class TestPlanExporter(ExporterContract):
    """The exporter of test plans keeps the promises of all exporters."""

    exporter: ClassVar[type[PlanExporter]] = PlanExporter


def session(*, name: str = "Smoke & mirrors") -> SampleSession:
    jobs = (
        JobRecord(
            id="lab::b", category_id="disks", summary="The second", description="Two\nlines"
        ),
        JobRecord(id="lab::=a", category_id="disks", certification_status="blocker"),
        JobRecord(id="lab::c", category_id="nets", plugin="manual", estimated_duration=90),
    )
    return SampleSession(
        (
            SessionCreated(at=START, session_id="s"),
            PlansChanged(at=START, plans=(PlanRecord(id="lab::smoke", name=name),)),
            CategoryDefined(at=START, id="disks", name="Disks"),
            *(JobDefined(at=START, job=job) for job in jobs),
            JobsSelected(at=START, run_list=tuple(job.id for job in jobs)),
        )
    )


def sheet(of: SampleSession, *options: str) -> Any:
    book = load_workbook(io.BytesIO(exported(PlanExporter, of, list(options))))
    assert book.sheetnames == ["Test plan"]
    return book["Test plan"]


def rows(of: SampleSession, *options: str) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet(of, *options).iter_rows()]


def test_jobs_stand_below_their_category_in_the_order_of_their_ids() -> None:
    found = rows(session())

    assert found[0][:3] == ["Name", "Summary", "Certification status"]
    assert [row[0] for row in found[1:]] == ["Disks", "lab::=a", "lab::b", "nets", "lab::c"]
    assert found[2][2] == "blocker"
    assert found[3][1:] == ["The second", "non-blocker", "shell", None, "Two\nlines"]
    assert found[5][3:5] == ["manual", 90]


def test_each_page_names_the_plan_and_its_number() -> None:
    page = sheet(session())

    assert page.oddHeader.center.text == "Smoke && mirrors"
    assert page.oddFooter.center.text == "&P / &N"
    assert len(sheet(session(name="&" * 500)).oddHeader.center.text) <= 255


def test_descriptions_can_be_left_out() -> None:
    assert {row[5] for row in rows(session(), "no-descriptions")[1:]} == {None}


def test_the_jobs_of_several_devices_stand_one_device_after_the_other() -> None:
    found = [row[0] for row in rows(sample_session())]

    assert "local: Disks & drives" in found
    assert any(str(name).startswith("dut-7: ") for name in found)


def test_the_option_of_plainbox_gives_the_same_sheet() -> None:
    with pytest.warns(DeprecationWarning, match="tp-export"):
        book = load_workbook(io.BytesIO(exported(XlsxExporter, session(), ["tp-export"])))

    found = [[cell.value for cell in row] for row in book["Test plan"].iter_rows()]
    assert found == rows(session())


def test_plainbox_knew_it_as_tp_export() -> None:
    with pytest.warns(DeprecationWarning, match="tp-export"):
        found = Registry.discover().resolve("exporters", "com.canonical.plainbox::tp-export")
    assert found.id == "holdall.testplan"


def test_a_table_of_the_plan_has_no_result() -> None:
    text = exported(CsvExporter, session(), ["test-plan"]).decode()
    found = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))

    assert tuple(found[0]) == PLAN_COLUMNS
    assert [row["id"] for row in found] == ["lab::b", "lab::=a", "lab::c"]
    assert (found[0]["description"], found[2]["estimated_duration"]) == ("Two\nlines", "90")
    CsvExporter.verify(io.BytesIO(text.encode()))
