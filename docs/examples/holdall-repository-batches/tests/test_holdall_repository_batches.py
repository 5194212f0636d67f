from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from holdall.errors import LockedStorageError, StoreUrlError
from holdall.testing import RepositoryContract

from holdall_repository_batches import BatchesRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository


class TestBatchesRepository(RepositoryContract):
    """It keeps every promise of a store, whatever happens to the process or the disk."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return BatchesRepository(tmp_path / "store")


@pytest.mark.parametrize("rest", [":", "://", "://relative", "file:///folder"])
def test_a_url_without_a_folder_is_refused(rest: str) -> None:
    with pytest.raises(StoreUrlError):
        BatchesRepository.from_url(f"batches{rest}")


def test_a_living_writer_is_not_driven_out(tmp_path: Path) -> None:
    repository = BatchesRepository(tmp_path)
    writer = repository.create("session")

    with pytest.raises(LockedStorageError):
        repository.open("session", take_over=True)

    writer.close()
