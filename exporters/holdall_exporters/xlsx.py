"""A workbook for Excel and LibreOffice: summary, results, failures, devices, logs.

The sheets of data are plain rectangles under one header, so that pandas and
others read them as they are. Text is text by the type of its cell and never
a formula. The same session gives the same bytes.
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, Literal, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from holdall.exports.cleaning import CELL_LENGTH, cell_text
from holdall.exports.escapes import strip_escapes
from holdall.exports.logs import head_of, log_text, wants_log
from holdall.exports.moments import moment, readable
from holdall.exports.verdict import verdict
from holdall.languages import N_, Words, catalog, grouped
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.job import JobView
    from holdall.exports.logs import LogChoice
    from holdall.exports.view import SessionView

LAST_ROW: Final = 1_048_576
"""Rows that a sheet holds; what is more goes on in a sheet of the same name with a number."""

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
_SUMMARY: Final = ((None, 22), (None, 80))

_FILLS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "E3F4E8",
    Outcome.FAIL: "FCE8E6",
    Outcome.CRASH: "FDEADB",
    Outcome.UNDECIDED: "E4EFFB",
    Outcome.NONE: "E4EFFB",
}
_OTHER_FILL: Final = "ECEFF2"

_CORE: Final = "docProps/core.xml"
_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(<)")
_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
_LAST_DATE: Final = (2107, 12, 31, 23, 59, 58)


@dataclass(frozen=True)
class Options:
    """What the workbook holds.

    Attributes:
        logs: Whose output the sheet `Logs` holds: nobody's, that of failed jobs, all.
        summary: Whether there is the sheet `Summary`.
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
        view = view.with_words(catalog(context.lang, "holdall_exporters"))
        with _saved_to(path) as book:
            book.properties.creator = f"holdall.xlsx of {context.provenance}"
            book.properties.created = context.now.replace(tzinfo=None)
            options: Options = context.options
            if options.summary:
                _write_summary(book, view, context)
            _write_results(book, view, context)
            _write_failures(book, view)
            if options.devices:
                _write_devices(book, view)
            if options.attempts != "none":
                _write_attempts(book, view, context)
            if options.descriptions:
                _write_descriptions(book, view)
            _write_logs(book, view, options.logs)
        _rezip(path, sink, context.now)

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
        book.save(path)
    except BaseException:
        for sheet in book.worksheets:
            with suppress(Exception):
                cast("WriteOnlyWorksheet", sheet).close()
        raise


class _Sheet:
    """A sheet under a header row, which goes on in another when it is full."""

    def __init__(
        self, book: Workbook, words: Words, name: str, columns: Sequence[tuple[str | None, int]]
    ) -> None:
        self._book = book
        self._words = words
        self._name = name
        self._columns = columns
        self._number = 0
        self._rows = 0
        self._heads = [words.gettext(head) for head, _width in columns if head]
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        name = self._name if self._number == 1 else f"{self._name} {self._number}"
        self._sheet: WriteOnlyWorksheet = self._book.create_sheet(name)
        for number, (_head, width) in enumerate(self._columns, start=1):
            self._sheet.column_dimensions[get_column_letter(number)].width = width
        self._rows = 0
        if self._heads:
            self._sheet.freeze_panes = "A2"
            self.add([self.text(head, font=_BOLD) for head in self._heads])

    def text(self, text: str, *, font: Font | None = None, fill: PatternFill | None = None) -> Any:
        """Return *text* as a cell that is no formula and no error, whatever it looks like."""
        value = cell_text(text, self._words)
        if not value:
            return None
        if font is None and fill is None and value[0] not in "=#":
            return value  # which openpyxl takes for text, and writes sooner than a cell
        cell = WriteOnlyCell(self._sheet, value=value)
        cell.data_type = "s"
        if font is not None:
            cell.font = font
        if fill is not None:
            cell.fill = fill
        return cell

    def words(self, text: str) -> Any:
        """Return text of several lines as a cell that shows them."""
        value = cell_text(text, self._words)
        if not value:
            return None
        cell = WriteOnlyCell(self._sheet, value=value)
        cell.data_type = "s"
        cell.alignment = _WRAPPED
        return cell

    def add(self, row: Iterable[Any]) -> None:
        """Append a row."""
        if self._rows == LAST_ROW:
            self.finish()
            self._begin()
        self._sheet.append(row)
        self._rows += 1

    def finish(self) -> None:
        """Let the header filter the rows below it."""
        if self._heads:
            last = get_column_letter(len(self._columns))
            self._sheet.auto_filter.ref = f"A1:{last}{self._rows}"  # type: ignore[attr-defined]  # the stubs forget it


