"""Where a view's contents come from: a storage or memory, seen through filters."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from holdall.exports.filtering import through
from holdall.journal.iolog import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from holdall.exports.filtering import OpenBlob, Place, ViewFilter
    from holdall.exports.job import FoldedJob
    from holdall.exports.shared import SharedLogs
    from holdall.exports.small import SmallLogs
    from holdall.results import Attachment, IOLogRecord, JobResult


class Source:
    """Gives the jobs, logs and attachments of a view, each as its filters show it."""

    __slots__ = ("_filters", "_open_blob", "_shared", "_small")

    def __init__(
        self,
        open_blob: OpenBlob,
        small: SmallLogs,
        *,
        filters: tuple[ViewFilter, ...] = (),
        shared: SharedLogs | None = None,
    ) -> None:
        self._open_blob = open_blob
        self._small = small
        self._filters = filters
        self._shared = shared

    def filtered(self, by: ViewFilter) -> Source:
        """Return this source as it is seen through *by* as well."""
        filters = (*self._filters, by)
        return Source(self._open_blob, self._small, filters=filters, shared=self._shared)

    def sharing(self, shared: SharedLogs) -> Source:
        """Return this source with logs remembered in *shared*."""
        return Source(self._open_blob, self._small, filters=self._filters, shared=shared)

    def job(self, device_id: str, job: FoldedJob) -> FoldedJob:
        """Return *job* with all texts, results and attachments as they are to be seen."""
        if not self._filters:
            return job
        return through(self._filters, device_id, job, self._open_blob)

    def log(self, result: JobResult, place: Place) -> Iterator[IOLogRecord]:
        """Return the log of *result* as it is to be seen."""
        filters = self._filters
        records = self._small.log(result)
        if records is None:
            if self._shared is None:
                records = self._stored(result)
            else:
                records, filters = self._shared.log(result, place, filters, self._stored)
        for each in filters:
            records = each.log(records, place)
        return records

    def _stored(self, result: JobResult) -> Iterator[IOLogRecord]:
        ref = result.io_log_ref or ""
        with self._open_blob(ref) as log:
            yield from unpack(log, name=ref)

    def open(self, attachment: Attachment) -> BinaryIO:
        """Return the content of an attachment, of which the filters are done already."""
        if attachment.ref is None:
            return BytesIO(attachment.data or b"")
        return self._open_blob(attachment.ref)
