"""A wrapper that changes every byte keeps the contract, blobs and logs included."""

from __future__ import annotations

import itertools
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from tests.contract.scrambled import ScrambledRepository, framed
from tests.contract.thinned import ThinnedKills

from holdall.contracts import HasFolder, HasSummaries, Sweepable
from holdall.journal import Journal, MetadataChanged, SessionCreated, list_sessions
from holdall.stores import RepositoryWrapper, StorageWrapper
from holdall.testing import RepositoryContract
from holdall.testing.guarantees.blobs import BlobGuarantees
from holdall.testing.guarantees.devices import DeviceGuarantees
from holdall.testing.guarantees.entries import EntryGuarantees
from holdall.testing.guarantees.logs import LogGuarantees
from holdall.testing.guarantees.processes import ProcessGuarantees
from holdall.testing.guarantees.readers import ReaderGuarantees
from holdall.testing.guarantees.sessions import SessionGuarantees
from holdall.testing.guarantees.subject import RepositoryTests
from holdall.testing.guarantees.threads import ThreadGuarantees
from holdall.testing.guarantees.writers import WriterGuarantees
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Mode, Repository, Storage

_numbers = itertools.count()

SECRET = b"nobody reads this " * 300


@pytest.mark.soak
class TestScrambledFiles(ThinnedKills, RepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return ScrambledRepository(FileRepository(tmp_path))

    def reopen(self, repository: Repository) -> Repository:
        url = repository.url.removeprefix("scrambled::")
        return ScrambledRepository.from_url("scrambled", FileRepository.from_url(url))

    def damage(self, repository: Repository, session_id: str) -> None:
        storage = repository.open(session_id, mode="r")
        assert isinstance(storage, HasFolder)
        [journal] = storage.folder.glob("journal-*")
        storage.close()
        data = bytearray(journal.read_bytes())
        data[len(data) // 2] ^= 0x01
        journal.write_bytes(data)


class TestScrambledMemory(RepositoryContract):
    durable = False
    processes = False

    @pytest.fixture
    def repository(self) -> Repository:
        return ScrambledRepository(MemoryRepository.from_url(f"memory://once {next(_numbers)}"))


class ScrambledDatabase(RepositoryTests):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        return ScrambledRepository(SqliteRepository(tmp_path / "lab.db"))


@pytest.mark.soak
class TestScrambledDatabase(
    ScrambledDatabase,
    EntryGuarantees,
    WriterGuarantees,
    BlobGuarantees,
    LogGuarantees,
    ReaderGuarantees,
    ThreadGuarantees,
    SessionGuarantees,
    ProcessGuarantees,
):
    """The contract without the tracing of system calls, which files above and SQLite have."""


@pytest.mark.soak
class TestScrambledDatabaseTraced(ScrambledDatabase, DeviceGuarantees):
    """What takes the tracing of system calls, which is slow."""


class TestScrambledTwice(RepositoryContract):
    durable = False
    processes = False

    @pytest.fixture
    def repository(self) -> Repository:
        inner = MemoryRepository.from_url(f"memory://twice {next(_numbers)}")
        return ScrambledRepository(ScrambledRepository(inner))

    def reopen(self, repository: Repository) -> Repository:
        inner = MemoryRepository.from_url(repository.url.removeprefix("scrambled::scrambled::"))
        return ScrambledRepository(ScrambledRepository(inner))


def test_nothing_of_what_is_stored_is_plain(tmp_path: Path) -> None:
    storage = ScrambledRepository(FileRepository(tmp_path)).create("session")
    storage.append([SECRET], expect=0)
    ref = storage.put_blob([SECRET])
    log = storage.open_log("job")
    log.write(SECRET)
    log.flush()

    files = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert ref == f"sha256:{sha256(SECRET).hexdigest()}"
    assert len(files) >= 3
    assert not [path for path in files if b"nobody reads this" in path.read_bytes()]
    storage.close()


def test_a_list_goes_through_a_wrapper_without_opening_sessions(tmp_path: Path) -> None:
    class Unopened(ScrambledRepository):
        def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
            raise AssertionError(f"a session was opened: {session_id} {mode} {take_over}")

    repository = ScrambledRepository(FileRepository(tmp_path))
    journal = Journal.begin(repository.create("session"))
    journal.append([SessionCreated(at=1.0, session_id="session", title="Title")])
    journal.append([MetadataChanged(at=2.0, changes={})])
    journal.close()

    [info] = list_sessions(Unopened(repository.inner))

    assert (info.title, info.state, info.modified) == ("Title", "new", 2.0)


def test_a_part_of_a_log_that_a_crash_cut_is_left_out() -> None:
    inner = MemoryRepository()
    log = inner.create("session").open_log("job")
    log.write(framed(b"whole") + framed(b"cut")[:-1])
    log.flush()

    with ScrambledRepository(inner).open("session", mode="r").read_log("job") as left:
        assert left.read() == b"whole"


def test_a_wrapper_has_the_capabilities_of_what_it_wraps_and_no_others(tmp_path: Path) -> None:
    files, memory = FileRepository(tmp_path), MemoryRepository()
    wrappers = RepositoryWrapper(files), RepositoryWrapper(memory)
    repositories: list[Repository] = [files, wrappers[0], memory, wrappers[1]]
    storages = [each.create(f"session-{number}") for number, each in enumerate(repositories[::2])]
    wrapped = [StorageWrapper(each, each.repository) for each in storages]

    has_summaries = [isinstance(each, HasSummaries) for each in repositories]
    of_storages = [
        (isinstance(each, HasFolder), isinstance(each, Sweepable))
        for each in (*storages, *wrapped)
    ]

    assert has_summaries == [True, True, False, False]
    assert of_storages == [(True, True), (False, True)] * 2
    assert [type(each).__name__ for each in wrapped] == ["StorageWrapper"] * 2
    for each in storages:
        each.close()
