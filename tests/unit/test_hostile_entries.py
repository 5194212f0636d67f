"""Entries that are hostile or broken damage the session they are in, and no other one."""

from __future__ import annotations

import resource
import zlib
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from holdall.errors import CorruptSessionError, NewerFormatError
from holdall.journal import (
    Journal,
    SessionCreated,
    codec,
    list_sessions,
    read_events,
)
from holdall.testing.children import in_child
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository

BEGIN = b'{"type":"session","at":1.8e9,"session_id":"bad","title":"t"}'
DEEP = b"[" * 100_000 + b"]" * 100_000


def entries(*events: bytes) -> list[bytes]:
    """Return entries with sums that fit, whatever the events are."""
    total, made = 0, []
    for number, event in enumerate(events, start=1):
        before = 0 if b'"snapshot"' in event[:30] else total
        total = crc32(event, crc32(b"%d %d " % (number, 1), before))
        made.append(b'{"n":%d,"epoch":1,"sum":"%08x","event":%b}' % (number, total, event))
    return made


def snapshot(packed: bytes) -> bytes:
    return b'{"type":"snapshot","at":1,"packed":"%b"}' % b64encode(packed)


def bomb(line: bytes, count: int) -> bytes:
    """Return a snapshot that unpacks to *count* megabytes of *line*."""
    packer = zlib.compressobj(9)
    piece = line * ((1 << 20) // len(line))
    # Behind a full flush nothing depends on what came before: a piece is packed once for all.
    first, again = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return snapshot(first + again * (count - 1) + packer.flush())


HOSTILE = {
    "a number": [b"5"],
    "null": [b"null"],
    "a list": [b"[]"],
    "a string": [b'"x"'],
    "an empty object": [b"{}"],
    "a kind that is a number": [b'{"type":5,"at":1}'],
    "a kind that is a list": [b'{"type":["a"],"at":1}'],
    "a kind that is null": [b'{"type":null,"at":1}'],
    "deep nesting in a field": [
        BEGIN,
        b'{"type":"metadata","at":1,"changes":{"title":%b}}' % DEEP,
    ],
    "deep nesting in an unknown field": [BEGIN, b'{"type":"device","at":1,"x":%b}' % DEEP],
    "deep nesting alone": [DEEP],
    "a moment beyond the calendar": [b'{"type":"session","at":1e300,"session_id":"bad"}'],
    "a moment of the year 31690708": [b'{"type":"session","at":1e15,"session_id":"bad"}'],
    "a moment before the calendar": [b'{"type":"session","at":-1e18,"session_id":"bad"}'],
    "a moment without end": [BEGIN, b'{"type":"device","at":%b}' % (b"9" * 400)],
    "a summary beyond the calendar": [
        BEGIN,
        b'{"type":"summary","at":1,"created":1e300}',
    ],
    "bytes that are no UTF-8": [b'{"type":"session","at":1,"session_id":"\xff\xfe"}'],
    "a lone surrogate": [b'{"type":"session","at":1,"session_id":"\\ud800"}'],
    "a snapshot of no JSON": [snapshot(zlib.compress(b"not json"))],
    "a snapshot of nothing": [snapshot(zlib.compress(b""))],
    "a snapshot that is not packed": [snapshot(b"\0\0\0")],
    "a snapshot that is cut short": [snapshot(zlib.compress(BEGIN * 9)[:-3])],
    "a snapshot with something behind it": [snapshot(zlib.compress(BEGIN) + b"x")],
    "a snapshot of an event that is cut": [snapshot(zlib.compress(BEGIN[:-1]))],
    "a snapshot in a snapshot": [snapshot(zlib.compress(snapshot(zlib.compress(BEGIN))))],
}


@pytest.fixture(params=["file", "memory"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    if request.param == "memory":
        return MemoryRepository()
    return FileRepository(tmp_path)


def fill(repository: Repository, *events: bytes) -> None:
    good = Journal.begin(repository.create("good"))
    good.append([SessionCreated(at=1.8e9, session_id="good", title="good")])
    good.close()
    bad = repository.create("bad")
    bad.append(entries(*events), expect=0)
    bad.close()


@pytest.mark.parametrize("events", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_entry_damages_its_own_session_alone(
    repository: Repository, events: list[bytes]
) -> None:
    fill(repository, *events)

    states = {info.id: info.state for info in list_sessions(repository)}

    assert states == {"good": "new", "bad": "damaged"}
    for session_id, fails in (("good", False), ("bad", True)):
        storage = repository.open(session_id)
        try:
            if fails:
                with pytest.raises(CorruptSessionError):
                    list(read_events(storage))
                with pytest.raises(CorruptSessionError):
                    Journal.resume(storage)
            else:
                assert len(list(read_events(storage))) == 1
        finally:
            storage.close()


def test_a_kind_that_is_unknown_is_of_a_newer_holdall(repository: Repository) -> None:
    fill(repository, BEGIN, b'{"type":"zzz","at":1}')

    storage = repository.open("bad", mode="r")
    with pytest.raises(NewerFormatError, match="zzz"):
        list(read_events(storage))
    storage.close()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"\n", "Input data was truncated", id="newlines"),
        pytest.param(b"x", "unpacks to more than 16777216 bytes", id="one line"),
        pytest.param(BEGIN + b"\n", "unpacks to more than 16777216 bytes", id="events"),
    ],
)
def test_a_snapshot_that_unpacks_to_gigabytes_is_damage_and_fills_no_memory(
    tmp_path: Path, line: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "LARGEST_SNAPSHOT", 16 << 20)  # so that reading it takes no minute
    repository = FileRepository(tmp_path)
    fill(repository, bomb(line, 3000 if line == b"\n" else 100))

    def read() -> None:
        # What this process has already is that of all tests before, and not of the reading.
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + (80 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        infos = {info.id: info for info in list_sessions(repository)}
        states = {name: info.state for name, info in infos.items()}
        assert states == {"good": "new", "bad": "damaged"}
        assert reason in infos["bad"].reason

    assert in_child(read) == 0


def test_a_session_too_large_for_a_snapshot_is_not_compacted_and_stays_whole(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "LARGEST_SNAPSHOT", 100)
    journal = Journal.begin(repository.create("large"))
    events = [SessionCreated(at=1.8e9, session_id="large", title="x" * 200)]
    journal.append(events)

    journal.compact(at=1.8e9)
    journal.append([])

    assert list(read_events(journal.storage)) == events
    assert not journal.is_long
    journal.close()
