"""The JUnit exporter: valid against two schemas at once, and counted right."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from junitparser import JUnitXml
from lxml import etree

from holdall.errors import ExportTargetError
from holdall.exports.pipeline import export
from holdall.registry import Registry
from holdall.results import Outcome
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import big_session, empty_session, sample_session
from holdall_exporters.junit import JUnitExporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.sessions import SampleSession

REGISTRY = Registry.discover()
JENKINS = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "junit-10.xsd"))

SUITE_ATTRIBUTES = {
    *("id", "name", "package", "hostname", "timestamp"),
    *("tests", "failures", "errors", "time"),
}

CHILDREN = {
    Outcome.PASS: None,
    Outcome.FAIL: "failure",
    Outcome.CRASH: "error",
}


class TestJUnitExporter(ExporterContract):
    """The JUnit exporter keeps the promises of all exporters."""

    exporter: ClassVar[type[JUnitExporter]] = JUnitExporter

    def export(self, session: SampleSession) -> bytes:
        """Return the report, checked against both schemas."""
        report = super().export(session)
        checked(report)
        return report


def checked(report: bytes) -> etree._Element:
    """Return the root of *report* after every check we have."""
    root = etree.fromstring(report)
    JENKINS.assertValid(root)
    assert list(windyroad_faults(root)) == []
    report.decode("ascii")
    return root


def windyroad_faults(root: etree._Element) -> Iterator[str]:
    """Yield where *root* breaks the rules of windyroad's schema that junit-10.xsd lacks."""
    if root.tag != "testsuites" or root.attrib:
        yield "the root is a bare testsuites"
    for number, suite in enumerate(root):
        if suite.get("id") != str(number):
            yield "suites are numbered from 0"
        yield from suite_faults(suite)
        for case in suite.iterfind("testcase"):
            yield from case_faults(case)


def suite_faults(suite: etree._Element) -> Iterator[str]:
    extra = set(suite.attrib) ^ SUITE_ATTRIBUTES
    if extra - {"skipped"}:
        yield f"attributes of a suite that are missing or too many: {extra}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", "")):
        yield "the timestamp has neither zone nor fraction"
    properties = suite.findall("properties/property")
    names = [suite.get("name", ""), suite.get("hostname", "")]
    if not all(name.strip() for name in [*names, *(each.get("name", "") for each in properties)]):
        yield "suites, hosts and properties have a name"
    tags = [str(child.tag) for child in suite]
    cases = ["testcase"] * (len(tags) - 3)
    if tags != ["properties", *cases, "system-out", "system-err"]:
        yield f"children of a suite: {tags}"


def case_faults(case: etree._Element) -> Iterator[str]:
    if set(case.attrib) != {"name", "classname", "time"} or len(case) > 1:
        yield f"a case: {sorted(case.attrib)}, {len(case)} children"
    for child in case:
        if child.tag not in {"skipped", "error", "failure"} or not child.get("type"):
            yield f"child of a case: {child.tag!r}"


def report(session: SampleSession) -> etree._Element:
    return checked(exported(JUnitExporter, session))


def case(root: etree._Element, name: str) -> etree._Element:
    return next(
        each for each in root.iter("testcase") if each.get("name") == f"com.example::{name}"
    )


def test_a_suite_is_made_for_each_device_and_category() -> None:
    root = report(sample_session())

    assert [
        (suite.get("hostname"), suite.get("name"), suite.get("package")) for suite in root
    ] == [
        ("local", "local: Disks & drives", "com.example::disk"),
        ("local", "local: nowhere", "com.example::nowhere"),
        ("dut-7", "dut-7: Disks & drives", "com.example::disk"),
        ("dut-7", 'dut-7: Hostile "text"', "com.example::hostile"),
        ("dut-7", "dut-7: Uncategorised", "com.canonical.plainbox::uncategorised"),
    ]


def test_the_suites_of_one_device_are_named_by_category_alone() -> None:
    assert report(big_session(20))[0].get("name") == "Category 0"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_child(outcome: Outcome) -> None:
    found = case(report(sample_session()), f"outcome-{outcome}")

    wanted = CHILDREN.get(outcome, "skipped")
    assert [child.tag for child in found] == ([wanted] if wanted else [])
    assert all(child.get("type") == outcome for child in found)


def test_a_job_in_flight_is_an_error() -> None:
    child = case(report(sample_session()), "in-flight")[0]

    assert (child.tag, child.get("type")) == ("error", "in-flight")


def test_the_reason_is_in_the_message() -> None:
    child = case(report(sample_session()), "outcome-skipped-manifest")[0]

    assert child.get("message") == "skipped (unmet manifest): why it was skipped-manifest"


