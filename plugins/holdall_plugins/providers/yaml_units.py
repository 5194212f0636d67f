"""Units written as YAML, read as records whose text means the same in the grammar of pxu files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import RecordSyntaxError
from holdall.units import Record
from holdall_plugins.providers.yaml_documents import parse_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdall_plugins.providers.yaml_documents import Document, Node

MISSING: Final = (
    "PyYAML is needed to read YAML units, and is not installed; run: pip install 'pyyaml>=6.0'"
)

# Text for people, which YAML may take for something else: `summary: yes`.
_PROSE: Final = frozenset(
    {
        *("summary", "name", "description", "purpose", "steps", "verification"),
        *("template_summary", "template_description", "prompt", "hidden_reason"),
    }
)
_DURATIONS: Final = frozenset({"estimated_duration"})
_SWITCHES: Final = frozenset({"xfail"})
_SINGLE: Final = frozenset(
    {
        *("id", "template_id", "unit", "plugin", "command", "shell", "user", "group"),
        *("category_id", "certification_status", "template_resource", "template_unit"),
        *("template_engine", "auto_retry", "entry_point", "file_extension"),
        *("value_type", "resource_key"),
    }
)


class Remark(NamedTuple):
    """Something odd that costs no definition."""

    line: int
    text: str


def parse_yaml_units(data: bytes) -> Iterator[Record | RecordSyntaxError | Remark]:
    """Yield the record of each document of *data*, or what is wrong with it.

    Raises:
        ImportError: PyYAML is not installed.
    """
    import yaml  # few providers have YAML units

    for document in parse_documents(data, yaml):
        if isinstance(document, RecordSyntaxError):
            yield document
            continue
        remarks: list[Remark] = []
        try:
            record = _record(document, remarks)
        except RecordSyntaxError as error:
            yield error
            continue
        yield record
        yield from remarks


def _record(document: Document, remarks: list[Remark]) -> Record:
    root = document.root
    if root is None or root.kind == "null":
        raise RecordSyntaxError(document.line, "the document is empty; remove one '---'")
    if root.kind != "map":
        reason = f"a unit is a mapping of fields to values, not {_shape(root)}"
        raise RecordSyntaxError(root.line, f"{reason}; part units with '---'")
    fields: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key, value in root.value:
        if key.kind != "str":
            reason = f"the name of a field is text, not {_shape(key)}; put it in quotes"
            raise RecordSyntaxError(key.line, reason)
        if key.text in fields:
            first = lines[key.text]
            text = f"the field {key.text!r} stands twice, first on line {first}; the last counts"
            remarks.append(Remark(key.line, text))
            del fields[key.text]
        lines[key.text] = key.line
        if value.kind == "null":
            remarks.append(
                Remark(key.line, f"the field {key.text!r} has no value; it is left out")
            )
        else:
            fields[key.text] = _text(key.text, value)
    if not fields:
        raise RecordSyntaxError(root.line, "the unit has no fields")
    return Record(fields, min(lines.values()), max(lines.values()), lines)


def _text(written: str, node: Node) -> str:
    """Return the text that means in a pxu file what *node* means in a YAML file."""
    name = written.removeprefix("_").replace("-", "_")
    if node.kind == "str":
        return node.text
    if name in _AS_JSON and node.kind in {"seq", "map"}:
        return json.dumps(_plain(node), ensure_ascii=False)
    if node.kind == "map" or (node.kind == "seq" and name in _PROSE | _SINGLE | _DURATIONS):
        raise RecordSyntaxError(node.line, f"the field {written!r} takes no {_shape(node)[2:]}")
    if node.kind == "seq":
        separator, item = _LISTS.get(name, ("\n", _one_line))
        return separator.join(item(written, child) for child in node.value)
    if node.kind == "bool" and name in _SWITCHES:
        return str(node.value).lower()
    if name in _PROSE:
        return str(node.value)
    if node.kind != "bool" and name not in _SINGLE:
        return str(node.value) if name in _DURATIONS else node.text
    reason = f"YAML reads {node.text!r} as {_shape(node)}, and the field {written!r} takes text"
    raise RecordSyntaxError(node.line, f"{reason}; put it in quotes")


def _one_line(written: str, node: Node) -> str:
    """Return an item that is a line of its own in a pxu file."""
    return " ".join(_string(written, node).split("\n")).strip()


def _word(written: str, node: Node) -> str:
    """Return an item that is a word among others, such as a flag."""
    text = _string(written, node).strip()
    if not text or any(sign.isspace() or sign == "," for sign in text):
        reason = f"an item of {written!r} is one word, not {text!r}; write one item for each word"
        raise RecordSyntaxError(node.line, reason)
    return text


def _id(written: str, node: Node) -> str:
    return _quoted(written, _string(written, node), node.line)


def _pattern(written: str, node: Node) -> str:
    """Return a line that selects jobs: a whole pattern, or one with the fields it overrides."""
    if node.kind != "map":
        return _id(written, node)
    if len(node.value) != 1:
        reason = (
            f"an item of {written!r} is one pattern with its overrides; write an item for each"
        )
        raise RecordSyntaxError(node.line, reason)
    pattern, overrides = node.value[0]
    fields = [
        f"{_id(written, key)}={_id(written, value)}"
        for part in (overrides.value if overrides.kind == "seq" else [overrides])
        for key, value in _pairs(written, part)
    ]
    return f"{_id(written, pattern)} {', '.join(fields)}".rstrip()


def _pairs(written: str, node: Node) -> list[tuple[Node, Node]]:
    if node.kind != "map":
        reason = f"overrides in {written!r} are written 'field: value', not as {_shape(node)}"
        raise RecordSyntaxError(node.line, reason)
    pairs: list[tuple[Node, Node]] = node.value
    return pairs


def _string(written: str, node: Node) -> str:
    if node.kind == "str":
        return node.text
    reason = f"an item of {written!r} is text, not {_shape(node)}"
    way_out = "" if node.kind in {"seq", "map"} else f" (YAML reads {node.text!r} so); quote it"
    raise RecordSyntaxError(node.line, reason + way_out)


def _quoted(written: str, text: str, line: int) -> str:
    r"""Return *text* so that lists in pxu files take it as one word.

    Quotes are known at the beginning of a word only, and nothing escapes one in quotes. A
    pattern has `\x22` for it; in a list of ids that is one which nothing has, so that the
    item costs itself and not what is beside it.
    """
    text = text.strip()
    if not text:
        raise RecordSyntaxError(line, f"the item '' is empty; remove it from {written!r}")
    if not text.startswith('"') and not any(c.isspace() or c in ",=#" for c in text):
        return text
    text = "".join(_ESCAPED.get(sign, sign) for sign in text)
    return f'"{text}"' if any(c.isspace() or c in ",=#" for c in text) else text


def _plain(node: Node) -> Any:
    """Return the node as JSON has it; dates stay as they are written."""
    if node.kind == "seq":
        return [_plain(child) for child in node.value]
    if node.kind == "map":
        return {_string("keys", key): _plain(value) for key, value in node.value}
    return node.text if node.kind == "timestamp" else node.value


def _shape(node: Node) -> str:
    return _SHAPES[node.kind]


_SHAPES: Final[Mapping[str, str]] = {
    "seq": "a list",
    "map": "a mapping",
    "int": "a number",
    "float": "a number",
    "bool": "a yes or no",
    "null": "a value that is none",
    "timestamp": "a date",
    "str": "a text",
    "merge": "a text",
}
# What ends a word in quotes, or the line that a pattern stands on.
_ESCAPED: Final[Mapping[str, str]] = {
    '"': r"\x22",
    **{sign: f"\\x{ord(sign):02x}" for sign in "\n\r\v\f\x1c\x1d\x1e\x85"},
    **{sign: f"\\u{ord(sign):04x}" for sign in "\u2028\u2029"},
}
_AS_JSON: Final = frozenset({"siblings", "requires_manifest", "data"})
_IDS: Final = ("\n", _id)
_PATTERNS: Final = ("\n", _pattern)
_WORDS: Final = (" ", _word)
# How the items of a list are joined, and what one of them may be; others are lines.
_LISTS: Final[Mapping[str, tuple[str, Callable[[str, Node], str]]]] = {
    **dict.fromkeys(("depends", "after", "before", "salvages"), _IDS),
    **dict.fromkeys(("setup_include", "nested_part"), _IDS),
    **dict.fromkeys(("include", "exclude", "mandatory_include", "bootstrap_include"), _PATTERNS),
    **dict.fromkeys(("flags", "environ"), _WORDS),
}
