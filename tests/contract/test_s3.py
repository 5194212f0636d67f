"""The store in buckets keeps the contract of repositories, on moto's server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from tests.contract.thinned import ThinnedExchanges
from tests.servers.s3 import server

from holdall.testing import RepositoryContract
from holdall_plugins.stores.objects import S3Repository

if TYPE_CHECKING:
    from holdall.contracts import Repository


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")


class TestS3Repository(ThinnedExchanges, RepositoryContract):
    @pytest.fixture
    def repository(self) -> Repository:
        return S3Repository.from_url(server().url(f"100%25-%231/{uuid.uuid4().hex}"))

    def damage(self, repository: Repository, session_id: str) -> None:
        assert isinstance(repository, S3Repository)
        place, _first = repository._place_of(session_id)
        keys = [each.key for each in repository._bucket.list(place.journal, "damage")]
        packs = list(repository._bucket.list(place.beside, "damage"))  # of many, at their end
        _change(repository, packs[0].key if packs else keys[20])

    @pytest.mark.soak
    @pytest.mark.parametrize("step", ["create", "append", "compact", "put_blob", "remove"])
    def test_a_kill_at_any_system_call_loses_nothing(
        self, repository: Repository, step: str
    ) -> None:
        """What matters are requests, and tests/crash/test_s3_requests.py has each."""
        super().test_a_kill_at_any_system_call_loses_nothing(repository, step)

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        assert isinstance(repository, S3Repository)
        place, _first = repository._place_of(session_id)
        _change(repository, f"{place.blobs}/{ref.removeprefix('sha256:')}")


@pytest.mark.soak
class TestS3RepositoryAtEachExchange(TestS3Repository):
    every = 1


def _change(repository: S3Repository, key: str) -> None:
    data = bytearray(repository._bucket.get(key, "damage") or b"")
    data[-len(data) // 4] ^= 0x01
    repository._bucket.put(key, bytes(data), "damage")
