"""The wrapper that encrypts keeps the contract of repositories, and that of wrappers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.recoded import KEY, VARIABLE, change_blob, change_journal

from holdall.testing import WrapperContract
from holdall_plugins.stores.encrypt import EncryptedRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


class TestEncryptedFiles(WrapperContract):
    wrapper = EncryptedRepository
    head = f"encrypt?key_env={VARIABLE}"

    def damage(self, repository: Repository, session_id: str) -> None:
        change_journal(repository, session_id)

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        change_blob(repository, session_id, ref)
