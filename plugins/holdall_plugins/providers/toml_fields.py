"""The fields of our own plain form: what each is called, takes and means, in one table.

The loader, the JSON Schema and the reference page are made of it, or compared with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ID: Final = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_./]*")
_ID_PART: Final = r"[-A-Za-z0-9_.:/]"
_PLACEHOLDER: Final = r"\{[A-Za-z_][A-Za-z0-9_-]*\}"
TEMPLATE_ID: Final = re.compile(rf"(?:[-A-Za-z0-9_./]|{_PLACEHOLDER})+")
FILLED_IN: Final = re.compile(rf"(?<!\$){_PLACEHOLDER}")
"""What a job with `for-each` has filled in; `${HOME}` is the shell's."""

_NO_SIGNS: Final = re.compile(r"[^-_.:/A-Za-z0-9]+")

PLUGINS: Final[Mapping[str, str]] = {
    "automatic": "shell",
    "facts": "resource",
    "attachment": "attachment",
    "manual": "manual",
    "manual-start": "user-interact",
    "manual-check": "user-verify",
    "manual-start-and-check": "user-interact-verify",
}
"""How a job is done, in plain words, and the `plugin` of units."""

FLAGS: Final = (
    "noreturn",
    "autorestart",
    "preserve-cwd",
    "has-leftovers",
    "fail-on-resource",
    "reset-locale",
    "suppress-output",
)


class Value(NamedTuple):
    """A kind of values.

    Attributes:
        shape: What it is, for messages and the reference.
        schema: Its JSON Schema.
        text: Returns what a value is in a unit's field.
    """

    shape: str
    schema: Mapping[str, Any]
    text: Callable[[Any], str]


class Field(NamedTuple):
    """A field of a table.

    Attributes:
        unit: The field of a unit that it is; empty where the loader makes more of it.
        value: What it takes.
        meaning: What it says, for the schema and the reference.
    """

    unit: str
    value: Value
    meaning: str


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it takes a text, not {shown(value)}; put it in quotes")
    return value


def _as_word(value: Any) -> str:
    text = _as_text(value).strip()
    if not text or len(text.split()) != 1:
        raise ValueError(f"it takes one word, not {value!r}")
    return text


