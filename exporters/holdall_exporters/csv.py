"""CSV, a row for each job, for spreadsheets and everything else that takes tables.

Rows are those of RFC 4180: commas, quotes doubled, CR LF. A spreadsheet takes a cell that begins
with `=`, `+`, `-` or `@` for a formula, also where it splits rows at other signs than
commas; with `safe` such a text gets an apostrophe before it, which spreadsheets know.
"""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, Literal

from holdall.writing import count_parts_left_out, iso_milliseconds, terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import JobView, SessionView

COLUMNS: Final = (
    *("device", "id", "summary", "category", "plugin", "certification_status", "outcome"),
    *("counts_as", "in_flight", "flaky", "attempts", "started", "duration", "return_code"),
    *("reason", "comments", "output_bytes", "files"),
)
PLAN_COLUMNS: Final = (
    *("device", "id", "summary", "category", "plugin", "certification_status"),
    *("estimated_duration", "origin", "template_id", "description"),
)
_DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}
# What makes a cell a formula, in East Asia too. Whoever splits rows at other signs than we do sees
# several cells in a text, so what stands behind such a sign must be none either.
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_STARTS: Final = frozenset('"=+-@\uff1d\uff0b\uff0d\uff20')
_FIRST: Final = re.compile(f'"*[{_SIGNS}]')
_INSIDE: Final = re.compile(f'[,;\t\n](?="*[{_SIGNS}])')
_ROWS: Final = 500  # that are written at a time


@dataclass(frozen=True)
class Options:
    """Options of the table.

    Attributes:
        safe: Whether a text that a spreadsheet would take for a formula gets an apostrophe before
            it.
        delimiter: What stands between cells; spreadsheets of some countries want a semicolon.
        bom: Whether to begin with a byte order mark, by which Excel knows UTF-8.
        test_plan: Whether to write the test plan alone: what jobs there are, without results.
    """

    safe: bool = True
    delimiter: Literal["comma", "semicolon", "tab"] = "comma"
    bom: bool = False
    test_plan: bool = False


class CsvExporter:
    """A heading, and a row for each job in the order of the run list."""

    summary: ClassVar[str] = "CSV, a row for each job"
    suffix: ClassVar[str] = ".csv"
    media_type: ClassVar[str] = "text/csv; charset=utf-8; header=present"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the rows."""
        options: Options = context.options
        rows = _Rows()
        write = csv.writer(
            rows, delimiter=_DELIMITERS[options.delimiter], lineterminator="\r\n"
        ).writerow
        if options.bom:
            sink.write(codecs.BOM_UTF8)
        write(PLAN_COLUMNS if options.test_plan else COLUMNS)
        total = view.job_count
        text = _safe if options.safe else _plain
        repeated = lru_cache(maxsize=1000)(text)
        for number, job in enumerate(view.jobs()):
            if options.test_plan:
                write(_plan_row(job, text, repeated))
            else:
                write(_row(job, text, repeated))
                count_parts_left_out(job, context)
            if number % _ROWS == 0:
                sink.write(rows.taken())
                context.progress(number, total)
        sink.write(rows.taken())

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read every row, and see that it is whole."""
        text = report.read().decode("utf-8-sig")
        if not text.endswith("\r\n"):
            raise ValueError("it ends within a row")
        rows = _rows_of(text, delimiter=text[len(COLUMNS[0])])
        columns = next(rows)
        if tuple(columns) not in {COLUMNS, PLAN_COLUMNS}:
            raise ValueError("its first row has other names of columns")
        for number, row in enumerate(rows, start=2):
            if len(row) != len(columns):
                raise ValueError(f"row {number} has {len(row)} cells and not {len(columns)}")


def _rows_of(text: str, *, delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each row; `csv` reads none that is longer than a limit of the program."""
    cell = re.compile(f'("(?:[^"]|"")*+"|[^"\r\n{delimiter}]*+)({delimiter}|\r\n)')
    row: list[str] = []
    place = 0
    while place < len(text):
        match = cell.match(text, place)
        if match is None:
            raise ValueError(f"a cell is not as a table has it: {text[place : place + 40]!r}")
        row.append(match[1])
        place = match.end()
        if match[2] == "\r\n":
            yield row
            row = []


class _Rows:
    """What `csv` writes to, a row at a time."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        self.write: Final = self._rows.append

    def taken(self) -> bytes:
        """Return the rows that are waiting, and wait for others."""
        data = "".join(self._rows).encode()
        self._rows.clear()
        return data


def _row(
    job: JobView, text: Callable[[str], str], repeated: Callable[[str], str]
) -> tuple[object, ...]:
    """Return the cells of a job; *repeated* remembers texts that many jobs have."""
    result = job.last.result
    outcome, attempts = job.outcome, job.attempt_count
    started, duration = result.started_at, result.execution_duration
    return (
        repeated(job.device_id),
        text(job.id),
        text(job.summary),
        repeated(job.category),
        repeated(job.plugin),
        repeated(job.certification_status),
        outcome,
        job.counts_as if job.xfail else outcome,
        "true" if job.in_flight else "false",
        "true" if attempts > 1 and job.is_flaky else "false",
        attempts,
        "" if started is None else iso_milliseconds(started),
        "" if duration is None else round(duration, 6),
        result.return_code,
        text(result.skip_reason) if result.skip_reason else "",
        text(result.comments) if result.comments else "",
        result.io_log_size,
        len(result.attachments),
    )


def _plan_row(
    job: JobView, text: Callable[[str], str], repeated: Callable[[str], str]
) -> tuple[object, ...]:
    """Return the cells of a job that say what it is, and nothing of what came of it."""
    expected = job.estimated_duration
    return (
        repeated(job.device_id),
        text(job.id),
        text(job.summary),
        repeated(job.category),
        repeated(job.plugin),
        repeated(job.certification_status),
        "" if expected is None else round(expected, 6),
        text(job.origin),
        repeated(job.template_id),
        text(job.description),
    )


def _plain(text: str) -> str:
    return text if text.isprintable() else terminal_text(text)


def _safe(text: str) -> str:
    """Return *text* with an apostrophe before what a spreadsheet would take for a formula."""
    shown = text if text.isprintable() else terminal_text(text)
    if shown[:1] in _STARTS and _FIRST.match(shown):
        shown = f"'{shown}"
    return _INSIDE.sub(r"\g<0>'", shown) if _INSIDE.search(shown) else shown


if TYPE_CHECKING:
    _: type[Exporter] = CsvExporter
