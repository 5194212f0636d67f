"""Errors of storing, opening and reading sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.errors.root import HoldallError, near
from holdall.errors.urls import masked_url

if TYPE_CHECKING:
    from collections.abc import Sequence

# How many ids a message shows that all begin as it was said.
_SHOWN: Final = 3


class StorageError(HoldallError):
    """A session can't be stored, opened or read."""


class StoreUrlError(StorageError, ValueError):
    """A URL names no repository; its password is not shown."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = masked_url(url)
        self.reason = masked_url(reason)
        super().__init__(self.url, self.reason)

    def __str__(self) -> str:
        return f"cannot open the store {self.url!r}: {self.reason}"


class SessionIdError(StorageError, ValueError):
    """The id of a session is invalid, because not every store could hold it."""

    def __init__(self, session_id: str, reason: str) -> None:
        super().__init__(session_id, reason)
        self.session_id = session_id
        self.reason = reason

    def __str__(self) -> str:
        return f"a session cannot be called {self.session_id!r}: {self.reason}; choose another id"


class UnknownSessionError(StorageError, LookupError):
    """The repository holds no session of that id, or several of that beginning."""

    def __init__(self, store: str, session_id: str, known: Sequence[str] = ()) -> None:
        super().__init__(store, session_id, known)
        self.store = store
        self.session_id = session_id
        self.known = tuple(known)

    def __str__(self) -> str:
        meant = [known for known in self.known if known.startswith(self.session_id)]
        if self.session_id and len(meant) > 1:
            some = ", ".join([*meant[:_SHOWN], *(["..."] if len(meant) > _SHOWN else [])])
            return (
                f"{self.session_id!r} is the beginning of {len(meant)} sessions in {self.store} "
                f"({some}); give more of the id"
            )
        hint = near(self.session_id, self.known) or "; `holdall sessions list` shows them"
        return f"no session is called {self.session_id!r} in {self.store}{hint}"


class SessionExistsError(StorageError):
    """The repository holds a session of that id already."""

    def __init__(self, store: str, session_id: str) -> None:
        super().__init__(store, session_id)
        self.store = store
        self.session_id = session_id

    def __str__(self) -> str:
        return f"cannot create the session {self.session_id!r}: {self.store} already holds it"


class LockedStorageError(StorageError):
    """Another live writer has the session open."""

    def __init__(self, session_id: str, location: str, holder: str = "") -> None:
        super().__init__(session_id, location, holder)
        self.session_id = session_id
        self.location = location
        self.holder = holder

    def __str__(self) -> str:
        holder = f" by {self.holder}" if self.holder else ""
        return (
            f"cannot open the session {self.session_id!r} of {self.location} for writing: it is "
            f"in use{holder}; wait until that process ends, or open it for reading"
        )


class StaleWriterError(StorageError):
    """Another writer appended to the session; the entries were not stored."""

    def __init__(self, session_id: str, expected: int, head: int) -> None:
        super().__init__(session_id, expected, head)
        self.session_id = session_id
        self.expected = expected
        self.head = head

    def __str__(self) -> str:
        return (
            f"cannot append to the session {self.session_id!r} after entry {self.expected}: its "
            f"last entry is {self.head}, or another writer took it over; load the session again"
        )


class ConcurrentWriteError(StorageError):
    """Two threads tried to change one session at the same time."""

    def __init__(self, session_id: str, location: str, doing: str) -> None:
        super().__init__(session_id, location, doing)
        self.session_id = session_id
        self.location = location
        self.doing = doing

    def __str__(self) -> str:
        return (
            f"cannot {self.doing} in the session {self.session_id!r} of {self.location}: another "
            "thread is writing it; write a session from one thread at a time"
        )


class StorageFullError(StorageError):
    """The storage has no space left; what was stored before is intact."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(location, reason)
        self.location = location
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"cannot write to {self.location}: {self.reason}; what was recorded before is safe, "
            "make room and resume the session"
        )


