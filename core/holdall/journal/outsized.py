"""Results as the journal takes them: what is large lies in blobs, whoever recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdall.journal.events import ResultRecorded
from holdall.journal.iolog import pack_record

if TYPE_CHECKING:
    from holdall.contracts import Storage
    from holdall.journal.events import AnyEvent
    from holdall.results import Attachment, JobResult

INLINE: Final = 4096
"""Bytes of a log, or of an attachment, that travel inside the result; more become a blob."""


def with_blobs(event: AnyEvent, storage: Storage) -> AnyEvent:
    """Return *event* with what is large in it moved to blobs of *storage*, durable on return."""
    if not isinstance(event, ResultRecorded) or not _is_large(event.result):
        return event
    return msgspec.structs.replace(event, result=_moved(event.result, storage))


def _is_large(result: JobResult) -> bool:
    if result.io_log and sum(len(record.data) for record in result.io_log) > INLINE:
        return True
    # Most results have none, and are asked twice.
    return bool(result.attachments) and any(map(_is_large_attachment, result.attachments))


def _is_large_attachment(attachment: Attachment) -> bool:
    return attachment.data is not None and len(attachment.data) > INLINE


def _moved(result: JobResult, storage: Storage) -> JobResult:
    if sum(len(record.data) for record in result.io_log) > INLINE:
        ref = storage.put_blob(map(pack_record, result.io_log))
        result = msgspec.structs.replace(result, io_log=(), io_log_ref=ref)
    attachments = tuple(
        msgspec.structs.replace(
            attachment, data=None, ref=storage.put_blob(iter((attachment.data or b"",)))
        )
        if _is_large_attachment(attachment)
        else attachment
        for attachment in result.attachments
    )
    return msgspec.structs.replace(result, attachments=attachments)
