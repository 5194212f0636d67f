"""Results of Allure into a session, in the order in which the tests began."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall import Subtest
from holdall.reading import LongText, file_below
from holdall_plugins.importers.allure.about import record_run
from holdall_plugins.importers.allure.index import Index
from holdall_plugins.importers.allure.results import (
    Container,
    Globals,
    Result,
    nested,
    read,
)
from holdall_plugins.importers.allure.results import Index as Indexed
from holdall_plugins.importers.findings import (
    Finding,
    comment_of,
    device_named,
    joined,
    milliseconds_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall import Recorder
    from holdall.contracts import Importer
    from holdall.results import Stream
    from holdall_plugins.importers.allure.results import Details, File, Step

_OUTCOMES: Final = {
    "passed": "pass",
    "failed": "fail",
    "broken": "error",
    "skipped": "skip",
    "unknown": "undecided",
}
_HEAD: Final = 4096
_LOOKED_AT: Final = 20
_FIRST: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"')
_FIELDS: Final = (
    re.compile(rb'"(?:uuid|historyId|testCaseId)"\s*:\s*"'),
    re.compile(rb'"(?:status|stage)"\s*:\s*"(?:passed|failed|broken|skipped|unknown|finished)'),
    re.compile(rb'"(?:start|stop)"\s*:\s*\d'),
    re.compile(rb'"(?:fullName|labels|steps|statusDetails|stage|testCaseId)"\s*:'),
)
_SUITES: Final = ("parentSuite", "suite", "subSuite")
_STREAMS: Final[dict[str, Stream]] = {"stdout": "stdout", "stderr": "stderr"}
_NOT_THERE: Final = "attachments that are not below the folder of the file"
_XFAIL: Final = re.compile(r"XFAIL\b\s*(.*)", re.DOTALL)
_PIECE: Final = 64 * 1024


class AllureImporter:
    """Records each test with its attempts; steps, and fixtures that failed, are its parts."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether it is a single result."""
        return _FIRST.match(head) is not None and all(each.search(head) for each in _FIELDS)

    def accepts_folder(self, folder: Path) -> bool:
        """Return whether a result is in the folder itself."""
        looked_at = 0
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith("-result.json") and entry.is_file(follow_symlinks=False):
                    with Path(entry).open("rb") as file:
                        if _is_result(file.read(_HEAD)):
                            return True
                    looked_at += 1
                    if looked_at == _LOOKED_AT:
                        break
        return False

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the results."""
        with Index() as index:
            if source.is_dir():
                _Folder(source, recorder, index).record()
            else:
                _Tests(source.parent, recorder, index).record(read(source, Result), source.name)


def _is_result(head: bytes) -> bool:
    """Whether a file of the right name is a result; what says so may stand behind its head."""
    return _FIRST.match(head) is not None and _FIELDS[1].search(head) is not None


class _Folder:
    """A folder of results, read twice: for their order, and to record them."""

    def __init__(self, folder: Path, recorder: Recorder, index: Index) -> None:
        self._folder: Final = folder
        self._recorder: Final = recorder
        self._index: Final = index
        self._readers: Final[dict[str, Callable[[Path], None]]] = {
            "-result.json": self._note_result,
            "-container.json": self._note_container,
            "-globals.json": self._note_globals,
        }

    def record(self) -> None:
        """Record all of it.

        Raises:
            ValueError: A file is damaged; the message has its name.
        """
        with os.scandir(self._folder) as entries:
            for entry in entries:
                self._note(entry)
        self._index.seal()
        tests = _Tests(self._folder, self._recorder, self._index)
        for name in self._index.results():
            tests.record(read(self._folder / name, Result), name)
        record_run(self._folder, self._recorder, tests.devices or {self._recorder.device_id})

    def _note(self, entry: os.DirEntry[str]) -> None:
        ending = f"-{entry.name.rpartition('-')[2]}"
        if ending in self._readers:
            if entry.is_file(follow_symlinks=False):
                self._readers[ending](Path(entry))
            else:
                self._recorder.leave_out("links and other things that are no files")

    def _note_result(self, path: Path) -> None:
        start = read(path, Indexed).start
        is_number = isinstance(start, int | float) and not isinstance(start, bool)
        self._index.add_result(float(start) if is_number else 0.0, path.name)

    def _note_container(self, path: Path) -> None:
        container = read(path, Container)
        kinds = (("set-up", container.befores), ("tear-down", container.afters))
        for kind, fixtures in kinds:
            for fixture in fixtures or ():
                outcome = _outcome(fixture, path.name)
                if outcome not in {"fail", "error"}:
                    self._recorder.leave_out("fixtures that did not fail")
                    continue
                files = [*(fixture.attachments or ())]
                files += [f for _n, part in nested(fixture.steps) for f in part.attachments or ()]
                if files:
                    self._recorder.leave_out("attachments of fixtures", len(files))
                name = f"{kind} {fixture.name or ''}".strip()
                for child in container.children or ():
                    self._index.add_fixture(child, name, outcome, _said(fixture.details))

    def _note_globals(self, path: Path) -> None:
        told = read(path, Globals)
        for number, error in enumerate(told.errors or ()):
            job_id = self._index.job(f"{path.name} {number}", "outside of tests")
            self._recorder.job(job_id)
            self._recorder.record(job_id, outcome="error", comments=_said(error) or None)
        if told.attachments:
            self._recorder.leave_out("attachments outside of tests", len(told.attachments))


class _Tests:
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
        outcome = _outcome(result, name)
        if result.status is None and result.stage in {"running", "scheduled"}:
            outcome = "crash"
        finding = Finding(outcome, duration=self._lasted(result))
        finding.started_at = milliseconds_of(result.start, "times", self._recorder)
        text = comment_of(LongText(_said(result.details)), self._recorder)
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
                    outcome=_outcome(step, name),
                    duration=self._lasted(step),
                    message="\n".join(filter(None, (shown, _said(step.details)))) or None,
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


def _outcome(step: Step, name: str) -> str:
    if step.status is None:
        return "undecided"
    # Some adaptors write the words in capitals.
    outcome = _OUTCOMES.get(step.status.lower())
    if outcome is None:
        known = ", ".join(_OUTCOMES)
        raise ValueError(f"{name}: the status {step.status!r} is none of {known}")
    return outcome


def _said(details: Details | None) -> str:
    return joined(details.message or "", details.trace or "") if details else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


if TYPE_CHECKING:
    _: type[Importer] = AllureImporter
