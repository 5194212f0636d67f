"""TRX, the results of Visual Studio, `dotnet test` and MSTest."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from holdall import Subtest
from holdall.reading import End, Start, XmlNode, file_below, xml_nodes, xml_root
from holdall_plugins.importers.findings import (
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

_OUTCOMES: Final = {
    "Passed": "pass",
    "PassedButRunAborted": "pass",
    "Completed": "pass",
    "Warning": "pass",
    "Failed": "fail",
    "Error": "error",
    "Disconnected": "error",
    "Timeout": "crash",
    "Aborted": "crash",
    "InProgress": "crash",
    "Inconclusive": "undecided",
    "NotExecuted": "skip",
    "NotRunnable": "skip",
    "Pending": "skip",
}
_RESULTS: Final = frozenset(
    {"UnitTestResult", "TestResult", "GenericTestResult", "ManualTestResult", "WebTestResult"}
    | {"LoadTestResult", "TestResultAggregation"}
)
_DEFINITIONS: Final = frozenset(
    {"UnitTest", "GenericTest", "ManualTest", "WebTest", "LoadTest", "OrderedTest"}
)
_WHOLES: Final = _RESULTS | _DEFINITIONS | {"TestSettings", "TestEntry", "RunInfo", "Times"}
_SPAN: Final = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d*)?)")
_NAMESPACE: Final = "TeamTest"


class TrxImporter:
    """A job for each test, called by its class and name; rows of its data are subtests."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins as a test run of Visual Studio does."""
        root = xml_root(head)
        return root is not None and root.tag == "TestRun" and _NAMESPACE in root.namespace

    def load(self, source: Path, recorder: Recorder) -> None:
        """Read the file twice: which class a test is of stands behind its results.

        Raises:
            ValueError: It is no such file, or damaged; the message has the line.
        """
        with closing(_Definitions(source)) as definitions:
            reading = _Reading(recorder, source.parent, definitions)
            is_begun = False
            for step in xml_nodes(source, _WHOLES):
                if isinstance(step, XmlNode):
                    try:
                        reading.take(step)
                    except ValueError as error:
                        raise ValueError(f"line {step.line}: {error}") from error
                elif not is_begun:
                    is_begun = True
                    if step.tag != "TestRun":
                        raise ValueError(f"line {step.line}: <{step.tag}> begins no TRX")


class _Definitions:
    """The class and the categories of each test, in a database that memory need not hold."""

    def __init__(self, source: Path) -> None:
        # A name that is empty is a temporary file that goes with the connection.
        self._database: Final = sqlite3.connect("")
        self._database.execute("create table test (id text primary key, class, categories)")
        try:
            self._read(source)
        except BaseException:
            self._database.close()
            raise

    def _read(self, source: Path) -> None:
        for step in xml_nodes(source, _DEFINITIONS):
            if isinstance(step, Start | End):
                continue
            method = step.child("TestMethod")
            name = "" if method is None else method.attributes.get("className", "")
            items = step.child("TestCategory")
            categories = [
                item.attributes.get("TestCategory", "")
                for item in (items.children if items is not None else ())
            ]
            self._database.execute(
                "insert or replace into test values (?, ?, ?)",
                (step.attributes.get("id", ""), name.partition(",")[0], "\0".join(categories)),
            )

    def of(self, test_id: str) -> tuple[str, list[str]]:
        """Return class and categories of a test; none of one that is not defined."""
        query = "select class, categories from test where id = ?"
        row = self._database.execute(query, (test_id,)).fetchone()
        if row is None:
            return "", []
        return row[0], [name for name in row[1].split("\0") if name]

    def close(self) -> None:
        self._database.close()


