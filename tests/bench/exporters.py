"""What exports cost: `python tests/bench/exporters.py [SIZE]...`.

Every exporter writes the same sessions to nowhere; beside those that have a
library behind them, the bare library writes the same rows, ready made, in the
same run. Each figure is of a process of its own: CPU seconds of the export
without imports and without making the session, the memory that the process
grew by above what the session takes, and bytes written. 10 % of the jobs failed
and have a log. Linux only.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdall.exports.pipeline import export
from holdall.registry import Registry
from holdall.testing.sessions import big_session, empty_session

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (1_000, 10_000, 100_000)
NAMES = ("html", "json", "junit", "tar", "text", "global", "xlsx")


class Counting:
    """A stream that keeps nothing but the number of bytes."""

    size = 0

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""


def ready_rows(jobs: int) -> list[dict[str, Any]]:
    """Return what the formats are about, as plain values."""
    return [
        {
            "id": job.id,
            "summary": job.summary,
            "category": job.category,
            "outcome": str(job.outcome),
            "duration": job.duration,
            "log": b"".join(record.data for record in job.io_log()).decode(),
        }
        for job in big_session(jobs).view().jobs()
    ]


def bare_json(rows: list[dict[str, Any]], sink: Counting) -> None:
    encode = json.JSONEncoder().encode
    for row in rows:
        sink.write(encode(row).encode())


def bare_junit(rows: list[dict[str, Any]], sink: Counting) -> None:
    from lxml import etree

    with etree.xmlfile(sink, encoding="US-ASCII") as file, file.element("testsuites"):
        for row in rows:
            case = etree.Element("testcase", name=row["id"], classname=row["category"])
            if row["log"]:
                etree.SubElement(case, "failure", message=row["outcome"]).text = row["log"]
            file.write(case)


def bare_xlsx(rows: list[dict[str, Any]], sink: Counting) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Results")
    for row in rows:
        sheet.append(list(row.values()))
    stream = io.BytesIO()
    book.save(stream)
    sink.write(stream.getvalue())


BARE: dict[str, Callable[[list[dict[str, Any]], Counting], None]] = {
    "json": bare_json,
    "junit": bare_junit,
    "xlsx": bare_xlsx,
}


def measured(work: Callable[[Counting], object]) -> dict[str, float]:
    sink = Counting()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = memory("VmRSS")
    start = time.process_time()
    work(sink)
    cpu = time.process_time() - start
    return {"cpu": cpu, "mib": memory("VmHWM") - before, "bytes": sink.size}


def memory(name: str) -> float:
    """Return a line of what Linux knows of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(found.split()[1]) / 1024


def one(name: str, jobs: int) -> dict[str, float]:
    """Measure one export, or one bare library, in this process."""
    if name.startswith("bare "):
        rows = ready_rows(jobs)
        bare = BARE[name.removeprefix("bare ")]
        bare(rows[:10], Counting())  # imports
        return measured(lambda sink: bare(rows, sink))
    registry = Registry.discover()
    export(empty_session(), name, io.BytesIO(), registry=registry)  # imports
    view = big_session(jobs).view()
    return measured(lambda sink: export(view, name, sink, registry=registry))


def in_a_process(name: str, jobs: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(jobs)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(sizes: tuple[int, ...]) -> None:
    print(f"{'jobs':>7}  {'exporter':<12} {'CPU s':>8} {'MiB':>7} {'bytes':>12}  x bare")
    for jobs in sizes:
        for name in NAMES:
            bare = in_a_process(f"bare {name}", jobs) if name in BARE else None
            found = in_a_process(name, jobs)
            ratio = f"{found['cpu'] / bare['cpu']:6.2f}" if bare else ""
            for label, row, times in ((name, found, ratio), (f"bare {name}", bare, "")):
                if row:
                    print(
                        f"{jobs:>7}  {label:<12} {row['cpu']:>8.3f} {row['mib']:>7.1f} "
                        f"{int(row['bytes']):>12,}  {times}",
                        flush=True,
                    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], int(sys.argv[3]))))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
