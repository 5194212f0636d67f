from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import CorruptSessionError, NewerFormatError
from holdall.journal import Journal, Position, decode, encode, list_sessions, read_events
from holdall.journal.codec import pack_snapshot
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
)
from holdall.results import IOLogRecord, JobResult, Outcome
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.journal.events import AnyEvent

EVENTS: list[AnyEvent] = [
    SessionCreated(at=1.0, session_id="s", title="title"),
    WriterOpened(at=1.5, version="1.0"),
    DeviceAdded(at=2.0, device="local"),
    JobDefined(at=3.0, job=JobRecord(id="a::b", summary="ä\n\u2028")),
    JobsSelected(at=4.0, run_list=("a::b",)),
    ResultRecorded(
        at=5.0,
        job_id="a::b",
        result=JobResult(outcome=Outcome.PASS, io_log=(IOLogRecord(0.1, "stdout", b"\xff\x00"),)),
    ),
]


def numbered(entries: list[bytes], first: int = 1) -> list[tuple[int, bytes]]:
    return list(enumerate(entries, start=first))


def test_what_is_encoded_decodes_to_the_same() -> None:
    entries, _ = encode(EVENTS, Position(0, 1, 0))

    assert [event for _, event in decode("s", numbered(entries))] == EVENTS


def test_two_batches_chain_as_one_does() -> None:
    first, position = encode(EVENTS[:3], Position(0, 1, 0))
    second, _ = encode(EVENTS[3:], position)
    whole, _ = encode(EVENTS, Position(0, 1, 0))

    assert [*first, *second] == whole


def test_an_entry_is_one_line() -> None:
    entries, _ = encode(EVENTS, Position(0, 1, 0))

    assert not [entry for entry in entries if b"\n" in entry]


def test_every_flipped_bit_is_found() -> None:
    entries, _ = encode(EVENTS[:2], Position(0, 1, 0))

    for place in range(len(entries[0])):
        damaged = bytearray(entries[0])
        damaged[place] ^= 1
        with pytest.raises((CorruptSessionError, NewerFormatError)):
            list(decode("s", numbered([bytes(damaged), entries[1]])))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda e: [e[0], *e[2:]], id="missing"),
        pytest.param(lambda e: [e[0], e[0], *e[1:]], id="doubled"),
        pytest.param(lambda e: [e[1], e[0], *e[2:]], id="swapped"),
        pytest.param(lambda e: [*e[:2], b"", *e[2:]], id="empty"),
        pytest.param(lambda e: [*e[:2], b"{}", *e[2:]], id="foreign"),
    ],
)
def test_entries_that_are_not_where_they_were_are_found(change: object) -> None:
    entries, _ = encode(EVENTS, Position(0, 1, 0))

    with pytest.raises(CorruptSessionError):
        list(decode("s", numbered(change(entries))))  # type: ignore[operator]


def test_a_snapshot_under_another_number_is_found() -> None:
    [entry], _ = encode([pack_snapshot(EVENTS, at=6.0)], Position(4, 1, 0))

    assert len(list(decode("s", [(5, entry)]))) == 1
    with pytest.raises(CorruptSessionError, match="numbers it 9, and it says 5"):
        list(decode("s", [(9, entry)]))


def test_each_writer_has_an_epoch_of_its_own() -> None:
    repository = MemoryRepository()
    first = Journal.begin(repository.create("s"))
    first.append(EVENTS[:2])
    first.close()
    second, _events = Journal.resume(repository.open("s"))
    second.append(EVENTS[2:])

    epochs = {position.epoch for position, _ in decode("s", second.storage.read())}

    assert epochs == {1, 2}


def test_a_journal_without_the_creation_of_its_session_is_damaged_and_listed_as_such() -> None:
    repository = MemoryRepository()
    storage = repository.create("s")
    entries, _ = encode(EVENTS[1:], Position(0, 1, 0))
    storage.append(entries, expect=0)

    with pytest.raises(CorruptSessionError, match="begins with an event of the kind 'writer'"):
        list(read_events(storage))
    storage.close()
    [info] = list_sessions(repository)
    assert info.state == "damaged"


def test_an_entry_of_another_session_does_not_fit() -> None:
    ours, _ = encode(EVENTS, Position(0, 1, 0))
    theirs, _ = encode([SessionCreated(at=9.0, session_id="t"), *EVENTS[1:]], Position(0, 1, 0))

    with pytest.raises(CorruptSessionError, match="checksum"):
        list(decode("s", numbered([*ours[:3], *theirs[3:]])))


def test_a_writer_that_was_taken_over_is_refused() -> None:
    entries, position = encode(EVENTS[:2], Position(0, 2, 0))
    late, _ = encode(EVENTS[2:3], position._replace(epoch=1))

    with pytest.raises(CorruptSessionError, match="epoch 1"):
        list(decode("s", numbered([*entries, *late])))


def test_a_session_of_a_newer_holdall_is_refused_with_both_versions() -> None:
    entries, _ = encode([WriterOpened(at=1.0, version="9.0", format=99)], Position(0, 1, 0))

    with pytest.raises(NewerFormatError, match=r"format 99 .* up to 2"):
        list(decode("s", numbered(entries)))


def test_an_event_that_only_a_newer_holdall_knows_is_refused_as_such() -> None:
    class NewEvent(SessionCreated, frozen=True, kw_only=True, tag="invented-later"):
        pass

    entries, _ = encode([NewEvent(at=1.0, session_id="s")], Position(0, 1, 0))

    with pytest.raises(NewerFormatError):
        list(decode("s", numbered(entries)))


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=5))
def test_any_text_round_trips(titles: list[str]) -> None:
    events: list[AnyEvent] = [
        SessionCreated(at=1.0, session_id="s", title=title) for title in titles
    ]
    entries, _ = encode(events, Position(0, 1, 0))

    assert [event for _, event in decode("s", numbered(entries))] == events
