"""NDJSON: a session as lines of JSON, each of which says its type.

`meta`, then a line for each `device`, and for each `job`, behind which its `attempt`s stand, each
with its `attachment`s; `end` says how the session stands. No two lines are alike, and all but
the last one stay as they are while the session goes on, so a report can be
followed: `holdall export --follow` writes the lines that are new.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET

from holdall.view import verdict
from holdall.writing import gathered, iso_milliseconds
from holdall_exporters.ndjson.lines import (
    FORMAT_VERSION,
    AnyLine,
    Attachment,
    Attempt,
    Device,
    End,
    Job,
    JobName,
    LogPiece,
    Meta,
    Plan,
    Reason,
    lines_schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.results import IOLogRecord
    from holdall.view import AttemptView, JobView, SessionView

_RECORDS: Final = 16  # of a log that are encoded at a time
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Options:
    """Options of the lines.

    Attributes:
        logs: Whose output they hold: nobody's, that of failed attempts, all.
    """

    logs: Literal["none", "failed", "all"] = "all"


class NdjsonExporter:
    """A line for each thing that was recorded, and one that says how the session stands."""

    summary: ClassVar[str] = "NDJSON, a line of JSON for each job, attempt and file"
    suffix: ClassVar[str] = ".ndjson"
    media_type: ClassVar[str] = "application/x-ndjson"
    grows: ClassVar[Literal["by-lines"]] = "by-lines"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the lines."""
        for piece in gathered(_lines(view, context)):
            sink.write(piece)

    @staticmethod
    def json_schema() -> str:
        """Return the JSON Schema of a line."""
        return json.dumps(lines_schema(), indent=2)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read every line, and see that none is missing."""
        decode = msgspec.json.Decoder(AnyLine).decode
        number, line = 0, None
        for number, data in enumerate(report, start=1):
            line = decode(data)
            if isinstance(line, Meta) is not (number == 1):
                raise ValueError(f"line {number} is of the type {type(line).__name__.lower()!r}")
        if not isinstance(line, End) or line.lines != number - 1:
            raise ValueError(f"line {number} is not the end of as many lines")


def _lines(view: SessionView, context: ExportContext) -> Iterator[bytes]:
    """Yield the lines; only one with a large log comes in several pieces."""
    plans = tuple(Plan(plan.id, plan.name, plan.description) for plan in view.plans)
    created = iso_milliseconds(view.created)
    meta = Meta("holdall-lines", FORMAT_VERSION, view.session_id, view.title, created, plans)
    yield _encode(meta) + b"\n"
    for device in view.devices:
        facts = dict(device.facts)
        yield _encode(Device(device.id, device.description, facts)) + b"\n"
    count = 1 + len(view.devices)
    in_flight: list[JobName] = []
    total, logs = view.job_count, context.options.logs
    for number, job in enumerate(view.jobs()):
        if number % 100 == 0:
            context.progress(number, total)
        yield _encode(_job(job)) + b"\n"
        count += 1
        if job.in_flight:
            in_flight.append(JobName(job.device_id, job.id))
        for place, attempt in enumerate(job.attempts, start=1):
            yield from _attempt(job, place, attempt, logs)
            count += 1
            if attempt.attachments:
                files = _attachments(job, place, attempt)
                count += len(files)
                yield from files
    yield _encode(_end(view, context, count, tuple(in_flight))) + b"\n"


def _job(job: JobView) -> Job:
    return Job(
        device=job.device_id,
        job=job.id,
        summary=job.summary,
        description=job.description,
        plugin=job.plugin,
        category_id=job.category_id,
        category=job.category,
        certification_status=job.certification_status,
        template_id=job.template_id,
        checksum=job.checksum,
        estimated_duration=job.estimated_duration,
        origin=job.origin,
        xfail=job.xfail,
    )


def _attempt(
    job: JobView, number: int, attempt: AttemptView, logs: Literal["none", "failed", "all"]
) -> Iterator[bytes]:
    """Yield the line of an attempt, in pieces if it has a log."""
    result = attempt.result
    shows_log = logs == "all" or (logs == "failed" and attempt.counts_as.failed)
    line = _encode(
        Attempt(
            device=job.device_id,
            job=job.id,
            attempt=number,
            outcome=result.outcome,
            return_code=result.return_code,
            duration=result.execution_duration,
            started=None if result.started_at is None else iso_milliseconds(result.started_at),
            comments=result.comments,
            skip_reason=result.skip_reason,
            interrupted_by=result.interrupted_by,
            io_log_size=result.io_log_size,
            io_log_dropped=result.io_log_dropped,
            subtests=result.subtests,
            measurements=result.measurements,
            io_log=() if shows_log and not result.io_log_size else UNSET,
        )
    )
    if not shows_log or not result.io_log_size:
        yield line + b"\n"
        return
    yield line[:-1] + b',"io_log":['
    separator = b""
    records = attempt.io_log()
    while some := [_piece(record) for record in islice(records, _RECORDS)]:
        yield separator + _encode(some)[1:-1]
        separator = b","
    yield b"]}\n"


def _piece(record: IOLogRecord) -> LogPiece:
    try:
        return LogPiece(record.delay, record.stream, text=record.data.decode())
    except UnicodeDecodeError:
        return LogPiece(record.delay, record.stream, base64=b64encode(record.data).decode())


def _attachments(job: JobView, number: int, attempt: AttemptView) -> list[bytes]:
    """Return the lines of the files of an attempt."""
    return [
        _encode(
            Attachment(
                device=job.device_id,
                job=job.id,
                attempt=number,
                attachment=place,
                name=file.name,
                media_type=file.media_type,
                size=file.size,
                sha256=sha256(file.data or b"").hexdigest()
                if file.ref is None
                else file.ref.removeprefix("sha256:"),
            )
        )
        + b"\n"
        for place, file in enumerate(attempt.attachments, start=1)
    ]


def _end(
    view: SessionView, context: ExportContext, lines: int, in_flight: tuple[JobName, ...]
) -> End:
    session_verdict = verdict(view)
    reasons = (
        Reason(
            reason.code,
            reason.count,
            tuple(JobName(job.device, job.id) for job in reason.jobs),
            reason.more,
            str(reason),
        )
        for reason in session_verdict.reasons
    )
    return End(
        lines=lines,
        state=view.state,
        passed=session_verdict.passed,
        reasons=tuple(reasons),
        counts=dict(sorted(view.counts.items())),
        jobs=view.job_count,
        flaky=view.flaky_count,
        in_flight=in_flight,
        duration=view.duration,
        elapsed=view.elapsed,
        modified=iso_milliseconds(view.modified),
        unsaved_events=view.unsaved,
        exported_at=iso_milliseconds(context.now.timestamp()),
        exported_by=context.provenance,
    )


if TYPE_CHECKING:
    _: type[Exporter] = NdjsonExporter
