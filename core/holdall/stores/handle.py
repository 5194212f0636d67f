"""The handle of an open session: once closed, failed or read-only, it refuses."""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from holdall.errors import (
    ClosedStorageError,
    ConcurrentWriteError,
    FailedStorageError,
    ReadOnlyStorageError,
    StorageAccessError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository


class Handle:
    """The state of one open session, asked before each step.

    Attributes:
        repository: The repository that opened it.
        failure: Why the handle refuses all further work, empty as long as it does not.
    """

    def __init__(self, session_id: str, where: str, mode: Mode, repository: Repository) -> None:
        self.repository = repository
        self.session_id = session_id
        self.where = where
        self.mode = mode
        self.is_closed = False
        self.failure = ""
        self._advice = ""
        self._pid = os.getpid()
        self._writer = RLock()

    @property
    def is_inherited(self) -> bool:
        """Whether this is the copy that a fork gave to another process."""
        return os.getpid() != self._pid

    def check(self) -> None:
        """Refuse unless the handle may be read.

        Raises:
            ClosedStorageError: It was closed.
            FailedStorageError: A durable step failed before, or another process opened it.
        """
        if self.is_closed:
            raise ClosedStorageError(self.session_id)
        if self.failure:
            raise FailedStorageError(self.session_id, self.where, self.failure, self._advice)
        if self.is_inherited:
            reason = f"process {self._pid} opened it and process {os.getpid()} uses it"
            raise FailedStorageError(self.session_id, self.where, reason)

    def check_writable(self, doing: str) -> None:
        """Refuse unless the handle may be written, as `check` does and if it only reads."""
        self.check()
        if self.mode == "r":
            raise self.read_only(doing)

    @contextmanager
    def writing(self, doing: str) -> Iterator[None]:
        """Keep other threads from changing the session while this one does.

        A step may be part of another one of the same thread.

        Raises:
            ConcurrentWriteError: Another thread is changing it.
            StorageError: As `check_writable`.
        """
        self.check_writable(doing)
        if not self._writer.acquire(blocking=False):
            raise ConcurrentWriteError(self.session_id, self.where, doing)
        try:
            yield
        finally:
            self._writer.release()

    def read_only(self, doing: str) -> ReadOnlyStorageError:
        """Return the error that says that the handle only reads."""
        return ReadOnlyStorageError(f"the session {self.session_id!r} of {self.where}", doing)

    def fail(self, reason: str | StorageAccessError, *, advice: str = "") -> FailedStorageError:
        """Refuse everything from now on, and return the error that says so.

        Args:
            reason: What happened, as a sentence without the location, or the error that says
                so. An error of this location is quoted without it: the message names it.
            advice: What to do, where what was acknowledged is not safe.
        """
        if isinstance(reason, StorageAccessError):
            is_here = reason.location == self.where
            reason = f"could not {reason.doing} it: {reason.reason}" if is_here else str(reason)
        self.failure, self._advice = reason, advice
        return FailedStorageError(self.session_id, self.where, reason, advice)
