"""The Common Test Report Format, of its current schema and of older ones.

Tests are read one at a time; what stands around them is kept until the end.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall import Subtest
from holdall.reading import LongText, json_parts
from holdall_plugins.importers.findings import (
    Devices,
    Finding,
    Names,
    attach_named,
    comment_of,
    joined,
    milliseconds_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer

    Texts = Sequence[Any] | str | None

_FIRST: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:results|reportFormat|specVersion|report(?:Id|Version)|runId'
    rb'|timestamp|generatedBy|extra|insights|baseline)"\s*:'
)
_NAMED: Final = re.compile(rb'"reportFormat"\s*:\s*"CTRF"')
_OLDER: Final = (
    re.compile(rb'"results"\s*:\s*\{'),
    re.compile(rb'"tool"\s*:\s*\{'),
    re.compile(rb'"(?:summary|environment)"\s*:\s*\{'),
)
_OUTCOMES: Final = {
    "passed": "pass",
    "failed": "fail",
    "skipped": "skip",
    "pending": "skip",
    "other": "undecided",
}
_RAW_CRASH: Final = re.compile(
    r"time[ds]?[-_ ]?out|interrupted|aborted|killed|crash", re.IGNORECASE
)
_RAW_ERROR: Final = re.compile(r"error(?:ed)?|broken", re.IGNORECASE)
_RAW_SKIPS: Final = frozenset({"todo", "disabled", "ignored", "notrun", "pending", "skipped"})
_TEST: Final = "results.tests.item"
_TOLD_OF: Final = {
    "results.tool": "tool",
    "results.summary": "summary",
    "results.environment": "environment",
}
_LEFT_OUT: Final = {
    "extra": "extra data",
    "results.extra": "extra data",
    "insights": "insights of earlier runs",
    "baseline": "references to other reports",
}
_PLACES: Final = frozenset({_TEST, *_TOLD_OF, *_LEFT_OUT})
_MOST_RETRIES: Final = 100
_IN_SECONDS: Final = 1e11  # in milliseconds, this is in 1973
_UNTOLD: Final = "the report says no more of this attempt than that there was one"


class _File(msgspec.Struct):
    name: str = ""
    path: str = ""


class _Step(msgspec.Struct):
    name: str
    status: str
    extra: Any = None


class _Attempt(msgspec.Struct, kw_only=True):
    """What a test and one of its attempts have in common."""

    status: str
    duration: Any = None
    start: Any = None
    message: str | None = None
    trace: str | None = None
    snippet: str | None = None
    stdout: list[Any] | str | None = None
    stderr: list[Any] | str | None = None
    attachments: list[_File] | None = None
    extra: Any = None


class _Test(_Attempt, kw_only=True):
    name: str
    suite: list[Any] | str | None = None
    raw: str | None = msgspec.field(name="rawStatus", default=None)
    file: str | None = msgspec.field(name="filePath", default=None)
    line: Any = None
    retries: Any = None
    attempts: list[_Attempt] | None = msgspec.field(name="retryAttempts", default=None)
    flaky: bool | None = None
    steps: list[_Step] | None = None
    screenshot: str | None = None
    insights: Any = None
    tags: list[Any] | None = None
    labels: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    type: Any = None
    browser: Any = None
    device: Any = None
    thread: Any = msgspec.field(name="threadId", default=None)
    ai: Any = None


_IDS: Final = frozenset({"id", "testId", "executionId", "stop"})
_KNOWN: Final = frozenset(_Test.__struct_encode_fields__) | _IDS


class CtrfImporter:
    """Records each test with its attempts; steps are its parts."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a report begins there; older ones do not say that they are one."""
        if not _FIRST.match(head):
            return False
        return _NAMED.search(head) is not None or all(part.search(head) for part in _OLDER)

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the report."""
        report = _Report(source.parent, recorder)
        for place, where, value in json_parts(source, _PLACES.__contains__):
            if where in _LEFT_OUT:
                recorder.leave_out(_LEFT_OUT[where])
            elif where in _TOLD_OF:
                report.told[_TOLD_OF[where]] = value if isinstance(value, dict) else {}
            else:
                try:
                    report.take(value)
                except (TypeError, ValueError) as error:
                    raise ValueError(f"test {place[-1] + 1}: {error}") from error
        report.finish()


class _Report:
    """A report while it is read."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self.told: Final[dict[str, Mapping[str, Any]]] = {}
        self._folder: Final = folder
        self._recorder: Final = recorder
        self._names: Final = Names()
        self._counts: Final[Counter[str]] = Counter()

    def take(self, value: Any) -> None:
        """Record a test.

        Raises:
            ValueError: It is none.
        """
        test = msgspec.convert(value, _Test)
        unknown = len(value.keys() - _KNOWN)
        if unknown:
            self._recorder.leave_out("fields that CTRF does not have", unknown)
        self._counts[test.status] += 1
        suites = list(filter(None, " > ".join(_texts(test.suite)).split(" > ")))
        # A retry has its own place in a test, so the same name again is another test.
        job_id = self._names.unique(_whole_name(suites, test.name))
        line = f":{test.line}" if isinstance(test.line, int) and test.file else ""
        summary = " ".join(test.name.split())
        origin = f"{test.file or ''}{line}"
        self._recorder.job(job_id, summary=summary, category=" > ".join(suites), origin=origin)
        for finding in self._earlier(test):
            finding.record(self._recorder, job_id, None)
        self._last(test).record(self._recorder, job_id, None)

    def _earlier(self, test: _Test) -> Iterator[Finding]:
        """Yield the attempts before the one that counts; of some only their number is told."""
        attempts = test.attempts or []
        retries = test.retries if isinstance(test.retries, int) else 0
        count = max(retries, bool(test.flaky), len(attempts))
        if attempts and len(attempts) == retries + 1 and attempts[-1].status == test.status:
            attempts, count = attempts[:-1], retries  # the last one is the test itself
        untold = count - len(attempts)
        if untold > _MOST_RETRIES:
            self._recorder.leave_out("retries beyond a hundred", untold - _MOST_RETRIES)
        for _number in range(min(untold, _MOST_RETRIES)):
            yield Finding("fail", comments=_UNTOLD)
        for attempt in attempts:
            yield self._finding(attempt, _outcome(attempt.status))

    def _last(self, test: _Test) -> Finding:
        finding = self._finding(test, _outcome(test.status, test.raw or ""))
        for step in test.steps or ():
            finding.add_subtest(Subtest(name=step.name, outcome=_outcome(step.status)))
            self._leave_out("extra data", step.extra)
        self._leave_out("insights of earlier runs", test.insights)
        if test.screenshot:
            self._screenshot(finding, test.screenshot)
        for name, value in _properties(test):
            finding.measure(name, value)
        return finding

    def _finding(self, attempt: _Attempt, outcome: str) -> Finding:
        finding = Finding(
            outcome,
            duration=milliseconds_of(attempt.duration, "durations", self._recorder),
            started_at=milliseconds_of(_milliseconds(attempt.start), "times", self._recorder),
        )
        said = joined(attempt.message or "", attempt.trace or "", attempt.snippet or "")
        told = comment_of(LongText(said), self._recorder)
        if outcome == "skip":
            finding.skip_reason = told
        else:
            finding.comments = told
        for line in _texts(attempt.stdout):
            finding.write("stdout", LongText(line.removesuffix("\n") + "\n"))
        for line in _texts(attempt.stderr):
            finding.write("stderr", LongText(line.removesuffix("\n") + "\n"))
        for file in attempt.attachments or ():
            attach_named(finding, self._folder, file.path, self._recorder)
        self._leave_out("extra data", attempt.extra)
        return finding

    def _screenshot(self, finding: Finding, text: str) -> None:
        head, comma, data = text.partition(",")
        try:
            content = b64decode(
                data if comma and head.startswith("data:") else text, validate=True
            )
        except (NoBase64, ValueError):
            attach_named(finding, self._folder, text, self._recorder)
        else:
            finding.attach("screenshot.png", content)

    def _leave_out(self, what: str, value: Any) -> None:
        if value:
            self._recorder.leave_out(what)

    def finish(self) -> None:
        """Record what the report says of the run."""
        tool, environment = self.told.get("tool", {}), self.told.get("environment", {})
        for where in (tool, environment, self.told.get("summary", {})):
            self._leave_out("extra data", where.get("extra"))
        facts = {"tool": tool.get("name"), "tool version": tool.get("version")}
        facts |= {name: value for name, value in environment.items() if name != "extra"}
        sound = {name: _text(value) for name, value in facts.items() if name and value is not None}
        with Devices(self._recorder) as devices:
            devices.add(None, sound, "facts")
        title = environment.get("reportName")
        if isinstance(title, str) and title:
            self._recorder.suggest_title(title)
        summary = self.told.get("summary", {})
        counts = {
            "tests": self._counts.total(),
            **{name: self._counts[name] for name in _OUTCOMES},
        }
        differing = sum(summary.get(name, count) != count for name, count in counts.items())
        if differing:
            self._recorder.leave_out("numbers of tests that differ from the tests", differing)


