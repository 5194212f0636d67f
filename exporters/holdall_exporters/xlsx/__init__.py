"""A workbook for Excel and LibreOffice: summary, results, failures, devices, logs.

The sheets of data are plain rectangles under one header, so that pandas and
others read them as they are. Text is text by the type of its cell and never
a formula. The same session gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal

from msgspec import Meta
from openpyxl.styles import PatternFill

from holdall.languages import N_, load_catalog
from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import (
    LOGS_CUT,
    count_parts_left_out,
    cut_text,
    dropped_mark,
    log_text,
    strip_escapes,
    text_mark,
    wants_log,
)
from holdall_exporters.xlsx.archive import rezip, saved_to, verify_book
from holdall_exporters.xlsx.chart import description_of
from holdall_exporters.xlsx.logs import rows_of
from holdall_exporters.xlsx.parts import write_parts
from holdall_exporters.xlsx.plan import write_plan
from holdall_exporters.xlsx.sheet import Sheet
from holdall_exporters.xlsx.style import BOLD, LEFT, SECONDS, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.languages import Catalog
    from holdall.view import JobView, SessionView
    from holdall_exporters.xlsx.archive import Book
    from holdall_exporters.xlsx.rows import Cell

# Header and width in characters of each column of the data sheets.
_RESULTS: Final = (
    (N_("Device"), 14),
    (N_("Category"), 24),
    (N_("Job"), 44),
    (N_("Summary"), 52),
    (N_("Outcome"), 27),
    (N_("Duration (s)"), 13),
    (N_("Exit code"), 10),
    (N_("Attempts"), 10),
    (N_("Status"), 14),
    (N_("Skip reason"), 36),
    (N_("Comments"), 36),
)
_LOGS: Final = (
    (N_("Device"), 14),
    (N_("Job"), 44),
    (N_("Outcome"), 27),
    (N_("Part"), 6),
    (N_("Output"), 120),
)
_ATTEMPTS: Final = (
    (N_("Device"), 14),
    (N_("Job"), 44),
    (N_("Attempt"), 9),
    (N_("Outcome"), 27),
    (N_("Started (UTC)"), 20),
    (N_("Duration (s)"), 13),
    (N_("Exit code"), 10),
    (N_("Output (bytes)"), 14),
    (N_("Skip reason"), 36),
    (N_("Comments"), 36),
)
_DESCRIPTIONS: Final = ((N_("Device"), 14), (N_("Job"), 44), (N_("Description"), 100))
_DEVICES: Final = ((N_("Device"), 14), (N_("Name"), 36), (N_("Value"), 80))
_SUMMARY: Final = ((None, 28), (None, 60))

_FILLS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "E3F4E8",
    Outcome.FAIL: "FCE8E6",
    Outcome.CRASH: "FDEADB",
    Outcome.ERROR: "F3E6FC",
    Outcome.UNDECIDED: "E4EFFB",
    Outcome.NONE: "E4EFFB",
}
_OTHER_FILL: Final = "ECEFF2"


@dataclass(frozen=True)
class Options:
    """Options of the workbook.

    Attributes:
        logs: Whose output the sheet `Logs` holds: nobody's, that of failed jobs, all.
        log_max: Characters of one log at most; of a longer one the beginning and the end are
            there. 0 is no limit.
        summary: Whether there is the sheet `Summary`, with a chart of the outcomes.
        devices: Whether there is the sheet `Devices`, with what is known of each.
        attempts: Whose attempts the sheet `Attempts` holds, a row each: those of jobs that were
            tried several times, of all, or nobody's.
        descriptions: Whether there is the sheet `Descriptions`, with what each job is about.
        parts: Whether there are the sheets `Measurements` and `Subtests`, a row each, where there
            are any.
        test_plan: Whether there is nothing but the plan, as `holdall.testplan` has it.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=0)] = 1 << 16
    summary: bool = True
    devices: bool = True
    attempts: Literal["none", "several", "all"] = "several"
    descriptions: bool = True
    parts: bool = True
    test_plan: bool = False


