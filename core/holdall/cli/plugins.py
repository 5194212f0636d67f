"""`holdall plugins`: what is installed, without importing any of it."""

from __future__ import annotations

import click

from holdall.candidates import KINDS
from holdall.cli.options import json_option
from holdall.cli.output import print_json, print_table
from holdall.registry import Registry


@click.group()
def plugins() -> None:
    """Look at the plugins that are installed."""


@plugins.command("list")
@click.argument("kind", required=False, type=click.Choice(sorted(KINDS)))
@json_option
def list_plugins(kind: str | None, *, as_json: bool) -> None:
    """List plugins with the state they are in; none is imported.

    A plugin is `ready` as far as can be told without importing it.
    """
    registry = Registry.discover()
    found = [each for one in ([kind] if kind else KINDS) for each in registry.candidates(one)]
    if as_json:
        rows = [
            {
                "kind": each.kind,
                "id": each.id,
                "aliases": list(each.aliases),
                "state": str(each.state),
                "reason": each.reason,
                "distribution": each.distribution,
                "version": each.version,
                "target": each.target,
            }
            for each in found
        ]
        print_json(rows)
        return
    print_table(
        ("KIND", "ID", "ALIASES", "STATE", "FROM", "REASON"),
        [(e.kind, e.id, ", ".join(e.aliases), str(e.state), e.origin, e.reason) for e in found],
    )
    for alias in registry.aliases.entries:
        if alias.state != "ready":
            whose = f"alias {alias.name!r} of {alias.distribution}"
            click.echo(f"holdall: {whose} is {alias.state}: {alias.reason}", err=True)
