"""A workbook for Excel and LibreOffice: summary, results, failures, devices, logs.

The sheets of data are plain rectangles under one header, so that pandas and
others read them as they are. Text is text by the type of its cell and never
a formula. The same session gives the same bytes.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, Literal, cast
from zipfile import ZIP_STORED, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import PatternFill
from openpyxl.writer.excel import ExcelWriter

from holdall.languages import N_, load_catalog
from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import (
    count_parts_left_out,
    log_text,
    moment,
    readable,
    strip_escapes,
    wants_log,
)
from holdall_exporters.xlsx.archive import rezip
from holdall_exporters.xlsx.chart import description_of
from holdall_exporters.xlsx.sheet import BOLD, TITLE, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import JobView, SessionView

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
_LOGS: Final = ((N_("Device"), 14), (N_("Job"), 44), (N_("Outcome"), 27), (N_("Output"), 120))
_ATTEMPTS: Final = (
    (N_("Device"), 14),
    (N_("Job"), 44),
    (N_("Attempt"), 9),
    (N_("Outcome"), 27),
    (N_("Started"), 24),
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
        summary: Whether there is the sheet `Summary`, with a chart of the outcomes.
        devices: Whether there is the sheet `Devices`, with what is known of each.
        attempts: Whose attempts the sheet `Attempts` holds, a row each: those of jobs that were
            tried several times, of all, or nobody's.
        descriptions: Whether there is the sheet `Descriptions`, with what each job is about.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    summary: bool = True
    devices: bool = True
    attempts: Literal["none", "several", "all"] = "several"
    descriptions: bool = True


class XlsxExporter:
    """Up to seven sheets; the one of results has a row per job, all devices together."""

    summary: ClassVar[str] = "workbook for Excel and LibreOffice"
    suffix: ClassVar[str] = ".xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the sheets to a temporary file, and that with fixed dates to *sink*."""
        path = context.temporary_folder / "book.xlsx"
        view = view.with_catalog(load_catalog(context.lang, "holdall_exporters"))
        with _saved_to(path) as book:
            book.properties.creator = f"holdall.xlsx of {context.provenance}"
            book.properties.created = book.properties.modified = context.now.replace(tzinfo=None)
            options: Options = context.options
            if options.summary:
                _write_summary(book, view, context)
            _write_results(book, view, context)
            _write_failures(book, view, context)
            if options.devices:
                _write_devices(book, view, context)
            if options.attempts != "none":
                _write_attempts(book, view, context)
            if options.descriptions:
                _write_descriptions(book, view, context)
            _write_logs(book, view, context)
        rezip(path, sink, context.now, chart=description_of(view.tallies, view.catalog))

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Check every sheet's sum, and that the sheets can be listed."""
        with ZipFile(report) as book:
            damaged = book.testzip()
            if damaged is not None:
                raise ValueError(f"{damaged!r} is damaged")
        load_workbook(report, read_only=True).close()


@contextmanager
def _saved_to(path: Path) -> Iterator[Workbook]:
    """Give a workbook that is saved at the end; one that fails is closed without complaint."""
    book = Workbook(write_only=True)
    try:
        yield book
        # `book.save` would pack what is packed again, and put in the moment of the clock.
        ExcelWriter(book, ZipFile(path, "w", ZIP_STORED)).save()
    except BaseException:
        for sheet in book.worksheets:
            with suppress(Exception):
                cast("WriteOnlyWorksheet", sheet).close()
        raise


def _write_summary(book: Workbook, view: SessionView, context: ExportContext) -> None:
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
        *(("", reason.text_in(view.catalog)) for reason in session_verdict.reasons),
        (_("Session"), view.session_id),
        (_("Created"), readable(moment(view.created))),
        (_("Last event"), readable(moment(view.modified))),
        *((_("Test plan"), plan.name or plan.id) for plan in view.plans),
        *((_("Device"), device.id) for device in view.devices),
        (_("Jobs"), view.job_count),
        (_("Duration (s)"), view.duration),
    ]
    for name, value in rows:
        sheet.add([sheet.text(name, font=BOLD), sheet.value(value)])
    tallies = view.tallies
    for tally in tallies:
        label = sheet.text(tally.label, font=BOLD, fill=_fill(tally.outcome))
        sheet.add([label, sheet.value(tally.number)])
    sheet.show(tallies)
    if view.unsaved:
        name = sheet.text(_("Events not stored yet"), font=BOLD)
        sheet.add([name, sheet.value(view.unsaved)])
    maker = _("{name} of {provenance}").format(name="holdall.xlsx", provenance=context.provenance)
    sheet.add([sheet.text(_("Made by"), font=BOLD), sheet.value(maker)])
    sheet.finish()


