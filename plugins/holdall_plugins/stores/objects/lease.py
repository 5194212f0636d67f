"""Who writes a session: an object that its writer overwrites for as long as it lives.

It only tells whether somebody is to be kept out. What makes writing safe is the journal.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.errors import LockedStorageError, StorageError
from holdall.journal import Process
from holdall.processes import is_alive, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall_plugins.stores.objects.bucket import Bucket, Stored
    from holdall_plugins.stores.objects.places import Place

RENEWED_S: Final = 10.0
"""Seconds after which a writer that lives overwrites its lease."""

LASTS: Final = timedelta(seconds=45)
"""For how long a lease of another machine counts that was not overwritten."""

_DOING: Final = "look who writes a session of"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The process that writes a session, and the machine that it runs on.

    Attributes:
        namespace: Where its number means it: containers of one machine have several.
        machine: The machine, also after it was started anew; empty if it can't say.
    """

    pid: int
    started: str
    boot_id: str
    namespace: str
    machine: str
    host: str

    def __str__(self) -> str:
        """Return it as errors name it."""
        return f"process {self.pid} of {self.host}"


class Lease:
    """That this process writes a session, as a thread says again and again."""

    def __init__(self, bucket: Bucket, place: Place, writer: str) -> None:
        self._bucket = bucket
        self._key = place.lease(writer)
        self._data = msgspec.json.encode(this_holder())
        self._ended = Event()

    def begin(self) -> None:
        """Say it for the first time."""
        self._bucket.put(self._key, self._data, "open a session of")

    def keep(self, is_writer: Callable[[], bool]) -> None:
        """Go on saying it until it ends, or *is_writer* says that another took over."""
        work = _Renewal(self._bucket, self._key, self._data, self._ended)
        Thread(target=work.go_on, args=(is_writer,), name="holdall lease", daemon=True).start()

    def end(self) -> None:
        """Say that nobody writes it any more, as far as this process knows."""
        self._ended.set()
        with suppress(StorageError):  # or it counts until it is too old
            self._bucket.delete([self._key], "close a session of")


class _Renewal:
    def __init__(self, bucket: Bucket, key: str, data: bytes, ended: Event) -> None:
        self._bucket, self._key, self._data, self._ended = bucket, key, data, ended

    def go_on(self, is_writer: Callable[[], bool]) -> None:
        while not self._ended.wait(RENEWED_S):
            with suppress(StorageError):  # the next time, maybe
                if not is_writer():
                    return
                self._bucket.put(self._key, self._data, "go on with a session of")
            if self._ended.is_set():
                # Closed while it was being said; whoever closed has deleted what was there.
                with suppress(StorageError):
                    self._bucket.delete([self._key], "close a session of")


class Leases:
    """The leases that are there, to be asked before a session is written or removed."""

    def __init__(self, bucket: Bucket, place: Place, listing: Iterable[Stored]) -> None:
        self._bucket = bucket
        self._place = place
        self.stored: Final = tuple(each for each in listing if place.is_lease(each.key))
        self.is_sure: bool = True
        """Whether those who hold none of them are known to be dead."""

    def refuse_living(self, own: Lease | None, *, take_over: bool) -> None:
        """Refuse while another writer lives.

        Args:
            own: A lease that was begun, whose moment is that of the server's clock.

        Raises:
            LockedStorageError: One does, and it is not to be driven out.
        """
        now = None
        for lease in self.stored:
            data = self._bucket.get(lease.key, _DOING)
            holder = _decoded(data)
            lives = None if holder is None or data is None else lives_here(holder)
            if data is None or lives is False:
                continue
            self.is_sure = False
            if take_over:
                continue
            if lives is None and own is not None:
                now = now or self._bucket.modified(own._key, _DOING)  # noqa: SLF001 - of this file
                lives = now - lease.modified < LASTS
            if lives:
                where, session_id = self._bucket.location.where, self._place.session_id
                raise LockedStorageError(session_id, where, str(holder or "another process"))

    def drop(self) -> None:
        """Delete the leases of those who were driven out, or are dead."""
        with suppress(StorageError):
            self._bucket.delete([lease.key for lease in self.stored], "open a session of")


def this_holder() -> Holder:
    """Return this process, as others may know it again."""
    me = this_process()
    return Holder(
        pid=me.pid,
        started=me.started,
        boot_id=me.boot_id,
        namespace=_namespace(),
        machine=_machine(),
        host=socket.gethostname(),
    )


def lives_here(holder: Holder) -> bool | None:
    """Whether a process lives that ran on this machine; None if it ran on another."""
    me = this_holder()
    if holder.boot_id == me.boot_id and me.boot_id:
        if holder.namespace != me.namespace:
            return None
        mark = Process(pid=holder.pid, started=holder.started, boot_id=holder.boot_id)
        return is_alive(mark)
    # The machine was started anew, and none of its processes before that lives.
    is_same = bool(me.machine) and (holder.machine, holder.host) == (me.machine, me.host)
    return False if is_same else None


def _decoded(data: bytes | None) -> Holder | None:
    with suppress(msgspec.DecodeError):
        return None if data is None else msgspec.json.decode(data, type=Holder)
    return None


def _namespace() -> str:
    if sys.platform != "linux":
        return ""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - not a path, a number
    return ""


def _machine() -> str:
    with suppress(OSError):
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    return ""