class _Reading:
    """A test run, result by result."""

    def __init__(self, recorder: Recorder, folder: Path, definitions: _Definitions) -> None:
        self._recorder: Final = recorder
        self._folder: Final = folder
        self._definitions: Final = definitions
        self._deployment = ""
        self._troubles = 0

    def take(self, node: XmlNode) -> None:
        """Take in a result, or what the run says besides."""
        if node.tag in _RESULTS:
            self._record(node)
        elif node.tag == "TestSettings":
            deployment = node.child("Deployment")
            if deployment is not None:
                self._deployment = deployment.attributes.get("runDeploymentRoot", "")
        elif node.tag == "RunInfo":
            self._trouble(node)
        elif node.tag == "Times":
            self._recorder.leave_out("times of runs")

    def _trouble(self, node: XmlNode) -> None:
        """Record what went wrong with the run itself: tests may be missing because of it."""
        if node.attributes.get("outcome") not in {"Error", "Failed", "Aborted", "Timeout"}:
            self._recorder.leave_out("warnings of runs")
            return
        self._troubles += 1
        job_id = f"test run ({self._troubles})"
        device = device_named(node.attributes.get("computerName", ""))
        finding = Finding("error", comments=node.text_of("Text"))
        finding.record(self._recorder, job_id, device)

    def _record(self, node: XmlNode) -> None:
        attributes = node.attributes
        class_name, categories = self._definitions.of(attributes.get("testId", ""))
        name = attributes.get("testName", "")
        job_id = name if not class_name or name.startswith(class_name) else f"{class_name}.{name}"
        device = device_named(attributes.get("computerName", ""))
        finding = Finding(
            outcome_of(attributes),
            self._duration(attributes),
            start_of(attributes.get("startTime"), self._recorder),
        )
        self._children(node, finding)
        if finding.outcome == "skip":
            finding.skip_reason, finding.comments = _skipped(finding, attributes), None
        for category in categories:
            finding.measure("category", category)
        self._recorder.job(job_id, device=device, category=class_name)
        finding.record(self._recorder, job_id, device)

    def _children(self, node: XmlNode, finding: Finding) -> None:
        for child in node.children:
            if child.tag == "Output":
                self._output(child, finding)
            elif child.tag == "ResultFiles":
                for file in child.children:
                    self._attach(file.attributes.get("path", ""), node, finding)
            elif child.tag == "InnerResults":
                for inner in child.children:
                    self._inner(inner, finding)
            else:
                self._recorder.leave_out(f"elements <{child.tag}> of results")

    def _output(self, node: XmlNode, finding: Finding) -> None:
        for child in node.children:
            if child.tag in {"StdOut", "DebugTrace"}:
                finding.write("stdout", child.text)
            elif child.tag == "StdErr":
                finding.write("stderr", child.text)
            elif child.tag == "TextMessages":
                for message in child.children:
                    finding.write("stdout", message.text)
            elif child.tag == "ErrorInfo":
                finding.comments = self._error(child)
            else:
                self._recorder.leave_out(f"elements <{child.tag}> of output")

    def _inner(self, node: XmlNode, finding: Finding) -> None:
        """Take in a row of data, or a test of an ordered one."""
        inner = Finding(outcome_of(node.attributes))
        self._children(node, inner)
        finding.add_subtest(
            Subtest(
                name=node.attributes.get("testName") or "row",
                outcome=inner.outcome,
                duration=self._duration(node.attributes),
                message=inner.comments or None,
            )
        )
        for subtest in inner.subtests:
            finding.add_subtest(subtest)
        for stream, text in inner.output:
            finding.write(stream, text)
        for name, content in (inner.attachments or {}).items():
            finding.attach(name, content)

    def _attach(self, path: str, node: XmlNode, finding: Finding) -> None:
        """Attach a file, from where a run keeps the files of a result."""
        folder = node.attributes.get("relativeResultsDirectory", "")
        path = path.replace("\\", "/")
        deployed = f"{self._deployment}/In/{folder}/{path}".lstrip("/")
        known = file_below(self._folder, deployed) is not None
        attach_named(finding, self._folder, deployed if known else path, self._recorder)

    def _error(self, node: XmlNode) -> str:
        message, trace = node.child("Message"), node.child("StackTrace")
        return joined(
            "" if message is None else comment_of(message.text, self._recorder).strip("\r\n"),
            "" if trace is None else comment_of(trace.text, self._recorder).strip("\r\n"),
        )

    def _duration(self, attributes: dict[str, str]) -> float | None:
        """Return a duration, which is written as hours, minutes and seconds."""
        text = attributes.get("duration")
        if not text:
            return None
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            self._recorder.leave_out("durations that are no number of seconds")
            return None
        days, hours, minutes, seconds = found.groups()
        whole = (int(days or 0) * 24 + int(hours)) * 3600 + int(minutes) * 60
        return round(whole + float(seconds), 7)


def outcome_of(attributes: dict[str, str]) -> str:
    """Return the outcome of a result; one without has not been run.

    Raises:
        ValueError: There is no such outcome.
    """
    word = attributes.get("outcome") or "Pending"
    if word not in _OUTCOMES:
        raise ValueError(f"the outcome {word!r} is none of {', '.join(_OUTCOMES)}")
    return _OUTCOMES[word]


def _skipped(finding: Finding, attributes: dict[str, str]) -> str:
    return finding.comments or attributes.get("outcome") or "not run"


if TYPE_CHECKING:
    _: type[Importer] = TrxImporter
