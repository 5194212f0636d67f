"""XML of strangers, step by step, without declarations that name or multiply anything."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PIECE: Final = 64 * 1024
_DEEPEST: Final = 1000
_LONGEST_TAG: Final = 8 * 2**20
_NEXT_BEGINS: Final = frozenset(
    {
        expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT],
        expat.errors.codes[expat.errors.XML_ERROR_MISPLACED_XML_PI],
    }
)


class Start(NamedTuple):
    """An element begins.

    Attributes:
        tag: Its name, without the namespace.
        attributes: Values by name, without the namespaces.
        line: Number of the line in which it begins, from 1 on.
    """

    tag: str
    attributes: dict[str, str]
    line: int


class Text(NamedTuple):
    """Text inside of the element that began last; long text comes in several steps."""

    text: str


class End(NamedTuple):
    """An element ends; `line` is the number of the line in which its end stands."""

    tag: str
    line: int


XmlStep = Start | Text | End
"""What is read next of an XML document."""


class Root(NamedTuple):
    """What a document begins with: name, namespace and attributes of its first element."""

    tag: str
    namespace: str
    attributes: dict[str, str]


def xml_steps(path: Path, *, several_roots: bool = False) -> Iterator[XmlStep]:
    """Yield the document step by step; memory does not grow with its size.

    Args:
        several_roots: Whether other documents may follow the first one in the same file.

    Raises:
        ValueError: It is no well-formed XML, has a document type declaration, is nested more
            than a thousand deep, or has a tag of more than 8 MiB; the message has the line.
    """
    steps: list[XmlStep] = []
    reader = XmlReader(
        started=lambda tag, attributes, line: steps.append(Start(tag, attributes, line)),
        said=lambda text: steps.append(Text(text)),
        ended=lambda tag, line: steps.append(End(tag, line)),
        several_roots=several_roots,
    )
    for _piece in reader.pieces(path):
        yield from steps
        steps.clear()


def xml_root(head: bytes) -> Root | None:
    """Return what begins a document whose first bytes are *head*, None if they do not show it.

    Of a document with a document type declaration, the name is what the declaration says; it has
    no attributes then.
    """
    found: list[Root] = []

    def declared(name: str, *_: object) -> None:
        found.append(Root(name, "", {}))
        raise _EnoughError

    def started(tag: str, attributes: dict[str, str]) -> None:
        namespace, _space, name = tag.rpartition(" ")
        found.append(Root(name, namespace, _plain(attributes)))
        raise _EnoughError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = started
    with suppress(_EnoughError, expat.ExpatError, ValueError, LookupError):
        parser.Parse(head)
    return found[0] if found else None


class _EnoughError(Exception):
    """The root was found."""


class XmlReader:
    """Reads documents piece by piece, and calls what it is given for what stands in them."""

    def __init__(
        self,
        *,
        started: Callable[[str, dict[str, str], int], None],
        said: Callable[[str], None],
        ended: Callable[[str, int], None],
        several_roots: bool,
    ) -> None:
        self._on_start: Final = started
        self._on_text: Final = said
        self._on_end: Final = ended
        self._several_roots: Final = several_roots
        self._depth = 0
        self._lines_before = 0
        self._begin(b"")

    def _begin(self, before: bytes) -> None:
        """Begin a document; *before* is what of it was read already."""
        self._fed = len(before)
        self._last = before
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = _PIECE
        parser.StartDoctypeDeclHandler = self._declared
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._on_text
        self._parser = parser

    def pieces(self, path: Path) -> Iterator[int]:
        """Read a file; yield the size of each piece when all that stands in it was told.

        Raises:
            ValueError: As `xml_steps` does.
        """
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield from self._told(piece, is_last=False)
        yield from self._told(b"", is_last=True)

    def _told(self, piece: bytes, *, is_last: bool) -> Iterator[int]:
        try:
            self._feed(piece, is_last=is_last)
        except ValueError:
            yield len(piece)  # what stands in front of the damage was told
            raise
        yield len(piece)

    def _feed(self, piece: bytes, *, is_last: bool) -> None:
        while piece or is_last:
            rest = self._parsed(piece, is_last=is_last)
            if rest is None:
                return
            piece = rest

    def _parsed(self, piece: bytes, *, is_last: bool) -> bytes | None:
        """Parse *piece*; return what of it belongs to the next document, None without one."""
        known, self._last = self._last, piece
        self._fed += len(piece)
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            if self._several_roots and not self._depth and error.code in _NEXT_BEGINS:
                begin = self._parser.ErrorByteIndex - self._fed
                self._lines_before += error.lineno - 1
                if 0 < -begin <= len(known) + len(piece):
                    self._begin(b"")
                    return (known + piece)[begin:]
            reason = expat.ErrorString(error.code)
            where = f"line {self._lines_before + error.lineno}, column {error.offset + 1}"
            raise ValueError(f"{where}: no well-formed XML: {reason}") from error
        except LookupError as error:
            raise ValueError(f"line {self._lines_before + 1}: {error}") from error
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            raise ValueError(f"line {self._line}: a tag has more than {_LONGEST_TAG} bytes")
        return None

    @property
    def _line(self) -> int:
        return self._lines_before + self._parser.CurrentLineNumber

    def _declared(self, *_: object) -> None:
        raise ValueError(
            f"line {self._line}: it has a document type declaration (DOCTYPE), which no report "
            "needs and which is not read; remove it"
        )

    def _started(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        line = self._lines_before + self._parser.CurrentLineNumber
        if self._depth > _DEEPEST:
            raise ValueError(f"line {line}: elements are nested more than {_DEEPEST} deep")
        if " " in tag:
            tag = tag.rpartition(" ")[2]
        self._on_start(tag, _plain(attributes), line)

    def _ended(self, tag: str) -> None:
        self._depth -= 1
        if " " in tag:
            tag = tag.rpartition(" ")[2]
        self._on_end(tag, self._lines_before + self._parser.CurrentLineNumber)


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    for name in attributes:
        if " " in name:
            return {name.rpartition(" ")[2]: value for name, value in attributes.items()}
    return attributes
