"""What the wrapper that compresses saves, and how it tells damage."""

from __future__ import annotations

import os
import tracemalloc
from hashlib import sha256

import pytest
from backports import zstd

from holdall.errors import CorruptSessionError, StoreUrlError
from holdall.journal import Journal, SessionCreated, read_events
from holdall.stores import open_repository
from holdall_plugins.stores.compress import CompressedRepository, repository, zstandard
from holdall_plugins.stores.memory import MemoryRepository

EVENT = (
    b'{"n":44,"epoch":1,"sum":"b45f869e","event":{"type":"result","at":1795685785.579,'
    b'"device":"dut-1","job_id":"com.example::job/44","result":{"outcome":"pass",'
    b'"return_code":0,"execution_duration":5.5}}}'
)
HOSTILE = (b"", b"\0", b"\0Z", b"\0=", b"\0=\0Z", b"\0E1", b"{}", b"Z" * 5000, os.urandom(5000))


def stored(inner: MemoryRepository) -> list[bytes]:
    """Return the entries of the session as they are stored, to be changed."""
    return inner._contents.sessions["session"].entries


def test_a_small_entry_shrinks_to_less_than_half_by_the_dictionary() -> None:
    inner = MemoryRepository()
    CompressedRepository(inner).create("session").append([EVENT], expect=0)

    alone = zstd.compress(EVENT)

    assert len(stored(inner)[0]) < len(EVENT) / 2 < len(alone)


def test_an_entry_that_does_not_shrink_is_stored_as_it_is() -> None:
    inner = MemoryRepository()
    data = os.urandom(1000).replace(b"\0", b"\1")
    CompressedRepository(inner).create("session").append([b"{}", data], expect=0)

    assert stored(inner) == [b"{}", data]


def test_entries_that_look_like_compressed_ones_are_kept() -> None:
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    storage.append(HOSTILE, expect=0)

    assert [entry for _number, entry in storage.read()] == list(HOSTILE)


def test_it_reads_sessions_that_were_stored_before_it() -> None:
    inner = MemoryRepository()
    journal = Journal.begin(inner.create("session"))
    journal.append([SessionCreated(at=1.0, session_id="session", title="Title")])
    journal.close()

    events = list(read_events(CompressedRepository(inner).open("session", mode="r")))

    assert [type(event) for event in events] == [SessionCreated]


def test_each_byte_of_an_entry_that_changed_is_told() -> None:
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    storage.append([EVENT], expect=0)
    [whole] = stored(inner)

    for position in range(1, len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0x04
        stored(inner)[0] = bytes(changed)
        with pytest.raises(CorruptSessionError, match="damaged at entry 1"):
            list(storage.read())


@pytest.mark.parametrize("cut", [2, 10, -1])
def test_an_entry_that_was_cut_or_has_more_behind_it_is_told(cut: int) -> None:
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    storage.append([EVENT, EVENT], expect=0)
    one, two = stored(inner)
    stored(inner)[:] = [one[:cut], two]
    with pytest.raises(CorruptSessionError, match="entry 1"):
        list(storage.read())

    stored(inner)[:] = [one, two + b"x"]
    with pytest.raises(CorruptSessionError, match=r"entry 2: .*something follows it"):
        list(storage.read())


def test_a_few_bytes_never_unpack_to_many() -> None:
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    bomb = zstd.compress(bytes(1 << 26))
    assert len(bomb) < 10_000
    storage.append([EVENT], expect=0)
    stored(inner)[0] = b"\0Z" + bomb

    tracemalloc.start()
    with pytest.raises(CorruptSessionError, match="it unpacks to more than 16777216 bytes"):
        list(storage.read())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 << 24


def test_an_entry_that_would_be_refused_as_too_much_is_stored_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zstandard, "_FREE", 1 << 10)
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    storage.append([b"x" * 100_000], expect=0)

    assert stored(inner) == [b"x" * 100_000]
    assert [entry for _number, entry in storage.read()] == [b"x" * 100_000]


def test_a_frame_can_not_ask_for_much_memory() -> None:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    packer = zstd.ZstdCompressor(options=options)
    frame = packer.compress(b"x" * 1000) + packer.flush()

    with pytest.raises(ValueError, match="can't be unpacked"):
        zstandard.decompressed(frame, 2000)


def test_a_dictionary_that_is_not_here_is_told() -> None:
    content = zstandard._dictionary(zstandard.LATEST).dict_content
    other = content[:4] + (40_000).to_bytes(4, "little") + content[8:]
    frame = zstd.compress(EVENT, zstd_dict=zstd.ZstdDict(other))

    with pytest.raises(ValueError, match="the dictionary 40000, which this holdall does not have"):
        zstandard.decompressed(frame, 2000)


def test_the_dictionary_that_was_shipped_stays_as_it_is() -> None:
    content = zstandard._dictionary(32_769).dict_content

    assert sha256(content).hexdigest() == (
        "84e638acd75c41e19829a75e51be44698b3f5ee8b7641c7f3945e7e36f2b6c28"
    )


def test_blobs_and_logs_shrink_piece_by_piece() -> None:
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    text = b"".join(b"%d: the line of a log\n" % number for number in range(100_000))
    ref = storage.put_blob([text])
    log = storage.open_log("job")
    log.write(text)

    assert log.seal() == ref
    [(_digest, data)] = inner._contents.sessions["session"].blobs.values()
    assert len(data) < len(text) / 4
    with storage.open_blob(ref) as blob:
        assert blob.read() == text


def test_each_byte_of_a_blob_that_changed_is_told() -> None:
    inner = MemoryRepository()
    storage = CompressedRepository(inner).create("session")
    ref = storage.put_blob([b"blob, blob, blob, blob, blob, blob, blob"])
    blobs = inner._contents.sessions["session"].blobs
    whole = blobs[ref][1]

    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0x04
        blobs[ref] = f"sha256:{sha256(changed).hexdigest()}", bytes(changed)
        with pytest.raises(CorruptSessionError), storage.open_blob(ref) as blob:
            blob.read()


@pytest.mark.parametrize("level", ["0", "20", "-1", "x", "", "1.5", "٣"])
def test_a_level_is_one_of_zstandards(level: str) -> None:
    with pytest.raises(StoreUrlError, match="a number from 1 to 19"):
        CompressedRepository.from_url(f"compress?level={level}", MemoryRepository())


def test_the_level_can_be_a_setting() -> None:
    options = repository.Options(level=19)
    inner = open_repository("memory://levels")

    assert CompressedRepository.from_url("compress", inner, options=options)._level == 19
    in_url = CompressedRepository.from_url("compress?level=2", inner, options=options)
    assert (in_url._level, in_url.url) == (2, "compress?level=2::memory://levels")
    with pytest.raises(StoreUrlError, match="a number from 1 to 19"):
        CompressedRepository.from_url("compress", inner, options=repository.Options(level=99))
