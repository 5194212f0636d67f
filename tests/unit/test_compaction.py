from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from holdall.errors import CorruptSessionError, HoldallError
from holdall.journal import Journal, read_events, record
from holdall.journal.codec import pack_snapshot
from holdall.journal.compaction import compacted
from holdall.journal.events import (
    DeviceAdded,
    DeviceRemoved,
    JobDefined,
    JobRecord,
    JobRemoved,
    JobsSelected,
    JobStarted,
    MetadataChanged,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
)
from holdall.results import JobResult, Outcome
from holdall.view.session import SessionView
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.journal.events import AnyEvent

RAW = msgspec.Raw(b'"t"')
EVENTS: list[AnyEvent] = [
    SessionCreated(at=1.0, session_id="s"),
    WriterOpened(at=1.0, version="1"),
    DeviceAdded(at=2.0),
    DeviceAdded(at=2.0, device="gone"),
    JobDefined(at=3.0, device="gone", job=JobRecord(id="x")),
    JobDefined(at=3.0, job=JobRecord(id="a")),
    JobDefined(at=3.0, job=JobRecord(id="b")),
    JobDefined(at=3.0, job=JobRecord(id="c")),
    JobsSelected(at=4.0, run_list=("a", "b")),
    JobStarted(at=5.0, job_id="a"),
    ResultRecorded(at=6.0, job_id="a", result=JobResult(outcome=Outcome.FAIL)),
    JobStarted(at=7.0, job_id="a", attempt=2),
    ResultRecorded(at=8.0, job_id="a", result=JobResult(outcome=Outcome.PASS)),
    JobDefined(at=8.0, job=JobRecord(id="a", certification_status="blocker")),
    MetadataChanged(at=9.0, changes={"title": RAW}),
    MetadataChanged(at=9.0, changes={"app_id": RAW}),
    JobRemoved(at=9.0, job_id="c"),
    DeviceRemoved(at=9.0, device="gone"),
    JobsSelected(at=9.0, run_list=("b", "a")),
    JobStarted(at=10.0, job_id="b"),
]


def told(view: SessionView) -> object:
    return (
        view.title,
        view.devices,
        [
            (
                j.device_id,
                j.id,
                j.certification_status,
                j.in_flight,
                [a.result for a in j.attempts],
            )
            for j in view.jobs()
        ],
    )


def test_fewer_events_tell_the_same() -> None:
    fewer = compacted(EVENTS)

    assert len(fewer) < len(EVENTS)
    assert told(SessionView(fewer)) == told(SessionView(EVENTS))


def test_every_prefix_compacts_to_what_it_tells() -> None:
    for end in range(1, len(EVENTS) + 1):
        assert told(SessionView(compacted(EVENTS[:end]))) == told(SessionView(EVENTS[:end]))


def test_compacting_twice_changes_nothing_more() -> None:
    once = compacted(EVENTS)

    assert compacted(once) == once


def stored(events: list[AnyEvent]) -> tuple[Journal, MemoryRepository]:
    repository = MemoryRepository()
    journal = Journal.begin(repository.create("s"))
    for event in events:
        journal.append([event])
    return journal, repository


def test_a_compacted_journal_tells_the_same_and_can_be_gone_on_with() -> None:
    journal, _ = stored(EVENTS)
    before = told(SessionView.of(journal.storage))

    journal.compact(at=11.0)
    after = told(SessionView.of(journal.storage))
    journal.append([ResultRecorded(at=12.0, job_id="b", result=JobResult(outcome="pass"))])

    assert after == before
    assert len(list(journal.storage.read())) == 2
    assert journal.storage.head == len(EVENTS) + 2
    jobs = {job.id: job.outcome for job in SessionView.of(journal.storage).jobs()}
    assert jobs == {"a": "pass", "b": "pass"}


def test_a_journal_can_be_resumed_behind_a_snapshot() -> None:
    journal, repository = stored(EVENTS)
    journal.compact(at=11.0)
    journal.storage.close()

    again, events = Journal.resume(repository.open("s"))
    again.append([ResultRecorded(at=12.0, job_id="b", result=JobResult(outcome="pass"))])

    assert events == compacted(EVENTS)
    assert len(list(read_events(again.storage))) == len(events) + 1


def test_a_snapshot_that_nothing_was_dropped_before_is_read_once() -> None:
    journal, _ = stored(EVENTS)
    journal.append([pack_snapshot(compacted(EVENTS), at=11.0)])
    journal.append([ResultRecorded(at=12.0, job_id="b", result=JobResult(outcome="pass"))])

    assert len(list(read_events(journal.storage))) == len(EVENTS) + 1


def test_a_snapshot_that_unpacks_otherwise_is_never_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal, _ = stored(EVENTS)
    before = list(journal.storage.read())

    with monkeypatch.context() as patch:
        patch.setattr(
            record, "pack_snapshot", lambda events, **more: pack_snapshot(events[:-1], **more)
        )
        with pytest.raises(CorruptSessionError, match="unpacks differently"):
            journal.compact(at=11.0)

    assert list(journal.storage.read()) == before
    journal.compact(at=11.0)
    assert len(list(journal.storage.read())) == 1


def test_a_journal_without_its_beginning_is_damaged() -> None:
    journal, repository = stored(EVENTS)
    copy = repository.create("copy", first=3)
    copy.append([entry for _number, entry in journal.storage.read(2)], expect=2)

    with pytest.raises(HoldallError, match="entry 1 was due"):
        list(read_events(copy))


def test_a_journal_is_long_by_what_was_appended_since_the_last_snapshot() -> None:
    journal, _ = stored(EVENTS)
    assert not journal.is_long

    big = JobRecord(id="big", description="x" * 2**20)
    journal.append([JobDefined(at=11.0, job=big)])
    assert journal.is_long

    journal.compact(at=12.0)
    assert not journal.is_long
