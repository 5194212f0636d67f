"""A repository under test, the sessions opened in it, and what may be done out-of-band."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from holdall.stores import open_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, Storage

HOSTILE = (
    b"{}",
    b'{"text": "of JSON on one line"}',
    b'  {"with": "blanks around"}\t',
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b'{"of":\n"several lines"}',
    b'"half a string',
    b"\xff\xfe no UTF-8",
    b'{"no UTF-8": "\xff"}',
    b"null",
    b'{"sum":"00000000","left":0,"entry":{}}',
    b"[" * 5000,
    bytes(range(256)) * 64,
    b"x" * (1 << 20),
)
"""Entries that a store might trip over."""


class RepositorySubject:
    """The repository under test and a second one at the same location; closes what it opened."""

    def __init__(self, repository: Repository, again: Repository) -> None:
        self.repository = repository
        self.again = again
        self._opened: list[Storage] = []

    def create(self, session_id: str = "session", *entries: bytes) -> Storage:
        """Return a new session that holds *entries*, open for writing."""
        storage = self.close_later(self.repository.create(session_id))
        if entries:
            storage.append(entries, expect=0)
        return storage

    def writer(self, session_id: str = "session", *, take_over: bool = False) -> Storage:
        """Return a session opened for writing by the second repository."""
        return self._open(session_id, "w", take_over=take_over)

    def reader(self, session_id: str = "session") -> Storage:
        """Return a session opened for reading by the second repository."""
        return self._open(session_id, "r")

    def entries(self, session_id: str = "session") -> list[bytes]:
        """Return what the second repository reads; the numbers must have no gaps."""
        storage = self.reader(session_id)
        numbered = list(storage.read())
        storage.close()
        first = numbered[0][0] if numbered else 1
        assert [number for number, _ in numbered] == list(range(first, first + len(numbered)))
        return [entry for _, entry in numbered]

    def close(self) -> None:
        """Close every storage that was opened here."""
        while self._opened:
            self._opened.pop().close()

    def _open(self, session_id: str, mode: Mode, *, take_over: bool = False) -> Storage:
        return self.close_later(self.again.open(session_id, mode=mode, take_over=take_over))

    def close_later(self, storage: Storage) -> Storage:
        """Return *storage*, which is closed at the end."""
        self._opened.append(storage)
        return storage


class RepositoryTests:
    """The fixtures that the tests of all guarantees use."""

    @pytest.fixture
    def repository(self) -> Repository:
        """Return the repository under test, empty."""
        raise NotImplementedError("a test of a repository gives it as the fixture 'repository'")

    durable: ClassVar[bool] = True
    """Whether what is stored outlives the process; if not, that is not tested."""

    processes: ClassVar[bool] = True
    """Whether other processes see what is stored; if not, that is not tested."""

    def reopen(self, repository: Repository) -> Repository:
        """Return a second repository at the same location, made of its URL."""
        head, _, inner = repository.url.partition("::")
        kind = type(repository)
        return kind.from_url(head, open_repository(inner)) if inner else kind.from_url(head)

    def needs_durability(self) -> None:
        """Skip a test about what outlives a process unless something does."""
        if not self.durable:
            pytest.skip("not applicable: nothing of the store outlives its process")

    def needs_processes(self) -> None:
        """Skip a test about several processes unless they see one store."""
        if not self.processes:
            pytest.skip("not applicable: the store is seen by one process alone")

    def damage(self, repository: Repository, session_id: str) -> None:
        """Change a byte in the middle of a session's stored entries, behind the store's back."""
        with contextlib.closing(repository.open(session_id, mode="r")) as storage:
            location = Path(storage.where)
            entry = [entry for _number, entry in storage.read()][20]
        if not changed_in(location, entry[5:-5]):
            pytest.skip("the test gives no 'damage', and no file holds the entries as they are")

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        """Change a byte in the middle of a stored blob, behind the store's back."""
        with contextlib.closing(repository.open(session_id, mode="r")) as storage:
            location = Path(storage.where)
            with storage.open_blob(ref) as file:
                blob = file.read()
        if not changed_in(location, blob):
            pytest.skip("the test gives no 'damage_blob', and no file holds the blob as it is")

    @pytest.fixture
    def subject(self, repository: Repository) -> Iterator[RepositorySubject]:
        """Return the repository with all that is opened in it, closed at the end."""
        subject = RepositorySubject(repository, self.reopen(repository))
        yield subject
        subject.close()


def files_at(location: Path) -> list[Path]:
    """Return the files of a store that has any: a folder's, or one and those beside it."""
    if location.is_dir():
        return sorted(location.rglob("*"))
    return sorted(location.parent.glob("*")) if location.is_file() else []


def changed_in(location: Path, data: bytes) -> bool:
    """Change one byte in the last of *data* that a file holds, and return whether one does."""
    part = data[len(data) // 2 :][:64]
    for path in files_at(location):
        stored = path.read_bytes() if path.is_file() else b""
        position = stored.rfind(part) + len(part) // 2
        if part in stored:
            changed = bytes([stored[position] ^ 0x01])
            path.write_bytes(stored[:position] + changed + stored[position + 1 :])
            return True
    return False


def numbered(count: int, *, first: int = 1) -> list[bytes]:
    """Return entries that hold their numbers."""
    return [b'{"entry":%d}' % number for number in range(first, first + count)]
