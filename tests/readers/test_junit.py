"""JUnit files in xmllint, and in readers of JUnit that are not ours."""

from __future__ import annotations

import json
import os
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from junitparser import JUnitXml
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.view.session import SessionView

DATA = Path(__file__).parents[1] / "data"
# The repository windyroad/JUnit-Schema has it; without a copy its rules are in junit-strict.rng.
WINDYROAD = os.environ.get("HOLDALL_JUNIT_XSD", "")
KINDS = {
    "pass": "",
    "fail": "failure",
    **dict.fromkeys(("crash", "error", "none", "undecided"), "error"),
}
VARIANTS = [
    pytest.param([], id="portable"),
    pytest.param(["no-ascii"], id="utf-8"),
    pytest.param(["flavour=jenkins", "logs=all"], id="jenkins"),
    pytest.param(["flavour=azure", "logs=all"], id="azure"),
]


def wanted(view: SessionView) -> Counter[str]:
    """Return how many cases of which kind there should be."""
    kinds = Counter(
        "error" if job.in_flight else KINDS.get(job.outcome, "skipped") for job in view.jobs()
    )
    if kinds.keys() <= {"skipped"}:  # no job passed, which is a case of its own
        kinds["error"] += 1
    return kinds


@pytest.mark.parametrize("options", VARIANTS)
def test_xmllint_finds_every_file_valid(
    options: list[str],
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
) -> None:
    paths = [each.path for each in written("junit", ".xml", *options).values()]

    run(program("xmllint"), "--noout", "--schema", DATA / "junit-10.xsd", *paths)
    if not any(option.startswith("flavour=") for option in options):
        run(program("xmllint"), "--noout", "--relaxng", DATA / "junit-strict.rng", *paths)


@pytest.mark.skipif(not WINDYROAD, reason="HOLDALL_JUNIT_XSD names no copy of windyroad's schema")
@pytest.mark.parametrize("options", VARIANTS[:2])
def test_xmllint_finds_every_file_valid_for_windyroad(
    options: list[str],
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
) -> None:
    paths = [each.path for each in written("junit", ".xml", *options).values()]

    run(program("xmllint"), "--noout", "--schema", WINDYROAD, *paths)


PORTABLE = b"""<testsuites>
  <testsuite id="0" name="a" package="p" hostname="h" timestamp="2026-11-25T10:00:00"
             tests="4" failures="1" errors="1" skipped="1" time="0.000">
    <properties><property name="n" value="v"/></properties>
    <testcase classname="c" name="1" time="0.000"/>
    <testcase classname="c" name="2" time="0.000"><skipped message="m"/></testcase>
    <testcase classname="c" name="3" time="0.000">
      <failure type="t" message="m">x</failure>
    </testcase>
    <testcase classname="c" name="4" time="0.000"><error type="t" message="m">x</error></testcase>
    <system-out>x</system-out>
    <system-err/>
  </testsuite>
</testsuites>"""
VALUES = ("", " ", "a  b", "0", "-1", "1.5", "1e3", "1.2345", "2026-11-25", "2026-11-25T10:00:00Z")


def mutations(root: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Yield copies of *root* in which one thing is otherwise, each with what it is."""
    for number, element in enumerate(root.iter()):
        for name in (*element.keys(), "type", "message", "other"):
            for value in (None, *VALUES):
                changed = deepcopy(root)
                target = list(changed.iter())[number]
                if name in target.attrib:
                    del target.attrib[name]
                if value is not None:
                    target.set(name, value)
                yield f"{element.tag!s} @{name!s}={value!r}", changed
        for tag in ("skipped", "failure", "error", "properties", "testcase", "testsuite", "x"):
            changed = deepcopy(root)
            etree.SubElement(list(changed.iter())[number], tag)
            yield f"{element.tag!s} with another {tag}", changed
        changed = deepcopy(root)
        target = list(changed.iter())[number]
        parent = target.getparent()
        if parent is not None:
            parent.remove(target)
            yield f"without a {element.tag!s}", changed


@pytest.mark.skipif(not WINDYROAD, reason="HOLDALL_JUNIT_XSD names no copy of windyroad's schema")
def test_the_strict_rules_are_those_of_windyroad() -> None:
    schema = etree.XMLSchema(etree.parse(WINDYROAD))
    rules = etree.RelaxNG(etree.parse(DATA / "junit-strict.rng"))

    # The schema leaves open what is in `skipped`; a newer one allows its message alone.
    differing = [
        what
        for what, changed in mutations(etree.fromstring(PORTABLE))
        if schema.validate(changed) != rules.validate(changed) and not what.startswith("skipped")
    ]
    assert differing == []


@pytest.mark.parametrize("options", VARIANTS)
def test_junitparser_finds_every_case_with_its_kind(
    options: list[str], written: Callable[..., dict[str, Any]]
) -> None:
    for each in written("junit", ".xml", *options).values():
        suites = list(JUnitXml.fromfile(str(each.path)))
        found = Counter(
            next((one._tag for one in case.result if one._tag in {*KINDS.values(), "skipped"}), "")
            for suite in suites
            for case in suite
        )
        assert found == wanted(each.session.view())
        assert sum(suite.tests for suite in suites) == found.total()


def test_junit2json_finds_every_case_with_its_kind(
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
) -> None:
    script = node_module("junit2json/dist/esm/cli.js")
    reports = written("junit", ".xml")

    for name in [name for name in reports if name != "big"][:12]:
        read = json.loads(run(program("node"), script, reports[name].path))
        found = Counter(
            next((kind for kind in ("failure", "error", "skipped") if kind in case), "")
            for suite in read.get("testsuite", [])
            for case in suite.get("testcase", [])
        )
        assert found == wanted(reports[name].session.view())


def test_xunit_viewer_shows_every_file(
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
    tmp_path: Path,
) -> None:
    script = node_module("xunit-viewer/bin/xunit-viewer.js")
    reports = written("junit", ".xml", "logs=none")

    options = ("--console", "--no-color", "--clear=false", "--output", tmp_path / "page.html")
    shown = run(program("node"), script, "--results", tmp_path, *options)

    for name in ("devices", "big"):
        assert all(job.id in shown for job in reports[name].session.view().jobs())
