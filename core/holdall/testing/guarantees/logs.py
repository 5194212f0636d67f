"""Logs: they grow while a job runs, outlive a crash, and become blobs."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from holdall.contracts import Sweepable
from holdall.errors import PluginCallError
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.subject import RepositoryTests

if TYPE_CHECKING:
    from holdall.contracts import Storage
    from holdall.testing.guarantees.subject import RepositorySubject

NAMES = (
    "com.example::job/1",
    "com.example::job_1",
    "com.example::JOB/1",
    "../../etc/passwd",
    "..",
    "/",
    "",
    ".hidden",
    "with\nnewline and \0",
    "ünï",
    "a" * 300,
    "a" * 301,
)
"""Names of logs that a store might confuse, or take for paths."""


class LogGuarantees(RepositoryTests):
    """What was flushed is there, whatever happens to the one who wrote it."""

    def test_a_sealed_log_is_a_blob(self, subject: RepositorySubject) -> None:
        """G6: sealing returns the name of a blob that is there for all."""
        storage = subject.create()
        log = storage.open_log("job")
        log.write(b"one\n")
        log.flush()
        log.write(b"two\n")

        ref = log.seal()

        assert ref == "sha256:" + sha256(b"one\ntwo\n").hexdigest()
        assert read_blob(subject.reader(), ref) == b"one\ntwo\n"

    def test_a_log_tells_its_size(self, subject: RepositorySubject) -> None:
        """What still waits in memory counts too."""
        log = subject.create().open_log("job")
        sizes = [log.size]

        log.write(b"12345")
        sizes.append(log.size)
        log.flush()
        sizes.append(log.size)
        log.write(b"678")
        sizes.append(log.size)

        assert sizes == [0, 5, 5, 8]

    def test_a_log_that_was_left_is_gone_on_with(self, subject: RepositorySubject) -> None:
        """What was flushed outlives its writer; the next one appends to it."""
        storage = subject.create()
        log = storage.open_log("job")
        log.write(b"before, ")
        log.flush()
        storage.close()

        log = subject.writer().open_log("job")
        assert log.size == 8
        log.write(b"after")

        assert read_blob(subject.reader(), log.seal()) == b"before, after"

    def test_what_was_flushed_of_a_log_can_be_read(self, subject: RepositorySubject) -> None:
        """By others too, also when its writer is gone; what is sealed is no log any more."""
        storage = subject.create()
        log = storage.open_log("job")
        assert read_log(subject.reader(), "job") == b""
        log.write(b"one\n")
        log.flush()
        assert read_log(subject.reader(), "job") == b"one\n"
        log.write(b"two\n")
        log.flush()
        storage.close()

        assert read_log(subject.reader(), "job") == b"one\ntwo\n"
        again = subject.writer()
        again.open_log("job").seal()
        assert read_log(again, "job") == b""

    def test_a_log_that_never_was_reads_as_nothing(self, subject: RepositorySubject) -> None:
        """Whoever looks for what a crash left need not know whether it left anything."""
        storage = subject.create()

        assert [read_log(storage, name) for name in NAMES] == [b""] * len(NAMES)

    def test_a_log_can_be_sealed_under_the_name_of_other_bytes(
        self, subject: RepositorySubject
    ) -> None:
        """As a blob can be: for wrappers that change bytes."""
        storage = subject.create()
        plain = f"sha256:{sha256(b'plain').hexdigest()}"
        for data in (b"changed", b"otherwise"):
            log = storage.open_log("job")
            log.write(data)

            assert log.seal(ref=plain) == plain

        assert read_blob(subject.reader(), plain) == b"changed"

    def test_a_store_that_can_be_swept_lists_live_logs(self, subject: RepositorySubject) -> None:
        """By the names that they were opened by, until they end."""
        storage = subject.create()
        if not isinstance(storage, Sweepable):
            pytest.skip("the store is not Sweepable")
        logs = [storage.open_log(name) for name in (*NAMES, "sealed", "discarded")]
        for log in logs:
            log.write(b"data")
            log.flush()
        logs[-2].seal()
        logs[-1].discard()

        assert sorted(storage.logs()) == sorted(NAMES)

    @pytest.mark.parametrize("size", [0, 1, 1 << 16, (3 << 20) + 1])
    def test_a_log_of_any_size_is_kept_whole(self, subject: RepositorySubject, size: int) -> None:
        """However it was cut into writes."""
        storage = subject.create()
        log = storage.open_log("job")
        data = bytes(range(251)) * (size // 251 + 1)

        for start in range(0, size, 70_001):
            log.write(data[start : min(start + 70_001, size)])

        assert read_blob(subject.reader(), log.seal()) == data[:size]

    def test_logs_of_any_names_are_kept_apart(self, subject: RepositorySubject) -> None:
        """A name is only a name, whatever it looks like."""
        storage = subject.create()

        for name in NAMES:
            log = storage.open_log(name)
            log.write(name.encode())
            log.flush()

        refs = [storage.open_log(name).seal() for name in NAMES]
        assert [read_blob(storage, ref).decode() for ref in refs] == list(NAMES)

    @pytest.mark.parametrize("end", ["seal", "discard"])
    def test_a_log_that_ended_starts_anew(self, subject: RepositorySubject, end: str) -> None:
        """A second attempt at a job finds nothing of the first in its log."""
        storage = subject.create()
        log = storage.open_log("job")
        log.write(b"first")
        log.flush()
        getattr(log, end)()

        again = storage.open_log("job")

        assert again.size == 0
        again.write(b"second")
        assert read_blob(storage, again.seal()) == b"second"

    @pytest.mark.parametrize("end", ["seal", "discard"])
    def test_a_log_that_ended_takes_no_more(self, subject: RepositorySubject, end: str) -> None:
        """Bytes that would go nowhere are refused."""
        log = subject.create().open_log("job")
        log.write(b"first")
        getattr(log, end)()

        # The border to an installed store blames it for what only a caller's fault raises.
        with pytest.raises((ValueError, PluginCallError), match=r"sealed or discarded|closed"):
            log.write(b"lost")

    def test_logs_with_the_same_bytes_become_one_blob(self, subject: RepositorySubject) -> None:
        """Sealing what is stored already is no conflict."""
        storage = subject.create()
        refs = set()

        for name in ("one", "other"):
            log = storage.open_log(name)
            log.write(b"same")
            refs.add(log.seal())

        assert refs == {storage.put_blob([b"same"])}
        assert read_blob(subject.reader(), refs.pop()) == b"same"


def read_log(storage: Storage, name: str) -> bytes:
    """Return what was flushed of a live log."""
    with storage.read_log(name) as log:
        return log.read()
