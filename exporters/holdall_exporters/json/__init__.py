"""JSON, the whole session as one document.

The layout, version 1 (`holdall schema session` prints its schema, `holdall_exporters.json.reader`
reads it); members are only ever added to it, so readers should
ignore those they don't know:

    {
      "format": "holdall-session", "format_version": 1,
      "session": {"id", "title", "created", "modified", "unsaved_events"},
      "exported": {"at", "exporter", "by"},
      "verdict": {"word", "passed", "reasons": [
          {"code", "count", "jobs": [{"device", "id"}], "more", "text"}
      ]},
      "state", "counts": {OUTCOME: NUMBER}, "job_count", "duration",
      "devices": [{"id", "description", "facts": {NAME: VALUE}}],
      "plans": [{"id", "name", "description"}],
      "providers": [{"device", "name", "namespace", "version", ...}],
      "plugins": [{"kind", "id", "distribution", "version", "target"}],
      "categories": {ID: HEADING},
      "jobs": [{
        "id", "device", "summary", "description", "plugin", "category_id", "category",
        "certification_status", "template_id", "checksum", "estimated_duration", "origin",
        "outcome", "xfail", "counts_as", "in_flight",
        "attempts": [{
          "outcome", "return_code", "duration", "started", "comments", "skip_reason",
          "interrupted_by", "io_log_size", "io_log_dropped",
          "attachments": [{"name", "media_type", "size", "sha256"}],
          "subtests": [{"name", "outcome", "duration", "message"}],
          "measurements": [{"name", "value", "unit", "lower", "upper", "outcome"}],
          "io_log": [{"delay", "stream", "text" or "base64"}]
        }]
      }]
    }

The state is `new`, `running`, `unfinished` or `finished`, as `SessionView.state` says.

Moments are RFC 3339 in UTC with milliseconds, durations and delays seconds; what
is unknown is null. A reason names its first jobs, and `more` counts the others.
`io_log` has a record for each piece the job wrote: as text where it is UTF-8,
otherwise as base64; it is left out where the option `logs` says so. One
job stands on one line, so that a large document can be searched and compared.

The dialect `checkbox` is another layout, which `holdall_exporters.json.checkbox` has.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, Literal

import msgspec
from msgspec.structs import asdict

from holdall.view import verdict
from holdall.writing import gathered, iso_milliseconds
from holdall_exporters.json.checkbox import Submission, submission
from holdall_exporters.json.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.results import Attachment, IOLogRecord
    from holdall.view import AttemptView, JobView, SessionView, Verdict
    from holdall.writing import LogChoice

FORMAT: Final = "holdall-session"
FORMAT_VERSION: Final = 1

_RECORDS: Final = 16  # of a log that are encoded at a time
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Options:
    """Options of the document.

    Attributes:
        logs: Whose output it holds: nobody's, that of failed jobs, all.
        dialect: The layout: holdall's own, or that of Checkbox's `submission.json`.
    """

    logs: Literal["none", "failed", "all"] = "all"
    dialect: Literal["holdall", "checkbox"] = "holdall"


class JsonExporter:
    """One document, written job by job."""

    summary: ClassVar[str] = "JSON, everything in one document"
    suffix: ClassVar[str] = ".json"
    media_type: ClassVar[str] = "application/json"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the document, a job on each line."""
        options: Options = context.options
        if options.dialect == "checkbox":
            for piece in submission(view, options.logs, context):
                sink.write(piece)
            return
        for name, value in _head(view, context).items():
            start = b"{\n" if name == "format" else b",\n"
            sink.write(b"%b%b: %b" % (start, _encode(name), _encode(value)))
        sink.write(b',\n"jobs": [')
        for piece in gathered(_jobs(view, context)):
            sink.write(piece)
        sink.write(b"\n]\n}\n")

    @staticmethod
    def json_schema() -> str:
        """Return the JSON Schema of holdall's own layout, `session.schema.json`."""
        return files(__name__).joinpath("session.schema.json").read_text("utf-8")

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the document, and count its jobs."""
        data = report.read()
        if "format" not in msgspec.json.decode(data, type=dict[str, msgspec.Raw]):
            msgspec.json.decode(data, type=Submission)
            return
        document = msgspec.json.decode(data, type=Document)
        if document.job_count != len(document.jobs):
            raise ValueError(
                f"it should have {document.job_count} jobs and has {len(document.jobs)}"
            )


def _head(view: SessionView, context: ExportContext) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "session": {
            "id": view.session_id,
            "title": view.title,
            "created": iso_milliseconds(view.created),
            "modified": iso_milliseconds(view.modified),
            "unsaved_events": view.unsaved,
        },
        "exported": {
            "at": iso_milliseconds(context.now.timestamp()),
            "exporter": "holdall.json",
            "by": context.provenance,
        },
        "verdict": _verdict(verdict(view)),
        "state": view.state,
        "counts": {str(outcome): count for outcome, count in sorted(view.counts.items())},
        "job_count": view.job_count,
        "duration": view.duration,
        "devices": [*map(asdict, view.devices)],
        "plans": [*map(asdict, view.plans)],
        "providers": [_without_moment(provider) for provider in view.providers],
        "plugins": [_without_moment(plugin) for plugin in view.plugins],
        "categories": view.categories,
    }


def _verdict(session_verdict: Verdict) -> dict[str, Any]:
    reasons = [reason.as_dict() for reason in session_verdict.reasons]
    return {"word": session_verdict.word, "passed": session_verdict.passed, "reasons": reasons}


def _without_moment(event: msgspec.Struct) -> dict[str, Any]:
    fields = asdict(event)
    del fields["at"]
    return fields


def _jobs(view: SessionView, context: ExportContext) -> Iterator[bytes]:
    """Yield the jobs, a line each."""
    total, logs = view.job_count, context.options.logs
    for number, job in enumerate(view.jobs()):
        yield b",\n" if number else b"\n"
        with_log = _shows_log(logs, job)
        attempts = job.attempts
        if with_log and any(map(_has_log, attempts)):
            yield from _with_logs(job, attempts)
        else:
            no_log = {"io_log": ()} if with_log else {}
            line = _definition(job)
            line["attempts"] = [_attempt(attempt) | no_log for attempt in attempts]
            yield _encode(line)
        if number % 100 == 0:
            context.progress(number, total)


def _shows_log(choice: LogChoice, job: JobView) -> bool:
    """Whether a job has the member `io_log`; it is there, and empty, if nothing was written."""
    return choice == "all" or (choice == "failed" and job.counts_as.failed)


def _has_log(attempt: AttemptView) -> bool:
    return bool(attempt.result.io_log or attempt.result.io_log_ref)


def _with_logs(job: JobView, attempts: tuple[AttemptView, ...]) -> Iterator[bytes]:
    """Yield a job in pieces, as a log can be large."""
    yield _encode(_definition(job))[:-1]
    for number, attempt in enumerate(attempts):
        yield b',"attempts":[' if number == 0 else b","
        yield _encode(_attempt(attempt))[:-1]
        yield b',"io_log":['
        separator = b""
        records = attempt.io_log()
        while some := [_record(record) for record in islice(records, _RECORDS)]:
            yield separator + _encode(some)[1:-1]
            separator = b","
        yield b"]}"
    yield b"]}"


def _definition(job: JobView) -> dict[str, Any]:
    """Return what a job has besides its attempts."""
    return {
        "id": job.id,
        "device": job.device_id,
        "summary": job.summary,
        "description": job.description,
        "plugin": job.plugin,
        "category_id": job.category_id,
        "category": job.category,
        "certification_status": job.certification_status,
        "template_id": job.template_id,
        "checksum": job.checksum,
        "estimated_duration": job.estimated_duration,
        "origin": job.origin,
        "outcome": job.outcome,
        "xfail": job.xfail,
        "counts_as": job.counts_as,
        "in_flight": job.in_flight,
    }


def _attempt(attempt: AttemptView) -> dict[str, Any]:
    result = attempt.result
    return {
        "outcome": result.outcome,
        "return_code": result.return_code,
        "duration": result.execution_duration,
        "started": None if result.started_at is None else iso_milliseconds(result.started_at),
        "comments": result.comments,
        "skip_reason": result.skip_reason,
        "interrupted_by": result.interrupted_by,
        "io_log_size": result.io_log_size,
        "io_log_dropped": result.io_log_dropped,
        "attachments": [*map(_attachment, result.attachments)],
        "subtests": [*map(asdict, result.subtests)],
        "measurements": [*map(asdict, result.measurements)],
    }


def _attachment(attachment: Attachment) -> dict[str, Any]:
    if attachment.ref is not None:
        digest = attachment.ref.removeprefix("sha256:")
    else:
        digest = hashlib.sha256(attachment.data or b"").hexdigest()
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "sha256": digest,
    }


def _record(record: IOLogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {"delay": record.delay, "stream": record.stream}
    try:
        fields["text"] = record.data.decode()
    except UnicodeDecodeError:
        fields["base64"] = b64encode(record.data).decode()
    return fields


if TYPE_CHECKING:
    _: type[Exporter] = JsonExporter
