"""A job of a session as others see it: its definition and every attempt at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.view.filtering import Location
from holdall.view.folded import NOT_ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from holdall.journal import JobRecord
    from holdall.results import (
        Attachment,
        Interruption,
        IOLogRecord,
        JobResult,
        Measurement,
        Outcome,
        Subtest,
    )
    from holdall.view.folded import FoldedJob
    from holdall.view.source import Source


_LINE_DIGITS: Final = 9  # so that readers hold it in a number of 32 bits


class AttemptView:
    """One attempt at a job.

    Attributes:
        result: All that was recorded of it.
    """

    __slots__ = ("_device_id", "_number", "_record", "_source", "result")

    def __init__(
        self, result: JobResult, number: int, device_id: str, record: JobRecord, source: Source
    ) -> None:
        self.result = result
        self._number = number
        self._device_id = device_id
        self._record = record
        self._source = source

    @property
    def outcome(self) -> Outcome:
        """How the attempt ended."""
        return self.result.outcome

    @property
    def counts_as(self) -> Outcome:
        """What `outcome` counts as, as `JobView.counts_as` says it of the last attempt."""
        return self.result.outcome.counted(xfail=self._record.xfail)

    @property
    def label(self) -> str:
        """The outcome of the attempt as people read it, in the language of the view."""
        return self._source.labels.of(self.result.outcome, self.result.interrupted_by)

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

    @property
    def subtests(self) -> tuple[Subtest, ...]:
        """Parts of the attempt that have outcomes of their own."""
        return self.result.subtests

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Values that the attempt measured."""
        return self.result.measurements

    def io_log(self) -> Iterator[IOLogRecord]:
        """Yield what the job wrote, in pieces, in the order it was written."""
        location = Location(self._device_id, self._record.id, self._number, "io_log")
        return self._source.log(self.result, location)

    def open_attachment(self, attachment: Attachment) -> BinaryIO:
        """Return the content of one of `attachments`."""
        return self._source.open(attachment)


