"""YAML text as a tree of nodes that know their lines; each document fails on its own.

PyYAML parses; composing is done here, so that every value keeps its line, a
document that can't be read costs itself only, and neither depth nor anchors
make a small file a large one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import RecordSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_DEEPEST: Final = 20
_SHOWN: Final = 80  # characters of a value in a message
_LARGEST: Final = 100_000  # nodes of one document, those behind aliases counted again
_MARKER: Final = re.compile(rb"(---|\.\.\.)(?=\s|$)")
_STANDARD: Final = "tag:yaml.org,2002:"
_READ: Final = frozenset({"str", "int", "float", "bool", "null", "timestamp"})


class Node(NamedTuple):
    """One value of a document.

    Attributes:
        value: A scalar as YAML 1.1 has it; a list of nodes; or a list of pairs of nodes.
        text: A scalar as it stands there.
        kind: Name of its type, such as `str`, `int`, `seq`, `map`.
        size: Nodes in it, itself included.
    """

    line: int
    kind: str
    value: Any
    text: str = ""
    size: int = 1


class Document(NamedTuple):
    """A document and the line it begins on; without a root it is empty."""

    line: int
    root: Node | None


def parse_documents(data: bytes, yaml: ModuleType) -> Iterator[Document | RecordSyntaxError]:
    """Yield each document of *data*, or what is wrong with it.

    Raises nothing for a document that can't be read: parsing goes on with the next.
    """
    for first_line, part in _split(data.removeprefix(b"\xef\xbb\xbf")):
        explicit = part.startswith((b"---", b"%"))
        try:
            root = _composed(_decoded(part, first_line, yaml), first_line, yaml)
        except RecordSyntaxError as error:
            yield error
        else:
            if root is not None or explicit:
                yield Document(first_line, root)


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each document and its first line: YAML lets no content begin as a marker does.

    Directives in front of a `---` belong to the document that it begins.
    """
    lines: list[bytes] = []
    first_line = 1
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        if _MARKER.match(line):
            is_end = line.startswith(b"...")
            kept = len(lines) if is_end else _without_directives(lines)
            yield first_line, b"".join(lines[:kept])
            lines = lines[kept:]
            first_line = number - len(lines)
            if is_end:
                first_line = number + 1
                continue
        lines.append(line)
    yield first_line, b"".join(lines)


def _without_directives(lines: list[bytes]) -> int:
    """Return how many of *lines* come before the directives that they end with, if they do."""
    kept = len(lines)
    for position in reversed(range(len(lines))):
        line = lines[position]
        if line.startswith(b"%"):
            kept = position
        elif line.strip() and not line.lstrip().startswith(b"#"):
            break
    return kept


def _decoded(part: bytes, first_line: int, yaml: ModuleType) -> str:
    try:
        text = part.decode()
    except UnicodeDecodeError as exc:
        line = first_line + part.count(b"\n", 0, exc.start)
        raise RecordSyntaxError(line, "it is not UTF-8; save it as UTF-8") from exc
    strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if strange:
        line = first_line + text.count("\n", 0, strange.start())
        raise RecordSyntaxError(line, f"YAML allows no such character: {strange[0]!r}")
    return text


def _composed(text: str, first_line: int, yaml: ModuleType) -> Node | None:
    # The parser of libyaml is ten times as fast; both take the same documents.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(first_line, yaml).compose(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        line = first_line + min(mark.line if mark else 0, text.rstrip().count("\n"))
        problem = getattr(exc, "problem", None) or str(exc)
        reason = " ".join(str(problem).split())
        raise RecordSyntaxError(line, f"it is no YAML: {reason}") from exc


