"""The store in a SQLite database keeps the contract of repositories."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from holdall.testing import RepositoryContract
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts.stores import Repository


class TestSqliteRepository(RepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return SqliteRepository(tmp_path / "made when needed" / "100% #1?.db")

    def reopen(self, repository: Repository) -> Repository:
        return SqliteRepository.from_url(repository.url)

    def damage(self, repository: Repository, session_id: str) -> None:
        assert isinstance(repository, SqliteRepository)
        change = (
            "UPDATE entries SET data = CAST(replace(data, '2.0', '3.0') AS BLOB) "
            "WHERE n = 21 AND session = (SELECT key FROM sessions WHERE id = ?)"
        )
        with closing(sqlite3.connect(repository._path)) as connection, connection:
            connection.execute(change, (session_id,))
