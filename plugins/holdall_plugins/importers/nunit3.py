"""XML of NUnit 3 and later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdall.reading import End, Start, xml_nodes, xml_root
from holdall_plugins.importers.findings import (
    Devices,
    Finding,
    attach_named,
    comment_of,
    device_named,
    duration_of,
    joined,
    start_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer
    from holdall.reading import XmlNode

_OUTCOMES: Final = {
    "Passed": "pass",
    "Failed": "fail",
    "Skipped": "skip",
    "Inconclusive": "skip",
    "Warning": "pass",
}
_LABELS: Final = {"Error": "error", "Cancelled": "crash", "Invalid": "error"}
_WHOLES: Final = frozenset(
    {"test-case", "environment", "settings", "properties", "failure", "reason", "output"}
    | {"attachments", "filter", "command-line", "assertions"}
)
_REASONS: Final = frozenset({"_SKIPREASON", "SkipReason"})


@dataclass(frozen=True, slots=True)
class _Suite:
    """A suite that is open, and what it says of the tests in it."""

    kind: str = ""
    name: str = ""
    site: str = ""
    line: int = 0


class NUnit3Importer:
    """A job for each test case, called by its full name, in the category of its class."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins as NUnit's XML does."""
        root = xml_root(head)
        return root is not None and root.tag == "test-run" and not root.namespace

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record each test case when it was read.

        Raises:
            ValueError: It is no such file, or damaged; the message has the line.
        """
        with Devices(recorder) as devices:
            reading = _Reading(recorder, devices, source.parent)
            for step in xml_nodes(source, _WHOLES):
                try:
                    if isinstance(step, Start):
                        reading.open(step)
                    elif isinstance(step, End):
                        reading.close()
                    elif step.tag == "test-case":
                        reading.record_case(step)
                    else:
                        reading.take_part(step)
                except ValueError as error:
                    words = str(error)
                    known = words.startswith("line ")
                    raise ValueError(words if known else f"line {step.line}: {words}") from error


class _Reading:
    """The suites that are open, and what they say of the tests in them."""

    def __init__(self, recorder: Recorder, devices: Devices, folder: Path) -> None:
        self._devices: Final = devices
        self._recorder: Final = recorder
        self._folder: Final = folder
        self._device: str | None = None
        self._open: Final[list[_Suite]] = []

    def open(self, step: Start) -> None:
        """Begin a suite."""
        attributes = step.attributes
        if not self._open and step.tag not in {"test-run", "test-suite"}:
            raise ValueError(f"<{step.tag}> begins no report of NUnit")
        if step.tag not in {"test-run", "test-suite"}:
            self._recorder.leave_out(f"elements <{step.tag}>")
        if attributes.get("start-time"):
            self._recorder.leave_out("times of suites")
        suite = _Suite(
            attributes.get("type", ""),
            attributes.get("fullname") or attributes.get("name", ""),
            attributes.get("site", "") if attributes.get("result") == "Failed" else "",
            step.line,
        )
        self._open.append(suite)

    def close(self) -> None:
        """End what was opened last."""
        self._open.pop()

    def take_part(self, node: XmlNode) -> None:
        """Take in what a suite has besides its cases."""
        suite = self._open[-1] if self._open else _Suite()
        if node.tag == "environment":
            attributes = dict(node.attributes)
            self._device = device_named(attributes.pop("machine-name", ""))
            facts = {name: value for name, value in attributes.items() if name and value}
            self._devices.add(self._device, facts, "environments")
        elif node.tag == "failure" and suite.site not in {"", "Child", "Parent"}:
            # Its tests fail for it as well; this is what went wrong in the suite itself.
            job_id = f"{suite.name} ({suite.site})"
            finding = Finding("error", comments=self._failure(node))
            self._recorder.job(job_id, device=self._device, category=suite.name)
            finding.record(self._recorder, job_id, self._device)
        elif node.tag == "properties":
            self._recorder.leave_out("properties of suites", len(node.children))
        elif node.tag == "output":
            self._recorder.leave_out("output of suites")
        elif node.tag == "attachments":
            self._recorder.leave_out("attachments of suites", len(node.children))

    def record_case(self, node: XmlNode) -> None:
        """Record a test case."""
        attributes = node.attributes
        word, label = attributes.get("result", ""), attributes.get("label", "")
        if word not in _OUTCOMES:
            raise ValueError(f"the result {word!r} is none of {', '.join(_OUTCOMES)}")
        outcome = _LABELS.get(label, "fail") if word == "Failed" else _OUTCOMES[word]
        finding = Finding(
            outcome,
            duration_of(attributes.get("duration") or attributes.get("time"), self._recorder),
            start_of(_iso(attributes.get("start-time", "")), self._recorder),
        )
        if outcome == "skip":
            finding.skip_reason = label
        self._children(node, finding)
        if attributes.get("asserts", "").isdecimal():
            finding.measure("asserts", int(attributes["asserts"][:18]))
        job_id = attributes.get("fullname") or attributes.get("name", "")
        category = attributes.get("classname") or (self._open[-1].name if self._open else "")
        self._recorder.job(job_id, device=self._device, category=category)
        finding.record(self._recorder, job_id, self._device)

    def _children(self, node: XmlNode, finding: Finding) -> None:  # noqa: C901 - a case for each name
        for child in node.children:
            if child.tag == "failure":
                finding.comments = self._failure(child)
            elif child.tag == "reason":
                self._reason(child.text_of("message"), finding)
            elif child.tag == "output":
                finding.write("stdout", child.text)
            elif child.tag == "properties":
                for each in child.children:
                    name, value = each.attributes.get("name", ""), each.attributes.get("value", "")
                    if name and name not in _REASONS:
                        finding.measure(name, value)
            elif child.tag == "attachments":
                for each in child.children:
                    attach_named(finding, self._folder, each.text_of("filePath"), self._recorder)
            elif child.tag != "assertions":  # which the failure has as well
                self._recorder.leave_out(f"elements <{child.tag}> of cases")

    @staticmethod
    def _reason(message: str, finding: Finding) -> None:
        if finding.outcome == "skip":
            finding.skip_reason = message or finding.skip_reason
        else:
            finding.comments = joined(finding.comments or "", message)

    def _failure(self, node: XmlNode) -> str:
        trace = node.child("stack-trace")
        message = node.child("message")
        return joined(
            "" if message is None else comment_of(message.text, self._recorder).strip("\n"),
            "" if trace is None else comment_of(trace.text, self._recorder).strip("\n"),
        )


def _iso(text: str) -> str:
    """Return a time as ISO 8601 has it: NUnit writes `2024-01-31 12:00:00Z`."""
    return text.replace(" ", "T", 1)


if TYPE_CHECKING:
    _: type[Importer] = NUnit3Importer
