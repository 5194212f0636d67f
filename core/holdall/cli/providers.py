"""`holdall providers`: which there are, and what is in one."""

from __future__ import annotations

from collections import Counter
from gettext import gettext as _

import click

from holdall.cli.configuration import installed
from holdall.cli.options import json_option
from holdall.cli.output import print_json, print_table
from holdall.providers import load_provider


@click.group()
def providers() -> None:
    """Look at providers."""


@providers.command("list")
@json_option
def list_providers(*, as_json: bool) -> None:
    """List the installed providers; their units are not read."""
    registry = installed()
    found = registry.candidates("providers")
    if as_json:
        print_json(
            [
                {
                    "id": each.id,
                    "state": str(each.state),
                    "distribution": each.distribution,
                    "version": each.version,
                }
                for each in found
            ]
        )
        return
    print_table(
        (_("PROVIDER"), _("STATE"), _("FROM"), _("REASON")),
        [(each.id, str(each.state), each.origin, each.reason) for each in found],
    )


@providers.command("show")
@click.argument("source")
@json_option
def show_provider(source: str, *, as_json: bool) -> None:
    """Show a provider's units by kind, and everything wrong with its definitions.

    SOURCE is a path, LOADER:PATH, or the name of an installed provider.
    """
    provider = load_provider(source, registry=installed())
    kinds = Counter(unit.kind for unit in provider.unit_list)
    problems = provider.problems
    if as_json:
        print_json(
            {
                "name": provider.name,
                "namespace": provider.namespace,
                "version": provider.version,
                "description": provider.description,
                "loader": provider.loader,
                "source": provider.source,
                "units": dict(sorted(kinds.items())),
                "unit_count": kinds.total(),
                "problem_count": len(problems),
                "problems": [
                    {
                        "file": each.file,
                        "line": each.line,
                        "severity": each.severity,
                        "message": each.message,
                    }
                    for each in problems
                ],
            }
        )
        return
    click.echo(f"{provider.name} {provider.version} ({provider.namespace})")
    if provider.description:
        click.echo(provider.description)
    rows = [(kind, str(count)) for kind, count in sorted(kinds.items())]
    print_table((_("KIND"), _("UNITS")), [*rows, (_("all"), str(kinds.total()))])
    plans = [unit for unit in provider.unit_list if unit.kind == "test plan"]
    for plan in plans:
        click.echo(_("test plan {id}: {summary}").format(id=plan.id, summary=plan.summary))
    for problem in problems:
        click.echo(str(problem))
