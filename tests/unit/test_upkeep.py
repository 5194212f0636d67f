"""Stored sessions as a whole: copied, moved, packed, checked, swept, pruned, followed."""

from __future__ import annotations

import io
import os
import random
import threading
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import HasFolder
from holdall.errors import (
    CorruptSessionError,
    HoldallError,
    LockedStorageError,
    NewerFormatError,
    SessionExistsError,
    SessionIdError,
    StorageAccessError,
    StorageError,
    UnknownSessionError,
)
from holdall.journal import JobStarted, Journal, ResultRecorded, Snapshot, list_sessions, now
from holdall.recording import Recorder
from holdall.session import share_in
from holdall.upkeep import (
    Limits,
    Retention,
    check_session,
    copy_session,
    follow_session,
    move_session,
    pack_session,
    surplus_sessions,
    sweep_session,
    unpack_session,
)
from holdall.view import SessionView
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.latency import LatencyRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.mirror import MirrorRepository
from holdall_plugins.stores.overlay import OverlayRepository
from holdall_plugins.stores.sqlite import SqliteRepository
from holdall_plugins.stores.tiered import TieredRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.contracts import Repository

STORES: dict[str, Callable[[Path], Repository]] = {
    "file": FileRepository,
    "memory": lambda path: MemoryRepository.from_url(f"memory://{path}"),
    "sqlite": lambda path: SqliteRepository(path / "lab.db"),
}
LOG = b"a line that is written again and again\n" * 400
IMAGE = bytes(range(256)) * 4097


