"""The contract of repositories, as tests that every store and wrapper must pass."""

from __future__ import annotations

from holdall.testing.guarantees.blobs import BlobGuarantees
from holdall.testing.guarantees.devices import DeviceGuarantees
from holdall.testing.guarantees.entries import EntryGuarantees
from holdall.testing.guarantees.logs import LogGuarantees
from holdall.testing.guarantees.processes import ProcessGuarantees
from holdall.testing.guarantees.readers import ReaderGuarantees
from holdall.testing.guarantees.sessions import SessionGuarantees
from holdall.testing.guarantees.threads import ThreadGuarantees
from holdall.testing.guarantees.writers import WriterGuarantees


class RepositoryContract(
    EntryGuarantees,
    ReaderGuarantees,
    WriterGuarantees,
    BlobGuarantees,
    LogGuarantees,
    SessionGuarantees,
    ThreadGuarantees,
    ProcessGuarantees,
    DeviceGuarantees,
):
    """A repository keeps what it promises.

    Give an empty repository as a fixture; that is all a store has to do::

        class TestRedisRepository(RepositoryContract):
            @pytest.fixture
            def repository(self, redis_url):
                return RedisRepository(redis_url)

    Hooks and class attributes say what a store can do: `reopen` gives a second repository at
    the same location, so that what is written by one object is read by another; `damage`
    changes a byte of what a session stored; `processes` and `durable` say whether other
    processes see the store, and whether it outlives its own.

    The tests' docstrings name the guarantee that they are about; `GUARANTEES` of
    `holdall.testing.checks.repositories.promises` has them all, and docs/reference/stores.md
    how each is tested.
    """
