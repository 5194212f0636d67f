"""Several stores that hold the same sessions."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from holdall.contracts import HasFolder
from holdall.errors import (
    CorruptSessionError,
    HoldallError,
    LockedStorageError,
    SessionExistsError,
    StorageAccessError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.stores import Handle, check_session_id
from holdall_plugins.stores.mirror.listing import all_ends, all_ids
from holdall_plugins.stores.mirror.reading import (
    MirrorReader,
    QuorumReader,
    close_all,
    closed_if_it_fails,
)
from holdall_plugins.stores.mirror.repair import Opened, brought_up, repaired
from holdall_plugins.stores.mirror.writing import Member, MirrorWriter, tell_lagging
from holdall_plugins.stores.several import (
    holds,
    is_made,
    options_in,
    refuse_removal,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.contracts import Mode, Repair, Repository, SessionEnds, Storage


class MirrorRepository:
    """Sessions of which each step is made in several stores.

    A step is acknowledged when as many stores as the quorum did it; without one, when all
    did. Of those that may fail, so many must be there when a session is opened that one
    of them is sure to have the last acknowledged entry.
    """

    def __init__(self, *members: Repository, quorum: int | None = None) -> None:
        if len(members) < 2:
            raise StoreUrlError("mirror", "it is of two stores or more")
        self._members: Final = members
        self._quorum: Final = len(members) if quorum is None else quorum
        if not 1 <= self._quorum <= len(members):
            reason = f"the quorum of {len(members)} stores is a number from 1 to {len(members)}"
            raise StoreUrlError(f"mirror?quorum={quorum}", reason)

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> MirrorRepository:
        """Return the mirror of all in *inner*; `quorum` is a number, or `majority`."""
        del options
        quorum = options_in(url, "mirror", ("quorum",)).get("quorum")
        if len(inner) < 2:
            reason = 'it is of two stores or more: inner = ["A", "B"] below [stores.NAME]'
            raise StoreUrlError(url, reason)
        if quorum == "majority":
            return cls(*inner, quorum=len(inner) // 2 + 1)
        if quorum is not None and not quorum.isdecimal():
            raise StoreUrlError(url, "write quorum=majority, or the number of stores")
        return cls(*inner, quorum=None if quorum is None else int(quorum))

    @property
    def url(self) -> str:
        """What stands for a URL in messages; the name of the store opens it again."""
        option = "" if self._needs_all else f"quorum={self._quorum}"
        return text_of("mirror", self._members, option)

    @property
    def _needs_all(self) -> bool:
        return self._quorum == len(self._members)

    @property
    def _needed_to_read(self) -> int:
        """How many stores have one among them that holds the last acknowledged entry."""
        return len(self._members) - self._quorum + 1

    @property
    def _needed_to_write(self) -> int:
        """How many stores are to be locked so that no second writer gets a quorum."""
        return max(self._quorum, self._needed_to_read)

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, made in every store."""
        check_session_id(session_id)
        made: list[Member] = []
        absent: dict[str, HoldallError] = {}
        with self._undone_if_it_fails(session_id, made):
            for repository in self._members:
                try:
                    made.append(Member(repository.url, repository.create(session_id, first=first)))
                except SessionExistsError:
                    raise SessionExistsError(self.url, session_id) from None
                except LockedStorageError:
                    raise  # somebody else opened it between two steps of its making
                except HoldallError as error:
                    if self._needs_all:
                        raise
                    absent[repository.url] = error
            if len(made) < self._needed_to_write:
                raise self._unreachable(session_id, "create", self._needed_to_write, absent)
        for name, reason in absent.items():
            tell_lagging(session_id, name, reason)
        return self._writer(session_id, made)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; a store that lags behind is brought up first."""
        check_session_id(session_id)
        if mode == "r":
            return self._reader(session_id)
        opened = self._opened(session_id, take_over=take_over)
        with closed_if_it_fails(opened.storages):
            members = brought_up(opened, needed=self._needed_to_write)
        return self._writer(session_id, members)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions that a store has, those of the first one first."""
        return iter(all_ids(self._members, needed=self._needed_to_read, where=self.url))

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session."""
        needed = self._needed_to_read
        return all_ends(self._members, needed=needed, where=self.url, compare=not self._needs_all)

    def exists(self) -> bool:
        """Whether one of the stores is there."""
        return any(map(is_made, self._members))

    def remove(self, session_id: str) -> None:
        """Remove a session from every store; it is refused while one of them is not there.

        One that kept the session would bring it back. If this is interrupted, the session
        is there as long as a store has it, and can be removed again.
        """
        check_session_id(session_id)
        doing = f"remove the session {session_id!r} from all stores of"
        holders = []
        for repository in self._members:
            try:
                if holds(repository, session_id):
                    holders.append(repository)
            except HoldallError as error:
                refuse_removal(repository, doing, self.url, str(error))
        if not holders:
            raise UnknownSessionError(self.url, session_id, tuple(self.ids()))
        for repository in self._members:
            if not is_made(repository):
                refuse_removal(repository, doing, self.url, "it is not there")
        for repository in holders:
            try:
                with suppress(UnknownSessionError):  # somebody else removes it at the same time
                    repository.remove(session_id)
            except HoldallError as error:
                error.add_note(f"the session is in {repository.url} still; remove it again")
                raise

    def repair(self, session_id: str, *, dry_run: bool = False) -> Iterator[Repair]:
        """Give each store what it lacks of a session, and yield what that was."""
        check_session_id(session_id)
        opened = self._opened(session_id, take_over=False, mode="r" if dry_run else "w")
        try:
            yield from repaired(opened, dry_run=dry_run)
        finally:
            close_all(opened.storages.values())

    def _opened(self, session_id: str, *, take_over: bool, mode: Mode = "w") -> Opened:
        """Open a session in all stores that are there, in their order."""
        opened = Opened(session_id, self.url, self._members, self._quorum)
        with closed_if_it_fails(opened.storages):
            for at, repository in enumerate(self._members):
                try:
                    storage = repository.open(session_id, mode=mode, take_over=take_over)
                    opened.storages[at] = storage
                except UnknownSessionError:
                    opened.lacking.append(at)
                except LockedStorageError:
                    raise
                except HoldallError as error:
                    opened.absent[at] = error
            if not opened.storages:
                raise self._not_found(session_id, opened.named_absent())
            if len(opened.storages) + len(opened.lacking) < self._needed_to_read:
                doing, needed = "open", self._needed_to_read
                raise self._unreachable(session_id, doing, needed, opened.named_absent())
        return opened

    def _reader(self, session_id: str) -> Storage:
        handle = Handle(session_id, self.url, "r", self)
        if not self._needs_all:
            storages = list(self._opened(session_id, take_over=False, mode="r").storages.values())
            return QuorumReader(
                _with_folder(storages),
                self,
                handle=handle,
                storages=storages,
                quorum=self._quorum,
                total=len(self._members),
            )
        absent: dict[str, HoldallError] = {}
        openers = [partial(each.open, session_id, mode="r") for each in self._members]
        for at, opener in enumerate(openers):
            try:
                storage = opener()
            except UnknownSessionError:
                continue
            except HoldallError as error:
                absent[self._members[at].url] = error
                continue
            more = openers[at + 1 :]
            return MirrorReader(storage, self, handle=handle, storages=[storage], more=more)
        raise self._not_found(session_id, absent)

    def _writer(self, session_id: str, members: Sequence[Member]) -> Storage:
        return MirrorWriter(
            _with_folder([member.storage for member in members]),
            self,
            handle=Handle(session_id, self.url, "w", self),
            members=members,
            quorum=self._quorum,
            total=len(self._members),
        )

    @contextmanager
    def _undone_if_it_fails(self, session_id: str, made: Sequence[Member]) -> Iterator[None]:
        try:
            yield
        except BaseException:
            names = {member.name for member in made}
            with suppress(HoldallError):
                close_all(member.storage for member in made)
            for repository in self._members:
                if repository.url in names:
                    with suppress(HoldallError):
                        repository.remove(session_id)
            raise

    def _not_found(self, session_id: str, absent: Mapping[str, HoldallError]) -> HoldallError:
        if not absent:
            return UnknownSessionError(self.url, session_id, tuple(self.ids()))
        damaged = [error for error in absent.values() if isinstance(error, CorruptSessionError)]
        if damaged:
            return damaged[0]
        return self._unreachable(session_id, "open", self._needed_to_read, absent)

    def _unreachable(
        self, session_id: str, doing: str, needed: int, absent: Mapping[str, HoldallError]
    ) -> StorageAccessError:
        names = "; ".join(f"{name}: {error}" for name, error in absent.items())
        reason = f"{needed} of its {len(self._members)} stores are needed, and some fail: {names}"
        return StorageAccessError(self.url, f"{doing} the session {session_id!r} in", reason)


def _with_folder(storages: Sequence[Storage]) -> Storage:
    """Return the first storage that has a folder, or the first one."""
    return next((each for each in storages if isinstance(each, HasFolder)), storages[0])


if TYPE_CHECKING:
    _: type[Repository] = MirrorRepository
