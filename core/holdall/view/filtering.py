"""Filters of a view: they change the texts, logs and attachments that exporters see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping

    from holdall.languages import Catalog
    from holdall.results import Attachment, IOLogRecord, JobResult, Measurement
    from holdall.view.folded import FoldedJob


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

    def with_catalog(self, catalog: Catalog) -> ViewFilter:
        """Return this filter with the marks that it makes in the language of *catalog*.

        Ids are no texts, and show the same in every language.
        """
        del catalog
        return self

    def text(self, text: str, location: Location) -> str:  # noqa: ARG002 - what filters go by
        """Return the text to show instead of *text*."""
        return text

    def value(self, name: str, text: str, location: Location) -> str:  # noqa: ARG002 - the same
        """Return the text to show instead of the value that is called *name*."""
        return self.text(text, location)

    def identifier(self, kind: str, text: str) -> str:  # noqa: ARG002 - what filters go by
        """Return the id to show instead of *text*, of a `job`, `category`, `plan` or `device`.

        It must be the same each time, and differ from that of every other id of its kind.
        Ids are shown before anything else, so that a `Location` has the ones that are shown.
        """
        return text

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


# What finds a blob again, or is one of a few words that code compares with.
_KEPT: Final = frozenset({"io_log_ref", "ref", "interrupted_by"})

# The ids of a job's definition, which `with_ids` shows.
_IDS: Final = frozenset({"id", "category_id", "template_id"})


def with_texts(
    by: ViewFilter, struct: Shown, location: Location, *, but: Collection[str] = ()
) -> Shown:
    """Return *struct* with every text in it, whatever its field is called, as *by* shows it.

    Args:
        but: Fields whose texts are shown already.
    """
    changes = {}
    for name in struct.__struct_fields__:
        text = getattr(struct, name)
        if type(text) is str and text and name not in _KEPT and name not in but:
            shown = by.text(text, location._replace(field=f"{location.field} {name}".strip()))
            if shown != text:
                changes[name] = shown
    return msgspec.structs.replace(struct, **changes) if changes else struct


def with_ids(by: ViewFilter, job: FoldedJob) -> FoldedJob:
    """Return the job with its ids as *by* shows them; other texts are filtered when it is read."""
    record = job.record
    ids = {
        "id": by.identifier("job", record.id),
        "category_id": by.identifier("category", record.category_id),
        "template_id": record.template_id and by.identifier("job", record.template_id),
    }
    changes = {name: text for name, text in ids.items() if text != getattr(record, name)}
    if not changes:
        return job
    return msgspec.structs.replace(job, record=msgspec.structs.replace(record, **changes))


def through(
    filters: tuple[ViewFilter, ...], device_id: str, job: FoldedJob, open_blob: OpenBlob
) -> FoldedJob:
    """Return *job*, whose ids are shown already, as it is seen through *filters* in order."""
    shown = job
    for by in filters:
        definition = Location(device_id, shown.record.id)
        results = tuple(
            _result(by, result, definition._replace(attempt=number), open_blob)
            for number, result in enumerate(shown.results)
        )
        record = with_texts(by, shown.record, definition, but=_IDS)
        shown = msgspec.structs.replace(shown, record=record, results=results)
    return shown


def _result(
    by: ViewFilter, result: JobResult, location: Location, open_blob: OpenBlob
) -> JobResult:
    shown = with_texts(by, result, location)
    if shown.attachments:
        attachments = tuple(
            with_texts(by, part, location._replace(field=f"attachment {number}"))
            for number, part in enumerate(shown.attachments)
        )
        attachments = by.attachments(attachments, location, open_blob)
        if attachments != shown.attachments:
            shown = msgspec.structs.replace(shown, attachments=attachments)
    if shown.subtests or shown.measurements:
        shown = msgspec.structs.replace(
            shown,
            subtests=tuple(
                with_texts(by, part, location._replace(field=f"subtest {number}"))
                for number, part in enumerate(shown.subtests)
            ),
            measurements=tuple(
                _measured(by, part, location._replace(field=f"measurement {number}"))
                for number, part in enumerate(shown.measurements)
            ),
        )
    return by.result(shown, location)


def _measured(by: ViewFilter, measured: Measurement, location: Location) -> Measurement:
    if isinstance(measured.value, str):
        value_location = location._replace(field=f"{location.field} value")
        value = by.value(measured.name, measured.value, value_location)
        measured = msgspec.structs.replace(measured, value=value)
    return with_texts(by, measured, location, but=("value",))


NOWHERE: Final = Location()
"""The location of what belongs to the session as a whole."""
