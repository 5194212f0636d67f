"""Open Test Reporting, as events and as a hierarchy; JUnit 5 and later writes the events."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdall.reading import End, Start, moment_of, xml_nodes, xml_root
from holdall_plugins.importers.findings import (
    Devices,
    Finding,
    attach_named,
    comment_of,
    device_named,
    joined,
    start_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer
    from holdall.reading import XmlNode

_OUTCOMES: Final = {
    "SUCCESSFUL": "pass",
    "FAILED": "fail",
    "SKIPPED": "skip",
    "ABORTED": "skip",
    "ERRORED": "error",
}
_NAMESPACE: Final = "https://schemas.opentest4j.org/reporting/"
_ROOTS: Final = frozenset({"events", "execution"})
_EVENTS: Final = frozenset({"started", "reported", "finished"})
_NODES: Final = frozenset({"root", "child"})
_PARTS: Final = frozenset({"metadata", "sources", "attachments", "result"})
_DURATION: Final = re.compile(
    r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE
)


@dataclass(slots=True)
class _Open:
    """A container or a test that has begun.

    Attributes:
        names: Its name, behind those of what is around it.
        kind: `TEST` or `CONTAINER` where the file says it.
        children: How many others began inside of it.
    """

    names: tuple[str, ...]
    begin: str
    line: int
    duration: float | None = None
    kind: str = ""
    children: int = 0
    origin: str = ""
    finding: Finding = field(default_factory=lambda: Finding("crash"))
    is_over: bool = False

    @property
    def is_test(self) -> bool:
        return "TEST" in self.kind if self.kind else not self.children


class OtrImporter:
    """A job for each test; a container becomes one if it did not succeed itself."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins as one of the two forms does."""
        root = xml_root(head)
        return root is not None and root.tag in _ROOTS and root.namespace.startswith(_NAMESPACE)

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record each test when it has ended.

        Raises:
            ValueError: It is no such file, or damaged; the message has the line.
        """
        with Devices(recorder) as devices:
            reading = _Reading(recorder, devices, source.parent)
            try:
                self._read(source, reading)
            except ValueError:
                reading.finish()  # what ran counts, where the import is partial
                raise
            reading.finish()

    @staticmethod
    def _read(source: Path, reading: _Reading) -> None:
        for step in xml_nodes(source, _EVENTS | _PARTS | {"infrastructure"}):
            try:
                reading.take(step)
            except ValueError as error:
                raise ValueError(f"line {step.line}: {error}") from error


class _Reading:
    """What has begun and not ended: by id in events, one inside of the other in a hierarchy."""

    def __init__(self, recorder: Recorder, devices: Devices, folder: Path) -> None:
        self._recorder: Final = recorder
        self._folder: Final = folder
        self._devices: Final = devices
        self._device: str | None = None
        self._by_id: Final[dict[str, _Open]] = {}
        self._nested: Final[list[_Open]] = []
        self._is_begun = False

    def take(self, step: XmlNode | Start | End) -> None:
        """Take in what comes next."""
        if not self._is_begun and step.tag not in _ROOTS:
            raise ValueError(f"<{step.tag}> begins no Open Test Report")
        self._is_begun = True
        if isinstance(step, Start):
            if step.tag in _NODES:
                self._enter(step)
        elif isinstance(step, End):
            if step.tag in _NODES and self._nested:
                self._record(self._nested.pop())
        elif step.tag == "infrastructure":
            self._infrastructure(step)
        elif step.tag in _EVENTS:
            self._event(step)
        elif self._nested:
            self._part(step, self._nested[-1])

    def finish(self) -> None:
        """Record what has begun and never ended."""
        for item in self._by_id.values():
            if item.is_test:
                item.finding.comments = "the report ends within the test"
                self._record(item)

    def _infrastructure(self, node: XmlNode) -> None:
        facts = {child.tag: child.text.head(4096).strip() for child in node.children}
        self._device = device_named(facts.pop("hostName", ""))
        known = {name: value for name, value in facts.items() if value}
        self._devices.add(self._device, known, "infrastructures")

    def _enter(self, step: Start) -> None:
        attributes = step.attributes
        around = self._nested[-1] if self._nested else None
        item = self._begun(attributes, "start", step.line, around)
        if attributes.get("duration"):
            item.duration = _seconds(attributes["duration"])
            if item.duration is None:
                self._recorder.leave_out("durations that are no number of seconds")
        self._nested.append(item)

    def _begun(
        self, attributes: dict[str, str], when: str, line: int, around: _Open | None
    ) -> _Open:
        name = attributes.get("name", "")
        if around is not None:
            around.children += 1
        names = (*(around.names if around is not None else ()), name)
        item = _Open(names, attributes.get(when, ""), line)
        item.finding.started_at = start_of(item.begin, self._recorder)
        return item

    def _event(self, node: XmlNode) -> None:
        attributes = node.attributes
        item_id = attributes.get("id", "")
        if node.tag == "started":
            around = self._by_id.get(attributes.get("parentId", ""))
            item = self._by_id[item_id] = self._begun(attributes, "time", node.line, around)
        elif item_id not in self._by_id:
            raise ValueError(f"what has the id {item_id!r} has not been started")
        item = self._by_id[item_id]
        for child in node.children:
            self._part(child, item)
        if node.tag == "finished":
            del self._by_id[item_id]
            begin, end = moment_of(item.begin), moment_of(attributes.get("time", ""))
            if begin is not None and end is not None and end >= begin:
                item.duration = round(end - begin, 6)
            self._record(item)

    def _part(self, node: XmlNode, item: _Open) -> None:
        finding = item.finding
        if node.tag == "result":
            item.is_over = True
            self._result(node, finding)
        elif node.tag == "metadata":
            self._metadata(node, item)
        elif node.tag == "attachments":
            for child in node.children:
                self._attachment(child, finding)
        elif node.tag == "sources":
            item.origin = item.origin or _origin(node)
        else:
            self._recorder.leave_out(f"elements <{node.tag}> of tests")

    def _result(self, node: XmlNode, finding: Finding) -> None:
        word = node.attributes.get("status", "")
        if word not in _OUTCOMES:
            raise ValueError(f"the status {word!r} is none of {', '.join(_OUTCOMES)}")
        finding.outcome = _OUTCOMES[word]
        reason, thrown = node.text_of("reason"), node.child("throwable")
        trace = ""
        if thrown is not None:
            trace = comment_of(thrown.text, self._recorder).strip("\r\n")
            if finding.outcome == "fail" and thrown.attributes.get("assertionError") == "false":
                finding.outcome = "error"
        if finding.outcome == "skip":
            finding.skip_reason = reason or trace.partition("\n")[0]
            finding.comments = trace
        else:
            finding.comments = joined(reason, trace)

    def _metadata(self, node: XmlNode, item: _Open) -> None:
        for child in node.children:
            if child.tag == "type":
                item.kind = child.text.head(100).strip()
            elif child.tag == "tags":
                for tag in child.children:
                    item.finding.measure("tag", tag.text.head(4096).strip())
            elif child.tag == "uniqueId":
                if len(item.names) == 1 and child.text.head(100).startswith("[engine:"):
                    item.names = ()  # of JUnit's engine, around all others
            elif child.tag != "legacyReportingName":
                if child.text:
                    item.finding.measure(child.tag, child.text.head(4096).strip())
                for name, value in child.attributes.items():
                    item.finding.measure(name, value)

    def _attachment(self, node: XmlNode, finding: Finding) -> None:
        if node.tag == "data":
            for entry in node.children:
                name = entry.attributes.get("key", "")
                finding.measure(name or "entry", comment_of(entry.text, self._recorder))
        elif node.tag == "output":
            is_error = node.attributes.get("source", "").lower() == "stderr"
            finding.write("stderr" if is_error else "stdout", node.text)
        elif node.tag == "file":
            attach_named(finding, self._folder, node.attributes.get("path", ""), self._recorder)
        else:
            self._recorder.leave_out(f"attachments <{node.tag}>")

    def _record(self, item: _Open) -> None:
        """Record a test, or a container that did not succeed by itself."""
        finding = item.finding
        finding.duration = item.duration
        if not item.is_test:
            if not item.is_over or finding.outcome == "pass":
                return
            if finding.outcome == "fail":
                finding.outcome = "error"
        job_id = "::".join(item.names) or "engine"
        category = "::".join(item.names[:-1])
        self._recorder.job(job_id, device=self._device, category=category, origin=item.origin)
        finding.record(self._recorder, job_id, self._device)


def _origin(node: XmlNode) -> str:
    """Return the first file and line, or class and method, that a test comes from."""
    for child in node.children:
        attributes = child.attributes
        if "className" in attributes:
            method = attributes.get("methodName", "")
            return f"{attributes['className']}.{method}" if method else attributes["className"]
        if path := attributes.get("path") or attributes.get("uri"):
            position = child.child("filePosition")
            line = "" if position is None else position.attributes.get("line", "")
            return f"{path}:{line}" if line else path
    return ""


def _seconds(text: str) -> float | None:
    """Return the seconds of a duration in ISO 8601, such as `PT1.5S`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


if TYPE_CHECKING:
    _: type[Importer] = OtrImporter
