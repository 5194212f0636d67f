"""The JSON report of a session, back into a session: `holdall.json`, format version 1."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from holdall.reading import json_items, json_pairs
from holdall.results import IOLogRecord, JobResult, Measurement, Subtest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from holdall.contracts import Importer
    from holdall.recording import Recorder
    from holdall.results import Attachment

    Attachments = Callable[[str, str, int, int], BinaryIO | None]


_BEGIN: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"holdall-session"')
_JOB_FIELDS: Final = (
    *("summary", "description", "plugin", "category_id", "certification_status"),
    *("template_id", "checksum", "estimated_duration", "origin", "xfail"),
)


class JsonImporter:
    """Records devices, plans, jobs and attempts; the content of attachments is not in a report."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether the document begins as a report of a session does."""
        return _BEGIN.match(head) is not None

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the session."""
        record_report(source, recorder, lambda *_: None)


def record_report(source: Path, recorder: Recorder, attachments: Attachments) -> None:
    """Record a JSON report.

    Args:
        attachments: Returns the content of an attachment by device, job, number of the
            attempt, and its place among those of the attempt; None where it is not to be had.

    Raises:
        ValueError: It is none, or of another version, or damaged.
    """
    about = dict(_about(source))
    if about.get("format_version") != 1:
        version = about.get("format_version")
        raise ValueError(f"near byte 0: it has the version {version!r} of the format, and not 1")
    recorder.suggest_title(str(about.get("session.title") or ""))
    for device in json_items(source, "devices.item", before="jobs"):
        recorder.device(device["id"], description=device["description"], facts=device["facts"])
    for plan in json_items(source, "plans.item", before="jobs"):
        recorder.plan(plan["id"], name=plan["name"], description=plan["description"])
    for _provider in json_items(source, "providers.item", before="jobs"):
        recorder.leave_out("providers")
    headings = dict(json_pairs(source, "categories", before="jobs"))
    for number, job in enumerate(json_items(source, "jobs.item"), start=1):
        try:
            _record_job(job, recorder, headings, attachments)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"job {number}: {what}") from error


def _about(source: Path) -> Iterator[tuple[str, Any]]:
    for where in ("format_version", "session.title"):
        for value in json_items(source, where, before="jobs"):
            yield where, value


def _record_job(
    job: Mapping[str, Any],
    recorder: Recorder,
    headings: Mapping[str, str],
    attachments: Attachments,
) -> None:
    job_id, device = job["id"], job["device"]
    fields = {name: job[name] for name in _JOB_FIELDS if name in job}
    heading = headings.get(job["category_id"], "")
    recorder.job(job_id, device=device, category=heading, **fields)
    for number, attempt in enumerate(job["attempts"], start=1):
        kept = []
        for place, each in enumerate(attempt["attachments"]):
            content = attachments(device, job_id, number, place)
            if content is None:
                recorder.leave_out("attachments, whose content is not in the source")
                continue
            with content:
                name, media_type = each["name"], each["media_type"]
                kept.append(recorder.attachment(name, content, media_type=media_type))
        log = tuple(map(_piece, attempt.get("io_log", ())))
        if sum(len(record.data) for record in log) != attempt["io_log_size"]:
            recorder.leave_out("logs, which the report left out")
        recorder.record_result(job_id, _result(attempt, log, kept), device=device)
    if job["in_flight"]:
        recorder.attempt(job_id, device=device)


def _result(
    attempt: Mapping[str, Any], log: tuple[IOLogRecord, ...], attachments: list[Attachment]
) -> JobResult:
    started = attempt["started"]
    return JobResult(
        outcome=attempt["outcome"],
        return_code=attempt["return_code"],
        execution_duration=attempt["duration"],
        started_at=datetime.fromisoformat(started).timestamp() if started else None,
        comments=attempt["comments"],
        skip_reason=attempt["skip_reason"],
        interrupted_by=attempt["interrupted_by"],
        io_log=log,
        io_log_dropped=attempt["io_log_dropped"],
        attachments=attachments,
        subtests=tuple(Subtest(**each) for each in attempt.get("subtests", ())),
        measurements=tuple(Measurement(**each) for each in attempt.get("measurements", ())),
    )


def _piece(piece: Mapping[str, Any]) -> IOLogRecord:
    if "base64" in piece:
        data = b64decode(piece["base64"], validate=True)
    else:
        data = piece["text"].encode("utf-8", "surrogatepass")
    return IOLogRecord(piece["delay"], piece["stream"], data)


if TYPE_CHECKING:
    _: type[Importer] = JsonImporter
