"""A `testcase` as attempts at a job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdall_plugins.importers.findings import (
    Finding,
    attach_named,
    comment_of,
    duration_of,
    joined,
    start_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from holdall import Recorder
    from holdall.reading import LongText, XmlNode
    from holdall.results import Stream

_XFAIL: Final = "pytest.xfail"
_STRICT_XPASS: Final = "[XPASS(strict)]"

# What names a case, or is read from elsewhere; other attributes are properties, as GoogleTest
# wrote them once.
_READ: Final = frozenset(
    {
        "name",
        "classname",
        "class",
        "time",
        "duration",
        "status",
        "result",
        "file",
        "line",
        "timestamp",
        "assertions",
        "id",
        "failure",
    }
)
_PLAIN: Final = frozenset({"name", "classname", "time", "file", "line", "timestamp"})
_RAN: Final = frozenset(
    {"", "run", "passed", "pass", "success", "successful", "completed", "ok", "executed"}
)
_NOT_RUN: Final = frozenset(
    {"notrun", "disabled", "skipped", "skip", "suppressed", "ignored", "pending"}
)
_WENT_WRONG: Final = {
    **dict.fromkeys(("fail", "failed", "failure", "failing"), "fail"),
    **dict.fromkeys(("error", "errored", "broken", "invalid"), "error"),
    **dict.fromkeys(("timeout", "timedout", "aborted", "crashed", "killed", "cancelled"), "crash"),
}

# What nextest and others write for tests that were ended from outside.
_ENDED: Final = re.compile(r"test (?:timeout|abort)\b|timeout$|segfault$", re.IGNORECASE)

_AGAIN: Final = {
    "flakyFailure": "fail",
    "flakyError": "error",
    "rerunFailure": "fail",
    "rerunError": "error",
}
_STREAMS: Final[dict[str, Stream]] = {"system-out": "stdout", "system-err": "stderr"}
_ATTACHMENT: Final = re.compile(rb"\[\[ATTACHMENT\|([^\]\r\n]{1,4096})\]\]")
_LINE: Final = 64 * 1024


@dataclass(slots=True)
class Case:
    """A job, and the attempts at it in the order in which they happened."""

    job_id: str
    category: str
    device: str | None
    line: int
    attempts: list[Finding]
    summary: str = ""
    plugin: str = "shell"
    certification_status: str = "non-blocker"
    xfail: bool = False
    origin: str = ""
    tags: Collection[str] = ()

    @property
    def last(self) -> Finding:
        """The attempt that the case itself tells of."""
        return self.attempts[-1]

    def record(self, recorder: Recorder) -> None:
        """Record the job and its attempts.

        Raises:
            ValueError: A value can't be; the message has the line.
        """
        try:
            recorder.job(
                self.job_id,
                device=self.device,
                summary=self.summary,
                category=self.category,
                plugin=self.plugin,
                certification_status=self.certification_status,
                xfail=self.xfail,
                origin=self.origin,
            )
            for attempt in self.attempts:
                attempt.record(recorder, self.job_id, self.device)
        except ValueError as error:
            raise ValueError(f"line {self.line}: {error}") from error


def origin_of(attributes: Mapping[str, str]) -> str:
    """Return the file, and the line if it is there, that a case says it is defined in."""
    file, line = attributes.get("file", ""), attributes.get("line", "")
    return f"{file}:{line}" if file and line else file


def plain_case(
    node: XmlNode, suites: tuple[str, ...], device: str | None, reading: Reading
) -> Case:
    """Return what a case says that some other tool than holdall wrote; *suites* are around it."""
    attributes = node.attributes
    name = attributes.get("name", "").strip()
    class_name = (attributes.get("classname") or attributes.get("class", "")).strip()
    job_id, category = named(name, class_name, suites)
    if not job_id:
        raise ValueError(f"line {node.line}: a test case has neither a name nor a class")
    took = attributes.get("time") or attributes.get("duration")
    finding = Finding("pass", duration_of(took, reading.recorder))
    if "timestamp" in attributes:
        finding.started_at = start_of(attributes["timestamp"], reading.recorder)
    case = Case(job_id, category, device, node.line, [finding])
    case.origin = origin_of(attributes)
    if node.children:
        reading.children(node, case)
    elif node.text.size and node.text:
        finding.write("stdout", node.text)
    if not attributes.keys() <= _PLAIN:
        _attributes(attributes, case)
    return case


def named(name: str, class_name: str, suites: tuple[str, ...]) -> tuple[str, str]:
    """Return id and category of a case.

    Some tools repeat the name, or its end, as the class, and node calls each class `test`: that
    names no group then, the suites do.
    """
    if class_name and class_name != "test" and not name.endswith(class_name):
        return f"{class_name}::{name}" if name else class_name, class_name
    path = "::".join(suites)
    if name and (not suites or name.startswith(suites[-1]) or class_name not in {"", "test"}):
        return name, path
    return f"{path}::{name}" if name and path else name or path or class_name, path


def _attributes(attributes: dict[str, str], case: Case) -> None:
    """Take in the states that are told by attributes alone, and properties."""
    finding = case.last
    states = attributes.get("status", ""), attributes.get("result", "")
    if "failure" in attributes and finding.outcome == "pass":
        finding.outcome, finding.comments = "fail", attributes["failure"]
    for state in states:
        word = state.strip().lower().partition(" ")[0]  # `Failed (timeout)`, as Meson has it
        if finding.outcome == "pass" and not case.xfail:
            if word in _NOT_RUN:
                finding.outcome, finding.skip_reason = "skip", state
            elif word in _WENT_WRONG:
                finding.outcome = _WENT_WRONG[word]
        if word not in _RAN and word not in _NOT_RUN and word not in _WENT_WRONG:
            finding.measure("status", state)
    if (count := attributes.get("assertions", "")).isdecimal():
        finding.measure("assertions", int(count[:18]))
    for name, value in attributes.items():
        if name not in _READ and name:
            finding.measure(name, value)


class Reading:
    """How the children of a case are read; what can't be kept is counted by the recorder."""

    def __init__(self, recorder: Recorder, folder: Path) -> None:
        self.recorder: Final = recorder
        self.folder: Final = folder

    def duration(self, attributes: dict[str, str]) -> float | None:
        """Return how long a case or a rerun took."""
        text = attributes.get("time") or attributes.get("duration")
        return duration_of(text, self.recorder)

    def children(self, node: XmlNode, case: Case) -> None:
        """Take in what stands inside of a case."""
        finding = case.last
        before: list[Finding] = []
        after: list[Finding] = []
        wrong: list[str] = []
        comments: list[str] = []
        case.tags = {child.tag for child in node.children}
        for child in node.children:
            if child.tag in {"failure", "error"}:
                comments.append(self.explained(child))
                wrong.append(self._outcome(child))
            elif child.tag == "skipped":
                self._skipped(child, case, comments)
            elif child.tag in _AGAIN:
                again = before if child.tag.startswith("flaky") else after
                again.append(self.rerun(child))
            else:
                self.part(child, finding, comments)
        if wrong:
            finding.outcome = next((word for word in wrong if word != "error"), "error")
            if all(comment.startswith(_STRICT_XPASS) for comment in comments):
                finding.outcome, case.xfail = "pass", True
        finding.comments = "\n\n".join(filter(None, comments))
        if before or after:
            case.attempts = in_order([*before, finding, *after])

    def part(self, child: XmlNode, finding: Finding, comments: list[str]) -> None:
        """Take in output, properties, or whatever else stands inside of a case."""
        if child.tag in _STREAMS:
            self.output(child, finding)
        elif child.tag == "properties":
            for each in child.children:
                self.property(each, finding)
        elif child.tag == "property":
            self.property(child, finding)
        elif child.tag == "warning":  # of PHPUnit, which does not fail for it
            comments.append(self.explained(child))
        elif child.tag == "disabled":
            finding.outcome = "skip"
            finding.skip_reason = self.explained(child) or "disabled"
        else:
            self.recorder.leave_out(f"elements <{child.tag}> of cases")

    def output(self, child: XmlNode, finding: Finding) -> None:
        """Take in output, and attach the files that it names."""
        text = child.text
        finding.write(_STREAMS[child.tag], text)
        if text:
            for name in attachments_in(text):
                attach_named(finding, self.folder, name, self.recorder)
        if child.children:
            self.recorder.leave_out("elements inside of output", len(child.children))

    def property(self, node: XmlNode, finding: Finding) -> None:
        """Take in a property as a text without limits."""
        name = node.attributes.get("name", "")
        value = node.attributes.get("value")
        if value is None:
            value = comment_of(node.text, self.recorder)
        if not name:
            self.recorder.leave_out("properties without a name")
        elif name == "attachment" and value:
            attach_named(finding, self.folder, value, self.recorder)
        else:
            finding.measure(name, value)

    def rerun(self, child: XmlNode) -> Finding:
        """Return another attempt, as Surefire and nextest write them."""
        trace = child.child("stackTrace")
        text = child.text if trace is None else trace.text
        message = _headline(child.attributes)
        finding = Finding(
            "crash" if _is_ended(child) else _AGAIN[child.tag],
            self.duration(child.attributes),
            start_of(child.attributes.get("timestamp"), self.recorder),
            joined(message, comment_of(text, self.recorder).strip()),
        )
        for each in child.children:
            if each.tag in _STREAMS:
                self.output(each, finding)
            elif each.tag != "stackTrace":
                self.recorder.leave_out(f"elements <{each.tag}> of cases")
        return finding

    def explained(self, child: XmlNode) -> str:
        """Return the message and the text of a failure."""
        text = comment_of(child.text, self.recorder).strip("\n").rstrip()
        return joined(_headline(child.attributes, text), text)

    def _skipped(self, child: XmlNode, case: Case, comments: list[str]) -> None:
        message = child.attributes.get("message", "").strip()
        text = comment_of(child.text, self.recorder).strip()
        if message == "true":  # as node says that there is no more to say
            message = ""
        reason = message or text or child.attributes.get("type", "").strip()
        if child.attributes.get("type") == _XFAIL or (
            child.attributes.get("type") == "todo" and "failure" in case.tags  # Node's
        ):
            case.last.outcome, case.xfail = "fail", True
            comments.append(joined(message, text))
        else:
            case.last.outcome, case.last.skip_reason = "skip", reason
            if text and text != reason:
                comments.append(text)

    @staticmethod
    def _outcome(child: XmlNode) -> str:
        if _is_ended(child):
            return "crash"
        return "fail" if child.tag == "failure" else "error"


def in_order(attempts: list[Finding]) -> list[Finding]:
    """Return attempts by when they began if all of them say so, else as the file has them."""
    if all(attempt.started_at is not None for attempt in attempts):
        attempts.sort(key=lambda attempt: attempt.started_at or 0.0)
    return attempts


def attachments_in(text: LongText) -> list[str]:
    """Return the names of the files that output says are attached, each once."""
    names: dict[str, None] = {}
    stream = text.stream()
    while line := stream.readline(_LINE):
        if b"[[ATTACHMENT|" in line:
            names.update(
                dict.fromkeys(
                    found.decode(errors="replace").strip() for found in _ATTACHMENT.findall(line)
                )
            )
    return list(names)


def _is_ended(child: XmlNode) -> bool:
    attributes = child.attributes
    return any(_ENDED.match(attributes.get(name, "")) for name in ("type", "message"))


def _headline(attributes: dict[str, str], text: str = "") -> str:
    """Return the message, behind the type where neither it nor the text says that."""
    message = attributes.get("message", "").strip()
    kind = attributes.get("type", "").strip()
    if kind and kind not in message and kind not in text:
        return f"{kind}: {message}" if message else kind
    return message
