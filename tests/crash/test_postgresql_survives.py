"""Sessions in PostgreSQL lose nothing: cut connections, a killed server, a killed client.

What records them is another process, which says what was acknowledged to it.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.crash.recording import ATTACHED, JOBS, LOGGED
from tests.servers import postgresql
from tests.servers.proxy import Proxy

from holdall.journal import ResultRecorded, SessionCreated, read_events
from holdall_plugins.stores.postgresql import PostgresqlRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.proxy import Way

    from holdall.contracts import Repository

WAYS: tuple[Way, ...] = ("reset", "close", "silence")
OPTIONS = "timeout_s=1&retry_s=20&connect_timeout=2"


class Recording:
    """A process that records sessions, one at a time."""

    def __init__(self, url: str) -> None:
        program = Path(__file__).with_name("recording.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, name: str) -> None:
        """Let it record a session."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()

    def lines(self) -> Iterator[str]:
        """Yield what it says of the session, up to its end or that of the process."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield line.strip()
            if line.startswith(("end", "failed")):
                return

    def kill(self) -> None:
        """Kill it, if it still runs."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            if file is not None:
                with closing(file):
                    pass


@contextmanager
def recording(url: str) -> Iterator[Recording]:
    """Give a process that records at *url*, and kill it at the end."""
    started = Recording(url)
    try:
        yield started
    finally:
        started.kill()


def check(repository: Repository, lines: list[str]) -> None:
    """Check that a session holds what was acknowledged, once, and that it can be read whole."""
    session_id = next(line for line in lines if line.startswith("session ")).split()[1]
    acknowledged = sum(line.startswith("acknowledged") for line in lines)
    with closing(repository.open(session_id, mode="r")) as storage:
        entries = list(storage.read())
        assert [number for number, _ in entries] == list(range(1, len(entries) + 1))
        events = list(read_events(storage))
        created = sum(isinstance(event, SessionCreated) for event in events)
        assert created == (1 if events else 0)
        results = [event.job_id for event in events if isinstance(event, ResultRecorded)]
        assert results == [f"com.example::job-{number}" for number in range(len(results))]
        assert acknowledged <= len(results) <= JOBS
        refs = list(storage.blobs())  # type: ignore[attr-defined]
        for ref in refs:
            with storage.open_blob(ref) as blob:
                data = blob.read()
            assert LOGGED in data or ATTACHED in data
    assert len(refs) >= 2 * acknowledged  # of each job what it printed, and what it attached


def cut_each(numbers: list[int], ways: tuple[Way, ...]) -> int:
    """Record a session for each piece that is cut, and return how many pieces a session has."""
    with Proxy(postgresql.server().port) as proxy:
        url = postgresql.new_url(OPTIONS)
        repository = PostgresqlRepository.from_url(url)
        through = url.replace(f":{postgresql.server().port}/", f":{proxy.port}/")
        with recording(through) as child:
            child.begin("whole")
            check(repository, list(child.lines()))
            before = proxy.pieces
            child.begin("again")
            check(repository, list(child.lines()))
            pieces = proxy.pieces - before
            for number, way in zip(numbers, ways * len(numbers), strict=False):
                if number <= pieces:
                    proxy.cut_at(proxy.pieces + number, way, after=number % 7)
                    child.begin(f"{way}-{number}")
                    lines = list(child.lines())
                    assert lines[-1] == f"end {way}-{number}"
                    check(repository, lines)
        return pieces


def test_a_connection_cut_at_any_message_costs_nothing_but_time() -> None:
    pieces = cut_each([*range(1, 400, 7)], ("reset", "close"))

    assert 40 < pieces < 400


def test_a_server_that_falls_silent_is_left_for_another_connection() -> None:
    cut_each([50], ("silence",))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", WAYS)
def test_a_connection_cut_at_every_message_in_every_way_costs_nothing_but_time(way: Way) -> None:
    cut_each(list(range(1, 400)), (way,))


def kill_server(times: int, seed: int) -> None:
    """Kill a server while sessions are recorded, again and again."""
    moments = random.Random(seed)  # noqa: S311 - moments of a test
    server = postgresql.new_server()
    server.start()
    url = server.url(f"schema=kills&{OPTIONS}")
    repository = PostgresqlRepository.from_url(url)
    try:
        with recording(url) as child:
            for number in range(times):
                child.begin(f"session-{number}")
                lines = child.lines()
                said = [next(lines)]
                thread = threading.Thread(target=lambda: said.extend(lines))  # noqa: B023
                thread.start()
                time.sleep(moments.uniform(0, 0.1))
                server.kill()
                server.start()
                thread.join()
                assert said[-1] == f"end session-{number}"
                check(repository, said)
    finally:
        server.remove()


def test_a_server_killed_in_the_middle_of_a_run_costs_nothing_but_time() -> None:
    kill_server(2, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_a_server_killed_again_and_again_costs_nothing_but_time(seed: int) -> None:
    kill_server(40, seed)


def kill_client(times: int, seed: int) -> None:
    """Kill the process that records, at random moments, and check what it leaves."""
    moments = random.Random(seed)  # noqa: S311 - moments of a test
    url = postgresql.new_url()
    repository = PostgresqlRepository.from_url(url)
    for number in range(times):
        with recording(url) as child:
            child.begin(f"session-{number}")
            lines = child.lines()
            said = [next(lines)]
            time.sleep(moments.uniform(0, 0.08))
            child._process.kill()
            said.extend(lines)
            check(repository, said)
            session_id = said[0].split()[1]
            with closing(repository.open(session_id)) as storage:  # at once, without taking over
                head = storage.head
                assert storage.append([b"more"], expect=head) == head + 1


def test_a_client_killed_at_any_moment_loses_nothing_acknowledged() -> None:
    kill_client(4, seed=2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_clients_killed_again_and_again_lose_nothing_acknowledged() -> None:
    kill_client(300, seed=3)
