"""CSV in LibreOffice, which would calculate what it takes for a formula."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from holdall.testing.exporters import exported
from holdall.testing.sessions import hostile_session
from holdall_exporters.csv import COLUMNS, CsvExporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMULAS = ("=1+1", "=HYPERLINK(1;2)", "+1+1", "-1+1", "@SUM(1)", '="a"&"b"', "a;=1+1")
# Commas or semicolons between cells, `"` around them, UTF-8, from the first line on; cells that
# look like formulas are taken for formulas.
READ = "CSV:44,34,76,1,,0,false,true,false,false,true"
READ_IN_GERMANY = READ.replace(":44,", ":59,")


@pytest.fixture
def calculated(
    program: Callable[[str], str], run: Callable[..., str], tmp_path: Path
) -> Callable[..., str]:
    """Return what gives the formulas of a table that LibreOffice has read."""

    def convert(table: Path, how: str) -> str:
        run(
            program("soffice"),
            "--headless",
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            f"--infilter={how}",
            "--convert-to",
            "fods",
            "--outdir",
            tmp_path,
            table,
        )
        return table.with_suffix(".fods").read_text("utf-8")

    return convert


@pytest.mark.parametrize("how", [READ, READ_IN_GERMANY], ids=["commas", "semicolons"])
def test_libreoffice_calculates_nothing(
    how: str, calculated: Callable[..., str], tmp_path: Path
) -> None:
    safe, unsafe = tmp_path / "safe.csv", tmp_path / "unsafe.csv"
    texts = "\n".join(FORMULAS)
    safe.write_bytes(exported(CsvExporter, hostile_session(texts)))
    unsafe.write_bytes(exported(CsvExporter, hostile_session("=1+1"), {"safe": "no"}))

    assert "table:formula=" not in calculated(safe, how)
    if how == READ:
        assert "table:formula=" in calculated(unsafe, how)


def test_libreoffice_reads_a_row_for_each_job(
    written: Callable[..., dict[str, Any]],
    calculated: Callable[..., str],
) -> None:
    for each in written("csv", ".csv", only=("sample", "devices", "big")).values():
        found = calculated(each.path, READ)
        for job in each.session.view().jobs():
            if re.fullmatch(r"[a-z.:/0-9-]+", job.id) and not job.id.startswith("-"):
                assert f"<text:p>{job.id}</text:p>" in found


def test_csv_of_python_reads_a_row_for_each_job(written: Callable[..., dict[str, Any]]) -> None:
    for each in written("csv", ".csv").values():
        text = each.path.read_bytes().decode()
        rows = list(csv.reader(StringIO(text, newline=""), strict=True))
        assert {len(row) for row in rows} == {len(COLUMNS)}
        assert len(rows) - 1 == each.session.view().job_count
