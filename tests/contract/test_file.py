"""The store in plain files keeps the contract of repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.testing import RepositoryContract
from holdall_plugins.stores.file import FileRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts.stores import Repository


class TestFileRepository(RepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return FileRepository(tmp_path / "made when needed" / "100% #1?")

    def reopen(self, repository: Repository) -> Repository:
        return FileRepository.from_url(repository.url)

    def damage(self, repository: Repository, session_id: str) -> None:
        assert isinstance(repository, FileRepository)
        [journal] = (repository._root / f"{session_id}.session").glob("journal-*")
        data = bytearray(journal.read_bytes())
        data[len(data) // 2] ^= 0x01
        journal.write_bytes(data)
