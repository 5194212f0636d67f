"""What the engine costs: `python tests/bench/engine.py [FOLDER]`.

It prints a table for synthetic sessions of 100 to 100 000 jobs, and for real
Checkbox providers where `../shared/data` lies beside the checkout. What depends
on the disk is measured beside bare `write` and `fdatasync` calls of the same
bytes in the same folder, in turn. FOLDER should be on a real disk.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdall import JobResult, SessionManager, load_provider, make_unit, open_repository
from holdall.journal.events import Process
from holdall.session.state import SessionState
from holdall.stores.opening import file_url
from holdall.units import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.errors import DependencyError

SIZES = (100, 1_000, 10_000, 100_000)
PROVIDERS = Path(__file__).parents[3] / "shared" / "data" / "checkbox-providers"
RUN_SIZE = 10_000


class Stopwatch:
    """CPU and wall seconds of a block."""

    cpu = 0.0
    wall = 0.0


@contextmanager
def timed() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    cpu, wall = time.process_time(), time.perf_counter()
    yield watch
    watch.cpu, watch.wall = time.process_time() - cpu, time.perf_counter() - wall


def jobs(count: int) -> list[Job]:
    found = []
    for number in range(count):
        fields = {
            "id": f"job-{number:06}",
            "plugin": "shell",
            "command": "true",
            "summary": f"Job number {number}",
            "estimated_duration": "1.0",
        }
        if number % 10:
            fields["depends"] = f"job-{number - number % 10:06}"
        made = make_unit(fields, namespace="com.example")
        assert isinstance(made, Job)
        found.append(made)
    return found


def result(number: int) -> JobResult:
    return JobResult(
        outcome="pass" if number % 50 else "fail",
        return_code=0 if number % 50 else 1,
        execution_duration=0.125,
        io_log=[(0.01, "stdout", b"line %d of the output\n" % number)],
    )


def session(count: int, url: str) -> tuple[SessionManager, SessionState]:
    manager = SessionManager.create(url)
    context = manager.add_local_device_context()
    for each in jobs(count):
        context.add_unit(each)
    context.state.update_desired_job_list(context.state.job_list)
    manager.checkpoint()
    return manager, context.state


def row(what: str, count: int, figure: str, goal: str = "") -> None:
    print(f"{what:<42}{count:>9}  {figure:<44}{goal}", flush=True)


class BareFile:
    """A file that bytes are appended to with bare system calls."""

    def __init__(self, folder: str) -> None:
        self._fd, self._path = tempfile.mkstemp(dir=folder)

    def append(self, data: bytes) -> float:
        """Return the seconds that a write and an fdatasync take."""
        start = time.perf_counter()
        os.write(self._fd, data)
        os.fdatasync(self._fd)
        return time.perf_counter() - start

    def close(self) -> None:
        os.close(self._fd)
        Path(self._path).unlink()


def journal_bytes(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("journal-*.jsonl"))


def bench_build_and_record(count: int) -> None:
    made = jobs(count)
    with timed() as watch:
        state = SessionState(made)
    row("make a state", count, f"{watch.cpu * 1000:.1f} ms")
    with timed() as watch:
        state.update_desired_job_list(state.job_list)
    row("select all jobs", count, f"{watch.cpu * 1000:.1f} ms")
    some = list(range(0, count, max(1, count // 1000)))
    results = [result(number) for number in some]
    with timed() as watch:
        for number, each in zip(some, results, strict=True):
            state.update_job_result(made[number], each)
    goal = "0.05 ms" if count == 10_000 else ""
    row("record one result, no disk", count, f"{watch.cpu / len(some) * 1000:.4f} ms", goal)


def bench_checkpoint(count: int, folder: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        manager, state = session(count, file_url(place))
        for number, job in enumerate(state.job_list):
            state.update_job_result(job, result(number))
        manager.checkpoint()
        bare = BareFile(folder)
        bare.append(b"x" * journal_bytes(place))  # as long a file as the journal
        checkpoints, appends, growth = [], [], []
        for number, job in enumerate(state.job_list[:100] * 4):
            before = journal_bytes(place)
            state.update_job_result(job, result(number))
            start = time.perf_counter()
            manager.checkpoint()
            checkpoints.append(time.perf_counter() - start)
            growth.append(journal_bytes(place) - before)
            appends.append(bare.append(b"x" * growth[-1]))
        bare.close()
        ratio = statistics.median(checkpoints) / statistics.median(appends)
        figure = (
            f"p50 {statistics.median(checkpoints) * 1000:.3f} ms, bare "
            f"{statistics.median(appends) * 1000:.3f} ms, {statistics.median(growth):.0f} bytes"
        )
        row("checkpoint of one result", count, figure, f"{ratio:.2f} x bare, goal 1.3 x")
        manager.storage.close()


def bench_run(count: int, folder: str) -> None:
    """Time a run's persistence, and beside it the same number of bare appends, in turn."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        manager, state = session(count, file_url(place))
        begun = bytes_written()
        bare = BareFile(folder)
        spent = appended = compacting = 0.0
        for number, job in enumerate(state.job_list):
            each = result(number)
            start = time.perf_counter()
            state.job_started(job, Process(pid=number, started=str(number * 7)))
            manager.checkpoint()
            state.update_job_result(job, each)
            manager.checkpoint()
            middle = time.perf_counter()
            manager.compact_if_long()
            compacting += time.perf_counter() - middle
            spent += middle - start
            appended += bare.append(b"x" * 180) + bare.append(b"x" * 300)
        written = bytes_written() - begun - 480 * count
        bare.close()
        figure = f"{spent:.1f} s, bare {appended:.1f} s; snapshots {compacting:.1f} s"
        row("run, two checkpoints a job", count, figure, f"{spent / appended:.2f} x, goal 1.5 x")
        row("  bytes it wrote, with snapshots", count, f"{written / 1e6:.1f} MB", "10 MB")
        row("  bytes of the journal in the end", count, f"{journal_bytes(place) / 1e6:.1f} MB")
        manager.storage.close()


