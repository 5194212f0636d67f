"""A session as one file: a ZIP archive that any holdall unpacks into any store.

    holdall-session.json     format, id, number of the first entry and of the last
    blobs/HEX                each blob, under the digest of its bytes
    logs/TEXT                what jobs in flight wrote; TEXT is the log's name, percent-encoded
    entries/NUMBER.jsonl     entries as lines, from that number on; pieces of about 1 MiB
    share/PATH               the folder that the jobs share, percent-encoded

What an archive says is not trusted: each name, size and number is checked, and so are
the checksums of entries and blobs.
"""

from __future__ import annotations

import os
import re
import shutil
import zlib
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Protocol, cast
from urllib.parse import quote, unquote, unquote_to_bytes
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import msgspec

from holdall.contracts import Sweepable
from holdall.errors import CorruptSessionError, NewerFormatError, StorageAccessError, StorageError
from holdall.journal import SessionCreated, read_events
from holdall.session import remove_share, share_in
from holdall.stores import PIECE, check_session_id, first_of, pieces_of
from holdall.upkeep.refs import checked_refs
from holdall.upkeep.retention import remove_session
from holdall.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Repository, Storage

FORMAT: Final = 1
_HEAD: Final = "holdall-session.json"
_NAMES: Final = re.compile(
    r"blobs/[0-9a-f]{64}|entries/[0-9]{1,19}\.jsonl|logs/[\w%.~-]+|share/[\w%.~/-]+", re.ASCII
)
_LARGEST_HEAD: Final = 1 << 16
_LARGEST_ENTRIES: Final = 1 << 30
_SMALL: Final = 1 << 26
"""Bytes that an archive may unpack to, however small it is."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
# Of a number that leads before the start of the file Python says so by an OSError.
_MALFORMED: Final = (BadZipFile, zlib.error, EOFError, OSError, RuntimeError)


class Limits(NamedTuple):
    """What an archive may unpack to, so that a few bytes fill no disk.

    Attributes:
        members: How many files are in it.
        size: Their bytes, together.
        ratio: Their bytes to those of the archive, where they are more than 64 MiB.
    """

    members: int = 1_000_000
    size: int = 1 << 36
    ratio: int = 250


LIMITS: Final = Limits()
"""What an archive of a stranger may unpack to."""


class _Head(msgspec.Struct, frozen=True):
    format: int
    session: str
    first: int
    head: int
    written_by: str = ""


class Target(Protocol):
    """What an archive is written to: a file, or what takes bytes in turn."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...

    def flush(self) -> object:
        """Hand on what was taken."""
        ...


def pack_session(repository: Repository, session_id: str, target: Target) -> None:
    """Write a session into *target*, as an archive; it may have a writer meanwhile.

    Raises:
        UnknownSessionError: There is no such session.
        CorruptSessionError: It is damaged; what was written is no archive then.
    """
    with closing(repository.open(session_id, mode="r")) as storage:
        head = storage.head
        first = first_of(storage)
        refs = checked_refs(storage, upto=head)
        with ZipFile(cast("IO[bytes]", target), "w", ZIP_DEFLATED, compresslevel=1) as archive:
            about = _Head(FORMAT, session_id, first, head, f"holdall {__version__}")
            archive.writestr(_member(_HEAD), msgspec.json.encode(about))
            for ref in sorted(refs):
                with storage.open_blob(ref) as blob:
                    _write(archive, f"blobs/{ref.rpartition(':')[2]}", blob)
            for name in sorted(storage.logs()) if isinstance(storage, Sweepable) else ():
                with storage.read_log(name) as log:
                    _write(archive, f"logs/{quote(name, safe='')}", log)
            _write_entries(archive, storage, head)
            _write_share(archive, share_in(storage))


