"""The source of a view's contents: a storage or memory, behind filters."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from holdall.journal import unpack_records
from holdall.view.filtering import through
from holdall.view.labels import IN_ENGLISH, Labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from holdall.languages import Catalog
    from holdall.results import Attachment, IOLogRecord, JobResult
    from holdall.view.filtering import Location, OpenBlob, ViewFilter
    from holdall.view.folded import FoldedJob
    from holdall.view.logs import SharedLogs, SmallLogs


class Source:
    """Gives the jobs, logs and attachments of a view, each as its filters show it.

    Attributes:
        filters: What its contents are seen through, in this order.
        labels: The labels of outcomes, in the language of the view.
    """

    __slots__ = ("_open_blob", "_shared", "_small", "filters", "labels")

    def __init__(
        self,
        open_blob: OpenBlob,
        small: SmallLogs,
        *,
        filters: tuple[ViewFilter, ...] = (),
        shared: SharedLogs | None = None,
        labels: Labels = IN_ENGLISH,
    ) -> None:
        self._open_blob = open_blob
        self._small = small
        self.filters = filters
        self._shared = shared
        self.labels = labels

    def filtered(self, by: ViewFilter) -> Source:
        """Return this source as it is seen through *by* as well."""
        return self._projected(filters=(*self.filters, by))

    def sharing(self, shared: SharedLogs) -> Source:
        """Return this source with logs remembered in *shared*."""
        return self._projected(shared=shared)

    def with_catalog(self, catalog: Catalog) -> Source:
        """Return this source with labels, and marks of its filters, in *catalog*."""
        filters = tuple(by.with_catalog(catalog) for by in self.filters)
        return self._projected(labels=Labels(catalog), filters=filters)

    def _projected(
        self,
        *,
        filters: tuple[ViewFilter, ...] | None = None,
        shared: SharedLogs | None = None,
        labels: Labels | None = None,
    ) -> Source:
        """Return a source that differs from this one in these."""
        return Source(
            self._open_blob,
            self._small,
            filters=self.filters if filters is None else filters,
            shared=shared or self._shared,
            labels=labels or self.labels,
        )

    def job(self, device_id: str, job: FoldedJob) -> FoldedJob:
        """Return *job* with all texts, results and attachments as they are to be seen."""
        return through(self.filters, device_id, job, self._open_blob)

    def log(self, result: JobResult, location: Location) -> Iterator[IOLogRecord]:
        """Return the log of *result* as it is to be seen."""
        filters = self.filters
        records = self._small.log(result)
        if records is None:
            if self._shared is None:
                records = self._stored(result)
            else:
                records, filters = self._shared.log(result, location, filters, self._stored)
        for view_filter in filters:
            records = view_filter.log(records, location)
        return records

    def _stored(self, result: JobResult) -> Iterator[IOLogRecord]:
        ref = result.io_log_ref or ""
        with self._open_blob(ref) as log:
            yield from unpack_records(log, name=ref)

    def open(self, attachment: Attachment) -> BinaryIO:
        """Return the content of an attachment, of which the filters are done already."""
        if attachment.ref is None:
            return BytesIO(attachment.data or b"")
        return self._open_blob(attachment.ref)
