"""What `compress` saves: `python tests/bench/compression.py [--train FILE --from URL...]`.

Entries of a recorded session of the provider `smoke` and of a lab's session are compressed
one by one, with the dictionary that is shipped and without. `--train` makes a dictionary of the
entries of all sessions in some stores; one that was shipped is never made again.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from backports import zstd

sys.path.insert(0, str(Path(__file__).parents[2]))

import holdall_plugins
from holdall.stores import open_repository
from holdall_plugins.stores.compress.zstandard import (
    DICTIONARIES,
    LATEST,
    Packer,
    allowed,
    decompressed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 16 << 10
ELSEWHERE = b"/usr/lib/python3/dist-packages"


def entries_of(url: str) -> Iterator[bytes]:
    """Yield the entries of all sessions in a store."""
    repository = open_repository(url)
    for session_id in repository.ids():
        with closing(repository.open(session_id, mode="r")) as storage:
            yield from (entry for _number, entry in storage.read())


def train(file: Path, urls: list[str]) -> None:
    """Make a dictionary of the entries of the size that it is used for."""
    # Where this machine has the package is no business of others.
    here = str(Path(holdall_plugins.__file__).parents[1]).encode()
    entries = (entry.replace(here, ELSEWHERE) for url in urls for entry in entries_of(url))
    samples = {entry for entry in entries if len(entry) <= 1 << 14}
    trained = zstd.train_dict(sorted(samples), SIZE)
    print(f"{len(samples)} entries, dictionary {trained.dict_id} of {len(trained.dict_content)}")
    number = max(DICTIONARIES).to_bytes(4, "little")
    file.write_bytes(trained.dict_content[:4] + number + trained.dict_content[8:])


def measure(name: str, entries: list[bytes]) -> None:
    """Print how small entries get, and what that takes."""
    size = sum(map(len, entries))
    for label, dictionary in (("alone", 0), ("dictionary", LATEST)):
        packer = Packer(3, dictionary)
        packed, times, backs = 0, [], []
        for entry in entries:
            began = time.perf_counter()
            frame = packer.packed(entry)
            times.append(time.perf_counter() - began)
            packed += min(len(entry), len(frame or entry) + 2)
            if frame:
                began = time.perf_counter()
                assert decompressed(frame, allowed(len(frame))) == entry
                backs.append(time.perf_counter() - began)
        print(
            f"{name:<6} {len(entries):>6} entries of {size / len(entries):5.0f} bytes, "
            f"{label:<10}: {packed / size:6.1%}, {statistics.median(times) * 1e6:5.1f} us each, "
            f"back {statistics.median(backs or [0]) * 1e6:5.1f} us"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, metavar="FILE")
    parser.add_argument("--from", dest="urls", nargs="*", default=[], metavar="URL")
    given = parser.parse_args()
    if given.train:
        train(given.train, given.urls)
        return
    from tests.bench import lab_session

    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder) / "lab"
        lab_session.store(lab, 1000)
        smoke = f"file://{folder}/smoke"
        command = [sys.executable, "-m", "holdall", "run", "smoke", "--store", smoke]
        subprocess.run(command, check=False, capture_output=True)
        measure("smoke", list(entries_of(smoke)))
        measure("lab", list(entries_of(f"file://{lab}")))


if __name__ == "__main__":
    main()
