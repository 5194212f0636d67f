"""The archive that a workbook is, with the same bytes every time.

openpyxl makes all of it but the rows: those of each sheet are in a file beside it until it is
packed.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, cast
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from openpyxl import Workbook, load_workbook
from openpyxl.writer.excel import ExcelWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from holdall.contracts import ExportContext, Sink

_DRAWING: Final = "xl/drawings/drawing1.xml"
_CHART: Final = b'name="Chart 1"'
_SHEETS: Final = "xl/worksheets/sheet"
_ROWS: Final = re.compile(rb"<sheetData ?/>|<sheetData>.*</sheetData>", re.DOTALL)
_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
_LAST_DATE: Final = (2107, 12, 31, 23, 59, 58)


@dataclass(frozen=True)
class Book:
    """A workbook of openpyxl, and the files in *folder* that the rows of its sheets are in."""

    workbook: Workbook
    folder: Path
    files: ExitStack

    def add_sheet(self, name: str) -> tuple[WriteOnlyWorksheet, BinaryIO]:
        """Return a new sheet, the last one, and the file for its rows."""
        sheet = cast("WriteOnlyWorksheet", self.workbook.create_sheet(name))
        path = self.folder / f"sheet{len(self.workbook.worksheets)}.xml"  # as openpyxl calls it
        return sheet, self.files.enter_context(path.open("wb"))


@contextmanager
def saved_to(path: Path, name: str, context: ExportContext) -> Iterator[Book]:
    """Give a workbook that is saved at the end; one that fails is closed without complaint.

    Args:
        name: Id of the exporter that makes it.
    """
    book = Workbook(write_only=True)
    book.properties.creator = f"{name} of {context.provenance}"
    book.properties.created = book.properties.modified = context.now.replace(tzinfo=None)
    try:
        with ExitStack() as files:
            yield Book(book, path.parent, files)
        # `book.save` would pack what is packed again, and put in the moment of the clock.
        ExcelWriter(book, ZipFile(path, "w", ZIP_STORED)).save()
    except BaseException as error:
        for sheet in book.worksheets:
            with suppress(Exception):
                cast("WriteOnlyWorksheet", sheet).close()
        # What the system said, such as IO_ENOSPC, which lxml has in an error of its own.
        code = getattr(errno, str(error).removeprefix("IO_"), None)
        if isinstance(code, int):
            raise OSError(code, os.strerror(code)) from error
        raise


def verify_book(report: BinaryIO) -> None:
    """Check every sheet's sum, and that the sheets can be listed."""
    with ZipFile(report) as book:
        damaged = book.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged!r} is damaged")
    load_workbook(report, read_only=True).close()


def rezip(path: Path, sink: Sink, now: datetime, *, chart: str = "") -> None:
    """Write the workbook at *path* to *sink* with the same order, dates and modes every time.

    The rows of each sheet come from the file of its name beside *path*.

    Args:
        chart: What its chart shows, in words; openpyxl has no place for them.
    """
    described = f"{_CHART.decode()} descr={quoteattr(chart)}".encode()
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
            content = source.read(name)
            if name == _DRAWING:
                content = content.replace(_CHART, described)
            if name.startswith(_SHEETS):
                _write_sheet(target, entry, content, path.with_name(PurePosixPath(name).name))
            else:
                target.writestr(entry, content)


def _write_sheet(target: ZipFile, entry: ZipInfo, content: bytes, rows: Path) -> None:
    """Write a sheet with what the file *rows* holds in the place of its own rows."""
    before, after = _ROWS.split(content, maxsplit=1)
    entry.file_size = len(content) + rows.stat().st_size  # more than 2 GiB want another head
    with target.open(entry, "w") as sheet, rows.open("rb") as file:
        sheet.write(before + b"<sheetData>")
        shutil.copyfileobj(file, sheet)
        sheet.write(b"</sheetData>" + after)


class _Stream:
    """A sink as `ZipFile` wants it; without `tell` it takes it for one that can't go back."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: the pipeline flushes."""
