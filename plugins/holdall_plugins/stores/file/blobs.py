"""Blobs of one session, named by what is in them: `blobs/sha256/ab/abcdef...`."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, Final

from holdall.errors import CorruptSessionError
from holdall.stores import checked_blob, digest_of
from holdall_plugins.stores.disk import (
    FOLDER,
    NEW,
    READ,
    make_folder,
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

_CHUNK: Final = 1 << 18


class Blobs:
    """The blobs in one session's folder."""

    def __init__(self, folder: int, handle: Handle) -> None:
        self._folder = folder
        self._handle = handle
        self._durable: set[str] = set()

    def put(self, chunks: Iterable[bytes]) -> str:
        """Store the bytes of *chunks*; durable on return."""
        name = temporary_name()
        try:
            return self.adopt(name, self._folder, self._write(name, chunks))
        except BaseException:
            remove_quietly(name, within=self._folder)
            raise

    def adopt(self, name: str, folder: int, digest: str) -> str:
        """Make the synced file *name* of *folder* the blob of that digest; durable on return."""
        here = f"blobs/sha256/{digest[:2]}"
        with self._refusals():
            self._make_folders(here)
            with opened(here, FOLDER, within=self._folder) as target:
                os.rename(name, digest, src_dir_fd=folder, dst_dir_fd=target)
                self.sync(target, is_folder=True)
        return f"sha256:{digest}"

    def open(self, ref: str) -> BinaryIO:
        """Return the bytes that *ref* names; damaged ones raise while they are read."""
        digest = digest_of(ref, session_id=self._handle.session_id)
        name = f"blobs/sha256/{digest[:2]}/{digest}"
        try:
            fd = os.open(name, READ, dir_fd=self._folder)
        except FileNotFoundError:
            where = f"{self._handle.where}/{name}"
            reason = "the blob is not there"
            raise CorruptSessionError(self._handle.session_id, where, reason) from None
        except OSError as error:
            raise refused(error, "open", f"{self._handle.where}/{name}") from error
        return checked_blob(self._chunks(fd, name), ref, session_id=self._handle.session_id)

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


def read_chunks(fd: int) -> Iterator[bytes]:
    """Yield the bytes of a file from its start; the descriptor is closed at the end."""
    try:
        offset = 0
        while chunk := os.pread(fd, _CHUNK, offset):
            yield chunk
            offset += len(chunk)
    finally:
        os.close(fd)