class JobView:
    """A job of the session on one device, with all attempts at it.

    What it says of an attempt, such as `duration` and `comments`, is of the last one, and nothing
    while one is in flight: what an earlier one left behind is not of that.

    Attributes:
        device_id: Id of the device, which is in the view's `devices`.
    """

    __slots__ = ("_category", "_ended", "_job", "_record", "_result", "_source", "device_id")

    def __init__(self, device_id: str, job: FoldedJob, category: str, source: Source) -> None:
        self.device_id = device_id
        if source.filters:
            job = source.job(device_id, job)
        self._job = job
        self._record = job.record
        self._ended = ended = job.results[-1] if job.results else NOT_ENDED
        self._result = NOT_ENDED if job.in_flight else ended
        self._category = category
        self._source = source

    @property
    def id(self) -> str:
        """Qualified id, unique on a device."""
        return self._record.id

    @property
    def summary(self) -> str:
        """One line for people."""
        return self._record.summary or self._record.id

    @property
    def description(self) -> str:
        """What it is about, as text of any length."""
        return self._record.description

    @property
    def plugin(self) -> str:
        """How the job is done: shell, resource, attachment, manual, user-..."""
        return self._record.plugin

    @property
    def category_id(self) -> str:
        """Qualified id of the category in force."""
        return self._record.category_id

    @property
    def category(self) -> str:
        """The heading of the category in force."""
        return self._category

    @property
    def certification_status(self) -> str:
        """`blocker` or `non-blocker`, overrides included."""
        return self._record.certification_status

    @property
    def template_id(self) -> str:
        """Id of the template that the job was made from, or nothing."""
        return self._record.template_id

    @property
    def checksum(self) -> str:
        """SHA-256 of the job's definition."""
        return self._record.checksum

    @property
    def estimated_duration(self) -> float | None:
        """Seconds that its author expects."""
        return self._record.estimated_duration

    @property
    def origin(self) -> str:
        """File and line of the definition."""
        return self._record.origin

    @property
    def place(self) -> tuple[str, int | None]:
        """File and line of `origin`; all of it and None if it has no number of a line."""
        file, _colon, line = self._record.origin.rpartition(":")
        if file and line.isascii() and line.isdigit() and len(line) <= _LINE_DIGITS:
            return file, int(line)
        return self._record.origin, None

    @property
    def attempts(self) -> tuple[AttemptView, ...]:
        """All attempts that have ended, oldest first."""
        of_job = (self.device_id, self._record, self._source)
        return tuple(
            [AttemptView(result, n, *of_job) for n, result in enumerate(self._job.results)]
        )

    @property
    def in_flight(self) -> bool:
        """Whether an attempt was started that has not ended, or was interrupted just so."""
        return self._job.in_flight

    @property
    def last(self) -> AttemptView:
        """The last attempt; an empty one if there was none, or it has not ended."""
        number = len(self._job.results) - 1
        return AttemptView(self._result, number, self.device_id, self._record, self._source)

    @property
    def earlier(self) -> tuple[AttemptView, ...]:
        """The attempts before `last`: all that have ended, if one is in flight."""
        return self.attempts if self.in_flight else self.attempts[:-1]

    @property
    def attempt_count(self) -> int:
        """How many attempts have ended."""
        return len(self._job.results)

    @property
    def outcome(self) -> Outcome:
        """How the last attempt that has ended did."""
        return self._ended.outcome

    @property
    def xfail(self) -> bool:
        """Whether the provider says that the job is expected to fail."""
        return self._record.xfail

    @property
    def counts_as(self) -> Outcome:
        """What `outcome` counts as: of a job that is expected to fail, `fail` counts as `pass`.

        And `pass` as `fail`, because somebody should look at it.
        """
        return self._ended.outcome.counted(xfail=self._record.xfail)

    @property
    def went_wrong(self) -> bool:
        """Whether it failed, crashed or could not be performed, or has not ended."""
        return self._job.in_flight or self.counts_as.failed

    @property
    def is_flaky(self) -> bool:
        """Whether it passed in the end, after an attempt that went wrong by itself."""
        return self._job.is_flaky

    @property
    def label(self) -> str:
        """The state of the job as people read it, in the language of the view."""
        labels, ended = self._source.labels, self._ended
        if self._job.in_flight:
            return labels.in_flight
        return labels.of_job(self.counts_as, ended.outcome, ended.interrupted_by)

    @property
    def duration(self) -> float | None:
        """Seconds of the last attempt, None if unknown."""
        return self._result.execution_duration

    @property
    def comments(self) -> str:
        """Comments on the last attempt."""
        return self._result.comments or ""

    @property
    def skip_reason(self) -> str:
        """Why the job was not tried."""
        return self._result.skip_reason or ""

    @property
    def interrupted_by(self) -> Interruption | None:
        """What interrupted the last attempt."""
        return self._result.interrupted_by

    @property
    def return_code(self) -> int | None:
        """Exit code of the last attempt."""
        return self._result.return_code

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Files that the last attempt left behind."""
        return self._result.attachments

    @property
    def subtests(self) -> tuple[Subtest, ...]:
        """Parts of the last attempt that have outcomes of their own."""
        return self._result.subtests

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Values that the last attempt measured."""
        return self._result.measurements

    @property
    def has_parts(self) -> bool:
        """Whether any attempt has subtests or measurements."""
        # Formats ask it of each job, and `any` takes three times as long.
        for result in self._job.results:  # noqa: SIM110
            if result.subtests or result.measurements:
                return True
        return False

    @property
    def io_log_size(self) -> int:
        """Bytes that the last attempt wrote and that are kept."""
        return self._result.io_log_size

    def io_log(self) -> Iterator[IOLogRecord]:
        """Yield what the last attempt wrote, in pieces."""
        return self.last.io_log()