class XlsxExporter:
    """Up to nine sheets; the one of results has a row per job, all devices together."""

    summary: ClassVar[str] = "workbook for Excel and LibreOffice"
    suffix: ClassVar[str] = ".xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the sheets to a temporary file, and that with fixed dates to *sink*."""
        path = context.temporary_folder / "book.xlsx"
        view = view.with_catalog(load_catalog(context.lang, "holdall_exporters"))
        if context.options.test_plan:
            with saved_to(path, "holdall.xlsx", context) as book:
                descriptions = context.options.descriptions
                write_plan(book, view, context, descriptions=descriptions)
            rezip(path, sink, context.now)
            return
        with saved_to(path, "holdall.xlsx", context) as book:
            _write_sheets(book, view, context)
        rezip(path, sink, context.now, chart=description_of(view.tallies, view.catalog))

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Check every sheet's sum, and that the sheets can be listed."""
        verify_book(report)


def _write_sheets(book: Book, view: SessionView, context: ExportContext) -> None:
    options: Options = context.options
    if options.summary:
        _write_summary(book, view, context)
    _write_results(book, view, context)
    title = view.catalog.pgettext("sheet", "Failures")
    failures = Sheet(book, view.catalog, title, _RESULTS, context.count)
    if options.devices:
        _write_devices(book, view, context)
    if options.attempts != "none":
        _write_attempts(book, view, context)
    if options.descriptions:
        _write_descriptions(book, view, context)
    if options.parts:
        write_parts(book, view, context)
    _write_failures(failures, view, _write_logs(book, view, context))


