"""The rows of a sheet as XML, which openpyxl would write by an object for each cell."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import escape

from openpyxl.utils.datetime import to_excel

from holdall.writing import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from holdall_exporters.xlsx.style import Style

_LINE_PT: Final = 15


class Cell(NamedTuple):
    """What a cell holds, wherever it stands."""

    style: Style
    content: str


def text_cell(text: str, style: Style) -> Cell:
    """Return *text*, of which `cell_text` left only what XML allows, as a cell."""
    space = "" if text == text.strip() else ' xml:space="preserve"'
    return Cell(style, f' t="inlineStr"><is><t{space}>{escape(text)}</t></is></c>')


def number_cell(value: float | datetime, style: Style) -> Cell:
    """Return a number, or a moment as the number of days that stands for it, as a cell."""
    number = value if isinstance(value, int | float) else to_excel(value)  # type: ignore[no-untyped-call]
    # All digits, where openpyxl writes sixteen; like it, a cell of none for what is no number.
    digits = number_text(number) if isfinite(number) else ""
    return Cell(style, f' t="n"><v>{digits}</v></c>')


def row_of(number: int, columns: Iterable[str], cells: Iterable[Cell | None], lines: int) -> bytes:
    """Return a row as high as *lines*, with *cells* below the letters of *columns*."""
    # LibreOffice does not make it high by itself.
    height = "" if lines == 1 else f' ht="{_LINE_PT * lines}" customHeight="1"'
    written = [
        f'<c r="{column}{number}"{cell.style.attribute}{cell.content}'
        for column, cell in zip(columns, cells, strict=False)
        if cell is not None
    ]
    row = f'<row r="{number}"{height}>{"".join(written)}</row>'
    return row.encode("ascii", "xmlcharrefreplace")
