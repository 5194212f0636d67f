"""Facts about where the store in plain files keeps what, and where it refuses to."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.errors import StorageAccessError, StoreUrlError, UnknownSessionError
from holdall.journal import list_sessions
from holdall.testing.children import in_child
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.file.logs import file_name
from holdall_plugins.stores.file.storage import FileStorage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FileStorage]:
    storage = FileRepository(tmp_path).create("session")
    assert isinstance(storage, FileStorage)
    yield storage
    storage.close()


def journal_of(folder: Path, session_id: str = "session") -> Path:
    [found] = (folder / f"{session_id}.session").glob("journal-*")
    return found


def test_a_journal_is_lines_of_json_that_people_can_read(
    tmp_path: Path, storage: FileStorage
) -> None:
    storage.append([b'{"event": "one"}', b"two\n"], expect=0)

    header, first, second = map(json.loads, journal_of(tmp_path).read_text().splitlines())

    assert (header["format"], header["session"], header["first"]) == (1, "session", 1)
    assert (first["left"], first["entry"]) == (1, {"event": "one"})
    assert (second["left"], second["base64"]) == (0, "dHdvCg==")


def test_everything_is_for_this_user_alone(tmp_path: Path) -> None:
    root = tmp_path / "root" / "deeper"
    storage = FileRepository(root).create("session")
    storage.append([b"entry"], expect=0)
    storage.put_blob([b"blob"])
    storage.open_log("log").flush()
    storage.compact(b"snapshot", expect=1)
    storage.close()

    modes = {stat.S_IMODE(path.stat().st_mode) for path in root.parent.rglob("*")}

    assert stat.S_IMODE(root.parent.stat().st_mode) == 0o700
    assert modes == {0o700, 0o600}


def test_the_folder_of_a_session_is_told(tmp_path: Path, storage: FileStorage) -> None:
    assert storage.folder == tmp_path / "session.session"
    assert (storage.folder / "session-share").is_dir()


def test_a_compaction_leaves_one_journal_named_by_its_first_entry(
    tmp_path: Path, storage: FileStorage
) -> None:
    storage.append([b"1", b"2", b"3"], expect=0)

    storage.compact(b"snapshot", expect=3)

    assert journal_of(tmp_path).name == f"journal-{4:020d}.jsonl"


def test_reading_near_the_end_reads_little(tmp_path: Path, storage: FileStorage) -> None:
    for head in range(0, 4000, 100):
        storage.append([b'"%b"' % (b"x" * 200)] * 100, expect=head)
    size = journal_of(tmp_path).stat().st_size

    before = _read_bytes()
    assert len(list(storage.read(3990))) == 10
    after = _read_bytes()

    assert after - before < size // 2


def _read_bytes() -> int:
    fields = Path("/proc/self/io").read_text(encoding="ascii").split()
    return int(fields[1])


def test_a_symbolic_link_in_place_of_a_session_is_not_followed(tmp_path: Path) -> None:
    real = FileRepository(tmp_path / "real")
    real.create("session").close()
    repository = FileRepository(tmp_path / "linked")
    repository.create("other").close()
    (tmp_path / "linked" / "session.session").symlink_to(tmp_path / "real" / "session.session")

    for use in (repository.open, repository.remove):
        with pytest.raises(StorageAccessError, match="link"):
            use("session")
    with pytest.raises(StorageAccessError, match="link"):
        repository.open("session", mode="r")

    assert {info.id: info.state for info in list_sessions(repository)} == {
        "session": "unreadable",
        "other": "empty",
    }
    real.open("session").close()


@pytest.mark.parametrize("name", ["lock", "journal-00000000000000000001.jsonl"])
def test_a_symbolic_link_in_place_of_a_file_is_not_followed(tmp_path: Path, name: str) -> None:
    repository = FileRepository(tmp_path)
    repository.create("session").close()
    path = tmp_path / "session.session" / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StorageAccessError):
        repository.open("session")


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.write_text("a file")
    repository = FileRepository(path)

    for use in (repository.create, repository.open, repository.remove):
        with pytest.raises(StorageAccessError) as caught:
            use("session")
        assert str(path) in str(caught.value)
    with pytest.raises(StorageAccessError):
        list(repository.ids())


def test_a_folder_that_is_not_there_holds_no_session(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path / "missing" / "deeper")

    assert list(repository.ids()) == []
    for mode in ("r", "w"):
        with pytest.raises(UnknownSessionError):
            repository.open("session", mode=mode)
    assert not (tmp_path / "missing").exists()


def test_a_near_name_is_suggested(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path)
    repository.create("holdall-monday").close()

    with pytest.raises(UnknownSessionError, match="did you mean 'holdall-monday'"):
        repository.open("holdall-mondy")


@pytest.mark.parametrize(
    "url",
    [
        "file://relative",
        "file:relative",
        "file:///x?sync=0",
        "file:///x?trust_fs=yes",
        "file:///x#fragment",
        "memory://x",
    ],
)
def test_a_url_that_names_no_folder_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError) as caught:
        FileRepository.from_url(url)

    assert caught.value.url == url


@pytest.mark.parametrize("url", ["file:///x", "file:///x?trust_fs=1", "file:///100%25%20%231%3F"])
def test_a_url_names_the_folder_again(url: str) -> None:
    assert FileRepository.from_url(url).url == url


def test_names_of_logs_can_be_read_and_never_meet() -> None:
    names = [
        "com.example::disk/1",
        "com.example::disk_1",
        "COM.example::disk/1",
        "é" * 300,
        "\udc80",
    ]

    files = [file_name(name) for name in names]

    assert files[0].startswith("com-example-disk-1.")
    assert len({name.casefold() for name in files}) == len(names)
    assert max(map(len, files)) < 128


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_place_of_somebody_else_is_named_with_a_way_out(tmp_path: Path) -> None:
    repository = FileRepository(tmp_path / "store")
    repository.create("session").close()

    def as_somebody_else() -> None:
        os.setuid(65534)
        for use in (
            lambda: repository.create("other"),
            lambda: repository.open("session"),
            lambda: repository.open("session", mode="r"),
            lambda: repository.remove("session"),
            lambda: list(repository.ids()),
        ):
            with pytest.raises(StorageAccessError, match="give this user access") as caught:
                use()
            assert str(tmp_path / "store") in str(caught.value)

    assert in_child(as_somebody_else) == 0
