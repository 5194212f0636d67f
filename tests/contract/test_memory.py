"""The store in memory keeps the contract of repositories."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from holdall.testing import RepositoryContract
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.contracts.stores import Repository

_numbers = itertools.count()


class TestMemoryRepository(RepositoryContract):
    durable = False
    processes = False

    @pytest.fixture
    def repository(self) -> Repository:
        return MemoryRepository.from_url(f"memory://contract {next(_numbers)}")

    def reopen(self, repository: Repository) -> Repository:
        return MemoryRepository.from_url(repository.url)

    def damage(self, repository: Repository, session_id: str) -> None:
        assert isinstance(repository, MemoryRepository)
        entries = repository._contents.sessions[session_id].entries
        entries[20] = entries[20].replace(b"2.0", b"3.0")
