"""Removing sessions: a last object in the journal makes one unreadable, then all goes.

A note in the trash comes first, so that whoever comes later finishes what was interrupted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdall.errors import ClosedStorageError, CorruptSessionError
from holdall_plugins.stores.objects.places import TRASH, Place, decoded
from holdall_plugins.stores.objects.records import START, DamagedError, header_of

if TYPE_CHECKING:
    from holdall_plugins.stores.objects.bucket import Bucket
    from holdall_plugins.stores.objects.journal import Journal
    from holdall_plugins.stores.objects.lease import Leases
    from holdall_plugins.stores.objects.records import Header

_DOING: Final = "remove a session from"


def remove(bucket: Bucket, journal: Journal, leases: Leases) -> None:
    """Remove a session whose writer is known not to live, or not known to."""
    place = journal.place
    bucket.put(place.trash, b"", _DOING)
    standing: tuple[int, ...] = ()
    with suppress(CorruptSessionError, ClosedStorageError):  # nobody can append to that either
        standing = journal.bury(is_sure=leases.is_sure)
    finish(bucket, place, standing)


def finish(bucket: Bucket, place: Place, standing: tuple[int, ...] = ()) -> None:
    """Delete all of a session that nobody can read any more; may be repeated.

    What is deleted without a look at who put it: the place is never used again. The head is,
    by the next session of that id, so it is looked at just before.
    """
    data = bucket.get(place.head, _DOING)
    with suppress(DamagedError):
        if data is not None:
            header_of(data, session=place.name)
            bucket.delete([place.head], _DOING)
    listed = [each.key for each in bucket.list(place.listed, _DOING)]
    bucket.delete([key for key in listed if key == place.ends or place.is_lease(key)], _DOING)
    kept = {place.batch(at) for at in standing}
    bucket.delete(
        (each.key for each in bucket.list(place.data, _DOING) if each.key not in kept), _DOING
    )
    bucket.delete([place.trash], _DOING)


def half_removed(bucket: Bucket) -> list[Place]:
    """Return the sessions whose removal was begun, and may have been interrupted."""
    places = []
    for stored in bucket.list(TRASH, _DOING):
        _trash, name, place = stored.key.split("/")
        places.append(Place(decoded(name), place))
    return places


def is_buried(bucket: Bucket, place: Place) -> bool:
    """Whether nobody can read a session any more, whose removal was begun."""
    header = last_header(bucket, place)
    if header is not None and header.kind == "removed":
        return True
    data = bucket.get(place.head, _DOING)
    try:
        if data is not None:
            header_of(data, session=place.name)
    except DamagedError:
        return True
    return data is None


def last_header(bucket: Bucket, place: Place) -> Header | None:
    """Return the header of the last object in a journal; None if there is none, or damage."""
    objects = list(bucket.list(place.journal, _DOING))
    data = bucket.get(objects[-1].key, _DOING, length=START) if objects else None
    with suppress(DamagedError):
        return None if data is None else header_of(data, session=place.name)
    return None


def finish_all(bucket: Bucket) -> None:
    """Finish what was interrupted."""
    for place in half_removed(bucket):
        if is_buried(bucket, place):
            header = last_header(bucket, place)
            finish(bucket, place, header.standing if header else ())
