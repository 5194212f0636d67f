"""What the store in plain files does to the disk, recorded, and held to what POSIX promises.

Bytes survive a power cut once their file was synced; a name does once its folder was. So when
a call returns that promises durability, nothing of it may be pending; a file must be synced
before it gets its name; and nothing is unlinked that something pending is to replace.
"""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdall.testing.children import in_child
from holdall_plugins.stores.file import FileRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import Storage

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="it finds the paths of descriptors in /proc"
)

CALLS = ("open", "mkdir", "write", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "rmdir")


class Disk:
    """What a power cut may undo now, by the system calls that this process made.

    Attributes:
        calls: The calls that changed something or synced it, in their order.
        violations: What no careful program does, in words.
    """

    def __init__(self, *, killed_at: int = 0, pending: Path | None = None) -> None:
        self.calls: list[str] = []
        self.violations: list[str] = []
        self._killed_at = killed_at
        self._pending = pending
        self._bytes: set[str] = set()
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        if pending and pending.exists():
            left = json.loads(pending.read_text())
            self._bytes.update(left["bytes"])
            self._names.update((folder, set(names)) for folder, names in left["names"].items())

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the system calls of what is inside."""
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._recorded(name, getattr(os, name)))
            yield

    def acknowledge(self, what: str, *, blob: str | None = None) -> None:
        """Note that *what* was acknowledged: nothing that matters may be pending.

        Args:
            blob: The digest of the only blob that was acknowledged, empty if none was; all
                of them count without it.
        """
        self.calls.append(f"acknowledged: {what}")
        for path in sorted(self._bytes):
            if "journal-" in path or _leads_to(path, blob):
                self.violations.append(f"{what}: the bytes of {path} are not synced")
        for folder, names in self._names.items():
            for name in sorted(names):
                path = f"{folder}/{name}"
                matters = _leads_to(path, blob) if "/blobs" in path else _is_kept(folder, name)
                if matters:
                    self.violations.append(f"{what}: the name {folder}/{name} is not synced")

    def _recorded(self, name: str, real: Any) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            changes = name != "open" or (args[1] & os.O_CREAT and not _exists(args[0], options))
            if not changes:
                return real(*args, **options)
            self._die_if_due()
            paths = _paths(name, args, options)
            result = real(*args, **options)
            self.calls.append(" ".join((name, *paths)))
            getattr(self, f"_{name}")(*paths)
            return result

        return call

    def _die_if_due(self) -> None:
        self._killed_at -= 1
        if self._killed_at == 0 and self._pending:
            names = {folder: sorted(names) for folder, names in self._names.items()}
            self._pending.write_text(json.dumps({"bytes": sorted(self._bytes), "names": names}))
            os.kill(os.getpid(), signal.SIGKILL)

    def _open(self, path: str) -> None:
        self._mkdir(path)

    def _mkdir(self, path: str) -> None:
        folder, name = os.path.split(path)
        self._names[folder].add(name)

    def _write(self, path: str) -> None:
        self._bytes.add(path)

    def _ftruncate(self, path: str) -> None:
        self._bytes.add(path)

    def _fsync(self, path: str) -> None:
        self._bytes.discard(path)
        self._names.pop(path, None)

    def _fdatasync(self, path: str) -> None:
        self._bytes.discard(path)

    def _rename(self, old: str, new: str) -> None:
        if old in self._bytes:
            self.violations.append(f"{new} got its name before its bytes were synced")
        self._mkdir(old)
        self._mkdir(new)
        self._bytes = {path.replace(old, new) for path in self._bytes}
        for folder in [folder for folder in self._names if folder.startswith(old)]:
            self._names[folder.replace(old, new)] = self._names.pop(folder)

    def _unlink(self, path: str) -> None:
        folder, name = os.path.split(path)
        replaced = {other for other in self._names[folder] if other.startswith("journal-")}
        if name.startswith("journal-") and replaced:
            self.violations.append(f"{path} is unlinked before {replaced} is durable")
        self._bytes.discard(path)
        self._names[folder].add(f"unlinked {name}")

    def _rmdir(self, path: str) -> None:
        self._names.pop(path, None)


def _is_kept(folder: str, name: str) -> bool:
    """Whether something is lost with a name: not of what is temporary, live, or on its way out."""
    temporary = name.startswith((".new-", ".removed-", "unlinked ")) or "/.removed-" in folder
    live = folder.endswith("/io-logs") or name in ("lock", "session-share", "io-logs")
    return not temporary and not live


def _leads_to(path: str, blob: str | None) -> bool:
    """Whether *path* is of a blob that counts, or of a folder on the way to it."""
    _, found, within = path.partition("/blobs")
    if "/.removed-" in path or not found:
        return False
    return blob is None or (blob != "" and f"/sha256/{blob[:2]}/{blob}".startswith(within))


def _paths(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> list[str]:
    if name in ("write", "ftruncate", "fsync", "fdatasync"):
        return [_opened(args[0])]
    if name == "rename":
        return [
            _path(args[0], options.get("src_dir_fd")),
            _path(args[1], options.get("dst_dir_fd")),
        ]
    return [_path(args[0], options.get("dir_fd"))]


def _path(name: str | os.PathLike[str], folder: int | None) -> str:
    return os.path.normpath(Path() / name if folder is None else Path(_opened(folder)) / name)


def _opened(fd: int) -> str:
    return str(Path(f"/proc/self/fd/{fd}").readlink())


def _exists(name: Any, options: dict[str, Any]) -> bool:
    return os.path.lexists(_path(name, options.get("dir_fd")))


def session(folder: Path) -> Storage:
    return FileRepository(folder / "new" / "root").open("session")


def create(folder: Path) -> None:
    FileRepository(folder / "new" / "root").create("session").close()


def append(folder: Path) -> None:
    storage = session(folder)
    storage.append([b"1", b"2"], expect=storage.head)
    storage.close()


def append_later(folder: Path) -> None:
    storage = session(folder)
    storage.append([b"1"], expect=storage.head, level="process")
    storage.close()


def compact(folder: Path) -> None:
    storage = session(folder)
    storage.compact(b"snapshot", expect=storage.head)
    storage.close()


def put_blob(folder: Path) -> None:
    storage = session(folder)
    storage.put_blob([b"blob"])
    storage.close()


def seal(folder: Path) -> None:
    storage = session(folder)
    log = storage.open_log("job")
    log.write(b"output")
    log.seal()
    storage.close()


def drop(folder: Path) -> None:
    storage = session(folder)
    for ref in storage.blobs():  # type: ignore[attr-defined] # of stores that are Sweepable
        storage.drop(ref)  # type: ignore[attr-defined]
    storage.close()


def remove(folder: Path) -> None:
    FileRepository(folder / "new" / "root").remove("session")


STEPS = [create, append, append_later, put_blob, seal, compact, append, compact, drop, remove]


def test_nothing_that_is_acknowledged_is_pending(tmp_path: Path) -> None:
    disk = Disk()

    with disk.recording():
        for step in STEPS:
            step(tmp_path)
            disk.acknowledge(step.__name__)

    assert disk.violations == []
    assert sum("sync" in call for call in disk.calls) > len(STEPS)


def test_each_step_of_a_session_that_stays_open_is_durable_when_it_returns(tmp_path: Path) -> None:
    disk = Disk()

    with disk.recording():
        storage = FileRepository(tmp_path / "new" / "root").create("session")
        disk.acknowledge("create")
        storage.append([b"1", b"2"], expect=0)
        disk.acknowledge("append")
        ref = storage.put_blob([b"blob"])
        disk.acknowledge("put_blob")
        storage.put_blob([b"blob"], ref=ref)
        disk.acknowledge("put_blob again")
        storage.open_log("job").seal()
        disk.acknowledge("seal")
        storage.compact(b"snapshot", expect=2)
        disk.acknowledge("compact")
        storage.append([b"4"], expect=3, level="process")
        storage.compact(b"snapshot", expect=4)
        disk.acknowledge("compact what was not synced")
        storage.append([b"6"], expect=5)
        disk.acknowledge("append to the snapshot")
        storage.drop(ref)  # type: ignore[attr-defined] # of stores that are Sweepable
        disk.acknowledge("drop")
        storage.append([b"7"], expect=6, level="process")
        storage.close()
        disk.acknowledge("close")

    assert disk.violations == []


@pytest.mark.sampled(3)
@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_later_writer_makes_durable_what_one_that_was_killed_left(
    tmp_path: Path, number: int
) -> None:
    """Whatever the killed one had not synced, the next one builds upon it or drops it."""
    for call in range(1, 100):
        folder = tmp_path / str(call)
        folder.mkdir()
        for step in STEPS[:number]:
            step(folder)
        pending = folder / "pending"
        status = in_child(killed(STEPS[number], folder, Disk(killed_at=call, pending=pending)))
        disk = Disk(pending=pending)

        with disk.recording():
            go_on(folder, disk)

        assert disk.violations == [], call
        if not status:
            return
        assert status == -signal.SIGKILL
    raise AssertionError("it never came to its end")


def killed(step: Callable[[Path], None], folder: Path, disk: Disk) -> Callable[[], None]:
    """Return what does *step* until *disk* kills it."""

    def work() -> None:
        with disk.recording():
            step(folder)

    return work


def go_on(folder: Path, disk: Disk) -> None:
    """Do the next thing with the session, and acknowledge it."""
    repository = FileRepository(folder / "new" / "root")
    if "session" not in repository.ids():
        repository.create("session").close()
        disk.acknowledge("create", blob="")
    storage = session(folder)
    disk.acknowledge("open", blob="")  # from here on, others may build upon what was found
    storage.close()
    append(folder)
    disk.acknowledge("append", blob="")
    put_blob(folder)
    disk.acknowledge("put_blob", blob=sha256(b"blob").hexdigest())


def test_the_note_of_who_closed_the_session_is_taken_back_before_a_later_writer_writes(
    tmp_path: Path,
) -> None:
    FileRepository(tmp_path).create("session").close()
    lock = str(tmp_path / "session.session" / "lock")
    disk = Disk()

    with disk.recording():
        storage = FileRepository(tmp_path).open("session")

    storage.close()
    assert [call for call in disk.calls if call.endswith(lock)] == [
        f"ftruncate {lock}",
        f"write {lock}",
        f"fdatasync {lock}",
    ]
