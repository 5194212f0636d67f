"""The wrapper that compresses keeps the contract, alone and over one that encrypts."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from tests.contract.recoded import KEY, VARIABLE, change_blob, change_journal
from tests.contract.thinned import ThinnedKills

from holdall.stores import file_url, open_repository
from holdall.testing import RepositoryContract, WrapperContract
from holdall_plugins.stores.compress import CompressedRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.mark.soak
class TestCompressedFiles(WrapperContract):
    wrapper = CompressedRepository
    head = "compress?level=1"

    def damage(self, repository: Repository, session_id: str) -> None:
        change_journal(repository, session_id)

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        change_blob(repository, session_id, ref)


class TestCompressedMemory(WrapperContract):
    wrapper = CompressedRepository
    head = "compress"
    durable = False
    processes = False

    @pytest.fixture
    def inner(self) -> Repository:
        return open_repository(f"memory://compressed {next(_numbers)}")


@pytest.mark.soak
class TestCompressedAndEncryptedFiles(ThinnedKills, RepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        inner = open_repository(f"encrypt?key_env={VARIABLE}::{file_url(tmp_path)}")
        return CompressedRepository.from_url("compress", inner)

    def damage(self, repository: Repository, session_id: str) -> None:
        change_journal(repository, session_id)

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        change_blob(repository, session_id, ref)
