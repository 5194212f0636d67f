"""Copying from one storage to another, cut off and gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.contracts import Sweepable
from holdall.errors import CorruptSessionError, FailedStorageError, StorageAccessError
from holdall.stores import StorageWrapper, catch_up, copy_blob, copy_entries
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts import Repository, Storage

STORES: dict[str, Callable[[Path], Repository]] = {
    "file": FileRepository,
    "memory": lambda _path: MemoryRepository(),
    "sqlite": lambda path: SqliteRepository(path / "lab.db"),
}


@pytest.fixture(params=STORES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return filled(STORES[request.param](tmp_path / "from").create("session"))


@pytest.fixture(params=STORES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    return STORES[request.param](tmp_path / "to")


def filled(storage: Storage, entries: int = 5) -> Storage:
    storage.append([b"entry %d" % number for number in range(entries)], expect=storage.head)
    storage.put_blob([b"blob ", b"of the session"])
    log = storage.open_log("job")
    log.write(b"begun")
    log.flush()
    return storage


def contents(storage: Storage) -> tuple[object, ...]:
    assert isinstance(storage, Sweepable)
    blobs = {}
    for ref in storage.blobs():
        with storage.open_blob(ref) as blob:
            blobs[ref] = blob.read()
    logs = {}
    for name in storage.logs():
        with storage.read_log(name) as log:
            logs[name] = log.read()
    return list(storage.read()), blobs, logs


def test_all_of_a_session_is_copied(source: Storage, target: Repository) -> None:
    copy = target.create("session")

    amount = catch_up(source, copy)

    assert contents(copy) == contents(source)
    assert (amount.entries, amount.blobs, amount.size) == (5, 1, 5 * 7 + 19)


def test_a_copy_goes_on_where_it_ended(source: Storage, target: Repository) -> None:
    copy = target.create("session")
    catch_up(source, copy)
    source.append([b"later"], expect=5)
    source.put_blob([b"later"])
    log = source.open_log("job")
    log.write(b", and gone on")
    log.flush()
    another = source.open_log("another")
    another.write(b"log")
    another.flush()

    amount = catch_up(source, copy)

    assert contents(copy) == contents(source)
    assert (amount.entries, amount.blobs, amount.size) == (1, 1, 10)
    log.seal()
    catch_up(source, copy)
    assert contents(copy) == contents(source)


def test_numbers_of_a_compacted_session_are_kept(source: Storage, target: Repository) -> None:
    source.compact(b"snapshot", expect=5)
    source.append([b"behind"], expect=6)
    copy = target.create("session", first=6)

    catch_up(source, copy)

    assert list(copy.read()) == [(6, b"snapshot"), (7, b"behind")]


def test_a_compaction_of_what_was_copied_is_copied(source: Storage, target: Repository) -> None:
    copy = target.create("session")
    catch_up(source, copy)
    source.compact(b"snapshot", expect=5)
    source.append([b"behind"], expect=6)

    catch_up(source, copy)

    assert contents(copy) == contents(source)


def test_a_copy_that_lacks_what_was_compacted_is_refused(target: Repository) -> None:
    source = filled(MemoryRepository().create("session"))
    copy = target.create("session")
    copy_entries(source, copy, upto=3)
    source.compact(b"snapshot", expect=5)

    with pytest.raises(StorageAccessError, match="last entry, 3, is none of"):
        catch_up(source, copy)

    assert copy.head == 3


def test_a_compaction_while_it_is_copied_is_told(target: Repository) -> None:
    class Compacted(StorageWrapper):
        """It is compacted just before its entries are read on."""

        def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
            if after == 3:
                self.inner.compact(b"snapshot", expect=5)
            return self.inner.read(after)

    inner = filled(MemoryRepository().create("session"))
    copy = target.create("session")
    copy_entries(inner, copy, upto=3)

    with pytest.raises(StorageAccessError, match="entry 4 was compacted meanwhile"):
        copy_entries(Compacted(inner, inner.repository), copy)

    assert copy.head == 3


@pytest.mark.parametrize("entries", [[b"another"], [b"entry 0", b"entry 1", b"another"]])
def test_another_history_is_refused_and_stays(target: Repository, entries: list[bytes]) -> None:
    source = filled(MemoryRepository().create("session"))
    copy = target.create("session")
    copy.append(entries, expect=0)

    with pytest.raises(StorageAccessError, match=f"last entry, {len(entries)}, is none of"):
        catch_up(source, copy)

    assert [entry for _number, entry in copy.read()] == entries


def test_a_copy_that_is_ahead_is_refused(target: Repository) -> None:
    source = filled(MemoryRepository().create("session"))
    copy = target.create("session")
    catch_up(source, copy)
    copy.append([b"ahead"], expect=5)

    with pytest.raises(StorageAccessError, match="last entry, 6, is none of"):
        catch_up(source, copy)


def test_a_damaged_blob_is_told_and_not_copied(tmp_path: Path) -> None:
    source = FileRepository(tmp_path).create("session")
    ref = source.put_blob([b"whole" * 1000])
    [path] = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 999]
    path.chmod(0o600)
    path.write_bytes(b"wrong" * 1000)
    copy = MemoryRepository().create("session")

    with pytest.raises(CorruptSessionError):
        copy_blob(source, copy, ref)

    assert list(copy.blobs()) == []  # type: ignore[attr-defined] # of memory


def test_a_copy_that_fails_at_any_step_is_gone_on_with(tmp_path: Path) -> None:
    source = filled(MemoryRepository().create("session"))
    large = [b"%d" % number * 2**19 for number in range(5)]
    source.append(large, expect=5)
    steps = 0
    for failing in range(2, 100):
        target = FileRepository(tmp_path / f"{failing}")
        broken = FaultyRepository.from_url(f"faulty?fail={failing}", target).create("session")
        try:
            catch_up(source, broken)
        except FailedStorageError:
            broken.close()
            steps += 1
            copy = target.open("session")
            catch_up(source, copy)
            assert contents(copy) == contents(source)
            copy.close()
        else:
            broken.close()
            break

    assert steps >= 5
