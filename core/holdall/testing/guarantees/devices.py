"""Devices: what was acknowledged is synced, and a step that failed is never acknowledged.

System calls are traced with strace, which is on Linux alone; without it these
tests are skipped, and say so.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.errors import HoldallError, StorageError
from holdall.testing.crash import CHANGES, SYNCS, Child, Trace, TracingUnavailable
from holdall.testing.guarantees.blobs import read_blob
from holdall.testing.guarantees.connections import FAULTS, is_answered, unanswered
from holdall.testing.guarantees.subject import RepositoryTests, files_at, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import Repository, Storage
    from holdall.testing.crash import Call, Link

BLOB = b"".join(sha256(b"%d" % number).digest() for number in range(3000))
"""Bytes that can't be compressed, so that they are recognised where they are stored."""

MIB = 1 << 20
MOST_FAULTS = 12
MOST_EXCHANGES = 100


class DeviceGuarantees(RepositoryTests):
    """Between an acknowledgement and a power cut is a system call."""

    def test_every_durable_step_is_synced(self, repository: Repository) -> None:
        """G2, G6, G12: each step syncs a file after it changed one, or waits for an answer."""
        self.needs_durability()

        steps = _by_step(self.traced(partial(_durable_steps, repository)))

        assert list(steps) == ["create", "append", "append again", "put_blob", "seal", "compact"]
        assert [name for name, calls in steps.items() if unanswered(calls)] == []
        late = [name for name, calls in steps.items() if not is_answered(calls)]
        assert [name for name in late if not _is_synced(steps[name])] == []

    def test_a_repeat_at_system_makes_durable_what_waited(self, repository: Repository) -> None:
        """G2, G9: what was appended at `process` is synced when its repetition returns."""
        self.needs_durability()

        steps = _by_step(self.traced(partial(_repeat_at_system, repository)))

        calls = [*steps["append"], *steps["repeat"]]
        assert unanswered(calls) == []
        assert is_answered(calls) or _is_synced(calls)

    def test_opening_for_reading_changes_no_file(self, repository: Repository) -> None:
        """A reader leaves everything as it is, to the byte and to the moment."""
        self.needs_durability()
        with contextlib.closing(repository.create("session")) as storage:
            storage.append(numbered(3), expect=0)
            location = Path(storage.where)
        before = _tree(location)

        _read_all(self.reopen(repository))

        assert _tree(location) == before
        calls = self.traced(partial(_read_marked, self, repository))
        behind = _by_step(calls)["read"]
        assert [call.text for call in behind if call.is_change] == []

    def test_a_sync_that_fails_is_never_acknowledged(self, repository: Repository) -> None:
        """G12: the step raises, and after it the handle takes no more; or a server is asked."""
        self.needs_durability()
        for number in count(1):
            session_id = f"session {number}"
            with contextlib.closing(repository.create(session_id)) as storage:
                storage.append(numbered(1), expect=0)
            inject = f"inject={','.join(SYNCS)}:error=EIO:when={number}"
            work = partial(_append_twice, self, repository, session_id)
            calls = self.traced(work, "-e", inject)

            said = [call.path for call in calls if call.name == "mark"]
            failed = [call for call in calls if call.is_failed_on_purpose]
            with contextlib.closing(self.reopen(repository).open(session_id)) as storage:
                stored = len(list(storage.read()))
            assert stored >= 1 + said.count("stored")
            if not failed:
                assert said == ["append", "stored", "stored"]
                if number == 1:
                    self.loses_connections(repository, calls)
                return
            # A folder whose sync fails holds its old names or the new ones, and some
            # engines do not ask; what counts is that no entry is said to be stored.
            behind = [call.path for call in calls[calls.index(failed[0]) :] if call.name == "mark"]
            if not Path(failed[0].path).is_dir():
                assert set(behind) == {"refused"}
            assert number < 2 * MOST_FAULTS

    def loses_connections(self, repository: Repository, calls: list[Call]) -> None:
        """Check a store on a server: what it acknowledges is there, whichever call fails."""
        assert any(call.is_sent for call in calls), (
            "nothing was synced, and nothing was seen to be sent to a server; a trace does not "
            "see what goes over TLS, so test the store at a server without it"
        )
        for names in FAULTS:
            for number in range(1, MOST_EXCHANGES):
                if not self.loses_connection(repository, names, number):
                    break
            else:
                pytest.fail("the steps make more exchanges with the server than are tried")

    def loses_connection(
        self, repository: Repository, names: tuple[str, ...], number: int
    ) -> list[Call]:
        """Let the call of that number fail, check what was said, and return what failed."""
        session_id = f"session {names[0]} {number}"
        with contextlib.closing(repository.create(session_id)) as storage:
            storage.append(numbered(1), expect=0)
        inject = f"inject={','.join(names)}:error=ECONNRESET:when={number}"
        calls = self.traced(partial(_append_twice, self, repository, session_id), "-e", inject)

        said = [call.path for call in calls if call.name == "mark"]
        with contextlib.closing(self.reopen(repository).open(session_id)) as storage:
            entries = list(storage.read())
        assert entries == list(enumerate(numbered(len(entries)), start=1))
        # What was refused may be stored all the same: only its answer was lost.
        assert len(entries) >= 1 + said.count("stored")
        return [call for call in calls if call.is_failed_on_purpose]

    @pytest.mark.parametrize("step", ["append", "compact", "put_blob"])
    def test_a_full_disk_loses_nothing(self, repository: Repository, step: str) -> None:
        """G12: at whichever write there is no room left, what was acknowledged is there."""
        self.needs_durability()
        with contextlib.closing(repository.create("no fault")) as storage:
            storage.append(numbered(1), expect=0)
        calls = self.traced(partial(_one_step, self, repository, "no fault", step))
        if not any(call.is_change for call in calls):
            pytest.skip("not applicable: the step changes no file of this machine")
        for number in range(1, MOST_FAULTS):
            session_id = f"session {number}"
            with contextlib.closing(repository.create(session_id)) as storage:
                storage.append(numbered(1), expect=0)
            names = "write,pwrite64,writev,pwritev,ftruncate,fallocate"
            inject = f"inject={names}:error=ENOSPC:when={number}"
            work = partial(_one_step, self, repository, session_id, step)
            calls = self.traced(work, "-e", inject)
            said = [call.path for call in calls if call.name == "mark"]
            with contextlib.closing(self.reopen(repository).open(session_id)) as storage:
                entries = list(storage.read())
                assert entries[-1][1] == numbered(1, first=entries[-1][0])[0]
                if "stored" in said and step != "put_blob":
                    assert storage.head == 2
                head = storage.head
                assert storage.append([b"next"], expect=head) == head + 1
            if not any(call.is_failed_on_purpose for call in calls):
                return  # the step makes fewer writes

    @pytest.mark.parametrize("step", ["create", "append", "compact", "put_blob", "remove"])
    def test_a_kill_at_any_system_call_loses_nothing(
        self, repository: Repository, step: str
    ) -> None:
        """G1, G2, G10: before it or behind it, and the session goes on."""
        self.needs_durability()
        for number in (*range(1, MOST_FAULTS), *range(MOST_FAULTS, 40, 3), *range(40, 400, 23)):
            session_id = f"session {number}"
            if step != "create":
                with contextlib.closing(repository.create(session_id)) as storage:
                    storage.append(numbered(1), expect=0)
            inject = f"inject={','.join((*CHANGES, *SYNCS))}:signal=SIGKILL:when={number}"
            work = partial(_one_step, self, repository, session_id, step)
            calls = self.traced(work, "-e", inject)
            said = [call.path for call in calls if call.name == "mark"]
            again = self.reopen(repository)
            if step not in ("create", "remove") or session_id in again.ids():
                _goes_on(again, session_id)
                again.remove(session_id)
            else:
                assert (step == "remove") or "stored" not in said
            if said[-1:] == ["end"]:
                return
        pytest.fail("the step makes more system calls than are tried")

    def test_a_damaged_blob_is_not_returned(self, repository: Repository) -> None:
        """G8: a byte of it that was changed behind the store's back is found."""
        self.needs_durability()
        with contextlib.closing(repository.create("session")) as storage:
            ref = storage.put_blob([BLOB])

        self.damage_blob(repository, "session", ref)

        with (
            pytest.raises(StorageError),
            contextlib.closing(self.reopen(repository).open("session", mode="r")) as storage,
        ):
            read_blob(storage, ref)

    @pytest.mark.parametrize("size_mib", [5, 64])
    def test_a_large_blob_is_named_by_all_its_bytes(
        self, repository: Repository, size_mib: int
    ) -> None:
        """G6, G8: however large, however it is cut."""
        digest = sha256()

        def chunks() -> Iterator[bytes]:
            for number in range(size_mib):
                chunk = (b"%d " % number).ljust(MIB, b"x")
                digest.update(chunk)
                yield chunk

        with contextlib.closing(repository.create("session")) as storage:
            ref = storage.put_blob(chunks())
            assert ref == f"sha256:{digest.hexdigest()}"
            found = sha256()
            with storage.open_blob(ref) as blob:
                while data := blob.read(MIB):
                    found.update(data)
            assert found.digest() == digest.digest()

    def test_a_large_log_is_named_by_all_its_bytes(self, repository: Repository) -> None:
        """G6: 5 MiB in pieces that fit nothing, flushed on the way."""
        data = b"".join(b"%d\n" % number for number in range(800_000))[: 5 * MIB + 1]
        with contextlib.closing(repository.create("session")) as storage:
            log = storage.open_log("job")
            for start in range(0, len(data), 300_007):
                log.write(data[start : start + 300_007])
                log.flush()
            ref = log.seal()
            assert ref == f"sha256:{sha256(data).hexdigest()}"
            assert read_blob(storage, ref) == data

    def test_opening_reads_the_end_alone(self, repository: Repository) -> None:
        """G7: the last snapshot, what follows it, and at most 1 MiB more."""
        self.needs_durability()
        if sys.platform != "linux":
            pytest.skip("what a process reads is counted on Linux alone")
        with contextlib.closing(repository.create("session")) as storage:
            for number in range(8):
                storage.append([b"%d" % number * (2 * MIB)], expect=number)
            storage.compact(b"snapshot", expect=8)
            storage.append([b"behind"], expect=9)

        with Child(lambda link: _count_reads(self.reopen(repository), link)) as child:
            line = child.line()
            assert line is not None, child.errors

        assert int(line) < 2 * MIB

    def traced(self, work: Callable[[Link], object], *options: str) -> list[Call]:
        """Return the system calls of *work*, done in a child process."""

        def attached(link: Link) -> None:
            link.acknowledge("waits")
            link.wait()
            work(link)

        with Child(attached) as child:
            assert child.line() == "waits"
            try:
                trace = Trace(child, *options)
            except TracingUnavailable as reason:
                pytest.skip(str(reason))
            child.go()
            code = child.end()
            calls = trace.calls()
            assert code in (0, -signal.SIGKILL), child.errors
        return calls