def unpack_session(path: Path, repository: Repository, *, limits: Limits | None = LIMITS) -> str:
    """Make the session that is in an archive, and return its id; all of it or nothing.

    Args:
        limits: What it may unpack to; None for an archive that you made yourself.

    Raises:
        StorageAccessError: The file is no archive of a session, or unpacks to more.
        CorruptSessionError: It is damaged.
        NewerFormatError: A newer holdall made it.
        SessionExistsError: *repository* holds a session of that id.
    """
    with _opened(path) as archive:
        members = _members(archive, path, limits)
        about = _about(archive, path)
        session_id = check_session_id(about.session)
        with ExitStack() as undo:
            storage = repository.create(session_id, first=about.first)
            undo.callback(remove_session, repository, session_id)
            undo.callback(storage.close)
            remove_share(repository, session_id)  # what a session of that id may have left
            with _reading(session_id, path):
                _unpack(archive, members, storage, about, path)
            undo.pop_all()
        storage.close()
    return session_id


def _member(name: str) -> ZipInfo:
    """Return a member that is the same whenever it is packed, and is for its owner alone."""
    member = ZipInfo(name, _EPOCH)
    member.compress_type = ZIP_DEFLATED
    member.external_attr = 0o600 << 16
    return member


def _write(archive: ZipFile, name: str, source: IO[bytes]) -> None:
    with archive.open(_member(name), "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, PIECE)


def _write_entries(archive: ZipFile, storage: Storage, head: int) -> None:
    lines: list[bytes] = []
    size = begun = 0
    for number, entry in storage.read():
        if number > head:
            break
        begun = begun if lines else number
        lines.append(entry)
        size += len(entry)
        if size >= PIECE:
            archive.writestr(_member(f"entries/{begun:019}.jsonl"), b"\n".join(lines))
            lines, size = [], 0
    if lines:
        archive.writestr(_member(f"entries/{begun:019}.jsonl"), b"\n".join(lines))


def _write_share(archive: ZipFile, share: Path) -> None:
    """Write plain files; a link leads elsewhere on another machine, a pipe nowhere."""
    for folder, _folders, files in os.walk(share):
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                inside = quote(os.fsencode(path.relative_to(share)), safe="/")
                with path.open("rb") as source:
                    _write(archive, f"share/{inside}", source)


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        archive = ZipFile(path)
    except OSError as error:
        raise StorageAccessError(str(path), "unpack", error.strerror or str(error)) from error
    except (BadZipFile, ValueError, NotImplementedError) as error:
        reason = f"it is no archive of a session, or was cut short ({error})"
        raise StorageAccessError(str(path), "unpack", reason) from error
    with archive:
        yield archive


def _members(archive: ZipFile, path: Path, limits: Limits | None) -> list[ZipInfo]:
    if any(
        member.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for member in archive.infolist()
    ):
        reason = "it is compressed in a way that `holdall sessions pack` does not use"
        raise StorageAccessError(str(path), "unpack", reason)
    members = [member for member in archive.infolist() if member.filename != _HEAD]
    names = {member.filename for member in members}
    strange = sorted(name for name in names if not _is_known(name))
    if strange or len(names) != len(members):
        reason = f"no session has {strange[0]!r}" if strange else "it holds a name twice"
        raise StorageAccessError(str(path), "unpack", reason)
    if limits is not None:
        _refuse_large(members, path, limits)
    return members


def _is_known(name: str) -> bool:
    """Whether an archive may hold a file of that name, which leads nowhere else."""
    if not _NAMES.fullmatch(name):
        return False
    kind, *parts = name.split("/")
    return kind != "share" or not any(map(_leads_out, map(unquote_to_bytes, parts)))


def _leads_out(part: bytes) -> bool:
    return part in {b"", b".", b".."} or b"/" in part or b"\0" in part


def _refuse_large(members: list[ZipInfo], path: Path, limits: Limits) -> None:
    size = sum(member.file_size for member in members)
    likely = max(_SMALL, limits.ratio * path.stat().st_size)
    for found, most, what in (
        (len(members), limits.members, "files"),
        (size, min(limits.size, likely), "bytes"),
    ):
        if found > most:
            reason = (
                f"it unpacks to {found} {what}, and more than {most} are not trusted; if you "
                "know where it is from, unpack it without limits"
            )
            raise StorageAccessError(str(path), "unpack", reason)


def _about(archive: ZipFile, path: Path) -> _Head:
    try:
        with archive.open(_HEAD) as file:
            about = msgspec.json.decode(file.read(_LARGEST_HEAD), type=_Head)
    except (KeyError, msgspec.MsgspecError, *_MALFORMED) as error:
        reason = f"it is no archive of a session; `holdall sessions pack` makes one ({error})"
        raise StorageAccessError(str(path), "unpack", reason) from error
    if about.format > FORMAT:
        raise NewerFormatError(about.session, about.format, FORMAT)
    if not 1 <= about.first <= about.head + 1 <= 2**62:
        raise CorruptSessionError(about.session, f"{path}, {_HEAD}", "its numbers are impossible")
    return about


@contextmanager
def _reading(session_id: str, path: Path) -> Iterator[None]:
    try:
        yield
    except _MALFORMED as error:
        raise CorruptSessionError(session_id, str(path), str(error)) from error


def _unpack(
    archive: ZipFile, members: list[ZipInfo], storage: Storage, about: _Head, path: Path
) -> None:
    # Blobs come before the entries that name them, and entries in the order of their numbers.
    for member in sorted(members, key=lambda member: member.filename):
        kind, _, name = member.filename.partition("/")
        with archive.open(member) as file:
            if kind == "blobs":
                _store_blob(storage, f"sha256:{name}", file, path)
            elif kind == "logs":
                log = storage.open_log(unquote(name))
                for piece in pieces_of(file):
                    log.write(piece)
                log.flush()
            elif kind == "share":
                _store_shared(share_in(storage), name, file)
            else:
                _store_entries(storage, member, file, path)
    if storage.head != about.head:
        reason = f"its entries end with {storage.head}, and {about.head} is to be the last"
        raise CorruptSessionError(storage.id, str(path), reason)
    _check(storage, path)


def _check(storage: Storage, path: Path) -> None:
    """Raise unless the entries are those of this session, and no blob is missing."""
    first = next(iter(read_events(storage)), None)
    if isinstance(first, SessionCreated) and first.session_id != storage.id:
        reason = f"it says to be {storage.id!r}, and its entries are of {first.session_id!r}"
        raise CorruptSessionError(storage.id, str(path), reason)
    for ref in sorted(checked_refs(storage)):
        try:
            storage.open_blob(ref).close()
        except CorruptSessionError as error:
            raise CorruptSessionError(storage.id, str(path), f"it lacks the blob {ref}") from error


def _store_blob(storage: Storage, ref: str, file: IO[bytes], path: Path) -> None:
    found = storage.put_blob(pieces_of(file))
    if found != ref:
        raise CorruptSessionError(storage.id, f"{path}, {ref}", f"its bytes are those of {found}")


def _store_entries(storage: Storage, member: ZipInfo, file: IO[bytes], path: Path) -> None:
    number = int(PurePosixPath(member.filename).stem)
    location = f"{path}, {member.filename}"
    if number != storage.head + 1:
        reason = f"entry {storage.head + 1} was due"
        raise CorruptSessionError(storage.id, location, reason)
    if member.file_size > _LARGEST_ENTRIES:
        raise StorageError(f"cannot unpack {location}: {member.file_size} bytes are too many")
    storage.append(file.read().split(b"\n"), expect=storage.head)


def _store_shared(share: Path, name: str, file: IO[bytes]) -> None:
    path = share.joinpath(*(os.fsdecode(unquote_to_bytes(part)) for part in name.split("/")))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as target:
            shutil.copyfileobj(file, target, PIECE)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageAccessError(str(path), "unpack a file to", reason) from error
