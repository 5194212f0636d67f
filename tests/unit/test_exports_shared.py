"""Several reports at once: each large log is read from the store once, and masked once."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, ClassVar, cast

import pytest

from holdall.errors import PluginCallError
from holdall.exports.pipeline import ExportRequest, export, export_many
from holdall.journal import Journal
from holdall.journal.events import DeviceAdded, JobDefined, JobRecord, ResultRecorded
from holdall.journal.events import SessionCreated as Created
from holdall.journal.iolog import pack_record
from holdall.redaction import RedactionRules
from holdall.registry.registry import Registry
from holdall.results import IOLogRecord, JobResult
from holdall.stores.opening import file_url, open_repository
from holdall.view.filtering import ViewFilter
from holdall.view.logs import SharedLogs
from holdall.view.session import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from holdall.contracts.exporters import ExportContext, ExportReport, Sink
    from holdall.contracts.stores import Storage
    from holdall.view.filtering import Location

FORMATS = ("html", "json", "junit", "tar", "text", "xlsx")
EVERYTHING = {"html": ["logs=all"], "text": ["logs=all"], "xlsx": ["logs=all"]}
LOGS = 3
LINES = 2_000
RULES = RedactionRules(secrets={"TOKEN": "s3cret"}, keys=("password",))


@dataclass(frozen=True)
class Options:
    pass


class HalfReader:
    """Reads the first record of each log, and then fails."""

    summary: ClassVar[str] = "half"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        del sink, context
        for job in view.jobs():
            assert len(list(islice(job.io_log(), 1))) == 1
        raise ValueError("no more")


class CountingStorage:
    """A storage that counts how often each blob is opened."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.opened: Counter[str] = Counter()
        self.id = storage.id

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return self._storage.read(after)

    def open_blob(self, ref: str) -> BinaryIO:
        self.opened[ref] += 1
        return self._storage.open_blob(ref)


def log(number: int) -> list[IOLogRecord]:
    """Return a log of some 80 KiB, with two secrets in it."""
    lines = [b"%d: a line of the output of job %d\n" % (n, number) for n in range(LINES)]
    lines[7] = b"the token is s3cret, the password: hunter2\n"
    return [IOLogRecord(n / 8, "stdout", line) for n, line in enumerate(lines)]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[CountingStorage]:
    """Give a session on the disk, some of its failed jobs with a log in a blob."""
    repository = open_repository(file_url(tmp_path / "sessions"))
    written = repository.create("with-logs")
    events: list[object] = [Created(at=1, session_id="with-logs"), DeviceAdded(at=1)]
    for number in range(LOGS):
        records = log(number)
        ref = written.put_blob(map(pack_record, records))
        size = sum(len(record.data) for record in records)
        result = JobResult(outcome="fail", io_log_ref=ref, io_log_size=size)
        events += [
            JobDefined(at=1, job=JobRecord(id=f"job-{number}")),
            ResultRecorded(at=2, job_id=f"job-{number}", result=result),
        ]
    Journal.begin(written).append(cast("Sequence[Created]", events))
    written.close()
    opened = repository.open("with-logs", mode="r")
    yield CountingStorage(opened)
    opened.close()


def registry() -> Registry:
    found = Registry.discover()
    found.register("exporters", "acme.half", HalfReader)
    return found


def view_of(storage: CountingStorage) -> SessionView:
    return SessionView.of(cast("Storage", storage))


def many(
    view: SessionView, *names: str, redact: RedactionRules = RULES
) -> tuple[list[ExportReport], list[bytes]]:
    targets = [io.BytesIO() for _ in names]
    requests = [
        ExportRequest(name, target, options=EVERYTHING.get(name, ()))
        for name, target in zip(names, targets, strict=True)
    ]
    reports = export_many(view, requests, registry=registry(), redact=redact)
    return reports, [target.getvalue() for target in targets]


def one(view: SessionView, name: str, redact: RedactionRules) -> tuple[ExportReport, bytes]:
    target = io.BytesIO()
    options = EVERYTHING.get(name, ())
    return export(view, name, target, options=options, redact=redact), target.getvalue()


