"""Stores whose bytes a wrapper changes, as the contract suites need them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdall.contracts import HasFolder

if TYPE_CHECKING:
    from holdall.contracts import Repository

VARIABLE = "HOLDALL_TEST_KEY"
KEY = "00112233445566778899aabbccddeeff" * 2
OTHER_KEY = "ffeeddccbbaa99887766554433221100" * 2


def change_journal(repository: Repository, session_id: str) -> None:
    """Change a byte in the middle of the journal file of a session."""
    storage = repository.open(session_id, mode="r")
    assert isinstance(storage, HasFolder)
    folder = Path(storage.folder)
    storage.close()
    [journal] = folder.glob("journal-*")
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 0x01
    journal.write_bytes(data)


def change_blob(repository: Repository, session_id: str, ref: str) -> None:
    """Change a byte in the middle of the only blob of a session; *ref* is its plain name."""
    del ref
    storage = repository.open(session_id, mode="r")
    assert isinstance(storage, HasFolder)
    folder = Path(storage.folder)
    storage.close()
    blobs = [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    for path in blobs:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x01
        path.write_bytes(data)