class StorageAccessError(StorageError):
    """The operating system refused an operation; what was stored before is intact."""

    def __init__(self, location: str, doing: str, reason: str) -> None:
        super().__init__(location, doing, reason)
        self.location = location
        self.doing = doing
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot {self.doing} {self.location}: {self.reason}"


class BusyStorageError(StorageAccessError):
    """Other processes keep the storage and make no progress; nothing was changed."""

    def __init__(self, location: str, doing: str, seconds: float) -> None:
        reason = (
            f"another process kept it for {seconds:g} seconds and made no progress; "
            "end that process, or try again later"
        )
        super().__init__(location, doing, reason)
        self.args = (location, doing, seconds)
        self.seconds = seconds


class FailedStorageError(StorageError):
    """A durable operation failed earlier; the handle refuses all further work."""

    def __init__(self, session_id: str, location: str, reason: str, advice: str = "") -> None:
        super().__init__(session_id, location, reason, advice)
        self.session_id = session_id
        self.location = location
        self.reason = reason
        self.advice = advice or "what was acknowledged is safe, open the session again"

    def __str__(self) -> str:
        return (
            f"cannot go on with the session {self.session_id!r} of {self.location}: "
            f"{self.reason}; {self.advice}"
        )


class ClosedStorageError(StorageError, ValueError):
    """The storage is used after it was closed or its session removed."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id

    def __str__(self) -> str:
        return f"the storage of the session {self.session_id!r} is closed; open it again"


class ReadOnlyStorageError(StorageError):
    """A change was requested through a read-only handle."""

    def __init__(self, location: str, doing: str) -> None:
        super().__init__(location, doing)
        self.location = location
        self.doing = doing

    def __str__(self) -> str:
        return f"cannot {self.doing}: {self.location} is open for reading only"


class CorruptSessionError(StorageError):
    """The stored data differ from what was written.

    Attributes:
        session_id: The session that is damaged; empty if it is the store that holds them all.
    """

    def __init__(self, session_id: str, location: str, reason: str) -> None:
        super().__init__(session_id, location, reason)
        self.session_id = session_id
        self.location = location
        self.reason = reason

    def __str__(self) -> str:
        what = f"the store {self.location} is damaged"
        if self.session_id:
            what = f"the session {self.session_id!r} is damaged at {self.location}"
        return f"{what}: {self.reason}; nothing was changed, copy it away before anything else"


class NothingToSalvageError(StorageError):
    """No session can be salvaged: nothing is damaged, or nothing is whole."""

    def __init__(self, session_id: str, store: str, reason: str) -> None:
        super().__init__(session_id, store, reason)
        self.session_id = session_id
        self.store = store
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot salvage the session {self.session_id!r} in {self.store}: {self.reason}"


class MissingBlobError(StorageError, LookupError):
    """A view without a storage was asked for a log or attachment kept as a blob."""

    def __init__(self, ref: str) -> None:
        super().__init__(ref)
        self.ref = ref

    def __str__(self) -> str:
        return (
            f"cannot read the blob {self.ref!r}: the view was made of events alone; "
            "make it of the session's storage"
        )


class NewerFormatError(StorageError):
    """The session was written by a newer holdall than this one.

    Attributes:
        theirs: The format of the session; higher than *ours*.
        kind: The kind of event that is not known, where that tells of the newer format.
    """

    def __init__(self, session_id: str, theirs: int, ours: int, kind: str = "") -> None:
        super().__init__(session_id, theirs, ours, kind)
        self.session_id = session_id
        self.theirs = theirs
        self.ours = ours
        self.kind = kind

    def __str__(self) -> str:
        if self.kind:
            return (
                f"cannot read the session {self.session_id!r}: it holds events of the kind "
                f"{self.kind!r}, which this holdall, of format {self.ours}, does not know; "
                "upgrade holdall"
            )
        return (
            f"cannot read the session {self.session_id!r}: its journal has format {self.theirs} "
            f"and this holdall reads up to {self.ours}; upgrade holdall"
        )
