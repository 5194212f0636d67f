"""What stores keep of what they acknowledged, over kills and cut connections, as a table.

    python -m tests.crash.harness [STORE...] [--kills N]

A process records results one by one, and says each number as soon as it was acknowledged. It
is killed with SIGKILL at random moments, connections to the servers are cut meanwhile, and
the next one goes on. Then every store is read, and its parts each by itself.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.servers import postgresql, s3
from tests.servers.proxy import Proxy

from holdall import Recorder, open_repository
from holdall.contracts import Repairable, Shippable
from holdall.errors import LockedStorageError
from holdall.journal import ResultRecorded, read_events
from holdall.testing.crash import PATIENCE_S, Child
from holdall.upkeep import check_session
from holdall_plugins.stores.mirror import MirrorRepository
from holdall_plugins.stores.overlay import OverlayRepository
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.servers.s3 import Answer, Request

    from holdall.contracts import Repository
    from holdall.testing.crash import Link

    Make = Callable[[], Repository]

LONGEST_S: Final = 0.25
OUTPUT: Final = b"a line of what the job printed\n" * 40
ATTACHED: Final = b"attached " * 3000
OPTIONS: Final = "timeout_s=2&retry_s=20&connect_timeout=2"
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}


class Row(NamedTuple):
    """What came of one store."""

    store: str
    kills: int
    cuts: int
    acknowledged: int
    found: int
    lost: int
    doubled: int
    seconds: float

    def __str__(self) -> str:
        counts = "".join(f"{value:>14}" for value in self[1:-1])
        return f"{self.store:<26}{counts}{self.seconds:>10.1f}"


HEADER: Final = f"{'store':<26}" + "".join(
    f"{name:>14}" for name in ("kills", "cuts", "acknowledged", "found", "lost", "doubled")
)


class Network:
    """Connections to the servers, which are cut at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.cuts = 0
        self._moments = random.Random(seed)  # noqa: S311 - moments of a test
        self._tcp: Proxy | None = None
        self._is_cutting = False
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()

    def folder_url(self, name: str) -> str:
        return f"file://{self.folder}/{name}"

    def database_url(self) -> str:
        return f"sqlite:///{self.folder}/lab.db"

    def postgresql_url(self) -> str:
        port = postgresql.server().port
        if self._tcp is None:
            self._tcp = self._open.enter_context(Proxy(port))
        return postgresql.new_url(OPTIONS).replace(f":{port}/", f":{self._tcp.port}/")

    def s3_url(self) -> str:
        between = self._open.enter_context(s3.proxy(self._decide))
        return between.url(query="retry_s=20")

    def _decide(self, _request: Request) -> Answer:
        if not self._is_cutting or self._moments.random() > 0.04:
            return s3.PASSES
        self.cuts += 1
        return s3.Answer(reaches=self._moments.random() < 0.5, is_cut=True)

    def disturb(self, seconds: float) -> None:
        """Let the time go by, and cut connections in it."""
        self._is_cutting = True
        due = time.monotonic() + seconds
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, self._moments.uniform(0.01, 0.2)))
            if self._tcp is not None and self._tcp.cut_all():
                self.cuts += 1
        self._is_cutting = False


@dataclass
class Subject:
    """A store under trial.

    Attributes:
        parts: The stores that it is over, each of which is to hold everything at the end.
        begin: The store where the session begins, if that is another.
    """

    make: Make
    parts: Sequence[str] = ()
    begin: str = ""


def of_file(network: Network) -> Subject:
    url = network.folder_url("store")
    return Subject(lambda: open_repository(url))


def of_sqlite(network: Network) -> Subject:
    url = network.database_url()
    return Subject(lambda: open_repository(url))


def of_postgresql(network: Network) -> Subject:
    url = network.postgresql_url()
    return Subject(lambda: open_repository(url))


def of_s3(network: Network) -> Subject:
    url = network.s3_url()
    return Subject(lambda: open_repository(url))


def of_mirror(network: Network) -> Subject:
    urls = (network.folder_url("one"), network.database_url())
    return Subject(lambda: MirrorRepository(*map(open_repository, urls)), urls)


def of_far_mirror(network: Network) -> Subject:
    urls = (network.database_url(), network.s3_url())
    return Subject(lambda: MirrorRepository(*map(open_repository, urls)), urls)


def of_tiered(network: Network) -> Subject:
    near, far = urls = (network.folder_url("near"), network.postgresql_url())
    return Subject(
        lambda: TieredRepository(open_repository(near), open_repository(far), close_s=2), urls
    )


def of_overlay(network: Network) -> Subject:
    """Return an overlay whose base has the beginning of the session."""
    urls = (network.folder_url("base"), network.folder_url("upper"))
    return Subject(lambda: OverlayRepository(*map(open_repository, urls)), begin=urls[0])


