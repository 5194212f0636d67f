"""Read a session back from the JSON document that it was exported to.

    view = read_session(Path("report.json").read_bytes())
    holdall.export(view, "html", "report.html")

Contents of attachments, and logs that the document was made without, are not
there. Moments are to the millisecond.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from holdall.errors import ExportError
from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    PlanRecord,
    PlansChanged,
    PluginUsed,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
)
from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Subtest
from holdall.view import SessionView
from holdall_exporters.json.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.journal import AnyEvent
    from holdall_exporters.json.document import Attempt, Job, LogPiece


def read_session(document: bytes | str) -> SessionView:
    """Return the session that *document* holds, as exporters take it.

    Raises:
        ExportError: It is no such document, or of a version that this holdall does not know.
    """
    try:
        content = msgspec.json.decode(document, type=Document)
    except msgspec.DecodeError as error:
        raise ExportError(f"cannot read the document of a session: {error}") from error
    return SessionView(
        _events(content), unsaved=content.session.unsaved_events, state=content.state
    )


def _events(content: Document) -> Iterator[AnyEvent]:
    """Yield the events that the session is made of."""
    at = _seconds(content.session.created)
    yield SessionCreated(at=at, session_id=content.session.id, title=content.session.title)
    for plugin in content.plugins:
        yield PluginUsed(at=at, **msgspec.structs.asdict(plugin))
    for device in content.devices:
        facts = dict(device.facts)
        yield DeviceAdded(at=at, device=device.id, description=device.description, facts=facts)
    for provider in content.providers:
        yield ProviderAdded(at=at, **msgspec.structs.asdict(provider))
    plans = tuple(PlanRecord(**msgspec.structs.asdict(plan)) for plan in content.plans)
    yield PlansChanged(at=at, plans=plans)
    for category_id, name in content.categories.items():
        yield CategoryDefined(at=at, id=category_id, name=name)
    for device_id in dict.fromkeys(job.device for job in content.jobs):
        ids = tuple(job.id for job in content.jobs if job.device == device_id)
        yield JobsSelected(at=at, device=device_id, run_list=ids)
    for job in content.jobs:
        yield from _job_events(job, at)
    yield WriterOpened(at=_seconds(content.session.modified), version="")


def _job_events(job: Job, at: float) -> Iterator[AnyEvent]:
    record = JobRecord(
        id=job.id,
        summary=job.summary,
        description=job.description,
        plugin=job.plugin,
        category_id=job.category_id,
        certification_status=job.certification_status,
        template_id=job.template_id,
        checksum=job.checksum,
        estimated_duration=job.estimated_duration,
        origin=job.origin,
        xfail=job.xfail,
    )
    yield JobDefined(at=at, device=job.device, job=record)
    for attempt in job.attempts:
        result = _result(attempt)
        yield ResultRecorded(at=at, device=job.device, job_id=job.id, result=result)
    if job.in_flight:
        yield JobStarted(at=at, device=job.device, job_id=job.id)


def _result(attempt: Attempt) -> JobResult:
    pieces = attempt.io_log if attempt.io_log is not msgspec.UNSET else ()
    return JobResult(
        outcome=attempt.outcome,
        return_code=attempt.return_code,
        execution_duration=attempt.duration,
        started_at=None if attempt.started is None else _seconds(attempt.started),
        comments=attempt.comments,
        skip_reason=attempt.skip_reason,
        interrupted_by=attempt.interrupted_by,
        io_log=[IOLogRecord(piece.delay, piece.stream, _data(piece)) for piece in pieces],
        io_log_size=attempt.io_log_size,
        io_log_dropped=attempt.io_log_dropped,
        attachments=[
            Attachment(
                name=attachment.name,
                media_type=attachment.media_type,
                size=attachment.size,
                ref=f"sha256:{attachment.sha256}",
            )
            for attachment in attempt.attachments
        ],
        subtests=[Subtest(**msgspec.structs.asdict(part)) for part in attempt.subtests],
        measurements=[
            Measurement(**msgspec.structs.asdict(part)) for part in attempt.measurements
        ],
    )


def _data(piece: LogPiece) -> bytes:
    if piece.text is not msgspec.UNSET:
        return piece.text.encode()
    return b64decode(piece.base64) if piece.base64 is not msgspec.UNSET else b""


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