def _whole_name(suites: Sequence[str], name: str) -> str:
    """Return the name with the suites before it that it does not begin with itself."""
    for place in range(len(suites)):
        if f"{name} ".startswith(" ".join(suites[place:]) + " "):
            return " > ".join([*suites[:place], name])
    return " > ".join([*suites, name]) or "test"


def _outcome(status: str, raw: str = "") -> str:
    """Return the outcome; the word of the tool itself says more of what did not pass.

    Raises:
        ValueError: There is no such status.
    """
    if status not in _OUTCOMES:
        raise ValueError(f"the status {status!r} is none of {', '.join(_OUTCOMES)}")
    if status in {"failed", "other"}:
        if _RAW_CRASH.search(raw):
            return "crash"
        if _RAW_ERROR.fullmatch(raw):
            return "error"
        if status == "other" and raw.lower() in _RAW_SKIPS:
            return "skip"
    return _OUTCOMES[status]


def _milliseconds(start: Any) -> Any:
    """Return a moment in milliseconds; the reporter of Playwright has it in seconds."""
    is_number = isinstance(start, int | float) and not isinstance(start, bool)
    return start * 1000 if is_number and start < _IN_SECONDS else start


def _properties(test: _Test) -> Iterator[tuple[str, str | float]]:
    for tag in test.tags or ():
        yield "tag", _text(tag)
    for name, value in {**(test.labels or {}), **(test.parameters or {})}.items():
        for each in value if isinstance(value, list) else [value]:
            yield name or "label", each if isinstance(each, int | float) else _text(each)
    named = {"type": test.type, "browser": test.browser, "device": test.device, "ai": test.ai}
    for name, value in {**named, "thread": test.thread}.items():
        if value not in (None, ""):
            yield name, _text(value)


def _texts(value: Texts) -> list[str]:
    """Return texts that older reports have as one."""
    return [value] if isinstance(value, str) else [_text(each) for each in value or ()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


if TYPE_CHECKING:
    _: type[Importer] = CtrfImporter
