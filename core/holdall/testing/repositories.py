"""The contract of repositories, as tests that every store and wrapper must pass."""

from __future__ import annotations

from holdall.testing.guarantees.blobs import BlobGuarantees
from holdall.testing.guarantees.entries import EntryGuarantees
from holdall.testing.guarantees.logs import LogGuarantees
from holdall.testing.guarantees.readers import ReaderGuarantees
from holdall.testing.guarantees.sessions import SessionGuarantees
from holdall.testing.guarantees.writers import WriterGuarantees


class RepositoryContract(
    EntryGuarantees,
    ReaderGuarantees,
    WriterGuarantees,
    BlobGuarantees,
    LogGuarantees,
    SessionGuarantees,
):
    """A repository keeps what it promises.

    Give an empty repository as a fixture; that is all a store has to do:

        class TestRedisRepository(RepositoryContract):
            @pytest.fixture
            def repository(self, redis_url):
                return RedisRepository(redis_url)

    Two hooks find more, where a store can be looked at from outside: `reopen`
    gives a second repository on the same place, so that what is written by one
    object is read by another; `damage` changes a byte of what a session stored.
    The numbers in the tests' docstrings are those of the guarantees in
    `holdall.contracts`; what needs a crash or a power cut is not tested here.
    """
