"""The Common Test Report Format, which dashboards and bots of CI systems read.

A document of schema 0.0 in which each job is a test: its last attempt is the test itself, those
before it are its `retryAttempts`. What the format has no member for is in an `extra`: how long
a subtest took, measurements with their limits, plans and devices. Output is in two
lists of lines, so how the streams followed each other is lost, and files are named and
not included.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, ClassVar, Final, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import asdict

from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import (
    cause_of,
    gathered,
    is_cut,
    iso,
    kept_log,
    line_text,
    reason_text,
    strip_escapes,
    wants_log,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.results import Attachment, JobResult, Subtest
    from holdall.view import AttemptView, JobView, SessionView

SPEC_VERSION: Final = "0.0.0"
_LARGEST: Final = 2**53 - 1  # as whole as a number of JavaScript can be
_ATTEMPTS_OUTPUT: Final = 4096  # bytes of the output of an attempt that does not count, at most

Status = Literal["passed", "failed", "skipped", "pending", "other"]

_STATUSES: Final[Mapping[Outcome | None, Status]] = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.CRASH: "failed",
    Outcome.ERROR: "failed",
    Outcome.NONE: "pending",
    Outcome.UNDECIDED: "other",
    None: "other",  # in flight
    **{outcome: "skipped" for outcome in Outcome if outcome.skipped},
}


@dataclass(frozen=True)
class Options:
    """Options of the document.

    Attributes:
        logs: Whose output it holds: nobody's, that of failed jobs, all.
        log_max: Bytes of one log at most; what is more is left out of its middle.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=1)] = 1 << 16


class CtrfExporter:
    """A test for each job, in the order of the run list."""

    summary: ClassVar[str] = "CTRF, a report in JSON for dashboards and bots"
    suffix: ClassVar[str] = ".json"
    media_type: ClassVar[str] = "application/json"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the document, a test on each line."""
        for piece in gathered(_document(view, context)):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the document, and count its tests by their status."""
        results = msgspec.json.decode(report.read(), type=_Document).results
        counts = dict.fromkeys(_COUNTED, 0)
        for test in results.tests:
            counts[test.status] += 1
        wanted = {name: results.summary[name] for name in _COUNTED}
        if wanted != counts or results.summary["tests"] != len(results.tests):
            raise ValueError(f"its summary says {wanted}, and its tests are {counts}")


_COUNTED: Final = ("passed", "failed", "skipped", "pending", "other")


class _Told(Struct):
    """What is read back of a test."""

    name: str
    status: Status


class _Results(Struct):
    summary: dict[str, int]
    tests: list[_Told]


class _Document(Struct):
    results: _Results
    format: Literal["CTRF"] = field(name="reportFormat")


class _Step(Struct, omit_defaults=True):
    """A subtest; only its name and status are the format's own."""

    name: str
    status: Status
    extra: dict[str, Any] | None = None


class _File(Struct, rename={"media_type": "contentType"}):
    """A file that a job left behind; the document names it and does not hold it."""

    name: str
    media_type: str
    path: str
    extra: dict[str, Any]

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        """Return what the document says of *attachment*."""
        digest = attachment.ref or f"sha256:{sha256(attachment.data or b'').hexdigest()}"
        extra = {"size": attachment.size, "sha256": digest.removeprefix("sha256:")}
        return cls(attachment.name, attachment.media_type, attachment.name, extra)


class _Attempt(Struct, omit_defaults=True, kw_only=True, rename="camel"):
    """An attempt before the last one."""

    attempt: int
    status: Status
    duration: int | None = None
    start: int | None = None
    stop: int | None = None
    message: str = ""
    stdout: list[str] | None = None
    stderr: list[str] | None = None
    attachments: list[_File] | None = None
    extra: dict[str, Any]


class _Test(Struct, omit_defaults=True, kw_only=True, rename="camel"):
    """A job; its members are those of the schema, in its order."""

    test_id: str
    name: str
    status: Status
    duration: int
    start: int | None = None
    stop: int | None = None
    suite: tuple[str, ...] = ()
    message: str = ""
    line: int | None = None
    raw_status: str
    labels: dict[str, str] | None = None
    file_path: str = ""
    retries: int = 0
    retry_attempts: list[_Attempt] | None = None
    flaky: bool = False
    stdout: list[str] | None = None
    stderr: list[str] | None = None
    device: str = ""
    attachments: list[_File] | None = None
    steps: list[_Step] | None = None
    extra: dict[str, Any] | None = None


def _document(view: SessionView, context: ExportContext) -> Iterator[bytes]:
    """Yield the document in pieces, a test on each line."""
    encode = msgspec.json.Encoder().encode
    head = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "reportId": str(_report_id(view, context)),
        "runId": view.session_id or "session",
        "timestamp": iso(context.now),
        "generatedBy": context.provenance,
    }
    results = {
        "tool": {"name": "holdall"},
        "summary": _summary(view),
        "environment": _environment(view),
    }
    yield encode(head)[:-1] + b',\n"results":' + encode(results)[:-1] + b',\n"tests":['
    total, separator = view.job_count, b"\n"
    several = len(view.devices) > 1
    for number, job in enumerate(view.jobs()):
        yield separator + encode(_test(job, context, several=several))
        separator = b",\n"
        if number % 100 == 0:
            context.progress(number, total)
    yield b"\n]}}\n"


def _report_id(view: SessionView, context: ExportContext) -> UUID:
    """Return an id that is the same for the same session at the same moment."""
    told = f"{view.session_id}\n{view.modified!r}\n{context.now!r}\n{context.options!r}"
    return uuid5(NAMESPACE_URL, told)


