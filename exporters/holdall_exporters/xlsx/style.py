"""Styles of cells: fonts, colours and alignments, and the number that a workbook has for each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    Part = Font | PatternFill | Alignment | str

_FAMILY: Final = "Calibri"  # that of the cells without a font of their own
PLAIN: Final = Font(name=_FAMILY, size=11)
BOLD: Final = Font(name=_FAMILY, size=11, bold=True)
TITLE: Final = Font(name=_FAMILY, size=16, bold=True)
LINK: Final = Font(name=_FAMILY, size=11, color="0563C1", underline="single")
WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
TOP: Final = Alignment(vertical="top")
LEFT: Final = Alignment(horizontal="left")
HEAD: Final = PatternFill("solid", start_color="D9DFE7")
DATE: Final = "yyyy-mm-dd hh:mm:ss"
SECONDS: Final = "#,##0.000"
"""How durations are shown."""


class Style:
    """A style of the cells of a sheet."""

    def __init__(self, sheet: WriteOnlyWorksheet, parts: Mapping[str, Part]) -> None:
        self._sheet = sheet
        self._parts = parts

    @cached_property
    def attribute(self) -> str:
        """What a cell of it says in XML; its number is given when the first one is written."""
        if not self._parts:
            return ""
        cell: Any = WriteOnlyCell(self._sheet)
        for name, part in self._parts.items():
            setattr(cell, name, part)
        return f' s="{cell.style_id}"'