def test_counts_are_right_for_a_reader() -> None:
    read = JUnitXml.fromstring(exported(JUnitExporter, sample_session()))
    stated = [(s.tests, s.failures, s.errors, s.skipped, s.time) for s in read]
    for suite in read:
        suite.update_statistics()  # type: ignore[no-untyped-call]

    counted = [(s.tests, s.failures, s.errors, s.skipped, s.time) for s in read]
    for (*numbers, time), (*others, other) in zip(stated, counted, strict=True):
        assert numbers == others
        assert time == pytest.approx(other, abs=0.01)
    assert sum(numbers[0] for numbers in stated) == sample_session().view().job_count


def test_no_two_cases_have_one_name() -> None:
    cases = [
        (c.get("classname"), c.get("name")) for c in report(sample_session()).iter("testcase")
    ]

    assert len(set(cases)) == len(cases)


def test_a_failure_holds_comments_and_log() -> None:
    text = case(report(sample_session()), "outcome-fail")[0].text

    assert text == (
        "plain line\nnot UTF-8: \\xff\\xfe\\x80\ncut character: caf\u00e9, cut escape: red\n"
    )


def test_logs_can_be_left_out() -> None:
    root = checked(exported(JUnitExporter, sample_session(), ["logs=none"]))

    assert case(root, "outcome-fail")[0].text is None


def test_attempts_are_told_in_the_output_of_the_suite() -> None:
    text = report(sample_session())[0].findtext("system-out")

    assert text == (
        "com.example::flaky: 3 attempts: failed, crashed (interrupted by a reboot), passed\n"
    )


def test_hostile_text_is_visible_and_harmless() -> None:
    root = report(sample_session())
    child = case(root, "hostile-controls")[0]
    markup = case(root, "hostile-markup")[0]

    assert (
        child.get("message") == "failed: bell\u2407 null\u2400 escape red  return\r tab\t del\x7f"
    )
    assert "]]> <!-- &amp; <b onclick='x'>" in str(markup.text)


def test_durations_have_three_decimals() -> None:
    root = report(sample_session())

    times = [each.get("time", "") for each in root.iter("testcase", "testsuite")]
    assert all(re.fullmatch(r"\d+\.\d{3}", time) for time in times)


def test_an_empty_session_has_no_suite() -> None:
    assert len(report(empty_session())) == 0


@pytest.mark.parametrize("flavour", ["jenkins", "rich"])
def test_other_flavours_hold_output_and_earlier_attempts(flavour: str) -> None:
    report = exported(JUnitExporter, sample_session(), [f"flavour={flavour}", "logs=all"])

    root = etree.fromstring(report)
    assert JENKINS.validate(root) is (flavour == "jenkins")
    cases = {case.get("name"): case for case in root.iter("testcase")}
    flaky = cases["com.example::flaky"]
    assert [each.tag for each in flaky if each.tag != "properties"] == [
        "flakyFailure",
        "flakyError",
        "system-out",
    ]
    shown = cases["com.example::big-log"].findall("properties/property[@name='attachment']")
    wanted = ["notes.txt", "../Shot.png", "notes.txt"] if flavour == "rich" else []
    assert [each.get("value") for each in shown] == wanted


def test_it_can_be_utf_8_and_says_the_same() -> None:
    ascii_only = exported(JUnitExporter, sample_session())
    report = exported(JUnitExporter, sample_session(), ["no-ascii"])

    assert len(report) < len(ascii_only)
    assert "\u4e2d".encode() in report
    assert etree.canonicalize(report.decode()) == etree.canonicalize(ascii_only.decode())


@pytest.mark.parametrize(
    ("options", "files"),
    [
        pytest.param(["max-cases=30"], 4, id="cases"),
        pytest.param(["max-cases=1000"], 1, id="room for all"),
        pytest.param(["max-bytes=12k"], 3, id="bytes"),
    ],
)
def test_a_report_that_is_too_large_goes_to_several_files(
    options: list[str], files: int, tmp_path: Path
) -> None:
    target = tmp_path / "report.xml"

    report = export(
        big_session(100), "junit", target, options=options, verify=True, registry=REGISTRY
    )

    parts = [target, *map(Path, report.parts)]
    names = []
    for part in parts:
        assert part.stat().st_size <= 12 << 10 or options != ["max-bytes=12k"]
        names += [str(case.get("name")) for case in checked(part.read_bytes()).iter("testcase")]
    assert sorted(names) == sorted(job.id for job in big_session(100).view().jobs())
    assert len(parts) == len(list(tmp_path.iterdir())) == files
    assert [part.name for part in parts[1:2]] == ["report.2.xml"][: files - 1]


def test_a_stream_takes_no_second_file() -> None:
    with pytest.raises(ExportTargetError, match="in parts needs a file"):
        export(big_session(9), "junit", io.BytesIO(), options=["max-cases=3"], registry=REGISTRY)


def test_a_file_with_a_wrong_number_is_not_verified() -> None:
    report = exported(JUnitExporter, big_session(9)).replace(b'tests="1"', b'tests="2"', 1)

    with pytest.raises(ValueError, match="a suite of 2 tests has 1"):
        JUnitExporter.verify(io.BytesIO(report))
