"""Output of the commands: tables for people, JSON for programs, diagnostics aside."""

from __future__ import annotations

import json
import sys
from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.errors import masked_url
from holdall.languages import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# How many jobs came to what, by outcome.
_COUNTED = {
    "none": N_("{count} none"),
    "pass": N_("{count} pass"),
    "fail": N_("{count} fail"),
    "crash": N_("{count} crash"),
    "error": N_("{count} error"),
    "skip": N_("{count} skip"),
    "skipped-dependency": N_("{count} skipped-dependency"),
    "skipped-resource": N_("{count} skipped-resource"),
    "skipped-manifest": N_("{count} skipped-manifest"),
    "not-supported": N_("{count} not-supported"),
    "not-implemented": N_("{count} not-implemented"),
    "undecided": N_("{count} undecided"),
}


def note(text: str) -> None:
    """Say something about what is going on, on standard error; no URL shows its password."""
    click.echo(masked_url(text), err=True)


def counted(outcomes: Mapping[str, int]) -> Iterator[str]:
    """Yield how many jobs came to each outcome, for people: `12 pass`."""
    for outcome, count in outcomes.items():
        yield _(_COUNTED[outcome]).format(count=count)


def print_json(value: object) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(value, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows: a drawn table on a terminal, plain aligned lines in a pipe."""
    if sys.stdout.isatty():
        _print_rich(columns, rows)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
