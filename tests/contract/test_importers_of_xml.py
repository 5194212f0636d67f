"""The importers of XML formats keep the promises of importers, with the samples of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdall.testing import ImporterContract
from holdall_plugins.importers.junit import JUnitImporter
from holdall_plugins.importers.nunit3 import NUnit3Importer
from holdall_plugins.importers.otr import OtrImporter
from holdall_plugins.importers.robot import RobotImporter
from holdall_plugins.importers.trx import TrxImporter
from holdall_plugins.importers.xunit2 import XUnit2Importer

SAMPLES = Path(__file__).parents[1] / "data" / "importers"


ROBOT_JSON = """{"generator": "Robot 7.5", "suite": {"id": "s1", "tests": [
{"body": [{"name": "Log", "owner": "BuiltIn", "status": "FAIL", "elapsed_time": 0.5,
"body": [{"type": "MESSAGE", "message": "down", "level": "FAIL"}]}],
"name": "Fails", "tags": ["t"], "status": "FAIL", "message": "down", "elapsed_time": 0.5}],
"name": "S"}}"""


def large(path: Path, head: str, case: str, tail: str) -> Path:
    """Write a file of a little more than a MiB; `{n}` in a case is its number."""
    count = (1 << 20) // len(case) + 100
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        file.writelines(case.replace("{n}", str(number)) for number in range(count))
        file.write(tail)
    return path


class TestJUnit(ImporterContract):
    importer = JUnitImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        case = (
            f'<testcase classname="a.T" name="t{{n}}"><failure>{"x" * 5000}</failure></testcase>\n'
        )
        path = tmp_path / "large.xml"
        return [
            SAMPLES / "junit" / "suite-errors.xml",
            large(path, '<testsuite name="s">', case, "</testsuite>"),
        ]


class TestTrx(ImporterContract):
    importer = TrxImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        head = '<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>'
        case = (
            '<UnitTestResult testId="{n}" testName="t{n}" outcome="Failed"><Output>'
            f"<ErrorInfo><Message>{'x' * 5000}</Message></ErrorInfo></Output></UnitTestResult>\n"
        )
        path = large(tmp_path / "large.trx", head, case, "</Results></TestRun>")
        return [SAMPLES / "trx" / "dotnet.trx", path]


class TestNUnit3(ImporterContract):
    importer = NUnit3Importer

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        why = f"<failure><message>{'x' * 5000}</message></failure>"
        case = f'<test-case fullname="t{{n}}" result="Failed">{why}</test-case>\n'
        path = large(tmp_path / "large.xml", "<test-run>", case, "</test-run>")
        return [SAMPLES / "nunit3" / "nunit.xml", path]


class TestXUnit2(ImporterContract):
    importer = XUnit2Importer

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        why = f"<failure><message>{'x' * 5000}</message></failure>"
        case = f'<test name="t{{n}}" type="T" result="Fail">{why}</test>\n'
        head = '<assemblies><assembly name="a.dll" test-framework="xUnit.net 2"><collection>'
        tail = "</collection></assembly></assemblies>"
        path = large(tmp_path / "large.xml", head, case, tail)
        return [SAMPLES / "xunit2" / "xunit.xml", path]


class TestRobot(ImporterContract):
    importer = RobotImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        case = (
            '<test name="t{n}"><kw name="Log"><status status="FAIL"/></kw>'
            f'<status status="FAIL">{"x" * 5000}</status></test>\n'
        )
        head = '<robot generator="Robot 7.0"><suite name="S">'
        path = large(tmp_path / "large.xml", head, case, "</suite></robot>")
        small = tmp_path / "small.json"
        small.write_text(ROBOT_JSON, encoding="utf-8")
        return [small, path]


class TestOtr(ImporterContract):
    importer = OtrImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        head = '<e:events xmlns:e="https://schemas.opentest4j.org/reporting/events/0.2.0">'
        case = (
            '<e:started id="{n}" name="t{n}"/><e:finished id="{n}"><result status="FAILED">'
            f"<reason>{'x' * 5000}</reason></result></e:finished>\n"
        )
        path = large(tmp_path / "large.xml", head, case, "</e:events>")
        return [SAMPLES / "otr" / "hierarchy.xml", path]
