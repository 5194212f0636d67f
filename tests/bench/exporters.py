"""What exports cost: `python tests/bench/exporters.py [--rounds 5] [SIZE]...`.

A session of a lab, stored in files, is written to nowhere by every exporter.
Beside each one stand a bare pass over the view, which reads what the format
shows, and the bare library, which writes the same content out of ready values.
Each figure is of a process of its own, which take turns; the least of all rounds
counts, and only CPU seconds, without imports and without opening the session.
Linux only.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import subprocess
import sys
import time
import tracemalloc
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from holdall.exports.pipeline import export
from holdall.registry.registry import Registry
from holdall.testing.sessions import empty_session
from holdall.view.session import SessionView

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bare_exports import BARE, READY, bare_pass
from tests.bench.lab_session import opened, store

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (1_000, 10_000, 100_000)
NAMES = (
    "agent",
    "csv",
    "ctrf",
    "html",
    "json",
    "junit",
    "markdown",
    "ndjson",
    "otr",
    "parquet",
    "tap",
    "tar",
    "text",
    "global",
    "xlsx",
)
KINDS = ("ours", "pass", "bare")

# CPU seconds for 10 000 results; how many times what reading and writing cost, bare.
SECONDS = {
    "agent": 0.1,
    "csv": 0.1,
    "ctrf": 0.1,
    "markdown": 0.1,
    "ndjson": 0.1,
    "otr": 0.1,
    "parquet": 0.3,
    "tap": 0.1,
    "json": 0.15,
    "html": 0.3,
    "junit": 0.2,
    "text": 0.1,
    "xlsx": 1.7,
    "tar": 1.5,
}
# What it may cost beside one bare pass and the bare library; the rest is not bounded so.
TIMES = {"html": 3.0, "json": 1.8, "junit": 1.7, "text": 2.5, "tar": 3.5}
TIMES_OF_LIBRARY = {"xlsx": 1.15}  # what it may cost beside openpyxl alone
MEMORY = 5.0  # MiB above an opened view
BYTES_A_JOB = 600


class Counting:
    """A stream that keeps nothing but the number of bytes."""

    size = 0

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""


def measured(work: Callable[[Counting], object]) -> dict[str, float]:
    sink = Counting()
    gc.collect()
    gc.freeze()  # what was made before must not make the work dearer
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


def one(kind: str, name: str, folder: Path) -> dict[str, float]:
    """Measure one thing in this process."""
    storage = opened(folder)
    if kind == "view":
        return {"bytes": bytes_a_job(lambda: SessionView.of(storage))}
    registry = Registry.discover()
    export(empty_session(), name, io.BytesIO(), registry=registry)  # imports
    view = SessionView.of(storage)
    if kind == "ours":
        return measured(lambda sink: export(view, name, sink, registry=registry))
    if kind == "pass":
        return measured(lambda _sink: bare_pass(name, view))
    report = io.BytesIO()
    export(view, name, report, registry=registry)
    ready, bare = READY[name](report.getvalue()), BARE[name]
    bare(READY[name](empty_report(name, registry)), Counting())  # imports
    return measured(lambda sink: bare(ready, sink))


def empty_report(name: str, registry: Registry) -> bytes:
    report = io.BytesIO()
    export(empty_session(), name, report, registry=registry)
    return report.getvalue()


def bytes_a_job(make: Callable[[], SessionView]) -> float:
    make()  # what is made once for all views
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    view = make()
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / view.job_count


def in_a_process(kind: str, name: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--one", kind, name, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def goal(figure: float, most: float | None) -> str:
    """Return a goal as it stands beside a figure, and whether that misses it."""
    if most is None:
        return ""
    return f"<= {most:g}" + (" MISSED" if figure > most else "")


def bench_exports(jobs: int, folder: Path, rounds: int) -> None:
    """Print a row for each exporter."""
    figures: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name in NAMES:
            for kind in KINDS:
                figures[name, kind].append(in_a_process(kind, name, folder))
    for name in NAMES:
        ours, read, bare = (min(row["cpu"] for row in figures[name, kind]) for kind in KINDS)
        mib = min(row["mib"] for row in figures[name, "ours"])
        size = int(figures[name, "ours"][0]["bytes"])
        times = ours / (read + bare)
        seconds = goal(ours, SECONDS.get(name) if jobs == 10_000 else None)
        print(
            f"{jobs:>7}  {name:<7}{ours:>8.3f} {seconds:<15}{read:>7.3f}{bare:>8.3f}"
            f"{times:>6.2f} {goal(times, TIMES.get(name)):<14}"
            f"{mib:>5.1f} {goal(mib, MEMORY):<12}{size:>12,}"
        )
        if name in TIMES_OF_LIBRARY:
            beside = goal(ours / bare, TIMES_OF_LIBRARY[name])
            print(f"{'':>9}{name}, beside the library alone: {ours / bare:.2f} {beside}")
    sys.stdout.flush()


def bench_view(jobs: int, folder: Path) -> None:
    """Print what an opened view takes, with logs and without, and on ten devices."""
    for what, shape in (
        ("one device", {}),
        ("one device, no logs", {"logs": False}),
        ("ten devices with the same jobs", {"devices": 10}),
    ):
        place = folder / what.replace(" ", "-")
        store(place, jobs, **shape)
        found = in_a_process("view", "-", place)["bytes"]
        print(
            f"{jobs:>7}  opened view, {what:<32}{found:>6.0f} bytes a job "
            f"{goal(found, BYTES_A_JOB)}",
            flush=True,
        )


def main(sizes: list[int], rounds: int) -> None:
    print(
        f"{'jobs':>7}  {'format':<7}{'CPU s':>8} {'goal':<15}{'pass':>7}{'bare':>8}"
        f"{'x':>6} {'goal':<14}{'MiB':>5} {'goal':<12}{'bytes':>12}"
    )
    for jobs in sizes:
        with TemporaryDirectory() as folder:
            store(Path(folder) / "session", jobs)
            bench_exports(jobs, Path(folder) / "session", rounds)
            bench_view(jobs, Path(folder))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
        parser.add_argument("--rounds", type=int, default=5)
        given = parser.parse_args()
        main(given.sizes, given.rounds)
