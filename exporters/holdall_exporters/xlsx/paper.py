"""Print settings of a sheet: landscape, as wide as a page; how many lines text takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openpyxl.worksheet.properties import PageSetupProperties

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_LONGEST_HEADING: Final = 200  # of 255 characters that a workbook takes for one
MOST_LINES: Final = 20
"""Lines that a row shows at most: it is 409 points high at most."""


def printed_on(sheet: WriteOnlyWorksheet, *, head: bool) -> None:
    """Fit the width of *sheet* to a page; with a *head*, repeat its first row on each."""
    page: Any = sheet  # the stubs forget what both kinds of sheets have
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth = 1
    page.page_setup.fitToHeight = 0
    if head:
        page.print_title_rows = "1:1"


def on_each_page(sheet: WriteOnlyWorksheet, heading: str) -> None:
    """Print *heading* above each page, and below it which page of how many it is."""
    page: Any = sheet
    page.oddHeader.center.text = heading.replace("&", "&&")[:_LONGEST_HEADING]
    page.oddFooter.center.text = "&P / &N"


def lines_of(text: str, *, width: int) -> int:
    """Return how many lines *text* takes in a column of *width* characters, as far as shown."""
    lines = text.rstrip("\n")[: width * MOST_LINES].split("\n", MOST_LINES)
    return min(sum(1 + max(0, len(line) - 1) // width for line in lines), MOST_LINES)
