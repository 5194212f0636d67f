"""JUnit XML of many tools: each dialect becomes the jobs that its tool counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.importers.imported_facts import SAMPLES, Made, made_of, output

from holdall import Recorder, SessionView
from holdall_plugins.importers.junit import JUnitImporter

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = SAMPLES / "junit"


def junit(folder: Path, inside: str) -> Made:
    """Return what comes of a suite with some elements in it."""
    return made_of(JUnitImporter, folder, f'<testsuite name="suite">{inside}</testsuite>')


# As the tools themselves counted: pytest and node in their last lines, ctest, jest and vitest in
# their summaries, playwright in the attributes of the root.
@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        # Of 4 failures one is a strict xpass, and one of a test whose tear-down is an error too.
        ("pytest", {"pass": 8, "fail": 3, "error": 3, "skip": 1}),
        ("unittest", {"pass": 1, "fail": 1}),
        ("ctest", {"pass": 1, "fail": 3, "skip": 3}),
        ("jest", {"pass": 1, "fail": 2, "skip": 1}),
        ("vitest", {"pass": 2, "fail": 1, "skip": 2}),
        ("node", {"pass": 1, "fail": 2, "skip": 1}),
        ("playwright", {"pass": 6, "fail": 2, "crash": 2, "skip": 4}),
        ("surefire", {"pass": 3, "error": 2, "skip": 1}),
        ("googletest", {"pass": 2, "fail": 1, "skip": 2}),
        ("phpunit", {"pass": 2, "fail": 1, "error": 1, "skip": 1}),
        ("nextest", {"pass": 2, "crash": 2}),
        ("catch2", {"pass": 1, "fail": 1, "error": 1, "skip": 1}),
        ("bazel", {"error": 1}),
        ("gradle", {"pass": 2}),
        ("glued", {"pass": 2, "fail": 1}),
    ],
)
def test_a_report_becomes_the_jobs_that_its_tool_counts(
    name: str, outcomes: dict[str, int]
) -> None:
    assert Made(JUnitImporter, JUNIT / f"{name}.xml").outcomes == outcomes


def test_an_expected_failure_of_pytest_is_one_and_a_strict_pass_is_unexpected() -> None:
    made = Made(JUnitImporter, JUNIT / "pytest.xml")

    xfail, xpass = made.job("test_a::test_xfail"), made.job("test_a::test_xpass_strict")
    assert (xfail.xfail, str(xfail.outcome), xfail.comments) == (True, "fail", "known")
    assert (xpass.xfail, str(xpass.outcome), str(xpass.counts_as)) == (True, "pass", "fail")


def test_a_case_that_stands_there_twice_is_two_attempts_and_is_counted() -> None:
    made = Made(JUnitImporter, JUNIT / "pytest.xml")

    both = made.attempts("test_a::test_both")
    assert [outcome for outcome, _duration, _comment in both] == ["fail", "error"]
    assert made.left_out["cases of a name that was there, which are attempts at it"] == 2


def test_reruns_of_surefire_are_attempts_in_their_order() -> None:
    made = Made(JUnitImporter, JUNIT / "surefire.xml")

    failed, at = "org.opentest4j.AssertionFailedError", "\n\tat x.AllTest.stays(AllTest.java:9)"
    assert made.attempts("x.AllTest::stays") == [
        ("fail", 0.003, f"{failed}: expected: 1 but was: 2{at}"),
        ("fail", 0.001, f"{failed}: expected: 1 but was: 3{at}"),
        ("error", None, "java.lang.IllegalStateException: broken"),
    ]
    assert [output(attempt) for attempt in made.job("x.AllTest::stays").attempts] == [
        [("stdout", b"first\n")],
        [("stdout", b"second\n"), ("stderr", b"oops\n")],
        [],
    ]
    assert made.attempts("x.AllTest::flakyTwice") == [
        ("error", None, "java.io.IOException: down"),
        ("fail", None, "java.lang.AssertionError: again"),
        ("pass", 0.002, ""),
    ]
    assert made.devices == {"local": {"java.version": "17.0.15", "os.name": "Linux"}}
    assert made.left_out == {}


def test_attempts_of_nextest_are_ordered_by_when_they_began() -> None:
    made = Made(JUnitImporter, JUNIT / "nextest.xml")

    flaky = made.job("app::bin/app::tests::flaky").attempts
    assert [(str(each.outcome), each.started_at) for each in flaky] == [
        ("fail", 1709528768.0),
        ("pass", 1709528769.0),
    ]


def test_a_rerun_that_began_before_the_case_is_the_earlier_attempt(tmp_path: Path) -> None:
    at = 'timestamp="2024-03-04T05:06:0{}Z"'
    rerun = f'<rerunFailure {at.format(7)} message="first"/>'

    made = junit(
        tmp_path,
        f'<testcase name="t" {at.format(8)}><failure message="last"/>{rerun}</testcase>',
    )

    assert made.attempts("suite::t") == [("fail", None, "first"), ("fail", None, "last")]


def test_a_case_of_googletest_has_its_file_its_properties_and_its_parameter() -> None:
    made = Made(JUnitImporter, JUNIT / "googletest.xml")

    assert made.job("Math::Adds").origin == "math_test.cc:7"
    assert made.job("Math::DISABLED_Off").skip_reason == "notrun"
    values = {part.name: part.value for part in made.job("Range/Param::Works/0").measurements}
    assert values == {
        "value_param": "1.5",
        "type_param": "int",
        "old_property": "as an attribute",
    }
    assert made.job("Math::Fails").comments == (
        "math_test.cc:13\nExpected equality of these values:\n  1\n  2\n\n"
        "math_test.cc:14\nValue of: false"
    )


def test_projects_of_playwright_are_devices() -> None:
    made = Made(JUnitImporter, JUNIT / "playwright.xml")

    assert set(made.devices) == {"one", "two"}
    assert made.left_out["attachments that are not below the folder of the file"] == 14


def test_output_of_a_suite_goes_to_its_only_case_and_else_is_a_file_of_its_last_one() -> None:
    bazel = Made(JUnitImporter, JUNIT / "bazel.xml").jobs[0]
    gradle = Made(JUnitImporter, JUNIT / "gradle.xml").jobs

    assert b"assertion failed" in output(bazel)[0][1]
    assert [(job.id, [file.name for file in job.attachments]) for job in gradle] == [
        ("x.AllTest::one()", []),
        ("x.AllTest::two()", ["system-out of x.AllTest.txt"]),
    ]
    assert gradle[1].attachments[0].data == b"of both\n"


def test_what_went_wrong_in_a_suite_without_a_case_is_a_job_of_its_name() -> None:
    made = Made(JUnitImporter, JUNIT / "suite-errors.xml")

    assert made.attempts("whole") == [("error", None, "ImportError: no such module")]
    assert output(made.job("whole")) == [("stderr", b"Traceback")]
    assert made.attempts("before::two") == [("fail", None, "a\n\nb")]
    assert made.left_out["output of suites without cases"] == 1
    assert made.left_out["elements <unknown> of cases"] == 1


def test_reports_behind_each_other_in_one_file_are_all_read() -> None:
    made = Made(JUnitImporter, JUNIT / "glued.xml")

    assert [(job.id, job.duration) for job in made.jobs] == [
        ("a.T::one", 0.25),
        ("b.T::two", None),
        ("c.T::three", None),
    ]
    assert made.left_out == {
        "durations that are no number of seconds": 2,
        "suites whose totals differ from their cases": 1,
    }


def test_an_attachment_is_kept_only_from_below_the_folder_of_the_file(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret", encoding="utf-8")
    folder = tmp_path / "report"
    (folder / "shots").mkdir(parents=True)
    (folder / "shots" / "a.png").write_bytes(b"png")
    (folder / "link.txt").symlink_to(outside)
    names = ("shots/a.png", "../outside.txt", str(outside), "link.txt", "shots", "gone.txt")
    marks = "\n".join(f"[[ATTACHMENT|{name}]]" for name in names)

    made = junit(folder, f'<testcase name="t"><system-out>{marks}</system-out></testcase>')

    assert [(each.name, each.data) for each in made.jobs[0].attachments] == [("a.png", b"png")]
    assert made.left_out == {"attachments that are not below the folder of the file": 5}


@pytest.mark.parametrize(
    ("attributes", "job_id", "category"),
    [
        ('classname="a.T" name="t"', "a.T::t", "a.T"),
        ('classname="works" name="Suite works"', "Suite works", "suite"),
        ('classname="same" name="same"', "same", "suite"),
        ('classname="test" name="t"', "suite::t", "suite"),
        ('name="t"', "suite::t", "suite"),
        ('name="suite t"', "suite t", "suite"),
        ('classname="a.T"', "a.T", "a.T"),
    ],
)
def test_a_case_is_called_by_its_class_and_name(
    tmp_path: Path, attributes: str, job_id: str, category: str
) -> None:
    job = junit(tmp_path, f"<testcase {attributes}/>").jobs[0]

    assert (job.id, job.category) == (job_id, category)


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "tbd"])
def test_a_host_that_says_nothing_leaves_the_device_that_was_given(
    tmp_path: Path, host: str
) -> None:
    path = tmp_path / "report.xml"
    text = f'<testsuite hostname="{host}"><properties><property name="os" value="Linux"/>'
    path.write_text(f'{text}</properties><testcase name="t"/></testsuite>', encoding="utf-8")

    assert Made(JUnitImporter, path, device="board-7").devices == {"board-7": {"os": "Linux"}}


def test_a_property_that_suites_disagree_about_keeps_its_first_value(tmp_path: Path) -> None:
    suite = '<testsuite><properties><property name="a" value="{}"/></properties></testsuite>'
    text = f'<testsuites>{suite.format(1)}{suite.format(2)}<testcase name="t"/></testsuites>'

    made = made_of(JUnitImporter, tmp_path, text)

    assert made.devices == {"local": {"a": "1"}}
    assert made.left_out == {"properties of suites with several values": 1}


def test_output_of_any_size_and_long_messages_are_kept(tmp_path: Path) -> None:
    long = "line of output\n" * 40_000
    made = junit(
        tmp_path,
        f'<testcase name="t"><failure>{"x" * 1_200_000}</failure>'
        f"<system-out>{long}</system-out></testcase>",
    )

    job = made.jobs[0]
    assert b"".join(data for _stream, data in output(job)) == long.encode()
    assert len(job.comments) == 2**20
    assert made.left_out == {"texts of failures beyond a million characters": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<testsuite><testcase/></testsuite>", "line 1: a test case has neither a name nor"),
        ("<testsuite>\n<testcase name='t'>", "line 2, column [0-9]+: no well-formed XML"),
        ("<testsuites/>\n<html/>", "line 2: <html> begins no report of JUnit"),
        ("<!DOCTYPE a>\n<testsuite/>", "document type declaration"),
        ("<testsuite/>\nnonsense", "line 2, column [0-9]+: no well-formed XML"),
        ("<testcase name='t'/>", "stands in no suite"),
    ],
)
def test_a_damage_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made_of(JUnitImporter, tmp_path, text)


def test_what_stands_before_a_damage_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    head = '<testsuite><properties><property name="os" value="Linux"/></properties>'
    path.write_text(f'{head}<testcase name="a"/><testcase name="b"/><testcase', encoding="utf-8")
    with Recorder.create("memory://damaged") as recorder:
        with pytest.raises(ValueError, match=r"line 1, column [0-9]+: no well-formed XML"):
            JUnitImporter().load(path, recorder)
        recorder.checkpoint()
        view = SessionView.of(recorder.storage)

    assert [job.id for job in view.jobs()] == ["a", "b"]
    assert [dict(device.facts) for device in view.devices] == [{"os": "Linux"}]
