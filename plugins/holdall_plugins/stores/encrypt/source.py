"""Where the key is: a file, a variable of the environment, or what a command prints."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import StorageAccessError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY_SIZE: Final = 32
COMMAND_S: Final = 30.0
"""Seconds that a command may take to print the key."""

_LARGEST: Final = 4096
_HEX: Final = re.compile(rb"[0-9a-fA-F]{64}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{43}=?")
_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")
_FEWEST: Final = 8
"""Different bytes in a key that is not made up: a random one has fewer once in 10^30."""

_ADVICE: Final = (
    "a key is 32 random bytes, as 64 hexadecimal digits or in base64; "
    "`openssl rand -hex 32` makes one"
)


class KeySource(NamedTuple):
    """Where the key is; the key itself is read when it is needed.

    Attributes:
        kind: `key_file`, `key_env` or `key_command`.
        value: The path, the name of the variable, or the command.
    """

    kind: str
    value: str
    timeout_s: float = COMMAND_S

    def read(self) -> bytes:
        """Return the key.

        Raises:
            StorageAccessError: There is none, or what is there is no key.
        """
        text = _READERS[self.kind](self).strip()
        if not text:
            raise self._failed("it gives nothing")
        key = _decoded(text)
        if key is None:
            raise self._failed(f"it gives {len(text)} bytes that are no key; {_ADVICE}")
        if len(set(key)) < _FEWEST:
            raise self._failed(f"it gives a key that is not random; {_ADVICE}")
        return key

    def _of_file(self) -> bytes:
        try:
            with Path(self.value).open("rb") as file:
                return file.read(_LARGEST)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise self._failed(reason or "it can't be read") from error

    def _of_variable(self) -> bytes:
        value = os.environ.get(self.value)
        if value is None:
            raise self._failed("it is not set")
        return value.encode(errors="surrogateescape")

    def _of_command(self) -> bytes:
        try:
            words = shlex.split(self.value)
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
            )
        except (OSError, ValueError, IndexError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise self._failed(f"it can't be started: {reason}") from error
        output, is_late = _printed(process, self.timeout_s)
        if is_late:
            raise self._failed(f"it did not end within {self.timeout_s:g} seconds")
        if len(output) > _LARGEST:
            raise self._failed(f"it prints more than {_LARGEST} bytes; {_ADVICE}")
        if process.returncode:
            raise self._failed(f"it failed with {process.returncode}")
        return output

    def _failed(self, reason: str) -> StorageAccessError:
        return StorageAccessError(_PLACES[self.kind].format(self.value), "take the key of", reason)


_READERS: Final[Mapping[str, Callable[[KeySource], bytes]]] = {
    "key_file": KeySource._of_file,  # noqa: SLF001 - the table of this class
    "key_env": KeySource._of_variable,  # noqa: SLF001
    "key_command": KeySource._of_command,  # noqa: SLF001
}
KINDS: Final = tuple(_READERS)
_PLACES: Final = {
    "key_file": "the file {!r}",
    "key_env": "the variable {!r}",
    "key_command": "the command {!r}",
}


def _printed(process: subprocess.Popen[bytes], timeout_s: float) -> tuple[bytes, bool]:
    """Return what a command prints, and whether it took too long; it has ended then."""
    is_late = False

    def end() -> None:
        nonlocal is_late
        is_late = True
        _kill(process)

    timer = Timer(timeout_s, end)
    timer.start()
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        with process.stdout as pipe:
            output = pipe.read(_LARGEST + 1)
        if len(output) > _LARGEST:
            _kill(process)
        process.wait()
    finally:
        timer.cancel()
    return output, is_late


def _kill(process: subprocess.Popen[bytes]) -> None:
    # With all that it started, or they would keep the pipe open.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _decoded(text: bytes) -> bytes | None:
    if _HEX.fullmatch(text):
        return bytes.fromhex(text.decode())
    if not _BASE64.fullmatch(text):
        return None
    try:
        key = urlsafe_b64decode(text.translate(_URLSAFE).rstrip(b"=") + b"=")
    except Base64Error:
        return None
    return key if len(key) == KEY_SIZE else None
