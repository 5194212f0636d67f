"""Facts about torn and damaged journals of the store in plain files."""

from __future__ import annotations

import json
import logging
import os
import signal
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from holdall.errors import CorruptSessionError, FailedStorageError, NewerFormatError
from holdall.journal import list_sessions
from holdall.processes import this_process
from holdall.testing.children import in_child
from holdall_plugins.stores.file import FileRepository, journal
from holdall_plugins.stores.file.lines import encode_batch, header_line
from holdall_plugins.stores.file.lock import End, end_when_closed
from holdall_plugins.stores.file.reading import damage_behind

if TYPE_CHECKING:
    from pathlib import Path

    from holdall_plugins.stores.file.reading import JournalFile, Spot

FIRST = [(1, b'{"a":1}'), (2, b"not JSON\n"), (3, b'{"c":3}')]
LAST = [(4, b'{"d":4}'), (5, b"\0\xff")]
MARK = b'"left":0'


def store(folder: Path) -> tuple[FileRepository, Path, int]:
    """Return a repository with one session, its journal, and where its last batch starts."""
    repository = FileRepository(folder)
    storage = repository.create("session")
    storage.append([FIRST[0][1]], expect=0)
    storage.append([entry for _, entry in FIRST[1:]], expect=1)
    [journal] = (folder / "session.session").glob("journal-*")
    size = journal.stat().st_size
    storage.append([entry for _, entry in LAST], expect=3)
    storage.close()
    return repository, journal, size


def found(repository: FileRepository, *, mode: str = "r") -> list[tuple[int, bytes]]:
    storage = repository.open("session", mode="w" if mode == "w" else "r")
    try:
        return list(storage.read())
    finally:
        storage.close()


def as_if_the_power_was_cut(journal: Path) -> None:
    """Let the last writer be one of an earlier boot that never came to its end."""
    note = b'{"pid":1,"started":"1","boot_id":"00000000-0000-0000-0000-000000000000"}\n'
    (journal.parent / "lock").write_bytes(note)


def as_if_killed(journal: Path) -> None:
    """Let the last writer be one of this boot that did not close the session."""
    process = this_process()
    note = {"pid": process.pid, "started": process.started, "boot_id": process.boot_id}
    (journal.parent / "lock").write_text(json.dumps(note))


@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_tear_at_any_byte_gives_old_or_new_never_neither(tmp_path: Path, mode: str) -> None:
    repository, journal, start = store(tmp_path)
    whole = journal.read_bytes()

    for end in range(start, len(whole) - 1):
        journal.write_bytes(whole[:end])
        as_if_killed(journal)
        assert found(repository, mode=mode) == FIRST, f"torn at byte {end}"

    for end in (len(whole) - 1, len(whole)):
        journal.write_bytes(whole[:end])
        as_if_killed(journal)
        assert found(repository, mode=mode) == FIRST + LAST


def test_a_last_newline_that_is_missing_is_put_back(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-1])
    as_if_killed(journal)

    assert found(repository) == FIRST + LAST
    assert journal.read_bytes() == whole[:-1]
    storage = repository.open("session")
    storage.append([b"next"], expect=5)
    storage.close()

    assert journal.read_bytes().startswith(whole)
    assert found(repository) == [*FIRST, *LAST, (6, b"next")]


def test_what_was_torn_is_cut_off_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    repository, journal, start = store(tmp_path)
    journal.write_bytes(journal.read_bytes()[:-3])
    as_if_killed(journal)

    with caplog.at_level(logging.WARNING, "holdall.stores.file"):
        storage = repository.open("session")

    recovered = storage.recovered  # type: ignore[attr-defined] # of this store only
    storage.close()
    assert "never acknowledged were cut off behind entry 3" in recovered
    assert recovered in caplog.text
    assert journal.stat().st_size == start


