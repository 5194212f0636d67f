"""Logs that grow while jobs run, in `io-logs/`, until they are sealed into blobs.

Beside each `<log>.log` a file `<log>.name` holds the log's name as it was given.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdall_plugins.stores.disk import (
    APPEND,
    FOLDER,
    NEW,
    READ,
    make_folder,
    names_in,
    opened,
    remove_quietly,
    write_all,
)
from holdall_plugins.stores.file.blobs import read_chunks
from holdall_plugins.stores.os_errors import FULL, refusals, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.errors import StorageError
    from holdall.stores import Handle
    from holdall_plugins.stores.file.blobs import Blobs
    from holdall_plugins.stores.file.reachability import Reachability

FOLDER_NAME: Final = "io-logs"
_BUFFER: Final = 1 << 16
_LONGEST_NAME: Final = 1 << 16
_UNCHANGED: Final = ("utf-8", "surrogatepass")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")


def file_name(name: str) -> str:
    """Return a file name for the log *name*: readable, and like no other log's."""
    slug = _UNSAFE.sub("-", name).strip("-")[-80:]
    return f"{slug}.{sha256(name.encode(errors='surrogatepass')).hexdigest()[:24]}.log"


def flushed(name: str, folder: int, location: str) -> Iterator[bytes]:
    """Yield what was flushed of the live log *name*; nothing if there is no such log."""
    with refusals("read", f"{location}/{FOLDER_NAME}/{file_name(name)}"):
        try:
            fd = os.open(f"{FOLDER_NAME}/{file_name(name)}", READ, dir_fd=folder)
        except FileNotFoundError:
            return
        yield from read_chunks(fd)


def log_names(folder: int, location: str) -> list[str]:
    """Return the names of the live logs, as far as they were noted down."""
    with refusals("list the logs of", location):
        try:
            logs = os.open(FOLDER_NAME, FOLDER, dir_fd=folder)
        except FileNotFoundError:
            return []
        try:
            files = set(names_in(logs))
            notes = (_note(file) for file in sorted(files) if file.endswith(".log"))
            return [_noted(note, logs) for note in notes if note in files]
        finally:
            os.close(logs)


def _noted(note: str, logs: int) -> str:
    with opened(note, READ, within=logs) as fd:
        return os.pread(fd, _LONGEST_NAME, 0).decode(*_UNCHANGED)


def _note(file: str) -> str:
    return f"{file.removesuffix('.log')}.name"


class FileLog:
    """One log that is open for appending."""

    def __init__(
        self, name: str, folder: int, handle: Handle, blobs: Blobs, reachability: Reachability
    ) -> None:
        self._name = file_name(name)
        self._reachability = reachability
        self._location = f"{handle.where}/{FOLDER_NAME}/{self._name}"
        self._handle = handle
        self._blobs = blobs
        self._waiting = bytearray()
        with refusals("open", self._location):
            make_folder(FOLDER_NAME, folder)
            self._folder = os.open(FOLDER_NAME, FOLDER, dir_fd=folder)
            try:
                self._note_name(name)
                self._fd = os.open(self._name, APPEND | os.O_CREAT, 0o600, dir_fd=self._folder)
            except BaseException:
                os.close(self._folder)
                raise
        self._flushed = os.fstat(self._fd).st_size
        self._is_open = True

    @property
    def size(self) -> int:
        """Bytes written so far, by earlier writers too."""
        return self._flushed + len(self._waiting)

    def write(self, data: bytes) -> None:
        """Append bytes; they wait in memory until there are many, or until `flush`."""
        self._check()
        self._waiting += data
        if len(self._waiting) >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the system: from now on it survives the end of this process.

        Raises:
            StorageFullError: No room; the bytes still wait, and the log ends where it did.
        """
        with self._handle.writing("write a log"):
            self._check()
            if not self._waiting:
                return
            try:
                write_all(self._fd, self._waiting)
            except OSError as error:
                raise self._cut_back(error) from error
            self._reachability.check(f"{FOLDER_NAME}/{self._name}", self._fd)
            self._flushed += len(self._waiting)
            self._waiting.clear()

    def seal(self, *, ref: str | None = None) -> str:
        """Turn the log into a blob, durable on return, and return its `sha256:...`."""
        with self._handle.writing("seal a log"):
            self.flush()
            self._blobs.sync(self._fd)
            digest = sha256()
            with refusals("seal", self._location):
                for chunk in read_chunks(os.open(self._name, READ, dir_fd=self._folder)):
                    digest.update(chunk)
            sealed = self._blobs.adopt(self._name, self._folder, digest.hexdigest(), ref)
            remove_quietly(_note(self._name), within=self._folder)
            self.close()
            return sealed

    def discard(self) -> None:
        """Drop the log."""
        if not self._is_open:
            return
        with self._handle.writing("drop a log"), refusals("drop", self._location):
            os.unlink(self._name, dir_fd=self._folder)
            remove_quietly(_note(self._name), within=self._folder)
            self.close()

    def close(self) -> None:
        """Let go of the file; what was flushed stays."""
        if self._is_open:
            self._is_open = False
            os.close(self._fd)
            os.close(self._folder)

    def _note_name(self, name: str) -> None:
        # Before the log itself is made, so that a log without a name is one of format 1.
        note = _note(self._name)
        with suppress(FileExistsError), opened(note, NEW, within=self._folder) as fd:
            write_all(fd, name.encode(*_UNCHANGED))

    def _check(self) -> None:
        self._handle.check()
        if not self._is_open:
            raise ValueError(f"the log {self._location} was sealed or discarded")

    def _cut_back(self, error: OSError) -> StorageError:
        try:
            os.ftruncate(self._fd, self._flushed)
        except OSError:
            return self._handle.fail(f"{self._location} may end in half a record")
        if error.errno in FULL:
            return refused(error, "write to", self._location)
        return self._handle.fail(f"writing to {self._location} failed: {error.strerror}")
