"""Sessions in buckets survive a kill at each request, and what servers and networks do to them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest
from tests.servers.s3 import PASSES, Answer, proxy, server

from holdall.errors import (
    FailedStorageError,
    LockedStorageError,
    StaleWriterError,
    StorageAccessError,
    StorageError,
)
from holdall.testing.crash import Child
from holdall_plugins.stores.objects import S3Repository

if TYPE_CHECKING:
    from tests.servers.s3 import Proxy, Request

    from holdall.contracts import Repository, Storage
    from holdall.testing.crash import Link

SESSION: Final = "session"
BLOB: Final = b"x" * 100


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")


def opened(url: str) -> Repository:
    return S3Repository.from_url(url)


def entry(number: int) -> bytes:
    return b"entry %d" % number


def found(url: str) -> list[tuple[int, bytes]]:
    with contextlib.closing(opened(url).open(SESSION, mode="r")) as storage:
        return list(storage.read())


def check(url: str, acknowledged: int) -> None:
    """Check that a session holds what was acknowledged, each entry once and in its place."""
    entries = found(url)
    numbers = [number for number, _ in entries]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)) if numbers else not acknowledged
    assert all(data == entry(number) for number, data in entries)
    assert (numbers[-1] if numbers else 0) >= acknowledged


def session(url: str, link: Link | None = None) -> int:
    """Record a session, and return its head; a link is told what was acknowledged."""
    repository = opened(url)
    storage = repository.create(SESSION)
    head = 0
    for step in range(6):
        if step == 2:
            storage.put_blob([BLOB])
        if step == 4:
            head = storage.compact(entry(head + 1), expect=head)
        else:
            head = storage.append([entry(head + 1), entry(head + 2)], expect=head)
        if link is not None:
            link.acknowledge(head)
    storage.close()
    return head


EACH: Final = pytest.param(1, id="each", marks=pytest.mark.soak)


@pytest.mark.parametrize("step", [pytest.param(6, id="some"), EACH])
@pytest.mark.parametrize("reaches", [True, False], ids=["behind", "before"])
def test_a_writer_killed_at_a_request_loses_nothing_acknowledged(
    *, reaches: bool, step: int
) -> None:
    with proxy() as between:
        killed = 0
        while killed_at(between, step * (killed + 1) - reaches, reaches=reaches):
            killed += 1

    assert killed * step > 20


def killed_at(between: Proxy, number: int, *, reaches: bool) -> bool:
    """Kill a writer at its n-th request if it makes so many, and check what it left."""
    children: list[Child] = []
    url, due = between.url(), len(between.requests) + number

    def decide(request: Request) -> Answer:
        if request.number != due:
            return PASSES
        os.kill(children[0].pid, signal.SIGKILL)
        return Answer(reaches=reaches, is_cut=True)

    def work(link: Link) -> None:
        link.wait()
        session(url, link)

    between.decide = decide
    with Child(work) as child:
        children.append(child)
        child.go()
        heads = [int(line) for line in child.lines()]
        code = child.end()
    between.decide = lambda _request: PASSES
    if code == 0:
        assert heads[-1] == 11
        return False
    assert code == -signal.SIGKILL, child.errors
    if heads or SESSION in opened(url).ids():
        goes_on(url, max(heads, default=0))
    return True


def goes_on(url: str, acknowledged: int) -> None:
    check(url, acknowledged)
    with contextlib.closing(opened(url).open(SESSION)) as storage:
        head = storage.head
        assert storage.append([entry(head + 1)], expect=head) == head + 1
    check(url, acknowledged + 1)


FAULTS: Final = {
    "503": Answer(reaches=False, status=503),
    "503 for what was done": Answer(status=503),
    "cut": Answer(reaches=False, is_cut=True),
    "cut behind what was done": Answer(is_cut=True),
    "409 for nothing": Answer(reaches=False, status=409),
    "late": Answer(delay_s=0.1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_session_goes_on_over_each_fault(fault: str) -> None:
    seen: set[tuple[str, str]] = set()

    def decide(request: Request) -> Answer:
        """Fail the first time that an object is to be put if there is none."""
        request_of = (request.method, request.path)
        if not request.is_conditional or request_of in seen:
            return PASSES
        seen.add(request_of)
        return FAULTS[fault]

    with proxy(decide) as between:
        url = between.url(query="retry_s=20")
        head = session(url)

    assert head == 11
    assert len(seen) > 7
    url = url.replace(f":{between.port}", f":{server().port}")
    assert found(url) == [(number, entry(number)) for number in range(9, 12)]


def test_an_outage_is_never_acknowledged_and_ends_the_handle() -> None:
    with proxy() as between:
        storage = opened(between.url(query="retry_s=1")).create(SESSION)
        storage.append([entry(1)], expect=0)
        url = storage.repository.url
        between.decide = lambda _request: Answer(reaches=False, status=503)
        begun = time.monotonic()

        with pytest.raises(FailedStorageError, match="the server says"):
            storage.append([entry(2)], expect=1)

        assert time.monotonic() - begun < 10
        between.decide = lambda _request: PASSES
        with pytest.raises(FailedStorageError):
            storage.append([entry(2)], expect=1)
        storage.close()
        goes_on(url, 1)


def test_a_bucket_that_vanishes_is_an_error_with_the_way_out() -> None:
    server().request("PUT", "/vanishing")
    repository = opened(server().url(bucket="vanishing"))
    storage = repository.create(SESSION)
    for key in ("probe", "sessions", "data"):
        repository_bucket = repository._bucket  # type: ignore[attr-defined]
        repository_bucket.delete([o.key for o in repository_bucket.list(key, "empty")], "empty")
    server().request("DELETE", "/vanishing")

    with pytest.raises(StorageAccessError, match="there is no bucket 'vanishing'; create it"):
        storage.append([entry(1)], expect=0)
    with pytest.raises(StorageAccessError, match="there is no bucket"):
        list(repository.ids())
    storage.close()


def test_a_server_that_ignores_the_condition_is_refused_for_writing() -> None:
    url = server().url()
    opened(url).create(SESSION).close()
    with proxy(lambda _request: Answer(drops_condition=True)) as between:
        repository = opened(url.replace(f":{server().port}", f":{between.port}"))

        for use in (repository.create, repository.open, repository.remove):
            with pytest.raises(StorageAccessError, match="If-None-Match"):
                use(SESSION)
        repository.open(SESSION, mode="r").close()


def test_a_writer_that_was_driven_out_finds_no_free_position_behind_a_compaction() -> None:
    url = server().url()
    old = opened(url).create(SESSION)
    old.append([entry(1)], expect=0)

    new = opened(url).open(SESSION, take_over=True)
    new.append([entry(2)], expect=1)
    new.compact(entry(3), expect=2)
    new.append([entry(4)], expect=3)
    new.compact(entry(5), expect=4)

    with pytest.raises(StaleWriterError):
        old.append([b"lost"], expect=1)
    assert found(url) == [(5, entry(5))]
    old.close()
    new.close()


def live(url: str, name: str, lives: int) -> list[tuple[int, bytes]]:
    """Drive the others out again and again, and return what was acknowledged."""
    acknowledged = []
    for life in range(lives):
        with contextlib.suppress(LockedStorageError):
            storage: Storage = opened(url).open(SESSION, take_over=True)
            with contextlib.suppress(StorageError):
                for number in range(4):
                    data = f"{name} {life} {number}".encode()
                    head = storage.append([data], expect=storage.head)
                    acknowledged.append((head, data))
            storage.close()
    return acknowledged


def test_racing_writers_fork_nothing_and_lose_nothing_acknowledged() -> None:
    url = server().url()
    opened(url).create(SESSION).close()

    def process(name: str) -> list[tuple[int, bytes]]:
        def work(link: Link) -> None:
            for number, data in live(url, name, 5):
                link.acknowledge(f"{number}:{data.decode()}")

        with Child(work) as child:
            lines = child.lines()
            assert child.end() == 0, child.errors
        return [(int(line.partition(":")[0]), line.partition(":")[2].encode()) for line in lines]

    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(live, url, f"thread {number}", 5) for number in range(2)]
        acknowledged = process("process")
        for thread in threads:
            acknowledged += thread.result()

    entries = found(url)
    assert [number for number, _ in entries] == list(range(1, len(entries) + 1))
    assert len({data for _, data in entries}) == len(entries)
    assert set(acknowledged) <= set(entries)
    assert len(acknowledged) > 15


def test_a_lease_of_another_machine_keeps_out_until_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = server().url()
    with monkeypatch.context() as other:
        other.setattr("holdall_plugins.stores.objects.lease.this_holder", _elsewhere)
        storage = opened(url).create(SESSION)
        storage.append([entry(1)], expect=0)

    with pytest.raises(LockedStorageError, match="process 1 of elsewhere"):
        opened(url).open(SESSION)
    monkeypatch.setattr("holdall_plugins.stores.objects.lease.LASTS", _none())
    new = opened(url).open(SESSION)
    assert new.append([entry(2)], expect=1) == 2
    with pytest.raises(StaleWriterError):
        storage.append([entry(2)], expect=1)
    new.close()
    storage.close()


def _elsewhere() -> object:
    from holdall_plugins.stores.objects.lease import Holder

    return Holder(pid=1, started="1", boot_id="b", namespace="n", machine="m", host="elsewhere")


def _none() -> object:
    from datetime import timedelta

    return timedelta(seconds=-1)