@pytest.fixture(params=STORES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    return STORES[request.param](tmp_path / "from")


@pytest.fixture(params=STORES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    return STORES[request.param](tmp_path / "to")


@pytest.fixture
def files(tmp_path: Path) -> FileRepository:
    return FileRepository(tmp_path / "files")


def recorder(repository: Repository, session_id: str, at: float | None = None) -> Recorder:
    clock = now if at is None else lambda: at
    made = Recorder(repository.create(session_id), clock=clock)
    made._begin(f"Title of {session_id}")
    return made


def recorded(repository: Repository, session_id: str = "night", *, compacted: bool = False) -> str:
    with recorder(repository, session_id) as made:
        with made.attempt("disk/read") as attempt:
            attempt.write(LOG)
            attempt.attach("photo.png", IMAGE, media_type="image/png")
            attempt.finish("fail", comments="3 of 4")
        made.record("disk/write", outcome="pass", output=b"short")
    with closing(repository.open(session_id)) as storage:
        share = share_in(storage)
        (share / "below").mkdir(parents=True)
        (share / "below" / os.fsdecode(b"found \xff")).write_bytes(b"kept by a job")
        if compacted:
            journal, _events = Journal.resume(storage)
            journal.compact(at=now())
            journal.append([JobStarted(at=now(), device="local", job_id="disk/read", attempt=2)])
            journal.close()
    return session_id


def contents(repository: Repository, session_id: str = "night") -> tuple[object, ...]:
    with closing(repository.open(session_id, mode="r")) as storage:
        view = SessionView.of(storage)
        logs = [(job.id, [record.data for record in job.io_log()]) for job in view.jobs()]
        blobs = [
            attachment.ref
            for job in view.jobs()
            for attachment in job.attachments
            if attachment.ref
        ]
        for ref in blobs:
            with storage.open_blob(ref) as blob:
                assert blob.read() == IMAGE
        shared = {path.name: path.read_bytes() for path in (share_in(storage) / "below").iterdir()}
        return list(storage.read()), logs, blobs, shared


@pytest.mark.parametrize("compacted", [False, True])
def test_a_copy_is_the_session_again(
    source: Repository, target: Repository, *, compacted: bool
) -> None:
    recorded(source, compacted=compacted)

    copied = copy_session(source, "night", target)

    assert contents(target) == contents(source)
    assert (copied.amount.blobs, copied.share_problem) == (2, "")
    assert copy_session(source, "night", target).amount == (0, 0, 0)
    with closing(target.open("night")) as storage:  # it can be written
        Journal.resume(storage)


def test_a_copy_cut_off_at_any_step_is_gone_on_with(files: FileRepository, tmp_path: Path) -> None:
    recorded(files)
    failed = 0
    for step in range(2, 20):
        inner = FileRepository(tmp_path / f"{step}")
        broken = FaultyRepository.from_url(f"faulty?fail_after={step}", inner)
        try:
            copy_session(files, "night", broken)
        except StorageError:
            failed += 1
            copy_session(files, "night", inner)
        assert contents(inner) == contents(files)

    assert failed == 3  # two blobs, and the entries


def test_a_copy_over_another_session_of_that_id_is_refused(
    source: Repository, tmp_path: Path
) -> None:
    recorded(source)
    target = FileRepository(tmp_path / "other")
    recorded(target)
    before = contents(target)

    with pytest.raises(StorageAccessError, match="is none of") as caught:
        copy_session(source, "night", target)

    assert "another session of that id" in caught.value.__notes__[0]
    assert contents(target) == before


def test_a_copy_to_the_same_store_is_refused(source: Repository) -> None:
    recorded(source)

    with pytest.raises(StorageAccessError, match="name another store"):
        move_session(source, "night", source)

    assert list(source.ids()) == ["night"]


def test_of_a_damaged_session_no_copy_is_left(files: FileRepository, target: Repository) -> None:
    recorded(files)
    damage_blob(files)

    with pytest.raises(CorruptSessionError):
        copy_session(files, "night", target)

    assert list(target.ids()) == []


def test_what_the_target_lost_on_the_way_is_seen(files: FileRepository) -> None:
    class Forgetful(MemoryRepository):
        def open(self, *_arguments: object, **_options: object) -> object:  # type: ignore[override]
            raise AssertionError("the copy is compared before it is closed")

        def create(self, session_id: str, *, first: int = 1) -> object:  # type: ignore[override]
            storage = super().create(session_id, first=first)
            append = storage.append
            storage.append = lambda entries, **more: append(  # type: ignore[method-assign]
                [entry.replace(b"fail", b"pass") for entry in entries], **more
            )
            return storage

    recorded(files)

    with pytest.raises(CorruptSessionError, match="differs from what was copied"):
        copy_session(files, "night", Forgetful())  # type: ignore[arg-type] # of the tests


def test_a_moved_session_is_there_and_no_longer_here(
    source: Repository, target: Repository
) -> None:
    recorded(source)
    with closing(source.open("night", mode="r")) as storage:
        share = share_in(storage)
    before = contents(source)

    move_session(source, "night", target)

    assert contents(target) == before
    assert list(source.ids()) == []
    assert not share.exists()


def test_a_session_that_is_written_is_not_moved(files: FileRepository, target: Repository) -> None:
    recorded(files)
    with closing(files.open("night")), pytest.raises(LockedStorageError):
        move_session(files, "night", target)

    assert list(files.ids()) == ["night"]


@pytest.mark.parametrize("over", ["mirror", "tiered", "overlay", "latency"])
def test_a_session_is_not_moved_into_a_part_of_the_store_it_is_in(
    files: FileRepository, tmp_path: Path, over: str
) -> None:
    other = FileRepository(tmp_path / "other")
    made: dict[str, Callable[[], Repository]] = {
        "mirror": lambda: MirrorRepository(other, files),
        "tiered": lambda: TieredRepository(other, files),
        "overlay": lambda: OverlayRepository(other, files),
        "latency": lambda: LatencyRepository.from_url("latency?ms=0", files),
    }
    source = made[over]()
    recorded(source)

    with pytest.raises(StorageError):
        move_session(source, "night", files)

    assert check_session(files, "night", deep=True).damage == ()
    assert check_session(source, "night", deep=True).blobs == 2


def test_nobody_writes_a_session_while_it_is_moved(
    files: FileRepository, target: Repository
) -> None:
    recorded(files)
    refused = []

    def write(_done: int, _all: int) -> None:
        with pytest.raises(LockedStorageError):
            files.open("night")
        refused.append(True)

    move_session(files, "night", target, progress=write)

    assert len(refused) >= 2


def packed(repository: Repository, path: Path) -> Path:
    archive = path / "night.holdall.zip"
    with archive.open("wb") as file:
        pack_session(repository, "night", file)
    return archive


@pytest.mark.parametrize("compacted", [False, True])
def test_what_was_packed_is_unpacked_anywhere(
    source: Repository, target: Repository, tmp_path: Path, *, compacted: bool
) -> None:
    recorded(source, compacted=compacted)

    session_id = unpack_session(packed(source, tmp_path), target)

    assert session_id == "night"
    assert contents(target) == contents(source)


def test_an_archive_is_never_unpacked_over_a_session(
    files: FileRepository, tmp_path: Path
) -> None:
    recorded(files)
    before = contents(files)

    with pytest.raises(SessionExistsError):
        unpack_session(packed(files, tmp_path), files)

    assert contents(files) == before


def test_an_archive_compressed_in_another_way_is_refused(
    files: FileRepository, tmp_path: Path
) -> None:
    recorded(files)
    result = tmp_path / "lzma.zip"
    with (
        zipfile.ZipFile(packed(files, tmp_path)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_LZMA) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))

    with pytest.raises(StorageAccessError, match="does not use"):
        unpack_session(result, MemoryRepository())


def test_an_archive_can_be_written_to_a_pipe(files: FileRepository) -> None:
    class Pipe(io.RawIOBase):
        got = b""

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.got += bytes(data)
            return len(data)

    recorded(files)
    pipe = Pipe()

    pack_session(files, "night", pipe)

    assert zipfile.ZipFile(io.BytesIO(pipe.got)).testzip() is None


def changed(archive: Path, name: str, data: bytes | None, *, to: str | None = None) -> Path:
    """Write the archive again with other bytes, or none, under a name."""
    result = archive.with_suffix(".changed")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(result, "w") as new:
        for member in old.namelist():
            if not member.startswith(name):
                new.writestr(member, old.read(member))
            elif data is not None:
                new.writestr(to or member, data)
        if data is not None and not any(m.startswith(name) for m in old.namelist()):
            new.writestr(to or name, data)
    return result


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        pytest.param("blobs/", None, CorruptSessionError, id="without blobs"),
        pytest.param("blobs/", b"other bytes", CorruptSessionError, id="other blobs"),
        pytest.param("entries/", None, CorruptSessionError, id="without entries"),
        pytest.param("entries/", b"{}", CorruptSessionError, id="no journal"),
        pytest.param("holdall-session", None, StorageAccessError, id="without a head"),
        pytest.param("holdall-session", b"[]", StorageAccessError, id="another head"),
        pytest.param(
            "holdall-session",
            b'{"format":2,"session":"night","first":1,"head":1}',
            NewerFormatError,
            id="newer",
        ),
        pytest.param(
            "holdall-session",
            b'{"format":1,"session":"../night","first":1,"head":1}',
            SessionIdError,
            id="id with a path",
        ),
        pytest.param(
            "holdall-session",
            b'{"format":1,"session":"night","first":5,"head":1}',
            CorruptSessionError,
            id="impossible numbers",
        ),
        pytest.param("share/../../out", b"x", StorageAccessError, id="path out"),
        pytest.param("share/a/%2e%2e/%2e%2e/out", b"x", StorageAccessError, id="hidden path out"),
        pytest.param("share/%2fetc%2fout", b"x", StorageAccessError, id="absolute path"),
        pytest.param("/etc/out", b"x", StorageAccessError, id="absolute name"),
        pytest.param("strange", b"x", StorageAccessError, id="strange name"),
        pytest.param("blobs/" + "f" * 64, b"x", CorruptSessionError, id="a blob of another name"),
    ],
)
def test_a_bad_archive_is_refused_and_leaves_nothing(
    files: FileRepository,
    tmp_path: Path,
    name: str,
    data: bytes | None,
    error: type[HoldallError],
) -> None:
    target = SqliteRepository(tmp_path / "to.db")
    recorded(files)
    archive = changed(packed(files, tmp_path), name, data)

    with pytest.raises(error) as caught:
        unpack_session(archive, target)

    assert str(archive) in str(caught.value) or error in {NewerFormatError, SessionIdError}
    assert list(target.ids()) == []
    assert not (tmp_path.parent / "out").exists()


