"""`holdall schema`: what the documents that holdall writes look like, for programs."""

from __future__ import annotations

from gettext import gettext as _

import click

from holdall.cli.configuration import installed
from holdall.contracts import HasSchema
from holdall.exports import find_exporter
from holdall.registry import calling


@click.group()
def schema() -> None:
    """Print the schema of a document."""


@schema.command()
@click.argument("exporter", default="json")
def session(exporter: str) -> None:
    """Print the JSON Schema of the reports that an exporter writes, `json` if none is named."""
    known = find_exporter(installed(), exporter, {})
    plugin = known.load()
    if not isinstance(plugin, HasSchema):
        raise click.UsageError(_("{name} has no JSON Schema of its reports").format(name=known.id))
    with calling(known.identity, "describing its reports") as call:
        described: HasSchema = plugin()
        text = call.returned(described.json_schema(), str)
    click.echo(text, nl=False)
