"""The contract over several stores below one folder, and damage to all of them at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from holdall.testing import RepositoryContract
from holdall.testing.guarantees.blobs import BlobGuarantees
from holdall.testing.guarantees.entries import EntryGuarantees
from holdall.testing.guarantees.processes import ProcessGuarantees
from holdall.testing.guarantees.sessions import SessionGuarantees
from holdall.testing.guarantees.subject import RepositoryTests, changed_in
from holdall.testing.guarantees.writers import WriterGuarantees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts import Repository


class Several(RepositoryTests):
    """What is tested is what `made` makes of stores in a folder, each time anew."""

    def made(self, folder: Path) -> Repository:
        raise NotImplementedError

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        self.folder = tmp_path
        return self.made(tmp_path)

    def reopen(self, repository: Repository) -> Repository:
        del repository
        return self.made(self.folder)

    def damage(self, repository: Repository, session_id: str) -> None:
        del repository
        change_entry(self.folder, session_id)

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        change_blob(repository, self.folder, session_id, ref)


class ContractOfSeveral(Several, RepositoryContract):
    """The whole contract."""


class SmallContractOfSeveral(
    Several,
    EntryGuarantees,
    WriterGuarantees,
    BlobGuarantees,
    SessionGuarantees,
    ProcessGuarantees,
):
    """The contract without what takes the tracing of system calls, which is slow."""


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """Take the folder of a `file` store away; what is in its place is no store."""
    aside = folder.with_name(f"{folder.name} aside")
    folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


def change_entry(folder: Path, session_id: str) -> None:
    """Change a byte of a session in each store in *folder*."""
    for journal in folder.glob(f"*/{session_id}.session/journal-*"):
        data = bytearray(journal.read_bytes())
        data[len(data) // 2] ^= 0x01
        journal.write_bytes(data)
    for database in folder.glob("*.db"):
        change = (
            "UPDATE entries SET data = CAST(replace(data, '2.0', '3.0') AS BLOB) "
            "WHERE n = 21 AND session = (SELECT key FROM sessions WHERE id = ?)"
        )
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(change, (session_id,))


def change_blob(repository: Repository, folder: Path, session_id: str, ref: str) -> None:
    """Change a byte of a blob in each store in *folder*."""
    with closing(repository.open(session_id, mode="r")) as storage, storage.open_blob(ref) as file:
        blob = file.read()
    stores = [*folder.glob(f"*/{session_id}.session"), *folder.glob("*.db")]
    assert stores
    for store in stores:
        assert changed_in(store, blob)