class _Composer:
    """Makes one tree of the events of one document, without recursion."""

    def __init__(self, first_line: int, yaml: ModuleType) -> None:
        self._first_line = first_line
        self._yaml = yaml
        self._resolve: Callable[..., str] = yaml.resolver.Resolver().resolve
        self._construct: Callable[[Any], Any] = yaml.constructor.SafeConstructor().construct_object
        self._anchors: dict[str, Node] = {}
        self._open: list[tuple[Any, int, list[Node]]] = []
        self._root: Node | None = None

    def compose(self, events: Iterator[Any]) -> Node | None:
        y = self._yaml.events
        for event in events:
            if isinstance(event, y.ScalarEvent):
                self._add(self._scalar(event), event.anchor)
            elif isinstance(event, y.CollectionStartEvent):
                self._start(event)
            elif isinstance(event, y.CollectionEndEvent):
                start, line, children = self._open.pop()
                self._add(self._collection(start, line, children), start.anchor)
            elif isinstance(event, y.AliasEvent):
                self._add(self._alias(event), None)
        return self._root

    def _line(self, event: Any) -> int:
        return self._first_line + int(event.start_mark.line)

    def _start(self, event: Any) -> None:
        line = self._line(event)
        if len(self._open) == _DEEPEST:
            raise RecordSyntaxError(line, f"it is nested more than {_DEEPEST} levels deep")
        self._open.append((event, line, []))

    def _add(self, node: Node, anchor: str | None) -> None:
        if node.size > _LARGEST:
            raise RecordSyntaxError(
                node.line, f"its anchors make more than {_LARGEST} values of it"
            )
        if anchor:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1][2].append(node)
        else:
            self._root = node

    def _alias(self, event: Any) -> Node:
        line = self._line(event)
        target = self._anchors.get(event.anchor)
        if target is None:
            raise RecordSyntaxError(line, f"the anchor {event.anchor!r} is not defined before")
        return target._replace(line=line)

    def _scalar(self, event: Any) -> Node:
        line = self._line(event)
        y = self._yaml.nodes
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._resolve(y.ScalarNode, event.value, event.implicit)
        kind = tag.removeprefix(_STANDARD)
        if kind == "merge" and event.tag is None:
            return Node(line, kind, event.value, event.value)
        if kind not in _READ:
            raise RecordSyntaxError(line, f"units hold no values of the type {tag!r}")
        if kind == "str":
            return Node(line, kind, event.value, event.value)
        try:
            value = self._construct(y.ScalarNode(tag, event.value))
            str(value)  # which Python refuses for a number of more than a few thousand digits
        except Exception as exc:  # PyYAML lets any error of the value's type through
            shown = f"{event.value!r}" if len(event.value) <= _SHOWN else "a text that long"
            detail = f": {exc}" if kind == "timestamp" and isinstance(exc, ValueError) else ""
            reason = f"{shown} is no {kind}{detail}; put it in quotes if it is text"
            raise RecordSyntaxError(line, reason) from exc
        return Node(line, kind, value, event.value)

    def _collection(self, start: Any, line: int, children: list[Node]) -> Node:
        mapping = isinstance(start, self._yaml.events.MappingStartEvent)
        kind = "map" if mapping else "seq"
        if start.tag not in {None, "!", _STANDARD + kind}:
            raise RecordSyntaxError(line, f"units hold no values of the type {start.tag!r}")
        size = 1 + sum(child.size for child in children)
        if not mapping:
            return Node(line, kind, children, size=size)
        pairs = list(zip(children[::2], children[1::2], strict=True))
        return Node(line, kind, _merged(pairs), size=size)


def _merged(pairs: list[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
    """Return *pairs* with those of mappings under `<<` in front, which own ones replace."""
    if not any(key.kind == "merge" for key, _value in pairs):
        return pairs
    own = [(key, value) for key, value in pairs if key.kind != "merge"]
    own_keys = {key.text for key, _value in own}
    merged: dict[str, tuple[Node, Node]] = {}
    for key, value in pairs:
        if key.kind == "merge":
            for source in value.value if value.kind == "seq" else [value]:
                if source.kind != "map":
                    raise RecordSyntaxError(key.line, "'<<' takes a mapping or a list of them")
                for pair in source.value:
                    merged.setdefault(pair[0].text, pair)
    return [*(pair for text, pair in merged.items() if text not in own_keys), *own]
