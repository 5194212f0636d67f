"""`holdall providers`: list installed providers, and show the units of one."""

from __future__ import annotations

from collections import Counter
from gettext import gettext as _

import click

from holdall.cli.configuration import installed
from holdall.cli.options import json_option
from holdall.cli.output import print_json, print_line, print_lines, print_table
from holdall.providers import load_provider


@click.group()
def providers() -> None:
    """Look at providers."""


@providers.command("list")
@json_option
def list_providers(*, as_json: bool) -> None:
    """List the installed providers; their units are not read."""
    registry = installed()
    candidates = registry.candidates("providers")
    if as_json:
        print_json(
            [
                {
                    "id": candidate.id,
                    "state": str(candidate.state),
                    "distribution": candidate.distribution,
                    "version": candidate.version,
                }
                for candidate in candidates
            ]
        )
        return
    print_table(
        (_("PROVIDER"), _("STATE"), _("FROM"), _("REASON")),
        [
            (candidate.id, str(candidate.state), candidate.origin, candidate.reason)
            for candidate in candidates
        ],
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
                        "file": problem.file,
                        "line": problem.line,
                        "severity": problem.severity,
                        "message": problem.message,
                    }
                    for problem in problems
                ],
            }
        )
        return
    print_line(f"{provider.name} {provider.version} ({provider.namespace})")
    if provider.description:
        print_lines(provider.description)
    rows = [(kind, str(count)) for kind, count in sorted(kinds.items())]
    print_table((_("KIND"), _("UNITS")), [*rows, (_("all"), str(kinds.total()))])
    plans = [unit for unit in provider.unit_list if unit.kind == "test plan"]
    for plan in plans:
        print_line(_("test plan {id}: {summary}").format(id=plan.id, summary=plan.summary))
    for problem in problems:
        print_line(str(problem))