def test_reading_leaves_a_torn_end_as_it_is(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    torn = journal.read_bytes()[:-3]
    journal.write_bytes(torn)
    as_if_killed(journal)

    found(repository)

    assert journal.read_bytes() == torn


def test_a_writer_goes_on_behind_a_torn_end(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path)
    journal.write_bytes(journal.read_bytes()[: start + 20])
    as_if_killed(journal)

    storage = repository.open("session")
    storage.append([b"again"], expect=3)
    storage.close()

    assert found(repository) == [*FIRST, (4, b"again")]


@pytest.mark.parametrize("mode", ["r", "w"])
@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_flipped_byte_is_reported_or_torn_off_never_returned(
    tmp_path: Path, mode: str, flip: int
) -> None:
    repository, journal, start = store(tmp_path)
    whole = journal.read_bytes()
    reported = 0

    for position in range(0, len(whole), 1 if mode == "r" else 7):
        data = bytearray(whole)
        data[position] ^= flip
        journal.write_bytes(data)
        try:
            entries = found(repository, mode=mode)
        except (CorruptSessionError, NewerFormatError):
            reported += 1
            assert journal.read_bytes() == data, f"changed for byte {position}"
        else:
            assert entries == FIRST, f"byte {position}"
            assert position >= start, f"acknowledged entries were dropped for byte {position}"

    assert reported > len(whole) * 0.8 / (1 if mode == "r" else 7)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: [lines[0], *lines[2:]], id="first line gone"),
        pytest.param(lambda lines: [*lines[:2], *lines[3:]], id="line gone"),
        pytest.param(lambda lines: [*lines[:3], *lines[2:]], id="line doubled"),
        pytest.param(lambda lines: [*lines, *lines[4:]], id="last batch doubled"),
        pytest.param(lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], id="swapped"),
        pytest.param(lambda lines: lines[1:], id="header gone"),
        pytest.param(lambda lines: [*lines[:2], b"", *lines[2:]], id="empty line"),
        pytest.param(lambda lines: [*lines, b"{}"], id="stranger's line at the end"),
    ],
)
def test_lines_that_are_missing_doubled_or_strange_are_reported(
    tmp_path: Path, change: object
) -> None:
    repository, journal, _start = store(tmp_path)
    lines = journal.read_bytes().removesuffix(b"\n").split(b"\n")
    assert callable(change)
    journal.write_bytes(b"\n".join(change(lines)) + b"\n")

    for mode in ("r", "w"):
        with pytest.raises(CorruptSessionError) as caught:
            found(repository, mode=mode)
        assert journal.name in caught.value.location
        assert "line " in caught.value.location


