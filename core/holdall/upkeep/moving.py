"""A session in another store: copied and compared, or moved there."""

from __future__ import annotations

from contextlib import closing
from itertools import takewhile, zip_longest
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from holdall.contracts import Sweepable
from holdall.errors import (
    CorruptSessionError,
    LockedStorageError,
    SessionExistsError,
    StorageAccessError,
)
from holdall.session import copy_share
from holdall.stores import Amount, blob_size, copy_blob, copy_entries, copy_logs, first_of
from holdall.upkeep.refs import checked_refs
from holdall.upkeep.retention import remove_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.contracts import Repository, Storage

    Progress = Callable[[int, int], None]


class Copied(NamedTuple):
    """How much was copied to another store.

    Attributes:
        amount: The entries and blobs that were not there yet.
        share_problem: Why the folder that jobs share was not copied whole, nothing if it was.
    """

    amount: Amount
    share_problem: str


def copy_session(
    source: Repository,
    session_id: str,
    target: Repository,
    *,
    progress: Progress | None = None,
) -> Copied:
    """Copy a session: its entries with their numbers and checksums, blobs and logs.

    A copy that was cut off is gone on with by the next call. What was copied is read
    back and compared. The session may have a writer; what it stores meanwhile is not
    copied. The folder that jobs share is copied, too.

    Args:
        progress: Called with how many of the steps are done, and how many there are.

    Raises:
        UnknownSessionError: There is no such session.
        CorruptSessionError: The session, or its copy, is damaged. A copy that was begun
            by this call is removed.
        StorageAccessError: *target* is *source*, or holds a session of that id that is
            no beginning of this one.
        StorageError: As the stores raise it; the next call goes on.
    """
    with closing(source.open(session_id, mode="r")) as storage:
        return _copied(storage, target, progress)


def move_session(
    source: Repository,
    session_id: str,
    target: Repository,
    *,
    progress: Progress | None = None,
) -> Copied:
    """Copy a session, as `copy_session` does, and remove it; it may have no writer meanwhile.

    Raises:
        LockedStorageError: A writer has it open.
        StorageError: As `copy_session`.
    """
    with closing(source.open(session_id)) as storage:
        copied = _copied(storage, target, progress)
    # If the copy is the session itself, seen through another store, it can't be removed now.
    with closing(target.open(session_id)):
        try:
            remove_session(source, session_id)
        except LockedStorageError as error:
            error.add_note("it is there already, or somebody writes it; nothing was removed")
            raise
    return copied


def _copied(source: Storage, target: Repository, progress: Progress | None) -> Copied:
    session_id = source.id
    if target.url == source.repository.url:
        doing = f"copy the session {session_id!r} to"
        raise StorageAccessError(target.url, doing, "it is there; name another store")
    copy, is_new = _begun(source, target)
    try:
        with closing(copy):
            return _transferred(source, copy, progress or (lambda _done, _all: None))
    except CorruptSessionError:
        if is_new:
            target.remove(session_id)
        raise


def _begun(source: Storage, target: Repository) -> tuple[Storage, bool]:
    """Return the storage of the copy, and whether it was made now."""
    try:
        return target.create(source.id, first=first_of(source)), True
    except SessionExistsError:
        return target.open(source.id), False


def _transferred(source: Storage, copy: Storage, progress: Progress) -> Copied:
    head = source.head
    refs = checked_refs(source, upto=head)
    there = set(copy.blobs()) if isinstance(copy, Sweepable) else set()
    missing = sorted(refs - there)
    steps = len(missing) + 2
    amount = Amount()
    # A blob is there before an entry names it, also if this ends in between.
    for done, ref in enumerate(missing):
        progress(done, steps)
        amount = amount.plus(copy_blob(source, copy, ref))
    try:
        amount = amount.plus(copy_entries(source, copy, upto=head))
    except StorageAccessError as error:
        error.add_note(
            "it is another session of that id, or an older copy of one that was compacted since; "
            f"look at it by `holdall sessions show {quote(copy.id)}`, and remove it or name "
            "another store"
        )
        raise
    progress(steps - 1, steps)
    if isinstance(source, Sweepable) and isinstance(copy, Sweepable):
        copy_logs(source, copy)
    _compare(source, copy, head, missing)
    share_problem = copy_share(source, copy)
    progress(steps, steps)
    return Copied(amount, share_problem)


def _compare(source: Storage, copy: Storage, head: int, refs: Iterable[str]) -> None:
    """Raise unless the copy has all entries of the session, and the blobs can be read."""
    pairs = zip_longest(source.read(), copy.read(first_of(source) - 1))
    for due, found in takewhile(lambda pair: pair[0] is not None and pair[0][0] <= head, pairs):
        if found != due:
            location = f"{copy.where}, entry {due[0]}"
            raise CorruptSessionError(copy.id, location, "it differs from what was copied")
    for ref in refs:
        blob_size(copy, ref)
