"""The store in a PostgreSQL database keeps the contract of repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.contract.thinned import ThinnedExchanges
from tests.servers import postgresql

from holdall.testing import RepositoryContract
from holdall_plugins.stores.postgresql import PostgresqlRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Repository
    from holdall.testing.crash import Call

_ENTRY = """
UPDATE entries SET data = set_byte(data, length(data) / 2, get_byte(data, length(data) / 2) # 1)
WHERE n = 21 AND session = (SELECT key FROM sessions WHERE id = %s)
"""
_CHUNK = """
UPDATE chunks SET data = set_byte(data, length(data) / 2, get_byte(data, length(data) / 2) # 1)
WHERE n = 0 AND blob = (SELECT key FROM blobs WHERE ref = %s)
"""


class TestPostgresqlRepository(ThinnedExchanges, RepositoryContract):
    @pytest.fixture
    def repository(self) -> Iterator[Repository]:
        repository = PostgresqlRepository.from_url(postgresql.new_url())
        yield repository
        with psycopg.connect(postgresql.server().url()) as connection:
            schema = psycopg.sql.Identifier(repository._location.schema)
            drop = psycopg.sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema)
            connection.execute(drop)

    def loses_connections(self, repository: Repository, calls: list[Call]) -> None:
        # libpq reads on after a send that failed; of this one the server knows nothing, so
        # nothing comes, and only the end of the patience tells that the connection is lost.
        impatient = PostgresqlRepository.from_url(f"{repository.url}&timeout_s=0.25")
        super().loses_connections(impatient, calls)

    def damage(self, repository: Repository, session_id: str) -> None:
        _change(repository, _ENTRY, session_id)

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        del session_id
        _change(repository, _CHUNK, ref)


@pytest.mark.soak
class TestPostgresqlRepositoryAtEachExchange(TestPostgresqlRepository):
    every = 1


def _change(repository: Repository, statement: str, value: str) -> None:
    assert isinstance(repository, PostgresqlRepository)
    with psycopg.connect(postgresql.server().url()) as connection:
        connection.execute(
            "SELECT set_config('search_path', %s, false)", [repository._location.schema]
        )
        changed = connection.execute(statement.encode(), [value])
        assert changed.rowcount == 1