def _durable_steps(repository: Repository, link: Link) -> None:
    link.mark("create")
    storage = repository.create("session")
    link.mark("append")
    storage.append(numbered(2), expect=0)
    link.mark("append again")
    storage.append(numbered(1, first=3), expect=2)
    link.mark("put_blob")
    storage.put_blob([BLOB])
    log = storage.open_log("job")
    log.write(BLOB[1:])
    log.flush()
    link.mark("seal")
    log.seal()
    link.mark("compact")
    storage.compact(b"snapshot", expect=3)
    link.mark("")


def _repeat_at_system(repository: Repository, link: Link) -> None:
    with contextlib.closing(repository.create("session")) as storage:
        link.mark("append")
        storage.append(numbered(2), expect=0, level="process")
        link.mark("repeat")
        assert storage.append(numbered(2), expect=0) == 2
        link.mark("")


def _append_twice(
    tests: RepositoryTests, repository: Repository, session_id: str, link: Link
) -> None:
    link.mark("append")
    storage = None
    for head in (1, 2):
        try:
            storage = storage or tests.reopen(repository).open(session_id)
            storage.append(numbered(1, first=head + 1), expect=head)
        except StorageError:
            link.mark("refused")
            if storage is None:
                return
        else:
            link.mark("stored")


def _one_step(
    tests: RepositoryTests, repository: Repository, session_id: str, step: str, link: Link
) -> None:
    again = tests.reopen(repository)
    try:
        if step == "create":
            again.create(session_id)
        elif step == "remove":
            again.remove(session_id)
        else:
            _STEPS[step](again.open(session_id))
        link.mark("stored")
    except HoldallError:
        link.mark("refused")
    link.mark("end")


