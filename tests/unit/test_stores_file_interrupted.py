"""Facts about the store in plain files when its processes fork, die or are interrupted."""

from __future__ import annotations

import errno
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from holdall.errors import ClosedStorageError, FailedStorageError, LockedStorageError, StorageError
from holdall.journal import list_sessions
from holdall.testing.children import in_child
from holdall_plugins.stores.file import FileRepository, journal
from holdall_plugins.stores.file.storage import FileStorage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FileStorage]:
    storage = FileRepository(tmp_path).create("session")
    assert isinstance(storage, FileStorage)
    yield storage
    storage.close()


def journal_of(folder: Path, session_id: str = "session") -> Path:
    [found] = (folder / f"{session_id}.session").glob("journal-*")
    return found


def test_a_holder_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)

    def die() -> None:
        repository.create("session").append([b"entry"], expect=0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die) == -signal.SIGKILL
    storage = repository.open("session", take_over=True)
    assert list(storage.read()) == [(1, b"entry")]
    storage.close()


def test_the_holder_of_a_lock_is_named(storage: FileStorage, tmp_path: Path) -> None:
    storage.append([b"entry"], expect=0)

    with pytest.raises(LockedStorageError) as caught:
        FileRepository(tmp_path).open("session", take_over=True)

    assert caught.value.holder == f"process {os.getpid()}"


def test_a_forked_child_can_neither_use_nor_release_the_handle(
    storage: FileStorage, tmp_path: Path
) -> None:
    def use() -> None:
        for step in (
            lambda: storage.append([b"child"], expect=0),
            lambda: list(storage.read()),
            lambda: storage.put_blob([b"child"]),
        ):
            with pytest.raises(FailedStorageError, match="process"):
                step()
        storage.close()
        with pytest.raises(LockedStorageError):
            FileRepository(tmp_path).open("session")

    assert in_child(use) == 0
    with pytest.raises(LockedStorageError):
        FileRepository(tmp_path).open("session")
    assert storage.append([b"parent"], expect=0) == 1


def test_a_forked_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)
    release, wait = os.pipe()

    def parent_dies_first() -> None:
        repository.create("session")
        if not os.fork():
            os.close(wait)
            os.read(release, 1)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(parent_dies_first) == -signal.SIGKILL
    repository.open("session").close()
    os.close(wait)
    os.close(release)


def test_a_session_whose_making_was_killed_is_empty(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)
    (tmp_path / "session.session").mkdir()

    assert [(info.id, info.state) for info in list_sessions(repository)] == [("session", "empty")]
    reader = repository.open("session", mode="r")
    assert (reader.head, list(reader.read())) == (0, [])
    assert list((tmp_path / "session.session").iterdir()) == []
    reader.close()
    storage = repository.open("session")
    assert (storage.head, storage.append([b"entry"], expect=0)) == (0, 1)
    storage.close()


@pytest.mark.parametrize("finish", ["open", "create", "remove"])
def test_a_removal_that_was_interrupted_is_finished(tmp_path: Path, finish: str) -> None:
    repository = FileRepository(tmp_path)
    repository.create("other").close()
    left = tmp_path / ".removed-0123456789abcdef"
    (left / "blobs").mkdir(parents=True)

    assert list(repository.ids()) == ["other"]
    assert left.exists()  # who only reads changes nothing
    if finish == "open":
        repository.open("other").close()
    elif finish == "create":
        repository.create("session").close()
    else:
        repository.remove("other")

    assert not left.exists()


def test_a_compaction_that_was_killed_before_it_cleaned_up_is_done(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)
    storage = repository.create("session")
    storage.append([b"1", b"2", b"3"], expect=0)
    old = journal_of(tmp_path)
    whole = old.read_bytes()
    storage.compact(b"snapshot", expect=3)
    storage.close()
    old.write_bytes(whole)
    leftover = old.with_name(".new-0123456789abcdef")
    leftover.write_bytes(b"half a journal")

    assert list(repository.open("session", mode="r").read()) == [(4, b"snapshot")]
    assert old.exists()
    again = repository.open("session")
    again.close()

    assert (old.exists(), leftover.exists()) == (False, False)


def test_a_reader_of_a_session_that_was_removed_and_made_anew_sees_neither(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)
    repository.create("session").close()
    reader = repository.open("session", mode="r")
    repository.remove("session")
    new = repository.create("session")
    new.append([b"new"], expect=0)

    with pytest.raises(ClosedStorageError):
        list(reader.read())

    new.close()
    reader.close()


def test_a_failed_creation_leaves_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    repository = FileRepository(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "sync_data", refuse)
        with pytest.raises(StorageError):
            repository.create("session")

    assert list(repository.ids()) == []
    repository.create("session").close()


def test_removing_works_beside_others_that_remove_create_and_list(tmp_path: Path) -> None:
    errors: list[str] = []
    done = threading.Event()

    def work(name: str) -> None:
        repository = FileRepository(tmp_path)
        for number in range(25):
            storage = repository.create(f"{name}-{number}")
            for blob in range(5):
                storage.put_blob([b"%d" % blob])
            storage.close()
            try:
                repository.remove(f"{name}-{number}")
            except StorageError as error:
                errors.append(str(error))

    def look() -> None:
        while not done.is_set():
            infos = list_sessions(FileRepository(tmp_path))
            errors.extend(info.reason for info in infos if info.state == "damaged")

    workers = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    watcher = threading.Thread(target=look)
    for thread in (*workers, watcher):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    watcher.join()

    assert errors == []
    assert list(tmp_path.iterdir()) == []
