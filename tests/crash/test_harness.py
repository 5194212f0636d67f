"""Stores and compositions keep what they acknowledge, and the harness sees it if one does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.crash.harness import CREDENTIALS, STORES, Network, Subject, survived, trial

from holdall import open_repository
from holdall.stores import RepositoryWrapper, StorageWrapper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdall.contracts import Level, Storage


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("store", STORES)
def test_what_a_store_acknowledged_is_there_once_after_kills(store: str) -> None:
    row = trial(store, kills=1 if "s3" in store else 2)

    assert (row.lost, row.doubled) == (0, 0)
    assert row.found >= row.acknowledged >= 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("store", STORES)
def test_what_a_store_acknowledged_is_there_once_after_many_kills(store: str, seed: int) -> None:
    row = trial(store, kills=200, seed=seed)

    assert (row.lost, row.doubled) == (0, 0)
    assert row.acknowledged > 100


class LazyStorage(StorageWrapper):
    """Acknowledges batches when it has them in memory, and stores them some batches later."""

    def __init__(self, inner: Storage, repository: LazyRepository) -> None:
        super().__init__(inner, repository)
        self._waiting: list[bytes] = []

    @property
    def head(self) -> int:
        return self.inner.head + len(self._waiting)

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        assert expect == self.head
        self._waiting += entries
        self._store(self._waiting[:-8], level)  # so a kill at any moment takes some along
        return self.head

    def _store(self, entries: Sequence[bytes], level: Level = "system") -> None:
        self.inner.append(entries, expect=self.inner.head, level=level)
        del self._waiting[: len(entries)]

    def close(self) -> None:
        if self._waiting:
            self._store(self._waiting[:])
        super().close()


class LazyRepository(RepositoryWrapper):
    def wrapped(self, storage: Storage) -> Storage:
        return LazyStorage(storage, self)


def test_the_harness_counts_what_a_store_loses(tmp_path: Path) -> None:
    store = open_repository(f"file://{tmp_path}/store")
    subject = Subject(lambda: LazyRepository(store))

    row = survived("lazy", subject, Network(tmp_path, 1), kills=3, seed=1)

    assert row.lost > 0
