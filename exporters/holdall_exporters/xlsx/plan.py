"""The test plan of a session as a workbook: what is to be tested, before anything was.

It is what Checkbox makes by `tp-export`: the jobs by category, those of a category by id, with
their certification status and what they are about, and the plan's name on each printed page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final

from holdall.languages import N_, load_catalog
from holdall.writing import line_text, strip_escapes
from holdall_exporters.xlsx.archive import rezip, saved_to, verify_book
from holdall_exporters.xlsx.paper import on_each_page
from holdall_exporters.xlsx.sheet import Sheet
from holdall_exporters.xlsx.style import BOLD, SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import FoldedJob, SessionView
    from holdall_exporters.xlsx.archive import Book

_COLUMNS: Final = (
    (N_("Name"), 44),
    (N_("Summary"), 44),
    (N_("Certification status"), 20),
    (N_("Kind"), 18),
    (N_("Expected duration (s)"), 20),
    (N_("Description"), 90),
)


@dataclass(frozen=True)
class Options:
    """Options of the workbook.

    Attributes:
        descriptions: Whether to say what each job is about.
    """

    descriptions: bool = True


class PlanExporter:
    """One sheet: a row for each category, and below it one for each of its jobs."""

    summary: ClassVar[str] = "workbook of the jobs of a test plan, without results"
    suffix: ClassVar[str] = ".xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the sheet to a temporary file, and that with fixed dates to *sink*."""
        path = context.temporary_folder / "plan.xlsx"
        view = view.with_catalog(load_catalog(context.lang, "holdall_exporters"))
        with saved_to(path, "holdall.testplan", context) as book:
            write_plan(book, view, context, descriptions=context.options.descriptions)
        rezip(path, sink, context.now)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Check every sheet's sum, and that the sheets can be listed."""
        verify_book(report)


def write_plan(
    book: Book, view: SessionView, context: ExportContext, *, descriptions: bool
) -> None:
    """Write the sheet with the jobs of *view*; with several devices, one after the other."""
    title = view.catalog.pgettext("sheet", "Test plan")
    sheet = Sheet(book, view.catalog, title, _COLUMNS, context.count)
    names = [line_text(plan.name or plan.id) for plan in view.plans]
    on_each_page(sheet.page, ", ".join(names) or line_text(view.title))
    several, done = len(view.devices) > 1, 0
    for group in view.with_jobs(_by_id).groups():
        heading = f"{group.device_id}: {group.category}" if several else group.category
        sheet.add([sheet.text(heading, font=BOLD)])
        for job in group.jobs():
            about = strip_escapes(job.description) if descriptions else ""
            words = sheet.lines((about,)) if about else None
            sheet.add(
                [
                    sheet.beside(job.id),
                    sheet.beside(job.summary if job.summary != job.id else ""),
                    sheet.beside(job.certification_status),
                    sheet.beside(job.plugin),
                    sheet.number(job.estimated_duration, number_format=SECONDS),
                    words,
                ]
            )
            done += 1
            if done % 100 == 0:
                context.progress(done, view.job_count)
    sheet.finish()


def _by_id(jobs: Sequence[FoldedJob]) -> Iterable[FoldedJob]:
    return sorted(jobs, key=lambda job: job.record.id)


if TYPE_CHECKING:
    _: type[Exporter] = PlanExporter
