"""Events to entries and back: number, epoch, checksum chain.

An entry is one line of JSON, `{"n":12,"epoch":1,"sum":"89abcdef","event":{...}}`.
`sum` is a CRC-32 over number, epoch and event that starts from the sum before,
so an entry that is flipped, missing, doubled or from elsewhere does not fit.
A snapshot stands for all before it: its sum starts from nothing, and a journal
may begin with one. Stores see bytes only; damage is found here, the same for
all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import compress, crc32, decompressobj
from zlib import error as ZlibError  # noqa: N812 - it is a class

import msgspec

from holdall.errors import CorruptSessionError, NewerFormatError, StorageAccessError
from holdall.journal.events import (
    FORMAT,
    AnyEvent,
    SessionCreated,
    SessionSummarised,
    Snapshot,
    WriterOpened,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LARGEST_SNAPSHOT: Final = 2**30
"""Bytes of events that a snapshot may stand for; more would let a few bytes fill the memory."""


class Position(NamedTuple):
    """The position in a journal that the next entry follows."""

    number: int = 0
    epoch: int = 0
    sum: int = 0


START: Final = Position()
"""The position before the first entry."""


class _Entry(msgspec.Struct):
    n: int
    epoch: int
    sum: str
    event: msgspec.Raw


class _Tag(msgspec.Struct):
    type: str


_ENCODER: Final = msgspec.json.Encoder()
_ENTRY_DECODER: Final = msgspec.json.Decoder(_Entry)
_EVENT_DECODER: Final[msgspec.json.Decoder[AnyEvent]] = msgspec.json.Decoder(AnyEvent)
_TAG_DECODER: Final = msgspec.json.Decoder(_Tag)
_MALFORMED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LATEST: Final = 253_402_300_799.999  # the end of the year 9999, where calendars end
_CHUNK: Final = 2**20
_KNOWN_TAGS: Final = frozenset(str(kind.__struct_config__.tag) for kind in AnyEvent.__args__)


def encode(events: Iterable[AnyEvent], position: Position) -> tuple[list[bytes], Position]:
    """Return the entries for *events* behind *position*, and the position behind them."""
    entries = []
    number, epoch, total = position
    for event in events:
        number += 1
        data = _ENCODER.encode(event)
        total = _sum(number, epoch, data, 0 if isinstance(event, Snapshot) else total)
        entries.append(
            b'{"n":%d,"epoch":%d,"sum":"%08x","event":%b}' % (number, epoch, total, data)
        )
    return entries, Position(number, epoch, total)


def decode(
    session_id: str, entries: Iterable[tuple[int, bytes]], position: Position = START
) -> Iterator[tuple[Position, AnyEvent]]:
    """Yield the events of *entries*, each with the position behind it.

    Raises:
        CorruptSessionError: An entry is not what was written there.
        NewerFormatError: A newer holdall wrote it.
    """
    for stored_number, data in entries:
        location = f"entry {stored_number}"
        try:
            entry = _ENTRY_DECODER.decode(data)
        except _MALFORMED as error:
            if data.startswith(b"\0"):  # as no text of JSON does
                reason = (
                    f"a wrapper stored {location}; put its name, encrypt:: or compress:: say, "
                    "before the store's URL"
                )
                what = f"the session {session_id!r}"
                raise StorageAccessError(what, "read", reason) from error
            reason = f"no journal entry ({error})"
            raise CorruptSessionError(session_id, location, reason) from error
        event = _event(session_id, location, entry.event)
        first = position.number == 0 and isinstance(event, Snapshot)
        due = stored_number if first else position.number + 1
        if entry.n != stored_number or entry.n != due:
            reason = f"entry {due} was due and {entry.n} is there"
            if entry.n != stored_number:
                reason = f"the store numbers it {stored_number}, and it says {entry.n} itself"
            raise CorruptSessionError(session_id, location, reason)
        if entry.epoch < position.epoch:
            reason = f"a writer of epoch {entry.epoch} wrote after one of epoch {position.epoch}"
            raise CorruptSessionError(session_id, location, reason)
        before = 0 if isinstance(event, Snapshot) else position.sum
        total = _sum(entry.n, entry.epoch, bytes(entry.event), before)
        if entry.sum != f"{total:08x}":
            raise CorruptSessionError(session_id, location, "its checksum does not fit")
        position = Position(entry.n, entry.epoch, total)
        yield position, event


def position_of(session_id: str, number: int, entry: bytes) -> Position:
    """Return the position behind *entry*, so that what follows it can be read alone.

    Raises:
        CorruptSessionError: It is no entry of a journal.
    """
    try:
        found = _ENTRY_DECODER.decode(entry)
        return Position(number, found.epoch, int(found.sum, 16))
    except (*_MALFORMED, ValueError) as error:
        location = f"entry {number}"
        raise CorruptSessionError(session_id, location, f"no journal entry ({error})") from error


def check_beginning(session_id: str, event: AnyEvent) -> None:
    """Raise if *event* can't be the first of a session, whose id and title it has to say.

    Raises:
        CorruptSessionError: It says neither that the session was created, nor stands for that.
    """
    if not isinstance(event, SessionCreated | Snapshot):
        kind = type(event).__struct_config__.tag
        reason = f"it begins with an event of the kind {kind!r}, not with that of its creation"
        raise CorruptSessionError(session_id, "its first entry", reason)


def decode_ends(session_id: str, first: bytes, last: Sequence[bytes]) -> AnyEvent:
    """Return the last event of a journal, of which only the ends were read.

    Args:
        first: The journal's first entry.
        last: Its last two entries, or its only one.

    Raises:
        CorruptSessionError, NewerFormatError: As `decode`; what lies between was not looked at.
    """
    try:
        number = _ENTRY_DECODER.decode(first).n
        before = _ENTRY_DECODER.decode(last[0])
        position = Position(before.n, before.epoch, int(before.sum, 16))
    except (*_MALFORMED, ValueError) as error:
        raise CorruptSessionError(session_id, "its ends", f"no journal entry ({error})") from error
    [(_, event)] = decode(session_id, [(number, first)])
    check_beginning(session_id, event)
    for entry in last[1:]:
        [(_, event)] = decode(session_id, [(position.number + 1, entry)], position)
    return event


def pack_snapshot(
    events: Iterable[AnyEvent], *, at: float, summary: SessionSummarised | None = None
) -> Snapshot:
    """Return the snapshot that is equivalent to *events*."""
    lines = b"\n".join(map(_ENCODER.encode, events))
    if len(lines) > LARGEST_SNAPSHOT:
        raise OverflowError(f"{len(lines)} bytes of events are too many for a snapshot")
    return Snapshot(at=at, packed=compress(lines), summary=summary)


def unpack_snapshot(session_id: str, snapshot: Snapshot) -> Iterator[AnyEvent]:
    """Yield the events that *snapshot* stands for.

    Raises:
        CorruptSessionError, NewerFormatError: As `decode`.
    """
    try:
        for line in _lines(snapshot.packed):
            event = _event(session_id, "a snapshot", msgspec.Raw(line))
            if isinstance(event, Snapshot):
                raise CorruptSessionError(session_id, "a snapshot", "another one is in it")
            yield event
    except (ZlibError, OverflowError) as error:
        raise CorruptSessionError(session_id, "a snapshot", str(error)) from error


def _lines(packed: bytes) -> Iterator[bytes]:
    """Yield the lines that *packed* holds, unpacked a piece at a time."""
    inflater = decompressobj()
    begun: list[bytes] = []
    total = 0
    while piece := inflater.decompress(packed, _CHUNK):
        total += len(piece)
        if total > LARGEST_SNAPSHOT:
            raise OverflowError(f"it unpacks to more than {LARGEST_SNAPSHOT} bytes")
        packed = inflater.unconsumed_tail
        first, *others = piece.split(b"\n")
        begun.append(first)
        if others:
            yield b"".join(begun)
            yield from others[:-1]
            begun = others[-1:]
    if not inflater.eof or inflater.unused_data:
        raise ZlibError("it is cut short, or something follows it")
    yield b"".join(begun)


def _event(session_id: str, location: str, data: msgspec.Raw) -> AnyEvent:
    try:
        event = _EVENT_DECODER.decode(data)
    except _MALFORMED as error:
        kind = _kind(data)
        if kind and kind not in _KNOWN_TAGS:
            raise NewerFormatError(session_id, FORMAT + 1, FORMAT, kind) from error
        raise CorruptSessionError(session_id, location, str(error)) from error
    if isinstance(event, WriterOpened) and event.format > FORMAT:
        raise NewerFormatError(session_id, event.format, FORMAT)
    if not _in_calendar(event):
        raise CorruptSessionError(session_id, location, "its moment is in no calendar")
    return event


def _kind(data: msgspec.Raw) -> str:
    """Return what kind of event *data* says to be, empty if it says nothing."""
    try:
        return _TAG_DECODER.decode(data).type
    except _MALFORMED:
        return ""


def _in_calendar(event: AnyEvent) -> bool:
    if isinstance(event, Snapshot) and event.summary is not None:
        return _in_calendar(event.summary) and 0 <= event.at <= _LATEST
    if isinstance(event, SessionSummarised):
        return 0 <= event.created <= _LATEST and 0 <= event.at <= _LATEST
    return 0 <= event.at <= _LATEST


def _sum(number: int, epoch: int, event: bytes, before: int) -> int:
    return crc32(event, crc32(b"%d %d " % (number, epoch), before))
