"""A mirror keeps the contract of repositories, whichever stores it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.several import ContractOfSeveral, SmallContractOfSeveral

from holdall.testing import RepositoryContract
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.mirror import MirrorRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository


class TestMirrorOfFiles(ContractOfSeveral):
    def made(self, folder: Path) -> Repository:
        return MirrorRepository(FileRepository(folder / "a"), FileRepository(folder / "b"))


class TestMirrorWithQuorum(RepositoryContract):
    durable = False
    processes = False

    @pytest.fixture
    def repository(self) -> Repository:
        return MirrorRepository(*(MemoryRepository() for _ in range(3)), quorum=2)

    def reopen(self, repository: Repository) -> Repository:
        return repository


@pytest.mark.soak
class TestMirrorOfFileAndDatabase(SmallContractOfSeveral):
    def made(self, folder: Path) -> Repository:
        return MirrorRepository(FileRepository(folder / "a"), SqliteRepository(folder / "b.db"))
