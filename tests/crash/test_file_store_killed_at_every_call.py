"""The store in plain files is killed before each system call that changes something.

Each scenario runs again and again in a child process, which ends itself at the
first, the second, the third ... such call, until it gets through. What is found
afterwards must be the state before the step that was cut short, or behind it.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import CorruptSessionError, UnknownSessionError
from holdall.journal import list_sessions
from holdall.testing.children import in_child
from holdall_plugins.stores.file import FileRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.contracts.stores import Storage

CALLS = ("mkdir", "open", "write", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "rmdir")
OLD = [b"1", b"2\n", b'{"n":3}']
NEW = [b'{"n":4}', b"5" * 9000, b""]


def killed_at(call: int, work: Callable[[], None]) -> int:
    """Return how a child ended that was to kill itself at that call of *work*."""

    def counted() -> None:
        left = call

        def wrap(name: str) -> None:
            real: Any = getattr(os, name)

            def step(*args: Any, **options: Any) -> Any:
                nonlocal left
                if name != "open" or args[1] & os.O_CREAT:
                    left -= 1
                    if not left:
                        _write_half(name, args, real)
                        os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **options)

            setattr(os, name, step)

        for name in CALLS:
            wrap(name)
        work()

    return in_child(counted)


def _write_half(name: str, args: tuple[Any, ...], real: Callable[..., int]) -> None:
    if name == "write":
        real(args[0], args[1][: len(args[1]) // 2])


def every_kill(work: Callable[[Path], None], prepare: Callable[[Path], None], root: Path) -> Any:
    """Yield a folder as it is after *work* was killed at each call in turn."""
    call = 0
    status = -signal.SIGKILL
    while status:
        call += 1
        folder = root / str(call)
        prepare(folder)
        status = killed_at(call, lambda: work(folder))  # noqa: B023 - called at once
        assert status in (0, -signal.SIGKILL)
        yield folder
    assert call > 3


def with_old(folder: Path) -> None:
    storage = FileRepository(folder).create("session")
    storage.append(OLD, expect=0)
    storage.close()


def opened(folder: Path) -> Storage:
    return FileRepository(folder).open("session")


def found(folder: Path) -> list[tuple[int, bytes]]:
    """Return the entries that a reader, and then a writer, finds."""
    reader = FileRepository(folder).open("session", mode="r")
    seen = list(reader.read())
    reader.close()
    storage = opened(folder)
    assert list(storage.read()) == seen
    storage.append([b"next"], expect=storage.head)
    assert list(storage.read())[:-1] == seen
    storage.close()
    return seen


def test_append_killed_anywhere_leaves_old_or_new(tmp_path: Path) -> None:
    old = list(enumerate(OLD, start=1))
    new = list(enumerate(OLD + NEW, start=1))

    def work(folder: Path) -> None:
        opened(folder).append(NEW, expect=3)

    assert [found(folder) for folder in every_kill(work, with_old, tmp_path)][-1] == new
    assert all(found(folder)[:-1] in (old, new) for folder in tmp_path.iterdir())


def test_create_killed_anywhere_leaves_an_empty_session_or_none(tmp_path: Path) -> None:
    def work(folder: Path) -> None:
        FileRepository(folder).create("session")

    for folder in every_kill(work, lambda folder: None, tmp_path):  # noqa: ARG005 - nothing to do
        repository = FileRepository(folder)
        infos = [(info.id, info.state) for info in list_sessions(repository)]
        assert infos in ([], [("session", "empty")])
        if infos:
            assert found(folder) == []
        else:
            repository.create("session").close()


def test_compact_killed_anywhere_leaves_all_or_the_snapshot_alone(tmp_path: Path) -> None:
    numbered = list(enumerate(OLD, start=1))
    snapshot = [(4, b'{"snapshot":1}')]

    def work(folder: Path) -> None:
        opened(folder).compact(snapshot[0][1], expect=3)

    states = [found(folder) for folder in every_kill(work, with_old, tmp_path)]

    assert all(state in (numbered, snapshot) for state in states)
    assert states[-1] == snapshot
    for folder in tmp_path.iterdir():
        assert len(list((folder / "session.session").glob("journal-*"))) == 1
        assert not list((folder / "session.session").glob(".new-*"))


def test_put_blob_killed_anywhere_leaves_a_whole_blob_or_none(tmp_path: Path) -> None:
    with_old(tmp_path / "first")
    storage = opened(tmp_path / "first")
    ref = storage.put_blob([b"half ", b"and half"])
    storage.close()

    def work(folder: Path) -> None:
        opened(folder).put_blob([b"half ", b"and half"])

    for folder in every_kill(work, with_old, tmp_path / "killed"):
        storage = opened(folder)
        try:
            with storage.open_blob(ref) as blob:
                assert blob.read() == b"half and half"
        except CorruptSessionError:
            assert storage.put_blob([b"half ", b"and half"]) == ref
        storage.close()


def test_seal_killed_anywhere_leaves_the_log_or_the_blob(tmp_path: Path) -> None:
    with_old(tmp_path / "first")
    storage = opened(tmp_path / "first")
    ref = storage.put_blob([b"flushed"])
    storage.close()

    def prepare(folder: Path) -> None:
        with_old(folder)
        storage = opened(folder)
        log = storage.open_log("job")
        log.write(b"flushed")
        log.flush()
        storage.close()

    def work(folder: Path) -> None:
        opened(folder).open_log("job").seal()

    for folder in every_kill(work, prepare, tmp_path / "killed"):
        storage = opened(folder)
        log = storage.open_log("job")
        if log.size:
            assert log.seal() == ref
        with storage.open_blob(ref) as blob:
            assert blob.read() == b"flushed"
        storage.close()


def test_remove_killed_anywhere_leaves_the_session_or_nothing(tmp_path: Path) -> None:
    def work(folder: Path) -> None:
        FileRepository(folder).remove("session")

    for folder in every_kill(work, with_old, tmp_path):
        repository = FileRepository(folder)
        ids = list(repository.ids())
        if ids:
            assert found(folder) == list(enumerate(OLD, start=1))
        else:
            with pytest.raises(UnknownSessionError):
                repository.open("session", mode="r")
            repository.create("other").close()  # who only reads finishes nothing
            repository.remove("other")
            assert list(folder.iterdir()) == []
