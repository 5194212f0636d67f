"""A mirror whose stores fail, lag behind or differ loses nothing that was acknowledged."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from tests.contract.several import away, change_blob, change_entry

from holdall.contracts import Repairable, Watchable
from holdall.errors import (
    CorruptSessionError,
    FailedStorageError,
    LockedStorageError,
    StorageAccessError,
    StorageError,
    StorageFullError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.testing.crash import Child
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.logs import read_log
from holdall.testing.guarantees.subject import numbered
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.mirror import MirrorRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.contracts import Repository
    from holdall.testing.crash import Link

BLOB = b"an attachment\n" * 5000
LARGE = b"".join(b"%d, " % number for number in range(300_000))
FAULTS = ("fail", "fail_after", "full")
STEPS = 9


def files(folder: Path, names: str = "ab") -> list[FileRepository]:
    return [FileRepository(folder / name) for name in names]


def steps(repository: Repository, said: Callable[[int], object]) -> None:
    """Write a session, and say each head that was acknowledged."""
    with closing(repository.create("session")) as storage:
        said(0)
        said(storage.append(numbered(3), expect=0))
        storage.put_blob([BLOB])
        log = storage.open_log("job")
        log.write(b"line\n")
        log.flush()
        log.seal()
        said(storage.append(numbered(2, first=4), expect=3))
        said(storage.compact(numbered(1, first=6)[0], expect=5))
        said(storage.append(numbered(1, first=7), expect=6))


def test_a_quorum_of_one_begins_nothing_that_readers_could_miss(tmp_path: Path) -> None:
    for name in "bc":
        (tmp_path / name).touch()  # no store can be made there

    with pytest.raises(StorageAccessError):
        MirrorRepository(*files(tmp_path, "abc"), quorum=1).create("session")

    assert list(FileRepository(tmp_path / "a").ids()) == []


def test_whoever_waits_at_a_mirror_is_told_what_any_of_its_stores_has(tmp_path: Path) -> None:
    mirror = MirrorRepository(*files(tmp_path), quorum=2)
    with closing(mirror.create("session")) as storage:
        storage.append(numbered(2), expect=0)
        with closing(mirror.open("session", mode="r")) as reader:
            assert isinstance(reader, Watchable)
            assert reader.wait(0, timeout=60.0) == 2
            assert reader.wait(2, timeout=0.01) == 2


def entries(repository: Repository, mode: str = "r") -> list[tuple[int, bytes]]:
    with closing(repository.open("session", mode=mode)) as storage:  # type: ignore[arg-type] # a mode
        return list(storage.read())


def check(repository: Repository, acknowledged: list[int]) -> list[tuple[int, bytes]]:
    """Check that all that was acknowledged is there, to be read and then to be written."""
    if not acknowledged:
        return []
    read, stored = entries(repository), entries(repository, "w")
    for each in (read, stored):
        assert each == [(number, numbered(1, first=number)[0]) for number, _ in each]
        assert max((number for number, _ in each), default=0) >= acknowledged[-1]
    return stored


@pytest.mark.parametrize(
    ("names", "quorum", "fault"),
    [
        *(("ab", 2, fault) for fault in FAULTS),
        ("ab", 1, "fail"),
        ("abc", 2, "fail_after"),
        *(pytest.param("ab", 1, fault, marks=pytest.mark.soak) for fault in FAULTS[1:]),
        *(pytest.param("abc", 2, fault, marks=pytest.mark.soak) for fault in FAULTS[::2]),
    ],
)
def test_a_store_that_fails_at_any_step_loses_nothing_acknowledged(
    tmp_path: Path, fault: str, names: str, quorum: int
) -> None:
    for at in range(len(names)):
        # Whoever is told that creating failed has nothing to close, and the lock stays.
        for step in range(1 + (fault == "fail_after"), STEPS + 1):
            folder = tmp_path / f"{at} {step}"
            members: list[Repository] = list(files(folder, names))
            members[at] = FaultyRepository(members[at], **{fault: step})
            said: list[int] = []
            with suppress(StorageError):
                steps(MirrorRepository(*members, quorum=quorum), said.append)
            if quorum < len(names) and (step > 1 or names == "abc"):
                assert said == [0, 3, 5, 6, 7]

            stored = check(MirrorRepository(*files(folder, names), quorum=quorum), said)

            # Opening it for writing gave each store what it lacked.
            for member in files(folder, names) if said else ():
                assert entries(member)[-1:] == stored[-1:]


@pytest.mark.parametrize("fault", ["kill", "kill_after"])
def test_a_kill_between_the_stores_loses_nothing_acknowledged(tmp_path: Path, fault: str) -> None:
    def work(folder: Path, step: int) -> Callable[[Link], object]:
        a, b = files(folder)
        mirror = MirrorRepository(a, FaultyRepository(b, **{fault: step}))
        return lambda link: steps(mirror, link.acknowledge)

    for step in range(1, STEPS + 1):
        folder = tmp_path / str(step)
        with Child(work(folder, step)) as child:
            said = [int(line) for line in child.lines()]

        mirror = MirrorRepository(*files(folder))
        stored = check(mirror, said)

        assert all(entries(member) == stored for member in files(folder) if said)
        if "session" in mirror.ids():
            mirror.open("session").close()
            mirror.remove("session")
        assert [list(member.ids()) for member in files(folder)] == [[], []]


def test_what_a_store_missed_is_told_and_repaired(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = files(tmp_path)
    mirror = MirrorRepository(a, FaultyRepository(b, fail=3), quorum=1)
    with closing(mirror.create("session")) as storage:
        storage.append(numbered(2), expect=0)
        storage.append(numbered(2, first=3), expect=2)
        ref = storage.put_blob([BLOB])
        log = storage.open_log("job")
        log.write(b"left")
        log.flush()
        storage.append(numbered(1, first=5), expect=4)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "sessions repair session" in caplog.text
    assert entries(b) == list(enumerate(numbered(2), start=1))
    assert len(entries(mirror)) == 5

    assert isinstance(mirror, Repairable)
    [told] = mirror.repair("session", dry_run=True)
    assert (told.problem, told.is_repaired) == ("it lacks the last 3 of 5 entries", False)
    assert len(entries(b)) == 2
    [done] = mirror.repair("session")

    assert (done.store.endswith(b.url), done.is_repaired, done.reason) == (True, True, "")
    assert list(mirror.repair("session")) == []
    with closing(b.open("session", mode="r")) as copy:
        assert [entry for _number, entry in copy.read()] == numbered(5)
        assert (read_blob(copy, ref), read_log(copy, "job")) == (BLOB, b"left")


def test_a_store_that_is_not_there_keeps_a_session_from_being_written(tmp_path: Path) -> None:
    mirror = MirrorRepository(*files(tmp_path), quorum=1)
    mirror.create("session").close()

    with away(tmp_path / "b"), pytest.raises(StorageAccessError, match=r"2 of its 2 stores.*/b"):
        mirror.open("session")
    with away(tmp_path / "b"), pytest.raises(StorageAccessError, match=r"2 of its 2 stores"):
        mirror.open("session", mode="r")

    MirrorRepository(*files(tmp_path)).open("session").close()


def test_a_majority_goes_on_without_the_others(tmp_path: Path) -> None:
    members = files(tmp_path, "abc")
    mirror = MirrorRepository(*members, quorum=2)
    mirror.create("session").close()

    with away(tmp_path / "a"):
        with closing(mirror.open("session")) as storage:
            storage.append(numbered(3), expect=0)
        assert len(entries(mirror)) == 3
    with away(tmp_path / "b"):
        assert len(entries(mirror, "w")) == 3

    assert [len(entries(member)) for member in members] == [3, 3, 3]


def test_no_second_writer_gets_a_quorum(tmp_path: Path) -> None:
    members = files(tmp_path, "abc")
    mirror = MirrorRepository(*members, quorum=2)
    with closing(mirror.create("session")) as storage:
        with away(tmp_path / "a"):
            storage.append(numbered(1), expect=0)

        # The first store was let go, and is there again: a second writer finds it free.
        members[0].open("session").close()
        with pytest.raises(LockedStorageError):
            MirrorRepository(*members, quorum=2).open("session")

        assert storage.append(numbered(1, first=2), expect=1) == 2


def test_a_suffix_that_was_never_acknowledged_loses(tmp_path: Path) -> None:
    members = files(tmp_path, "abc")
    mirror = MirrorRepository(*members, quorum=2)
    mirror.create("session").close()
    append(members[0], b"refused", b"as well")
    for member in members[1:]:
        append(member, b"acknowledged")

    assert entries(mirror) == [(1, b"acknowledged")]
    assert entries(mirror, "w") == [(1, b"acknowledged")]
    [repair] = mirror.repair("session")

    assert repair.problem == "its entries from 1 on were never acknowledged"
    assert [entries(member) for member in members] == [[(1, b"acknowledged")]] * 3


def test_two_histories_are_never_merged(tmp_path: Path) -> None:
    members = files(tmp_path)
    mirrors = [MirrorRepository(*members, quorum=quorum) for quorum in (1, 2)]
    mirrors[0].create("session").close()
    for member, entry in zip(members, (b"one", b"other"), strict=True):
        append(member, entry)

    for mirror in mirrors:
        with pytest.raises(CorruptSessionError, match="entry 1"):
            mirror.open("session")
        with pytest.raises(CorruptSessionError, match="entry 1"):
            list(mirror.repair("session"))

    assert [entries(member) for member in members] == [[(1, b"one")], [(1, b"other")]]


def test_what_may_have_been_acknowledged_is_not_decided_without_a_store(tmp_path: Path) -> None:
    members = files(tmp_path, "abc")
    mirror = MirrorRepository(*members, quorum=2)
    mirror.create("session").close()
    append(members[0], b"refused")
    for member in members[1:]:
        append(member, b"acknowledged")

    with away(tmp_path / "c"), pytest.raises(StorageAccessError, match=r"can't be known without"):
        mirror.open("session")

    assert entries(mirror, "w") == [(1, b"acknowledged")]


def test_damage_to_one_store_is_healed_by_another(tmp_path: Path) -> None:
    a, b = files(tmp_path)
    mirror = MirrorRepository(a, b)
    with closing(mirror.create("session")) as storage:
        storage.append(numbered(300), expect=0)
        refs = [storage.put_blob([BLOB]), storage.put_blob([LARGE])]
    (tmp_path / "only").mkdir()
    (tmp_path / "a").rename(tmp_path / "only" / "a")
    change_entry(tmp_path / "only", "session")
    for ref in refs:
        change_blob(FileRepository(tmp_path / "only" / "a"), tmp_path / "only", "session", ref)
    (tmp_path / "only" / "a").rename(tmp_path / "a")

    with closing(mirror.open("session", mode="r")) as storage:
        assert [entry for _number, entry in storage.read()] == numbered(300)
        assert [read_blob(storage, ref) for ref in refs] == [BLOB, LARGE]
    with pytest.raises(CorruptSessionError) as caught:
        mirror.open("session")
    assert "sessions repair" in caught.value.__notes__[0]
    [repair] = mirror.repair("session")

    assert (repair.problem, repair.is_repaired) == ("the session is damaged there", True)
    assert len(entries(a)) == 300
    mirror.open("session").close()


def test_a_session_is_not_removed_while_a_store_would_bring_it_back(tmp_path: Path) -> None:
    mirror = MirrorRepository(*files(tmp_path))
    mirror.create("session").close()

    for gone in ("b", "b/session.session"):
        with away(tmp_path / gone), pytest.raises(StorageAccessError, match="would bring it back"):
            mirror.remove("session")
    (tmp_path / "b").rename(tmp_path / "unmounted")
    with pytest.raises(StorageAccessError, match="it is not there"):
        mirror.remove("session")
    (tmp_path / "unmounted").rename(tmp_path / "b")
    assert [list(member.ids()) for member in files(tmp_path)] == [["session"]] * 2
    mirror.remove("session")

    with pytest.raises(UnknownSessionError):
        mirror.remove("session")


def test_a_full_store_that_comes_first_leaves_the_session_usable() -> None:
    first = FaultyRepository(MemoryRepository(), full=2)
    with closing(MirrorRepository(first, MemoryRepository()).create("session")) as storage:
        with pytest.raises(StorageFullError):
            storage.append([b"refused"], expect=0)

        assert storage.append([b"stored"], expect=0) == 1


def test_a_full_store_that_comes_later_makes_the_outcome_unclear() -> None:
    later = FaultyRepository(MemoryRepository(), full=2)
    mirror = MirrorRepository(MemoryRepository(), later)
    with closing(mirror.create("session")) as storage:
        for entry in (b"unclear", b"another"):
            with pytest.raises(FailedStorageError, match="of 2 stores that must do each step 1"):
                storage.append([entry], expect=0)

    assert entries(mirror, "w") == [(1, b"unclear")]


def test_of_a_log_counts_what_every_store_was_given(tmp_path: Path) -> None:
    a, b = files(tmp_path)
    mirror = MirrorRepository(a, b)
    mirror.create("session").close()
    for member, data in ((a, b"one\n"), (b, b"one\ntwo\n")):
        with closing(member.open("session")) as storage:
            log = storage.open_log("job")
            log.write(data)
            log.flush()

    with closing(mirror.open("session")) as storage:
        log = storage.open_log("job")
        log.write(b"three\n")
        ref = log.seal()

    for member in (a, b):
        with closing(member.open("session", mode="r")) as storage:
            assert read_blob(storage, ref) == b"one\nthree\n"


@pytest.mark.parametrize("quorum", ["0", "4", "x", ""])
def test_a_quorum_is_a_number_of_its_stores(quorum: str) -> None:
    with pytest.raises(StoreUrlError, match="quorum"):
        MirrorRepository.from_url(f"mirror?quorum={quorum}", *map(_memory, "abc"))


@pytest.mark.parametrize("url", ["mirror?x=1", "mirror:(a, b)"])
def test_a_mirror_has_no_url_of_its_own(url: str) -> None:
    with pytest.raises(StoreUrlError, match=r"inner = \[\.\.\.\]"):
        MirrorRepository.from_url(url)


def _memory(_name: str) -> MemoryRepository:
    return MemoryRepository()


def append(repository: Repository, *added: bytes) -> None:
    """Append to one store of a mirror, as a writer does that gets no further."""
    with closing(repository.open("session")) as storage:
        storage.append(added, expect=storage.head)
