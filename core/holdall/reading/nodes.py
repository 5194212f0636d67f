"""Elements of an XML document as wholes: those that are small, out of one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.reading.text import LongText
from holdall.reading.xml import End, Start, Text, xml_steps

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

_NO_TEXT: Final = LongText()


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
        self.children: Final[list[XmlNode]] = []
        self.text = _NO_TEXT

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
    open_nodes: list[XmlNode] = []
    for step in xml_steps(path, several_roots=several_roots):
        kind = type(step)
        if kind is Text:
            if open_nodes:
                open_nodes[-1].say(step[0])
        elif kind is Start:
            if open_nodes:
                node = XmlNode(*step)
                open_nodes[-1].children.append(node)
                open_nodes.append(node)
            elif step[0] in tags:
                open_nodes.append(XmlNode(*step))
            else:
                yield step
        elif open_nodes:
            node = open_nodes.pop()
            if not open_nodes:
                yield node
        else:
            yield step
