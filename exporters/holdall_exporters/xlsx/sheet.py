"""A sheet of the workbook: rows under a header, cells of text that stay text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from holdall.writing import CELLS_CUT, cell_of, cell_text, moment
from holdall_exporters.xlsx.chart import outcome_chart
from holdall_exporters.xlsx.paper import lines_of, of_lines, printed_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from holdall.languages import Catalog
    from holdall.view import Tally

    _Style = Font | PatternFill | Alignment | str

LAST_ROW: Final = 1_048_576
"""Rows that a sheet holds; what is more goes on in a sheet of the same name with a number."""

_FAMILY: Final = "Calibri"  # that of the cells without a font of their own
_PLAIN: Final = Font(name=_FAMILY, size=11)
BOLD: Final = Font(name=_FAMILY, size=11, bold=True)
TITLE: Final = Font(name=_FAMILY, size=16, bold=True)
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_TOP: Final = Alignment(vertical="top")
LEFT: Final = Alignment(horizontal="left")
_LINK: Final = Font(name=_FAMILY, size=11, color="0563C1", underline="single")
_HEAD: Final = PatternFill("solid", start_color="D9DFE7")
_DATE: Final = "yyyy-mm-dd hh:mm:ss"
SECONDS: Final = "#,##0.000"
"""How durations are shown."""


class Sheet:
    """A sheet under a header row, which goes on in another when it is full."""

    def __init__(
        self,
        book: Workbook,
        catalog: Catalog,
        name: str,
        columns: Sequence[tuple[str | None, int]],
        count: Callable[[str], object],
    ) -> None:
        self._book = book
        self._catalog = catalog
        self._cut = partial(count, CELLS_CUT)
        self._name = name
        self._columns = columns
        self._number = 0
        self._rows = 0
        self._lines = 1
        self._heads = [catalog.gettext(head) for head, _width in columns if head]
        self._styles: dict[tuple[object, ...], tuple[Any, object]] = {}
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        name = self._called(self._number)
        self._sheet: WriteOnlyWorksheet = self._book.create_sheet(name)
        for number, (_head, width) in enumerate(self._columns, start=1):
            self._sheet.column_dimensions[get_column_letter(number)].width = width
        self._rows = 0
        printed_on(self._sheet, head=bool(self._heads))
        if self._heads:
            self._sheet.freeze_panes = "A2"
            self.add([self.text(head, font=BOLD, fill=_HEAD) for head in self._heads])

    def _called(self, number: int) -> str:
        return self._name if number == 1 else f"{self._name} {number}"

    def text(self, text: str, **style: _Style) -> Any:
        """Return *text* as a cell that is no formula and no error, whatever it looks like."""
        value = cell_text(text, self._catalog, cut=self._cut)
        if not value:
            return None
        if not any(style.values()) and value[0] not in "=#":
            return value  # which openpyxl takes for text, and writes sooner than a cell
        return self._cell(value, **style)

    def lines(self, pieces: Iterable[str], *, column: int = -1) -> Any:
        """Return text of several lines as a cell of a column, the last one, that shows them."""
        value = cell_of(pieces, self._catalog, cut=self._cut)
        if not value:
            return None
        self._lines = max(self._lines, lines_of(value, width=self._columns[column][1]))
        return self._cell(value, alignment=_WRAPPED)

    def number(self, value: float | None, shown: str) -> Any:
        """Return a number as the format *shown* shows it."""
        return None if value is None else self._cell(value, number_format=shown)

    def moment(self, value: float | None, **style: _Style) -> Any:
        """Return a moment, seconds since 1970, as a date that can be sorted and counted with."""
        if value is None:
            return None
        return self._cell(
            moment(value).replace(microsecond=0, tzinfo=None), number_format=_DATE, **style
        )

    def link(self, text: str, place: str) -> Any:
        """Return *text* as a cell that leads to *place*, such as `'Logs'!A2`."""
        self._turn_if_full()  # openpyxl keeps a link with the sheet its cell was made for
        cell = self._cell(cell_text(text, self._catalog, cut=self._cut), font=_LINK)
        cell.hyperlink = Hyperlink(ref="", location=place)
        return cell

    def _cell(self, value: str | float | datetime, **style: _Style) -> Any:
        """Return a cell of a style; the parts of one are looked up for its first cell alone."""
        cell: Any = WriteOnlyCell(self._sheet, value=value)
        if isinstance(value, str):
            cell.data_type = "s"
        key = (*style, *map(id, style.values()))
        if key not in self._styles:
            for name, part in style.items():
                setattr(cell, name, part)
            # openpyxl shares a style in no other way; its parts are kept, for the sake of ids.
            self._styles[key] = cell._style, style  # noqa: SLF001
        cell._style = self._styles[key][0]  # noqa: SLF001 - the same
        return cell

    def beside(self, text: str, **style: _Style) -> Any:
        """Return text that stands at the height of the first of the words beside it."""
        if self._lines == 1:
            return self.text(text, **style)
        return self.text(text, **{"font": _PLAIN, **style}, alignment=_TOP)

    def value(self, value: str | float) -> Any:
        """Return a text or a number as a cell, on the left like the others."""
        if isinstance(value, str):
            return self.lines((value,))
        cell = WriteOnlyCell(self._sheet, value=value)
        cell.alignment = LEFT
        return cell

    def add(self, row: Iterable[Any]) -> None:
        """Append a row."""
        self._turn_if_full()
        self._rows += 1
        with of_lines(self._sheet, self._rows, self._lines):
            self._sheet.append(row)
        self._lines = 1

    def _turn_if_full(self) -> None:
        """Begin the next sheet if the next row has no room in this one."""
        if self._rows == LAST_ROW:
            lines, self._lines = self._lines, 1  # those of the row that is on its way
            self.finish()
            self._begin()
            self._lines = lines

    @property
    def page(self) -> WriteOnlyWorksheet:
        """The sheet itself, for the settings of its pages."""
        return self._sheet

    @property
    def next_place(self) -> str:
        """The first cell of the row that is added next, as links name it."""
        number, row = self._number, self._rows + 1
        if row > LAST_ROW:
            number, row = number + 1, 1 + bool(self._heads)
        return f"'{self._called(number)}'!A{row}"

    def show(self, tallies: Sequence[Tally]) -> None:
        """Draw the *tallies*, which are the last rows, beside the rows."""
        if 0 < len(tallies) <= self._rows:
            beside = f"{get_column_letter(len(self._columns) + 2)}1"
            chart = outcome_chart(self._sheet, self._rows, tallies, self._catalog)
            self._sheet.add_chart(chart, beside)  # type: ignore[misc]  # the stubs take the other kind of sheet

    def finish(self) -> None:
        """Let the header filter the rows below it."""
        if self._heads:
            last = get_column_letter(len(self._columns))
            self._sheet.auto_filter.ref = f"A1:{last}{self._rows}"  # type: ignore[attr-defined]  # the stubs forget it
