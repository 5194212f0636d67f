"""Attachments on the page: small texts to be read, small files of any kind to be had.

The contents stand in lines of base64 of their own, one for each attachment, so that
opening a job does not unpack the screenshots of others.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from holdall.errors import MissingBlobError
from holdall.languages import N_
from holdall.writing import html_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ExportContext
    from holdall.results import Attachment
    from holdall.view import AttemptView, SessionView

CONTENTS_LEFT_OUT: Final = N_("contents of attachments left out")
"""What the `ExportReport` counts those under that the page has no room for."""

# What browsers show as a picture and never as a document; SVG is one, with scripts.
_IMAGES: Final = frozenset(
    f"image/{name}" for name in ("png", "jpeg", "gif", "webp", "avif", "bmp")
)
_TEXTS: Final = ("text/", "application/json", "application/xml", "application/yaml")
_MOST_NESTED: Final = 10  # levels of a content that is indented
_BRACKETS: Final = re.compile(rb"[][{}]")
_JSON_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_PIECE: Final = 3 << 14  # bytes read at a time; three make four characters of base64


class Room(Protocol):
    """How much of attachments a page holds."""

    @property
    def attachment_max(self) -> int:
        """Bytes of a text up to which it is shown."""
        ...

    @property
    def archive(self) -> bool:
        """Whether the page stands in an archive, beside the files of the session."""
        ...

    @property
    def embed_max(self) -> int:
        """Bytes of an attachment up to which its content is there."""
        ...

    @property
    def embed_total(self) -> int:
        """Bytes of all contents together."""
        ...


class FileEntry(msgspec.Struct, omit_defaults=True):
    """An attachment, as the details of an attempt name it.

    Attributes:
        text: Its content, if that is a short text.
        image: The type to show its content as, if that is a picture.
        line: The number of the line that has its content; None if the page has no room for it.
        at: Where it is beside the page, as a link.
    """

    name: str
    type: str
    size: int
    text: str | None = None
    image: str = ""
    line: int | None = None
    at: str = ""


class Embedding:
    """Chooses which contents a page holds, the first ones as long as there is room.

    Attributes:
        lines: How many contents were chosen.
    """

    def __init__(self, room: Room) -> None:
        self._room: Final = room
        self._left = room.embed_total
        self.lines = 0

    def line_of(self, attachment: Attachment) -> int | None:
        """Return the number of the line for the content of the next attachment."""
        size = attachment.size
        if self._room.archive and not image_type(attachment):
            return None  # its file stands beside the page
        if size > self._room.embed_max or size > self._left:
            return None
        self._left -= size
        self.lines += 1
        return self.lines - 1

    def entry(
        self, attempt: AttemptView, attachment: Attachment, context: ExportContext
    ) -> FileEntry:
        """Return the entry of the next attachment."""
        media_type = html_text(attachment.media_type)
        entry = FileEntry(html_text(attachment.name), media_type, attachment.size)
        entry.line = self.line_of(attachment)
        if entry.line is None and not self._room.archive:
            context.count(CONTENTS_LEFT_OUT)
        entry.image = image_type(attachment)
        if media_type.startswith(_TEXTS) and attachment.size <= self._room.attachment_max:
            is_json = media_type.startswith("application/json")
            entry.text = _text_of(attempt, attachment, is_json=is_json)
        return entry


def image_type(attachment: Attachment) -> str:
    """Return the type to show *attachment* as if it is a picture, else nothing."""
    media_type = attachment.media_type.partition(";")[0].strip().lower()
    return media_type if media_type in _IMAGES else ""


def contents(
    view: SessionView, room: Room, context: ExportContext, chosen: Embedding
) -> Iterator[str]:
    """Yield the contents that were *chosen*, each on a line of its own, in pieces."""
    if not chosen.lines:
        return
    embedding = Embedding(room)
    for job in view.jobs():
        for attempt in job.attempts:
            for attachment in attempt.attachments:
                line = embedding.line_of(attachment)
                if line is None:
                    continue
                context.check_cancelled()
                if line:
                    yield "\n"
                yield from _encoded(attempt, attachment, context)


def _encoded(
    attempt: AttemptView, attachment: Attachment, context: ExportContext
) -> Iterator[str]:
    """Yield a content in base64; a missing one is an empty line, which the page tells."""
    try:
        with attempt.open_attachment(attachment) as content:
            while piece := content.read(_PIECE):
                yield b64encode(piece).decode()
    except MissingBlobError as error:
        context.warn("left-out", f"the attachment {attachment.name!r} is not in the page: {error}")


def _text_of(attempt: AttemptView, attachment: Attachment, *, is_json: bool) -> str | None:
    try:
        with attempt.open_attachment(attachment) as content:
            data = content.read(attachment.size)
    except MissingBlobError:  # `contents` warns of it
        return None
    if is_json and b"\n" not in data.strip():
        data = _indented(data)
    return html_text(data.decode("utf-8", "backslashreplace"))


def _indented(data: bytes) -> bytes:
    """Return JSON that is all on one line as people read it, unless it is nested too deep.

    Each level indents all that is in it once more, so a few bytes could become many.
    """
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_JSON_TEXT.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > _MOST_NESTED:
        return data
    try:
        return msgspec.json.format(data, indent=2)
    except msgspec.DecodeError:
        return data
