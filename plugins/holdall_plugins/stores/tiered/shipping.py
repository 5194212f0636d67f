"""Entries on their way from the near store to the far one, in order, with their blobs.

Where shipping goes on is read off the far store each time, so it may end at any moment.
"""

from __future__ import annotations

import logging
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    HoldallError,
    UnknownSessionError,
)
from holdall.stores import copy_blob, copy_entries, first_of, swept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.contracts import Repository, Storage

_log: Final = logging.getLogger("holdall.stores.tiered")

GATHERING_S: Final = 0.2
"""How long entries wait for others that go with them."""

SYNCED_S: Final = 1.2
"""How long entries wait that survive a power cut only from a second later on."""

PAUSES_S: Final = (0.5, 60.0)
"""The first and the longest pause between two tries while the far store fails."""


def opened_far(far: Repository, near: Storage) -> Storage:
    """Return the session of *near* in the far store, open for writing; made if it is not there."""
    try:
        return far.open(near.id)
    except UnknownSessionError:
        return far.create(near.id, first=first_of(near))


def ship_blobs(near: Storage, far: Storage, refs: Iterable[str]) -> None:
    """Copy blobs; those that were dropped meanwhile are left out, as no entry names them."""
    for ref in refs:
        try:
            copy_blob(near, far, ref)
        except CorruptSessionError:
            if ref in swept(near).blobs():
                raise


def ship(near: Storage, far: Repository) -> int:
    """Bring all that *near* holds into the far store, and return how many entries that were."""
    head = near.head  # asked for first: entries up to it name blobs that are there already
    with closing(opened_far(far, near)) as target:
        ship_blobs(near, target, sorted(set(swept(near).blobs()) - set(swept(target).blobs())))
        return copy_entries(near, target, upto=head).entries


class Shipper:
    """Ships one session while it is written: a thread does, for as long as something waits.

    Args:
        opened: The session in the far store, if it is open already.
    """

    def __init__(self, near: Storage, far: Repository, *, opened: Storage | None = None) -> None:
        self._near: Final = near
        self._far: Final = far
        self._target = opened
        self._refs: set[str] | None = None
        self._put: Final[set[str]] = set()
        self._state: Final = threading.Condition()
        self._thread: threading.Thread | None = None
        self._durable = near.head
        self._wanted = near.head
        self._shipped = -1
        self._hurried = False
        self._is_closing = False
        self._failure = ""

    def note(self, head: int, *, is_durable: bool) -> None:
        """Ship what is appended up to *head*, once it survives a power cut."""
        with self._state:
            self._wanted = head
            if is_durable:
                self._durable = head
            if self._thread is None and not self._is_closing:
                name = f"holdall ships {self._near.id}"
                self._thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._thread.start()

    @property
    def waits_for_sync(self) -> bool:
        """Whether the last entries do not survive a power cut yet, and so are not shipped."""
        with self._state:
            return self._durable < self._wanted

    def put(self, ref: str) -> None:
        """Ship a blob before the entries that are appended from now on."""
        with self._state:
            self._put.add(ref)

    def dropped(self, ref: str) -> None:
        """Do not ship a blob."""
        with self._state:
            self._put.discard(ref)

    def has_shipped(self, head: int, *, within_s: float) -> bool:
        """Whether everything up to *head* is far; unless the far store fails, that is waited for.

        What is waited for must be durable.
        """
        self.note(head, is_durable=True)
        with self._state:
            self._hurried = True
            self._state.notify_all()
            self._state.wait_for(lambda: self._shipped >= head or self._failure, within_s)
            return self._shipped >= head

    def close(self, *, within_s: float) -> None:
        """Ship what is left, for a limited time, and let go of the far store."""
        with self._state:
            has_begun = self._thread is not None or self._shipped >= 0
            self._is_closing = self._hurried = True
            self._state.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(within_s)
        with self._state:
            target = self._target if self._thread is None else None  # a thread lets go itself
            left = self._wanted - self._shipped if has_begun else 0
            why = self._failure or f"it took longer than {within_s:g} s"
        if left:
            _log.warning(
                "entries of the session %r are not in %s yet (%s); "
                "`holdall sessions ship %s`, with the same --store, brings them there",
                *(self._near.id, self._far.url, why, self._near.id),
            )
        if target is not None:
            with suppress(HoldallError):
                target.close()

    def _work(self) -> None:
        pause_s = 0.0
        while True:
            with self._state:
                wanted = self._wanted
                if self._shipped >= wanted:
                    self._end()
                    return
                is_durable = wanted <= self._durable
                wait_s = max(pause_s, GATHERING_S if is_durable else SYNCED_S)
                is_hurried = self._state.wait_for(lambda: self._hurried, wait_s)
                self._hurried = self._is_closing
                upto = self._durable if is_hurried else wanted
            failure = self._ship(upto)
            with self._state:
                self._tell(failure)
                pause_s = min(max(PAUSES_S[0], 2 * pause_s), PAUSES_S[1]) if failure else 0.0
                if not failure:
                    self._shipped = upto
                self._state.notify_all()
                if self._is_closing and (failure or upto >= self._durable):
                    self._end()
                    return

    def _end(self) -> None:
        self._thread = None
        self._state.notify_all()

    def _ship(self, upto: int) -> str:
        """Ship what is there up to an entry, and return why that failed, if it did."""
        try:
            if self._target is None:
                self._target = opened_far(self._far, self._near)
            if self._refs is None:
                self._refs = set(swept(self._near).blobs()) - set(swept(self._target).blobs())
            with self._state:
                refs = sorted(self._refs | self._put)
            ship_blobs(self._near, self._target, refs)
            with self._state:
                self._refs.clear()
                self._put.difference_update(refs)
            copy_entries(self._near, self._target, upto=upto)
        except ClosedStorageError:
            self._let_go()
            return "the session was closed meanwhile"
        except Exception as error:  # noqa: BLE001 - whatever a far store does, the near one goes on
            self._let_go()
            return str(error) or type(error).__name__
        return ""

    def _let_go(self) -> None:
        target, self._target, self._refs = self._target, None, None
        if target is not None:
            with suppress(Exception):
                target.close()

    def _tell(self, failure: str) -> None:
        if failure and not self._failure and not self._is_closing:
            _log.warning(
                "the session %r can't be brought to %s (%s); it is kept near, and tried again",
                *(self._near.id, self._far.url, failure),
            )
        self._failure = failure
