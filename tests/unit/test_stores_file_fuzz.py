"""Whatever happens to the bytes of a journal, it gives the right events or says what is damaged.

The journals are whole: what is in them was acknowledged, so nothing of it may be missing
after the session was opened, for reading or for writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from holdall.errors import CorruptSessionError, NewerFormatError
from holdall.journal import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    Journal,
    ResultRecorded,
    SessionCreated,
    list_sessions,
    read_events,
    writer_opened,
)
from holdall.results import JobResult
from holdall_plugins.stores.file import FileRepository, journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from holdall.journal import AnyEvent

KINDS = ["plain", "compacted", "appended to"]


class Stored(NamedTuple):
    """A session that is stored whole."""

    repository: FileRepository
    file: Path
    whole: bytes
    events: list[AnyEvent]


def _events() -> list[AnyEvent]:
    jobs = [f"com.example::disk/{number}" for number in range(3)]
    return [
        SessionCreated(at=1.8e9, session_id="session", title="monday"),
        writer_opened(at=1.8e9, boot_id="boot"),
        DeviceAdded(at=1.8e9),
        *(JobDefined(at=1.8e9, job=JobRecord(id=job, summary="a disk")) for job in jobs),
        JobsSelected(at=1.8e9, run_list=tuple(jobs)),
        JobStarted(at=1.8e9, job_id=jobs[0]),
        *(ResultRecorded(at=1.8e9, job_id=job, result=JobResult(outcome="pass")) for job in jobs),
    ]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once: nobody writes to these journals."""
    monkeypatch.setattr(journal, "_BETWEEN_LOOKS_S", 0)


@pytest.fixture(params=KINDS)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Stored:
    repository = FileRepository(tmp_path)
    writer = Journal.begin(repository.create("session"))
    events = _events()
    writer.append(events[:4])
    writer.append(events[4:])
    if request.param != "plain":
        writer.compact(at=1.8e9)
    if request.param == "appended to":
        writer.append(events[-3:])
        writer.append(events[-1:])
    writer.close()
    [file] = (tmp_path / "session.session").glob("journal-*")
    reader = repository.open("session", mode="r")
    stored = Stored(repository, file, file.read_bytes(), list(read_events(reader)))
    reader.close()
    return stored


def flipped(whole: bytes) -> Iterator[bytes]:
    """Yield *whole* with each byte as one of some other values, each in its turn."""
    for position, byte in enumerate(whole):
        values = sorted({0x00, 0x80, 0xFF, 0x0A, byte ^ 1} - {byte})
        yield _with(whole, position, values[position % len(values)])


def flipped_to_each(whole: bytes) -> Iterator[bytes]:
    """Yield *whole* with each byte as each of some other values."""
    for position, byte in enumerate(whole):
        for value in {0x00, 0x80, 0xFF, 0x0A, byte ^ 1} - {byte}:
            yield _with(whole, position, value)


def _with(whole: bytes, position: int, value: int) -> bytes:
    return whole[:position] + bytes((value,)) + whole[position + 1 :]


def zeroed(whole: bytes, size: int) -> Iterator[bytes]:
    """Yield *whole* with each sector of *size* bytes as NULs, and with each run to the end."""
    for start in range(0, len(whole), size):
        end = min(start + size, len(whole))
        yield whole[:start] + bytes(end - start) + whole[end:]
        yield whole[:start] + bytes(len(whole) - start)


def relined(whole: bytes) -> Iterator[bytes]:
    """Yield *whole* with each line and each newline missing and doubled, and lines swapped."""
    lines = whole.splitlines(keepends=True)
    for number, line in enumerate(lines):
        before, behind = b"".join(lines[:number]), b"".join(lines[number + 1 :])
        yield before + line[:-1] + behind
        yield before + line + b"\n" + behind
        yield before + line + line + behind
        if number < len(lines) - 1:
            yield before + behind
            yield before + lines[number + 1] + line + b"".join(lines[number + 2 :])


def extended(whole: bytes) -> Iterator[bytes]:
    """Yield *whole* with something behind it that no write that was cut short leaves."""
    yield from (whole + tail for tail in (b"\0", bytes(512), bytes(4096), b"\n", b"{}\n"))
    yield whole + b"\xff" * 512


DAMAGES = {
    "flipped": flipped,
    "512 NULs": lambda whole: zeroed(whole, 512),
    "64 NULs": lambda whole: zeroed(whole, 64),
    "4096 NULs": lambda whole: zeroed(whole, 4096),
    "lines": relined,
    "extended": extended,
}
ALL_DAMAGES = {**DAMAGES, "flipped to each": flipped_to_each}
EACH = [*DAMAGES, pytest.param("flipped to each", marks=pytest.mark.soak)]


@pytest.mark.parametrize("damage", EACH)
def test_damage_is_told_or_changes_nothing_that_is_read(stored: Stored, damage: str) -> None:
    count = 0
    for data in ALL_DAMAGES[damage](stored.whole):
        count += 1
        overwrite(stored.file, data)
        assert read(stored, "r") in (stored.events, None), data

    assert count > 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_kept_as_it_is_by_who_opens_the_session_for_writing(
    stored: Stored, damage: str
) -> None:
    lock = stored.file.with_name("lock").read_bytes()
    for data in sampled(DAMAGES[damage](stored.whole)):
        overwrite(stored.file, data)
        stored.file.with_name("lock").write_bytes(lock)
        events = read(stored, "w")
        assert events in (stored.events, None), data
        if events is None:
            assert stored.file.read_bytes() == data


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_session_is_never_listed_as_empty(stored: Stored, damage: str) -> None:
    for data in sampled(DAMAGES[damage](stored.whole)):
        overwrite(stored.file, data)
        [info] = list_sessions(stored.repository)
        assert info.state in ("finished", "damaged"), data


def overwrite(file: Path, data: bytes) -> None:
    """Put *data* in the place of what is there; some file systems sync a file emptied before."""
    with file.open("r+b") as stream:
        stream.write(data)
        stream.truncate()


def sampled(datas: Iterable[bytes]) -> Iterator[bytes]:
    """Yield some of *datas*: all, as long as they are few, and more of the last ones."""
    every = list(datas)
    step = 1 + len(every) // 500
    yield from every[:-200:step]
    yield from every[-200:]


def read(stored: Stored, mode: str) -> list[AnyEvent] | None:
    """Return the events of the session, None if an error says where it is damaged."""
    try:
        storage = stored.repository.open("session", mode="w" if mode == "w" else "r")
        try:
            return list(read_events(storage))
        finally:
            storage.close()
    except (CorruptSessionError, NewerFormatError) as error:
        damaged = str(error)
    assert f"{stored.file.name}, line " in damaged
    return None