_STEPS: dict[str, Callable[[Storage], object]] = {
    "append": lambda storage: storage.append(numbered(1, first=2), expect=1),
    "compact": lambda storage: storage.compact(numbered(1, first=2)[0], expect=1),
    "put_blob": lambda storage: storage.put_blob([BLOB]),
}


def _goes_on(repository: Repository, session_id: str) -> None:
    with contextlib.closing(repository.open(session_id)) as storage:
        entries = list(storage.read())
        assert entries == [(number, numbered(1, first=number)[0]) for number, _ in entries]
        head = storage.head
        assert storage.append([b"next"], expect=head) == head + 1


def _by_step(calls: list[Call]) -> dict[str, list[Call]]:
    """Return the calls behind each mark."""
    steps: dict[str, list[Call]] = {}
    current: list[Call] = []
    for call in calls:
        if call.name == "mark":
            current = steps.setdefault(call.path, [])
        else:
            current.append(call)
    steps.pop("", None)
    return steps


def _is_synced(calls: list[Call]) -> bool:
    writes = [number for number, call in enumerate(calls) if call.is_change]
    syncs = [number for number, call in enumerate(calls) if call.is_sync or "SYNC" in call.text]
    return bool(syncs) and bool(writes) and max(syncs) > min(writes)


def _read_marked(tests: RepositoryTests, repository: Repository, link: Link) -> None:
    link.mark("read")
    _read_all(tests.reopen(repository))


def _read_all(repository: Repository) -> None:
    assert list(repository.ids()) == ["session"]
    with contextlib.closing(repository.open("session", mode="r")) as storage:
        assert len(list(storage.read())) == 3


def _tree(location: Path) -> list[tuple[str, int, bytes]]:
    return [
        (str(path), path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in files_at(location)
    ]


def _count_reads(repository: Repository, link: Link) -> None:
    before = _bytes_read()
    with contextlib.closing(repository.open("session")) as storage:
        assert list(storage.read()) == [(9, b"snapshot"), (10, b"behind")]
    link.acknowledge(_bytes_read() - before)


def _bytes_read() -> int:
    first = Path("/proc/self/io").read_text(encoding="ascii").splitlines()[0]
    return int(first.removeprefix("rchar: "))