def _write_summary(book: Book, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Summary")
    sheet = Sheet(book, view.catalog, title, _SUMMARY, context.count)
    session_verdict, _ = verdict(view), view.catalog.gettext
    sheet.add([sheet.text(view.title, font=TITLE)])
    sheet.add([])
    word = sheet.text(
        session_verdict.word, font=BOLD, fill=_fill(_VERDICTS[session_verdict.passed])
    )
    sheet.add([sheet.text(_("Verdict"), font=BOLD), word])
    rows: list[tuple[str, str | float]] = [
        *(("", reason.headline_in(view.catalog)) for reason in session_verdict.reasons),
        (_("Session"), view.session_id),
        *((_("Test plan"), plan.name or plan.id) for plan in view.plans),
        *((_("Device"), device.id) for device in view.devices),
        (_("Jobs"), view.job_count),
        *([(_("Flaky"), view.flaky_count)] if view.flaky_count else []),
        (_("Duration (s)"), view.duration),
    ]
    for name, value in rows:
        sheet.add([sheet.text(name, font=BOLD), sheet.value(value)])
    for name, when in ((_("Created (UTC)"), view.created), (_("Last event (UTC)"), view.modified)):
        sheet.add([sheet.text(name, font=BOLD), sheet.moment(when, alignment=LEFT)])
    _add_links(sheet, view.catalog)
    tallies = view.tallies
    for tally in tallies:
        label = sheet.text(tally.label, font=BOLD, fill=_fill(tally.outcome))
        sheet.add([label, sheet.value(tally.number)])
    sheet.show(tallies)
    if view.unsaved:
        label = sheet.text(_("Events not stored yet"), font=BOLD)
        sheet.add([label, sheet.value(view.unsaved)])
    maker = _("{name} of {provenance}").format(name="holdall.xlsx", provenance=context.provenance)
    sheet.add([sheet.text(_("Made by"), font=BOLD), sheet.value(maker)])
    sheet.finish()


def _add_links(sheet: Sheet, catalog: Catalog) -> None:
    """Add a row for each sheet that people go on to."""
    pgettext = catalog.pgettext
    for name in (
        pgettext("sheet", "Results"),
        pgettext("sheet", "Failures"),
        pgettext("sheet", "Logs"),
    ):
        sheet.add([None, sheet.link(name, f"'{name}'!A1", column=1)])


def _write_results(book: Book, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Results")
    sheet = Sheet(book, view.catalog, title, _RESULTS, context.count)
    for number, job in enumerate(view.jobs()):
        sheet.add(_result(sheet, job))
        if not context.options.parts:
            count_parts_left_out(job, context)
        if number % 100 == 0:
            context.progress(number, view.job_count)
    sheet.finish()


def _write_failures(sheet: Sheet, view: SessionView, places: Mapping[int, str]) -> None:
    for number, job in enumerate(view.jobs()):
        if job.went_wrong:
            sheet.add(_result(sheet, job, log=places.get(number)))
    sheet.finish()


def _result(sheet: Sheet, job: JobView, log: str | None = None) -> list[Cell | None]:
    """Return the row of a job, in which *log* is where a sheet has its output."""
    words = [
        sheet.lines((strip_escapes(text),), column=column) if text else None
        for column, text in ((-2, job.skip_reason), (-1, job.comments))
    ]
    # Behind them: how high a row is decides how the other cells stand.
    return [
        sheet.beside(job.device_id),
        sheet.beside(job.category),
        sheet.beside(job.id) if log is None else sheet.link(job.id, log, column=2),
        sheet.beside(job.summary),
        sheet.beside(job.label, fill=_fill(None if job.in_flight else job.counts_as)),
        sheet.number(job.duration, number_format=SECONDS),
        sheet.number(job.return_code),
        sheet.number(job.attempt_count),
        sheet.beside(job.certification_status),
        *words,
    ]


def _fill(outcome: Outcome | None) -> PatternFill:
    """Return the colour behind an outcome; None stands for a job in flight."""
    return _PATTERNS[_FILLS.get(outcome or Outcome.NONE, _OTHER_FILL)]


def _write_devices(book: Book, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Devices")
    sheet = Sheet(book, view.catalog, title, _DEVICES, context.count)
    for device in view.devices:
        described = view.catalog.gettext("description"), device.description
        for name, value in (described, *device.facts.items()):
            sheet.add([sheet.text(device.id), sheet.text(name), sheet.text(value)])
    for provider in view.providers:
        label = view.catalog.gettext("provider {name}").format(name=provider.name)
        sheet.add(map(sheet.text, (provider.device, label, provider.version)))
    sheet.finish()


def _write_attempts(book: Book, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Attempts")
    sheet = Sheet(book, view.catalog, title, _ATTEMPTS, context.count)
    total = view.job_count
    fewest = 1 if context.options.attempts == "all" else 2
    for index, job in enumerate(view.jobs()):
        if job.attempt_count < fewest:
            continue
        for number, attempt in enumerate(job.attempts, start=1):
            sheet.add(
                [
                    sheet.text(job.device_id),
                    sheet.text(job.id),
                    sheet.number(number),
                    sheet.text(attempt.label),
                    sheet.moment(attempt.started_at),
                    sheet.number(attempt.duration, number_format=SECONDS),
                    sheet.number(attempt.return_code),
                    sheet.number(attempt.io_log_size),
                    sheet.text(strip_escapes(attempt.skip_reason)),
                    sheet.text(strip_escapes(attempt.comments)),
                ]
            )
        if index % 100 == 0:
            context.progress(index, total)
    sheet.finish()


def _write_descriptions(book: Book, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Descriptions")
    sheet = Sheet(book, view.catalog, title, _DESCRIPTIONS, context.count)
    for job in view.jobs():
        if job.description:
            cell = sheet.lines((strip_escapes(job.description),))
            sheet.add([sheet.beside(job.device_id), sheet.beside(job.id), cell])
    sheet.finish()


def _write_logs(book: Book, view: SessionView, context: ExportContext) -> dict[int, str]:
    """Write the logs, and return where those of the first jobs are, by the jobs' places."""
    title = view.catalog.pgettext("sheet", "Logs")
    sheet = Sheet(book, view.catalog, title, _LOGS, context.count)
    width = _LOGS[-1][1]
    places: dict[int, str] = {}
    for number, job in enumerate(view.jobs()):
        if wants_log(context.options.logs, job):
            if len(places) < _MOST_LINKS:
                places[number] = sheet.next_place
            for part, text in enumerate(
                rows_of(_log(job, context, view.catalog), width=width), start=1
            ):
                cell = sheet.lines((text,))
                about = map(sheet.beside, (job.device_id, job.id, job.label))
                sheet.add([*about, sheet.number(part), cell])
    sheet.finish()
    return places


def _log(job: JobView, context: ExportContext, catalog: Catalog) -> Iterable[str]:
    """Return the text of a log, the middle of a long one being left out visibly."""
    text, most = log_text(job.io_log()), context.options.log_max
    dropped = dropped_mark(job.last.io_log_dropped, catalog)
    if not most:
        return chain(text, (dropped,))
    beginning, left_out, end = cut_text(text, most)
    if not left_out:
        return beginning, dropped
    context.count(LOGS_CUT)
    return beginning, text_mark(left_out, catalog), end, dropped


_MOST_LINKS: Final = 1000  # a link is kept in memory until its sheet ends
_VERDICTS: Final = {True: Outcome.PASS, False: Outcome.FAIL}
_PATTERNS: Final = {
    colour: PatternFill("solid", start_color=colour) for colour in (*_FILLS.values(), _OTHER_FILL)
}


if TYPE_CHECKING:
    _: type[Exporter] = XlsxExporter
