"""The wrappers keep the contract of what they wrap, as long as they are to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.thinned import ThinnedKills

from holdall.contracts import HasFolder
from holdall.errors import (
    FailedStorageError,
    ReadOnlyStorageError,
    StorageFullError,
    StoreUrlError,
)
from holdall.testing import WrapperContract
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.readonly import ReadOnlyRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts.stores import Repository


class TestFaultyRepository(ThinnedKills, WrapperContract):
    wrapper = FaultyRepository
    head = "faulty?fail=1000000"

    @pytest.fixture
    def inner(self, tmp_path: Path) -> Repository:
        return FileRepository(tmp_path)

    def damage(self, repository: Repository, session_id: str) -> None:
        storage = repository.open(session_id, mode="r")
        assert isinstance(storage, HasFolder)
        [journal] = storage.folder.glob("journal-*")
        storage.close()
        data = bytearray(journal.read_bytes())
        data[len(data) // 3] ^= 0x10
        journal.write_bytes(data)


def test_readonly_lists_and_reads_what_it_wraps() -> None:
    inner = MemoryRepository()
    inner.create("session").append([b"entry"], expect=0)
    repository = ReadOnlyRepository.from_url("readonly", inner)

    storage = repository.open("session", mode="w", take_over=True)

    assert list(storage.read()) == [(1, b"entry")]
    assert list(repository.ids()) == ["session"]


def test_readonly_refuses_every_change() -> None:
    inner = MemoryRepository()
    inner.create("session").close()
    repository = ReadOnlyRepository.from_url("readonly", inner)
    storage = repository.open("session")

    with pytest.raises(ReadOnlyStorageError, match="create the session 'other'"):
        repository.create("other")
    with pytest.raises(ReadOnlyStorageError, match="remove the session 'session'"):
        repository.remove("session")
    with pytest.raises(ReadOnlyStorageError, match="append entries"):
        storage.append([b"entry"], expect=0)


@pytest.mark.parametrize(
    "url", ["faulty?fail=x", "faulty?seconds=x", "faulty?break=1", "faultless", "readonly?x=1"]
)
def test_a_wrapper_refuses_what_it_does_not_know(url: str) -> None:
    wrapper = ReadOnlyRepository if url.startswith("readonly") else FaultyRepository

    with pytest.raises(StoreUrlError, match="write "):
        wrapper.from_url(url, MemoryRepository())


@pytest.mark.parametrize("wrapper", [ReadOnlyRepository, FaultyRepository])
def test_a_wrapper_needs_something_to_wrap(
    wrapper: type[ReadOnlyRepository | FaultyRepository],
) -> None:
    with pytest.raises(StoreUrlError, match="::URL"):
        wrapper.from_url("readonly" if wrapper is ReadOnlyRepository else "faulty")


@pytest.mark.parametrize(("fault", "stored"), [("fail", []), ("fail_after", [(1, b"entry")])])
def test_faulty_fails_before_or_after_the_step(
    fault: str, stored: list[tuple[int, bytes]]
) -> None:
    inner = MemoryRepository()
    repository = FaultyRepository.from_url(f"faulty?{fault}=2", inner)
    storage = repository.create("session")

    with pytest.raises(FailedStorageError, match=r"step 2 \(append\)"):
        storage.append([b"entry"], expect=0)

    assert list(inner.open("session", mode="r").read()) == stored
    with pytest.raises(FailedStorageError):
        storage.append([b"entry"], expect=0)
    storage.close()
    again = repository.open("session")
    assert again.append([b"entry"], expect=0) == 1


def test_faulty_can_be_full_once() -> None:
    repository = FaultyRepository.from_url("faulty?full=2", MemoryRepository())
    storage = repository.create("session")

    with pytest.raises(StorageFullError):
        storage.append([b"entry"], expect=0)

    assert storage.append([b"entry"], expect=0) == 1


def test_faulty_tears_what_it_appends(tmp_path: Path) -> None:
    inner = FileRepository(tmp_path)
    storage = FaultyRepository.from_url("faulty?tear=3", inner).create("session")
    storage.append([b"whole"], expect=0)

    with pytest.raises(FailedStorageError):
        storage.append([b"torn"] * 3, expect=1)

    storage.close()
    again = inner.open("session")
    assert list(again.read()) == [(1, b"whole")]
    assert "never acknowledged" in again.recovered  # type: ignore[attr-defined] # file only
    again.close()


def test_faulty_tears_only_what_is_in_a_file() -> None:
    repository = FaultyRepository.from_url("faulty?tear=2", MemoryRepository())

    with pytest.raises(StoreUrlError, match="plain files"):
        repository.create("session")


def test_faulty_counts_what_is_done_to_logs() -> None:
    repository = FaultyRepository.from_url("faulty?fail=4", MemoryRepository())
    log = repository.create("session").open_log("job")
    log.write(b"data")
    log.flush()

    with pytest.raises(FailedStorageError, match=r"step 4 \(seal\)"):
        log.seal()
