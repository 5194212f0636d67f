"""The lines of a `$HOLDALL_REPORT`: what each may say, and what is wrong with it."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdall.errors import near
from holdall.results import Measurement, Outcome, Subtest, encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "subtest": ("outcome", "duration", "message"),
    "measurement": ("value", "unit", "lower", "upper", "outcome"),
    "attachment": ("path", "media_type"),
    "comment": (),
}
"""What a line may hold besides the key that says what it is."""

REQUIRED: Final[Mapping[str, str]] = {"subtest": "outcome", "measurement": "value"}
"""The field that a line of this kind can't do without."""


class AttachmentLine(NamedTuple):
    """A file that the job wants to be kept.

    Attributes:
        name: What it is to be called.
        path: Where it is, as the job wrote it.
        media_type: What it is; empty to tell by the name.
    """

    name: str
    path: str
    media_type: str


class CommentLine(NamedTuple):
    """What the job says of itself."""

    text: str


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a line of a report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:holdall:schema:report:1",
        "title": "A line of $HOLDALL_REPORT",
        "oneOf": [_line_schema(kind, fields) for kind, fields in FIELDS.items()],
    }


def _line_schema(kind: str, fields: Iterable[str]) -> dict[str, Any]:
    names = (kind, *filter(None, (REQUIRED.get(kind),)))
    return {
        "type": "object",
        "title": kind,
        "required": list(names),
        "additionalProperties": False,
        "properties": {kind: {"type": "string", "minLength": 1}}
        | {field: _SCHEMAS[field] for field in fields},
    }


_OUTCOMES: Final = tuple(str(outcome) for outcome in Outcome if outcome is not Outcome.NONE)
_TEXT: Final = {"type": ["string", "null"]}
_NUMBER: Final = {"type": ["number", "null"]}
_SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "outcome": {"enum": [*_OUTCOMES]},
    "duration": {**_NUMBER, "minimum": 0, "description": "seconds"},
    "message": _TEXT,
    "value": {"type": ["number", "string", "boolean"]},
    "unit": _TEXT,
    "lower": {**_NUMBER, "description": "the least value that passes"},
    "upper": {**_NUMBER, "description": "the greatest value that passes"},
    "path": {**_TEXT, "description": "below the job's folder or the shared one"},
    "media_type": _TEXT,
}


Entry = Subtest | Measurement | AttachmentLine | CommentLine


def parse_line(line: bytes) -> tuple[Entry, str]:
    """Return what *line* says, and what of it is not known; nothing if all is.

    Raises:
        ValueError: It says nothing that can be kept; the message says why.
    """
    content = _decoded(line)
    kinds = [kind for kind in FIELDS if kind in content]
    if not kinds:
        hint = near(next(iter(content), ""), FIELDS)
        raise ValueError(f"it has none of the keys {', '.join(FIELDS)}{hint}")
    if len(kinds) > 1:
        raise ValueError(f"it is a {kinds[0]} and a {kinds[1]}; write a line for each")
    [kind] = kinds
    needed = REQUIRED.get(kind)
    if needed and content.get(needed) is None:
        raise ValueError(f"the {kind} has no {needed!r}")
    known = {name: content[name] for name in FIELDS[kind] if content.get(name) is not None}
    try:
        entry = _entry(kind, content[kind], known)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return entry, _unknown(kind, content)


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(line.removeprefix(BOM_UTF8))
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except ValueError as error:  # msgspec's own are ValueErrors
        raise ValueError(f"it is no JSON: {error}") from error
    if isinstance(content, dict):
        return content
    raise ValueError('it is no JSON object, such as {"comment": "..."}')


def _entry(kind: str, name: Any, known: Mapping[str, Any]) -> Entry:
    """Return the entry of that kind.

    Raises:
        TypeError, ValueError, OverflowError: A value is none that its field takes.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"the {kind} is called by a text that is not empty, not {_shown(name)}")
    if "outcome" in known and not isinstance(known["outcome"], str):
        raise TypeError(f"an outcome is a text, not {_shown(known['outcome'])}")
    if "outcome" in known and known["outcome"] in {"", str(Outcome.NONE)}:
        reason = f"the outcome {known['outcome']!r} says nothing"
        raise ValueError(f"{reason} (outcomes: {', '.join(_OUTCOMES)})")
    if kind == "subtest":
        return Subtest(name=name, **known)
    if kind == "measurement":
        return Measurement(name=name, **known)
    for field, value in known.items():
        if not isinstance(value, str):
            raise TypeError(f"the field {field!r} takes a text, not {_shown(value)}")
    if kind == "attachment":
        return AttachmentLine(
            encodable(name), known.get("path") or name, encodable(known.get("media_type", ""))
        )
    return CommentLine(encodable(name))


def _unknown(kind: str, content: Mapping[str, Any]) -> str:
    """Return which fields of a line have no effect."""
    fields = (kind, *FIELDS[kind])
    unknown = [name for name in content if name not in fields]
    if not unknown:
        return ""
    name = unknown[0]
    more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return f"a {kind} has no field {name!r}{near(name, FIELDS[kind])}{more}"


def _shown(value: Any) -> str:
    return "an empty text" if value == "" else f"a value of type {type(value).__name__}"
