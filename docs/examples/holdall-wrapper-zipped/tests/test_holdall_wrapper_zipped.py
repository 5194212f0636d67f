from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from holdall import open_repository
from holdall.contracts import HasFolder
from holdall.errors import CorruptSessionError, StoreUrlError
from holdall.testing import WrapperContract

from holdall_wrapper_zipped import ZippedRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository


class TestZippedRepository(WrapperContract):
    """It keeps the promises of every store, and forwards what the inner one may do besides."""

    wrapper = ZippedRepository
    head = "zipped?level=6"

    def damage(self, repository: Repository, session_id: str) -> None:
        """Change a byte of what is stored, which no file holds as it is read."""
        storage = repository.open(session_id, mode="r")
        assert isinstance(storage, HasFolder)
        [journal] = storage.folder.glob("journal-*")
        storage.close()
        data = bytearray(journal.read_bytes())
        data[len(data) // 2] ^= 0x01
        journal.write_bytes(data)


def test_what_is_stored_is_smaller(tmp_path: Path) -> None:
    inner = open_repository(tmp_path.as_uri())
    storage = ZippedRepository(inner).create("session")

    storage.append([b"again and " * 1000], expect=0)
    storage.close()

    sizes = [path.stat().st_size for path in tmp_path.rglob("journal-*")]
    assert sum(sizes) < 1000


def test_an_entry_that_was_not_zipped_is_damage() -> None:
    inner = open_repository("memory://plain")
    inner.create("session").append([b"plain"], expect=0)

    with pytest.raises(CorruptSessionError, match="not zipped"):
        list(ZippedRepository(inner).open("session", mode="r").read())


@pytest.mark.parametrize("url", ["zipped?level=0", "zipped?level=best", "zipped?levle=1"])
def test_a_url_that_can_not_be_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError):
        ZippedRepository.from_url(url, open_repository("memory://inner"))