def of_encrypted(network: Network) -> Subject:
    key = network.folder / "lab.key"
    key.write_text(secrets.token_hex(32), encoding="ascii")
    key.chmod(0o600)
    url = f"compress::encrypt?key_file={key}::{network.folder_url('store')}"
    return Subject(lambda: open_repository(url))


STORES: Final[dict[str, Callable[[Network], Subject]]] = {
    "file": of_file,
    "sqlite": of_sqlite,
    "postgresql": of_postgresql,
    "s3": of_s3,
    "mirror(file,sqlite)": of_mirror,
    "mirror(sqlite,s3)": of_far_mirror,
    "tiered(file,postgresql)": of_tiered,
    "overlay(file,file)": of_overlay,
    "compress::encrypt::file": of_encrypted,
}


def opened(repository: Repository, session_id: str) -> Recorder:
    """Go on with a session as soon as the server heard of the end of its last writer."""
    due = time.monotonic() + PATIENCE_S
    while True:
        try:
            return Recorder.append(repository, session_id)
        except LockedStorageError:
            if time.monotonic() > due:
                raise
            time.sleep(0.02)


def record(make: Make, session_id: str, writer: int, link: Link, count: int = 0) -> None:
    """Go on with a session, by so many results, or until killed.

    Each result names its writer: one that was lost is not taken for that of the next writer.
    """
    link.acknowledge("begins")
    recorder = opened(make(), session_id)
    with recorder:
        first = recorder.job_count
        number = first
        while not count or number < first + count:
            attached = {"data": b"%d " % number + ATTACHED} if number % 5 == 0 else None
            name = f"com.example::job-{number}"
            recorder.record(
                name,
                outcome="pass",
                comments=str(writer),
                output=OUTPUT,
                attachments=attached,
            )
            recorder.checkpoint()
            link.acknowledge(f"{number} {writer}")
            number += 1


def results(repository: Repository, session_id: str) -> list[str]:
    """Return the number and the writer of each result; fail if a byte is damaged."""
    checked = check_session(repository, session_id, deep=True)
    assert not checked.damage, checked.damage
    with closing(repository.open(session_id, mode="r")) as storage:
        return [
            f"{event.job_id.rpartition('-')[2]} {event.result.comments}"
            for event in read_events(storage)
            if isinstance(event, ResultRecorded)
        ]


def doubled_in(table: list[str]) -> int:
    """Return how many results have the number of another one."""
    return len(table) - len({line.split()[0] for line in table})


def settle(repository: Repository, session_id: str) -> None:
    """Bring everywhere what should be everywhere."""
    if isinstance(repository, Shippable):
        repository.ship(session_id)
    if isinstance(repository, Repairable):
        assert all(repair.is_repaired for repair in repository.repair(session_id))


def trial(store: str, kills: int, seed: int = 1) -> Row:
    """Return what came of a session in one of `STORES`."""
    with tempfile.TemporaryDirectory(prefix="holdall-harness-") as folder, ExitStack() as stack:
        network = Network(Path(folder), seed)
        stack.callback(network.close)
        return survived(store, STORES[store](network), network, kills, seed)


def survived(store: str, subject: Subject, network: Network, kills: int, seed: int) -> Row:
    """Return what came of a session in a store over so many kills."""
    moments = random.Random(seed)  # noqa: S311 - moments of a test
    began = time.monotonic()
    with Recorder.create(subject.begin or subject.make(), title="Harness") as recorder:
        session_id = recorder.session_id
        recorder.record("com.example::job-0", outcome="pass")
    acknowledged: set[str] = set()
    for writer in range(kills):
        with Child(lambda link: record(subject.make, session_id, writer, link)) as child:  # noqa: B023
            said = [child.line()]
            if moments.random() < 0.7:  # otherwise also while it is opened
                said.append(child.line())
            network.disturb(moments.uniform(0.0, LONGEST_S))
            assert child.kill() == -signal.SIGKILL, child.errors
            acknowledged.update(line for line in [*said, *child.lines()][1:] if line)
    with Child(lambda link: record(subject.make, session_id, kills, link, count=3)) as child:
        acknowledged.update(child.lines()[1:])
        assert child.end() == 0, child.errors
    settle(subject.make(), session_id)
    everywhere = [subject.make(), *map(open_repository, subject.parts)]
    tables = [results(repository, session_id) for repository in everywhere]
    lost = max(len(acknowledged - set(table)) for table in tables)
    doubled = max(map(doubled_in, tables))
    counts = (len(acknowledged), len(tables[0]), lost, doubled)
    return Row(store, kills, network.cuts, *counts, time.monotonic() - began)


def main() -> int:
    """Print the table; return 1 if a store lost or doubled something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="*", metavar="STORE", help=", ".join(STORES))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ.update(CREDENTIALS)
    sys.stdout.write(f"{HEADER}{'s':>10}\n")
    is_sound = True
    for store in given.stores or STORES:
        row = trial(store, given.kills, given.seed)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
        is_sound = is_sound and not row.lost and not row.doubled
    return int(not is_sound)


if __name__ == "__main__":
    sys.exit(main())
