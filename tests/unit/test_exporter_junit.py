"""The JUnit exporter: valid against two schemas at once, and counted right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from junitparser import JUnitXml
from lxml import etree

from holdall.results import Outcome
from holdall.testing.exporters import ExporterContract, exported
from holdall.testing.sessions import big_session, empty_session, sample_session
from holdall_exporters.junit import JUnitExporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.sessions import SampleSession

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
