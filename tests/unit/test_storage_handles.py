"""The handle of an open session: what it refuses, and how it says why."""

from __future__ import annotations

import pytest

from holdall.errors import FailedStorageError, StorageAccessError
from holdall.stores import Handle
from holdall_plugins.stores.memory import MemoryRepository

WHERE = "acme://db/lab"


def handle() -> Handle:
    return Handle("s1", WHERE, "w", MemoryRepository())


def test_a_failed_handle_says_what_happened_and_where_once() -> None:
    refused = StorageAccessError(WHERE, "append entries to", "the connection was lost")

    failed = handle().fail(refused)

    assert str(refused) == f"cannot append entries to {WHERE}: the connection was lost"
    assert str(failed) == (
        f"cannot go on with the session 's1' of {WHERE}: could not append entries to it: the "
        "connection was lost; what was acknowledged is safe, open the session again"
    )


def test_a_failed_handle_says_the_same_from_then_on() -> None:
    used = handle()
    failed = used.fail(StorageAccessError(WHERE, "append entries to", "the connection was lost"))

    with pytest.raises(FailedStorageError) as later, used.writing("append entries"):
        pass

    assert str(later.value) == str(failed)


def test_a_failed_handle_keeps_a_location_that_is_another_one() -> None:
    failed = handle().fail(StorageAccessError(f"{WHERE}/blobs", "write to", "no such table"))

    assert failed.reason == f"cannot write to {WHERE}/blobs: no such table"
