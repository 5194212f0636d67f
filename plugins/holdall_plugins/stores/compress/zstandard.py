"""Zstandard, by the standard library or its backport, with bounds on what is unpacked."""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from holdall_plugins.stores.recoded import DamageError

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST: Final = 2**30
"""Bytes that one entry may have, as in the journal."""

_FREE: Final = 1 << 24
_RATIO: Final = 256
_WINDOW_LOG: Final = 24
"""A frame may ask its reader for 16 MiB; none is written that asks for more."""

DICTIONARIES: Final[Mapping[int, str]] = {32_769: "entries-1.zdict"}
"""Files by the number that each frame has; one that was released stays as it is."""

LATEST: Final = 32_769


def allowed(size: int) -> int:
    """Return how much *size* bytes may unpack to, so that a few do not fill the memory."""
    return min(LARGEST, max(_FREE, _RATIO * size))


class Packer:
    """Compresses at one level, for one thread at a time: to make a context takes longest."""

    def __init__(self, level: int, dictionary: int = 0) -> None:
        used: Any = _dictionary(dictionary).as_digested_dict if dictionary else None
        options: dict[int, int] = {
            zstd.CompressionParameter.compression_level: level,
            zstd.CompressionParameter.checksum_flag: 1,
        }
        self._compressor: Final = zstd.ZstdCompressor(options=options, zstd_dict=used)

    def packed(self, data: bytes) -> bytes | None:
        """Return *data* as one frame, None if that is not smaller or could not be read again."""
        self._compressor.set_pledged_input_size(len(data))
        frame = self._compressor.compress(data, zstd.ZstdCompressor.FLUSH_FRAME)
        return frame if len(frame) < len(data) <= allowed(len(frame)) else None


def decompressed(frame: bytes, largest: int) -> bytes:
    """Return what `compressed` was given.

    Raises:
        DamageError: It is no such frame, or it unpacks to more than *largest*.
    """
    try:
        number = zstd.get_frame_info(frame).dictionary_id
        if number and number not in DICTIONARIES:
            raise DamageError(
                f"it takes the dictionary {number}, which this holdall does not have; "
                "if it is whole, a newer holdall reads it"
            )
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        unpacker = zstd.ZstdDecompressor(_dictionary(number) if number else None, options)
        data = unpacker.decompress(frame, largest + 1)
    except (zstd.ZstdError, EOFError) as error:
        raise DamageError(f"it can't be unpacked ({error})") from error
    if len(data) > largest:
        raise DamageError(f"it unpacks to more than {largest} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise DamageError("it is cut short, or something follows it")
    return data


@cache
def _dictionary(number: int) -> zstd.ZstdDict:
    file = resources.files("holdall_plugins.stores.compress") / DICTIONARIES[number]
    return zstd.ZstdDict(file.read_bytes())