def bytes_written() -> int:
    """Return the bytes that this process handed to the system so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def bench_load(count: int, folder: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        manager, state = session(count, file_url(place))
        for number, job in enumerate(state.job_list):
            state.update_job_result(job, result(number))
        manager.checkpoint()
        manager.storage.close()
        units = jobs(count)
        for each in units:
            assert each.checksum  # a provider that is loaded anew has to compute them, we once
        repository = open_repository(file_url(place))
        spent = []
        for _ in range(3):
            storage = repository.open(manager.storage.id)
            with timed() as watch:
                SessionManager.load_session(units, storage)
            spent.append(watch.cpu)
            storage.close()
        goal = "0.3 s" if count == 10_000 else ""
        figure = f"{min(spent):.3f} s (best of 3, median {statistics.median(spent):.3f} s)"
        row("load a session, a result each", count, figure, goal)


def bench_memory(count: int) -> None:
    """Print the peak memory of a process that builds and fills a session."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import engine; "
        "engine.fill(int(sys.argv[2])); "
        "lines = open('/proc/self/status').read().splitlines(); "
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
    )
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", code, here, str(count)]
    found = subprocess.run(command, capture_output=True, check=True, text=True)
    goal = "300 MB" if count == 100_000 else ""
    row("peak memory, a filled session", count, f"{int(found.stdout) / 1024:.0f} MB", goal)


def fill(count: int) -> None:
    """Build a session on a store on the disk, with a checkpointed result for each job."""
    with tempfile.TemporaryDirectory() as place:
        manager, state = session(count, file_url(place))
        for number, job in enumerate(state.job_list):
            state.update_job_result(job, result(number))
            if number % 100 == 99:
                manager.checkpoint()
        manager.checkpoint()
        manager.storage.close()


def bench_providers() -> None:
    if not PROVIDERS.is_dir():
        print(f"no real providers: {PROVIDERS.name} is not there")
        return
    with timed() as watch:
        units = load_provider(str(PROVIDERS / "base")).unit_list
    row("load Checkbox base", len(units), f"{watch.cpu:.3f} s", "0.3 s")
    providers = [load_provider(str(path)) for path in sorted(PROVIDERS.iterdir()) if path.is_dir()]
    every = [unit for provider in providers for unit in provider.unit_list]
    with timed() as watch:
        state = SessionState(every)
    row("make a state of five providers", len(every), f"{watch.cpu:.3f} s")
    with timed() as watch:
        problems: list[DependencyError] = state.update_desired_job_list(state.job_list)
    figure = f"{watch.cpu:.3f} s, {len(problems)} problems, {len(state.run_list)} run"
    row("select all their jobs", len(state.job_list), figure, "0.1 s")


def main(folder: str) -> None:
    """Print the table."""
    print(f"{'what':<42}{'jobs':>9}  {'figure':<44}goal")
    bench_providers()
    for count in SIZES:
        bench_build_and_record(count)
    for count in SIZES:
        bench_checkpoint(count, folder)
    bench_run(RUN_SIZE, folder)
    for count in SIZES:
        bench_load(count, folder)
    for count in SIZES:
        bench_memory(count)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())
