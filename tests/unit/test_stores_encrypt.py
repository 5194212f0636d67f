"""What the wrapper that encrypts keeps secret, and what it refuses."""

from __future__ import annotations

import os
import pickle
import traceback
from base64 import b64encode, urlsafe_b64encode
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdall.errors import CorruptSessionError, StorageAccessError, StoreUrlError
from holdall.journal import Journal, SessionCreated, list_sessions, read_events
from holdall.stores import file_url, open_repository
from holdall_plugins.stores.encrypt import EncryptedRepository
from holdall_plugins.stores.encrypt.key import Key
from holdall_plugins.stores.encrypt.repository import Options
from holdall_plugins.stores.encrypt.source import KeySource
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.recoded.pieces import PIECE

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository, Storage

KEY = sha256(b"a key of the tests").hexdigest()
OTHER = sha256(b"another one").hexdigest()
SECRET = b"nobody reads this " * 10


def encrypted(inner: Repository, tmp_path: Path, key: str = KEY) -> EncryptedRepository:
    """Return *inner*, encrypted by a key in a file."""
    file = tmp_path / f"{key[:4]}.key"
    file.write_text(key)
    return EncryptedRepository(inner, KeySource("key_file", str(file)))


def stored(inner: MemoryRepository, session_id: str = "session") -> list[bytes]:
    """Return the entries of a session as they are stored, to be changed."""
    return inner._contents.sessions[session_id].entries


def replace_blob(inner: MemoryRepository, data: bytes, session_id: str = "session") -> None:
    """Put other bytes in the place of the only blob, and make the inner store content."""
    blobs = inner._contents.sessions[session_id].blobs
    [ref] = blobs
    blobs[ref] = f"sha256:{sha256(data).hexdigest()}", data


def blob_bytes(inner: MemoryRepository, session_id: str = "session") -> bytes:
    """Return the only blob as it is stored."""
    [(_digest, data)] = inner._contents.sessions[session_id].blobs.values()
    return data


def pieces_of(data: bytes) -> list[bytes]:
    """Return the front of a blob or log, and its pieces."""
    parts, data = [data[:31]], data[31:]
    while data:
        size = 8 + int.from_bytes(data[1:4], "big")
        parts.append(data[:size])
        data = data[size:]
    return parts


def read_blob(storage: Storage, ref: str) -> bytes:
    """Return all bytes of a blob."""
    with storage.open_blob(ref) as blob:
        return blob.read()