def test_an_archive_cut_or_flipped_anywhere_is_told(files: FileRepository, tmp_path: Path) -> None:
    with recorder(files, "night") as made:
        made.record("job", outcome="pass", output=b"x" * 9000)
    whole = packed(files, tmp_path).read_bytes()
    with closing(files.open("night", mode="r")) as storage:
        due = list(storage.read())
    bad = tmp_path / "bad.zip"
    dice = random.Random(5)  # noqa: S311 - a test
    for _number in range(300):
        data = bytearray(whole)
        if dice.random() < 0.2:
            del data[dice.randrange(len(data)) :]
        else:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        bad.write_bytes(data)
        target = MemoryRepository()
        try:
            unpack_session(bad, target)
        except HoldallError:
            assert list(target.ids()) == []
        else:  # of a ZIP archive some bytes say nothing, such as times
            with closing(target.open("night", mode="r")) as storage:
                assert list(storage.read()) == due


@pytest.mark.parametrize("limits", [Limits(members=2), Limits(size=1000), Limits(ratio=1)])
def test_an_archive_that_unpacks_to_much_is_refused(
    files: FileRepository, tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdall.upkeep.archives._SMALL", 1000)
    recorded(files)
    archive = packed(files, tmp_path)

    target = FileRepository(tmp_path / "to")

    with pytest.raises(StorageAccessError, match="without limits"):
        unpack_session(archive, target, limits=limits)

    unpack_session(archive, target, limits=None)


def damage_blob(repository: FileRepository) -> None:
    with closing(repository.open("night", mode="r")) as storage:
        assert isinstance(storage, HasFolder)
        largest = max(storage.folder.rglob("*"), key=lambda path: path.stat().st_size)
    largest.chmod(0o600)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)