def _as_duration(value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError(f"it takes seconds, or a text like '1h 2m 3s', not {shown(value)}")
    seconds = duration(str(value))
    if seconds is None or not seconds:
        raise ValueError(f"it takes seconds above 0, or a text like '1h 2m 3s', not {value!r}")
    return str(value)


def _as_choice(value: Any) -> str:
    text = _as_text(value)
    if text not in PLUGINS:
        raise ValueError(f"it takes one of {', '.join(PLUGINS)}, not {value!r}")
    return PLUGINS[text]


def _as_yes(value: Any) -> str:
    if not isinstance(value, bool):
        raise TypeError(f"it takes true or false, not {shown(value)}")
    return "yes" if value else "no"


def _as_blocker(value: Any) -> str:
    return "blocker" if _as_yes(value) == "yes" else "non-blocker"


def _as_xfail(value: Any) -> str:
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("it takes true, false or the reason, not an empty text")
        return "true"
    return "true" if _as_yes(value) == "yes" else "false"


def _items(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise TypeError(f"it takes a list of texts, not {shown(value)}")
    for item in value:
        if not isinstance(item, str):
            raise TypeError(f"it takes a list of texts, and {shown(item)} is in it")
    return value


def _as_steps(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "\n".join(f"{number}. {item}" for number, item in enumerate(_items(value), start=1))


def _as_lines(value: Any) -> str:
    items = _items(value)
    if any(len(item.splitlines()) > 1 for item in items if isinstance(value, list)):
        raise ValueError("an item is one line; write an item for each")
    return "\n".join(items)


def _as_words(value: Any) -> str:
    items = _items(value)
    for item in items:
        if len(item.split()) != 1:
            raise ValueError(f"an item is one word, not {item!r}; write an item for each")
    return " ".join(items)


def _as_flags(value: Any) -> str:
    text = _as_words(value)
    for word in text.split():
        if word not in FLAGS:
            raise ValueError(f"there is no flag {word!r} (flags: {', '.join(FLAGS)})")
    return text


def _as_ids(value: Any) -> str:
    items = _items(value)
    for item in items:
        if not re.fullmatch(rf"(?:{_ID_PART}|{_PLACEHOLDER})+", item):
            raise ValueError(f"{item!r} is no name of a job; it has letters, digits and -_./")
    return "\n".join(items)


def _as_id(value: Any) -> str:
    return _as_ids(_as_word(value))


def _as_patterns(value: Any) -> str:
    return "\n".join(map(pattern, _items(value)))


def pattern(item: str) -> str:
    """Return what selects the jobs that *item* means: a name, where `*` stands for anything.

    Raises:
        ValueError: It is no such name.
    """
    if not re.fullmatch(rf"(?:{_ID_PART}|\*|{_PLACEHOLDER})+", item):
        raise ValueError(f"{item!r} is no name of a job; it has letters, digits, -_./ and *")
    parts = [_NO_SIGNS.sub("", part) for part in item.split("*")]
    if len(parts) == 1:
        return parts[0]
    return ".*".join(part.replace(".", r"\.") for part in parts)


def shown(value: Any) -> str:
    """Return what kind of value that is, for a message."""
    return _SHAPES.get(type(value), "a date or time")


_SHAPES: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}
_STRING: Final = {"type": "string"}
_STRINGS: Final = {"type": "array", "items": _STRING}
_TEXT: Final = Value("text", _STRING, _as_text)
_WORD: Final = Value("word", {"type": "string", "pattern": r"^\S+$"}, _as_word)
_NAME: Final = Value("name", {"type": "string", "pattern": r"^\S+$"}, _as_id)
_DURATION: Final = Value(
    "seconds, or text",
    {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "minLength": 1}]},
    _as_duration,
)
_YES: Final = Value("true or false", {"type": "boolean"}, _as_yes)
_LINES: Final = Value("text, or list", {"anyOf": [_STRING, _STRINGS]}, _as_lines)
_WORDS: Final = Value("list of words", {"anyOf": [_STRING, _STRINGS]}, _as_words)
_IDS: Final = Value("list of names", {"anyOf": [_STRING, _STRINGS]}, _as_ids)
_PATTERNS: Final = Value("list of names", {"anyOf": [_STRING, _STRINGS]}, _as_patterns)

JOB: Final[Mapping[str, Field]] = {
    "kind": Field(
        "plugin",
        Value("one of a few", {"enum": list(PLUGINS)}, _as_choice),
        "how the job is done: `automatic` (the default), `facts` (prints records that other "
        "jobs ask for), `attachment` (its output is kept apart), `manual`, `manual-start`, "
        "`manual-check` or `manual-start-and-check`",
    ),
    "summary": Field("summary", _TEXT, "one line for people"),
    "description": Field("purpose", _TEXT, "what the job is about"),
    "steps": Field(
        "steps",
        Value("text, or list", {"anyOf": [_STRING, _STRINGS]}, _as_steps),
        "what a person does; a list is numbered",
    ),
    "question": Field("verification", _TEXT, "what a person is asked"),
    "command": Field("command", _TEXT, "what runs; it passes if it ends with 0"),
    "shell": Field("shell", _WORD, "what runs the command, `bash` by default"),
    "user": Field("user", _WORD, "the account that the command needs, such as `root`"),
    "environ": Field("environ", _WORDS, "variables that reach the command of another account"),
    "timeout": Field("timeout", _DURATION, "how long one attempt may take"),
    "estimated-duration": Field("estimated_duration", _DURATION, "how long it usually takes"),
    "category": Field("category_id", _NAME, "the heading in reports"),
    "depends": Field("depends", _IDS, "jobs that run before and must pass"),
    "after": Field("after", _IDS, "jobs that run before, however they end"),
    "before": Field("before", _IDS, "jobs that run behind it, if they run at all"),
    "after-failure-of": Field("salvages", _IDS, "it runs only if one of these failed"),
    "group": Field("group", _WORD, "jobs of one group run one after another"),
    "requires": Field("requires", _LINES, "expressions over facts, all of which must hold"),
    "imports": Field(
        "imports", _LINES, "`from NAMESPACE import JOB [as NAME]`: facts of other providers"
    ),
    "for-each": Field(
        "template_resource", _NAME, "a job of kind `facts`: there is one job for each record"
    ),
    "where": Field("template_filter", _LINES, "expressions that such a record must satisfy"),
    "flags": Field(
        "flags",
        Value("list of words", {"type": "array", "items": {"enum": list(FLAGS)}}, _as_flags),
        "what else the job is like, see [Units](units.md#jobs)",
    ),
    "blocker": Field(
        "certification-status",
        Value("true or false", {"type": "boolean"}, _as_blocker),
        "whether a person who fails or skips it has to say why",
    ),
    "retry": Field("auto-retry", _YES, "`true`: a failed attempt is repeated, three in all"),
    "xfail": Field(
        "xfail",
        Value(
            "true or false, or text",
            {"anyOf": [{"type": "boolean"}, {"type": "string", "minLength": 1}]},
            _as_xfail,
        ),
        "a known issue: the job is expected to fail, so that a failure does not count and a pass "
        "does; a text is the reason, which reports show with the description",
    ),
    "output-format": Field(
        "output_format", _WORD, "the importer that reads what the command prints, such as `tap`"
    ),
}
"""The fields of `[job.NAME]`."""

