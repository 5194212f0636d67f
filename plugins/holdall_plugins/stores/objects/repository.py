"""The sessions below a prefix of a bucket, and the writer of each."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Final, Self

from holdall.contracts import SessionEnds
from holdall.errors import (
    ClosedStorageError,
    CorruptSessionError,
    SessionExistsError,
    StorageAccessError,
    StorageError,
    UnknownSessionError,
)
from holdall.stores import Handle, check_session_id
from holdall_plugins.stores.objects import removal
from holdall_plugins.stores.objects.bucket import Bucket
from holdall_plugins.stores.objects.ends import ends_in
from holdall_plugins.stores.objects.journal import Journal
from holdall_plugins.stores.objects.lease import Lease, Leases
from holdall_plugins.stores.objects.location import (
    AzOptions,
    GsOptions,
    S3Options,
    location_of,
)
from holdall_plugins.stores.objects.places import (
    ENDS,
    HEAD,
    LEASE,
    PROBE,
    SESSIONS,
    Place,
    decoded,
    listed_key,
)
from holdall_plugins.stores.objects.records import DamagedError, Header, header_of, packed
from holdall_plugins.stores.objects.storage import ObjectStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Mode, Repository, Storage
    from holdall_plugins.stores.objects.bucket import Stored
    from holdall_plugins.stores.objects.location import (
        Location,
    )

_LISTING: Final = "list sessions of"
_OPENING: Final = "open a session of"
_CREATING: Final = "create a session in"
_AT_ONCE: Final = 16
"""Requests under way at a time where the ends of many sessions are read."""


class ObjectRepository:
    """Sessions in a bucket, written by any number of processes of any machines."""

    scheme: ClassVar[str] = "s3"

    def __init__(self, location: Location) -> None:
        self._location = location
        self._bucket = Bucket(location)
        self._probed = Lock()
        self._is_probed = False

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Self:
        """Return the repository below the prefix of a bucket that *url* names."""
        return cls(location_of(url, inner, options, scheme=cls.scheme))

    @property
    def url(self) -> str:
        """The URL that names this repository again; credentials are never in it."""
        return self._location.url

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        """Return the open storage of a new session, durable although it is empty."""
        check_session_id(session_id)
        self._probe()
        removal.finish_all(self._bucket)
        place = Place(session_id, secrets.token_hex(16))
        handle = Handle(session_id, self._location.where, "w", self)
        journal = Journal(self._bucket, place, handle, first)
        head = Header(kind="head", session=place.name, first=first, name=session_id)
        # One request, and of many who make it at once one is not told that there is a session.
        if self._bucket.create(place.head, packed(head), _CREATING) is not None:
            raise SessionExistsError(self._location.where, session_id)
        lease = Lease(self._bucket, place, journal.writer)
        lease.begin()
        return ObjectStorage(self._bucket, journal, handle, lease)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        """Return the storage of a session; taking over fences the writer before."""
        check_session_id(session_id)
        if mode == "w":
            self._probe()
        handle = Handle(session_id, self._location.where, mode, self)
        journal = self._journal(session_id, handle)
        try:
            if mode == "w":
                return self._opened(journal, handle, take_over=take_over)
            with suppress(CorruptSessionError):  # reading yields what is before the damage
                journal.look(is_whole=True)
        except ClosedStorageError:
            raise self._unknown(session_id) from None
        return ObjectStorage(self._bucket, journal, handle)

    def _opened(self, journal: Journal, handle: Handle, *, take_over: bool) -> Storage:
        place = journal.place
        listing = list(self._bucket.list(place.listed, _OPENING))
        leases = Leases(self._bucket, place, listing)
        lease = Lease(self._bucket, place, journal.writer)
        lease.begin()
        try:
            leases.refuse_living(lease, take_over=take_over)
            journal.take(is_sure=leases.is_sure, take_over=take_over)
        except BaseException:
            lease.end()
            raise
        leases.drop()
        storage = ObjectStorage(self._bucket, journal, handle, lease)
        is_listed = any(each.key == place.ends for each in listing)
        storage.expect_ends(is_listed=is_listed, is_current=is_listed and not leases.stored)
        with suppress(StorageError):  # the next writer does it
            storage.sweep()
        return storage

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, the last modified first and those without entries last.

        It takes one request for each thousand objects: two of a session that was closed.
        """
        ordered = []
        for session_id, objects in self._listed().items():
            has_entries = any(name.startswith(ENDS) for name in objects)
            ordered.append(
                (has_entries, max(each.modified for each in objects.values()), session_id)
            )
        return iter([session_id for *_, session_id in sorted(ordered, reverse=True)])

    def summaries(self) -> Iterator[SessionEnds]:
        """Yield the ends of every session, by one request for each that was closed."""
        sessions = self._listed()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="holdall listing") as pool:
            yield from pool.map(self._ends, sessions, sessions.values())

    def exists(self) -> bool:
        """Whether there is a session."""
        return any(True for _ in self._bucket.list(SESSIONS, _LISTING))

    def remove(self, session_id: str) -> None:
        """Remove a session by one request; what it leaves is deleted by others behind it."""
        check_session_id(session_id)
        self._probe()
        handle = Handle(session_id, self._location.where, "w", self)
        journal = self._journal(session_id, handle)
        listing = self._bucket.list(journal.place.listed, _OPENING)
        leases = Leases(self._bucket, journal.place, listing)
        lease = Lease(self._bucket, journal.place, journal.writer)
        lease.begin()
        try:
            leases.refuse_living(lease, take_over=False)
            removal.remove(self._bucket, journal, leases)
        except ClosedStorageError:
            raise self._unknown(session_id) from None
        finally:
            lease.end()

    def _listed(self) -> dict[str, dict[str, Stored]]:
        """Return the objects that say which sessions there are, by the names of both."""
        sessions: dict[str, dict[str, Stored]] = {}
        for stored in self._bucket.list(SESSIONS, _LISTING):
            _sessions, session, name = stored.key.split("/", 2)
            sessions.setdefault(decoded(session), {})[name] = stored
        buried = {
            place.session_id
            for place in removal.half_removed(self._bucket)
            if removal.is_buried(self._bucket, place) and self._is_at(place)
        }
        return {
            session_id: objects
            for session_id, objects in sessions.items()
            if HEAD in objects and session_id not in buried
        }

    def _is_at(self, place: Place) -> bool:
        """Whether the session of that id is the one at *place*, and no later one."""
        data = self._bucket.get(place.head, _LISTING)
        try:
            return data is not None and header_of(data, session=None).session == place.name
        except DamagedError:
            return False

    def _ends(self, session_id: str, objects: dict[str, Stored]) -> SessionEnds:
        ends = [name for name in objects if name.startswith(ENDS)]
        is_written = any(name.startswith(LEASE) for name in objects)
        if is_written or len(ends) != 1:
            return SessionEnds(session_id, is_whole=False)
        data = self._bucket.get(objects[ends[0]].key, _LISTING)
        return ends_in(data, session_id, ends[0].removeprefix(ENDS))

    def _journal(self, session_id: str, handle: Handle) -> Journal:
        place, first = self._place_of(session_id)
        return Journal(self._bucket, place, handle, first)

    def _place_of(self, session_id: str) -> tuple[Place, int]:
        key = f"{listed_key(session_id)}/{HEAD}"
        data = self._bucket.get(key, _OPENING)
        if data is None:
            raise self._unknown(session_id)
        try:
            head = header_of(data, session=None)
        except DamagedError as error:
            location = f"{self._location.where}, {key}"
            raise CorruptSessionError(session_id, location, str(error)) from error
        return Place(session_id, head.session), head.first

    def _unknown(self, session_id: str) -> UnknownSessionError:
        known: tuple[str, ...] = ()
        with suppress(StorageError):
            known = tuple(self.ids())
        return UnknownSessionError(self._location.where, session_id, known)

    def _probe(self) -> None:
        """Refuse a server that puts an object although there is one: two writers could fork."""
        with self._probed:
            if self._is_probed:
                return
            doing = "keep sessions in"
            key = f"{PROBE}/{secrets.token_hex(8)}"
            self._bucket.create(key, secrets.token_bytes(8), doing)
            is_overwritten = self._bucket.is_created(key, secrets.token_bytes(8), doing)
            with suppress(StorageError):
                self._bucket.delete([key], doing)
            if is_overwritten:
                reason = (
                    "its server overwrites an object that was to be put only if there is none "
                    "(If-None-Match: *), so two writers would destroy each other's entries; "
                    "upgrade the server, or choose another store"
                )
                raise StorageAccessError(self._location.where, doing, reason)
            self._is_probed = True


class S3Repository(ObjectRepository):
    """Sessions in a bucket of Amazon S3, or of a server that speaks its protocol."""

    scheme: ClassVar[str] = "s3"
    Options: ClassVar = S3Options


class GsRepository(ObjectRepository):
    """Sessions in a bucket of Google Cloud Storage."""

    scheme: ClassVar[str] = "gs"
    Options: ClassVar = GsOptions


class AzRepository(ObjectRepository):
    """Sessions in a container of Azure Blob Storage."""

    scheme: ClassVar[str] = "az"
    Options: ClassVar = AzOptions


if TYPE_CHECKING:
    _: type[Repository] = S3Repository
