"""What holds for all formats alike: determinism, any text at all, golden files."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from junitparser import JUnitXml
from lxml import etree, html
from python_calamine import CalamineWorkbook

from holdall.exports.cleaning import cell_text, html_text, line_text
from holdall.exports.pipeline import export
from holdall.registry import Registry
from holdall.testing.exporters import exported
from holdall.testing.sessions import sample_session
from holdall.testing.strategies import hostile_sessions
from holdall_exporters.json import JsonExporter
from holdall_exporters.junit import JUnitExporter
from holdall_exporters.text import TextExporter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdall.contracts import Exporter
    from holdall.testing.sessions import SampleSession

FORMATS = ("html", "json", "junit", "tar", "template", "text", "global", "xlsx")
REGISTRY = Registry.discover()
GOLDEN = Path(__file__).parents[1] / "golden"
JENKINS = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "junit-10.xsd"))

DIGESTS = """
import io, sys
from holdall.exports.pipeline import export
from holdall.testing.sessions import sample_session
for name in sys.argv[1:]:
    print(name, export(sample_session(), name, io.BytesIO()).sha256)
"""


def digests(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS, *FORMATS],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_bytes_do_not_depend_on_zone_language_and_hash_seed() -> None:
    here = digests(TZ="UTC", LANG="C", LC_ALL="C", PYTHONHASHSEED="1")
    there = digests(TZ="Asia/Tokyo", LANG="de_DE.UTF-8", LC_ALL="C.UTF-8", PYTHONHASHSEED="2")

    assert here == there
    assert len(here.splitlines()) == len(FORMATS)


def test_bytes_follow_source_date_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    def report() -> bytes:
        stream = io.BytesIO()
        export(sample_session(), "tar", stream, registry=REGISTRY)
        return stream.getvalue()

    before = report()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    after = report()

    assert before != after
    with tarfile.open(fileobj=io.BytesIO(after)) as tar:
        assert {member.mtime for member in tar} == {86400}


@pytest.mark.parametrize(
    ("name", "exporter", "options"),
    [
        pytest.param("sample.txt", TextExporter, ["logs=failed"], id="text"),
        pytest.param("sample.json", JsonExporter, [], id="json"),
        pytest.param("sample.junit.xml", JUnitExporter, [], id="junit"),
    ],
)
def test_a_report_is_what_it_was(name: str, exporter: type[Exporter], options: list[str]) -> None:
    """To accept a change: HOLDALL_WRITE_GOLDEN=1 pytest tests/unit/test_exporters_all.py."""
    report = exported(exporter, sample_session(), options)
    if os.environ.get("HOLDALL_WRITE_GOLDEN"):
        (GOLDEN / name).write_bytes(report)

    assert report.decode() == (GOLDEN / name).read_bytes().decode()


def read_json(report: bytes, session: SampleSession) -> None:
    jobs = json.loads(report)["jobs"]
    assert [each["id"] for each in jobs] == [job.id for job in session.view().jobs()]


def read_junit(report: bytes, session: SampleSession) -> None:
    root = etree.fromstring(report)
    JENKINS.assertValid(root)
    names = {(case.get("classname"), case.get("name")) for case in root.iter("testcase")}
    assert len(names) == session.view().job_count
    assert sum(suite.tests for suite in JUnitXml.fromstring(report)) == len(names)


def read_html(report: bytes, session: SampleSession) -> None:
    page = html.document_fromstring(report.decode())
    data, script = page.findall(".//script")
    rows = json.loads(gzip.decompress(base64.b64decode((data.text or "").split("\n")[0])))["rows"]
    assert [row[2] for row in rows] == [html_text(job.id) for job in session.view().jobs()]
    assert script.get("type") is None


def read_xlsx(report: bytes, session: SampleSession) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(report))
    rows = book.get_sheet_by_name("Results").to_python()[1:]
    wanted = [cell_text(job.id).replace("_x005F_", "_") for job in session.view().jobs()]
    assert [row[2] for row in rows] == wanted


def read_tar(report: bytes, session: SampleSession) -> None:
    with tarfile.open(fileobj=io.BytesIO(report)) as tar:
        names = [member.name for member in tar]
        attempts = [a for job in session.view().jobs() for a in job.attempts]
        assert len({name.lower() for name in names}) == len(names)
        assert len(names) >= 4 + sum(len(attempt.attachments) for attempt in attempts)
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


READERS: Mapping[str, Callable[[bytes, SampleSession], None]] = {
    "html": read_html,
    "json": read_json,
    "junit": read_junit,
    "tar": read_tar,
    "template": read_template,
    "text": read_text,
    "global": read_verdict,
    "xlsx": read_xlsx,
}


@settings(max_examples=25, deadline=None)
@given(session=hostile_sessions())
@pytest.mark.parametrize("name", FORMATS)
def test_any_session_gives_a_report_that_can_be_read(name: str, session: SampleSession) -> None:
    stream = io.BytesIO()

    export(session, name, stream, registry=REGISTRY)

    READERS[name](stream.getvalue(), session)


def test_every_installed_exporter_is_tried_here() -> None:
    assert {REGISTRY.resolve("exporters", name).id for name in FORMATS} == {
        candidate.id for candidate in REGISTRY.candidates("exporters")
    }
