"""Suites while they are read: what they say of their cases, of devices, and of themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdall_plugins.importers.findings import Finding, device_named
from holdall_plugins.importers.junit.cases import Case, Reading, plain_case
from holdall_plugins.importers.junit.own import OwnReport

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Recorder
    from holdall.reading import Start, XmlNode
    from holdall_plugins.importers.findings import Devices

_TIMES: Final = "times of suites"
_AGAIN: Final = "cases of a name that was there, which are attempts at it"
_TOTALS: Final = "suites whose totals differ from their cases"
_ATTRIBUTES: Final = frozenset(
    {
        *("name", "hostname", "timestamp", "time", "tests", "failures", "errors", "skipped"),
        *("disabled", "id", "package", "assertions", "skips", "skip", "ignored", "file"),
        *("started", "project", "noNamespaceSchemaLocation", "schemaLocation", "version", "total"),
        *("warnings", "duration", "uuid", "hidden", "success", "flakes", "incomplete"),
    }
)


@dataclass(slots=True)
class Suite:
    """A suite that is open.

    Attributes:
        names: Its name, behind those of the suites around it.
        tests: How many cases there are directly in it.
        own: How many of those have which element.
        counts: Both, with the cases of suites in it.
        parts: Output that came before the first case.
    """

    names: tuple[str, ...]
    device: str | None
    attributes: dict[str, str]
    line: int
    is_suite: bool = True
    tests: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    parts: list[XmlNode] = field(default_factory=list)
    report: OwnReport | None = None

    @property
    def name(self) -> str:
        """Its name, or that of the suite around it."""
        return self.names[-1] if self.names else ""


class Suites:
    """The suites that are open, and the case that was read last.

    That case is recorded when the next one comes, or at the end: what a suite says behind its
    cases may belong to it.
    """

    def __init__(self, recorder: Recorder, devices: Devices, folder: Path) -> None:
        self._recorder: Final = recorder
        self._devices: Final = devices
        self._reading: Final = Reading(recorder, folder)
        self._open: Final[list[Suite]] = []
        self._last: Case | None = None
        self._attempts = 0
        self._before: Final = recorder.job_count, recorder.result_count

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._open)

    def open(self, step: Start, *, is_suite: bool) -> None:
        """Begin a suite, or an element that is none and whose cases count all the same."""
        around = self._open[-1] if self._open else Suite((), None, {}, 0)
        attributes = step.attributes if is_suite else {}
        name = attributes.get("name", "").strip() if step.tag == "testsuite" else ""
        device = device_named(attributes.get("hostname", "")) or around.device
        names = (*around.names, name) if name else around.names
        suite = Suite(names, device, attributes, step.line, is_suite)
        suite.report = around.report
        self._open.append(suite)
        if not is_suite:
            self._recorder.leave_out(f"elements <{step.tag}> of suites")
        if "timestamp" in attributes:
            self._recorder.leave_out(_TIMES)
        if not attributes.keys() <= _ATTRIBUTES:
            others = {key: attributes[key] for key in attributes.keys() - _ATTRIBUTES if key}
            self._devices.add(device, dict(sorted(others.items())), "properties of suites")

    def take_case(self, node: XmlNode) -> None:
        """Take in a case, and record the one before it."""
        if not self._open:
            raise ValueError(f"line {node.line}: a test case stands in no suite")
        suite = self._open[-1]
        suite.tests += 1
        case: Case | None
        if suite.report is None:
            case = plain_case(node, suite.names, suite.device, self._reading)
        else:
            case = suite.report.case(node, suite.name, suite.attributes, self._reading)
        if case is None:
            return
        self._flush()
        self._last = case
        self._attempts += len(case.attempts) - 1
        if case.tags:
            suite.own.update(case.tags)
        if suite.parts:
            for part in suite.parts:
                self._add_output(part, suite, is_only=False)
            suite.parts.clear()

    def take_part(self, node: XmlNode) -> None:
        """Take in what a suite has besides its cases."""
        if not self._open:
            raise ValueError(f"line {node.line}: <{node.tag}> stands in no suite")
        suite = self._open[-1]
        if node.tag in {"properties", "property"}:
            self._properties(node, suite)
        elif node.tag in {"system-out", "system-err"}:
            if suite.report is not None:
                suite.report.history(node.text, self._recorder)
            elif node.text:
                suite.parts.append(node)
        else:
            self._wrong(node, suite)

    def close(self) -> None:
        """End what was opened last; its output goes to a case, its counts to what is around."""
        suite = self._open.pop()
        suite.own["tests"] = suite.tests
        suite.counts += suite.own
        for part in suite.parts:
            if suite.counts["tests"]:
                self._add_output(part, suite, is_only=suite.counts["tests"] == 1)
            else:
                self._recorder.leave_out("output of suites without cases")
        if suite.is_suite and suite.report is None:
            self._compare(suite)
        if self._open:
            self._open[-1].counts += suite.counts

    def finish(self) -> None:
        """Record the last case, and count what became attempts at a case of the same name."""
        self._flush()
        jobs, results = self._before
        made = self._recorder.job_count - jobs
        again = self._recorder.result_count - results - self._attempts - made
        if again > 0:
            self._recorder.leave_out(_AGAIN, again)

    def _flush(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.record(self._recorder)

    def _properties(self, node: XmlNode, suite: Suite) -> None:
        facts: dict[str, str] = {}
        for each in node.children if node.tag == "properties" else [node]:
            name = each.attributes.get("name", "")
            value = each.attributes.get("value")
            if name:
                facts[name] = each.text.head(2**20) if value is None else value
            else:
                self._recorder.leave_out("properties without a name")
        if suite.report is None and "holdall.exporter" in facts:
            suite.report = OwnReport()
        if suite.report is not None:
            suite.device = suite.report.device(facts, suite.attributes, self._devices)
        else:
            self._devices.add(suite.device, facts, "properties of suites")

    def _wrong(self, node: XmlNode, suite: Suite) -> None:
        """Record a failure of the suite itself as a job that is called as the suite is."""
        name = suite.name or "suite"
        finding = Finding("error", comments=self._reading.explained(node))
        if node.tag == "skipped":
            finding = Finding("skip", skip_reason=self._reading.explained(node) or "skipped")
        elif node.tag != "error":
            finding.outcome = "fail"
        self._flush()
        self._last = Case(name, name, suite.device, node.line, [finding])
        suite.own[node.tag] += 1
        suite.tests += 1

    def _add_output(self, part: XmlNode, suite: Suite, *, is_only: bool) -> None:
        """Give output of a suite to its only case; to one of several as a file, named so."""
        if self._last is None:
            self._recorder.leave_out("output of suites without cases")
        elif is_only:
            self._reading.output(part, self._last.last)
        else:
            name = f"{part.tag} of {suite.name or 'suite'}.txt".replace("/", "_")
            self._last.last.attach(name, part.text)

    def _compare(self, suite: Suite) -> None:
        """Count a suite that says other numbers of its cases than there are."""
        for name, tag in (("tests", "tests"), ("failures", "failure"), ("errors", "error")):
            text = suite.attributes.get(name, "").strip()
            if text.isdecimal() and int(text[:18]) not in {suite.counts[tag], suite.own[tag]}:
                self._recorder.leave_out(_TOTALS)
                return
