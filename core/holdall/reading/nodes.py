"""Elements of an XML document as wholes: those that are small, out of one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.reading.text import LongText
from holdall.reading.xml import End, Start, XmlReader

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

MOST_INSIDE: Final = 100_000
"""How many elements a whole may have inside; each takes memory."""

# What most elements have of each; an own one is made for those that have more.
_NO_TEXT: Final = LongText()
_NO_CHILDREN: Final[list[XmlNode]] = []


class XmlNode:
    """An element with all that is inside of it.

    Attributes:
        tag: Its name, without the namespace.
        attributes: Values by name, without the namespaces.
        line: Number of the line in which it begins, from 1 on.
        children: The elements directly inside of it.
        text: The text directly inside of it.
    """

    __slots__ = ("attributes", "children", "line", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag: Final = tag
        self.attributes: Final = attributes
        self.line: Final = line
        self.children = _NO_CHILDREN
        self.text = _NO_TEXT

    def add(self, node: XmlNode) -> None:
        """Add an element inside of it."""
        if self.children is _NO_CHILDREN:
            self.children = []
        self.children.append(node)

    def say(self, text: str) -> None:
        """Add text."""
        if self.text is _NO_TEXT:
            self.text = LongText()
        self.text.add(text)

    def child(self, tag: str) -> XmlNode | None:
        """Return the first child of that name."""
        return next((child for child in self.children if child.tag == tag), None)

    def text_of(self, tag: str, most: int = 2**20) -> str:
        """Return what stands in the first child of that name, without blanks around it."""
        child = self.child(tag)
        return "" if child is None else child.text.head(most).strip()


def xml_nodes(
    path: Path, tags: Container[str], *, several_roots: bool = False
) -> Iterator[XmlNode | Start | End]:
    """Yield the elements that are called one of *tags* as wholes, and the steps between them.

    Text outside of those elements is left out, long text inside of them takes no memory.

    Args:
        several_roots: Whether other documents may follow the first one in the same file.

    Raises:
        ValueError: As `xml_steps` does.
    """
    building = _Building(tags)
    reader = XmlReader(
        started=building.start,
        said=building.say,
        ended=building.end,
        several_roots=several_roots,
    )
    for _piece in reader.pieces(path):
        ready, building.ready = building.ready, []
        # In turn, so that a whole goes as soon as the next one is asked for.
        ready.reverse()
        while ready:
            yield ready.pop()


class _Building:
    """The elements that are open, and what is ready to be handed out."""

    def __init__(self, tags: Container[str]) -> None:
        self.ready: list[XmlNode | Start | End] = []
        self._tags: Final = tags
        self._count = 0
        self._open: Final[list[XmlNode]] = []

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        """Begin a node, inside of another or because it is wanted; otherwise it is a step."""
        if self._open:
            self._count += 1
            if self._count > MOST_INSIDE:
                raise ValueError(f"line {line}: an element has more than {MOST_INSIDE} inside")
            node = XmlNode(tag, attributes, line)
            self._open[-1].add(node)
            self._open.append(node)
        elif tag in self._tags:
            self._count = 0
            self._open.append(XmlNode(tag, attributes, line))
        else:
            self.ready.append(Start(tag, attributes, line))

    def say(self, text: str) -> None:
        """Add text to the node that is open."""
        if self._open:
            self._open[-1].say(text)

    def end(self, tag: str, line: int) -> None:
        """End the innermost node, which is ready if it is in no other; or it is a step."""
        if not self._open:
            self.ready.append(End(tag, line))
            return
        node = self._open.pop()
        if not self._open:
            self.ready.append(node)