def _summary(view: SessionView) -> dict[str, int]:
    counts = dict.fromkeys(_COUNTED, 0)
    for tally in view.tallies:
        counts[_STATUSES[tally.outcome]] += tally.number
    start = _milliseconds(view.created)
    stop = max(start, _milliseconds(view.modified))
    elapsed = view.elapsed
    return {
        "tests": view.job_count,
        **counts,
        "flaky": view.flaky_count,
        "start": start,
        "stop": stop,
        "duration": stop - start if elapsed is None else _milliseconds(elapsed),
    }


def _environment(view: SessionView) -> dict[str, Any]:
    """Return what is said of the whole session; the verdict is whether it is healthy."""
    session_verdict = verdict(view)
    return {
        "reportName": view.title,
        "healthy": session_verdict.passed,
        "extra": {
            "state": view.state,
            "verdict": session_verdict.word,
            "reasons": [reason.as_dict() for reason in session_verdict.reasons],
            "plans": [asdict(plan) for plan in view.plans],
            "devices": [asdict(device) for device in view.devices],
        },
    }


def _test(job: JobView, context: ExportContext, *, several: bool) -> _Test:
    """Return the test that *job* is; one in flight has not ended, so nothing is known of it."""
    in_flight, name, heading = job.in_flight, job.id or "unnamed", job.category
    origin, line = job.place
    extra: dict[str, Any] = {"plugin": job.plugin, "summary": job.summary}
    if job.xfail:
        extra["expectedToFail"] = True
    test = _Test(
        test_id=name,
        name=name,
        status="other" if in_flight else _STATUSES[job.counts_as],
        duration=0,
        suite=(job.device_id, heading) if several else (heading,),
        line=line,
        raw_status="in-flight" if in_flight else job.outcome.value,
        labels={"certification-status": job.certification_status},
        file_path=origin,
        device=job.device_id if several else "",
        extra=extra,
    )
    ended = job.attempt_count
    if ended + in_flight > 1:
        test.flaky = job.is_flaky
        test.retries = before = ended - (not in_flight)
        test.retry_attempts = [
            _attempt(number, attempt, context)
            for number, attempt in enumerate(job.attempts[:before], start=1)
        ]
    if ended and not in_flight:
        _tell(test, job, extra, context)
    return test


def _tell(test: _Test, job: JobView, extra: dict[str, Any], context: ExportContext) -> None:
    """Add to *test* what is known of the attempt that counts."""
    last = job.last
    result = last.result
    test.duration = _milliseconds(result.execution_duration or 0.0)
    if result.started_at is not None:
        test.start = _milliseconds(result.started_at)
        test.stop = test.start + test.duration
    if result.subtests:
        test.steps = [_step(part) for part in result.subtests]
    if result.attachments:
        test.attachments = [_File.of(each) for each in result.attachments]
    _add_rest(extra, result)
    options: Options = context.options
    if wants_log(options.logs, job):
        test.stdout, test.stderr = _output(last, options.log_max, context)
    test.message = reason_text(result)
    if test.status == "failed" and not test.message:
        # As `cause_of` does, but the output was read just now, unless that is cut.
        read = () if is_cut(job, options.log_max) else test.stderr or test.stdout or ()
        said = next(filter(None, map(line_text, reversed(read))), "")
        test.message = said or cause_of(job, output=options.logs != "none")


def _attempt(number: int, attempt: AttemptView, context: ExportContext) -> _Attempt:
    result = attempt.result
    entry = _Attempt(
        attempt=number,
        status=_STATUSES[result.outcome],
        message=reason_text(result),
        attachments=[_File.of(each) for each in result.attachments] or None,
        extra={"outcome": result.outcome},
    )
    _add_rest(entry.extra, result)
    if result.subtests:  # which only the test itself has a place for
        entry.extra["steps"] = [_step(part) for part in result.subtests]
    if result.execution_duration is not None:
        entry.duration = _milliseconds(result.execution_duration)
    if result.started_at is not None:
        entry.start = _milliseconds(result.started_at)
        entry.stop = entry.start + (entry.duration or 0)
    options: Options = context.options
    if wants_log(options.logs, attempt):
        room = min(options.log_max, _ATTEMPTS_OUTPUT)
        entry.stdout, entry.stderr = _output(attempt, room, context)
    return entry


def _add_rest(extra: dict[str, Any], result: JobResult) -> None:
    """Add to *extra* what the format has no member for."""
    if result.return_code is not None:
        extra["returnCode"] = result.return_code
    if result.interrupted_by is not None:
        extra["interruptedBy"] = result.interrupted_by
    if result.measurements:
        extra["measurements"] = [asdict(part) for part in result.measurements]
    if result.io_log_dropped:
        extra["outputNotKept"] = result.io_log_dropped


def _step(part: Subtest) -> _Step:
    extra: dict[str, Any] = {"outcome": part.outcome}
    if part.duration is not None:
        extra["duration"] = _milliseconds(part.duration)
    if part.message:
        extra["message"] = part.message
    return _Step(part.name, _STATUSES[part.outcome], extra)


def _output(
    attempt: AttemptView, room: int, context: ExportContext
) -> tuple[list[str] | None, list[str] | None]:
    """Return the lines of both streams, of *room* bytes at most in all."""
    streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    for record in kept_log(attempt, room, context):
        streams[record.stream].append(record.data)
    return _lines(streams["stdout"]), _lines(streams["stderr"])


def _lines(pieces: list[bytes]) -> list[str] | None:
    """Return the lines of a stream as `holdall.writing.log_text` shows them; None without any."""
    if not pieces:
        return None
    text = strip_escapes(b"".join(pieces).decode("utf-8", "backslashreplace"))
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000 + 0.5) if seconds < _LARGEST / 1000 else _LARGEST


if TYPE_CHECKING:
    _: type[Exporter] = CtrfExporter
