"""A tiered store keeps the contract of repositories, whatever becomes of the far store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.several import ContractOfSeveral

from holdall.testing import RepositoryContract
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.contracts import Repository
    from holdall.testing.crash import Call, Link


class TestTieredFiles(ContractOfSeveral):
    def made(self, folder: Path) -> Repository:
        return TieredRepository(FileRepository(folder / "near"), FileRepository(folder / "far"))

    def traced(self, work: Callable[[Link], object], *options: str) -> list[Call]:
        # No acknowledgement waits for the far store, so what fails there fails none.
        far = str(self.folder / "far")
        return [call for call in super().traced(work, *options) if not call.path.startswith(far)]


@pytest.mark.soak
class TestTieredMemory(RepositoryContract):
    durable = False
    processes = False

    @pytest.fixture
    def repository(self) -> Repository:
        return TieredRepository(MemoryRepository(), MemoryRepository())

    def reopen(self, repository: Repository) -> Repository:
        return repository