def _write_results(book: Workbook, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Results")
    sheet = Sheet(book, view.catalog, title, _RESULTS, context.count)
    for number, job in enumerate(view.jobs()):
        sheet.add(_result(sheet, job))
        count_parts_left_out(job, context)
        if number % 100 == 0:
            context.progress(number, view.job_count)
    sheet.finish()


def _write_failures(book: Workbook, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Failures")
    sheet = Sheet(book, view.catalog, title, _RESULTS, context.count)
    for job in view.jobs():
        if job.went_wrong:
            sheet.add(_result(sheet, job))
    sheet.finish()


def _result(sheet: Sheet, job: JobView) -> Iterator[Any]:
    yield sheet.text(job.device_id)
    yield sheet.text(job.category)
    yield sheet.text(job.id)
    yield sheet.text(job.summary)
    yield sheet.text(job.label, fill=_fill(None if job.in_flight else job.counts_as))
    yield job.duration
    yield job.return_code
    yield job.attempt_count
    yield sheet.text(job.certification_status)
    yield sheet.text(strip_escapes(job.skip_reason))
    yield sheet.text(strip_escapes(job.comments))


def _fill(outcome: Outcome | None) -> PatternFill:
    """Return the colour behind an outcome; None stands for a job in flight."""
    return _PATTERNS[_FILLS.get(outcome or Outcome.NONE, _OTHER_FILL)]


def _write_devices(book: Workbook, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Devices")
    sheet = Sheet(book, view.catalog, title, _DEVICES, context.count)
    for device in view.devices:
        facts = {view.catalog.gettext("description"): device.description, **device.facts}
        for name, value in facts.items():
            sheet.add([sheet.text(device.id), sheet.text(name), sheet.text(value)])
    for provider in view.providers:
        name = sheet.text(view.catalog.gettext("provider {name}").format(name=provider.name))
        sheet.add([sheet.text(provider.device), name, sheet.text(provider.version)])
    sheet.finish()


def _write_attempts(book: Workbook, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Attempts")
    sheet = Sheet(book, view.catalog, title, _ATTEMPTS, context.count)
    total = view.job_count
    fewest = 1 if context.options.attempts == "all" else 2
    for index, job in enumerate(view.jobs()):
        if job.attempt_count < fewest:
            continue
        for number, attempt in enumerate(job.attempts, start=1):
            started = attempt.started_at
            sheet.add(
                [
                    sheet.text(job.device_id),
                    sheet.text(job.id),
                    number,
                    sheet.text(attempt.label),
                    None if started is None else readable(moment(started)),
                    attempt.duration,
                    attempt.return_code,
                    attempt.io_log_size,
                    sheet.text(strip_escapes(attempt.skip_reason)),
                    sheet.text(strip_escapes(attempt.comments)),
                ]
            )
        if index % 100 == 0:
            context.progress(index, total)
    sheet.finish()


def _write_descriptions(book: Workbook, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Descriptions")
    sheet = Sheet(book, view.catalog, title, _DESCRIPTIONS, context.count)
    for job in view.jobs():
        if job.description:
            cell = sheet.lines((strip_escapes(job.description),))
            sheet.add([sheet.beside(job.device_id), sheet.beside(job.id), cell])
    sheet.finish()


def _write_logs(book: Workbook, view: SessionView, context: ExportContext) -> None:
    title = view.catalog.pgettext("sheet", "Logs")
    sheet = Sheet(book, view.catalog, title, _LOGS, context.count)
    for job in view.jobs():
        if wants_log(context.options.logs, job):
            cell = sheet.lines(log_text(job.io_log()))
            sheet.add([*map(sheet.beside, (job.device_id, job.id, job.label)), cell])
    sheet.finish()


_VERDICTS: Final = {True: Outcome.PASS, False: Outcome.FAIL}
_PATTERNS: Final = {
    colour: PatternFill("solid", start_color=colour) for colour in (*_FILLS.values(), _OTHER_FILL)
}


if TYPE_CHECKING:
    _: type[Exporter] = XlsxExporter
