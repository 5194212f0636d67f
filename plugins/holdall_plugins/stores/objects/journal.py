"""The entries of a session: objects at numbered positions, each put only where there is none.

Why no two writers can fork a session, and nothing acknowledged is lost:

1. An object is put at a position if the server has none there; of two, one gets it. A key
   is never overwritten, and is deleted only by point 5.
2. A writer puts its next object right behind the last one that it put: at no other position.
3. Who opens a session for writing lists it, and puts a fence right behind the last object.
   If another one is there first, it lists again.
4. So the fence is where the writer before puts its next object, or that writer has put one
   since, and then the fence is not. Behind the fence it has no position left: it gets "exists"
   for ever, reads a higher epoch there, and is refused. What it put before the fence is listed.
5. Objects before a snapshot are deleted. The writer before, if it may live, would find its
   position free again; so that fence is kept (`standing`), for as long as there is the session.
6. The library repeats a request whose answer was lost, and is told "exists" for what it put
   itself. The object is read back and compared, to the byte: a nonce makes each unique.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import (
    BusyStorageError,
    ClosedStorageError,
    CorruptSessionError,
    LockedStorageError,
    StaleWriterError,
    StorageAccessError,
)
from holdall_plugins.stores.objects.bucket import UnclearError
from holdall_plugins.stores.objects.records import (
    START,
    DamagedError,
    Header,
    header_of,
    packed,
    split,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from holdall.stores import Handle
    from holdall_plugins.stores.objects.bucket import Bucket, Stored
    from holdall_plugins.stores.objects.places import Place

_READING: Final = "read"
_TRIES: Final = 50
_AT_ONCE: Final = 8
"""Requests under way at a time where many objects are read."""

_KEPT: Final = 1 << 20
"""Bytes that a handle keeps of what it read."""

_AHEAD: Final = 4 << 20
"""Bytes that are read before they are asked for."""


class View(NamedTuple):
    """A journal as it was listed: its last header, and the objects from the snapshot on."""

    tail: Header | None
    objects: Sequence[Stored]


class Journal:
    """The objects of a session in their order; appended to by the one who fenced all others.

    Attributes:
        place: The keys of the session.
        writer: A name that no other handle has.
    """

    def __init__(self, bucket: Bucket, place: Place, handle: Handle, first: int) -> None:
        self.place: Final = place
        self.writer: Final = secrets.token_hex(8)
        self._bucket = bucket
        self._handle = handle
        self._before = Header(
            kind="fence", session=place.name, at=first - 1, first=first, epoch=1, start=first
        )
        self._tail: Header | None = None
        self._is_fenced = False
        self._known = Known()

    @property
    def tail(self) -> Header:
        """The last header that is known; one before all positions if there is none."""
        return self._tail or self._before

    @property
    def is_empty(self) -> bool:
        """Whether there has never been an entry, as far as is known."""
        return self.tail.head < self._before.first

    def head(self) -> int:
        """Return the number of the last entry: the writer's own, or what is there now."""
        if self._handle.mode == "r":
            return (self.look().tail or self._before).head
        return self.tail.head

    def look(self, *, is_whole: bool = False, is_lenient: bool = False) -> View:
        """List what is there now, from the last snapshot on if *is_whole*.

        Args:
            is_lenient: Look for the last header that is not damaged.

        Raises:
            ClosedStorageError: The session was removed.
        """
        known = self._tail
        for _ in range(_TRIES):
            after = ""
            if known is not None:
                after = self.place.before(known.start if is_whole else known.at)
            objects = list(self._bucket.list(self.place.journal, _READING, after=after))
            if not objects:
                self.check_exists()
                return View(None, ())
            tail = self._last_header(objects, known, is_lenient=is_lenient)
            if tail is None:
                continue  # compacted since it was listed
            if tail.kind == "removed":
                raise ClosedStorageError(self._handle.session_id)
            if self._handle.mode == "r":
                self._tail = tail
            begin = self.place.batch(tail.start)
            return View(tail, [each for each in objects if each.key >= begin])
        raise BusyStorageError(self._bucket.location.where, _READING, 0)

    def check_exists(self) -> None:
        """Refuse if the session was removed, and another one of its name made, maybe."""
        data = self._bucket.get(self.place.head, _READING)
        with suppress(DamagedError):
            if data is not None:
                header_of(data, session=self.place.name)
                return
        raise ClosedStorageError(self._handle.session_id)

    def _last_header(
        self, objects: Sequence[Stored], known: Header | None, *, is_lenient: bool
    ) -> Header | None:
        for stored in reversed(objects):
            if known is not None and stored.key == self.place.batch(known.at):
                return known
            data = self._bucket.get(stored.key, _READING, length=START)
            if data is None:
                return None
            try:
                return self._checked(header_of(data, session=self.place.name), stored.key)
            except DamagedError as error:
                if not is_lenient:
                    raise self.damaged(stored.key, str(error)) from error
        return self._before

    def _checked(self, header: Header, key: str) -> Header:
        if self.place.batch(header.at) != key:
            raise DamagedError(f"it belongs to position {header.at}")
        return header

    def read(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Yield the numbered entries behind *after*.

        Raises:
            StorageAccessError: The writer compacted entries that were not read yet.
            CorruptSessionError: What is stored is not what was appended.
        """
        view = self.look(is_whole=True, is_lenient=True)
        begin = self.place.batch(after + 1)
        # No entry is at a position before its number, so this one is not behind the first due.
        skipped = max(sum(each.key <= begin for each in view.objects) - 1, 0)
        return self._read(view.objects[skipped:], after)

    def _read(self, objects: Sequence[Stored], after: int) -> Iterator[tuple[int, bytes]]:
        before: Header | None = None
        for stored, data in fetched(self._known.getter(self._bucket), objects):
            self._handle.check()
            if data is None:
                raise self._missing(stored.key)
            try:
                header, payload = unpacked(data, session=self.place.name)
                self._checked(header, stored.key)
            except DamagedError as error:
                raise self.damaged(stored.key, str(error)) from error
            if before is not None and (before.following, before.head + 1) != (
                header.at,
                header.first,
            ):
                reason = f"what was behind position {before.at} is missing"
                raise self.damaged(stored.key, reason)
            if header.pack:
                payload = self._pack(header) if header.at == header.start else payload
            numbered = enumerate(split(payload), start=header.first)
            for number, entry in numbered:
                if number > after:
                    yield number, entry
            before = header

    def _pack(self, header: Header) -> bytes:
        data = self._bucket.get(header.pack, _READING)
        if data is None:
            raise self._missing(self.place.batch(header.at), header.pack)
        try:
            return unpacked(data, session=self.place.name)[1]
        except DamagedError as error:
            raise self.damaged(header.pack, str(error)) from error

    def _missing(self, position: str, key: str = "") -> StorageAccessError | CorruptSessionError:
        """Return the error of an object that is there no more."""
        tail = self.look().tail
        if tail is not None and self.place.batch(tail.start) > position:
            reason = "entries were compacted meanwhile; read again from the start"
            return StorageAccessError(self._handle.where, "read on in", reason)
        return self.damaged(key or position, "it is missing")

    def damaged(self, key: str, reason: str) -> CorruptSessionError:
        """Return the error that says what an object does not hold."""
        location = f"{self._bucket.location.where}, {key}"
        return CorruptSessionError(self._handle.session_id, location, reason)

    def take(self, *, is_sure: bool, take_over: bool) -> None:
        """Become the writer: put a fence, behind which nothing of another one is accepted.

        Args:
            is_sure: Whether the writer before is known to write no more.
            take_over: Go on although another one did so at the same moment.

        Raises:
            LockedStorageError: Another one did.
        """
        self._tail = self._fenced("fence", is_sure=is_sure, take_over=take_over)

    def bury(self, *, is_sure: bool) -> tuple[int, ...]:
        """Put the last object that there will be, and return the positions that are kept."""
        return self._fenced("removed", is_sure=is_sure, take_over=False).standing

    def _fenced(self, kind: str, *, is_sure: bool, take_over: bool) -> Header:
        for _ in range(_TRIES):
            tail = self.look().tail or self._before
            at = tail.following
            fence = Header(
                kind=kind,
                session=self.place.name,
                at=at,
                first=tail.head + 1,
                epoch=tail.epoch + 1,
                start=tail.start,
                pack=tail.pack,
                standing=tail.standing if is_sure else (*tail.standing, at),
                writer=self.writer,
                nonce=secrets.token_hex(8),
            )
            data = packed(fence)
            present = self._bucket.create(self.place.batch(at), data, "open a session of")
            if present is None:
                return fence
            if self._other(present, at).kind == "fence" and not take_over:
                session_id, where = self._handle.session_id, self._bucket.location.where
                raise LockedStorageError(session_id, where, "another process")
        raise BusyStorageError(self._bucket.location.where, "open a session of", 0)

    def commit(self, kind: str, payload: bytes, doing: str, **fields: Any) -> None:
        """Put the next object of the journal, durably.

        Raises:
            StaleWriterError: Another writer took over.
            FailedStorageError: Whether it is stored is unclear.
        """
        tail = self.tail
        if self._is_fenced:
            raise self._stale()
        header = Header(
            kind=kind,
            session=self.place.name,
            at=tail.following,
            epoch=tail.epoch,
            standing=tail.standing,
            writer=self.writer,
            nonce=secrets.token_hex(8),
            **{"first": tail.head + 1, "start": tail.start, "pack": tail.pack, **fields},
        )
        key = self.place.batch(header.at)
        try:
            present = self._bucket.create(key, packed(header, payload), doing)
        except UnclearError as error:
            raise self._handle.fail(error) from error
        if present is not None:
            raise self._lost(present)
        self._tail = header

    def check_writer(self) -> None:
        """Refuse if another writer took over."""
        if self._is_fenced:
            raise self._stale()
        key = self.place.batch(self.tail.following)
        present = self._bucket.get(key, "look who writes a session of")
        if present is not None:
            raise self._lost(present)

    def is_writer(self) -> bool:
        """Whether nobody took over, as another thread may ask while one writes."""
        if self._handle.is_closed or self._handle.failure or self._is_fenced:
            return False
        at = self.tail.following
        present = self._bucket.get(self.place.batch(at), "look who writes a session of")
        return present is None or self._other(present, at).writer == self.writer

    def _lost(self, present: bytes) -> Exception:
        """Return the error that says who put the object at the next position."""
        other = self._other(present, self.tail.following)
        if other.writer == self.writer:
            return self._handle.fail("a step that the server had refused was done all the same")
        self._is_fenced = True
        if other.kind == "removed":
            return ClosedStorageError(self._handle.session_id)
        return self._stale()

    def _stale(self) -> StaleWriterError:
        head = self.tail.head
        return StaleWriterError(self._handle.session_id, head, head)

    def _other(self, data: bytes, at: int) -> Header:
        try:
            return header_of(data, session=self.place.name)
        except DamagedError as error:
            raise self.damaged(self.place.batch(at), str(error)) from error


class Known:
    """The last objects that were read, since nobody changes one: a reader may read again."""

    def __init__(self) -> None:
        self._objects: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def getter(self, bucket: Bucket) -> Callable[[str], bytes | None]:
        """Return what gets an object that is listed: from here, or from *bucket*."""

        def got(key: str) -> bytes | None:
            data = self._objects.get(key)
            if data is None:
                data = bucket.get(key, _READING)
                if data is not None:
                    self._keep(key, data)
            return data

        return got

    def _keep(self, key: str, data: bytes) -> None:
        with self._lock:
            if key not in self._objects and len(data) <= _KEPT:
                self._objects[key] = data
                self._size += len(data)
            while self._size > _KEPT:
                self._size -= len(self._objects.popitem(last=False)[1])


def fetched(
    get: Callable[[str], bytes | None], objects: Sequence[Stored]
) -> Iterator[tuple[Stored, bytes | None]]:
    """Yield objects in their order, several requests ahead of who takes them."""
    if len(objects) <= 2:
        for stored in objects:
            yield stored, get(stored.key)
        return
    coming = iter(objects)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="holdall reading") as pool:
        ahead = deque((stored, pool.submit(get, stored.key)) for stored in islice(coming, 2))
        while ahead:
            stored, answer = ahead.popleft()
            data = answer.result()
            size = sum(each.size for each, _ in ahead)
            for each in islice(coming, 2 * _AT_ONCE - len(ahead)):
                ahead.append((each, pool.submit(get, each.key)))
                size += each.size
                if size > _AHEAD:
                    break
            yield stored, data
