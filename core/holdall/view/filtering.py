"""Filters of a view: they change the texts, logs and attachments that exporters see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from holdall.journal import JobRecord
    from holdall.results import Attachment, IOLogRecord, JobResult, Measurement
    from holdall.view.fold import FoldedJob


OpenBlob = Callable[[str], BinaryIO]
"""Gives the content of a blob by its ref."""

Shown = TypeVar("Shown", bound=msgspec.Struct)


class Location(NamedTuple):
    """The location of a text or log in a session; an attempt of -1 is the job's definition."""

    device_id: str = ""
    job_id: str = ""
    attempt: int = -1
    field: str = ""


class ViewFilter:
    """Changes nothing; override what is to be seen in another way.

    `view.filtered(by)` is a view through it. A filter is asked each time that
    something is read, so it must give the same answer every time.

    Attributes:
        log_key: Filters with equal keys show every log alike, so that a log need not be read
            through the second one if it was through the first; None if that can't be said.
    """

    log_key: Hashable = None

    def text(self, text: str, location: Location) -> str:  # noqa: ARG002 - what filters go by
        """Return the text to show instead of *text*."""
        return text

    def value(self, name: str, text: str, location: Location) -> str:  # noqa: ARG002 - the same
        """Return the text to show instead of the value that is called *name*."""
        return self.text(text, location)

    def result(self, result: JobResult, location: Location) -> JobResult:  # noqa: ARG002 - the same
        """Return the result to show instead of *result*, whose texts are filtered already."""
        return result

    def attachments(
        self,
        attachments: tuple[Attachment, ...],
        location: Location,  # noqa: ARG002 - what filters go by
        open_blob: OpenBlob,  # noqa: ARG002 - the same
    ) -> tuple[Attachment, ...]:
        """Return the attachments to show instead of *attachments*."""
        return attachments

    def log(self, records: Iterator[IOLogRecord], location: Location) -> Iterator[IOLogRecord]:  # noqa: ARG002
        """Return the log to show instead of *records*, which are read piece by piece."""
        return records

    def counted(self, location: Location) -> Mapping[str, int]:  # noqa: ARG002 - what filters go by
        """Return what was counted while the log at *location* was read to its end."""
        return {}

    def count(self, counts: Mapping[str, int], location: Location) -> None:
        """Count what another filter of the same `log_key` counted in the log at *location*."""


def through(
    filters: tuple[ViewFilter, ...], device_id: str, job: FoldedJob, open_blob: OpenBlob
) -> FoldedJob:
    """Return *job* as it is seen through *filters*, the first one first."""
    shown = job
    for by in filters:
        definition = Location(device_id, shown.record.id)
        results = tuple(
            _result(by, result, definition._replace(attempt=number), open_blob)
            for number, result in enumerate(shown.results)
        )
        shown = msgspec.structs.replace(
            shown, record=_record(by, shown.record, definition), results=results
        )
    return shown


def _record(by: ViewFilter, record: JobRecord, location: Location) -> JobRecord:
    return _with_texts(by, record, ("summary", "description"), location)


def _result(
    by: ViewFilter, result: JobResult, location: Location, open_blob: OpenBlob
) -> JobResult:
    shown = _with_texts(by, result, ("comments", "skip_reason"), location)
    if shown.attachments:
        attachments = by.attachments(shown.attachments, location, open_blob)
        if attachments != shown.attachments:
            shown = msgspec.structs.replace(shown, attachments=attachments)
    if shown.subtests or shown.measurements:
        shown = msgspec.structs.replace(
            shown,
            subtests=tuple(_with_texts(by, part, _PARTS, location) for part in shown.subtests),
            measurements=tuple(_measured(by, part, location) for part in shown.measurements),
        )
    return by.result(shown, location)


def _measured(by: ViewFilter, measured: Measurement, location: Location) -> Measurement:
    shown = _with_texts(by, measured, ("name", "unit"), location)
    if isinstance(shown.value, str):
        value = by.value(shown.name, shown.value, location._replace(field="value"))
        shown = msgspec.structs.replace(shown, value=value)
    return shown


def _with_texts(
    by: ViewFilter, struct: Shown, names: tuple[str, ...], location: Location
) -> Shown:
    changes = {}
    for name in names:
        text = getattr(struct, name)
        if text:
            shown = by.text(text, location._replace(field=name))
            if shown != text:
                changes[name] = shown
    return msgspec.structs.replace(struct, **changes) if changes else struct


_PARTS: Final = ("name", "message")

NOWHERE: Final = Location()
"""The location of what belongs to the session as a whole."""
