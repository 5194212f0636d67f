"""The workbook in LibreOffice, calamine and openpyxl, which have to agree with the session."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from holdall.writing.cleaning import cell_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.testing.sessions import SampleSession

# Fields 3 to 5: UTF-8 from the first line; 7: quote nothing for its type; the last: all sheets.
CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
SOME = ("sample", "empty", "devices", "big", *(f"hostile-{number}" for number in range(10)))


@pytest.fixture
def converted(
    program: Callable[[str], str], run: Callable[..., str], tmp_path: Path
) -> Callable[..., None]:
    """Return what converts workbooks to another format, beside them."""

    def convert(kind: str, *paths: Path) -> None:
        profile = (tmp_path / "profile").as_uri()
        run(
            program("soffice"),
            "--headless",
            f"-env:UserInstallation={profile}",
            "--convert-to",
            kind,
            "--outdir",
            tmp_path,
            *paths,
        )

    return convert


def results(session: SampleSession) -> list[list[str | float | None]]:
    """Return the rows that the sheet of results should have."""
    return [
        [
            *map(shown, (job.device_id, job.category, job.id, job.summary)),
            None if job.duration is None else digits(job.duration),
            job.return_code,
            job.attempt_count,
        ]
        for job in session.view().jobs()
    ]


def shown(text: str) -> str:
    return cell_text(text).replace("_x005F_", "_")


def as_read(row: list[Any]) -> list[str | float | None]:
    """Return the cells of a row that can be told from the session alone."""
    texts, numbers = row[:4], row[5:8]
    return [
        *(str(each if each is not None else "") for each in texts),
        *(None if each in {"", None} else digits(float(each)) for each in numbers),
    ]


def digits(number: float) -> float:
    """Return *number* with as many digits as every writer of workbooks keeps."""
    return float(f"{number:.13g}")


def test_calamine_and_openpyxl_read_the_results_of_the_session(
    written: Callable[..., dict[str, Any]],
) -> None:
    for each in written("xlsx", ".xlsx", only=SOME).values():
        calamine = CalamineWorkbook.from_path(each.path)
        rows = calamine.get_sheet_by_name("Results").to_python()[1:]
        assert list(map(as_read, rows)) == results(each.session)

        book = openpyxl.load_workbook(each.path, read_only=True)
        sheet = book["Results"]
        read = [list(row) for row in sheet.iter_rows(min_row=2, max_col=11, values_only=True)]
        book.close()
        assert [list(map(decoded, as_read(row))) for row in read] == results(each.session)


def decoded(cell: str | float | None) -> str | float | None:
    """Return a cell as the format says it is to be read, which openpyxl leaves to others."""
    return cell.replace("_x005F_", "_") if isinstance(cell, str) else cell


def test_libreoffice_and_calamine_agree_on_every_cell(
    written: Callable[..., dict[str, Any]], converted: Callable[..., None], tmp_path: Path
) -> None:
    reports = written("xlsx", ".xlsx", "logs=all", "attempts=all", only=SOME)

    converted(CSV, *(reports[name].path for name in SOME))

    for name in SOME:
        book = CalamineWorkbook.from_path(reports[name].path)
        for sheet in book.sheet_names:
            with (tmp_path / f"{name}-{sheet}.csv").open(encoding="utf-8", newline="") as file:
                found = list(csv.reader(file))
            wanted = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            assert compared(found) == compared(wanted), (name, sheet)


def compared(rows: list[list[Any]]) -> list[list[object]]:
    return without_ends([[as_compared(cell) for cell in row] for row in rows])


class Moment:
    """A moment; LibreOffice shows the second before, where a number of days is just below it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and abs(self.at - other.at) <= timedelta(seconds=1)

    __hash__ = None  # type: ignore[assignment]  # equal ones need not be the same

    def __repr__(self) -> str:
        return f"{self.at}"


def as_compared(cell: object) -> object:
    """Return a cell with the digits of a number, and the lines of a text, that both have.

    LibreOffice writes 15 digits, and breaks lines of more than 16,384 characters.
    """
    text = str(cell)
    if re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?", text):
        return Moment(datetime.fromisoformat(text))
    try:
        return digits(float(text))
    except ValueError:
        return text.replace("\n", "") if len(text) > 16_384 else text


def without_ends(rows: list[list[Any]]) -> list[list[Any]]:
    """Return the rows without empty cells at their ends, and without empty rows at the end."""
    found = []
    for row in rows:
        kept = list(row)
        while kept and kept[-1] == "":
            kept.pop()
        found.append(kept)
    while found and not found[-1]:
        found.pop()
    return found


def test_libreoffice_draws_the_chart(
    written: Callable[..., dict[str, Any]],
    converted: Callable[..., None],
    program: Callable[[str], str],
    run: Callable[..., str],
    tmp_path: Path,
) -> None:
    reports = written("xlsx", ".xlsx", only=("sample", "empty"))

    converted("pdf", reports["sample"].path, reports["empty"].path)

    for name, drawn in (("sample", True), ("empty", False)):
        page = run(program("pdftotext"), "-l", "1", tmp_path / f"{name}.pdf", "-")
        assert ("Outcomes" in page) is drawn
