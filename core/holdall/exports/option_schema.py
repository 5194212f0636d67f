"""The options of an exporter as a JSON Schema, for forms, editors and checks."""

from __future__ import annotations

from typing import Any, Final, get_type_hints

import msgspec

from holdall.exports.options import default_of, describe_options, option_fields
from holdall.exports.selection import Selection

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def options_schema(exporter_id: str, options_class: type) -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a mapping that the exporter takes as its options.

    It has the exporter's own options and those that all exporters share; names
    are written with `-`, and `_` means the same.
    """
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for each in (Selection, options_class):
        fields = option_fields(each)
        hints = get_type_hints(each, include_extras=True)
        types = [hints[field.name] for field in fields]
        schemas, found = msgspec.json.schema_components(types, schema_hook=_as_text)
        definitions |= found
        for field, schema, row in zip(fields, schemas, describe_options(each), strict=True):
            default = msgspec.to_builtins(default_of(field), enc_hook=str)
            properties[row.name] = {**schema, "default": default, "description": row.help}
    return {
        "$schema": _DRAFT,
        "title": f"Options of {exporter_id}",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }


def _as_text(_kind: type) -> dict[str, Any]:
    """Return the schema of a type that JSON has no other form for: a path, say."""
    return {"type": "string"}
