"""What it costs to find, list and load plugins, in cold processes, beside other ways to do it.

    python tests/bench/discovery.py [--rounds 7]

Each number is the median of cold processes in which the ways take turns, as a
multiple of a bare interpreter in the same rounds. A quarter of the fabricated
distributions declare entry points of somebody's; ten declare an exporter.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

SIZES = (10, 200, 1000)

MODULE = """\
class Options:
    __dataclass_fields__ = {}
class Exporter:
    summary, suffix, media_type = "Small", ".txt", "text/plain"
    Options = Options
    def export(self, view, sink, context): ...
"""

# Find one small exporter among all that is installed, and load it.
WAYS = {
    "bare interpreter": "pass",
    "holdall: find and load": (
        "from holdall.registry import Registry\n"
        "Registry.discover().load('exporters', 'small.three')"
    ),
    "holdall --version": "from holdall.cli import main; main(['--version'])",
    "holdall plugins list": "from holdall.cli import main; main(['plugins', 'list'])",
    "importlib.metadata": (
        "from importlib.metadata import entry_points\n"
        "(p,) = entry_points(group='holdall.exporters', name='small.three'); p.load()"
    ),
    "importlib_metadata": (
        "from importlib_metadata import entry_points\n"
        "(p,) = entry_points(group='holdall.exporters', name='small.three'); p.load()"
    ),
    "stevedore, cold": (
        "from stevedore.driver import DriverManager\n"
        "DriverManager('holdall.exporters', 'small.three')"
    ),
    "stevedore, warm": (
        "from stevedore.driver import DriverManager\n"
        "DriverManager('holdall.exporters', 'small.three')"
    ),
    "pluggy": (
        "import pluggy\n"
        "m = pluggy.PluginManager('x'); m.load_setuptools_entrypoints('holdall.exporters')"
    ),
    "plux": "from plux import PluginManager\nPluginManager('holdall.exporters').list_names()",
}

NEEDS = {"importlib_metadata": "importlib_metadata", "pluggy": "pluggy", "plux": "plux"}


def fabricate(site: Path, count: int) -> None:
    """Write *count* installed distributions: metadata as pip leaves it, and small modules."""
    site.mkdir()
    for number in range(count):
        info = site / f"made_{number}-1.{number}.dist-info"
        info.mkdir()
        requires = "".join(f"Requires-Dist: made-{each}\n" for each in range(5))
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.3\nName: made-{number}\nVersion: 1.{number}\n{requires}\n"
            + "Words about it.\n" * 40
        )
        (info / "RECORD").write_text("".join(f"made_{number}/{i}.py,,\n" for i in range(20)))
        if number % 4 == 0:
            text = f"[console_scripts]\nmade{number} = made_{number}:main\n"
            if number // 4 < 10 and number < 40:
                name = "small.three" if number == 8 else f"small.n{number}"
                text += f"\n[holdall.exporters]\n{name} = small_{number}:Exporter\n"
                (site / f"small_{number}.py").write_text(MODULE)
            (info / "entry_points.txt").write_text(text)


def seconds(program: str, site: Path, cache: Path) -> float:
    environ = {
        **{key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ},
        "HOME": str(cache),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    start = perf_counter()
    subprocess.run(
        [sys.executable, "-c", program],
        env=environ,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return perf_counter() - start


def usable(way: str) -> bool:
    module = NEEDS.get(way, "stevedore" if way.startswith("stevedore") else "")
    return not module or importlib.util.find_spec(module) is not None


def measured(site: Path, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median of each way; the first round warms the file system and is dropped."""
    ways = [way for way in WAYS if usable(way)]
    took: dict[str, list[float]] = {way: [] for way in ways}
    warm = folder / "warm"
    for number in range(rounds + 1):
        for way in ways:
            cache = folder / f"cold-{number}" if way.endswith("cold") else warm
            cache.mkdir(exist_ok=True)
            elapsed = seconds(WAYS[way], site, cache)
            if number:
                took[way].append(elapsed)
    return {way: median(each) for way, each in took.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    tables = {}
    with TemporaryDirectory(prefix="holdall-bench-") as name:
        for size in SIZES:
            folder = Path(name) / str(size)
            folder.mkdir()
            fabricate(folder / "site", size)
            tables[size] = measured(folder / "site", folder, rounds)
    bare = [f"{tables[size]['bare interpreter'] * 1000:.1f}" for size in SIZES]
    print(f"bare interpreter, ms: {', '.join(bare)}; Python {sys.version.split()[0]}")
    print(f"{'multiples of it':24}" + "".join(f"{size:>8}" for size in SIZES))
    for way in tables[SIZES[0]]:
        row = "".join(
            f"{tables[size][way] / tables[size]['bare interpreter']:8.1f}" for size in SIZES
        )
        print(f"{way:24}{row}")
    missing = [way for way in WAYS if not usable(way)]
    if missing:
        print(f"not installed here: {', '.join(missing)}")


if __name__ == "__main__":
    main()
