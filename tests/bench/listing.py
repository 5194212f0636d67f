"""What listing sessions costs: `python tests/bench/listing.py [FOLDER]`.

It makes many sessions in the store `file`, as runs leave them that end well, and
some whose writer was killed, and prints CPU seconds, warm and the best of three.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from holdall import JobResult, list_sessions
from holdall.journal import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    Journal,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
)
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.file.lines import encode_batch, header_line
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Repository
    from holdall.journal import AnyEvent

SESSIONS = 10_000
RESULTS = 100
KILLED = 100


def events(results: int) -> list[list[AnyEvent]]:
    """Return the batches of a run with two checkpoints a job."""
    ids = tuple(f"com.example::job-{number:04}" for number in range(results))
    begin: list[AnyEvent] = [
        SessionCreated(at=1.0, session_id="session", title="Nightly"),
        WriterOpened(at=1.0, version="1", format=2, boot_id="boot"),
        DeviceAdded(at=1.0),
        *(JobDefined(at=1.0, job=JobRecord(id=each, summary=f"About {each}")) for each in ids),
        JobsSelected(at=1.0, run_list=ids),
    ]
    batches = [begin]
    for number, each in enumerate(ids):
        log = [(0.01, "stdout", b"line %d of the output\n" % number)]
        result = JobResult(outcome="pass", return_code=0, execution_duration=0.1, io_log=log)
        batches.append([JobStarted(at=2.0 + number, job_id=each)])
        batches.append([ResultRecorded(at=2.5 + number, job_id=each, result=result)])
    return batches


def entries(results: int, *, is_closed: bool) -> list[bytes]:
    """Return the entries that such a run leaves."""
    repository = MemoryRepository()
    journal = Journal.begin(repository.create("session"))
    for batch in events(results):
        journal.append(batch)
    if is_closed:
        journal.close()
    return [entry for _number, entry in repository.open("session", mode="r").read()]


def fill_files(root: Path, stored: list[bytes], count: int, name: str) -> None:
    """Write session folders as the store would, but without its syncs."""
    for number in range(count):
        folder = root / f"{name}-{number:06}.session"
        folder.mkdir(parents=True)
        header, total = header_line(folder.stem, 1)
        lines = bytearray(header)
        for entry in stored:
            line, total = encode_batch([entry], total)
            lines += line
        (folder / "journal-00000000000000000001.jsonl").write_bytes(lines)


def cpu_of(step: Callable[[], object]) -> float:
    """Return the CPU seconds of the best of three."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        step()
        spent.append(time.process_time() - start)
    return min(spent)


def show(what: str, repository: Repository, goal: str = "") -> None:
    infos = list_sessions(repository)
    spent = cpu_of(lambda: list_sessions(repository))
    print(f"{what:<52}{len(infos):>8}  {spent:.3f} s  {goal}", flush=True)


def main(folder: str) -> None:
    """Print the table."""
    closed, killed = (entries(RESULTS, is_closed=is_closed) for is_closed in (True, False))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        root = Path(place)
        fill_files(root / "killed", killed, KILLED, "killed")
        show("file, writers were killed", FileRepository(root / "killed"))
        database = SqliteRepository(root / "lab.db")
        for number in range(KILLED):
            storage = database.create(f"session-{number}")
            storage.append(closed, expect=0)
            storage.close()
        show("sqlite", database)
        fill_files(root / "closed", closed, SESSIONS, "session")
        repository = FileRepository(root / "closed")
        show(f"file, {RESULTS} results each", repository, "goal 1 s")
        spent = cpu_of(lambda: next(repository.ids()))
        print(f"{'file, the last one':<52}{SESSIONS:>8}  {spent:.3f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())
