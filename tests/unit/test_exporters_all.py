"""What holds for all formats alike: determinism, any text at all, golden files."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from lxml import etree
from tests.unit.report_readers import JENKINS, READERS, wanted_cases, whole_report

from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing.exporters import exported
from holdall.testing.sessions import sample_session
from holdall.testing.strategies import hostile_sessions
from holdall_exporters.json import JsonExporter
from holdall_exporters.junit import JUnitExporter
from holdall_exporters.text import TextExporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.contracts.exporters import Exporter
    from holdall.testing.sessions import SampleSession

FORMATS = (
    "parquet",
    "tap",
    "ndjson",
    "csv",
    "agent",
    "allure",
    "ctrf",
    "html",
    "json",
    "junit",
    "markdown",
    "otr",
    "tar",
    "template",
    "testplan",
    "text",
    "global",
    "xlsx",
)
REGISTRY = Registry.discover()
GOLDEN = Path(__file__).parents[1] / "golden"

# What changes the layout of a report. Every one is read back, and the same everywhere.
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "agent, in few words": ("agent", "tokens=800", "lines=1"),
    "allure with all logs": ("allure", "logs=all"),
    "csv, unsafe": ("csv", "safe=no", "bom"),
    "ctrf with all logs": ("ctrf", "logs=all", "log-max=20"),
    "html with all logs": ("html", "logs=all", "log-max=20"),
    "json for checkbox": ("json", "dialect=checkbox"),
    "json without logs": ("json", "logs=none"),
    "junit for jenkins": ("junit", "flavour=jenkins", "logs=all"),
    "junit rich": ("junit", "flavour=rich", "logs=all"),
    "junit in utf-8": ("junit", "no-ascii"),
    "junit in parts": ("junit", "max-cases=2"),
    "markdown for a check": ("markdown", "place=check", "lines=0", "slowest=0"),
    "ndjson without logs": ("ndjson", "logs=none"),
    "otr with all logs": ("otr", "logs=all", "log-max=20"),
    "tap with all logs": ("tap", "logs=all", "log-max=20"),
    "tar as xz": ("tar", "compression=xz", "contents=none"),
    "tar as zst": ("tar", "compression=zst", "contents=none"),
    "tar plain, of everything": ("tar", "compression=none", "contents=default,text,xlsx,global"),
    "text, narrow": ("text", "width=40", "slowest=3"),
    "text, coloured, with all logs": ("text", "color=always", "logs=all"),
    "verdict with reasons": ("global", "form=reasons"),
    "verdict as json": ("global", "form=json"),
    "verdict as a badge": ("global", "form=badge"),
    "xlsx with everything": ("xlsx", "logs=all", "attempts=all"),
    "xlsx with little": ("xlsx", "no-summary", "no-devices", "no-descriptions"),
}

DIGESTS = """
import io, json, os, sys
from hashlib import sha256
from pathlib import Path
from holdall.exports.pipeline import export
from holdall.testing.sessions import sample_session
os.umask(int(os.environ["UMASK"], 8))
for number, (name, *options) in enumerate(json.load(sys.stdin)):
    report = export(sample_session(), name, f"report-{number}.out", options=options)
    files = [each for each in (report.target, *report.parts) if Path(each).is_file()]
    print(name, *options, *(sha256(Path(each).read_bytes()).hexdigest() for each in files))
    if not report.parts:
        stream = export(sample_session(), name, io.BytesIO(), options=options)
        assert stream.sha256 == report.sha256
"""


def digests(folder: Path, **environment: str) -> list[str]:
    """Return what the reports in all formats and variants are, made in a process in *folder*."""
    temporary = folder / "temporary files"
    temporary.mkdir(parents=True)
    wanted = [(name,) for name in FORMATS] + list(VARIANTS.values())
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        input=json.dumps(wanted),
        env={**os.environ, "TMPDIR": str(temporary), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert list(temporary.iterdir()) == []
    return done.stdout.splitlines()


def test_bytes_do_not_depend_on_the_surroundings(tmp_path: Path) -> None:
    """Not on time zone, language, hash seed, umask, working folder and temporary folder."""
    here = digests(
        tmp_path / "here", TZ="UTC", LANG="C", LC_ALL="C", PYTHONHASHSEED="1", UMASK="022"
    )
    there = digests(
        tmp_path / "there" / "d\u00e4 drin",
        TZ="Asia/Tokyo",
        LANG="de_DE.UTF-8",
        LC_ALL="C.UTF-8",
        PYTHONHASHSEED="2",
        UMASK="077",
    )

    assert here == there
    assert len(here) == len(FORMATS) + len(VARIANTS)


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


@settings(max_examples=25, deadline=None)
@given(session=hostile_sessions())
@pytest.mark.parametrize("name", FORMATS)
def test_any_session_gives_a_report_that_can_be_read(name: str, session: SampleSession) -> None:
    READERS[name](whole_report(session, name), session)


@settings(max_examples=8, deadline=None)
@given(session=hostile_sessions())
@pytest.mark.parametrize("variant", [each for each in VARIANTS if "parts" not in each])
def test_any_session_gives_a_report_in_every_variant(variant: str, session: SampleSession) -> None:
    name, *options = VARIANTS[variant]

    report = whole_report(session, name, *options, verify=True)

    READERS.get(variant, READERS[name])(report, session)


@settings(max_examples=25, deadline=None)
@given(session=hostile_sessions())
def test_any_session_gives_junit_files_in_parts_that_are_whole(session: SampleSession) -> None:
    name, *options = VARIANTS["junit in parts"]
    with TemporaryDirectory() as folder:
        target = Path(folder) / "report.xml"
        report = export(session, name, target, options=options, registry=REGISTRY, verify=True)
        files = [target, *map(Path, report.parts)]
        parts = [file.read_bytes() for file in files]

    roots = list(map(etree.fromstring, parts))
    for root in roots:
        JENKINS.assertValid(root)
        assert len(root.findall(".//testcase")) <= 2
        assert [suite.get("id") for suite in root] == [str(n) for n in range(len(root))]
    cases = [case for root in roots for case in root.iter("testcase")]
    names = {(case.get("classname"), case.get("name")) for case in cases}
    assert len(names) == len(cases) == wanted_cases(session)


def test_every_installed_exporter_is_tried_here() -> None:
    assert {REGISTRY.resolve("exporters", name).id for name in FORMATS} == {
        candidate.id for candidate in REGISTRY.candidates("exporters")
    }
