"""URLs of buckets, errors that say what to do, and what a bucket holds after a session."""

from __future__ import annotations

import contextlib
import sys
import tracemalloc
from subprocess import run
from typing import TYPE_CHECKING

import pytest
from tests.servers.s3 import proxy, server

from holdall import open_repository
from holdall.errors import StorageAccessError, StoreUrlError, UnknownSessionError
from holdall.registry import Registry
from holdall.testing.crash import Child
from holdall_plugins.stores.objects import AzRepository, GsRepository, S3Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.crash import Link


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://", "write s3://BUCKET/PREFIX"),
        ("s3:///prefix", "write s3://BUCKET/PREFIX"),
        ("s3://key:secret@bucket/prefix", "write s3://BUCKET/PREFIX"),
        ("s3://bucket/a/../b", "a part that is empty, '.' or '..'"),
        ("s3://bucket?regoin=eu", "there is no option 'regoin'; did you mean 'region'"),
        ("s3://bucket?access_key_id=x", "there is no option 'access_key_id'"),
        ("s3://bucket?endpoint=http://host", "add allow_http=1"),
        ("s3://bucket?allow_http=maybe", "the option 'allow_http' is 1 or 0"),
        ("s3://bucket?retry_s=0", "a number of seconds up to 240"),
        ("s3://bucket?retry_s=long", "a number of seconds up to 240"),
    ],
)
def test_a_url_that_names_no_bucket_says_what_to_write(url: str, reason: str) -> None:
    with pytest.raises(StoreUrlError) as caught:
        S3Repository.from_url(url)

    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", [S3Repository, GsRepository, AzRepository])
def test_a_url_opens_the_same_repository_again(kind: type[S3Repository]) -> None:
    url = f"{kind.scheme}://bucket/a%20prefix/b?retry_s=5&endpoint=https://host:1/x"

    assert kind.from_url(kind.from_url(url).url).url == kind.from_url(url).url
    assert kind.from_url(url).url.startswith(f"{kind.scheme}://bucket/a%20prefix/b?")


def test_credentials_of_the_settings_are_in_no_text() -> None:
    options = S3Repository.Options(access_key_id="known", secret_access_key="hidden")  # noqa: S106 - none

    repository = S3Repository.from_url("s3://bucket/prefix?region=eu", options=options)

    assert repository.url == "s3://bucket/prefix?region=eu"
    assert "hidden" not in repr(vars(repository))


def test_a_bucket_that_is_not_there_is_named() -> None:
    repository = open_repository(server().url(bucket="nowhere", query="retry_s=1"))

    for use in (repository.create, lambda _id: list(repository.ids()), repository.open):
        with pytest.raises(StorageAccessError, match="there is no bucket 'nowhere'; create it"):
            use("session")


def test_a_server_that_is_not_there_is_named() -> None:
    repository = open_repository(
        "s3://bucket?endpoint=http://127.0.0.1:1&allow_http=1&retry_s=0.3"
    )

    with pytest.raises(StorageAccessError, match=r"can't be reached .*; check endpoint="):
        repository.create("session")


def test_the_client_is_imported_when_a_bucket_is_asked_for() -> None:
    code = (
        "import sys; from holdall import open_repository; open_repository('s3://bucket/prefix'); "
        "sys.exit('obstore' in sys.modules)"
    )

    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_client_is_said_by_its_extra() -> None:
    [candidate] = [
        each for each in Registry.discover().candidates("repositories") if each.identity.id == "s3"
    ]
    assert "s3" in str(candidate.extras)


def test_a_child_of_a_fork_opens_buckets_of_its_own() -> None:
    repository = S3Repository.from_url(server().url())
    inherited = repository.create("inherited")

    def work(link: Link) -> None:
        with contextlib.closing(repository.create("made by the child")) as storage:
            link.acknowledge(storage.append([b"entry"], expect=0))
        inherited.close()

    with Child(work) as child:
        assert child.lines() == ["1"], child.errors

    assert inherited.append([b"entry"], expect=0) == 1
    inherited.close()
    assert set(repository.ids()) == {"inherited", "made by the child"}


def test_many_batches_are_one_object_behind_a_close() -> None:
    repository = S3Repository.from_url(server().url())
    entries = [b"entry %d" % number for number in range(40)]
    with contextlib.closing(repository.create("session", first=7)) as storage:
        for number, entry in enumerate(entries):
            storage.append([entry], expect=6 + number)

    place, _first = repository._place_of("session")

    assert len(list(repository._bucket.list(place.journal, "count"))) == 1
    reader = repository.open("session", mode="r")
    assert list(reader.read()) == list(enumerate(entries, start=7))
    assert list(reader.read(44)) == [(45, entries[38]), (46, entries[39])]
    [ends] = repository.summaries()
    assert ends == ("session", entries[0], tuple(entries[-2:]), True)
    with contextlib.closing(repository.open("session")) as storage:
        assert storage.append([b"more"], expect=46) == 47
        assert storage.append([b"most"], expect=47) == 48
    [ends] = repository.summaries()
    assert ends == ("session", entries[0], (b"more", b"most"), True)


def test_an_append_is_one_request() -> None:
    with proxy() as between:
        storage = S3Repository.from_url(between.url()).create("session")
        storage.append([b"first"], expect=0)
        between.requests.clear()

        for number in range(1, 6):
            storage.append([b"entry"], expect=number)

        assert [request.method for request in between.requests] == ["PUT"] * 5
        storage.close()


def test_a_removed_session_leaves_no_object() -> None:
    repository = S3Repository.from_url(server().url())
    with contextlib.closing(repository.create("session")) as storage:
        storage.append([b"entry"], expect=0)
        storage.put_blob(b"x" * (1 << 20) for _ in range(9))
        log = storage.open_log("job")
        log.write(b"line")
        log.flush()

    repository.remove("session")

    bucket = repository._bucket
    assert [
        o.key for f in ("sessions", "data", "trash", "probe") for o in bucket.list(f, "")
    ] == []
    with pytest.raises(UnknownSessionError):
        repository.remove("session")


def test_a_large_blob_takes_little_memory() -> None:
    repository = S3Repository.from_url(server().url())
    chunk = b"x" * (1 << 20)

    def chunks() -> Iterator[bytes]:
        yield from (chunk for _ in range(40))

    with contextlib.closing(repository.create("session")) as storage:
        tracemalloc.start()
        ref = storage.put_blob(chunks())
        with storage.open_blob(ref) as blob:
            while blob.read(1 << 20):
                pass
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 24 << 20


def test_flushes_leave_few_pieces_of_a_log() -> None:
    repository = S3Repository.from_url(server().url())
    with contextlib.closing(repository.create("session")) as storage:
        log = storage.open_log("job")
        for number in range(100):
            log.write(b"line %d\n" % number)
            log.flush()

        place, _first = repository._place_of("session")
        pieces = list(repository._bucket.list(place.log("job"), "count"))
        assert len(pieces) < 12
        with storage.read_log("job") as file:
            assert file.read() == b"".join(b"line %d\n" % number for number in range(100))
