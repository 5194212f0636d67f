"""Whether all of a stored session is as it was written."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from holdall.contracts import Sweepable
from holdall.errors import CorruptSessionError
from holdall.stores import blob_size, first_of, pieces_of
from holdall.upkeep.refs import checked_refs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Repository, Storage


class Checked(NamedTuple):
    """What a check of a session found.

    Attributes:
        entries: How many entries were read; the numbers begin where it was compacted.
        blobs: How many blobs its entries name.
        damage: What is not as it was written, in no order; nothing if all is.
    """

    session_id: str
    entries: int
    blobs: int
    damage: tuple[CorruptSessionError, ...]


def check_session(repository: Repository, session_id: str, *, deep: bool = False) -> Checked:
    """Read every entry of a session, and look for every blob that they name.

    Nothing is changed. Entries behind damage are not looked at: nothing tells what they
    should be.

    Args:
        deep: Read the bytes of the blobs and of the live logs, too.

    Raises:
        UnknownSessionError: There is no such session.
        NewerFormatError: A newer holdall wrote it.
        StorageError: It can't be read now, which says nothing about what is stored.
    """
    try:
        opened = repository.open(session_id, mode="r")
    except CorruptSessionError as error:
        return Checked(session_id, 0, 0, (error,))
    with closing(opened) as storage:
        first = head = 0
        try:
            head = storage.head
            first = first_of(storage)
            refs = checked_refs(storage, upto=head)
        except CorruptSessionError as error:
            return Checked(session_id, max(0, head + 1 - first), 0, (error,))
        damage = (*_of_blobs(storage, refs, deep=deep), *(_of_logs(storage) if deep else ()))
        return Checked(session_id, head + 1 - first, len(refs), damage)


def _of_blobs(storage: Storage, refs: set[str], *, deep: bool) -> Iterator[CorruptSessionError]:
    if isinstance(storage, Sweepable):
        for ref in sorted(refs - set(storage.blobs())):
            location = f"{storage.where}, blob {ref}"
            yield CorruptSessionError(storage.id, location, "the blob is not there")
            refs = refs - {ref}
    for ref in sorted(refs) if deep else ():
        try:
            blob_size(storage, ref)
        except CorruptSessionError as error:
            yield error


def _of_logs(storage: Storage) -> Iterator[CorruptSessionError]:
    for name in list(storage.logs()) if isinstance(storage, Sweepable) else ():
        try:
            with storage.read_log(name) as log:
                for _piece in pieces_of(log):
                    pass
        except CorruptSessionError as error:
            yield error
