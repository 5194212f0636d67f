"""The wrapper that waits: how long, and before what."""

from __future__ import annotations

import time

import pytest

from holdall.errors import StoreUrlError
from holdall_plugins.stores.latency import Latency, LatencyRepository
from holdall_plugins.stores.memory import MemoryRepository


def test_a_seed_makes_the_waits_of_one_run_those_of_the_next() -> None:
    one, again, other = (Latency(5, 2, seed) for seed in (1, 1, 2))

    waits = [one.seconds() for _ in range(20)]

    assert [again.seconds() for _ in range(20)] == waits
    assert [other.seconds() for _ in range(20)] != waits
    assert all(0.005 <= each <= 0.007 for each in waits)
    assert len(set(waits)) == 20


def test_each_step_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    repository = LatencyRepository(MemoryRepository(), ms=5)

    storage = repository.create("session")
    storage.append([b"entry"], expect=0)
    list(storage.read())
    ref = storage.put_blob([b"blob"])
    storage.open_blob(ref)
    assert len(waits) == 5
    log = storage.open_log("job")
    log.write(b"printed")  # stays in memory
    assert len(waits) == 6
    log.flush()
    storage.read_log("job")
    log.seal()
    storage.open_log("other").discard()
    storage.compact(b"snapshot", expect=1)
    assert len(waits) == 12
    storage.close()
    list(repository.ids())
    repository.open("session", mode="r")
    repository.remove("session")
    assert waits == [0.005] * 15


@pytest.mark.parametrize(
    "query", ["ms=x", "ms=-1", "ms=nan", "ms=inf", "jitter_ms=60001", "seed=1.5", "delay=1"]
)
def test_what_is_no_latency_is_refused(query: str) -> None:
    with pytest.raises(StoreUrlError, match=r"write latency\?ms=5::URL"):
        LatencyRepository.from_url(f"latency?{query}", MemoryRepository())


def test_its_url_has_all_that_was_said() -> None:
    inner = MemoryRepository.from_url("memory://slow")

    repository = LatencyRepository.from_url("latency?ms=5&jitter_ms=0.5&seed=123456789", inner)

    assert repository.url == "latency?ms=5&jitter_ms=0.5&seed=123456789::memory://slow"
