"""Facts about the store in memory that the contract of all stores does not hold."""

from __future__ import annotations

import gc

import pytest

from holdall.errors import StoreUrlError
from holdall_plugins.stores.memory import MemoryRepository


def test_repositories_of_one_name_hold_the_same_sessions() -> None:
    MemoryRepository.from_url("memory://shared name").create("session").close()
    gc.collect()

    again = MemoryRepository.from_url("memory://shared%20name")

    assert list(again.ids()) == ["session"]
    again.remove("session")


def test_repositories_of_two_names_hold_their_own_sessions() -> None:
    MemoryRepository.from_url("memory://one").create("session")

    assert list(MemoryRepository.from_url("memory://other").ids()) == []


def test_a_repository_without_a_name_is_private() -> None:
    MemoryRepository().create("session")

    assert list(MemoryRepository().ids()) == []


def test_a_writer_that_nobody_holds_any_more_keeps_nobody_out() -> None:
    repository = MemoryRepository()
    repository.create("session")
    gc.collect()

    repository.open("session")


@pytest.mark.parametrize("url", ["memory://", "memory:x", "file:///x"])
def test_a_url_without_a_name_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError, match="memory://name"):
        MemoryRepository.from_url(url)
