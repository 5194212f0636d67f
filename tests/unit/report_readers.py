"""What reads a report of each format back, with a parser that is not ours."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
import sys
import tarfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, FormatChecker
from junitparser import JUnitXml
from lxml import etree, html
from markdown_it import MarkdownIt
from pyarrow.parquet import ParquetFile
from python_calamine import CalamineWorkbook

from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing.checks.exporters.subject import files_in, target_for
from holdall.view import verdict
from holdall.writing.cleaning import cell_text, html_text, line_text, xml_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdall.testing.sessions import SampleSession

REGISTRY = Registry.discover()
DATA = Path(__file__).parents[1] / "data"
CTRF = Draft7Validator(
    json.loads((DATA / "ctrf-schema-0.0.json").read_text("utf-8")), format_checker=FormatChecker()
)
ALLURE_RESULT = re.compile(rb"== [0-9a-f-]{36}-result\.json\n(.*)\n")
JENKINS = etree.XMLSchema(etree.parse(DATA / "junit-10.xsd"))


def read_submission(report: bytes, session: SampleSession) -> None:
    found = json.loads(report)
    items = [*found["results"], *found["attachment-results"]]
    wanted = [job.id for job in session.view().jobs() if job.in_flight or job.outcome != "none"]
    assert sorted(each["full_id"] for each in items) == sorted(wanted)


def read_json(report: bytes, session: SampleSession) -> None:
    jobs = json.loads(report)["jobs"]
    assert [each["id"] for each in jobs] == [job.id for job in session.view().jobs()]


def read_agent(report: bytes, session: SampleSession) -> None:
    lines = report.decode().splitlines()
    assert len(report) <= 6000
    assert f"verdict: {verdict(session.view()).word}" in lines
    assert lines[-1] == "end of report"


def read_csv(report: bytes, session: SampleSession) -> None:
    rows = list(csv.DictReader(io.StringIO(report.decode("utf-8-sig"), newline=""), strict=True))
    assert [row["outcome"] for row in rows] == [str(job.outcome) for job in session.view().jobs()]
    assert all(None not in row and None not in row.values() for row in rows)


def read_ndjson(report: bytes, session: SampleSession) -> None:
    lines = list(map(json.loads, report.splitlines()))
    jobs = [line["job"] for line in lines if line["type"] == "job"]
    assert jobs == [job.id for job in session.view().jobs()]
    assert lines[-1]["lines"] == len(lines) - 1
    assert len(set(report.splitlines())) == len(lines)


def read_tap(report: bytes, session: SampleSession) -> None:
    version, plan, *lines = report.decode().split("\n")
    points = [line for line in lines if line.startswith(("ok ", "not ok "))]
    assert (version, plan) == ("TAP version 14", f"1..{len(points)}")
    assert len(points) == wanted_cases(session)


def whole_report(session: SampleSession, name: str, *options: str, **more: Any) -> bytes:
    """Return a report; the files of one that is a folder, each behind its name."""
    with target_for(REGISTRY.load("exporters", name), io.BytesIO()) as target:
        export(session, name, target, options=options, registry=REGISTRY, **more)
        return target.getvalue() if isinstance(target, io.BytesIO) else b"".join(files_in(target))


def read_allure(report: bytes, session: SampleSession) -> None:
    results = list(map(json.loads, ALLURE_RESULT.findall(report)))
    jobs = list(session.view().jobs())
    assert sorted(each["fullName"] for each in results) == sorted(
        job.id or "unnamed"
        for job in jobs
        for _ in range(max(job.attempt_count + job.in_flight, 1))
    )
    assert len({each["historyId"] for each in results}) == len(jobs)
    assert len({each["uuid"] for each in results}) == len(results)


def read_otr(report: bytes, session: SampleSession) -> None:
    root = etree.fromstring(report, etree.XMLParser(huge_tree=True))
    begun = [each for each in root if each.tag.endswith("}started")]
    ended = [each.get("id") for each in root if each.tag.endswith("}finished")]
    jobs = list(session.view().jobs())
    parents = {each.get("parentId") for each in begun}
    assert [each.get("name") for each in begun if each.get("id") not in parents] == [
        xml_text(job.id) or "unnamed"
        for job in jobs
        for _ in range(max(job.attempt_count + job.in_flight, 1))
    ]
    assert len(begun) - len(set(ended)) == sum(job.in_flight for job in jobs)


def read_ctrf(report: bytes, session: SampleSession) -> None:
    found = json.loads(report)
    CTRF.validate(found)
    tests = found["results"]["tests"]
    assert [each["name"] for each in tests] == [
        job.id or "unnamed" for job in session.view().jobs()
    ]


def read_markdown(report: bytes, session: SampleSession) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(report.decode())
    words = [child.content for token in tokens for child in token.children or ()]
    view = session.view()
    shown = " ".join(words)
    assert f"{view.job_count} " in shown
    for job in view.jobs():
        assert job.went_wrong or line_text(job.id)[:250] in shown


def read_junit(report: bytes, session: SampleSession) -> None:
    root = etree.fromstring(report)
    if not root.findall(".//testcase/properties"):  # the rich flavour is for those who take them
        JENKINS.assertValid(root)
    names = {(case.get("classname"), case.get("name")) for case in root.iter("testcase")}
    assert len(names) == wanted_cases(session)
    assert sum(suite.tests for suite in JUnitXml.fromstring(report)) == len(names)


def wanted_cases(session: SampleSession) -> int:
    """Return how many cases there should be: one is not of a job, but says that none passed."""
    view = session.view()
    silent = [reason.code for reason in verdict(view).reasons] == ["nothing-passed"]
    return view.job_count + silent


def read_html(report: bytes, session: SampleSession) -> None:
    page = html.document_fromstring(report.decode())
    first, data, contents, script = page.findall(".//script")
    rows = json.loads(gzip.decompress(base64.b64decode((data.text or "").split("\n")[0])))["rows"]
    assert [row[2] for row in rows] == [html_text(job.id) for job in session.view().jobs()]
    assert first.get("type") is script.get("type") is None
    files = sum(len(each.attachments) for job in session.view().jobs() for each in job.attempts)
    assert len((contents.text or "").split("\n")) == max(1, files)


def read_xlsx(report: bytes, session: SampleSession) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(report))
    rows = book.get_sheet_by_name("Results").to_python()[1:]
    wanted = [cell_text(job.id).replace("_x005F_", "_") for job in session.view().jobs()]
    assert [row[2] for row in rows] == wanted


def read_parquet(report: bytes, session: SampleSession) -> None:
    rows = ParquetFile(io.BytesIO(report)).read().to_pylist()
    assert [row["id"] for row in rows] == [job.id for job in session.view().jobs()]


def read_plan(report: bytes, session: SampleSession) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(report))
    rows = book.get_sheet_by_index(0).to_python()[1:]
    jobs = list(session.view().jobs())
    wanted = [cell_text(job.id).replace("_x005F_", "_") for job in jobs]
    # A category has a row too, without the certification status that each job has.
    assert sorted(row[0] for row in rows if len(row) > 2 and row[2]) == sorted(wanted)


def read_zst(report: bytes, session: SampleSession) -> None:
    zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    read_tar(zstd.decompress(report), session, reports=0)


def read_coloured(report: bytes, session: SampleSession) -> None:
    read_text(re.sub(rb"\x1b\[[0-9;]*m", b"", report), session)


def read_narrow(report: bytes, session: SampleSession) -> None:
    text = report.decode()
    assert max(map(len, text.splitlines())) <= 40
    words = "".join(text.split())
    for job in session.view().jobs():
        assert "".join(line_text(job.id).split()) in words


def read_tar(report: bytes, session: SampleSession, *, reports: int = 3) -> None:
    with tarfile.open(fileobj=io.BytesIO(report)) as tar:
        names = [member.name for member in tar]
        attempts = [a for job in session.view().jobs() for a in job.attempts]
        assert len({name.lower() for name in names}) == len(names)
        assert len(names) >= 1 + reports + sum(len(attempt.attachments) for attempt in attempts)
        for member in tar:
            tarfile.data_filter(member, "/nowhere")


def read_text(report: bytes, session: SampleSession) -> None:
    text = report.decode()
    assert "\x1b" not in text
    for job in session.view().jobs():
        assert line_text(job.id) in text


def read_template(report: bytes, session: SampleSession) -> None:
    text = report.decode()
    assert text.startswith(("PASS: ", "FAIL: "))
    for job in session.view().jobs():
        assert html_text(job.id) in text


def read_verdict(report: bytes, session: SampleSession) -> None:
    assert report in {b"PASS\n", b"FAIL\n"}
    assert session.view().job_count or report == b"FAIL\n"


def read_reasons(report: bytes, session: SampleSession) -> None:
    word, *reasons = report.decode().split("\n")[:-1]
    assert word in {"PASS", "FAIL"}
    assert bool(reasons) is (word == "FAIL")
    assert session.view().job_count or word == "FAIL"


def read_verdict_object(report: bytes, session: SampleSession) -> None:
    found = json.loads(report)
    assert found["session"] == session.view().session_id
    assert found["passed"] is (found["verdict"] == "PASS") is not found["reasons"]


def read_badge(report: bytes, session: SampleSession) -> None:
    del session
    assert etree.fromstring(report).get("aria-label") in {"session: PASS", "session: FAIL"}


READERS: Mapping[str, Callable[[bytes, SampleSession], None]] = {
    "agent": read_agent,
    "allure": read_allure,
    "csv": read_csv,
    "ctrf": read_ctrf,
    "html": read_html,
    "json": read_json,
    "junit": read_junit,
    "markdown": read_markdown,
    "ndjson": read_ndjson,
    "parquet": read_parquet,
    "otr": read_otr,
    "tap": read_tap,
    "tar": read_tar,
    "template": read_template,
    "testplan": read_plan,
    "text": read_text,
    "global": read_verdict,
    "xlsx": read_xlsx,
    "json for checkbox": read_submission,
    "tar as xz": partial(read_tar, reports=0),
    "tar as zst": read_zst,
    "tar plain, of everything": partial(read_tar, reports=6),
    "text, narrow": read_narrow,
    "text, coloured, with all logs": read_coloured,
    "verdict with reasons": read_reasons,
    "verdict as json": read_verdict_object,
    "verdict as a badge": read_badge,
}
