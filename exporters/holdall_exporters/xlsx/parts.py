"""Sheets of measurements and subtests, a row each; a session without any has none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.languages import N_
from holdall.results import Outcome
from holdall.writing import strip_escapes
from holdall_exporters.xlsx.sheet import Sheet
from holdall_exporters.xlsx.style import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.contracts import ExportContext
    from holdall.languages import Catalog
    from holdall.results import Measurement
    from holdall.view import AttemptView, SessionView
    from holdall_exporters.xlsx.archive import Book
    from holdall_exporters.xlsx.rows import Cell

    Columns = tuple[tuple[str, int], ...]
    Rows = Callable[[Sheet, AttemptView, Catalog], Iterable[list[Cell | None]]]

_WHOSE: Final = ((N_("Device"), 14), (N_("Job"), 44), (N_("Attempt"), 9))
_MEASUREMENTS: Final = (
    *_WHOSE,
    (N_("Measurement"), 36),
    (N_("Value"), 16),
    (N_("Unit"), 10),
    (N_("At least"), 12),
    (N_("At most"), 12),
    (N_("Outcome"), 27),
)
_SUBTESTS: Final = (
    *_WHOSE,
    (N_("Subtest"), 44),
    (N_("Outcome"), 27),
    (N_("Duration (s)"), 13),
    (N_("Reason"), 60),
)
_EXACT: Final = 2**53  # beyond it, a cell has not every whole number


def write_parts(book: Book, view: SessionView, context: ExportContext) -> None:
    """Write a sheet of the measurements and one of the subtests, if there are any."""
    pgettext = view.catalog.pgettext
    kinds: tuple[tuple[str, Columns, Rows], ...] = (
        (pgettext("sheet", "Measurements"), _MEASUREMENTS, _measurements),
        (pgettext("sheet", "Subtests"), _SUBTESTS, _subtests),
    )
    for title, columns, rows_of in kinds:
        sheet: Sheet | None = None
        for device_id, job_id, number, attempt in _attempts_with_parts(view):
            sheet = sheet or Sheet(book, view.catalog, title, columns, context.count)
            for row in rows_of(sheet, attempt, view.catalog):
                whose = sheet.beside(device_id), sheet.beside(job_id), sheet.number(number)
                sheet.add([*whose, *row])
        if sheet is not None:
            sheet.finish()


def _attempts_with_parts(view: SessionView) -> Iterator[tuple[str, str, int, AttemptView]]:
    for job in view.jobs():
        if job.has_parts:
            for number, attempt in enumerate(job.attempts, start=1):
                yield job.device_id, job.id, number, attempt


def _measurements(
    sheet: Sheet, attempt: AttemptView, catalog: Catalog
) -> Iterator[list[Cell | None]]:
    for part in attempt.measurements:
        yield [
            sheet.text(part.name),
            _value(sheet, part),
            sheet.text(part.unit),
            sheet.number(part.lower),
            sheet.number(part.upper),
            sheet.text(_judgement(part, catalog)),
        ]


def _value(sheet: Sheet, part: Measurement) -> Cell | None:
    """Return a number as one to count with, unless a cell would change it."""
    value = part.value
    if isinstance(value, float) or (type(value) is int and abs(value) <= _EXACT):
        return sheet.number(value)
    return sheet.text(str(value))


def _judgement(part: Measurement, catalog: Catalog) -> str:
    """Return how it ended; nothing where neither limits nor its recorder say so."""
    outcome = part.outcome or Outcome.NONE
    return "" if outcome is Outcome.NONE else catalog.gettext(outcome.label)


def _subtests(sheet: Sheet, attempt: AttemptView, catalog: Catalog) -> Iterator[list[Cell | None]]:
    for part in attempt.subtests:
        message = sheet.lines((strip_escapes(part.message),)) if part.message else None
        yield [
            sheet.beside(part.name),
            sheet.beside(catalog.gettext(part.outcome.label)),
            sheet.number(part.duration, number_format=SECONDS),
            message,
        ]