def _write_summary(book: Workbook, view: SessionView, context: ExportContext) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Summary"), _SUMMARY)
    found, _ = verdict(view), view.words.gettext
    sheet.add([sheet.text(view.title, font=_TITLE)])
    sheet.add([])
    rows: list[tuple[str, Any]] = [
        (_("Verdict"), found.word),
        *(("", sheet.text(reason.told_in(view.words))) for reason in found.reasons),
        (_("Session"), sheet.text(view.session_id)),
        (_("Created"), readable(moment(view.created))),
        (_("Last event"), readable(moment(view.modified))),
        *((_("Test plan"), sheet.text(plan.name or plan.id)) for plan in view.plans),
        *((_("Device"), sheet.text(device.id)) for device in view.devices),
        (_("Jobs"), view.job_count),
        (_("Duration (s)"), view.duration),
    ]
    rows += [(each.label, each.number) for each in view.tallies]
    if view.unsaved:
        rows.append((_("Events not stored yet"), view.unsaved))
    made_by = {"name": "holdall.xlsx", "provenance": context.provenance}
    rows.append((_("Made by"), _("{name} of {provenance}").format(**made_by)))
    for name, value in rows:
        sheet.add([sheet.text(name, font=_BOLD), value])
    sheet.finish()


def _write_results(book: Workbook, view: SessionView, context: ExportContext) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Results"), _RESULTS)
    for number, job in enumerate(view.jobs()):
        sheet.add(_result(sheet, job))
        if number % 100 == 0:
            context.progress(number, view.job_count)
    sheet.finish()


def _write_failures(book: Workbook, view: SessionView) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Failures"), _RESULTS)
    for job in view.jobs():
        if job.outcome.failed or job.in_flight:
            sheet.add(_result(sheet, job))
    sheet.finish()


def _result(sheet: _Sheet, job: JobView) -> Iterator[Any]:
    yield sheet.text(job.device_id)
    yield sheet.text(job.category)
    yield sheet.text(job.id)
    yield sheet.text(job.summary)
    yield sheet.text(job.label, fill=_fill(job))
    yield job.duration
    yield job.return_code
    yield job.attempt_count
    yield sheet.text(job.certification_status)
    yield sheet.text(strip_escapes(job.skip_reason))
    yield sheet.text(strip_escapes(job.comments))


def _fill(job: JobView) -> PatternFill:
    outcome = Outcome.NONE if job.in_flight else job.outcome
    return _PATTERNS[_FILLS.get(outcome, _OTHER_FILL)]


def _write_devices(book: Workbook, view: SessionView) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Devices"), _DEVICES)
    for device in view.devices:
        facts = {view.words.gettext("description"): device.description, **device.facts}
        for name, value in facts.items():
            sheet.add([sheet.text(device.id), sheet.text(name), sheet.text(value)])
    for provider in view.providers:
        name = sheet.text(view.words.gettext("provider {name}").format(name=provider.name))
        sheet.add([sheet.text(provider.device), name, sheet.text(provider.version)])
    sheet.finish()


def _write_attempts(book: Workbook, view: SessionView, context: ExportContext) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Attempts"), _ATTEMPTS)
    total = view.job_count
    fewest = 1 if context.options.attempts == "all" else 2
    for place, job in enumerate(view.jobs()):
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
        if place % 100 == 0:
            context.progress(place, total)
    sheet.finish()


def _write_descriptions(book: Workbook, view: SessionView) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Descriptions"), _DESCRIPTIONS)
    for job in view.jobs():
        if job.description:
            words = sheet.words(strip_escapes(job.description))
            sheet.add([sheet.text(job.device_id), sheet.text(job.id), words])
    sheet.finish()


def _write_logs(book: Workbook, view: SessionView, logs: LogChoice) -> None:
    sheet = _Sheet(book, view.words, view.words.pgettext("sheet", "Logs"), _LOGS)
    for job in view.jobs():
        if wants_log(logs, job):
            text, more = head_of(log_text(job.io_log()), limit=2 * CELL_LENGTH)
            row = (job.device_id, job.id, job.label)
            sheet.add([*map(sheet.text, row), sheet.words(text + _cut(more, view.words))])
    sheet.finish()


def _cut(more: int, words: Words) -> str:
    mark = words.ngettext("[... {count} character more]", "[... {count} characters more]", more)
    return f"\n{mark.format(count=grouped(more, words))}" if more else ""


def _rezip(path: Path, sink: Sink, now: datetime) -> None:
    """Write the workbook at *path* to *sink* with the same order, dates and modes every time."""
    stamp = f"{now:%Y-%m-%dT%H:%M:%S}Z".encode()
    date = min(max(_FIRST_DATE, now.timetuple()[:6]), _LAST_DATE)
    stream = cast("BinaryIO", _Stream(sink))
    with ZipFile(path) as source, ZipFile(stream, "w", ZIP_DEFLATED) as target:
        for name in sorted(
            source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)
        ):
            entry = ZipInfo(name, date)
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            entry.file_size = source.getinfo(name).file_size
            with source.open(name) as old, target.open(entry, "w") as new:
                if name == _CORE:
                    new.write(_MODIFIED.sub(rb"\g<1>%b\2" % stamp, old.read()))
                else:
                    shutil.copyfileobj(old, new)


class _Stream:
    """A sink as `ZipFile` wants it; without `tell` it takes it for one that can't go back."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: the pipeline flushes."""


_BOLD: Final = Font(bold=True)
_TITLE: Final = Font(bold=True, size=16)
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_PATTERNS: Final = {
    colour: PatternFill("solid", start_color=colour) for colour in (*_FILLS.values(), _OTHER_FILL)
}


if TYPE_CHECKING:
    _: type[Exporter] = XlsxExporter
