"""What the ways into a session cost, beside what people use without holdall.

python tests/bench/ways_in.py [part...]

Parts are the functions of `PARTS`; without one, all are measured. Each pair of programs runs
in turn, several times, and the median of each counts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TESTS: Final = 2_000
ROUNDS: Final = 5
PLUGINS: Final = ("-p", "holdall_plugins.pytest_recorder", "-p", "no:cacheprovider")


class Spent(NamedTuple):
    """What a program took: seconds on the clock, and of processors."""

    wall: float
    cpu: float


def compiled_once() -> dict[str, str]:
    """Return the environment in which Python keeps what it compiled, as it does by default."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def pytest_run(folder: Path, *options: str) -> Spent:
    """Return what a run of pytest takes; no plugin but ours is loaded."""
    environ = {**compiled_once(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", *PLUGINS, *options, "test_empty.py"]
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begun, os.times()
    return Spent(wall, sum(after[2:4]) - sum(before[2:4]))


def pytest_recorder() -> None:
    """Print what recording empty tests costs, beside `--junitxml` of the same tests."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lines = (f"def test_{number}(): pass\n" for number in range(TESTS))
        folder.joinpath("test_empty.py").write_text("".join(lines), encoding="utf-8")
        ways = {
            "plain": (),
            "--junitxml": ("--junitxml=report.xml",),
            "--holdall": (f"--holdall=file://{folder}/store",),
            "--holdall, system": (
                f"--holdall=file://{folder}/synced",
                "--holdall-durability=system",
            ),
        }
        for options in ways.values():
            pytest_run(folder, *options)  # so that nobody pays for compiled files
        runs: dict[str, list[Spent]] = {name: [] for name in ways}
        for _round in range(ROUNDS):
            for name, options in ways.items():
                runs[name].append(pytest_run(folder, *options))
    print(f"{TESTS} empty tests, median of {ROUNDS}, wall and CPU:")
    for name, spent in runs.items():
        wall, cpu = (median(times) for times in zip(*spent, strict=True))
        print(f"  {name:18} {wall:6.2f} s {cpu:6.2f} s")
    pairs = list(zip(runs["--holdall"], runs["--junitxml"], strict=True))
    wall, cpu = (median(ours[n] / theirs[n] for ours, theirs in pairs) for n in (0, 1))
    print(f"  --holdall / --junitxml, pairwise: wall {wall:.3f}, CPU {cpu:.3f} (goal: 1.10)")


def pytest_plugin_import() -> None:
    """Print what importing the plugin costs whoever does not use it."""
    program = "import pytest, holdall_plugins.pytest_recorder"
    values = []
    for _round in range(2 * ROUNDS):
        command = [sys.executable, "-X", "importtime", "-c", program]
        done = subprocess.run(
            command, env=compiled_once(), check=True, capture_output=True, text=True
        )
        found = re.findall(r"\|\s*(\d+) \|\s+holdall_plugins(?:\.\S+)?\n", done.stderr)
        values.append(max(map(int, found)) / 1000)
    print(f"import of the pytest plugin: {median(values):.2f} ms (goal: 1 ms)")


CASES: Final = 100_000

# Prints CPU seconds, the most memory and what it was before, in MiB; `{made}` is the folder.
_MEASURED: Final = """
import resource, sys, time
from pathlib import Path
from holdall import Recorder
from importlib import import_module

def mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

class Calls:
    device_id, job_count, result_count = "local", 0, 0
    def __init__(self): self.calls = []
    def device(self, *args, **named): pass
    def leave_out(self, *args): pass
    def job(self, *args, **named): self.calls.append(("job", args, named))
    def record(self, *args, **named): self.calls.append(("record", args, named))

class Nobody(Calls):
    def job(self, *args, **named): pass
    record = job

what, path, store, importer = sys.argv[1:]
module, _colon, name = importer.partition(":")
Importer = getattr(import_module(f"holdall_plugins.importers.{module}"), name)
with Recorder.create("memory://warm") as recorder:
    recorder.record("job", outcome="pass")
calls = Calls()
if what == "recorder":
    Importer().load(Path(path), calls)
before, start = mib(), time.process_time()
if what == "importer":
    Importer().load(Path(path), Nobody())
else:
    with Recorder.create(store) as recorder:
        if what == "both":
            Importer().load(Path(path), recorder)
        for name, args, named in calls.calls:
            getattr(recorder, name)(*args, **named)
print(time.process_time() - start, mib() - before)
"""


def write_junit(path: Path, cases: int, text: str) -> None:
    """Write a report in which each twentieth case fails with a text."""
    failure = f'<failure message="assert 1 == 2">{text}</failure>'
    with path.open("w", encoding="utf-8") as file:
        file.write(f'<testsuites><testsuite name="pytest" tests="{cases}">\n')
        for number in range(cases):
            case = (
                f'<testcase classname="pkg.mod.Class{number // 50}" name="test_{number}" time="1"'
            )
            end = "/>" if number % 20 else f">{failure}</testcase>"
            file.write(f"{case}{end}\n")
        file.write("</testsuite></testsuites>\n")


def measured(
    what: str, path: Path, importer: str = "junit:JUnitImporter", rounds: int = 3
) -> tuple[float, float]:
    """Return median CPU seconds, and MiB that it took more than before."""
    found = []
    for number in range(rounds):
        store = f"file://{path.parent}/store-{what}-{number}"
        command = [sys.executable, "-c", _MEASURED, what, str(path), store, importer]
        done = subprocess.run(
            command, env=compiled_once(), check=True, capture_output=True, text=True
        )
        found.append(tuple(map(float, done.stdout.split())))
    return median(cpu for cpu, _ in found), median(mib for _, mib in found)


def junit() -> None:
    """Print what importing JUnit costs, alone and with recording, and what of it is recording."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made, "report.xml")
        write_junit(path, CASES, "E   assert 1 == 2\n" * 3)
        print(f"JUnit of {CASES} cases, {path.stat().st_size / 2**20:.0f} MiB, CPU and memory:")
        goals = {"both": " (goal: 5 s, 64 MiB)", "importer": " (goal: 1.5 s)", "recorder": ""}
        for what, goal in goals.items():
            cpu, mib = measured(what, path)
            memory = "" if what == "recorder" else f" {mib:6.1f} MiB"
            print(f"  {what:10} {cpu:6.2f} s{memory}{goal}")


def junit_large() -> None:
    """Print what a report of 100 MB takes in memory, beside one of 10 MB of as many cases."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made, "report.xml")
        for size in (10, 100):
            write_junit(path, 10_000, "x" * (size * 2000))
            cpu, mib = measured("importer", path)
            print(f"JUnit of {path.stat().st_size / 1e6:3.0f} MB: {cpu:5.2f} s, {mib:5.1f} MiB")


EVENTS: Final = 1_000_000


def write_go(path: Path, events: int) -> None:
    """Write a run of tests that each have four events, as those that pass do."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(events // 4):
            name = f"TestCase{number}"
            test = f'"Package":"example.com/lab/p{number // 500}","Test":"{name}"'
            time = f'"Time":"2026-03-02T09:00:00.{number % 1000:03}Z"'
            frame = '"Output":"%s\\n","OutputType":"frame"'
            file.write(f'{{{time},"Action":"run",{test}}}\n')
            for said in (f"=== RUN   {name}", f"--- PASS: {name} (0.01s)"):
                file.write(f'{{{time},"Action":"output",{test},{frame % said}}}\n')
            file.write(f'{{{time},"Action":"pass",{test},"Elapsed":0.01}}\n')


def go() -> None:
    """Print what a long run of `go test -json` costs, and what of it is recording."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made, "run.json")
        write_go(path, EVENTS)
        print(f"{EVENTS} events of go, {path.stat().st_size / 2**20:.0f} MiB, CPU and memory:")
        for what, goal in {"both": " (goal: 15 s)", "importer": ""}.items():
            cpu, mib = measured(what, path, "go:GoImporter", rounds=1)
            print(f"  {what:10} {cpu:6.2f} s {mib:6.1f} MiB{goal}")


def allure() -> None:
    """Print what a folder of results of Allure takes, and what of its memory is the importer's."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "allure-results")
        folder.mkdir()
        for number in range(CASES):
            text = (
                f'{{"uuid": "{number}", "fullName": "pkg.mod#test_{number}", "status": "passed", '
                f'"historyId": "h{number}", "start": {number}, "stop": {number + 5}}}'
            )
            folder.joinpath(f"{number}-result.json").write_text(text, encoding="utf-8")
        print(f"{CASES} results of Allure, CPU and memory:")
        for what in ("both", "importer"):
            cpu, mib = measured(what, folder, "allure:AllureImporter", rounds=1)
            print(f"  {what:10} {cpu:6.2f} s {mib:6.1f} MiB")


PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "pytest": pytest_recorder,
    "import": pytest_plugin_import,
    "junit": junit,
    "junit-large": junit_large,
    "go": go,
    "allure": allure,
}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