def test_nothing_on_the_disk_is_plain_names_of_blobs_and_logs_included(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    storage = encrypted(open_repository(file_url(lab)), tmp_path).create("session")
    storage.append([b'{"title":"nobody reads this"}'], expect=0)
    ref = storage.put_blob([SECRET])
    large = storage.put_blob([SECRET, os.urandom(2 << 20)])
    log = storage.open_log("nobody/reads this")
    log.write(SECRET)
    log.flush()

    files = [path for path in lab.rglob("*") if path.is_file()]
    names = " ".join(str(path.relative_to(lab)) for path in lab.rglob("*"))
    storage.close()

    assert len(files) >= 4
    assert not [path for path in files if b"nobody" in path.read_bytes()]
    assert "nobody" not in names
    assert ref.removeprefix("sha256:") not in names
    assert large.removeprefix("sha256:") not in names


def test_equal_bytes_have_other_names_and_other_bytes_in_each_session(tmp_path: Path) -> None:
    inner = MemoryRepository()
    repository = encrypted(inner, tmp_path)
    for name in ("one", "other"):
        storage = repository.create(name)
        storage.append([SECRET, SECRET], expect=0)
        storage.put_blob([SECRET])

    sessions = inner._contents.sessions
    entries = {entry for session in sessions.values() for entry in session.entries}
    refs = {ref for session in sessions.values() for ref in session.blobs}

    assert (len(entries), len(refs)) == (4, 2)


def test_each_byte_of_an_entry_is_looked_at(tmp_path: Path) -> None:
    inner = MemoryRepository()
    encrypted(inner, tmp_path).create("session").append([b"entry"], expect=0)
    [whole] = stored(inner)

    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0x04
        stored(inner)[0] = bytes(changed)
        reader = encrypted(inner, tmp_path).open("session", mode="r")
        with pytest.raises(CorruptSessionError, match="'session' is damaged at entry 1"):
            list(reader.read())


@pytest.mark.parametrize("size", [0, 1, 20, 66])
def test_an_entry_that_was_cut_is_damage(tmp_path: Path, size: int) -> None:
    inner = MemoryRepository()
    encrypted(inner, tmp_path).create("session").append([b"entry"], expect=0)
    stored(inner)[0] = stored(inner)[0][:size]

    with pytest.raises(CorruptSessionError):
        list(encrypted(inner, tmp_path).open("session", mode="r").read())


def test_entries_that_changed_places_are_told(tmp_path: Path) -> None:
    inner = MemoryRepository()
    encrypted(inner, tmp_path).create("session").append([b"one", b"two"], expect=0)
    stored(inner).reverse()

    with pytest.raises(CorruptSessionError, match="it was stored as entry 2"):
        list(encrypted(inner, tmp_path).open("session", mode="r").read())


def test_an_entry_of_another_session_is_refused(tmp_path: Path) -> None:
    inner = MemoryRepository()
    for name in ("one", "other"):
        encrypted(inner, tmp_path).create(name).append([b"entry"], expect=0)
    stored(inner, "one")[0] = stored(inner, "other")[0]

    with pytest.raises(CorruptSessionError, match="entry 1"):
        list(encrypted(inner, tmp_path).open("one", mode="r").read())


def test_an_entry_of_a_session_with_the_same_id_in_another_store_is_refused(
    tmp_path: Path,
) -> None:
    inner, elsewhere = MemoryRepository(), MemoryRepository()
    for each in (inner, elsewhere):
        encrypted(each, tmp_path).create("session").append([b"one", b"two"], expect=0)
    stored(inner)[1] = stored(elsewhere)[1]

    with pytest.raises(CorruptSessionError, match="of another session that had the same id"):
        list(encrypted(inner, tmp_path).open("session", mode="r").read())


def test_the_next_writer_and_a_compaction_keep_the_key_of_the_session(tmp_path: Path) -> None:
    inner = MemoryRepository()
    repository = encrypted(inner, tmp_path)
    with closing(repository.create("session")) as storage:
        storage.append([b"one"], expect=0)
    with closing(repository.open("session")) as storage:
        storage.append([b"two"], expect=1)
        storage.compact(b"snapshot", expect=2)
    with closing(repository.open("session")) as storage:
        storage.append([b"four"], expect=3)

    assert list(repository.open("session").read()) == [(3, b"snapshot"), (4, b"four")]


@pytest.mark.parametrize("size", [0, 5, PIECE, 3 * PIECE + 1, (1 << 20) + 5])
def test_pieces_of_a_blob_that_are_missing_swapped_or_doubled_are_told(
    tmp_path: Path, size: int
) -> None:
    inner = MemoryRepository()
    storage = encrypted(inner, tmp_path).create("session")
    ref = storage.put_blob([os.urandom(size)])
    whole = blob_bytes(inner)
    parts = pieces_of(whole)
    assert b"".join(parts) == whole
    wrong = [parts[:number] + parts[number + 1 :] for number in range(len(parts))]
    wrong += [[*parts[: number + 1], *parts[number:]] for number in range(len(parts))]
    wrong += [[*parts[:1], *reversed(parts[1:])]] * (len(parts) > 2)
    wrong += [[whole[:cut]] for cut in (0, 3, 30, 35, len(whole) - 1)] + [[whole, b"x"]]

    for each in wrong:
        replace_blob(inner, b"".join(each))
        with pytest.raises(CorruptSessionError, match=f"damaged at blob {ref}"):
            read_blob(storage, ref)


def test_each_byte_of_a_blob_is_looked_at(tmp_path: Path) -> None:
    inner = MemoryRepository()
    storage = encrypted(inner, tmp_path).create("session")
    ref = storage.put_blob([b"blob"])
    whole = blob_bytes(inner)

    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0x04
        replace_blob(inner, bytes(changed))
        with pytest.raises(CorruptSessionError):
            read_blob(storage, ref)


def test_a_blob_under_the_name_of_another_or_of_another_session_is_refused(
    tmp_path: Path,
) -> None:
    inner = MemoryRepository()
    repository = encrypted(inner, tmp_path)
    one, other = repository.create("one"), repository.create("other")
    ref = one.put_blob([b"one"])
    other.put_blob([b"one"])
    blobs = inner._contents.sessions["one"].blobs

    replace_blob(inner, blob_bytes(inner, "other"), "one")
    with pytest.raises(CorruptSessionError, match="not what was written"):
        read_blob(one, ref)

    blobs.clear()
    two = one.put_blob([b"two"])
    blobs[repository.codec("one").stored_ref(ref)] = blobs.popitem()[1]
    with pytest.raises(CorruptSessionError, match=f"its bytes are those of {two}"):
        read_blob(one, ref)


def test_a_log_that_is_cut_anywhere_is_read_and_gone_on_with(tmp_path: Path) -> None:
    inner = MemoryRepository()
    repository = encrypted(inner, tmp_path)
    storage = repository.create("session")
    log = storage.open_log("job")
    for text in (b"one, ", b"two, ", b"three, "):
        log.write(text)
        log.flush()
    logs = inner._contents.sessions["session"].logs
    [name] = logs
    whole = bytes(logs[name])
    ends = [sum(map(len, pieces_of(whole)[:count])) for count in (3, 4, 5)]

    for cut in range(len(whole) + 1):
        logs[name] = bytearray(whole[:cut])
        due = b"".join(
            text
            for end, text in zip(ends, (b"one, ", b"two, ", b"three, "), strict=True)
            if cut >= end
        )
        with storage.read_log("job") as left:
            assert left.read() == due
        again = storage.open_log("job")
        assert again.size == len(due)
        more = b"at %d" % cut  # so that each is a blob of its own
        again.write(more)
        ref = again.seal()
        assert ref == f"sha256:{sha256(due + more).hexdigest()}"
        assert read_blob(storage, ref) == due + more


def test_a_log_that_is_cut_while_it_is_gone_on_with_is_gone_on_with_again(tmp_path: Path) -> None:
    inner = MemoryRepository()
    storage = encrypted(inner, tmp_path).create("session")
    log = storage.open_log("job")
    log.write(b"kept")
    log.flush()
    log.write(b"lost" * 9)
    log.flush()
    logs = inner._contents.sessions["session"].logs
    [name] = logs
    torn = bytes(logs[name][:-7])
    logs[name] = bytearray(torn)
    storage.open_log("job")
    resumed = bytes(logs[name])

    for cut in range(len(torn), len(resumed)):
        logs[name] = bytearray(resumed[:cut])
        if cut == len(torn) + 7:
            continue  # the bytes of a piece that is whole and wrong: damage, as far as one can see
        with storage.read_log("job") as left:
            assert left.read() == b"kept"
        again = storage.open_log("job")
        again.write(b" at %d" % cut)
        assert read_blob(storage, again.seal()) == b"kept at %d" % cut


def test_a_byte_of_a_live_log_that_changed_is_told(tmp_path: Path) -> None:
    inner = MemoryRepository()
    storage = encrypted(inner, tmp_path).create("session")
    log = storage.open_log("job")
    log.write(b"printed")
    log.flush()
    [data] = inner._contents.sessions["session"].logs.values()

    for position in range(len(data)):
        data[position] ^= 0x04
        with pytest.raises(CorruptSessionError, match="damaged at log 'job'"):
            storage.read_log("job").read()
        data[position] ^= 0x04


def test_logs_that_changed_names_are_told(tmp_path: Path) -> None:
    inner = MemoryRepository()
    storage = encrypted(inner, tmp_path).create("session")
    for name in ("one", "other"):
        log = storage.open_log(name)
        log.write(name.encode())
        log.flush()
    logs = inner._contents.sessions["session"].logs
    first, second = logs
    logs[first], logs[second] = logs[second], logs[first]

    with pytest.raises(CorruptSessionError, match="it is the log 'other'"):
        storage.read_log("one").read()


def test_a_wrong_key_is_one_clear_error_and_no_damage(tmp_path: Path) -> None:
    inner = MemoryRepository()
    storage = encrypted(inner, tmp_path).create("session")
    storage.append([b"entry"], expect=0)
    ref = storage.put_blob([SECRET])
    storage.close()
    reader = encrypted(inner, tmp_path, OTHER).open("session", mode="r")
    writer = encrypted(inner, tmp_path, OTHER).open("session")
    ids = Key(bytes.fromhex(KEY)).id.hex(), Key(bytes.fromhex(OTHER)).id.hex()
    due = f"encrypted with the key {ids[0]}, and this is the key {ids[1]}"

    for step in (
        lambda: list(reader.read()),
        lambda: writer.append([b"more"], expect=1),
        lambda: writer.compact(b"snapshot", expect=1),
        lambda: writer.put_blob([b"more"]),
        lambda: writer.open_log("job"),
    ):
        with pytest.raises(StorageAccessError, match=due):
            step()
    with pytest.raises(CorruptSessionError):  # the key makes its name, too
        reader.open_blob(ref)
    assert len(stored(inner)) == 1


def test_a_listing_with_a_wrong_key_says_so_of_each_session(tmp_path: Path) -> None:
    files = open_repository(file_url(tmp_path / "lab"))
    journal = Journal.begin(encrypted(files, tmp_path).create("session"))
    journal.append([SessionCreated(at=1.0, session_id="session", title="Title")])
    journal.close()

    [right] = list_sessions(encrypted(files, tmp_path))
    [wrong] = list_sessions(encrypted(files, tmp_path, OTHER))
    [without] = list_sessions(files)

    assert (right.state, right.title) == ("new", "Title")
    assert (wrong.state, wrong.title) == ("unreadable", "")
    assert "give the other one" in wrong.reason
    assert "a wrapper stored entry 1; put its name, encrypt:: or compress::" in without.reason


def test_a_session_without_encryption_is_refused(tmp_path: Path) -> None:
    inner = MemoryRepository()
    journal = Journal.begin(inner.create("session"))
    journal.append([SessionCreated(at=1.0, session_id="session", title="Title")])
    journal.close()

    storage = encrypted(inner, tmp_path).open("session")
    with pytest.raises(CorruptSessionError, match="it was not encrypted; read it without"):
        list(read_events(storage))
    with pytest.raises(CorruptSessionError, match="it was not encrypted"):
        storage.append([b"entry"], expect=2)


def test_names_of_blobs_lead_back_to_their_digests() -> None:
    names = Key(bytes.fromhex(KEY)).names("session")
    refs = [f"sha256:{sha256(b'%d' % number).hexdigest()}" for number in range(200)]

    keyed = [names.stored_ref(ref) for ref in refs]

    assert [names.plain_ref(name) for name in keyed] == refs
    assert len({*keyed, *refs}) == 400
    assert Key(bytes.fromhex(OTHER)).names("session").stored_ref(refs[0]) not in keyed


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        KEY.upper(),
        f" {KEY}\n",
        b64encode(bytes.fromhex(KEY)).decode(),
        urlsafe_b64encode(bytes.fromhex(KEY)).decode(),
        b64encode(bytes.fromhex(KEY)).decode().rstrip("="),
    ],
)
def test_a_key_is_hexadecimal_or_base64(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)

    assert KeySource("key_file", str(file)).read() == bytes.fromhex(KEY)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it gives nothing"),
        (" \n", "it gives nothing"),
        (
            "correct horse battery staple",
            "it gives 28 bytes that are no key.*openssl rand -hex 32",
        ),
        (KEY[:-2], "62 bytes that are no key"),
        (KEY + "00", "66 bytes that are no key"),
        ("0" * 64, "not random"),
        ("ab" * 32, "not random"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    repository = EncryptedRepository(MemoryRepository(), KeySource("key_file", str(file)))

    with pytest.raises(StorageAccessError, match=reason) as caught:
        repository.create("session")

    assert str(file) in str(caught.value)
    assert not text.strip() or text not in str(caught.value)
    assert list(repository.inner.ids()) == []


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("key_file", "/nowhere/key", "the file '/nowhere/key': No such file"),
        ("key_file", "/", "the file '/': Is a directory"),
        ("key_file", "a\0b", "the file"),
        ("key_env", "HOLDALL_NO_SUCH", "the variable 'HOLDALL_NO_SUCH': it is not set"),
        ("key_command", "no-such-program", "can't be started: No such file"),
        ("key_command", "half 'a quote", "can't be started: No closing quotation"),
        ("key_command", "false", "the command 'false': it failed with 1"),
        ("key_command", "true", "the command 'true': it gives nothing"),
        ("key_command", "yes", "prints more than 4096 bytes"),
        ("key_command", "sh -c 'sleep 600 & wait'", r"did not end within 0\.2 seconds"),
    ],
)
def test_a_key_that_is_not_there_is_told_with_its_place(
    kind: str, value: str, reason: str
) -> None:
    source = KeySource(kind, value, timeout_s=0.2 if "sleep" in value else 30)
    repository = EncryptedRepository(MemoryRepository(), source)

    with pytest.raises(StorageAccessError, match=reason):
        repository.open("session")


