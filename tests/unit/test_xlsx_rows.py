"""The rows of a workbook are byte for byte what openpyxl writes of the same cells."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import LXML, Workbook
from openpyxl.cell import WriteOnlyCell

from holdall.testing.sessions import HOSTILE
from holdall.writing import cell_text
from holdall_exporters.xlsx.rows import number_cell, row_of, text_cell
from holdall_exporters.xlsx.style import BOLD, DATE, SECONDS, TOP, Style

STYLES: list[dict[str, Any]] = [
    {},
    {"font": BOLD},
    {"number_format": SECONDS},
    {"font": BOLD, "alignment": TOP},
]


def book_of_openpyxl(values: list[Any], style: dict[str, Any], *, height: int) -> bytes:
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet()
    cells = []
    for value in values:
        cell: Any = WriteOnlyCell(sheet, value)
        if isinstance(value, str):
            cell.data_type = "s"
        for name, part in style.items():
            setattr(cell, name, part)
        cells.append(None if value is None else cell)
    if height:
        sheet.row_dimensions[1].height = height
    sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    with ZipFile(stream) as archive:
        found = re.search(b"<row.*</row>", archive.read("xl/worksheets/sheet1.xml"), re.DOTALL)
    assert found is not None
    return found[0]


def our_row(values: list[Any], style: dict[str, Any], *, lines: int) -> bytes:
    sheet: Any = Workbook(write_only=True).create_sheet()
    ours = Style(sheet, style)
    kinds = [text_cell if isinstance(value, str) else number_cell for value in values]
    cells = [
        None if value is None else kind(value, ours)
        for kind, value in zip(kinds, values, strict=True)
    ]
    return row_of(1, "ABCDEFGHIJ", cells, lines)


@pytest.mark.skipif(not LXML, reason="openpyxl writes other bytes without lxml")
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "values",
    [
        pytest.param([cell_text(text) for text in HOSTILE.values()], id="hostile"),
        pytest.param(["=1+1", "#N/A", "<&>\"'", "größer 🙂", "]]>"], id="marks"),
        pytest.param([" a", "a\n", "a\tb\n\nc", "\u00a0a"], id="blanks"),
        pytest.param([0, -11, 1.125, 1 / 3, 1e300, 10**15, float("nan")], id="numbers"),
        pytest.param([None, "b", None, 4, None], id="gaps"),
        pytest.param([], id="none"),
    ],
)
def test_a_row_is_that_of_openpyxl(values: list[Any], style: dict[str, Any]) -> None:
    for start in range(0, max(len(values), 1), 10):
        part = values[start : start + 10]
        assert our_row(part, style, lines=1) == book_of_openpyxl(part, style, height=0)


@pytest.mark.skipif(not LXML, reason="openpyxl writes other bytes without lxml")
def test_a_moment_is_that_of_openpyxl() -> None:
    values = [datetime(2026, 1, 1, 0, 16, 39), datetime(1970, 1, 1)]  # noqa: DTZ001 - a cell has no zone
    style = {"number_format": DATE}

    assert our_row(values, style, lines=1) == book_of_openpyxl(values, style, height=0)


@pytest.mark.skipif(not LXML, reason="openpyxl writes other bytes without lxml")
def test_a_high_row_is_that_of_openpyxl() -> None:
    assert our_row(["a\nb"], {}, lines=2) == book_of_openpyxl(["a\nb"], {}, height=30)