def test_damage_names_the_line_it_is_in(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    journal.write_bytes(journal.read_bytes().replace(b'{"a":1}', b'{"a":2}'))

    with pytest.raises(CorruptSessionError, match=r"jsonl, line 2: entry 1 does not fit"):
        found(repository)


def test_lines_of_another_session_do_not_fit(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    other = repository.create("other")
    other.append([b'{"a":1}'], expect=0)
    other.close()
    [stranger] = (tmp_path / "other.session").glob("journal-*")

    journal.write_bytes(stranger.read_bytes())
    with pytest.raises(CorruptSessionError, match="of the session 'other'"):
        found(repository)


def test_lines_left_over_from_an_earlier_use_of_the_disk_do_not_fit(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path / "one")
    _, older, older_start = store(tmp_path / "other")

    journal.write_bytes(journal.read_bytes()[:start] + older.read_bytes()[older_start:])

    with pytest.raises(CorruptSessionError):
        found(repository)


@pytest.mark.parametrize("hole", [(0, 30), (0, 4000), (3000, 8000), (7900, 8192)])
def test_blocks_that_never_reached_the_disk_are_a_torn_end(
    tmp_path: Path, hole: tuple[int, int]
) -> None:
    repository, journal, start = store(tmp_path)
    storage = repository.open("session")
    size = journal.stat().st_size
    storage.append([b'{"long":"%b"}' % (b"x" * 500)] * 20, expect=5)
    storage.close()
    data = bytearray(journal.read_bytes())
    data[size + hole[0] : size + hole[1]] = bytes(hole[1] - hole[0])
    journal.write_bytes(data)
    as_if_the_power_was_cut(journal)

    assert found(repository) == FIRST + LAST
    assert found(repository, mode="w") == FIRST + LAST
    assert start < journal.stat().st_size == size


@pytest.mark.parametrize("hole", [(0, 30), (0, 4000), (3000, 8000), (7900, 8192), (9000, None)])
@pytest.mark.parametrize("end", ["closed", "killed"])
def test_nuls_are_damage_where_the_power_was_not_cut(
    tmp_path: Path, hole: tuple[int, int | None], end: str
) -> None:
    repository, journal, _start = store(tmp_path)
    size = journal.stat().st_size

    def write() -> None:
        storage = repository.open("session")
        storage.append([b'{"long":"%b"}' % (b"x" * 500)] * 20, expect=5)
        if end == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        storage.close()

    in_child(write)
    data = bytearray(journal.read_bytes())
    first, last = size + hole[0], size + hole[1] if hole[1] else len(data)
    data[first:last] = bytes(last - first)
    journal.write_bytes(data)

    for mode in ("r", "w"):
        with pytest.raises(CorruptSessionError):
            found(repository, mode=mode)
    assert journal.read_bytes() == data


def test_blocks_lost_before_a_later_batch_are_damage(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path)
    storage = repository.open("session")
    storage.append([b"later", b"batch"], expect=5)
    storage.append([b"the last"], expect=7)
    storage.close()
    data = bytearray(journal.read_bytes())
    data[start : start + 10] = bytes(10)
    journal.write_bytes(data)
    as_if_the_power_was_cut(journal)

    with pytest.raises(CorruptSessionError):
        found(repository)


def test_a_newer_format_is_told_from_damage(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    body = b'{"holdall":"journal","format":2,"session":"session","first":1,"salt":"00"'
    journal.write_bytes(b'%b,"sum":"%08x"}\n' % (body, crc32(body)))

    with pytest.raises(NewerFormatError) as caught:
        found(repository)

    assert (caught.value.theirs, caught.value.ours) == (2, 1)


def test_a_damaged_blob_is_reported_while_it_is_read(tmp_path: Path) -> None:
    storage = FileRepository(tmp_path).create("session")
    ref = storage.put_blob([b"x" * 300_000])
    [blob] = (path for path in tmp_path.glob("*/blobs/**/*") if path.is_file())
    data = bytearray(blob.read_bytes())
    data[150_000] ^= 1
    blob.write_bytes(data)

    with storage.open_blob(ref) as reading, pytest.raises(CorruptSessionError) as caught:
        reading.read()

    storage.close()
    assert ref in str(caught.value)


@pytest.mark.parametrize("size", [0, 299_999])
def test_a_blob_that_was_cut_is_reported(tmp_path: Path, size: int) -> None:
    storage = FileRepository(tmp_path).create("session")
    ref = storage.put_blob([b"x" * 300_000])
    [blob] = (path for path in tmp_path.glob("*/blobs/**/*") if path.is_file())
    blob.write_bytes(b"x" * size)

    with storage.open_blob(ref) as reading, pytest.raises(CorruptSessionError):
        reading.read()

    storage.close()


def test_a_reader_beside_a_writer_looks_again_as_long_as_there_is_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two readings that tell a torn end from damage, a writer may append."""
    writer = FileRepository(tmp_path).create("session")
    writer.append([b"1"], expect=0)

    def overtaken(file: JournalFile, spot: Spot, *, lost_power: bool) -> str:
        if writer.head < 40:
            writer.append([b"x"], expect=writer.head)
            writer.append([b"x"], expect=writer.head)
        return damage_behind(file, spot, lost_power=lost_power)

    monkeypatch.setattr(journal, "damage_behind", overtaken)

    assert len(found(FileRepository(tmp_path))) == 41


@pytest.mark.parametrize("header", ["with begun", "of the first builds"])
def test_a_snapshot_that_is_cut_anywhere_is_damage_and_no_torn_end(
    tmp_path: Path, header: str
) -> None:
    """It was synced before the file got its name, so no crash can have cut it."""
    repository = FileRepository(tmp_path)
    storage = repository.create("session")
    storage.append([b"1", b"2"], expect=0)
    storage.compact(b'{"snapshot":"%b"}' % (b"x" * 100), expect=2)
    storage.close()
    [journal] = (tmp_path / "session.session").glob("journal-*")
    whole = journal.read_bytes()
    if header == "of the first builds":
        line, total = header_line("session", 3)
        line = line[: line.index(b',"begun"')]
        line = b'%b,"sum":"%08x"}\n' % (line, crc32(line))
        total = crc32(line[: line.index(b',"sum"')])
        whole = line + encode_batch([b'{"snapshot":1}'], total)[0]
    journal.write_bytes(whole)
    as_if_the_power_was_cut(journal)
    assert [number for number, _ in found(repository)] == [3]
    begin = whole.index(b"\n") + 1

    for data in (
        *(whole[:end] for end in range(begin, len(whole) - 1)),
        whole[:begin] + bytes(len(whole) - begin),
        whole[:-9] + bytes(9),
    ):
        journal.write_bytes(data)
        for mode in ("r", "w"):
            with pytest.raises(CorruptSessionError, match="synced before this file got its name"):
                found(repository, mode=mode)
        assert journal.read_bytes() == data
    [info] = list_sessions(repository)
    assert info.state == "damaged"


@pytest.mark.parametrize(
    "tail", [b"\xff" * 40, b"\x80", b"\0", b"x"], ids=["ff", "80", "nul", "x"]
)
def test_bytes_in_the_place_of_a_last_newline_are_damage(tmp_path: Path, tail: bytes) -> None:
    repository, journal, _start = store(tmp_path)
    data = journal.read_bytes()[:-1] + tail
    journal.write_bytes(data)

    for mode in ("r", "w"):
        with pytest.raises(CorruptSessionError):
            found(repository, mode=mode)
    assert journal.read_bytes() == data


def test_a_session_without_its_lock_file_lost_no_power(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    data = journal.read_bytes()[:-9] + bytes(9)
    journal.write_bytes(data)
    (journal.parent / "lock").unlink()

    with pytest.raises(CorruptSessionError):
        found(repository)


def test_a_writer_that_failed_did_not_close_the_session(tmp_path: Path) -> None:
    storage = FileRepository(tmp_path).create("session")
    storage.append([b"1"], expect=0)
    journal = next(tmp_path.glob("*/journal-*"))
    journal.rename(journal.with_name("aside"))
    with pytest.raises(FailedStorageError):
        storage.append([b"2"], expect=1)

    storage.close()

    assert b'"is_closed":true' not in (journal.parent / "lock").read_bytes()


def test_blocks_lost_before_and_behind_a_later_batch_are_damage(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path)
    storage = repository.open("session")
    storage.append([b"later"], expect=5)
    storage.close()
    data = bytearray(journal.read_bytes())
    data[start : start + 10] = bytes(10)
    journal.write_bytes(data + bytes(100))
    as_if_the_power_was_cut(journal)

    with pytest.raises(CorruptSessionError, match="and more follow"):
        found(repository)


def test_blocks_lost_at_the_end_of_a_batch_before_a_longer_one_are_damage(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path)
    storage = repository.open("session")
    storage.append([b"later"] * 6, expect=5)
    storage.close()
    data = bytearray(journal.read_bytes())
    second = data.index(b"\n", start) + 1
    data[second : second + 10] = bytes(10)
    journal.write_bytes(data)
    as_if_the_power_was_cut(journal)

    with pytest.raises(CorruptSessionError, match="follows others that do not fit"):
        found(repository)


def test_a_journal_under_the_name_of_another_number_is_damage(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    journal.rename(journal.with_name(f"journal-{9:020d}.jsonl"))

    with pytest.raises(CorruptSessionError, match="this is entry 1 and on"):
        found(repository)


def test_nuls_in_a_session_that_was_closed_in_an_earlier_boot_are_damage(tmp_path: Path) -> None:
    repository, journal, size = store(tmp_path)
    lock = journal.parent / "lock"
    note = json.loads(lock.read_bytes())
    lock.write_text(json.dumps(note | {"boot_id": "00000000-0000-0000-0000-000000000000"}))
    whole = journal.read_bytes()
    journal.write_bytes(whole[:size] + bytes(len(whole) - size))

    with pytest.raises(CorruptSessionError):
        found(repository)


def test_any_other_end_than_the_one_it_was_closed_with_is_damage(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path)
    whole = journal.read_bytes()
    begin = whole.index(b"\n") + 1

    for data in (*(whole[:end] for end in range(len(whole))), whole + b'{"sum":"', whole + b"\n"):
        journal.write_bytes(data)
        for mode in ("r", "w"):
            with pytest.raises(CorruptSessionError):
                found(repository, mode=mode)
        assert journal.read_bytes() == data
        [info] = list_sessions(repository)
        assert info.state == "damaged", f"{len(data)} of {len(whole)} bytes"

    journal.write_bytes(whole[:start])
    with pytest.raises(CorruptSessionError, match="ends at entry 3, and entry 5 was there"):
        found(repository)
    journal.write_bytes(whole[:begin])
    with pytest.raises(CorruptSessionError, match="ends at its header, and entry 5 was there"):
        found(repository)


def test_another_journal_than_the_one_that_was_closed_is_damage(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    before = journal.read_bytes()
    storage = repository.open("session")
    storage.compact(b"{}", expect=5)
    storage.close()
    [compacted] = journal.parent.glob("journal-*")
    compacted.unlink()
    journal.write_bytes(before)

    for mode in ("r", "w"):
        with pytest.raises(CorruptSessionError, match=f"not {compacted.name}, which held"):
            found(repository, mode=mode)
    [info] = list_sessions(repository)

    assert info.state == "damaged"
    assert journal.read_bytes() == before


def test_a_reader_ends_the_file_that_was_compacted_and_closed_meanwhile(tmp_path: Path) -> None:
    repository, _journal, _start = store(tmp_path)
    reader = repository.open("session", mode="r")
    entries = reader.read()
    assert next(entries) == FIRST[0]
    storage = repository.open("session")
    storage.compact(b"{}", expect=5)
    storage.close()

    assert list(entries) == [*FIRST[1:], *LAST]
    assert list(reader.read()) == [(6, b"{}")]
    reader.close()


def test_a_session_compacted_and_closed_while_it_is_opened_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, _journal, _start = store(tmp_path)

    def compact_first(*, within: int) -> End | None:
        monkeypatch.undo()  # once
        storage = repository.open("session")
        storage.compact(b"{}", expect=5)
        storage.close()
        return end_when_closed(within=within)

    monkeypatch.setattr(journal, "end_when_closed", compact_first)

    assert found(repository) == [(6, b"{}")]


def test_a_later_writer_takes_the_end_of_the_one_that_closed_back_first(tmp_path: Path) -> None:
    repository, journal, _start = store(tmp_path)
    reader = repository.open("session", mode="r")

    storage = repository.open("session")
    assert end_when_closed(str(journal.parent / "lock")) is None
    storage.append([b"6"], expect=5)
    assert list(reader.read(5)) == [(6, b"6")]
    storage.close()

    assert end_when_closed(str(journal.parent / "lock")) == End(
        journal.name, 6, journal.stat().st_size
    )
    reader.close()


def test_a_note_without_an_end_says_nothing_of_the_journal(tmp_path: Path) -> None:
    repository, journal, start = store(tmp_path)
    lock = journal.parent / "lock"
    note = json.loads(lock.read_bytes())
    del note["end"]
    lock.write_text(json.dumps(note))
    journal.write_bytes(journal.read_bytes()[:start])

    assert found(repository) == FIRST
