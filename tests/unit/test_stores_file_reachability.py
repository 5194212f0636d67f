"""What the store in plain files acknowledges can be read by whoever opens the session next."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    FailedStorageError,
    UnknownSessionError,
)
from holdall.journal import list_sessions
from holdall_plugins.stores.disk import FOLDER, names_in, opened
from holdall_plugins.stores.file import FileRepository, journal, repository
from holdall_plugins.stores.file.lock import SessionLock
from holdall_plugins.stores.file.storage import FileStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdall.contracts import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FileStorage]:
    storage = FileRepository(tmp_path / "top" / "root").create("session")
    assert isinstance(storage, FileStorage)
    storage.append([b"kept"], expect=0)
    yield storage
    storage.close()


def journal_in(folder: Path) -> Path:
    [file] = folder.glob("journal-*")
    return file


def replace(path: Path) -> None:
    """Put another file or folder with the same contents in the place of *path*."""
    aside = path.with_name("aside")
    path.rename(aside)
    shutil.copytree(aside, path) if aside.is_dir() else shutil.copy(aside, path)


FOLDER_CHANGES = [
    pytest.param(shutil.rmtree, id="session removed"),
    pytest.param(lambda folder: folder.rename(folder.with_name("x")), id="session renamed"),
    pytest.param(replace, id="session replaced"),
    pytest.param(lambda folder: shutil.rmtree(folder.parent), id="root removed"),
    pytest.param(lambda folder: folder.parent.rename(folder.parents[1] / "x"), id="root renamed"),
    pytest.param(lambda folder: replace(folder.parents[1]), id="way to it replaced"),
]
JOURNAL_CHANGES = [
    pytest.param(lambda folder: journal_in(folder).unlink(), id="journal removed"),
    pytest.param(lambda folder: replace(journal_in(folder)), id="journal replaced"),
]
LOCK_CHANGES = [
    pytest.param(lambda folder: (folder / "lock").unlink(), id="lock removed"),
    pytest.param(lambda folder: replace(folder / "lock"), id="lock replaced"),
]


def flush(storage: Storage) -> None:
    log = storage.open_log("other")
    log.write(b"output")
    log.flush()


WRITES: dict[str, Callable[[FileStorage], object]] = {
    "append": lambda storage: storage.append([b"new"], expect=1),
    "append at process": lambda storage: storage.append([b"new"], expect=1, level="process"),
    "sync what waits": lambda storage: storage.append([], expect=1),
    "compact": lambda storage: storage.compact(b"snapshot", expect=1),
    "put_blob": lambda storage: storage.put_blob([b"blob"]),
    "flush": flush,
    "drop": lambda storage: storage.drop("sha256:" + "0" * 64),
}


@pytest.mark.parametrize("change", FOLDER_CHANGES)
@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_acknowledged_into_a_folder_that_is_elsewhere(
    storage: FileStorage, change: Callable[[Path], object], write: str
) -> None:
    storage.put_blob([b"so that there is a folder of blobs"])
    storage.open_log("job").flush()
    change(storage.folder)

    with pytest.raises(FailedStorageError, match="what was acknowledged went with it"):
        WRITES[write](storage)

    with pytest.raises(FailedStorageError, match="its folder was removed, renamed or replaced"):
        storage.append([b"new"], expect=1)


@pytest.mark.parametrize("change", JOURNAL_CHANGES)
@pytest.mark.parametrize("write", ["append", "append at process"])
def test_nothing_is_acknowledged_into_a_journal_that_is_elsewhere(
    storage: FileStorage, change: Callable[[Path], object], write: str
) -> None:
    change(storage.folder)

    with pytest.raises(FailedStorageError, match=r"journal-\d+.jsonl was removed, renamed or"):
        WRITES[write](storage)


@pytest.mark.parametrize("change", LOCK_CHANGES)
@pytest.mark.parametrize("write", ["append", "append at process", "compact", "put_blob", "flush"])
def test_a_lock_that_keeps_nobody_out_acknowledges_nothing(
    storage: FileStorage, change: Callable[[Path], object], write: str
) -> None:
    change(storage.folder)

    with pytest.raises(FailedStorageError, match="its lock was deleted or replaced"):
        WRITES[write](storage)


def test_two_writers_after_a_lock_was_deleted_lose_nothing_acknowledged(
    storage: FileStorage,
) -> None:
    (storage.folder / "lock").unlink()
    store = FileRepository(storage.folder.parent)

    second = store.open("session")
    second.append([b"second"], expect=1)
    with pytest.raises(FailedStorageError, match="its lock was deleted"):
        storage.append([b"first"], expect=1)
    second.append([b"third"], expect=2)
    second.close()

    reader = store.open("session", mode="r")
    assert [entry for _, entry in reader.read()] == [b"kept", b"second", b"third"]
    reader.close()


def test_what_a_stranger_wrote_between_two_appends_is_not_built_upon(storage: FileStorage) -> None:
    with journal_in(storage.folder).open("ab") as file:
        file.write(b"x")

    with pytest.raises(FailedStorageError, match="somebody else wrote"):
        storage.append([b"new"], expect=1)


def test_a_log_whose_file_was_removed_is_not_flushed(storage: FileStorage) -> None:
    log = storage.open_log("job")
    [path] = storage.folder.glob("io-logs/*.log")
    path.unlink()
    log.write(b"output")

    with pytest.raises(FailedStorageError, match=r"io-logs/job\.\w+\.log was removed"):
        log.flush()


def test_a_log_is_not_sealed_into_a_folder_that_is_elsewhere(storage: FileStorage) -> None:
    log = storage.open_log("job")
    log.write(b"output")
    log.flush()
    storage.folder.rename(storage.folder.with_name("x"))

    with pytest.raises(FailedStorageError, match="its folder was removed"):
        log.seal()


def test_a_writer_whose_folder_is_elsewhere_reads_nothing(storage: FileStorage) -> None:
    storage.folder.rename(storage.folder.with_name("x"))

    with pytest.raises(FailedStorageError, match="its folder was removed"):
        list(storage.read())


def test_removing_a_session_whose_folder_is_elsewhere_says_so(storage: FileStorage) -> None:
    store = FileRepository(storage.folder.parent)
    storage.close()
    storage.folder.rename(storage.folder.with_name("x"))

    with pytest.raises(UnknownSessionError):
        store.remove("session")


def test_a_session_whose_journal_was_deleted_is_damaged_and_never_empty(
    storage: FileStorage,
) -> None:
    store = FileRepository(storage.folder.parent)
    storage.close()
    journal_in(storage.folder).unlink()

    [info] = list_sessions(store)
    assert (info.state, "its journal is gone" in info.reason) == ("damaged", True)
    with pytest.raises(CorruptSessionError, match="its journal is gone"):
        store.open("session")
    assert not list(storage.folder.glob("journal-*"))


def test_a_handle_never_takes_an_absent_journal_for_an_empty_one(storage: FileStorage) -> None:
    reader = FileRepository(storage.folder.parent).open("session", mode="r")
    assert list(reader.read()) == [(1, b"kept")]
    journal_in(storage.folder).unlink()
    (storage.folder / "session-share").rmdir()

    for use in (lambda: list(reader.read()), lambda: reader.head, lambda: list(storage.read())):
        with pytest.raises(CorruptSessionError, match="its journal is gone"):
            use()
    reader.close()


def test_threads_that_list_one_folder_see_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    seen: set[tuple[str, ...]] = set()

    with opened(os.fspath(tmp_path), FOLDER) as fd:

        def look() -> None:
            for _ in range(3000):
                seen.add(tuple(names_in(fd)))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert seen == {("journal",)}


def test_a_reader_of_a_session_that_was_removed_is_closed(storage: FileStorage) -> None:
    store = FileRepository(storage.folder.parent)
    reader = store.open("session", mode="r")
    storage.close()
    store.remove("session")

    with pytest.raises(ClosedStorageError):
        list(reader.read())
    reader.close()


def test_a_lock_that_is_deleted_during_an_append_acknowledges_nothing(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(fd: int) -> None:
        os.fdatasync(fd)
        (storage.folder / "lock").unlink()

    monkeypatch.setattr(journal, "sync_data", sync)

    with pytest.raises(FailedStorageError, match="its lock was deleted"):
        storage.append([b"new"], expect=1)


def test_a_lock_that_is_deleted_during_a_compaction_replaces_nothing(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal_in(storage.folder)

    def sync(fd: int) -> None:
        os.fdatasync(fd)
        (storage.folder / "lock").unlink(missing_ok=True)

    monkeypatch.setattr(journal, "sync_data", sync)

    with pytest.raises(FailedStorageError, match="its lock was deleted"):
        storage.compact(b"snapshot", expect=1)
    assert journal_in(storage.folder) == before


@pytest.mark.parametrize("step", ["SessionLock", "make_folder"])
def test_a_folder_that_is_replaced_while_it_is_opened_is_not_written(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    storage.close()
    real: Any = getattr(repository, step)

    def replaced(*args: Any) -> Any:
        replace(storage.folder)
        return real(*args)

    monkeypatch.setattr(repository, step, replaced)

    with pytest.raises(UnknownSessionError):
        FileRepository(storage.folder.parent).open("session")


def test_a_folder_that_is_replaced_before_it_is_locked_is_not_removed(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.close()

    def replaced(*args: Any) -> SessionLock:
        replace(storage.folder)
        return SessionLock(*args)

    monkeypatch.setattr(repository, "SessionLock", replaced)

    with pytest.raises(UnknownSessionError):
        FileRepository(storage.folder.parent).remove("session")
    assert journal_in(storage.folder).exists()
