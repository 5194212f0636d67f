"""A near store that acknowledges, and a far one that gets everything later."""

from __future__ import annotations

import logging
import math
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from holdall.contracts import Shipment
from holdall.errors import (
    CorruptSessionError,
    HoldallError,
    LockedStorageError,
    SessionExistsError,
    StoreUrlError,
    UnknownSessionError,
)
from holdall.stores import (
    StorageWrapper,
    catch_up,
    check_session_id,
    first_of,
    is_beginning,
)
from holdall_plugins.stores.several import (
    Marks,
    ends_in,
    holds,
    is_made,
    options_in,
    refuse_removal,
    text_of,
)
from holdall_plugins.stores.tiered.shipping import Shipper, ship
from holdall_plugins.stores.tiered.storage import TieredStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, SessionEnds, Storage

_log: Final = logging.getLogger("holdall.stores.tiered")


class TieredRepository:
    """Sessions that are acknowledged when they are durable near, and shipped in order.

    A session that is only far is read from there, and copied near before it is written.

    Args:
        close_s: How long closing a session, or compacting it, waits at most for what is
            not shipped yet.
    """

    def __init__(self, near: Repository, far: Repository, *, close_s: float = 5.0) -> None:
        self._near: Final = near
        self._far: Final = far
        self._close_s: Final = close_s
        self._copying: Final = Marks(near, "copying")

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> TieredRepository:
        """Return the tiers of the two in *inner*: the near store, and the far one."""
        del options
        text = options_in(url, "tiered", ("close_s",)).get("close_s", "5")
        if len(inner) != 2:
            reason = 'it is over two stores: inner = ["NEAR", "FAR"] below [stores.NAME]'
            raise StoreUrlError(url, reason)
        try:
            close_s = float(text)
        except ValueError:
            close_s = math.nan
        if not 0 <= close_s < 1e6:
            raise StoreUrlError(url, "close_s is a number of seconds, 0 or more")
        return cls(*inner, close_s=close_s)

    @property
    def url(self) -> str:
        """What stands for a URL in messages; the name of the store opens it again."""
        return text_of("tiered", (self._near, self._far))

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session in the near store; the far one is not asked."""
        self._check(session_id)
        if self._copying.has(session_id):
            if holds(self._far, session_id):
                raise SessionExistsError(self.url, session_id)
            self._copying.clear(session_id)
        storage = self._near.create(session_id, first=first)
        shipper = Shipper(storage, self._far)
        shipper.note(storage.head, is_durable=True)
        return self._shipped(storage, shipper)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; one that is only far is copied near to be written."""
        self._check(session_id)
        try:
            storage = self._near.open(session_id, mode=mode, take_over=take_over)
        except UnknownSessionError:
            return self._from_far(session_id, mode, None, take_over=take_over)
        try:
            is_whole = not self._copying.has(session_id)
        except BaseException:
            storage.close()
            raise
        if not is_whole:
            return self._from_far(session_id, mode, storage, take_over=take_over)
        if mode == "r":
            return StorageWrapper(storage, self)
        return self._shipped(storage, Shipper(storage, self._far))

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, those that are near first."""
        near = list(self._near.ids())
        marks = {name for name in near if self._copying.is_mark(name)}
        seen = set()
        for session_id in near:
            if session_id not in marks and self._copying.mark_of(session_id) not in marks:
                seen.add(session_id)
                yield session_id
        try:
            for session_id in self._far.ids():
                if session_id not in seen:
                    yield session_id
        except HoldallError as error:
            self._tell_left_out(error)

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session."""
        marks = self._marks()
        seen = set()
        for ends in self._near_ends(marks):
            seen.add(ends.id)
            yield ends
        try:
            for ends in ends_in(self._far):
                if ends.id not in seen:
                    yield ends
        except HoldallError as error:
            self._tell_left_out(error)

    def exists(self) -> bool:
        """Whether one of the stores is there."""
        return is_made(self._near) or is_made(self._far)

    def remove(self, session_id: str) -> None:
        """Remove a session from the far store, then from the near one.

        It is refused while the far store is not there, since it would bring the session
        back. If it is interrupted, the session is near as a whole, and can be removed again.
        A far session that has what the near one lacks is another one, and stays.
        """
        self._check(session_id)
        near = self._held(session_id)
        try:
            was_far = self._is_near_too(near) and self._removed_far(session_id)
        finally:
            if near is not None:
                near.close()
        try:
            self._near.remove(session_id)
        except UnknownSessionError:
            if not was_far:
                raise self._unknown(session_id) from None
        self._copying.clear(session_id)

    def unshipped(self) -> Iterator[Shipment]:
        """Yield each near session of which something is not known to be far."""
        reason = ""
        far: dict[str, int] = {}
        try:
            far = {ends.id: hash(ends) for ends in ends_in(self._far)}
        except HoldallError as error:
            reason = str(error)
        for ends in self._near_ends(self._marks()):
            if reason:
                yield Shipment(ends.id, None, reason)
            elif far.get(ends.id) != hash(ends) or not ends.is_whole:
                shipment = self._shipment(ends.id, is_far=ends.id in far)
                if shipment.entries != 0:
                    yield shipment

    def ship(self, session_id: str) -> int:
        """Bring everything of a near session far, and return how many entries that were."""
        self._check(session_id)
        try:
            storage = self._near.open(session_id, mode="r")
        except UnknownSessionError:
            raise self._unknown(session_id) from None
        with closing(storage):
            return 0 if self._copying.has(session_id) else ship(storage, self._far)

    def _shipment(self, session_id: str, *, is_far: bool) -> Shipment:
        try:
            with closing(self._near.open(session_id, mode="r")) as near:
                if not is_far:
                    return Shipment(session_id, near.head - first_of(near) + 1)
                with closing(self._far.open(session_id, mode="r")) as far:
                    left = near.head - far.head
                    last = next(far.read(far.head - 1), None)
                    if left < 0 or next(near.read(far.head - 1), last) not in (last, None):
                        reason = f"{self._far.url} holds other entries of it"
                        return Shipment(session_id, None, reason)
                    return Shipment(session_id, left)
        except HoldallError as error:
            return Shipment(session_id, None, str(error))

    def _shipped(self, storage: Storage, shipper: Shipper) -> Storage:
        return TieredStorage(storage, self, shipper=shipper, patience_s=self._close_s)

    def _from_far(
        self, session_id: str, mode: Mode, near: Storage | None, *, take_over: bool
    ) -> Storage:
        """Return a session that is not near, or not as a whole."""
        far = None
        try:
            if mode == "r" and near is not None:
                near.close()
            far = self._far.open(session_id, mode=mode, take_over=take_over)
            if mode == "r":
                return StorageWrapper(far, self)
            self._copying.set(session_id)
            if near is None:
                near = self._near.create(session_id, first=first_of(far))
            catch_up(far, near)
            self._copying.clear(session_id)
            return self._shipped(near, Shipper(near, self._far, opened=far))
        except BaseException as error:
            for storage in (near, far):
                with suppress(HoldallError):
                    if storage is not None:
                        storage.close()
            if isinstance(error, UnknownSessionError):
                raise self._unknown(session_id) from None
            raise

    def _held(self, session_id: str) -> Storage | None:
        """Return the near session, locked, so that nobody ships it; None if it can't be opened."""
        try:
            return self._near.open(session_id)
        except LockedStorageError:
            raise
        except HoldallError:
            return None  # it is not there, or damaged; removing it tells

    def _is_near_too(self, near: Storage | None) -> bool:
        """Whether the far session has nothing that the near one lacks, or is all there is."""
        if near is None or self._copying.has(near.id):
            return True
        try:
            with closing(self._far.open(near.id, mode="r")) as far:
                is_near = is_beginning(far, near)
        except CorruptSessionError:
            is_near = False
        except HoldallError:
            return True  # it is not there, or can't be removed either, which tells why
        if not is_near:
            _log.warning("%s has another session %r, which stays", self._far.url, near.id)
        return is_near

    def _removed_far(self, session_id: str) -> bool:
        doing = f"remove the session {session_id!r} from both stores of"
        if not is_made(self._far):
            reason = "it is not there, and the first session that is shipped makes it"
            refuse_removal(self._far, doing, self.url, reason)
        try:
            self._far.remove(session_id)
        except UnknownSessionError:
            return False
        except LockedStorageError:
            raise
        except HoldallError as error:
            refuse_removal(self._far, doing, self.url, str(error))
        return True

    def _marks(self) -> set[str]:
        names = self._near.ids()
        return {name for name in names if self._copying.is_mark(name)}

    def _near_ends(self, marks: set[str]) -> Iterator[SessionEnds]:
        for ends in ends_in(self._near):
            if ends.id not in marks and self._copying.mark_of(ends.id) not in marks:
                yield ends

    def _tell_left_out(self, error: HoldallError) -> None:
        _log.warning("%s is left out of the list: %s", self._far.url, error)

    def _check(self, session_id: str) -> None:
        check_session_id(session_id)
        self._copying.refuse(session_id)

    def _unknown(self, session_id: str) -> UnknownSessionError:
        return UnknownSessionError(self.url, session_id, tuple(self.ids()))


if TYPE_CHECKING:
    _: type[Repository] = TieredRepository
