"""Measurements and subtests of an attempt as rows of tables, ready to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from holdall.languages import N_, decimal, grouped
from holdall.results import Outcome
from holdall.writing import duration, html_text, strip_escapes
from holdall_exporters.html.kinds import KINDS

if TYPE_CHECKING:
    from holdall.languages import Catalog
    from holdall.results import Measurement, Subtest
    from holdall.view import AttemptView

_BELOW: Final = N_("below the limit")
_ABOVE: Final = N_("above the limit")
_TRUE: Final = N_("yes")
_FALSE: Final = N_("no")
_BETWEEN: Final = N_("{lower} to {upper}")
_WRONG: Final = frozenset({"fail", "crash", "error"})
_FEW: Final = 8  # rows of one table among the failures; the details have all


class MeasurementRow(NamedTuple):
    """A measurement: name, value and limits with their unit, and how it came out.

    Attributes:
        kind: The colour of `label`, which says on which side of the limits the value is.
    """

    name: str
    value: str
    limits: str
    kind: str
    label: str


class SubtestRow(NamedTuple):
    """A subtest: its name, its outcome, how long it took, and why it ended so."""

    name: str
    kind: str
    label: str
    duration: str
    message: str


class Parts(NamedTuple):
    """Some of the measurements and subtests of an attempt, and how many more there are."""

    measurements: list[MeasurementRow]
    subtests: list[SubtestRow]
    more: int


def measurement_rows(attempt: AttemptView, catalog: Catalog) -> list[MeasurementRow]:
    """Return the measurements of *attempt*."""
    return [_measurement_row(part, catalog) for part in attempt.measurements]


def subtest_rows(attempt: AttemptView, catalog: Catalog) -> list[SubtestRow]:
    """Return the subtests of *attempt*."""
    return [_subtest_row(part, catalog) for part in attempt.subtests]


def worst_parts(attempt: AttemptView, catalog: Catalog) -> Parts:
    """Return all measurements and subtests if they are few, else the first that went wrong."""
    if not attempt.measurements and not attempt.subtests:  # as with most
        return _NONE
    measurements = measurement_rows(attempt, catalog)
    subtests = subtest_rows(attempt, catalog)
    shown = Parts(_worst(measurements), _worst(subtests), 0)
    more = len(measurements) + len(subtests) - len(shown.measurements) - len(shown.subtests)
    return shown._replace(more=more)


_NONE: Final = Parts([], [], 0)
_Row = TypeVar("_Row", MeasurementRow, SubtestRow)


def _worst(rows: list[_Row]) -> list[_Row]:
    if len(rows) <= _FEW:
        return rows
    return [row for row in rows if row.kind in _WRONG][:_FEW] or rows[:_FEW]


def _measurement_row(part: Measurement, catalog: Catalog) -> MeasurementRow:
    outcome = part.outcome or Outcome.NONE
    label = "" if outcome is Outcome.NONE else catalog.gettext(outcome.label)
    if outcome.failed and not isinstance(part.value, str | bool):
        if part.lower is not None and part.value < part.lower:
            label = catalog.gettext(_BELOW)
        elif part.upper is not None and part.value > part.upper:
            label = catalog.gettext(_ABOVE)
    unit = html_text(part.unit)
    value = _with_unit(_value_text(part.value, catalog), unit)
    limits = _with_unit(_limits_text(part, catalog), unit)
    return MeasurementRow(html_text(part.name), value, limits, KINDS[outcome], label)


def _subtest_row(part: Subtest, catalog: Catalog) -> SubtestRow:
    return SubtestRow(
        name=html_text(part.name),
        kind=KINDS[part.outcome],
        label=catalog.gettext(part.outcome.label),
        duration=duration(part.duration, catalog),
        message=html_text(strip_escapes(part.message or "")),
    )


def _limits_text(part: Measurement, catalog: Catalog) -> str:
    lower, upper = (
        None if limit is None else number_text(limit, catalog)
        for limit in (part.lower, part.upper)
    )
    if lower is not None and upper is not None:
        return catalog.gettext(_BETWEEN).format(lower=lower, upper=upper)
    if lower is not None:
        return f"\u2265 {lower}"
    return "" if upper is None else f"\u2264 {upper}"


def _value_text(value: float | str | bool, catalog: Catalog) -> str:  # noqa: FBT001 - a value
    if isinstance(value, str):
        return html_text(strip_escapes(value))
    if isinstance(value, bool):
        return catalog.gettext(_TRUE if value else _FALSE)
    return number_text(value, catalog)


def number_text(value: float, catalog: Catalog) -> str:
    """Return a number as it was measured, no digit more or less, in the language of *catalog*."""
    text = repr(value)
    whole, _, tenths = text.partition(".")
    if "e" in text:
        return text.replace(".", decimal(0.5, 1, catalog)[1:-1])
    sign = "\u2212" if whole.startswith("-") else ""
    shown = f"{sign}{grouped(abs(int(whole)), catalog)}"
    if tenths in {"", "0"}:
        return shown
    return f"{shown}{decimal(0.5, 1, catalog)[1:-1]}{tenths}"


def _with_unit(text: str, unit: str) -> str:
    return f"{text}\u00a0{unit}" if text and unit else text
