"""A sheet of the workbook: rows under a header, cells of text that stay text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from holdall.writing import CELLS_CUT, cell_of, cell_text, moment
from holdall_exporters.xlsx.chart import outcome_chart
from holdall_exporters.xlsx.paper import lines_of, printed_on
from holdall_exporters.xlsx.rows import number_cell, row_of, text_cell
from holdall_exporters.xlsx.style import BOLD, DATE, HEAD, LEFT, LINK, PLAIN, TOP, WRAPPED, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from holdall.languages import Catalog
    from holdall.view import Tally
    from holdall_exporters.xlsx.archive import Book
    from holdall_exporters.xlsx.rows import Cell
    from holdall_exporters.xlsx.style import Part

_EXACT: Final = 2**53  # beyond it, a cell has not every whole number
LAST_ROW: Final = 1_048_576
"""Rows that a sheet holds; what is more goes on in a sheet of the same name with a number."""


class Sheet:
    """A sheet under a header row, which goes on in another when it is full."""

    def __init__(
        self,
        book: Book,
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
        self._letters = [get_column_letter(number + 1) for number in range(len(columns))]
        self._styles: dict[tuple[int, ...], Style] = {}
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        name = self._called(self._number)
        self._sheet, self._file = self._book.add_sheet(name)
        widths = self._sheet.column_dimensions  # type: ignore[attr-defined]  # the stubs forget it
        for letter, (_head, width) in zip(self._letters, self._columns, strict=True):
            widths[letter].width = width
        self._rows = 0
        printed_on(self._sheet, head=bool(self._heads))
        if self._heads:
            self._sheet.freeze_panes = "A2"
            self.add([self.text(head, font=BOLD, fill=HEAD) for head in self._heads])

    def _called(self, number: int) -> str:
        return self._name if number == 1 else f"{self._name} {number}"

    def text(self, text: str, **style: Part) -> Cell | None:
        """Return *text* as a cell that is no formula and no error, whatever it looks like."""
        value = cell_text(text, self._catalog, cut=self._cut)
        return text_cell(value, self._style(style)) if value else None

    def lines(self, pieces: Iterable[str], *, column: int = -1) -> Cell | None:
        """Return text of several lines as a cell of a column, the last one, that shows them."""
        value = cell_of(pieces, self._catalog, cut=self._cut)
        if not value:
            return None
        self._lines = max(self._lines, lines_of(value, width=self._columns[column][1]))
        return text_cell(value, self._style({"alignment": WRAPPED}))

    def number(self, value: float | None, **style: Part) -> Cell | None:
        """Return a number as a cell; one that a cell would change, as its digits."""
        if value is None:
            return None
        if isinstance(value, int) and abs(value) > _EXACT:
            return self.text(str(value), **style)
        return number_cell(value, self._style(style))

    def moment(self, value: float | None, **style: Part) -> Cell | None:
        """Return a moment, seconds since 1970, as a date that can be sorted and counted with."""
        if value is None:
            return None
        date = moment(value).replace(microsecond=0, tzinfo=None)
        return number_cell(date, self._style({"number_format": DATE, **style}))

    def link(self, text: str, place: str, *, column: int) -> Cell | None:
        """Return *text* as a cell of a column that leads to *place*, such as `'Logs'!A2`."""
        self._turn_if_full()
        # openpyxl takes a link from a cell alone; the row of this one gives way to ours.
        cell: Any = WriteOnlyCell(self._sheet)
        cell.hyperlink = Hyperlink(ref="", location=place)
        self._sheet.append([cell])
        cell.hyperlink.ref = f"{self._letters[column]}{self._rows + 1}"
        return self.text(text, font=LINK)

    def _style(self, parts: Mapping[str, Part]) -> Style:
        """Return the style of these parts; it keeps them, for the sake of their ids."""
        key = tuple(map(id, parts.values()))
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = Style(self._sheet, parts)
        return style

    def beside(self, text: str, **style: Part) -> Cell | None:
        """Return text that stands at the height of the first of the words beside it."""
        if self._lines == 1:
            return self.text(text, **style)
        return self.text(text, **{"font": PLAIN, **style}, alignment=TOP)

    def value(self, value: str | float) -> Cell | None:
        """Return a text or a number as a cell, on the left like the others."""
        if isinstance(value, str):
            return self.lines((value,))
        return self.number(value, alignment=LEFT)

    def add(self, row: Iterable[Cell | None]) -> None:
        """Append a row."""
        self._turn_if_full()
        self._rows += 1
        self._file.write(row_of(self._rows, self._letters, row, self._lines))
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
        """Let the header filter the rows below it, which are all."""
        self._file.close()
        if self._heads:
            self._sheet.auto_filter.ref = f"A1:{self._letters[-1]}{self._rows}"  # type: ignore[attr-defined]  # the stubs forget it
