"""Tables of a burn-in rack, for holdall."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer

HEAD = "serial;test;verdict;seconds;value;limit;remark"
OUTCOMES = {"OK": "pass", "NOK": "fail", "ABORTED": "crash", "N/A": "skip"}


class RackImporter:
    """A line for each test of each board; its value must not exceed its limit."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins with the rack's columns, whatever it is called."""
        return head.startswith(HEAD.encode())

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record a board as a device, and a job for each line."""
        with source.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, delimiter=";", strict=True)
            try:
                if rows.fieldnames != HEAD.split(";"):
                    raise ValueError("these are not the columns of a rack")
                for row in rows:
                    record(row, recorder)
            except (csv.Error, KeyError, TypeError, ValueError) as error:
                # The file is wrong, whatever Python calls it: say where.
                raise ValueError(f"line {rows.line_num}: {error}") from error


def record(row: dict[str, str], recorder: Recorder) -> None:
    """Record one line of the table."""
    if row["verdict"] not in OUTCOMES:
        raise ValueError(f"the verdict {row['verdict']!r} is none of {', '.join(OUTCOMES)}")
    if None in row or row["remark"] is None:
        raise ValueError("a line has as many columns as the first one")
    device, job = f"board-{row['serial']}", row["test"]
    recorder.job(job, device=device, category=job.partition("/")[0])
    with recorder.attempt(job, device=device) as attempt:
        if row["value"]:
            limit = float(row["limit"]) if row["limit"] else None
            attempt.measurement("value", float(row["value"]), upper=limit)
        attempt.finish(
            OUTCOMES[row["verdict"]],
            duration=float(row["seconds"]) if row["seconds"] else None,
            comments=row["remark"] or None,
        )


if TYPE_CHECKING:
    _: type[Importer] = RackImporter
