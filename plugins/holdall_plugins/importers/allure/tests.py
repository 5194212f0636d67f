"""Attempts at tests of Allure, as they are recorded."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from holdall import Subtest
from holdall.reading import LongText, file_below
from holdall_plugins.importers.allure.results import nested
from holdall_plugins.importers.findings import (
    Finding,
    comment_of,
    device_named,
    joined,
    milliseconds_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall import Recorder
    from holdall.results import Stream
    from holdall_plugins.importers.allure.index import Index
    from holdall_plugins.importers.allure.results import Details, File, Result, Step

_OUTCOMES: Final = {
    "passed": "pass",
    "failed": "fail",
    "broken": "error",
    "skipped": "skip",
    "unknown": "undecided",
}
_SUITES: Final = ("parentSuite", "suite", "subSuite")
_STREAMS: Final[dict[str, Stream]] = {"stdout": "stdout", "stderr": "stderr"}
_NOT_THERE: Final = "attachments that are not below the folder of the file"
_XFAIL: Final = re.compile(r"XFAIL\b\s*(.*)", re.DOTALL)
_PIECE: Final = 64 * 1024


class Tests:
    """Attempts as they are recorded.

    Attributes:
        devices: Ids of the devices that results named.
    """

    def __init__(self, folder: Path, recorder: Recorder, index: Index) -> None:
        self._folder: Final = folder
        self._recorder: Final = recorder
        self._index: Final = index
        self.devices: Final[set[str]] = set()

    def record(self, result: Result, name: str) -> None:
        """Record an attempt.

        Raises:
            ValueError: It has a status that Allure does not have.
        """
        labels = [(each.name or "", _text(each.value)) for each in result.labels or ()]
        suites = [value for wanted in _SUITES for name_, value in labels if name_ == wanted]
        category = " / ".join(filter(None, suites))
        given = [each for each in result.parameters or () if not each.excluded]
        shown = ", ".join(f"{each.name}={_text(each.value)}" for each in given)
        whole = result.whole_name or result.name or "test"
        # Results without a history are never attempts at one test.
        history = result.history or f"{result.uuid} {name}"
        job_id = self._index.job(history, f"{whole} [{shown}]" if shown else whole)
        host = next((value for name_, value in labels if name_ == "host"), "")
        device = device_named(host)
        if device:
            self.devices.add(device)
        finding = self._finding(result, name)
        is_expected = self._expect(finding, labels)
        self._recorder.job(
            job_id,
            device=device,
            summary=" ".join((result.name or "").split()),
            description=result.description or "",
            category=category,
            xfail=is_expected,
        )
        if result.html and not result.description:
            self._recorder.leave_out("descriptions in HTML")
        for measured, value in _measured(result, labels):
            finding.measure(measured, value)
        finding.record(self._recorder, job_id, device)

    def _finding(self, result: Result, name: str) -> Finding:
        outcome = outcome_of(result, name)
        if result.status is None and result.stage in {"running", "scheduled"}:
            outcome = "crash"
        finding = Finding(outcome, duration=self._lasted(result))
        finding.started_at = milliseconds_of(result.start, "times", self._recorder)
        text = comment_of(LongText(said_of(result.details)), self._recorder)
        if outcome == "skip":
            finding.skip_reason = (result.details and result.details.message) or text
        else:
            finding.comments = text or ("it never ended" if outcome == "crash" else "")
        for file in result.attachments or ():
            self._attach(finding, file)
        for step_name, step in nested(result.steps):
            shown = "\n".join(f"{p.name} = {_text(p.value)}" for p in step.parameters or ())
            finding.add_subtest(
                Subtest(
                    name=step_name,
                    outcome=outcome_of(step, name),
                    duration=self._lasted(step),
                    message="\n".join(filter(None, (shown, said_of(step.details)))) or None,
                )
            )
            for file in step.attachments or ():
                self._attach(finding, file)
        for fixture, ended, message in self._index.fixtures(result.uuid or ""):
            part = Subtest(name=fixture, outcome=ended, message=message or None)
            finding.add_subtest(part)
        return finding

    def _expect(self, finding: Finding, labels: list[tuple[str, str]]) -> bool:
        """Return whether the test was expected to fail: of pytest, such a one was skipped."""
        expected = _XFAIL.fullmatch(finding.skip_reason or "")
        if not expected or ("framework", "pytest") not in labels:
            return False
        finding.outcome, finding.skip_reason = "fail", None
        finding.comments = expected[1].strip()
        return True

    def _attach(self, finding: Finding, file: File) -> None:
        path = file_below(self._folder, file.source or "")
        if path is None:
            self._recorder.leave_out(_NOT_THERE)
            return
        if file.name in _STREAMS:
            text = LongText()
            with path.open(encoding="utf-8", errors="replace", newline="") as content:
                for piece in iter(partial(content.read, _PIECE), ""):
                    text.add(piece)
            finding.write(_STREAMS[file.name], text)
            return
        name = (file.name or path.name).rpartition("/")[2] or path.name
        is_named = name.endswith(path.suffix)
        finding.attach(name if is_named else f"{name}{path.suffix}", path)

    def _lasted(self, step: Step) -> float | None:
        first = milliseconds_of(step.start, "times", self._recorder)
        last = milliseconds_of(step.stop, "times", self._recorder)
        if first is None or last is None:
            return None
        if last < first:
            self._recorder.leave_out("durations below zero")
            return None
        return round(last - first, 3)


def _measured(result: Result, labels: list[tuple[str, str]]) -> Iterator[tuple[str, str | bool]]:
    """Yield what is said of a test besides, as names and values."""
    for name, value in labels:
        if name not in _SUITES and name != "host":
            yield name or "label", value
    for link in result.links or ():
        shown = f"{link.name} {link.url}" if link.name and link.name != link.url else link.url
        yield link.type or "link", shown or ""
    for name in ("known", "muted", "flaky"):
        if result.details and getattr(result.details, name):
            yield name, True


def outcome_of(step: Step, name: str) -> str:
    """Return the outcome of a step, or whatever has a status, in the file *name*.

    Raises:
        ValueError: Allure has no such status.
    """
    if step.status is None:
        return "undecided"
    # Some adaptors write the words in capitals.
    outcome = _OUTCOMES.get(step.status.lower())
    if outcome is None:
        known = ", ".join(_OUTCOMES)
        raise ValueError(f"{name}: the status {step.status!r} is none of {known}")
    return outcome


def said_of(details: Details | None) -> str:
    """Return message and trace of a status."""
    return joined(details.message or "", details.trace or "") if details else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
