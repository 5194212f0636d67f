r"""Lines of a journal file: a header, then one line of JSON for each entry.

    {"holdall":"journal","format":1,"session":"id","first":1,"salt":"...","begun":0,"sum":"..."}
    {"sum":"01234567","left":1,"entry":{...}}
    {"sum":"76543210","left":0,"base64":"..."}

`sum` is a CRC-32 over the rest of the line that starts from the sum of the line
before, so a line that is flipped, missing, doubled or left over from other
uses of the disk does not fit. `left` is how many entries of the batch follow.
An entry that is JSON on one line stands there byte for byte. `begun` is how many
entries the file had when it got its name: they were synced before, so no crash
can have cut them.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT: Final = 1
"""Version of the lines; a reader refuses a file with a higher one."""

_HEAD: Final = b'{"sum":"%08x",'
_JSON: Final = b'"left":%d,"entry":%b}'
_OTHER: Final = b'"left":%d,"base64":"%b"}'
_SUM: Final = slice(8, 16)
_REST: Final = len(_HEAD % 0)
_HEADER_END: Final = len(b',"sum":"89abcdef"}')


class Header(msgspec.Struct, frozen=True):
    """The first line of a journal file."""

    format: int
    session: str
    first: int
    salt: str
    sum: str
    begun: int | None = None

    @property
    def synced(self) -> int:
        """Number of entries that were synced before the file got its name."""
        if self.begun is None:  # the first files did not say it; such a one began with a snapshot
            return int(self.first > 1)
        return self.begun


class Line(NamedTuple):
    """One entry, as a line holds it."""

    sum: int
    left: int
    entry: bytes


def header_line(session_id: str, first: int, begun: int = 0) -> tuple[bytes, int]:
    """Return a header that no other file has, with its newline, and its sum."""
    body = b'{"holdall":"journal","format":%d,"session":%b,"first":%d,"salt":"%b","begun":%d' % (
        FORMAT,
        msgspec.json.encode(session_id),
        first,
        secrets.token_hex(8).encode(),
        begun,
    )
    total = crc32(body)
    return b'%b,"sum":"%08x"}\n' % (body, total), total


def parse_header(line: bytes) -> Header | None:
    """Return what a header without its newline says, None if it is not what was written."""
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return header if header.sum == f"{crc32(line[:-_HEADER_END]):08x}" else None


_checked_json: Final = msgspec.json.Decoder(msgspec.Raw).decode


def encode_batch(entries: Sequence[bytes], before: int) -> tuple[bytearray, int]:
    """Return the lines of one batch behind a line of sum *before*, and the last one's sum."""
    lines = bytearray()
    left = len(entries)
    for entry in entries:
        left -= 1
        line, before = encode_line(entry, left, before)
        lines += line
    return lines, before


def encode_line(entry: bytes, left: int, before: int) -> tuple[bytes, int]:
    """Return the line of one entry, with its newline, and its sum."""
    if _is_json_on_one_line(entry):
        rest = _JSON % (left, entry)
    else:
        rest = _OTHER % (left, b64encode(entry))
    total = crc32(rest, before)
    return b"%b%b\n" % (_HEAD % total, rest), total


def parse_line(line: bytes, before: int) -> Line | None:
    """Return what a line without its newline holds, None if it does not fit *before*."""
    rest = line[_REST:]
    total = crc32(rest, before)
    if line[:_REST] != _HEAD % total:
        return None
    left, _, tail = rest[len(b'"left":') :].partition(b",")
    try:
        return Line(total, int(left), _entry(tail)) if left.isdigit() else None
    except ValueError:  # the sum fits, and yet no holdall wrote this
        return None


def stored_entry(line: bytes) -> bytes:
    """Return the entry that a line without its newline holds, without a look at its sum."""
    return _entry(line[_REST:].partition(b",")[2])


def _entry(tail: bytes) -> bytes:
    if tail.startswith(b'"entry":'):
        return tail[len(b'"entry":') : -1]
    return b64decode(tail[len(b'"base64":"') : -2])


def stored_sum(line: bytes) -> int | None:
    """Return the sum that a line claims to have, None if that can't be read."""
    try:
        return int(line[_SUM], 16)
    except ValueError:
        return None


def _is_json_on_one_line(entry: bytes) -> bool:
    if b"\n" in entry:
        return False
    try:
        _checked_json(entry)
        entry.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
