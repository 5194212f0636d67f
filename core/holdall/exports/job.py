"""A job of a session as others see it: its definition and every attempt at it."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Final

from holdall.exports.filtering import Place, through
from holdall.journal.iolog import unpack
from holdall.results import JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from holdall.exports.filtering import ViewFilter
    from holdall.exports.labels import Labels
    from holdall.journal.events import JobRecord
    from holdall.results import Attachment, Interruption, IOLogRecord, Outcome


class FoldedJob:
    """What the fold knows of one job on one device."""

    __slots__ = ("in_flight", "record", "results")

    def __init__(self, record: JobRecord) -> None:
        self.record = record
        self.results: list[JobResult] = []
        self.in_flight = False

    @property
    def was_tried(self) -> bool:
        """Whether an attempt was recorded, or at least started."""
        return self.in_flight or bool(self.results)

    @property
    def result(self) -> JobResult:
        """The last result; one that says nothing if there is none."""
        return self.results[-1] if self.results else _NOT_STARTED


class AttemptView:
    """One attempt at a job."""

    __slots__ = ("_labels", "_open_blob", "_through", "result")

    def __init__(
        self,
        result: JobResult,
        open_blob: Callable[[str], BinaryIO],
        labels: Labels,
        through: Callable[[Iterator[IOLogRecord]], Iterator[IOLogRecord]] | None = None,
    ) -> None:
        self.result = result
        self._open_blob = open_blob
        self._labels = labels
        self._through = through

    @property
    def outcome(self) -> Outcome:
        """How the attempt ended."""
        return self.result.outcome

    @property
    def label(self) -> str:
        """How the attempt ended, in words for people."""
        return self._labels.of(self.result.outcome, self.result.interrupted_by)

    @property
    def duration(self) -> float | None:
        """Seconds, None if unknown."""
        return self.result.execution_duration

    @property
    def comments(self) -> str:
        """Words of a person, or of holdall about what went wrong."""
        return self.result.comments or ""

    @property
    def skip_reason(self) -> str:
        """Why the job was not tried."""
        return self.result.skip_reason or ""

    @property
    def interrupted_by(self) -> Interruption | None:
        """What ended the attempt when holdall itself was ended."""
        return self.result.interrupted_by

    @property
    def return_code(self) -> int | None:
        """Exit code of the command; negative for the signal that killed it."""
        return self.result.return_code

    @property
    def started_at(self) -> float | None:
        """Seconds since 1970, UTC."""
        return self.result.started_at

    @property
    def io_log_size(self) -> int:
        """Bytes that the job wrote and that are kept."""
        return self.result.io_log_size

    @property
    def io_log_dropped(self) -> int:
        """Bytes that the job wrote beyond what is kept of one job."""
        return self.result.io_log_dropped

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Files that the job left behind."""
        return self.result.attachments

    def io_log(self) -> Iterator[IOLogRecord]:
        """Yield what the job wrote, in pieces, in the order it was written."""
        return self._stored() if self._through is None else self._through(self._stored())

    def _stored(self) -> Iterator[IOLogRecord]:
        if self.result.io_log_ref is None:
            yield from self.result.io_log
            return
        with self._open_blob(self.result.io_log_ref) as log:
            yield from unpack(log, name=self.result.io_log_ref)

    def open_attachment(self, attachment: Attachment) -> BinaryIO:
        """Return the content of one of `attachments`."""
        if attachment.ref is None:
            return BytesIO(attachment.data or b"")
        return self._open_blob(attachment.ref)