@pytest.mark.parametrize("redact", [RULES, RedactionRules()], ids=["masked", "plain"])
def test_each_log_is_opened_once_for_all_formats(
    storage: CountingStorage, redact: RedactionRules
) -> None:
    many(view_of(storage), *FORMATS, redact=redact)

    assert len(storage.opened) == LOGS
    assert set(storage.opened.values()) == {1}


@pytest.mark.parametrize("redact", [RULES, RedactionRules()], ids=["masked", "plain"])
def test_reports_made_together_are_those_made_one_by_one(
    storage: CountingStorage, redact: RedactionRules
) -> None:
    view = view_of(storage)

    reports, contents = many(view, *FORMATS, redact=redact)

    for name, report, content in zip(FORMATS, reports, contents, strict=True):
        alone, its_content = one(view, name, redact)
        assert content == its_content, name
        assert report.changes == alone.changes, name


def test_a_rule_is_counted_in_every_report_that_holds_the_log(storage: CountingStorage) -> None:
    reports, _contents = many(view_of(storage), "json", "junit", "global")

    counts = {"redacted: secret TOKEN": LOGS, "redacted: key password": LOGS}
    assert reports[0].changes == reports[1].changes == counts
    assert reports[2].changes == dict.fromkeys(counts, 0)


def test_a_log_that_was_read_half_way_is_not_taken_for_whole(storage: CountingStorage) -> None:
    view = view_of(storage)

    reports, contents = many(view, "acme.half", "json", "json")

    assert isinstance(reports[0].exception, PluginCallError)
    assert contents[1] == contents[2] == one(view, "json", RULES)[1]
    assert [report.exception for report in reports[1:]] == [None, None]


def test_a_report_that_masks_and_reads_its_logs_several_times_masks_them_once(
    storage: CountingStorage,
) -> None:
    _reports, contents = many(view_of(storage), "tar")

    assert set(storage.opened.values()) == {1}
    assert contents == [one(view_of(storage), "tar", RULES)[1]]


def test_one_report_alone_keeps_no_copy_of_a_log(
    storage: CountingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr("holdall.view.logs.TemporaryFile", lambda **given: made.append(given))

    reports, _contents = many(view_of(storage), "json", redact=RedactionRules())

    assert reports[0].exception is None
    assert made == []


def test_without_a_folder_for_copies_logs_are_read_again(
    storage: CountingStorage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    view = view_of(storage)
    alone = one(view, "json", RULES)[1]
    storage.opened.clear()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))

    reports, contents = many(view, "json", "json")

    assert [report.exception for report in reports] == [None, None]
    assert contents == [alone, alone]
    assert set(storage.opened.values()) == {2}


def test_what_has_no_room_is_read_again(storage: CountingStorage) -> None:
    with SharedLogs(room=200_000) as shared:  # there is room for one log
        view = view_of(storage).sharing(shared)
        for _ in range(2):
            read = [list(job.io_log()) for job in view.jobs()]

            assert read == [log(number) for number in range(LOGS)]

    assert sorted(storage.opened.values()) == [1, 2, 2]


def test_after_the_export_the_view_reads_from_the_store_again(storage: CountingStorage) -> None:
    with SharedLogs() as shared:
        view = view_of(storage).sharing(shared)
        before = [list(job.io_log()) for job in view.jobs()]

    assert [list(job.io_log()) for job in view.jobs()] == before
    assert set(storage.opened.values()) == {2}


def test_filters_that_can_not_be_told_alike_are_asked_each_time(
    storage: CountingStorage,
) -> None:
    class Counting(ViewFilter):
        asked = 0

        def log(self, records: Iterator[IOLogRecord], location: Location) -> Iterator[IOLogRecord]:
            self.asked += 1
            return super().log(records, location)

    by = Counting()
    with SharedLogs() as shared:
        view = view_of(storage).sharing(shared).filtered(by)
        for _ in range(2):
            for job in view.jobs():
                assert sum(1 for _record in job.io_log()) == LINES

    assert by.asked == 2 * LOGS
    assert set(storage.opened.values()) == {1}
