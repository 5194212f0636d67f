"""XML of strangers, step by step, without declarations that name or multiply anything."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE: Final = 64 * 1024
_DEEPEST: Final = 1000
_LONGEST_TAG: Final = 8 * 2**20


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


def xml_steps(path: Path) -> Iterator[XmlStep]:
    """Yield the document step by step; memory does not grow with its size.

    Raises:
        ValueError: It is no well-formed XML, has a document type declaration, is nested more
            than a thousand deep, or has a tag of more than 8 MiB; the message has the line.
    """
    reader = _Reader()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield from reader.feed(piece)
        yield from reader.feed(b"", is_last=True)


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


class _Reader:
    """Steps of a document whose bytes come piece by piece."""

    def __init__(self) -> None:
        self._steps: list[XmlStep] = []
        self._depth = 0
        self._fed = 0
        self._parser: Final = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.buffer_size = _PIECE
        self._parser.StartDoctypeDeclHandler = self._declared
        self._parser.StartElementHandler = self._started
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = self._said

    def feed(self, piece: bytes, *, is_last: bool = False) -> list[XmlStep]:
        """Return the steps that *piece* completes."""
        self._steps = []
        self._fed += len(piece)
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise ValueError(f"line {error.lineno}: no well-formed XML: {reason}") from error
        except LookupError as error:
            raise ValueError(f"line 1: {error}") from error
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            raise ValueError(f"line {self._line}: a tag has more than {_LONGEST_TAG} bytes")
        return self._steps

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _declared(self, *_: object) -> None:
        raise ValueError(
            f"line {self._line}: it has a document type declaration (DOCTYPE), which no report "
            "needs and which is not read; remove it"
        )

    def _started(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"line {self._line}: elements are nested more than {_DEEPEST} deep")
        self._steps.append(Start(tag.rpartition(" ")[2], _plain(attributes), self._line))

    def _ended(self, tag: str) -> None:
        self._depth -= 1
        self._steps.append(End(tag.rpartition(" ")[2], self._line))

    def _said(self, text: str) -> None:
        self._steps.append(Text(text))


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    return {name.rpartition(" ")[2]: value for name, value in attributes.items()}
