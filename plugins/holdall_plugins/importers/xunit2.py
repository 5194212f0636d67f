"""XML of xUnit.net, version 2 of its schema and later."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdall.reading import Start, XmlNode, xml_nodes, xml_root
from holdall_plugins.importers.findings import (
    Devices,
    Finding,
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
    from holdall.reading import LongText

_OUTCOMES: Final = {"Pass": "pass", "Fail": "fail", "Skip": "skip", "NotRun": "skip"}
_FACTS: Final = ("environment", "test-framework", "config-file", "target-framework")


class XUnit2Importer:
    """A job for each test, in the category of its collection's class."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins as the XML of xUnit.net does."""
        root = xml_root(head)
        if root is None or root.namespace:
            return False
        if root.tag == "assembly":
            return "test-framework" in root.attributes or "run-date" in root.attributes
        return root.tag == "assemblies" and b"<test-" not in head

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record each test when it was read.

        Raises:
            ValueError: It is no such file, or damaged; the message has the line.
        """
        with Devices(recorder) as devices:
            reading = _Reading(recorder, devices)
            for step in xml_nodes(source, {"test", "errors"}):
                if isinstance(step, Start):
                    reading.open(step)
                elif isinstance(step, XmlNode):
                    try:
                        if step.tag == "test":
                            reading.record_test(step)
                        else:
                            reading.record_errors(step)
                    except ValueError as error:
                        raise ValueError(f"line {step.line}: {error}") from error


class _Reading:
    """The assembly that is read, and what it says of its tests."""

    def __init__(self, recorder: Recorder, devices: Devices) -> None:
        self._devices: Final = devices
        self._recorder: Final = recorder
        self._device: str | None = None
        self._assembly = ""
        self._is_begun = False

    def open(self, step: Start) -> None:
        """Take in what an element around tests says."""
        attributes = step.attributes
        if not self._is_begun and step.tag not in {"assemblies", "assembly"}:
            raise ValueError(f"line {step.line}: <{step.tag}> begins no report of xUnit.net")
        self._is_begun = True
        if step.tag == "assemblies":
            self._device = device_named(attributes.get("computer", ""))
        elif step.tag == "assembly":
            name = attributes.get("name", "")
            self._assembly = name.replace("\\", "/").rpartition("/")[2]
            facts = {key: attributes[key] for key in _FACTS if attributes.get(key)}
            self._devices.add(self._device, facts, "attributes of assemblies")
            if attributes.get("run-date") or attributes.get("start-rtf"):
                self._recorder.leave_out("times of assemblies")

    def record_test(self, node: XmlNode) -> None:
        """Record a test."""
        attributes = node.attributes
        word = attributes.get("result", "")
        if word not in _OUTCOMES:
            raise ValueError(f"the result {word!r} is none of {', '.join(_OUTCOMES)}")
        kind = attributes.get("type", "")
        job_id = attributes.get("name", "") or f"{kind}.{attributes.get('method', '')}"
        finding = Finding(
            _OUTCOMES[word],
            duration_of(attributes.get("time"), self._recorder),
            _start(attributes, self._recorder),
        )
        if word == "NotRun":
            finding.skip_reason = "not run"
        self._children(node, finding)
        origin = attributes.get("source-file", "")
        line = attributes.get("source-line", "")
        self._recorder.job(
            job_id,
            device=self._device,
            category=kind or self._assembly,
            origin=f"{origin}:{line}" if origin and line else origin,
        )
        finding.record(self._recorder, job_id, self._device)

    def record_errors(self, node: XmlNode) -> None:
        """Record the errors of set-up and tear-down, of an assembly, a class or a fixture."""
        for error in node.children:
            attributes = error.attributes
            kind, name = attributes.get("type", "error"), attributes.get("name", "")
            finding = Finding("error")
            self._children(error, finding)
            job_id = f"{kind} {name or self._assembly}".strip()
            self._recorder.job(job_id, device=self._device, category=self._assembly)
            finding.record(self._recorder, job_id, self._device)

    def _children(self, node: XmlNode, finding: Finding) -> None:
        for child in node.children:
            if child.tag == "failure":
                finding.comments = _failure(child, self._recorder)
            elif child.tag == "reason":
                finding.skip_reason = comment_of(child.text, self._recorder).strip()
            elif child.tag == "output":
                finding.write("stdout", child.text)
            elif child.tag == "traits":
                for trait in child.children:
                    _add(finding, trait.attributes.get("name"), trait.attributes.get("value", ""))
            elif child.tag == "warnings":
                for warning in child.children:
                    text = comment_of(warning.text, self._recorder).strip()
                    _add(finding, "warning", text)
            elif child.tag == "attachments":
                self._attachments(child, finding)
            else:
                self._recorder.leave_out(f"elements <{child.tag}> of tests")

    def _attachments(self, node: XmlNode, finding: Finding) -> None:
        """Attach texts and bytes that stand in the file, and files that it names."""
        for child in node.children:
            name = child.attributes.get("name") or "attachment"
            if "media-type" in child.attributes:
                self._decoded(child.text, name, finding)
            else:
                finding.attach(name, child.text.stream())

    def _decoded(self, text: LongText, name: str, finding: Finding) -> None:
        from base64 import b64decode

        with suppress(ValueError):
            finding.attach(name, b64decode(text.stream().read(), validate=False))
            return
        self._recorder.leave_out("attachments that are not of base64")


def _failure(node: XmlNode, recorder: Recorder) -> str:
    trace = node.child("stack-trace")
    return joined(
        node.attributes.get("exception-type", ""),
        node.text_of("message"),
        "" if trace is None else comment_of(trace.text, recorder).rstrip(),
    )


def _start(attributes: dict[str, str], recorder: Recorder) -> float | None:
    """Return when a test began, which version 3 of the schema says."""
    return start_of(attributes.get("start-rtf"), recorder)


def _add(finding: Finding, name: str | None, value: str) -> None:
    if name:
        finding.measure(name, value)


if TYPE_CHECKING:
    _: type[Importer] = XUnit2Importer
