"""`holdall schema`: the JSON Schemas of the documents that holdall reads and writes."""

from __future__ import annotations

import json
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.ages import AGE
from holdall.cli.configuration import installed
from holdall.cli.output import print_lines
from holdall.cli.retention import STATES
from holdall.contracts import HasSchema
from holdall.exports import find_exporter
from holdall.registry import calling
from holdall.session import report_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.registry import Identity


@click.group()
def schema() -> None:
    """Print the schema of a document."""


@schema.command()
def config() -> None:
    """Print the JSON Schema of `holdall.toml`, for editors and checks."""
    print_lines(json.dumps(config_schema(), indent=2))


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of what `holdall.toml` may hold."""
    text, texts = (
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string"}},
    )
    names = {"type": "object", "additionalProperties": {"type": ["string", "object"]}}
    rules = {
        "allow": texts,
        "block": texts,
        "prefer": names,
        "alias": names,
        "strict": {"type": "boolean"},
    }
    stores = _table({"url": text, "inner": texts, "retention": _retention()}, required=["url"])
    facts = {"type": "object", "additionalProperties": text}
    variables = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:holdall:schema:config:1",
        "title": "holdall.toml",
        **_table(
            {
                "plugins": _table(rules),
                "settings": _tables({"type": "object"}),
                "stores": _tables(stores),
                "environment": variables,
                "redaction": _table({"env": texts, "patterns": texts, "keys": texts}),
                "devices": _tables(
                    _table({"runner": text, "description": {"type": "string"}, "facts": facts})
                ),
            }
        ),
    }


def _retention() -> dict[str, Any]:
    """Return the schema of what a store need not keep."""
    number = {"type": "integer", "minimum": 0}
    keys = {
        "older": {"type": "string", "pattern": f"^(?:{AGE})$"},
        "keep": number,
        "max_bytes": number,
        "states": {"type": "array", "items": {"enum": list(STATES)}},
    }
    needed = [{"required": [key]} for key in ("older", "keep", "max_bytes")]
    return {**_table(keys), "anyOf": needed}


def _table(keys: dict[str, Any], *, required: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of a table with these keys and no others."""
    wanted = {"required": list(required)} if required else {}
    return {"type": "object", "properties": keys, **wanted, "additionalProperties": False}


def _tables(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a table of tables, each under a name of the user's own."""
    return {"type": "object", "additionalProperties": schema}


@schema.command()
@click.argument("exporter", default="json")
def session(exporter: str) -> None:
    """Print the JSON Schema of the reports that an exporter writes, `json` if none is named."""
    known = find_exporter(installed(), exporter, {})
    if not isinstance(plugin := known.load(), HasSchema):
        raise click.UsageError(_("{name} has no JSON Schema of its reports").format(name=known.id))
    _print_schema(plugin, known.identity, "describing its reports")


@schema.command()
@click.argument("loader", default="toml")
def provider(loader: str) -> None:
    """Print the JSON Schema of the files of a provider loader, `toml` if none is named."""
    registry = installed()
    if not isinstance(plugin := registry.load("provider_loaders", loader), HasSchema):
        raise click.UsageError(_("{name} has no JSON Schema of its files").format(name=loader))
    identity = registry.resolve("provider_loaders", loader).identity
    _print_schema(plugin, identity, "describing its files")


def _print_schema(plugin: Any, identity: Identity, what: str) -> None:
    with calling(identity, what) as call:
        described: HasSchema = plugin()
        text = call.returned(described.json_schema(), str)
    print_lines(text.removesuffix("\n"))


@schema.command()
def report() -> None:
    """Print the JSON Schema of a line that a job writes to $HOLDALL_REPORT."""
    print_lines(json.dumps(report_schema(), indent=2))
