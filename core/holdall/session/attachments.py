"""Files that jobs leave behind, as a result holds them: small ones in it, others as blobs."""

from __future__ import annotations

from itertools import chain
from mimetypes import guess_type
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from holdall.journal import INLINE
from holdall.results import Attachment, IOLogRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import Storage
    from holdall.redaction import Masker

_ANY_TYPE: Final = "application/octet-stream"


def store_attachment(
    storage: Storage,
    name: str,
    pieces: Iterator[bytes],
    *,
    media_type: str = "",
    masker: Masker | None = None,
) -> Attachment:
    """Return an attachment whose content is masked, and durable if it is large.

    Args:
        name: Name of the file; folders in front of it are left out.
        media_type: By default what the name says.
    """
    name = PurePath(name).name or "attachment"
    media_type = media_type or guess_type(name)[0] or _ANY_TYPE
    if masker is not None:
        records = (IOLogRecord(0.0, "stdout", piece) for piece in pieces)
        pieces = (record.data for record in masker.records(records))
    head = b""
    for piece in pieces:
        head += piece
        if len(head) > INLINE:
            break
    if len(head) <= INLINE:
        return Attachment(name=name, media_type=media_type, size=len(head), data=head)
    counted = _Counted(chain([head], pieces))
    ref = storage.put_blob(counted)
    return Attachment(name=name, media_type=media_type, size=counted.size, ref=ref)


class _Counted:
    """Bytes as they pass, and how many there were."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.size = 0
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            yield piece
