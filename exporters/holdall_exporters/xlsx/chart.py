"""The chart of outcomes: a bar for each, in its colour, drawn from the cells of a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.title import title_maker
from openpyxl.drawing.line import LineProperties

from holdall.languages import N_
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from holdall.languages import Catalog
    from holdall.view import Tally

# The colours of the html report's ring; those of cells are the same ones, lighter.
_COLOURS: Final[Mapping[Outcome | None, str]] = {
    Outcome.PASS: "3AA565",
    Outcome.FAIL: "D9483D",
    Outcome.CRASH: "E5812F",
    Outcome.ERROR: "9B59B6",
    Outcome.UNDECIDED: "5598DF",
    Outcome.NONE: "5598DF",
    None: "5598DF",
}
_TITLE: Final = N_("Outcomes")
_OTHER: Final = "AAB3BE"
_WIDTH_CM: Final = 18
_REST_CM: Final = 2  # of the height, beside one for each bar
_LABELS: Final = 0.34  # of the width


def outcome_chart(
    sheet: WriteOnlyWorksheet, last_row: int, tallies: Sequence[Tally], catalog: Catalog
) -> BarChart:
    """Return the chart of *tallies*; their labels and numbers end in *last_row* of A and B."""
    first_row = last_row - len(tallies) + 1
    chart = BarChart()
    chart.type = "bar"
    chart.title = title_maker(catalog.gettext(_TITLE))
    chart.title.overlay = False
    chart.legend = None
    chart.gapWidth = 35
    chart.width, chart.height = _WIDTH_CM, _REST_CM + len(tallies)
    chart.roundedCorners = False
    # The part of the width that the labels are left: without it they are cut.
    bars_in = ManualLayout(xMode="edge", yMode="edge", x=_LABELS, y=0.12, w=0.94 - _LABELS, h=0.82)
    chart.layout = Layout(bars_in)
    chart.add_data(Reference(sheet, min_col=2, min_row=first_row, max_row=last_row))
    chart.set_categories(Reference(sheet, min_col=1, min_row=first_row, max_row=last_row))
    chart.x_axis.scaling.orientation = "maxMin"  # the first row on top
    chart.x_axis.delete = False
    chart.y_axis.delete = True
    chart.y_axis.majorGridlines = None
    chart.y_axis.scaling.min = 0
    (bars,) = chart.series
    bars.graphicalProperties = _filled(_OTHER)
    bars.dPt = [_bar(number, tally) for number, tally in enumerate(tallies)]
    bars.dLbls = DataLabelList()
    bars.dLbls.showVal = True
    for name in ("showSerName", "showCatName", "showLegendKey", "showPercent", "showLeaderLines"):
        setattr(bars.dLbls, name, False)
    return chart


def _bar(number: int, tally: Tally) -> DataPoint:
    bar = DataPoint(idx=number, invertIfNegative=False)
    bar.graphicalProperties = _filled(_COLOURS.get(tally.outcome, _OTHER))
    return bar


def _filled(colour: str) -> GraphicalProperties:
    return GraphicalProperties(solidFill=colour, ln=LineProperties(noFill=True))


def description_of(tallies: Sequence[Tally], catalog: Catalog) -> str:
    """Return what the chart of *tallies* shows, for those who don't see it."""
    title = catalog.gettext(_TITLE)
    return f"{title}: {', '.join(f'{tally.number} {tally.label}' for tally in tallies)}"
