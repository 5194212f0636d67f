"""An overlay keeps the contract of repositories, and its base keeps every byte."""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from tests.contract.several import ContractOfSeveral

from holdall.errors import (
    SessionExistsError,
    SessionIdError,
    StorageAccessError,
    StorageError,
    UnknownSessionError,
)
from holdall.testing import RepositoryContract
from holdall.testing.crash import Child
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.logs import read_log
from holdall.testing.guarantees.subject import numbered
from holdall_plugins.stores.faulty import FaultyRepository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.overlay import OverlayRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.contracts import Repository
    from holdall.testing.crash import Link

BLOB = b"seen in the field\n" * 5000


class TestOverlayOfFiles(ContractOfSeveral):
    def made(self, folder: Path) -> Repository:
        return OverlayRepository(FileRepository(folder / "base"), FileRepository(folder / "upper"))


@pytest.mark.soak
class TestOverlayOfFilesInMemory(RepositoryContract):
    durable = False
    processes = False

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return OverlayRepository(FileRepository(tmp_path), MemoryRepository())

    def reopen(self, repository: Repository) -> Repository:
        return repository


def field(folder: Path) -> tuple[FileRepository, str]:
    """Return a store with a session of 600 entries, a blob and a log that a crash left."""
    base = FileRepository(folder)
    with closing(base.create("session")) as storage:
        ref = storage.put_blob([BLOB])
        storage.append(numbered(600), expect=0)
        log = storage.open_log("job")
        log.write(b"cut off")
        log.flush()
    base.create("other").close()
    return base, ref


def digests(folder: Path) -> dict[str, str]:
    """Return what every file is, and when it was changed."""
    return {str(path): f"{path.stat().st_mtime_ns} {_digest(path)}" for path in folder.rglob("*")}


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"


def test_a_session_of_the_base_is_gone_on_with_and_the_base_stays_as_it_is(
    tmp_path: Path,
) -> None:
    base, ref = field(tmp_path / "base")
    before = digests(tmp_path / "base")
    overlay = OverlayRepository(base, SqliteRepository(tmp_path / "upper.db"))

    with closing(overlay.open("session")) as storage:
        storage.append(numbered(1, first=601), expect=600)
        storage.open_log("job").seal()
        storage.compact(b"snapshot", expect=601)
    overlay.create("new").close()
    overlay.remove("other")

    with closing(overlay.open("session", mode="r")) as storage:
        assert list(storage.read()) == [(602, b"snapshot")]
        assert read_blob(storage, ref) == BLOB
    assert sorted(overlay.ids()) == ["new", "session"]
    assert sorted(ends.id for ends in overlay.summaries()) == ["new", "session"]
    assert digests(tmp_path / "base") == before


def test_what_is_not_written_is_read_from_the_base_and_nothing_is_copied(tmp_path: Path) -> None:
    base, ref = field(tmp_path / "base")
    overlay = OverlayRepository(base, FileRepository(tmp_path / "upper"))

    with closing(overlay.open("session", mode="r")) as storage:
        assert [entry for _number, entry in storage.read()] == numbered(600)
        assert (read_blob(storage, ref), read_log(storage, "job")) == (BLOB, b"cut off")

    assert sorted(overlay.ids()) == ["other", "session"]
    assert not (tmp_path / "upper").exists()


def test_a_session_that_was_removed_stays_removed_and_its_name_is_free(tmp_path: Path) -> None:
    base, ref = field(tmp_path / "base")
    overlay = OverlayRepository(base, FileRepository(tmp_path / "upper"))
    with pytest.raises(SessionExistsError):
        overlay.create("session")

    overlay.remove("session")

    for again in (overlay, OverlayRepository(base, FileRepository(tmp_path / "upper"))):
        assert list(again.ids()) == ["other"]
        with pytest.raises(UnknownSessionError):
            again.open("session", mode="r")
        with pytest.raises(UnknownSessionError):
            again.remove("session")
    with closing(overlay.create("session")) as storage:
        assert (storage.head, list(storage.read()), read_log(storage, "job")) == (0, [], b"")
        with pytest.raises(StorageError):
            storage.open_blob(ref)
    overlay.remove("session")
    assert list(overlay.ids()) == ["other"]


