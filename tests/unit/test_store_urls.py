"""What may be given as a store, and what is said of what may not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import HasExistence
from holdall.errors import ReadOnlyStorageError, StoreUrlError
from holdall.journal import Journal, SessionCreated, describe_session, list_sessions
from holdall.stores import open_repository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.readonly import ReadOnlyRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/tmp/x", "it is a path; write 'file:///tmp/x'"),
        ("~/x", f"it is a path; write '{(Path.home() / 'x').as_uri()}'"),
        ("./x", f"it is a path; write '{(Path.cwd() / 'x').as_uri()}'"),
        ("readonly::/tmp/x", "is a path; write 'file:///tmp/x'"),
        ("FILE:///tmp/x", "a scheme in lower case; write 'file:'"),
        (" file:///tmp/x", "a scheme in lower case; write 'file:'"),
        ("x", "it does not begin with a scheme, as in 'file:///var/lib/lab'"),
        ("", "it does not begin with a scheme, as in 'file:///var/lib/lab'"),
        ("file://x", "write file:///, an absolute path"),
        ("sqlite:///nope/x.db", "a fourth slash: write sqlite:////nope/x.db"),
        ("sqlite:///x.db?trust_fs=1", "a fourth slash: write sqlite:////x.db?trust_fs=1"),
        ("sqlite:///x#y", "write sqlite:////, an absolute path, and '%23' for '#'"),
        ("sqlite://x", "write sqlite:////, an absolute path"),
        ("file:///x%00", "no path can hold '%00'"),
        ("file:///x\0", "a character that can't be printed"),
        ("file:///x\ny", "a character that can't be printed"),
        ("file:///x\x1b[2J", "a character that can't be printed"),
    ],
)
def test_what_opens_no_store_is_refused_with_a_way_out(url: str, reason: str) -> None:
    with pytest.raises(StoreUrlError) as caught:
        open_repository(url)

    assert reason in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_path_object_is_the_folder_of_a_file_store(tmp_path: Path) -> None:
    open_repository(tmp_path / "a b%").create("session").close()

    assert list(FileRepository(tmp_path / "a b%").ids()) == ["session"]


def begin(repository: Repository, session_id: str) -> None:
    journal = Journal.begin(repository.create(session_id))
    journal.append([SessionCreated(at=1.8e9, session_id=session_id)])
    ref = journal.storage.put_blob([b"blob"])
    journal.storage.open_log("job").flush()
    assert ref
    journal.close()


def tree(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Return what is in *folder*, with what changes when somebody writes."""
    return {
        path: (status.st_mtime_ns, status.st_mode, b"" if path.is_dir() else path.read_bytes())
        for path in (folder, *folder.rglob("*"))
        for status in (path.lstat(),)
    }


def test_a_read_only_store_changes_nothing_whatever_lies_about(tmp_path: Path) -> None:
    inner = FileRepository(tmp_path)
    for session_id in ("whole", "torn", "headless", "unlocked"):
        begin(inner, session_id)
    (tmp_path / ".removed-0123456789abcdef" / "blobs").mkdir(parents=True)
    (tmp_path / "empty.session").mkdir()
    (tmp_path / "whole.session" / ".new-0123456789abcdef").write_bytes(b"half")
    [journal] = (tmp_path / "torn.session").glob("journal-*")
    journal.write_bytes(journal.read_bytes()[:-4])
    (journal.parent / "lock").write_text('{"pid":1}\n')  # of a writer that was killed
    next((tmp_path / "headless.session").glob("journal-*")).unlink()
    (tmp_path / "unlocked.session" / "lock").unlink()
    before = tree(tmp_path)

    repository = ReadOnlyRepository(inner)
    ids = list(repository.ids())
    list_sessions(repository)
    for session_id in ids:
        describe_session(repository, session_id)
        storage = repository.open(session_id)
        if session_id != "headless":
            list(storage.read())
        with pytest.raises(ReadOnlyStorageError):
            storage.append([b"x"], expect=0)
        storage.close()
    for step in (repository.create, repository.remove):
        with pytest.raises(ReadOnlyStorageError):
            step("whole")

    assert tree(tmp_path) == before


@pytest.mark.parametrize("scheme", ["file://", "sqlite:///"])
def test_a_store_that_is_not_there_is_not_made_by_who_reads(tmp_path: Path, scheme: str) -> None:
    repository = open_repository(f"readonly::{scheme}{tmp_path / 'none'}")

    assert isinstance(repository, HasExistence)
    assert not repository.exists()
    assert list_sessions(repository) == []
    assert not list(tmp_path.iterdir())