def test_a_check_reads_every_entry(source: Repository) -> None:
    recorded(source)

    checked = check_session(source, "night", deep=True)

    assert (checked.damage, checked.blobs) == ((), 2)
    with closing(source.open("night", mode="r")) as storage:
        assert checked.entries == storage.head


def test_a_check_tells_each_kind_of_damage(files: FileRepository) -> None:
    recorded(files)
    damage_blob(files)

    assert check_session(files, "night").damage == ()
    [error] = check_session(files, "night", deep=True).damage
    assert "its bytes are those of" in str(error)

    with closing(files.open("night", mode="r")) as storage:
        assert isinstance(storage, HasFolder)
        largest = max(storage.folder.rglob("*"), key=lambda path: path.stat().st_size)
        [journal] = storage.folder.glob("journal-*")
    largest.unlink()
    [error] = check_session(files, "night").damage
    assert "the blob is not there" in str(error)

    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    [error] = check_session(files, "night").damage
    assert error.session_id == "night"


def test_a_sweep_drops_what_nothing_names_and_nothing_else(source: Repository) -> None:
    recorded(source)
    with closing(source.open("night")) as storage:
        lost = storage.put_blob([b"of a result that was never stored"])
        log = storage.open_log("left")
        log.write(b"behind")
        log.flush()
    before = contents(source)

    assert "written" in sweep_session(source, "night").kept
    dry = sweep_session(source, "night", grace_s=0.0, dry_run=True)
    swept = sweep_session(source, "night", grace_s=0.0)

    assert dry == swept
    assert (swept.blobs, swept.logs) == ((lost,), ("left",))
    assert contents(source) == before
    assert sweep_session(source, "night", grace_s=0.0) == ("night", (), (), "")


def test_a_sweep_leaves_alone_what_a_resume_looks_for(source: Repository) -> None:
    recorded(source, compacted=True)
    with closing(source.open("night")) as storage:
        storage.put_blob([b"the log of the job in flight"])

    swept = sweep_session(source, "night", grace_s=0.0)

    assert "in flight" in swept.kept
    assert swept.blobs == ()


def test_a_session_that_is_written_is_not_swept(files: FileRepository) -> None:
    recorded(files)

    with closing(files.open("night")), pytest.raises(LockedStorageError):
        sweep_session(files, "night", grace_s=0.0)


@pytest.fixture
def many(tmp_path: Path) -> Repository:
    """Return five finished sessions, each written a day after the one before, and a new one."""
    repository = FileRepository(tmp_path / "many")
    for number in range(5):
        clock = now() - (5 - number) * 86400.0
        with recorder(repository, f"day-{number}", clock) as made:
            made.record("job", outcome="pass", output=b"x" * 10_000)
    recorder(repository, "new").close()
    return repository


