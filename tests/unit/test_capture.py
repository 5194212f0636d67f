from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.errors import StorageAccessError
from holdall.journal import INLINE, ResultRecorded
from holdall.journal.iolog import pack_record, unpack_records
from holdall.redaction import Masker, RedactionRules
from holdall.results import IOLogRecord, JobResult
from holdall.session import capture
from holdall.session.capture import LogCapture, OpenLogs, log_name, recover
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from typing import Any

    from holdall.contracts.stores import Storage

NAME = log_name("local", "a", 1)


@pytest.fixture
def storage() -> Storage:
    return MemoryRepository().create("s")


def read(storage: Storage, fields: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Return what the fields of a result hold, wherever that is."""
    result = JobResult(**fields)
    if result.io_log_ref is None:
        return [(record.stream, record.data) for record in result.io_log]
    with storage.open_blob(result.io_log_ref) as log:
        return [(record.stream, record.data) for record in unpack_records(log)]


def live_logs(storage: Any) -> list[str]:
    return list(storage._session.logs)


def test_no_output_leaves_nothing(storage: Storage) -> None:
    log = LogCapture(storage, NAME)
    log.write("stdout", b"")

    assert log.finish() == {"io_log_size": 0, "io_log_dropped": 0, "io_log": ()}
    assert live_logs(storage) == []


@pytest.mark.parametrize("size", [1, INLINE, INLINE + 1, 3 * INLINE])
def test_little_output_travels_in_the_result_and_more_as_a_blob(
    storage: Storage, size: int
) -> None:
    log = LogCapture(storage, NAME)
    for start in range(0, size, 1000):
        log.write("stdout", b"x" * min(1000, size - start))

    fields = log.finish()

    assert (fields.get("io_log_ref") is None) is (size <= INLINE)
    assert fields["io_log_size"] == size
    assert b"".join(data for _, data in read(storage, fields)) == b"x" * size
    assert live_logs(storage) == []


def test_streams_and_moments_are_kept_in_order(storage: Storage) -> None:
    log = LogCapture(storage, NAME)
    for stream, data in (("stdout", b"one"), ("stderr", b"two"), ("stdout", b"three")):
        log.write(stream, data)  # type: ignore[arg-type]

    result = JobResult(**log.finish())

    assert [(r.stream, r.data) for r in result.io_log] == [
        ("stdout", b"one"),
        ("stderr", b"two"),
        ("stdout", b"three"),
    ]
    delays = [record.delay for record in result.io_log]
    assert delays == sorted(delays)


def test_what_is_beyond_the_most_is_counted_and_not_kept(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "MOST", 10)
    log = LogCapture(storage, NAME)
    for _ in range(3):
        log.write("stdout", b"123456")

    fields = log.finish()

    assert (fields["io_log_size"], fields["io_log_dropped"]) == (10, 8)
    assert read(storage, fields) == [("stdout", b"123456"), ("stdout", b"1234")]


def test_old_output_is_handed_to_the_storage_and_dropped_once_its_result_is_stored(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "FLUSH_AFTER", 0.0)
    logs = OpenLogs(storage)
    log = logs.open("local", "a", 1)

    log.write("stdout", b"so far")
    fields = log.finish()
    before = live_logs(storage)
    logs.release([ResultRecorded(at=0, job_id="a", result=JobResult(outcome="pass"))])

    assert before == [NAME]
    assert live_logs(storage) == []
    assert read(storage, fields) == [("stdout", b"so far")]


def test_memory_is_bounded_by_what_was_not_handed_over(storage: Storage) -> None:
    log = LogCapture(storage, NAME)

    for _ in range(100):
        log.write("stdout", b"x" * 10_000)

    assert log._waiting_size <= capture.FLUSH_BEYOND + 20_000
    assert log._records == []


def test_an_interrupted_attempt_gives_back_what_was_handed_over(storage: Storage) -> None:
    log = LogCapture(storage, NAME)
    log.write("stdout", b"so far")
    log.flush()
    log.write("stdout", b"lost with the process")

    fields = recover(storage, NAME)

    assert fields["io_log_size"] == len(b"so far")
    assert read(storage, fields) == [("stdout", b"so far")]


def test_a_last_record_that_a_crash_cut_short_is_left_out(storage: Storage) -> None:
    writer = storage.open_log(NAME)
    whole = IOLogRecord(0.5, "stderr", b"whole")
    writer.write(pack_record(whole) + pack_record(whole)[:-3])
    writer.flush()

    fields = recover(storage, NAME)

    assert read(storage, fields) == [("stderr", b"whole")]
    assert fields["io_log_size"] == 5


def test_an_attempt_that_left_nothing_has_no_log(storage: Storage) -> None:
    assert recover(storage, NAME) == {}
    assert live_logs(storage) == []


def test_attempts_of_jobs_with_like_names_have_logs_of_their_own() -> None:
    names = {log_name("d", job, attempt) for job in ("a/b", "a:b") for attempt in (1, 2)}

    assert len(names) == 4


def flushed(rules: RedactionRules, *pieces: bytes) -> tuple[bytes, bytes]:
    """Return what a masked log gives when flushed behind each piece, and in all."""
    log = Masker(rules).log()
    shown = b""
    for piece in pieces:
        records = (*log.feed(IOLogRecord(0.0, "stdout", piece)), *log.advance())
        shown += b"".join(record.data for record in records)
    return shown, shown + b"".join(record.data for record in log.finish())


TOKEN = RedactionRules(secrets={"TOKEN": "hunter2-swordfish"})


@pytest.mark.parametrize(
    "rules",
    [TOKEN, RedactionRules(patterns=(r"hunter2-\w+",)), RedactionRules(keys=("password",))],
    ids=["secret", "pattern", "key"],
)
def test_complete_lines_go_out_of_a_masked_log_when_it_is_flushed(rules: RedactionRules) -> None:
    lines = b"line %\n" * 400

    assert flushed(rules, lines)[0] == lines
    assert flushed(rules, lines + b"password: hunter2-")[0] == lines


def test_an_unfinished_line_waits_no_longer_than_the_longest_form_of_a_secret() -> None:
    shown, _all = flushed(TOKEN, b"x" * 2700)

    assert len(shown) == 2700 - 64 * 17


@pytest.mark.parametrize(
    ("rules", "pieces"),
    [
        (TOKEN, [b"a\nhunt", b"er2-sword", b"fish\n"]),
        (TOKEN, [b"a\naHVudGVy\n", b"Mi1zd29yZGZpc2g=\n"]),
        (TOKEN, [b"a\n68756e7465\n", b"72322d73776f726466697368\n"]),
        (TOKEN, [b"x" * 2000 + b"hunt" + b"\x1b[31m" * 300, b"er2-swordfish"]),
        (RedactionRules(secrets={"TOKEN": "hunter2\nswordfish"}), [b"hunter2\n", b"swordfish"]),
        (RedactionRules(patterns=("(?s)hunter2.*fish",)), [b"hunter2\n", b"swordfish\n"]),
        (RedactionRules(patterns=(r"hunter2\s+swordfish",)), [b"hunter2\n", b"swordfish\n"]),
        (RedactionRules(patterns=("hunter2[^x]+fish",)), [b"hunter2\n", b"swordfish\n"]),
        (RedactionRules(keys=("password",)), [b"password: [hunter2", b", swordfish]\n"]),
    ],
)
def test_a_flush_parts_no_secret(rules: RedactionRules, pieces: list[bytes]) -> None:
    _shown, log = flushed(rules, *pieces)

    assert log.count(b"[redacted]") == 1
    assert not any(part in log for part in (b"hunt", b"fish", b"aHVu", b"6875", b"Mi1z", b"7232"))


def test_a_flush_parts_no_secret_that_both_streams_hold() -> None:
    log = Masker(TOKEN).log()
    records = []
    for record in [
        IOLogRecord(0.0, "stdout", b"line\nhunt"),
        IOLogRecord(0.0, "stderr", b"other\n"),
        IOLogRecord(0.0, "stdout", b"er2-swordfish\nmore hunter2-"),
        IOLogRecord(0.0, "stderr", b"swordfish\nend\n"),
    ]:
        records += log.feed(record)
        records += log.advance()
    records += log.finish()

    text = b"".join(record.data for record in records)
    assert b"hunt" not in text
    assert b"fish" not in text
    assert b"".join(r.data for r in records if r.stream == "stderr") == b"other\n\nend\n"


def test_no_two_attempts_share_a_log_whatever_their_ids_are() -> None:
    ids = ("a", "a b", "b", "b a", "a%20b", "b%20a", "a%20", "%20b", " ", "1")
    names = {log_name(device, job, n) for device in ids for job in ids for n in (1, 11)}

    assert len(names) == len(ids) ** 2 * 2
    assert log_name("local", "com.example::disk/read", 2) == "local com.example::disk/read 2"


def test_a_log_that_reaches_its_limit_holds_no_half_of_a_secret(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "MOST", 100)
    masker = Masker(RedactionRules(secrets={"TOKEN": "hunter2-swordfish"}))
    log = LogCapture(storage, NAME, masker=masker)

    log.write("stdout", b"x" * 90 + b"hunter2-swordfish" + b"y" * 50)
    fields = log.finish()

    written = b"".join(data for _stream, data in read(storage, fields))
    assert written == b"x" * 90 + b"[redacted]"
    assert fields["io_log_dropped"] > 0


def test_a_log_that_stays_behind_does_not_deny_that_its_result_is_stored(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_log: LogCapture) -> None:
        raise StorageAccessError("the disk", "drop a log from", "it can't be written")

    logs = OpenLogs(storage)
    logs.open("local", "a", 1).write("stdout", b"so far")
    monkeypatch.setattr(LogCapture, "discard", refuse)

    logs.release([ResultRecorded(at=0, job_id="a", result=JobResult(outcome="pass"))])

    assert "the log of a stored result stays" in caplog.text
