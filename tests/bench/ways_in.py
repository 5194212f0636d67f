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


PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "pytest": pytest_recorder,
    "import": pytest_plugin_import,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