def test_a_key_is_read_once_and_only_when_it_is_needed(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = f"sh -c 'echo x >> {count}; echo {KEY}'"
    repository = EncryptedRepository(MemoryRepository(), KeySource("key_command", program))
    assert list(repository.ids()) == []
    assert not count.exists()

    repository.create("one").close()
    repository.open("one").close()
    repository.remove("one")

    assert count.read_text() == "x\n"


def test_no_message_and_no_file_has_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    lab = tmp_path / "lab"
    repository = open_repository(f"encrypt?key_env=LAB_KEY::{file_url(lab)}")
    journal = Journal.begin(repository.create("session"))
    journal.append([SessionCreated(at=1.0, session_id="session", title="Title")])
    journal.close()
    monkeypatch.setenv("LAB_KEY", OTHER)
    shown = [repository.url, repr(repository), repr(Key(bytes.fromhex(KEY)))]
    try:
        list(open_repository(repository.url).open("session", mode="r").read())
    except StorageAccessError as error:
        shown += [*traceback.format_exception(error), repr(error), repr(pickle.dumps(error))]

    assert repository.url == f"encrypt?key_env=LAB_KEY::{file_url(lab)}"
    files = [path for path in lab.rglob("*") if path.is_file()]
    assert len(shown) > 5
    for form in (KEY, OTHER, str(bytes.fromhex(KEY)), str(bytes.fromhex(OTHER))):
        assert form not in "\n".join(shown)
        assert not [path for path in files if form.encode() in path.read_bytes()]
    with pytest.raises(TypeError, match="a key is not pickled"):
        pickle.dumps(Key(bytes.fromhex(KEY)))


@pytest.mark.parametrize(
    "url",
    [
        "encrypt",
        "encrypt?key_file=",
        "encrypt?key_file=/a&key_env=B",
        f"encrypt?key={KEY}",
        "encrypt?kee_file=/a",
        "encryption?key_file=/a",
    ],
)
def test_a_url_names_one_place_of_the_key_and_never_the_key(url: str) -> None:
    with pytest.raises(StoreUrlError, match=r"write encrypt\?KEY::URL") as caught:
        EncryptedRepository.from_url(url, MemoryRepository())

    assert KEY not in str(caught.value)


@pytest.mark.parametrize("value", ["/a b/%&=?::x", "pass show 'lab key'"])
def test_its_url_opens_it_again_whatever_names_the_key(value: str) -> None:
    kind = "key_command" if " show " in value else "key_file"
    inner = MemoryRepository.from_url("memory://keys")
    repository = EncryptedRepository(inner, KeySource(kind, value))

    again = open_repository(repository.url)

    assert again.url == repository.url
    assert getattr(again, "inner")._source == KeySource(kind, value)  # noqa: B009 - of any kind


def test_the_place_of_the_key_can_be_a_setting(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    options = Options(key_file=str(tmp_path / "key"))
    repository = EncryptedRepository.from_url("encrypt", MemoryRepository(), options=options)

    assert repository.url == "encrypt::memory://"
    repository.create("session").close()
    in_url = EncryptedRepository.from_url(
        "encrypt?key_env=LAB", MemoryRepository(), options=options
    )
    assert in_url.url == "encrypt?key_env=LAB::memory://"


def test_an_entry_is_what_the_documentation_says(tmp_path: Path) -> None:
    inner = MemoryRepository()
    encrypted(inner, tmp_path).create("session").append([b"entry"], expect=0)
    [data] = stored(inner)
    head, nonce, sealed = data[:39], data[39:51], data[51:]
    mark, key_id, salt, number = head[:3], head[3:11], head[11:27], head[27:35]
    info = b"holdall encrypt 1 entries: session"

    key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(bytes.fromhex(KEY))

    assert (mark, int.from_bytes(number)) == (b"\0E1", 1)
    assert key_id == Key(bytes.fromhex(KEY)).id
    assert int.from_bytes(head[35:]) == crc32(head[:35])
    assert AESGCM(key).decrypt(nonce, sealed, head + b"session") == b"entry"
    assert len(data) - len(b"entry") == 67