@pytest.mark.parametrize(
    ("retention", "gone"),
    [
        (Retention(), []),
        (Retention(older_s=2.5 * 86400), ["day-0", "day-1", "day-2"]),
        (Retention(keep=2), ["day-0", "day-1", "day-2"]),
        (Retention(keep=9), []),
        (Retention(keep=3, older_s=0.0), ["day-0", "day-1"]),
        (Retention(max_bytes=0), ["day-0", "day-1", "day-2", "day-3", "day-4"]),
        (Retention(max_bytes=0, keep=4), ["day-0"]),
        (Retention(max_bytes=1 << 40, older_s=4.5 * 86400), ["day-0"]),
        (Retention(older_s=0.0, states=("new", "empty")), ["new"]),
    ],
)
def test_retention_lets_the_oldest_go(
    many: Repository, retention: Retention, gone: list[str]
) -> None:
    assert [info.id for info, _size in surplus_sessions(many, retention)] == gone


def test_retention_counts_the_bytes_of_all_sessions(many: Repository) -> None:
    every = surplus_sessions(many, Retention(max_bytes=0))
    sizes = [size or 0 for _info, size in every]
    rest = sum(sizes[2:]) + 5000  # of the new one

    going = surplus_sessions(many, Retention(max_bytes=rest))

    assert min(sizes) > 9000
    assert [info.id for info, _size in going] == ["day-0", "day-1"]


def test_a_follower_gets_what_is_there_and_what_comes(source: Repository) -> None:
    recorded(source)
    got = []
    ready = threading.Event()

    def follow() -> None:
        for number, event in follow_session(source, "night", timeout=5.0):
            got.append((number, event))
            if isinstance(event, ResultRecorded):
                ready.set()
                if event.job_id == "late":
                    return

    follower = threading.Thread(target=follow)
    follower.start()
    assert ready.wait(5.0)
    with Recorder.append(source, "night") as made:
        made.record("late", outcome="pass")
    follower.join(10.0)

    results = [event.job_id for _number, event in got if isinstance(event, ResultRecorded)]
    assert not follower.is_alive()
    assert results == ["disk/read", "disk/write", "late"]
    assert [number for number, _event in got] == sorted({number for number, _event in got})


def test_a_follower_goes_on_behind_a_number(source: Repository) -> None:
    recorded(source)
    every = list(follow_session(source, "night", timeout=0.01))

    for index, (number, _event) in enumerate(every):
        rest = list(follow_session(source, "night", after=number, timeout=0.01))
        assert rest == every[index + 1 :]


def test_a_follower_gets_the_snapshot_for_what_it_missed(source: Repository) -> None:
    recorded(source)
    every = list(follow_session(source, "night", timeout=0.01))
    with closing(source.open("night")) as storage:
        journal, _events = Journal.resume(storage)
        journal.compact(at=now())
        head = journal.head

    [(number, event)] = follow_session(source, "night", after=every[2][0], timeout=0.01)
    assert (number, type(event)) == (head, Snapshot)
    assert list(follow_session(source, "night", after=head, timeout=0.01)) == []
    assert list(follow_session(source, "night", after=head - 1, timeout=0.01)) == []


def test_a_follower_gets_the_snapshot_of_what_came_and_went_meanwhile(source: Repository) -> None:
    recorded(source)
    follower = follow_session(source, "night", timeout=5.0)
    with closing(source.open("night", mode="r")) as storage:
        head = storage.head
    while next(follower)[0] < head - 1:
        pass  # the last one is a summary, which adds nothing
    with Recorder.append(source, "night") as made:
        made.record("late", outcome="pass")
    with closing(source.open("night")) as storage:
        journal, _events = Journal.resume(storage)
        journal.compact(at=now())

    # A store may let a reader read on what was compacted, or only from the snapshot on.
    for number, event in follower:
        if isinstance(event, Snapshot) or (
            isinstance(event, ResultRecorded) and event.job_id == "late"
        ):
            break
        head += 1
        assert number == head
    else:
        raise AssertionError("the result never came")


def test_a_follower_of_a_session_that_is_removed_is_told(files: FileRepository) -> None:
    recorded(files)
    follower = follow_session(files, "night", timeout=5.0)
    next(follower)
    files.remove("night")

    with pytest.raises(StorageError):
        list(follower)
    with pytest.raises(UnknownSessionError):
        next(follow_session(files, "nobody"))


def test_a_listing_says_which_devices_a_session_has(source: Repository) -> None:
    recorded(source)

    [info] = list_sessions(source)

    with closing(source.open("night", mode="r")) as storage:
        assert list(info.devices) == [device.id for device in SessionView.of(storage).devices]
    assert info.devices
