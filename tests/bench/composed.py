"""What `mirror`, `tiered` and `overlay` add to a checkpoint: `python tests/bench/composed.py`.

Each is measured beside the stores that it is over, which do the same steps in turn with it,
a few at a time. Then tiers ship what 10 000 results are.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from holdall.stores import open_repository
from holdall_plugins.stores.mirror import MirrorRepository
from holdall_plugins.stores.overlay import OverlayRepository
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository, Storage

ENTRIES = [b"x" * 160, b"y" * 420]
TURN, TURNS = 10, 60


def step_s(storages: list[Storage]) -> float:
    """Return the time that storing one result in each of *storages* takes."""
    began = time.perf_counter()
    for storage in storages:
        storage.append(ENTRIES, expect=storage.head)
    return time.perf_counter() - began


def compared(wrapper: Repository, inner: list[Repository]) -> tuple[float, float]:
    """Return the medians of a step of the wrapper, and of one of the stores that wait for it."""
    composed = [wrapper.create("composed")]
    bare = [repository.create("bare") for repository in inner]
    steps: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for storages, times in zip((composed, bare), steps, strict=True):
            times.extend(step_s(storages) for _ in range(TURN))
    for storage in (*composed, *bare):
        storage.close()
    return median(steps[0]), median(steps[1])


def shipped_s(near: Repository, far: Repository) -> float:
    """Return how long it takes until 10 000 results that are near are far."""
    with closing(near.create("many")) as storage:
        for head in range(0, 20_000, 200):
            storage.append(ENTRIES * 100, expect=head)
    repository = TieredRepository(near, far)
    began = time.perf_counter()
    count = repository.ship("many")
    assert count == 20_000
    return time.perf_counter() - began


def main() -> None:
    """Print the tables."""
    folder = Path(tempfile.mkdtemp(prefix="holdall-bench-"))
    try:
        a, b = (open_repository(f"file://{folder}/{name}") for name in ("a", "b"))
        database = open_repository(f"sqlite:///{folder}/c.db")
        rows: list[tuple[str, Repository, list[Repository]]] = [
            ("mirror of file and file", MirrorRepository(a, b), [a, b]),
            ("mirror of file and sqlite", MirrorRepository(a, database), [a, database]),
            ("tiered of file and file", TieredRepository(a, b), [a]),
            ("tiered of file and sqlite", TieredRepository(a, database), [a]),
            ("overlay of file and file", OverlayRepository(b, a), [a]),
        ]
        for name, wrapper, inner in rows:
            composed, bare = compared(wrapper, inner)
            for repository in (wrapper, *inner):
                repository.remove("composed" if repository is wrapper else "bare")
            times = f"{composed * 1e3:7.3f} ms  {bare * 1e3:7.3f} ms  {composed / bare:5.2f} x"
            print(f"{name:<28}{times}")
        print(f"10 000 results shipped from file to sqlite: {shipped_s(a, database):.2f} s")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
