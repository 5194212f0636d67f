"""The results of Allure: a folder with a file for each attempt at a job, which Allure opens.

Attempts at one job have one `historyId`, by which Allure knows retries and, in a folder that
has those of former runs too, how a job fared before. Every name is made of the ids of session,
device and job, so the same session gives the same files. Output and attachments are files
beside them. What Allure has no member for is a parameter that its history does not heed:
measurements with their limits, exit codes, where a job is defined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import Struct, field

from holdall.results import IOLogRecord, Outcome
from holdall.view import verdict
from holdall.writing import (
    cause_of,
    line_text,
    log_text,
    measured_text,
    reason_text,
    strip_escapes,
    wants_log,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from holdall.contracts import ExportContext, FolderExporter, FolderSink
    from holdall.results import Attachment, JobResult, Subtest
    from holdall.view import AttemptView, JobView, SessionView

_LATEST: Final = 8_640_000_000_000_000  # milliseconds; the last moment that JavaScript knows
_IN_MEMORY: Final = 1 << 18
_PIECE: Final = 1 << 16
_STREAMS: Final = ("stdout", "stderr")
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>&!#|~])")

Status = Literal["passed", "failed", "broken", "skipped", "unknown"]

_STATUSES: Final[Mapping[Outcome, Status]] = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.CRASH: "broken",
    Outcome.ERROR: "broken",
    Outcome.NONE: "unknown",
    Outcome.UNDECIDED: "unknown",
    **{outcome: "skipped" for outcome in Outcome if outcome.skipped},
}
_NOT_STARTED: Final = "not started"
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Options:
    """Options of the folder.

    Attributes:
        logs: Whose output it holds: nobody's, that of failed attempts, all.
    """

    logs: Literal["none", "failed", "all"] = "failed"


class AllureExporter:
    """A file for each attempt, in the layout that Allure 2 and 3 read."""

    summary: ClassVar[str] = "a folder of results for Allure"
    suffix: ClassVar[str] = ""
    media_type: ClassVar[str] = "application/x-allure-results"  # and files of any kind
    output: ClassVar[Literal["folder"]] = "folder"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
        """Write what is said of the run, and then the attempts at each job."""
        _write(sink, "executor.json", _encode(_executor(view)))
        lines = (f"{_escaped(name)}={_escaped(text)}\n" for name, text in _environment(view))
        _write(sink, "environment.properties", "".join(lines).encode())
        jobs = _Jobs(view, sink, context)
        total = view.job_count
        for number, job in enumerate(view.jobs()):
            jobs.write(job)
            if number % 100 == 0:
                context.progress(number, total)

    @staticmethod
    def verify(report: Path) -> None:
        """Read each result, and see that its name is its own and its attachments are there."""
        msgspec.json.decode((report / "executor.json").read_bytes(), type=dict[str, str])
        for path in report.glob("*-result.json"):
            found = msgspec.json.decode(path.read_bytes(), type=_Result)
            if path.name != f"{found.uuid}-result.json":
                raise ValueError(f"{path.name} holds the result {found.uuid}")
            for file in found.attachments:
                if not (report / file.source).is_file():
                    raise ValueError(f"{path.name} names {file.source}, which is not there")


class _Parameter(Struct):
    """A fact of an attempt; an excluded one is shown, and makes no other test of it."""

    name: str
    value: str
    excluded: bool = True


class _Label(Struct):
    name: str
    value: str


class _Details(Struct, omit_defaults=True):
    message: str = ""
    trace: str = ""
    flaky: bool = False
    known: bool = False


class _File(Struct):
    """An attachment, whose content is the file *source*."""

    name: str
    source: str
    type: str


class _Step(Struct, omit_defaults=True, kw_only=True):
    """A subtest."""

    name: str
    status: Status
    stage: str
    details: _Details | None = field(name="statusDetails", default=None)
    start: int | None = None
    stop: int | None = None


class _Result(Struct, omit_defaults=True, kw_only=True, rename="camel"):
    """An attempt at a job."""

    uuid: str
    history_id: str
    test_case_id: str
    full_name: str
    name: str
    description: str = ""
    title_path: tuple[str, ...] = ()
    status: Status | None = None
    stage: Literal["finished", "running"]
    status_details: _Details | None = None
    start: int
    stop: int | None = None
    labels: list[_Label] = []
    parameters: list[_Parameter] = []
    steps: list[_Step] = []
    attachments: list[_File] = []


def _executor(view: SessionView) -> dict[str, str]:
    title = line_text(view.title)
    return {
        "name": "holdall",
        "type": "holdall",
        "buildName": view.session_id,
        "reportName": title or view.session_id,
    }


def _environment(view: SessionView) -> Iterator[tuple[str, str]]:
    """Yield what is said of the whole session: its verdict, and the facts of its devices."""
    yield "session", view.session_id
    yield "verdict", verdict(view).word
    if view.plans:
        yield "plans", ", ".join(plan.id for plan in view.plans)
    several = len(view.devices) > 1
    for device in view.devices:
        for name, value in device.facts.items():
            yield f"{device.id} {name}" if several else name, value


def _escaped(text: str) -> str:
    """Return a text as files of properties have it: in one line, and no sign has a meaning."""
    return "".join(
        f"\\{sign}"
        if sign in "\\=:#! "
        else sign
        if sign.isprintable() or ord(sign) > 0xFFFF
        else f"\\u{ord(sign):04x}"
        for sign in text
    )


def _write(sink: FolderSink, name: str, data: bytes) -> None:
    with sink.open(name) as file:
        file.write(data)


class _Jobs:
    """Writes the attempts at jobs, each to a file of its own."""

    def __init__(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
        self._sink: Final = sink
        self._context: Final = context
        self._options: Final[Options] = context.options
        self._several: Final = len(view.devices) > 1
        self._created: Final = view.created
        self._namespace: Final = uuid5(NAMESPACE_URL, f"holdall:{view.session_id}")

    def write(self, job: JobView) -> None:
        """Write every attempt at *job*; one in flight, or none yet, is one more."""
        key = f"{len(job.device_id)} {job.device_id} {job.id}"
        case = uuid5(NAMESPACE_URL, f"holdall:{key}").hex
        attempts = job.attempts
        earliest = 0
        for number, attempt in enumerate(attempts, start=1):
            is_last = number == len(attempts) and not job.in_flight
            result = self._result(job, case, f"{key} {number}", attempt.result, earliest)
            self._tell(result, job, attempt, is_last=is_last)
            self._put(result)
            earliest = result.start + 1
        if job.in_flight or not attempts:
            result = self._result(job, case, f"{key} {len(attempts) + 1}", None, earliest)
            if job.in_flight:
                result.stage = "running"
            else:
                result.status, result.status_details = "unknown", _Details(_NOT_STARTED)
            self._put(result)

    def _result(
        self, job: JobView, case: str, key: str, told: JobResult | None, earliest: int
    ) -> _Result:
        """Return an attempt with what all attempts at its job have in common.

        Allure takes the attempt that began last for the one that counts, whatever a clock said
        that was set back: none begins before *earliest*.
        """
        started = told.started_at if told is not None else None
        suites = (job.device_id, job.category) if self._several else (job.category,)
        labels = [_Label("parentSuite", job.device_id)] if self._several else []
        labels += [
            _Label("suite", job.category),
            _Label("host", job.device_id),
            _Label("severity", "blocker" if job.certification_status == "blocker" else "normal"),
            _Label("framework", "holdall"),
        ]
        result = _Result(
            uuid=str(uuid5(self._namespace, key)),
            history_id=case,
            test_case_id=case,
            full_name=job.id or "unnamed",
            name=line_text(job.summary) or "unnamed",
            description=_MARKDOWN.sub(r"\\\1", strip_escapes(job.description)),
            title_path=suites,
            stage="finished",
            start=max(_milliseconds(self._created if started is None else started), earliest),
            labels=labels,
        )
        if job.origin:
            result.parameters.append(_Parameter("defined in", job.origin))
        return result

    def _tell(self, result: _Result, job: JobView, attempt: AttemptView, *, is_last: bool) -> None:
        """Add to *result* what is known of an attempt that has ended."""
        told = attempt.result
        outcome = attempt.counts_as
        result.status = _STATUSES[outcome]
        result.labels.append(_Label("outcome", told.outcome.value))
        if told.execution_duration is not None:
            result.stop = min(result.start + _milliseconds(told.execution_duration), _LATEST)
        details = _details(told, outcome)
        if outcome.failed and not details.message:
            details.message = cause_of(job) if is_last else _exit(told) or told.outcome.value
        details.flaky = is_last and job.is_flaky
        details.known = job.xfail
        if details != _Details():
            result.status_details = details
        result.parameters += _parameters(told)
        result.steps = [_step(part, result.start) for part in told.subtests]
        if wants_log(self._options.logs, attempt):
            result.attachments += self._logs(result.uuid, attempt)
        for number, attachment in enumerate(told.attachments):
            result.attachments.append(self._attach(result.uuid, number, attempt, attachment))

    def _put(self, result: _Result) -> None:
        _write(self._sink, f"{result.uuid}-result.json", _encode(result) + b"\n")

    def _logs(self, uuid: str, attempt: AttemptView) -> Iterator[_File]:
        """Write each stream of the output to a file as text, by one pass over both."""
        folder = str(self._context.temporary_folder)
        spools: dict[str, SpooledTemporaryFile[bytes]] = {}
        try:
            for record in attempt.io_log():
                if record.stream not in spools:
                    spools[record.stream] = SpooledTemporaryFile(  # noqa: SIM115 - closed below
                        _IN_MEMORY, dir=folder
                    )
                spools[record.stream].write(record.data)
            for name in filter(spools.__contains__, _STREAMS):
                spools[name].seek(0)
                source = f"{uuid5(UUID(uuid), name)}-attachment.txt"
                with self._sink.open(source) as file:
                    for text in log_text(_records(spools[name])):
                        file.write(text.encode())
                yield _File(name, source, "text/plain")
        finally:
            for spool in spools.values():
                spool.close()

    def _attach(
        self, uuid: str, number: int, attempt: AttemptView, attachment: Attachment
    ) -> _File:
        """Write a file that the job left behind."""
        name = attachment.name
        ending = _ENDING.search(name)
        stem = uuid5(UUID(uuid), f"file {number}")
        source = f"{stem}-attachment{ending[0] if ending else ''}"
        content: BinaryIO
        with attempt.open_attachment(attachment) as content, self._sink.open(source) as file:
            copyfileobj(content, file)
        # Under the name of a stream it would be taken for output.
        return _File(f"file {name}" if name in _STREAMS else name, source, attachment.media_type)


def _records(content: SpooledTemporaryFile[bytes]) -> Iterator[IOLogRecord]:
    """Yield what *content* holds as pieces of a log."""
    for data in iter(partial(content.read, _PIECE), b""):
        yield IOLogRecord(0.0, "stdout", data)


def _details(told: JobResult, outcome: Outcome) -> _Details:
    """Return why it ended so: the first line, and all of it if there are more."""
    text = reason_text(told)
    if outcome.skipped or "\n" not in text.strip():
        return _Details(text)
    return _Details(text.strip().partition("\n")[0].rstrip("\r"), text)


def _exit(told: JobResult) -> str:
    return "" if told.return_code is None else f"exit code {told.return_code}"


def _parameters(told: JobResult) -> Iterator[_Parameter]:
    """Yield what Allure has no member for."""
    for part in told.measurements:
        yield _Parameter(part.name, measured_text(part))
    if told.return_code is not None:
        yield _Parameter("exit code", str(told.return_code))
    if told.interrupted_by is not None:
        yield _Parameter("interrupted by", told.interrupted_by)
    if told.io_log_dropped:
        yield _Parameter("bytes of output not kept", str(told.io_log_dropped))


def _step(part: Subtest, start: int) -> _Step:
    message = strip_escapes(part.message or "")
    step = _Step(name=part.name, status=_STATUSES[part.outcome], stage="finished")
    if message:
        step.details = _Details(message)
    if part.duration is not None:
        step.start = start
        step.stop = min(start + _milliseconds(part.duration), _LATEST)
    return step


def _milliseconds(seconds: float) -> int:
    return max(0, int(seconds * 1000 + 0.5)) if seconds < _LATEST / 1000 else _LATEST


if TYPE_CHECKING:
    _: type[FolderExporter] = AllureExporter
