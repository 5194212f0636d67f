"""TRX, NUnit, xUnit.net, Robot Framework and Open Test Reporting, format by format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.importers.imported_facts import SAMPLES, Made, made_of, output

from holdall import Subtest
from holdall_plugins.importers.nunit3 import NUnit3Importer
from holdall_plugins.importers.otr import OtrImporter
from holdall_plugins.importers.robot import RobotImporter
from holdall_plugins.importers.trx import TrxImporter
from holdall_plugins.importers.xunit2 import XUnit2Importer

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Importer

ROBOT = SAMPLES / "robot"


# What Robot counted itself: `12 tests, 3 passed, 8 failed, 1 skipped`. Of the failed ones, four
# could not be performed because of a set-up or tear-down, and one was ended by its timeout.
@pytest.mark.parametrize("name", ["robot7.xml", "robot6.xml", "rebot7.xml", "robot7.json"])
def test_robot_counts_the_same_in_every_version_and_form(name: str) -> None:
    made = Made(RobotImporter, ROBOT / name)

    assert made.outcomes == {"pass": 3, "fail": 3, "error": 4, "crash": 1, "skip": 1}


def test_robot_of_version_3_counts_the_same_without_skips() -> None:
    made = Made(RobotImporter, ROBOT / "robot3.xml")

    assert made.outcomes == {"pass": 3, "fail": 3, "error": 4, "crash": 1}
    first = made.job("Rb3.A.Passes")
    assert (first.duration, first.attempts[0].started_at) == (0.014, 1795697123.948)


@pytest.mark.parametrize("name", ["robot7.xml", "robot7.json"])
def test_a_test_of_robot_has_its_keywords_messages_and_tags(name: str) -> None:
    made = Made(RobotImporter, ROBOT / name)

    job = made.job("Rb.A.Passes")
    assert (job.category, job.description) == ("Rb.A", "Does it")
    assert job.origin == "/home/me/project/a.robot:6"
    assert output(job) == [("stdout", b"hello\nWARN: watch out\n")]
    assert [part.value for part in job.measurements] == ["smoke", "t1", "t2"]
    assert [(part.name, str(part.outcome)) for part in job.subtests] == [
        ("BuiltIn.Log", "pass"),
        ("BuiltIn.Log", "pass"),
        ("BuiltIn.Should Be Equal", "pass"),
    ]
    assert made.devices == {"local": {"Version": "1.2"}}


@pytest.mark.parametrize("name", ["robot7.xml", "robot6.xml", "robot7.json"])
def test_a_broken_tear_down_of_a_suite_fails_its_tests_as_robot_says(name: str) -> None:
    made = Made(RobotImporter, ROBOT / name)

    assert made.attempts("Rb.Td.B.One")[0][::2] == (
        "error",
        "Parent suite teardown failed:\nbroken down",
    )
    assert made.attempts("Rb.Td.B.Two")[0][::2] == (
        "fail",
        "other\n\nAlso parent suite teardown failed:\nbroken down",
    )
    assert made.job("Rb.Su.C.Three").comments == "Parent suite setup failed:\nnever up"


def test_two_tests_of_robot_of_one_name_are_two_jobs() -> None:
    made = Made(RobotImporter, ROBOT / "robot7.xml")

    assert [job.id for job in made.jobs if "Passes" in job.id] == [
        "Rb.A.Passes",
        "Rb.A.Passes (2)",
    ]


def test_a_broken_structure_of_robots_json_is_named(tmp_path: Path) -> None:
    document = {"generator": "Robot 7.5", "suite": {"tests": [{"name": "a", "status": "GOOD"}]}}

    with pytest.raises(ValueError, match=r"test 1 \('a'\): the status 'GOOD' is none of PASS"):
        made_of(RobotImporter, tmp_path, json.dumps(document))


def test_a_trx_has_classes_rows_and_what_went_wrong_with_the_run() -> None:
    made = Made(TrxImporter, SAMPLES / "trx" / "dotnet.trx")

    assert made.outcomes == {
        "pass": 1,
        "fail": 2,
        "skip": 1,
        "crash": 1,
        "undecided": 1,
        "error": 1,
    }
    passes = made.job("Ns.Class.Passes")
    assert (passes.device_id, passes.category, passes.duration) == ("BENCH-3", "Ns.Class", 62.0035)
    assert passes.attempts[0].started_at == 1709528767.1
    assert output(passes) == [("stdout", b"hello\n"), ("stderr", b"careful")]
    assert [(part.name, part.value) for part in passes.measurements] == [("category", "Smoke")]
    assert list(made.job("Ns.Class.Rows").subtests) == [
        Subtest(name="Rows (1)", outcome="pass", duration=0.1),
        Subtest(name="Rows (2)", outcome="fail", duration=0.1, message="two"),
    ]
    assert made.job("Ns.Class.Off").skip_reason == "later"
    assert made.job("test run (1)").comments.startswith("The active test run was aborted")


def test_files_of_a_trx_are_found_where_a_run_keeps_them(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "In" / "e1" / "BENCH-3"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("log", encoding="utf-8")
    (tmp_path.parent / "secret.txt").write_text("secret", encoding="utf-8")
    text = (SAMPLES / "trx" / "dotnet.trx").read_text(encoding="utf-8")

    made = made_of(TrxImporter, tmp_path, text)

    files = made.job("Ns.Class.Passes").attachments
    assert [(file.name, file.data) for file in files] == [("log.txt", b"log")]
    assert made.left_out["attachments that are not below the folder of the file"] == 1


def test_an_nunit_report_has_outcomes_reasons_and_broken_fixtures() -> None:
    made = Made(NUnit3Importer, SAMPLES / "nunit3" / "nunit.xml")

    assert made.outcomes == {"pass": 2, "fail": 1, "error": 2, "skip": 2, "crash": 1}
    adds = made.job("Ns.Calc.Adds(1,2)")
    assert (adds.category, adds.duration, output(adds)) == (
        "Ns.Calc",
        0.05,
        [("stdout", b"hello\n")],
    )
    assert made.job("Ns.Calc.Fails").comments == (
        "  Expected: 1\n  But was:  2\n   at Ns.Calc.Fails() in /src/Calc.cs:line 9"
    )
    assert made.job("Ns.Calc.Off").skip_reason == "later"
    assert made.job("Ns.Calc.Warns").comments == "slow"
    assert made.attempts("Ns.Bad (SetUp)") == [
        ("error", None, "OneTimeSetUp: System.Exception : no set-up")
    ]
    assert made.devices["BENCH-3"]["os-version"] == "Linux 6.1"


def test_an_xunit_report_has_traits_attachments_and_errors_of_fixtures() -> None:
    made = Made(XUnit2Importer, SAMPLES / "xunit2" / "xunit.xml")

    assert made.outcomes == {"pass": 1, "fail": 1, "skip": 2, "error": 1}
    adds = made.job('Ns.Calc.Adds(a: 1, b: "x")')
    assert [(file.name, file.data) for file in adds.attachments] == [
        ("note.txt", b"text"),
        ("data.bin", b"\x00\x01\x02"),
    ]
    assert (adds.origin, adds.attempts[0].started_at) == ("/src/Calc.cs:7", 1709528767.25)
    assert made.job("Ns.Calc.Fails").comments == (
        "Xunit.Sdk.EqualException\nAssert.Equal() Failure\nExpected: 1\nActual:   2\n"
        "   at Ns.Calc.Fails() in /src/Calc.cs:line 12"
    )
    assert made.job("Ns.Calc.Off").skip_reason == "later"
    assert made.attempts("fixture-cleanup Ns.Fixture")[0][0] == "error"


def test_events_of_open_test_reporting_become_the_tests_and_containers_that_failed() -> None:
    made = Made(OtrImporter, SAMPLES / "otr" / "events.xml")

    assert made.outcomes == {"pass": 1, "fail": 1, "error": 2, "skip": 2}
    passes = made.job("AllTest::passes()")
    assert (passes.duration, passes.origin) == (0.05, "x.AllTest.passes")
    assert output(passes) == [("stdout", b"hello\n")]
    assert [(part.name, part.value) for part in passes.measurements] == [
        ("tag", "slow"),
        ("k", "v"),
    ]
    assert made.job("AllTest::off()").skip_reason == "later"
    assert made.attempts("BadTest") == [("error", 0.0, "set-up")]
    assert made.devices["coriol"]["operatingSystem"] == "Linux"


def test_a_hierarchy_of_open_test_reporting_has_its_tests() -> None:
    made = Made(OtrImporter, SAMPLES / "otr" / "hierarchy.xml")

    assert [(job.id, str(job.outcome), job.duration) for job in made.jobs] == [
        ("JUnit Jupiter::AllTest::passes()", "pass", 0.05),
        ("JUnit Jupiter::AllTest::fails()", "fail", 60.01),
    ]


def test_a_test_that_never_finished_is_a_crash(tmp_path: Path) -> None:
    text = (
        '<e:events xmlns:e="https://schemas.opentest4j.org/reporting/events/0.2.0">'
        '<e:started id="1" name="all"/><e:started id="2" name="t" parentId="1"/></e:events>'
    )

    made = made_of(OtrImporter, tmp_path, text)

    assert [(job.id, str(job.outcome)) for job in made.jobs] == [("all::t", "crash")]


OTR = "https://schemas.opentest4j.org/reporting/"


@pytest.mark.parametrize(
    ("importer", "text", "words"),
    [
        (
            TrxImporter,
            '<TestRun>\n<UnitTestResult testName="t" outcome="Good"/></TestRun>',
            "line 2: the outcome 'Good' is none of Passed, ",
        ),
        (TrxImporter, "<Run/>", "line 1: <Run> begins no TRX"),
        (
            NUnit3Importer,
            '<test-run>\n<test-case fullname="t" result="Good"/></test-run>',
            "line 2: the result 'Good' is none of Passed, Failed, ",
        ),
        (NUnit3Importer, "<run/>", "line 1: <run> begins no report of NUnit"),
        (
            XUnit2Importer,
            '<assemblies><assembly>\n<test name="t" result="Good"/></assembly></assemblies>',
            "line 2: the result 'Good' is none of Pass, Fail, Skip, NotRun",
        ),
        (XUnit2Importer, "<run/>", "line 1: <run> begins no report of xUnit"),
        (
            RobotImporter,
            '<robot><test name="t">\n<status status="GOOD"/>\n</test></robot>',
            "line 3: the status 'GOOD' is none of PASS, FAIL",
        ),
        (RobotImporter, "<run/>", "line 1: <run> begins no output of Robot"),
        (
            OtrImporter,
            f'<events xmlns="{OTR}events/0.2.0">\n<finished id="7"/></events>',
            "line 2: what has the id '7' has not been started",
        ),
        (
            OtrImporter,
            (
                f'<events xmlns="{OTR}events/0.2.0"><started id="7" name="t"/>\n<finished id="7">'
                '<result status="GOOD"/></finished></events>'
            ),
            "line 2: the status 'GOOD' is none of SUCCESSFUL",
        ),
        (OtrImporter, "<run/>", "line 1: <run> begins no Open Test Report"),
    ],
)
def test_a_damage_is_named_with_its_line(
    tmp_path: Path, importer: type[Importer], text: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        made_of(importer, tmp_path, text)
