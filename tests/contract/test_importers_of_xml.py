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
            f'<testcase classname="a.T" name="t{{n}}"><failure>{"x" * 2000}</failure></testcase>\n'
        )
        path = tmp_path / "large.xml"
        names = ("surefire", "suite-errors", "holdall-rich")
        return [
            *(SAMPLES / "junit" / f"{name}.xml" for name in names),
            large(path, '<testsuite name="s">', case, "</testsuite>"),
        ]


class TestTrx(ImporterContract):
    importer = TrxImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        head = '<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>'
        case = (
            '<UnitTestResult testId="{n}" testName="t{n}" outcome="Passed"><Output>'
            f"<StdOut>{'x' * 2000}</StdOut></Output></UnitTestResult>\n"
        )
        path = large(tmp_path / "large.trx", head, case, "</Results></TestRun>")
        return [SAMPLES / "trx" / "dotnet.trx", path]


class TestNUnit3(ImporterContract):
    importer = NUnit3Importer

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        case = f'<test-case fullname="t{{n}}" result="Passed"><output>{"x" * 2000}</output></test-case>\n'
        path = large(tmp_path / "large.xml", "<test-run>", case, "</test-run>")
        return [SAMPLES / "nunit3" / "nunit.xml", path]


class TestXUnit2(ImporterContract):
    importer = XUnit2Importer

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        case = f'<test name="t{{n}}" type="T" result="Pass"><output>{"x" * 2000}</output></test>\n'
        head = '<assemblies><assembly name="a.dll" test-framework="xUnit.net 2"><collection>'
        tail = "</collection></assembly></assemblies>"
        path = large(tmp_path / "large.xml", head, case, tail)
        return [SAMPLES / "xunit2" / "xunit.xml", path]


class TestRobot(ImporterContract):
    importer = RobotImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        case = (
            '<test name="t{n}"><kw name="Log"><msg level="INFO">'
            f'{"x" * 2000}</msg><status status="PASS"/></kw><status status="PASS"/></test>\n'
        )
        head = '<robot generator="Robot 7.0"><suite name="S">'
        path = large(tmp_path / "large.xml", head, case, "</suite></robot>")
        names = ("robot7.xml", "robot3.xml", "robot7.json")
        return [*(SAMPLES / "robot" / name for name in names), path]


class TestOtr(ImporterContract):
    importer = OtrImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        head = '<e:events xmlns:e="https://schemas.opentest4j.org/reporting/events/0.2.0">'
        case = (
            '<e:started id="{n}" name="t{n}"/><e:finished id="{n}"><result status="FAILED">'
            f"<reason>{'x' * 2000}</reason></result></e:finished>\n"
        )
        path = large(tmp_path / "large.xml", head, case, "</e:events>")
        names = ("events.xml", "hierarchy.xml")
        return [*(SAMPLES / "otr" / name for name in names), path]
