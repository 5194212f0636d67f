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

    Give an empty repository as a fixture; that is all a store has to do:

        class TestRedisRepository(RepositoryContract):
            @pytest.fixture
            def repository(self, redis_url):
                return RedisRepository(redis_url)

    Two hooks make more tests possible, where a store can be inspected from outside: `reopen`
    gives a second repository at the same location, so that what is written by one
    object is read by another; `damage` changes a byte of what a session stored.

    The tests' docstrings name the guarantee that they are about:

    G1   a batch is entirely there or entirely absent
    G2   what is there is a prefix of what was appended, and holds all acknowledged
    G3   entries are numbered without gaps; no number is given twice
    G4   after a take-over nothing of the old writer is accepted
    G5   readers see a prefix, and hold no lock between two entries
    G6   a blob that has a name is as durable as the entry that will hold it
    G8   a flipped, missing or doubled byte is reported, never returned as data
    G9   repeating an operation after an unclear failure is safe
    G10  after `remove` nothing can be read
    G11  a damaged session never hinders listing, opening or removing others

    What takes a crash, a power cut or a failing disk is not tested here: G1, G2
    and G10 across a crash, G7 (bounded recovery) and G12 (no failed step is
    reported as done).
    """