def test_a_copy_is_removed_with_what_it_was_made_of(tmp_path: Path) -> None:
    base, _ref = field(tmp_path / "base")
    overlay = OverlayRepository(base, FileRepository(tmp_path / "upper"))
    overlay.open("session").close()

    overlay.remove("session")

    assert list(overlay.ids()) == ["other"]


def test_a_copy_that_fails_at_any_step_is_not_seen_and_ended_later(tmp_path: Path) -> None:
    base, ref = field(tmp_path / "base")
    for step in range(1, 20):
        upper = FileRepository(tmp_path / f"upper {step}")
        faulty = FaultyRepository(upper, fail=step)
        try:
            OverlayRepository(base, faulty).open("session").close()
        except StorageError:
            overlay = OverlayRepository(base, upper)
            _check_whole(overlay, ref)
        else:
            assert step > 5
            return
    pytest.fail("copying takes more steps than are tried")


@pytest.mark.parametrize("fault", ["kill", "kill_after"])
def test_a_copy_that_is_killed_at_any_step_is_not_seen_and_ended_later(
    tmp_path: Path, fault: str
) -> None:
    base, ref = field(tmp_path / "base")

    def copy(step: int) -> Callable[[Link], object]:
        faulty = FaultyRepository(FileRepository(tmp_path / f"upper {step}"), **{fault: step})
        return lambda link: link.acknowledge(OverlayRepository(base, faulty).open("session").head)

    for step in range(1, 20):
        with Child(copy(step)) as child:
            line = child.line()
            child.end()
        _check_whole(OverlayRepository(base, FileRepository(tmp_path / f"upper {step}")), ref)
        if line is not None:
            assert step > 5
            return
    pytest.fail("copying takes more steps than are tried")


def _check_whole(overlay: OverlayRepository, ref: str) -> None:
    """Check that the session of the base is there whole, to be read and then to be written."""
    for mode in ("r", "w"):
        assert sorted(overlay.ids()) == ["other", "session"]
        with closing(overlay.open("session", mode=mode)) as storage:
            assert [entry for _number, entry in storage.read()] == numbered(600)
            assert (read_blob(storage, ref), read_log(storage, "job")) == (BLOB, b"cut off")


def test_a_copy_that_was_cut_off_is_not_whole_because_the_base_went_away(tmp_path: Path) -> None:
    base, _ref = field(tmp_path / "base")
    upper = FileRepository(tmp_path / "upper")
    begun = 0
    for step in range(2, 20):
        upper = FileRepository(tmp_path / f"upper {step}")
        try:
            OverlayRepository(base, FaultyRepository(upper, fail=step)).open("session").close()
        except StorageError:
            alone = OverlayRepository(FileRepository(tmp_path / "gone"), upper)
            names = list(upper.ids())
            if "session" in names and not any(name.startswith("holdall-over") for name in names):
                begun += 1
                with pytest.raises(StorageAccessError, match="its copy was interrupted"):
                    alone.open("session")
        else:
            break

    assert begun >= 3
    OverlayRepository(FileRepository(tmp_path / "gone"), upper).open("session").close()


def test_the_marks_of_an_overlay_are_no_names_for_sessions(tmp_path: Path) -> None:
    base, _ref = field(tmp_path / "base")
    overlay = OverlayRepository(base, FileRepository(tmp_path / "upper"))
    overlay.remove("session")
    [mark] = FileRepository(tmp_path / "upper").ids()

    with pytest.raises(SessionIdError, match="the store's own"):
        overlay.open(mark, mode="r")
