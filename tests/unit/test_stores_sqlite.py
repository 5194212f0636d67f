"""Facts about the store in a SQLite database that the contract of all stores does not hold."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import stat
import threading
import time
from contextlib import closing
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from holdall.cli.exits import message
from holdall.contracts import SessionEnds
from holdall.errors import (
    BusyStorageError,
    CorruptSessionError,
    FailedStorageError,
    LockedStorageError,
    StaleWriterError,
    StorageAccessError,
    StorageError,
    StorageFullError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.journal import list_sessions
from holdall.testing.children import in_child
from holdall_plugins.stores.sqlite import SqliteRepository, database, removal
from holdall_plugins.stores.sqlite.storage import PAGE, SqliteStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall_plugins.stores.sqlite.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lab.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    storage = SqliteRepository(path).create("session")
    assert isinstance(storage, SqliteStorage)
    yield storage
    storage.close()


def stored(path: Path) -> list[bytes]:
    with closing(SqliteRepository(path).open("session", mode="r")) as reader:
        return [entry for _, entry in reader.read()]


def test_a_commit_syncs_its_journal_which_stays(storage: SqliteStorage) -> None:
    database = storage._database

    assert database.rows("PRAGMA journal_mode") == [("persist",)]
    assert database.rows("PRAGMA synchronous") == [(2,)]


def test_the_file_is_for_this_user_alone(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"entry"], expect=0)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_making_a_repository_makes_no_file(path: Path) -> None:
    repository = SqliteRepository(path)

    assert list(repository.ids()) == []
    with pytest.raises(UnknownSessionError):
        repository.open("session")
    assert not path.exists()


@pytest.mark.parametrize(
    "url", ["sqlite:///relative.db", "sqlite://x", "sqlite:////x?mode=wal", "sqlite:////x#y"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError):
        SqliteRepository.from_url(url)


def test_a_writer_that_was_killed_keeps_nobody_out(path: Path) -> None:
    repository = SqliteRepository(path)

    def die() -> None:
        repository.create("session").append([b"entry"], expect=0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die) == -signal.SIGKILL
    storage = repository.open("session")
    assert list(storage.read()) == [(1, b"entry")]
    storage.close()


def test_a_writer_of_another_process_keeps_others_out_until_taken_over(
    path: Path, storage: SqliteStorage
) -> None:
    storage.append([b"ours"], expect=0)

    def take_over() -> None:
        repository = SqliteRepository(path)
        with pytest.raises(LockedStorageError, match=f"process {os.getppid()}"):
            repository.open("session")
        other = repository.open("session", take_over=True)
        other.append([b"theirs"], expect=1)
        other.close()

    assert in_child(take_over) == 0
    with pytest.raises(StaleWriterError):
        storage.append([b"ours"], expect=2)
    assert [entry for _, entry in storage.read()] == [b"ours", b"theirs"]


def test_a_writer_of_an_earlier_boot_keeps_nobody_out(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"entry"], expect=0)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET boot_id = 'earlier'")

    again = SqliteRepository(path).open("session")

    assert again.append([b"more"], expect=1) == 2
    again.close()


def test_a_forked_child_can_not_use_the_handle(storage: SqliteStorage) -> None:
    def use() -> None:
        with pytest.raises(FailedStorageError, match="process"):
            storage.append([b"child"], expect=0)
        storage.close()

    assert in_child(use) == 0
    assert storage.append([b"parent"], expect=0) == 1


def test_a_reader_takes_a_page_at_a_time(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"%d" % number for number in range(1, 3 * PAGE + 1)], expect=0)
    reader = SqliteRepository(path).open("session", mode="r")
    entries = reader.read()
    for _ in range(PAGE + 1):
        next(entries)

    with closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        connection.rollback()

    assert len(list(entries)) == 2 * PAGE - 1
    reader.close()


def test_a_writer_waits_for_others_to_end_their_step(path: Path, storage: SqliteStorage) -> None:
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.3, blocker.close)
    started = time.monotonic()
    timer.start()

    storage.append([b"entry"], expect=0)

    assert time.monotonic() - started >= 0.25
    timer.join()


def test_a_full_disk_loses_nothing_and_stays_usable(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"kept"], expect=0)
    [(pages,)] = storage._database.rows("PRAGMA page_count")
    storage._database.rows(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageFullError) as caught:
        storage.append([b"lost" * 10_000], expect=1)
    with pytest.raises(StorageFullError):
        storage.put_blob([b"lost" * 10_000])

    assert str(path) in str(caught.value)
    storage._database.rows("PRAGMA max_page_count = 100000")
    assert storage.append([b"next"], expect=1) == 2
    assert [entry for _, entry in storage.read()] == [b"kept", b"next"]


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"a letter to a friend " * 100)
    repository = SqliteRepository(path)

    for use in (repository.create, repository.open, repository.remove):
        with pytest.raises(StorageAccessError, match="no SQLite database"):
            use("session")
    with pytest.raises(StorageAccessError, match="no SQLite database"):
        list(repository.ids())
    assert path.read_bytes() == b"a letter to a friend " * 100


def test_the_database_of_something_else_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE friends (name TEXT)")

    with pytest.raises(StorageAccessError, match="something else"):
        SqliteRepository(path).create("session")
    assert list(SqliteRepository(path).ids()) == []


def test_a_newer_layout_is_refused(path: Path, storage: SqliteStorage) -> None:
    storage.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {database.LAYOUT + 1}")

    for mode in ("r", "w"):
        with pytest.raises(StorageAccessError, match="upgrade holdall"):
            SqliteRepository(path).open("session", mode=mode)


def test_a_database_of_the_first_layout_is_read_and_gone_on_with(
    path: Path, storage: SqliteStorage
) -> None:
    storage.append([b"old"], expect=0)
    storage.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN first")
        connection.execute("PRAGMA user_version = 1")
    repository = SqliteRepository(path)

    assert stored(path) == [b"old"]
    assert [ends.first for ends in repository.summaries()] == [b"old"]
    repository.open("session").close()
    repository.create("copy", first=7).close()
    copy = repository.open("copy", mode="r")
    assert (copy.head, list(copy.read())) == (6, [])
    assert [ends.id for ends in repository.summaries()] == ["session", "copy"]
    assert stored(path) == [b"old"]


def test_damage_in_the_file_is_told_in_words(path: Path, storage: SqliteStorage) -> None:
    for head in range(200):
        storage.append([b"%d" % head * 500], expect=head)
    storage.close()
    data = bytearray(path.read_bytes())
    for start in range(8192, len(data), 4096):
        data[start : start + 64] = b"\xaa" * 64
    path.write_bytes(data)

    with pytest.raises(StorageError) as caught:
        stored(path)

    assert isinstance(caught.value, CorruptSessionError)
    assert str(path) in str(caught.value)


def test_damage_of_the_whole_database_names_no_session(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"entry"], expect=0)
    storage.close()
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xaa" * 3996
    path.write_bytes(data)
    repository = SqliteRepository(path)

    for use in (lambda: list(repository.ids()), lambda: repository.create("another")):
        with pytest.raises(CorruptSessionError) as caught:
            use()

        assert str(caught.value).startswith(f"the store {path} is damaged: ")
        assert "salvage" not in message(caught.value)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    repository = SqliteRepository(tmp_path)

    for use in (repository.create, repository.open):
        with pytest.raises(StorageAccessError, match=f"{tmp_path}: it is a folder; name a file"):
            use("session")
    with pytest.raises(StorageAccessError, match="it is a folder"):
        list(repository.ids())
    assert repository.exists()


def test_an_upload_that_was_cut_short_is_dropped_by_the_next_writer(path: Path) -> None:
    repository = SqliteRepository(path)

    def die() -> None:
        def source() -> Iterator[bytes]:
            yield b"x" * (3 << 20)
            os.kill(os.getpid(), signal.SIGKILL)

        repository.create("session").put_blob(source())

    assert in_child(die) == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM chunks").fetchone() == (3,)
        repository.open("session").close()
        assert connection.execute("SELECT count(*) FROM chunks").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (0,)


def test_removing_a_session_leaves_no_row(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"entry"], expect=0)
    storage.put_blob([b"blob"])
    storage.open_log("job").flush()
    storage.close()

    SqliteRepository(path).remove("session")

    with closing(sqlite3.connect(path)) as connection:
        for table in ("sessions", "entries", "blobs", "chunks"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


def test_a_commit_that_fails_ends_the_handle(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"kept"], expect=0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        with pytest.raises(FailedStorageError, match="disk I/O error"):
            storage.append([b"unclear" * 10_000], expect=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    with pytest.raises(FailedStorageError):
        storage.append([b"more"], expect=1)
    storage.close()
    again = SqliteRepository(path).open("session")
    assert list(again.read()) == [(1, b"kept")]
    again.close()


def test_a_file_that_can_not_be_written_any_more_is_named(
    path: Path, storage: SqliteStorage
) -> None:
    storage.append([b"kept"], expect=0)
    for link in type(path)("/proc/self/fd").iterdir():
        if link.exists() and link.samefile(path):
            os.dup2(os.open(path, os.O_RDONLY), int(link.name))

    with pytest.raises(StorageError, match=str(path)):
        storage.append([b"lost"], expect=1)

    assert stored(path) == [b"kept"]


def test_a_writer_that_was_taken_over_from_may_not_even_repeat_itself(tmp_path: Path) -> None:
    repository = SqliteRepository(tmp_path / "lab.db")
    old = repository.create("session")
    old.append([b"1"], expect=0)
    old.compact(b"snapshot", expect=1)
    new = repository.open("session", take_over=True)

    with pytest.raises(StaleWriterError):
        old.compact(b"snapshot", expect=1)
    with pytest.raises(StaleWriterError):
        old.append([b"snapshot"], expect=1)

    old.close()
    new.close()


def test_a_blob_whose_row_is_no_bytes_is_damaged(path: Path, storage: SqliteStorage) -> None:
    ref = storage.put_blob([b"7"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE chunks SET data = 7")

    with pytest.raises(CorruptSessionError, match="is no bytes"), storage.open_blob(ref) as blob:
        blob.read()


def test_a_session_whose_row_is_odd_is_damaged(path: Path, storage: SqliteStorage) -> None:
    storage.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET pid = 'x'")

    with pytest.raises(CorruptSessionError, match="the row of the session holds"):
        SqliteRepository(path).open("session")


def test_sessions_are_listed_beside_damaged_entries(path: Path, storage: SqliteStorage) -> None:
    storage.append([b"entry"], expect=0)
    storage.close()
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_entries_1'"
        [[page]] = connection.execute(query).fetchall()
        [[size]] = connection.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    assert list(SqliteRepository(path).ids()) == ["session"]


def test_a_snapshot_that_reads_back_differently_replaces_nothing(
    path: Path, storage: SqliteStorage
) -> None:
    storage.append([b"1", b"2"], expect=0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER bad_memory AFTER INSERT ON entries "
            "BEGIN UPDATE entries SET data = x'00' WHERE n = NEW.n; END"
        )

    with pytest.raises(CorruptSessionError, match="reads back differently"):
        storage.compact(b"snapshot", expect=2)

    assert stored(path) == [b"1", b"2"]


def test_a_database_that_is_kept_without_progress_is_busy_and_not_damaged(
    path: Path, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_S", 0.1)
    storage.append([b"entry"], expect=0)
    ids = SqliteRepository(path).ids()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BusyStorageError, match=r"another process kept it for 0.1 seconds"):
            storage.append([b"more"], expect=1)
        with pytest.raises(BusyStorageError):
            list(storage.read())
        infos = list_sessions(KnowsIds(path, list(ids)))

    assert [(info.id, info.state) for info in infos] == [("session", "busy")]
    assert storage.append([b"more"], expect=1) == 2


class KnowsIds(SqliteRepository):
    """A repository that knew its ids before another process took the database."""

    def __init__(self, path: Path, ids: list[str]) -> None:
        super().__init__(path)
        self._ids = ids

    def summaries(self) -> Iterator[SessionEnds]:
        return (SessionEnds(session_id, is_whole=False) for session_id in self._ids)


def test_a_writer_waits_for_as_long_as_others_make_progress(
    path: Path, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_S", 0.3)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")

    def make_progress() -> None:
        for _ in range(10):
            os.utime(path)
            time.sleep(0.1)
        other.execute("COMMIT")
        other.close()

    thread = threading.Thread(target=make_progress)
    thread.start()

    assert storage.append([b"entry"], expect=0) == 1

    thread.join()


@pytest.mark.parametrize("change", ["remove", "rename", "replace", "rename the folder"])
@pytest.mark.parametrize("step", ["append", "compact", "put_blob", "flush"])
def test_what_nobody_finds_at_the_path_is_not_acknowledged(
    tmp_path: Path, change: str, step: str
) -> None:
    path = tmp_path / "folder" / "lab.db"
    storage = SqliteRepository(path).create("session")
    storage.append([b"kept"], expect=0)
    log = storage.open_log("job")
    log.write(b"data")
    if change == "remove":
        path.unlink()
    elif change == "rename":
        path.rename(tmp_path / "other.db")
    elif change == "replace":
        shutil.copy(path, tmp_path / "other.db")
        (tmp_path / "other.db").rename(path)
    else:
        path.parent.rename(tmp_path / "elsewhere")

    steps: dict[str, Callable[[], object]] = {
        "append": lambda: storage.append([b"lost"], expect=1),
        "compact": lambda: storage.compact(b"lost", expect=1),
        "put_blob": lambda: storage.put_blob([b"lost"]),
        "flush": log.flush,
    }
    with pytest.raises(FailedStorageError, match="went with it: put it back"):
        steps[step]()

    with pytest.raises(FailedStorageError, match="went with it: put it back"):
        storage.append([b"lost"], expect=1)
    storage.close()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("DELETE FROM entries WHERE n > 8", id="the last"),
        pytest.param("DELETE FROM entries WHERE n = 5", id="one between"),
        pytest.param("DELETE FROM entries", id="all"),
        pytest.param("UPDATE sessions SET head = 8", id="a head that is too low"),
        pytest.param("UPDATE sessions SET head = 12", id="a head that is too high"),
        pytest.param("UPDATE sessions SET head = NULL", id="no head"),
        pytest.param("UPDATE sessions SET head = 'x'", id="a head that is no number"),
        pytest.param("UPDATE entries SET data = 7 WHERE n = 3", id="an entry that is a number"),
        pytest.param("UPDATE entries SET n = 2.5 WHERE n = 3", id="half a number"),
    ],
)
def test_rows_that_are_missing_or_odd_are_damage(
    path: Path, storage: SqliteStorage, damage: str
) -> None:
    storage.append([b"%d" % number for number in range(10)], expect=0)
    storage.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA writable_schema = ON")
        sql = "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')"
        connection.execute(sql)
        connection.commit()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(damage)

    with pytest.raises(CorruptSessionError, match="session"):
        stored(path)
    [info] = list_sessions(SqliteRepository(path))
    assert (info.id, info.state) == ("session", "damaged")


def test_removing_gives_room_back(path: Path) -> None:
    repository = SqliteRepository(path)
    repository.create("small").close()
    before = path.stat().st_size
    with closing(repository.create("large")) as storage:
        storage.put_blob([b"x" * (5 << 20)])
        storage.append([b"y" * 1000] * 1000, expect=0)

    repository.remove("large")

    assert path.stat().st_size <= before + 8192
    assert list(repository.ids()) == ["small"]


def test_a_database_that_gives_no_room_back_goes_on_working(path: Path) -> None:
    repository = SqliteRepository(path)
    repository.create("session").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")

    storage = repository.open("session")
    storage.put_blob([b"x" * (2 << 20)])
    storage.close()
    repository.remove("session")

    assert list(repository.ids()) == []


def test_what_a_killed_removal_left_goes_with_the_next(path: Path) -> None:
    repository = SqliteRepository(path)
    for session_id in ("removed", "next", "kept"):
        with closing(repository.create(session_id)) as storage:
            storage.append([b"entry"], expect=0)
            storage.put_blob([b"blob"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM sessions WHERE id = 'removed'")

    repository.remove("next")

    with closing(sqlite3.connect(path)) as connection:
        for table in ("sessions", "entries", "blobs", "chunks"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)  # noqa: S608


def test_a_session_is_removed_from_a_full_disk(
    path: Path, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.append([b"x" * 1000] * 600, expect=0)
    storage.close()
    steps: list[int] = []

    def full_for_large_steps(database: Database, statement: str, key: int, limit: int) -> bool:
        steps.append(limit)
        if limit > 4:
            raise StorageFullError(str(path), "no room")
        return removal_drop(database, statement, key, limit)

    removal_drop = removal._drop
    monkeypatch.setattr(removal, "_drop", full_for_large_steps)

    SqliteRepository(path).remove("session")

    assert steps[:4] == [256, 64, 16, 4]
    assert list(SqliteRepository(path).ids()) == []


def test_of_a_disk_without_any_room_the_session_is_gone_and_the_rest_is_named(
    path: Path, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.append([b"x"], expect=0)
    storage.close()

    def full(*_arguments: object) -> bool:
        raise StorageFullError(str(path), "no room")

    with monkeypatch.context() as patched:
        patched.setattr(removal, "_drop", full)
        with pytest.raises(StorageFullError, match="is removed, but some of it still takes room"):
            SqliteRepository(path).remove("session")

    assert list(SqliteRepository(path).ids()) == []


@pytest.mark.parametrize("count", [200, pytest.param(1500, marks=pytest.mark.soak)])
def test_any_damaged_page_is_told_or_does_no_harm(path: Path, count: int) -> None:
    repository = SqliteRepository(path)
    entries = {
        name: [b"%s %d" % (name.encode(), n) * 40 for n in range(60)] for name in ("one", "two")
    }
    for name, due in entries.items():
        with closing(repository.create(name)) as storage:
            storage.append(due, expect=0)
            ref = storage.put_blob([name.encode() * 3000])
    ref = f"sha256:{sha256(b'two' * 3000).hexdigest()}"
    whole = path.read_bytes()
    untouched = 0
    chosen = Random(10)  # noqa: S311 - the same in each run
    for position in [*range(120), *(chosen.randrange(len(whole)) for _ in range(count))]:
        data = bytearray(whole)
        data[position] = chosen.choice((0, 0x80, 0xFF, data[position] ^ 1))
        with path.open("r+b") as file:  # emptied before, it would be synced by some file systems
            file.write(data)
        for name, due in entries.items():
            try:
                storage = SqliteRepository(path).open(name, mode="r")
                with closing(storage):
                    found = [entry for _number, entry in storage.read()]
                    assert len(found) == len(due)  # a changed byte is the journal's to find
                    untouched += found == due
                    if name == "two":
                        with storage.open_blob(ref) as blob:
                            assert blob.read() == b"two" * 3000
            except StorageError as error:
                assert str(path) in str(error) or "blob" in str(error)  # noqa: PT017
        try:
            list_sessions(SqliteRepository(path))
        except StorageError as error:
            assert str(path) in str(error)  # noqa: PT017
    assert untouched > count


def test_a_file_that_is_moved_within_a_step_is_not_acknowledged(
    path: Path, storage: SqliteStorage
) -> None:
    def move_within_step() -> None:
        with storage._database.writing("append to") as cursor:
            cursor.execute("UPDATE sessions SET head = 1")
            path.rename(path.with_name("other.db"))
            shutil.copy(path.with_name("other.db"), path)

    with pytest.raises(FailedStorageError, match=r"renamed or replaced .* put it back"):
        move_within_step()

    with pytest.raises(FailedStorageError):
        storage.append([b"lost"], expect=0)


def test_a_commit_that_fails_in_a_file_that_was_moved_does_not_say_that_all_is_safe(
    path: Path, storage: SqliteStorage
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def move_and_fail() -> None:
        with storage._database.writing("append to") as cursor:
            cursor.execute("INSERT INTO entries VALUES (7, 1, ?)", (b"unclear" * 10_000,))
            path.rename(path.with_name("other.db"))
            size = path.with_name("other.db").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))

    try:
        with pytest.raises(FailedStorageError, match=r"renamed or replaced .* put it back"):
            move_and_fail()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(
    path: Path, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.close()
    connect = sqlite3.connect

    def connect_late(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        shutil.copy(path, path.with_name("other.db"))
        path.with_name("other.db").rename(path)
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_late)

    with pytest.raises(StorageError, match="replaced"):
        SqliteRepository(path).open("session", mode="r")