class JobView:
    """A job of the session on one device, with all attempts at it."""

    __slots__ = ("_category", "_filters", "_job", "_labels", "_open_blob", "device_id")

    def __init__(  # noqa: PLR0917 - made by the view alone
        self,
        device_id: str,
        job: FoldedJob,
        category: str,
        open_blob: Callable[[str], BinaryIO],
        labels: Labels,
        filters: tuple[ViewFilter, ...] = (),
    ) -> None:
        self.device_id = device_id
        self._job = through(filters, device_id, job, open_blob) if filters else job
        self._category = category
        self._open_blob = open_blob
        self._labels = labels
        self._filters = filters

    @property
    def id(self) -> str:
        """Qualified id, unique on a device."""
        return self._job.record.id

    @property
    def summary(self) -> str:
        """One line for people."""
        return self._job.record.summary or self.id

    @property
    def description(self) -> str:
        """What it is about, as text of any length."""
        return self._job.record.description

    @property
    def plugin(self) -> str:
        """How the job is done: shell, resource, attachment, manual, user-..."""
        return self._job.record.plugin

    @property
    def category_id(self) -> str:
        """Qualified id of the category in force."""
        return self._job.record.category_id

    @property
    def category(self) -> str:
        """The heading of the category in force."""
        return self._category

    @property
    def certification_status(self) -> str:
        """`blocker` or `non-blocker`, overrides included."""
        return self._job.record.certification_status

    @property
    def template_id(self) -> str:
        """Id of the template that the job was made from, or nothing."""
        return self._job.record.template_id

    @property
    def checksum(self) -> str:
        """SHA-256 of the job's definition."""
        return self._job.record.checksum

    @property
    def estimated_duration(self) -> float | None:
        """Seconds that its author expects."""
        return self._job.record.estimated_duration

    @property
    def origin(self) -> str:
        """File and line of the definition."""
        return self._job.record.origin

    @property
    def attempts(self) -> tuple[AttemptView, ...]:
        """All attempts that have ended, oldest first."""
        return tuple(map(self._attempt, self._job.results, count()))

    def _attempt(self, result: JobResult, number: int) -> AttemptView:
        if not self._filters:
            return AttemptView(result, self._open_blob, self._labels)
        place = Place(self.device_id, self.id, number, "io_log")
        seen = partial(_filtered, self._filters, place)
        return AttemptView(result, self._open_blob, self._labels, seen)

    @property
    def in_flight(self) -> bool:
        """Whether an attempt was started that has not ended, or was interrupted just so."""
        return self._job.in_flight

    @property
    def last(self) -> AttemptView:
        """The last attempt; an empty one if there was none."""
        return self._attempt(self._job.result, len(self._job.results) - 1)

    @property
    def attempt_count(self) -> int:
        """How many attempts have ended."""
        return len(self._job.results)

    @property
    def outcome(self) -> Outcome:
        """How the last attempt ended."""
        return self._job.result.outcome

    @property
    def label(self) -> str:
        """How the job stands, in words for people."""
        if self._job.in_flight:
            return self._labels.in_flight
        result = self._job.result
        return self._labels.of(result.outcome, result.interrupted_by)

    @property
    def duration(self) -> float | None:
        """Seconds of the last attempt, None if unknown."""
        return self._job.result.execution_duration

    @property
    def comments(self) -> str:
        """Comments on the last attempt."""
        return self._job.result.comments or ""

    @property
    def skip_reason(self) -> str:
        """Why the job was not tried."""
        return self._job.result.skip_reason or ""

    @property
    def interrupted_by(self) -> Interruption | None:
        """What interrupted the last attempt."""
        return self._job.result.interrupted_by

    @property
    def return_code(self) -> int | None:
        """Exit code of the last attempt."""
        return self._job.result.return_code

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Files that the last attempt left behind."""
        return self._job.result.attachments

    @property
    def io_log_size(self) -> int:
        """Bytes that the last attempt wrote and that are kept."""
        return self._job.result.io_log_size

    def io_log(self) -> Iterator[IOLogRecord]:
        """Yield what the last attempt wrote, in pieces."""
        return self.last.io_log()


def _filtered(
    filters: tuple[ViewFilter, ...], place: Place, records: Iterator[IOLogRecord]
) -> Iterator[IOLogRecord]:
    for each in filters:
        records = each.log(records, place)
    return records


_NOT_STARTED: Final = JobResult()
