"""`holdall schema`: what the documents that holdall writes look like, for programs."""

from __future__ import annotations

from importlib.resources import files

import click


@click.group()
def schema() -> None:
    """Print the schema of a document."""


@schema.command()
def session() -> None:
    """Print the JSON Schema of the reports that the exporter `json` writes."""
    text = files("holdall_exporters.json").joinpath("session.schema.json").read_text("utf-8")
    click.echo(text, nl=False)
