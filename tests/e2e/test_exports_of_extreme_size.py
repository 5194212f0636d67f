"""Sessions of extreme size: a log of 2 GB, and 1 000 devices, in every format.

Each export is a process of its own, so that its memory can be told. The sizes
that take minutes are marked `soak`; smaller ones show the same each time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html
from python_calamine import CalamineWorkbook

FORMATS = ("html", "json", "junit", "tar", "text", "xlsx")
LISTING = ("csv", "ctrf", "ndjson", "tap")  # of which every job is in the report
BOUNDED = ("agent", "markdown")
MIB = 1 << 20
ROOT = Path(__file__).parents[2]

# Where the child gets its session from, what it exports, and what it tells of it.
CHILD = """
import json, sys, time
from pathlib import Path
from holdall.exports.pipeline import export
from holdall.registry import Registry
from holdall.testing.sessions import empty_session
from tests.e2e.extreme_sessions import devices_with_jobs, session_with_log

def memory(name):
    (line,) = (l for l in open("/proc/self/status") if l.startswith(name + ":"))
    return int(line.split()[1]) << 10

kind, size, exporter, target, *options = sys.argv[1:]
made = {"log": session_with_log, "devices": devices_with_jobs}[kind]
registry = Registry.discover()
export(empty_session(), exporter, target, options=options, registry=registry)  # imports
view = made(int(size))
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
before, start = memory("VmRSS"), time.process_time()
export(view, exporter, target, options=options, registry=registry)
spent = time.process_time() - start
print(json.dumps({"memory": memory("VmHWM") - before, "cpu": spent}))
"""


def exported(kind: str, size: int, exporter: str, target: Path, *options: str) -> dict[str, Any]:
    """Return what an export took."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, kind, str(size), exporter, str(target), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


OPTIONS = {
    "html": ("logs=all",),
    "junit": ("logs=all", "log-max=0"),
    "text": ("logs=all",),
    "xlsx": ("logs=all",),
    "tar": ("compression=none",),  # nothing is tried out here that packing would show
}


def check_log(exporter: str, report: Path, size: int) -> None:
    """Check that a report holds the whole log, or says how much it left out."""
    written = report.stat().st_size
    if exporter in {"json", "junit", "text"}:
        assert size < written < 3 * size
        with report.open("rb") as file:
            file.seek(-4096, 2)
            assert b"the last line" in file.read()
    elif exporter == "tar":
        with tarfile.open(report) as tar:
            sizes = {member.name.partition("/")[2]: member.size for member in tar}
        assert sizes["logs/com.example%3a%3alog.1.log"] == size
        assert sizes["report.json"] > size
    else:
        assert written < MIB
    if exporter == "html":
        assert b"characters left out" in report.read_bytes()
    if exporter == "xlsx":
        rows = CalamineWorkbook.from_path(report).get_sheet_by_name("Logs").to_python()
        text = "\n".join(str(row[4]) for row in rows[1:])
        (left_out,) = re.findall(r"^\[\.\.\. ([0-9,]+) .* \.\.\.\]$", text, re.MULTILINE)
        assert int(left_out.replace(",", "")) == size - (64 << 10)
        assert text.endswith("the last line")


@pytest.mark.parametrize("exporter", FORMATS)
def test_a_large_log_is_exported_in_little_memory(exporter: str, tmp_path: Path) -> None:
    report = tmp_path / "report"

    found = exported("log", 48 * MIB, exporter, report, *OPTIONS.get(exporter, ()))

    assert found["memory"] < 24 * MIB
    check_log(exporter, report, 48 * MIB)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("exporter", FORMATS)
def test_a_log_of_two_gigabytes_is_exported_in_little_memory(
    exporter: str, tmp_path: Path
) -> None:
    report = tmp_path / "report"

    found = exported("log", 2048 * MIB, exporter, report, *OPTIONS.get(exporter, ()))

    assert found["memory"] < 64 * MIB
    check_log(exporter, report, 2048 * MIB)


def jobs_in(exporter: str, report: Path) -> int:
    """Return how many jobs a program that is not ours finds in a report."""
    match exporter:
        case "json":
            return len(json.loads(report.read_bytes())["jobs"])
        case "junit":
            return sum(1 for _ in etree.iterparse(report, tag="testcase"))
        case "xlsx":
            sheet = CalamineWorkbook.from_path(report).get_sheet_by_name("Results")
            return len(sheet.to_python()) - 1
        case "tar":
            with tarfile.open(report) as tar:
                inside = next(m for m in tar if m.name.endswith("/report.json"))
                content = tar.extractfile(inside)
                assert content is not None
                return len(json.loads(content.read())["jobs"])
        case "csv":
            return report.read_bytes().count(b"\r\n") - 1
        case "ctrf":
            return len(json.loads(report.read_bytes())["results"]["tests"])
        case "ndjson":
            return report.read_bytes().count(b'\n{"type":"job",')
        case "tap":
            return int(report.read_text("utf-8").splitlines()[1].removeprefix("1.."))
        case "text":
            lines = report.read_text("utf-8").splitlines()
            return sum(line.startswith(("passed ", "FAILED ")) for line in lines)
    total = html.fromstring(report.read_bytes()).xpath("string(//dt[text()='Jobs']/../dd)")
    return int(str(total).split()[0].replace(",", ""))


@pytest.mark.parametrize("exporter", FORMATS)
def test_many_devices_are_exported_whole(exporter: str, tmp_path: Path) -> None:
    report = tmp_path / "report"

    exported("devices", 40, exporter, report)

    assert jobs_in(exporter, report) == 4_000


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("exporter", [*FORMATS, *LISTING])
def test_a_thousand_devices_cost_ten_times_as_much_as_a_hundred(
    exporter: str, tmp_path: Path
) -> None:
    report = tmp_path / "report"

    hundred = min(exported("devices", 100, exporter, report)["cpu"] for _ in range(3))
    thousand = exported("devices", 1_000, exporter, report)

    assert jobs_in(exporter, report) == 100_000
    assert thousand["cpu"] < 25 * hundred  # what grows with the square would be 100


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("exporter", BOUNDED)
def test_reports_with_a_budget_keep_it_whatever_the_session(exporter: str, tmp_path: Path) -> None:
    report = tmp_path / "report"

    found = exported("devices", 1_000, exporter, report)

    assert found["memory"] < 32 * MIB
    assert report.stat().st_size <= {"agent": 6000, "markdown": MIB}[exporter]


@pytest.mark.soak
@pytest.mark.parametrize("exporter", [*LISTING, *BOUNDED])
def test_a_large_log_takes_no_memory_in_formats_that_cut_it(exporter: str, tmp_path: Path) -> None:
    report = tmp_path / "report"

    found = exported("log", 48 * MIB, exporter, report)

    assert found["memory"] < 24 * MIB
    assert exporter == "ndjson" or report.stat().st_size < MIB
