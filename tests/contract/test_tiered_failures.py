"""Tiers lose nothing that is near, and bring it far in order, however often they are cut off."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from tests.contract.several import away

from holdall.contracts import Shippable
from holdall.errors import (
    CorruptSessionError,
    LockedStorageError,
    StorageAccessError,
    StorageError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.recording import Recorder
from holdall.stores import RepositoryWrapper, StorageWrapper
from holdall.testing.crash import Child
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.subject import numbered
from holdall.upkeep import move_session, pack_session, unpack_session
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.sqlite import SqliteRepository
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from holdall.contracts import Mode, Repository, Storage
    from holdall.testing.crash import Link

BLOB = b"an attachment\n" * 5000


def tiers(
    folder: Path, far: Repository | None = None, *, close_s: float = 5.0
) -> TieredRepository:
    near = FileRepository(folder / "near")
    return TieredRepository(near, far or FileRepository(folder / "far"), close_s=close_s)


def entries(repository: Repository, mode: Mode = "r") -> list[tuple[int, bytes]]:
    with closing(repository.open("session", mode=mode)) as storage:
        return list(storage.read())


def steps(repository: Repository, said: Callable[[int], object]) -> None:
    with closing(repository.create("session")) as storage:
        for round_ in range(4):
            storage.put_blob([b"%d" % round_, BLOB])
            head = storage.append(numbered(3, first=storage.head + 1), expect=storage.head)
            said(head)
            said(storage.compact(numbered(1, first=head + 1)[0], expect=head))


def test_what_was_appended_last_is_far_when_the_session_is_closed(tmp_path: Path) -> None:
    far = FileRepository(tmp_path / "far")
    with closing(tiers(tmp_path, far).create("session")) as storage:
        storage.append(numbered(2), expect=0)
        storage.append(numbered(1, first=3), expect=2, level="process")

    assert [entry for _number, entry in entries(far)] == numbered(3)


class WithoutBlobs(RepositoryWrapper):
    """A store that takes no blobs today."""

    @property
    def url(self) -> str:
        return "without://"

    def wrapped(self, storage: Storage) -> Storage:
        return StorageWithoutBlobs(storage, self)


class StorageWithoutBlobs(StorageWrapper):
    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        raise StorageAccessError(self.where, "store a blob in", f"no {ref} of {chunks}")


def test_a_blob_is_far_before_an_entry_that_names_it(tmp_path: Path) -> None:
    far = FileRepository(tmp_path / "far")
    with closing(tiers(tmp_path, WithoutBlobs(far), close_s=0.5).create("session")) as storage:
        storage.put_blob([BLOB])
        storage.append(numbered(1), expect=0)

    assert entries(far) == []


def test_what_a_power_cut_may_take_near_is_not_far_before(tmp_path: Path) -> None:
    far = FileRepository(tmp_path / "far")
    near = FaultyRepository(FileRepository(tmp_path / "near"), full=4)  # the sync when it closes
    with closing(TieredRepository(near, far).create("session")) as storage:
        storage.append(numbered(1), expect=0)
        storage.append(numbered(1, first=2), expect=1, level="process")

    assert [entry for _number, entry in entries(far)] == numbered(1)


def far_alone(folder: Path) -> FileRepository:
    """Return the far store with a session whose near copy went with its disk."""
    far = FileRepository(folder / "far")
    with closing(far.create("session")) as storage:
        storage.append(numbered(5), expect=0)
    return far


def test_a_session_that_hid_a_longer_far_one_is_removed_alone(tmp_path: Path) -> None:
    far = far_alone(tmp_path)
    tiered = tiers(tmp_path, far)
    with closing(tiered.create("session")) as storage:
        storage.append(numbered(3), expect=0)

    tiered.remove("session")

    assert entries(tiered) == list(enumerate(numbered(5), start=1))
    tiered.remove("session")
    assert list(far.ids()) == []


def test_an_unpacking_that_fails_leaves_the_far_session(tmp_path: Path) -> None:
    whole = MemoryRepository()
    with Recorder(whole.create("session")) as recorder:
        recorder._begin()
        recorder.record("job", outcome="pass")
    with (tmp_path / "whole.zip").open("wb") as archive:
        pack_session(whole, "session", archive)
    with ZipFile(tmp_path / "whole.zip") as old, ZipFile(tmp_path / "bad.zip", "w") as new:
        new.writestr("holdall-session.json", old.read("holdall-session.json"))
    far = far_alone(tmp_path)

    with pytest.raises(CorruptSessionError):
        unpack_session(tmp_path / "bad.zip", tiers(tmp_path, far))

    assert entries(far) == list(enumerate(numbered(5), start=1))


def test_a_session_is_not_moved_to_the_store_that_it_is_in_already(tmp_path: Path) -> None:
    far = FileRepository(tmp_path / "far")
    with Recorder(tiers(tmp_path, far).create("session")) as recorder:
        recorder._begin()
        recorder.record("job", outcome="pass")

    with pytest.raises(LockedStorageError) as caught:
        move_session(tiers(tmp_path, far), "session", far)

    assert "nothing was removed" in caught.value.__notes__[0]
    assert list(far.ids()) == ["session"]


@pytest.mark.parametrize("fault", ["fail", "fail_after", "full"])
def test_a_far_store_that_fails_at_any_step_fails_nothing_near(tmp_path: Path, fault: str) -> None:
    for step in range(1 + (fault == "fail_after"), 14):
        folder = tmp_path / str(step)
        said: list[int] = []
        far = FaultyRepository(FileRepository(folder / "far"), **{fault: step})

        steps(tiers(folder, far), said.append)

        assert said == [3, 4, 7, 8, 11, 12, 15, 16]
        repository = tiers(folder)
        repository.ship("session")
        assert entries(FileRepository(folder / "far"))[-1] == entries(repository)[-1]
        assert list(repository.unshipped()) == []


@pytest.mark.parametrize("fault", ["kill", "kill_after"])
def test_a_kill_while_something_is_shipped_loses_nothing(tmp_path: Path, fault: str) -> None:
    def work(folder: Path, step: int) -> Callable[[Link], object]:
        far = FaultyRepository(FileRepository(folder / "far"), **{fault: step})
        return lambda link: steps(tiers(folder, far), link.acknowledge)

    for step in range(1, 14, 2):
        folder = tmp_path / str(step)
        with Child(work(folder, step)) as child:
            said = [int(line) for line in child.lines()]

        repository = tiers(folder)
        stored = entries(repository)
        assert max((number for number, _ in stored), default=0) >= max(said, default=0)
        with closing(repository.open("session")) as storage:
            storage.append([b"more"], expect=storage.head)

        near, far = (entries(FileRepository(folder / name)) for name in ("near", "far"))
        assert far[-1] == near[-1] == (near[-1][0], b"more")


def test_shipping_goes_on_where_it_stopped_after_an_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    repository = tiers(tmp_path, close_s=0.1)
    with closing(repository.create("session")) as storage:
        storage.append(numbered(3), expect=0)
    tiers(tmp_path).ship("session")
    ref = ""
    with away(tmp_path / "far"):
        for round_ in range(2):
            with closing(repository.open("session")) as storage:
                ref = storage.put_blob([b"%d" % round_, BLOB])
                storage.append(numbered(3, first=storage.head + 1), expect=storage.head)
                head = storage.head + 1
                assert storage.compact(numbered(1, first=head)[0], expect=head - 1) == head
        assert "sessions ship session" in caplog.text
        assert len(entries(repository)) == 3 + 2 * 4
        [left] = repository.unshipped()
        assert left.entries is None
        assert list(repository.ids()) == ["session"]
    assert isinstance(repository, Shippable)
    assert [(each.id, each.entries) for each in repository.unshipped()] == [("session", 8)]

    assert repository.ship("session") == 8

    assert list(repository.unshipped()) == []
    with closing(FileRepository(tmp_path / "far").open("session", mode="r")) as far:
        assert [entry for _number, entry in far.read()] == numbered(11)
        assert read_blob(far, ref) == b"1" + BLOB


def test_a_session_that_is_only_far_is_read_there_and_copied_near_to_be_written(
    tmp_path: Path,
) -> None:
    with closing(tiers(tmp_path).create("session")) as storage:
        ref = storage.put_blob([BLOB])
        storage.append(numbered(600), expect=0)
    (tmp_path / "near").rename(tmp_path / "another machine's")
    repository = tiers(tmp_path)

    assert len(entries(repository)) == 600
    assert not (tmp_path / "near").exists()
    with closing(repository.open("session")) as storage:
        storage.append(numbered(1, first=601), expect=600)
        assert read_blob(storage, ref) == BLOB

    assert len(entries(FileRepository(tmp_path / "near"))) == 601
    assert len(entries(FileRepository(tmp_path / "far"))) == 601
    assert list(repository.ids()) == ["session"]


@pytest.mark.parametrize("fault", ["fail", "full"])
def test_a_copy_from_far_that_fails_at_any_step_is_ended_later(tmp_path: Path, fault: str) -> None:
    far = MemoryRepository()
    with closing(far.create("session")) as storage:
        storage.put_blob([BLOB])
        storage.append(numbered(600), expect=0)
    for step in range(1, 7):
        near = FileRepository(tmp_path / str(step))
        with suppress(StorageError):
            TieredRepository(FaultyRepository(near, **{fault: step}), far).open("session").close()

        repository = TieredRepository(near, far)
        assert list(repository.ids()) == ["session"]
        for mode in ("r", "w"):
            assert len(entries(repository, mode)) == 600
        assert len(entries(near)) == 600


def test_a_session_is_not_copied_while_another_machine_ships_it(tmp_path: Path) -> None:
    far = FileRepository(tmp_path / "far")
    one, other = (TieredRepository(MemoryRepository(), far) for _ in range(2))
    with closing(one.create("session")) as storage:
        storage.append(numbered(1), expect=0)
        storage.compact(b"snapshot", expect=1)  # shipped so far

        with pytest.raises(LockedStorageError):
            other.open("session")


def test_a_session_is_not_removed_while_the_far_store_would_bring_it_back(tmp_path: Path) -> None:
    repository = tiers(tmp_path)
    repository.create("session").close()

    with away(tmp_path / "far"), pytest.raises(StorageAccessError, match="would bring it back"):
        repository.remove("session")
    failing = FaultyRepository(FileRepository(tmp_path / "far"), fail=1)
    with pytest.raises(StorageAccessError, match="would bring it back"):
        tiers(tmp_path, failing).remove("session")
    assert list(FileRepository(tmp_path / "near").ids()) == ["session"]
    repository.remove("session")

    assert [list(FileRepository(tmp_path / name).ids()) for name in ("near", "far")] == [[], []]
    with pytest.raises(UnknownSessionError):
        repository.remove("session")


def test_other_entries_that_are_far_are_never_overwritten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    repository = tiers(tmp_path)
    repository.create("session").close()
    with closing(FileRepository(tmp_path / "far").open("session")) as storage:
        storage.append([b"of another machine"], expect=0)

    with closing(repository.open("session")) as storage:
        storage.append([b"mine"], expect=0)

    assert entries(FileRepository(tmp_path / "far")) == [(1, b"of another machine")]
    assert entries(repository) == [(1, b"mine")]
    assert "not in file://" in caplog.text
    [left] = repository.unshipped()
    assert left.entries is None
    assert "other entries" in left.reason


def test_ten_thousand_results_are_shipped_in_seconds(tmp_path: Path) -> None:
    repository = tiers(tmp_path, SqliteRepository(tmp_path / "far.db"), close_s=20)
    entry = b'{"kind":"result"' + b"x" * 300
    with closing(repository.create("session")) as storage:
        for head in range(0, 10_000, 50):
            storage.append([entry] * 50, expect=head)

    assert list(repository.unshipped()) == []


@pytest.mark.parametrize("close_s", ["x", "-1", "nan", ""])
def test_how_long_closing_waits_is_a_number(close_s: str) -> None:
    with pytest.raises(StoreUrlError, match="number of seconds"):
        TieredRepository.from_url(
            f"tiered?close_s={close_s}", MemoryRepository(), MemoryRepository()
        )
