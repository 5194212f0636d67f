"""Sheets of measurements and subtests, a row each; a session without any has none of them."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from holdall.languages import N_
from holdall.results import Outcome
from holdall.writing import strip_escapes
from holdall_exporters.xlsx.sheet import Sheet
from holdall_exporters.xlsx.style import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.contracts import ExportContext
    from holdall.languages import Catalog
    from holdall.results import Measurement, Subtest
    from holdall.view import AttemptView, SessionView
    from holdall_exporters.xlsx.archive import Book
    from holdall_exporters.xlsx.rows import Cell

    Columns = tuple[tuple[str, int], ...]
    PartsOf = Callable[[AttemptView], Iterable[Measurement | Subtest]]
    CellsOf = Callable[[Sheet, Any, Catalog], list[Cell | None]]

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


def write_parts(book: Book, view: SessionView, context: ExportContext) -> None:
    """Write a sheet of the measurements and one of the subtests, if there are any."""
    pgettext = view.catalog.pgettext
    measurements, subtests = pgettext("sheet", "Measurements"), pgettext("sheet", "Subtests")
    kinds: tuple[tuple[str, Columns, PartsOf, CellsOf], ...] = (
        (measurements, _MEASUREMENTS, attrgetter("measurements"), _measurement),
        (subtests, _SUBTESTS, attrgetter("subtests"), _subtest),
    )
    for title, columns, parts_of, cells_of in kinds:
        sheet: Sheet | None = None
        for device_id, job_id, number, part in _parts(view, parts_of):
            sheet = sheet or Sheet(book, view.catalog, title, columns, context.count)
            cells = cells_of(sheet, part, view.catalog)  # first, as they say how high the row is
            whose = sheet.beside(device_id), sheet.beside(job_id), sheet.number(number)
            sheet.add([*whose, *cells])
        if sheet is not None:
            sheet.finish()


def _parts(view: SessionView, parts_of: PartsOf) -> Iterator[tuple[str, str, int, Any]]:
    """Yield each part with the device, the job, and the attempt's number, from 1 on."""
    for job in view.jobs():
        if job.has_parts:
            for number, attempt in enumerate(job.attempts, start=1):
                for part in parts_of(attempt):
                    yield job.device_id, job.id, number, part


def _measurement(sheet: Sheet, part: Measurement, catalog: Catalog) -> list[Cell | None]:
    value = part.value
    outcome = part.outcome or Outcome.NONE
    # Without limits, and if its recorder did not say, it has no outcome.
    label = "" if outcome is Outcome.NONE else catalog.gettext(outcome.label)
    return [
        sheet.text(part.name),
        sheet.text(str(value)) if isinstance(value, str | bool) else sheet.number(value),
        sheet.text(part.unit),
        sheet.number(part.lower),
        sheet.number(part.upper),
        sheet.text(label),
    ]


def _subtest(sheet: Sheet, part: Subtest, catalog: Catalog) -> list[Cell | None]:
    message = sheet.lines((strip_escapes(part.message),)) if part.message else None
    return [
        sheet.beside(part.name),
        sheet.beside(catalog.gettext(part.outcome.label)),
        sheet.number(part.duration, number_format=SECONDS),
        message,
    ]
