"""Facts about the store in a SQLite database that the contract of all stores does not hold."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from holdall.errors import (
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
from holdall.testing.children import in_child
from holdall_plugins.stores.sqlite import SqliteRepository
from holdall_plugins.stores.sqlite.storage import PAGE, SqliteStorage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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


def test_a_commit_is_synced_with_its_folder(storage: SqliteStorage) -> None:
    database = storage._database

    assert database.rows("PRAGMA journal_mode") == [("delete",)]
    assert database.rows("PRAGMA synchronous") == [(3,)]


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
        connection.execute("PRAGMA user_version = 2")

    for mode in ("r", "w"):
        with pytest.raises(StorageAccessError, match="upgrade holdall"):
            SqliteRepository(path).open("session", mode=mode)


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


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    repository = SqliteRepository(tmp_path)

    for use in (repository.create, repository.open):
        with pytest.raises(StorageAccessError, match=str(tmp_path)):
            use("session")


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
