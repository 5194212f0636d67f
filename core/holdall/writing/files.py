"""File names made of ids: no two ids give one name, and none leads out of its folder.

The names of logs and attachments are those in an archive of `holdall.tar`, for every format
that writes such files, or links to them.
"""

from __future__ import annotations

import re
from itertools import chain, count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from holdall.view import AttemptView, JobView

_LONGEST: Final = 120  # leaves room for what callers add to one of 255 bytes, and for paths

# A dot in front hides a file, and a hyphen makes programs take its name for an option.
_NOT_PLAIN: Final = re.compile(rb"[^A-Za-z0-9_.-]|\A[.-]")
_ENDING: Final = re.compile(r"(.*?)((?:\.[A-Za-z0-9]{1,8})?)")


def file_name(text: str) -> str:
    """Return a name for *text*: ASCII, the same for no other text, whatever the file system.

    What is no letter, digit, `-`, `_` or `.` becomes `%xx`. Names that differ only in
    case, or are cut, get `~` and a digest of the whole, before the ending if there is one.
    A link to the file quotes the name once more, by `urllib.parse.quote`, or its `%` are read
    as those of an address.
    """
    plain = _plain(text)
    if plain == plain.lower() and 0 < len(plain) <= _LONGEST:
        return plain
    from hashlib import sha256  # reports of one file name none, and should not wait for it

    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    match = _ENDING.fullmatch(plain)
    stem, ending = match.groups() if match else (plain, "")
    return f"{stem[:_LONGEST]}~{digest}{ending}"


def lone_name(text: str) -> str:
    """Return a name as `file_name` does, for what has its folder to itself.

    No other name is there that could differ in case alone, so capitals get no digest.
    """
    plain = _plain(text)
    return plain if 0 < len(plain) <= _LONGEST else file_name(text)


def attempt_path(job: JobView, number: int, *, several_devices: bool) -> str:
    """Return the path, within `logs` and `attachments`, of attempt *number*, the first being 1."""
    folder = f"{file_name(job.device_id)}/" if several_devices else ""
    return f"{folder}{file_name(job.id)}.{number}"


def attachment_names(job: JobView, attempt: AttemptView) -> list[str]:
    """Return the file names of the attachments of *attempt*, each another one.

    The name `stdout` of an attachment job is that of its standard output.
    """
    taken = {"stdout"} if job.plugin == "attachment" else set()
    names = []
    for attachment in attempt.attachments:
        names.append(free_name(attachment.name, taken))
        taken.add(names[-1])
    return names


def free_name(text: str, taken: Collection[str]) -> str:
    """Return the file name for *text*, with a number in front if it is one of *taken*."""
    name = file_name(text)
    numbered = (f"{number}~{name}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _plain(text: str) -> str:
    """Return *text* with what is no letter, digit, `-`, `_` or `.` as `%xx`."""
    data = text.encode("utf-8", "surrogatepass")
    return _NOT_PLAIN.sub(lambda match: b"%%%02x" % ord(match[0]), data).decode("ascii")


_LARGE: Final = 1 << 16


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces* joined to some of at least 64 KiB, and what is left."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _LARGE:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
    if waiting:
        yield b"".join(waiting)
