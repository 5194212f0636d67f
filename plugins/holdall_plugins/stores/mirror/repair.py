"""Stores of a mirror that lag behind: what they lack, and how they get it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdall.contracts import Repair
from holdall.errors import CorruptSessionError, HoldallError, UnknownSessionError
from holdall.stores import catch_up, first_of, swept
from holdall_plugins.stores.mirror.histories import Histories
from holdall_plugins.stores.mirror.writing import Member, tell_lagging

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Repository, Storage
    from holdall_plugins.stores.mirror.histories import Settled


@dataclass
class Opened:
    """A session that was opened in those stores of a mirror that are there.

    Attributes:
        storages: By the place of their store in the mirror.
        lacking: Stores that are there, and do not hold the session.
        absent: Stores that could not be asked, or hold it damaged, and why.
    """

    session_id: str
    where: str
    members: Sequence[Repository]
    quorum: int
    storages: dict[int, Storage] = field(default_factory=dict)
    lacking: list[int] = field(default_factory=list)
    absent: dict[int, HoldallError] = field(default_factory=dict)

    def named_absent(self) -> dict[str, HoldallError]:
        """Return why stores could not be asked, by their URLs."""
        return {self.members[at].url: error for at, error in self.absent.items()}

    def settled(self) -> Settled:
        """Return which store has the history that counts."""
        return Histories(
            self.where,
            self.storages,
            quorum=self.quorum,
            total=len(self.members),
            absent=self.named_absent(),
        ).settle()

    def bring_up(self, at: int, source: Storage) -> None:
        """Bring the session in one store to what *source* has, made anew if there is a gap."""
        first = first_of(source)
        storage = self.storages.get(at)
        if storage is not None and storage.head < first - 1:
            self.make_anew(at, source)
            return
        if storage is None:
            storage = self.members[at].create(self.session_id, first=first)
            self.storages[at] = storage
        catch_up(source, storage)

    def make_anew(self, at: int, source: Storage) -> None:
        """Remove the session from one store, and copy it there."""
        storage = self.storages.pop(at, None)
        if storage is not None:
            with suppress(HoldallError):
                storage.close()
        with suppress(UnknownSessionError):
            self.members[at].remove(self.session_id)
        self.bring_up(at, source)


def brought_up(opened: Opened, *, needed: int) -> list[Member]:
    """Return the stores that hold all that counts, after those that lagged got it.

    Raises:
        StorageError: They are fewer than *needed*.
    """
    settled = opened.settled()
    source = opened.storages[settled.source]
    failures = {**opened.absent, **settled.damaged}
    failures.update({at: _left(opened, at, number) for at, number in settled.diverged.items()})
    for at in range(len(opened.members)):
        storage = opened.storages.get(at)
        if at not in failures and (storage is None or storage.head != source.head):
            try:
                opened.bring_up(at, source)
            except HoldallError as error:
                failures[at] = error
    whole = [at for at in sorted(opened.storages) if at not in failures]
    if len(whole) < needed:
        raise _advised(failures[min(failures)], opened)
    for at, failure in failures.items():
        tell_lagging(opened.session_id, opened.members[at].url, failure)
        with suppress(HoldallError):
            if at in opened.storages:
                opened.storages[at].close()
    return [Member(opened.members[at].url, opened.storages[at]) for at in whole]


def _left(opened: Opened, at: int, number: int) -> CorruptSessionError:
    location = f"entry {number} in {opened.members[at].url}"
    return CorruptSessionError(opened.session_id, location, "it was never acknowledged")


def _advised(error: HoldallError, opened: Opened) -> HoldallError:
    error.add_note(
        f"too few of the stores of {opened.where} hold the session whole to go on with it; "
        f"`holdall sessions repair {opened.session_id}`, with the same --store, gives them "
        "what they lack"
    )
    return error


def repaired(opened: Opened, *, dry_run: bool) -> Iterator[Repair]:
    """Give each store what it lacks, and yield what that was; with *dry_run*, yield alone."""
    settled = opened.settled()
    source = opened.storages[settled.source]
    for at, repository in enumerate(opened.members):
        problem = _problem(opened, settled, at)
        if not problem:
            continue
        reason = str(opened.absent[at]) if at in opened.absent else ""
        if not dry_run and (not reason or _is_damaged(opened, at)):
            reason = _why_not(opened, settled, at, source)
        is_done = not dry_run and not reason
        yield Repair(opened.session_id, repository.url, problem, is_done, reason)


def _problem(opened: Opened, settled: Settled, at: int) -> str:
    head = opened.storages[settled.source].head
    if at in opened.lacking:
        return "it lacks the session"
    if at in settled.damaged or _is_damaged(opened, at):
        return "the session is damaged there"
    if at in opened.absent:
        return "it can't be asked"
    if at in settled.diverged:
        return f"its entries from {settled.diverged[at]} on were never acknowledged"
    lacks = head - opened.storages[at].head
    if lacks:
        return f"it lacks the last {lacks} of {head} entries"
    blobs = _blobs(opened.storages[settled.source]) - _blobs(opened.storages[at])
    return f"it lacks {len(blobs)} blobs" if blobs else ""


def _blobs(storage: Storage) -> set[str]:
    return set(swept(storage).blobs())


def _is_damaged(opened: Opened, at: int) -> bool:
    return isinstance(opened.absent.get(at), CorruptSessionError)


def _why_not(opened: Opened, settled: Settled, at: int, source: Storage) -> str:
    """Repair a session in one store, and return why that was not possible, if it was not."""
    try:
        if at in settled.diverged or at in settled.damaged or _is_damaged(opened, at):
            opened.make_anew(at, source)
        else:
            opened.bring_up(at, source)
    except HoldallError as error:
        return str(error)
    return ""
