"""Blobs of one session, named by what is in them: `blobs/sha256/ab/abcdef...`.

A wrapper that changes bytes names a blob by the plain ones. Such a blob is called
`abcdef....fedcba...`: the digest it is named by, and that of the bytes in the file.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import CorruptSessionError
from holdall.stores import checked_blob, digest_of
from holdall_plugins.stores.disk import (
    FOLDER,
    NEW,
    READ,
    make_folder,
    names_in,
    opened,
    remove_quietly,
    sync_data,
    sync_folder,
    temporary_name,
    write_all,
)
from holdall_plugins.stores.os_errors import refusals, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from holdall.stores import Handle
    from holdall_plugins.stores.file.reachability import Reachability

_CHUNK: Final = 1 << 18


class Blobs:
    """The blobs in one session's folder."""

    def __init__(self, folder: int, handle: Handle, reachability: Reachability) -> None:
        self._folder = folder
        self._handle = handle
        self._reachability = reachability
        self._durable: set[str] = set()

    def put(self, chunks: Iterable[bytes], ref: str | None) -> str:
        """Store the bytes of *chunks*, under *ref* if it is given; durable on return."""
        name = temporary_name()
        try:
            return self.adopt(name, self._folder, self._write(name, chunks), ref)
        except BaseException:
            remove_quietly(name, within=self._folder)
            raise

    def adopt(self, name: str, folder: int, actual: str, ref: str | None) -> str:
        """Make the synced file *name* of *folder*, of digest *actual*, a blob; durable on return.

        One that is stored as *ref* already stays, and the file is dropped.
        """
        digest = actual if ref is None else digest_of(ref, session_id=self._handle.session_id)
        here = f"blobs/sha256/{digest[:2]}"
        with self._refusals():
            self._make_folders(here)
            with opened(here, FOLDER, within=self._folder) as target:
                # A wrapper may change the same bytes differently each time; the first ones stay.
                if ref is not None and _stored_name(target, digest):
                    os.unlink(name, dir_fd=folder)
                else:
                    blob = digest if actual == digest else f"{digest}.{actual}"
                    os.rename(name, blob, src_dir_fd=folder, dst_dir_fd=target)
                self.sync(target, is_folder=True)
                self._reachability.check(here, target)
        return f"sha256:{digest}"

    def open(self, ref: str) -> BinaryIO:
        """Return the bytes stored as *ref*; damaged ones raise while they are read."""
        session_id = self._handle.session_id
        digest = digest_of(ref, session_id=session_id)
        name = f"blobs/sha256/{digest[:2]}/{digest}"
        actual = ref
        try:
            try:
                fd = os.open(name, READ, dir_fd=self._folder)
            except FileNotFoundError:
                name = self._changed_name(digest)
                actual = f"sha256:{name.rpartition('.')[2]}"
                fd = os.open(name, READ, dir_fd=self._folder)
        except FileNotFoundError:
            location = f"{self._handle.where}/{name}"
            raise CorruptSessionError(session_id, location, "the blob is not there") from None
        except OSError as error:
            raise refused(error, "open", f"{self._handle.where}/{name}") from error
        return checked_blob(self._chunks(fd, name), actual, session_id=session_id)

    def refs(self) -> list[str]:
        """Return the refs of the blobs that are there."""
        with self._refusals():
            names = [name for _, name in self._all()]
        return sorted({f"sha256:{name.partition('.')[0]}" for name in names})

    def drop(self, ref: str) -> None:
        """Drop the blob that is stored as *ref*, if it is there; durable on return."""
        digest = digest_of(ref, session_id=self._handle.session_id)
        here = f"blobs/sha256/{digest[:2]}"
        with ExitStack() as stack:
            stack.enter_context(refusals("drop a blob of", self._handle.where))
            stack.enter_context(suppress(FileNotFoundError))
            target = stack.enter_context(opened(here, FOLDER, within=self._folder))
            for name in names_in(target):
                if name.partition(".")[0] == digest:
                    os.unlink(name, dir_fd=target)
            self.sync(target, is_folder=True)

    def _all(self) -> Iterator[tuple[str, str]]:
        with suppress(FileNotFoundError):
            with opened("blobs/sha256", FOLDER, within=self._folder) as fd:
                parts = names_in(fd)
            for part in parts:
                with opened(f"blobs/sha256/{part}", FOLDER, within=self._folder) as fd:
                    yield from ((part, name) for name in names_in(fd))

    def _changed_name(self, digest: str) -> str:
        here = f"blobs/sha256/{digest[:2]}"
        with opened(here, FOLDER, within=self._folder) as fd:
            return f"{here}/{_stored_name(fd, digest) or digest}"

    def sync(self, fd: int, *, is_folder: bool = False) -> None:
        """Return when the file or folder would survive a power cut, or never trust it again."""
        try:
            (sync_folder if is_folder else sync_data)(fd)
        except OSError as error:
            reason = f"a blob may not be durable: {error.strerror}"
            raise self._handle.fail(reason) from error

    def _write(self, name: str, chunks: Iterable[bytes]) -> str:
        digest = sha256()
        with self._refusals():
            fd = os.open(name, NEW, 0o600, dir_fd=self._folder)
        try:
            for chunk in chunks:
                digest.update(chunk)
                with self._refusals():
                    write_all(fd, chunk)
            self.sync(fd)
        finally:
            os.close(fd)
        return digest.hexdigest()

    def _make_folders(self, name: str) -> None:
        # A folder that is there may not be durable yet: its maker may have been killed.
        if name in self._durable:
            return
        parent, _, last = name.rpartition("/")
        if parent:
            self._make_folders(parent)
        with opened(parent or ".", FOLDER, within=self._folder) as fd:
            make_folder(last, fd)
            self.sync(fd, is_folder=True)
        self._durable.add(name)

    def _chunks(self, fd: int, name: str) -> Iterator[bytes]:
        with refusals("read", f"{self._handle.where}/{name}"):
            yield from read_chunks(fd)

    def _refusals(self) -> AbstractContextManager[None]:
        return refusals("store a blob in", self._handle.where)


def _stored_name(folder: int, digest: str) -> str:
    """Return the name of the file that holds the blob of *digest*, empty if none does."""
    return next((name for name in names_in(folder) if name.partition(".")[0] == digest), "")


def read_chunks(fd: int) -> Iterator[bytes]:
    """Yield the bytes of a file from its start; the descriptor is closed at the end."""
    try:
        offset = 0
        while chunk := os.pread(fd, _CHUNK, offset):
            yield chunk
            offset += len(chunk)
    finally:
        os.close(fd)