CATEGORY: Final[Mapping[str, Field]] = {
    "name": Field("name", _TEXT, "the heading"),
}
"""The fields of `[category.NAME]`."""

PLAN: Final[Mapping[str, Field]] = {
    "summary": Field("name", _TEXT, "one line for people"),
    "description": Field("description", _TEXT, "what the plan is about"),
    "include": Field("include", _PATTERNS, "the jobs to run; `*` stands for any text"),
    "exclude": Field("exclude", _PATTERNS, "jobs that don't run"),
    "mandatory": Field(
        "mandatory_include", _PATTERNS, "jobs that run first, whatever is excluded"
    ),
    "prepare": Field("setup_include", _IDS, "jobs that run before everything else"),
    "facts": Field(
        "bootstrap_include",
        _IDS,
        "jobs that run before the rest is selected; those that `for-each` of an included job "
        "names are known without",
    ),
    "plans": Field("nested_part", _IDS, "other plans, whose jobs run too"),
    "estimated-duration": Field("estimated_duration", _DURATION, "how long it usually takes"),
}
"""The fields of `[plan.NAME]`."""

PROVIDER: Final[Mapping[str, Field]] = {
    "name": Field("name", _TEXT, "what the provider is called; by default the file or folder"),
    "namespace": Field(
        "namespace",
        _WORD,
        "what all ids begin with, such as `com.example.lab`; by default the name",
    ),
    "version": Field("version", _WORD, "such as `1.0`; by default 0"),
    "description": Field("description", _TEXT, "what it is about"),
}
"""The fields of `[provider]`."""

TABLES: Final[Mapping[str, Mapping[str, Field]]] = {
    "provider": PROVIDER,
    "category": CATEGORY,
    "job": JOB,
    "plan": PLAN,
}
"""The fields of each kind of table."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a file, draft 7, which editors know."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:holdall:schema:provider:1",
        "title": "Jobs, plans and categories of holdall",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            kind: _table_schema(fields) if kind == "provider" else _tables_schema(kind, fields)
            for kind, fields in TABLES.items()
        },
    }


def _table_schema(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {**field.value.schema, "description": field.meaning}
            for name, field in fields.items()
        },
    }


def _tables_schema(kind: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    table = {**_table_schema(fields), **_NEEDED.get(kind, {})}
    names = TEMPLATE_ID if kind == "job" else ID
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{names.pattern}$"},
        "additionalProperties": table,
    }


_NEEDED: Final[Mapping[str, Mapping[str, Any]]] = {
    "category": {"required": ["name"]},
    "plan": {"anyOf": [{"required": ["include"]}, {"required": ["plans"]}]},
    "job": {
        "anyOf": [
            {"required": ["command"]},
            {"required": ["kind"], "properties": {"kind": {"const": "manual"}}},
        ],
        "dependencies": {"where": ["for-each"]},
    },
}
"""What a table can't do without, as far as a schema can say it."""
