"""`holdall plugins list`: everything that is declared, without importing it."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.cli.configuration import installed
from holdall.cli.options import json_option
from holdall.cli.output import note, print_json, print_table
from holdall.registry import KINDS

if TYPE_CHECKING:
    from holdall.registry import Candidate, Registry


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(sorted(KINDS)))
@click.option(
    "--all", "everything", is_flag=True, help="Show deprecated aliases, targets and places too."
)
@json_option
def list_plugins(kind: str | None, *, everything: bool, as_json: bool) -> None:
    """List plugins with the state they are in; none is imported.

    A plugin is `ready` as far as can be told without importing it.
    """
    registry = installed(strict=False)
    candidates = [
        candidate
        for listed_kind in ([kind] if kind else KINDS)
        for candidate in registry.candidates(listed_kind)
    ]
    if as_json:
        print_json(
            [as_row(candidate, registry, everything=everything) for candidate in candidates]
        )
        return
    columns = (_("KIND"), _("ID"), _("ALIASES"), _("STATE"), _("FROM"), _("REASON"))
    more = (_("TARGET"), _("PLACE")) if everything else ()
    rows = [
        (
            candidate.kind,
            candidate.id,
            ", ".join(_aliases(candidate, registry, everything=everything)),
            str(candidate.state),
            candidate.origin,
            candidate.reason,
            *((candidate.target, candidate.location) if everything else ()),
        )
        for candidate in candidates
    ]
    print_table((*columns, *more), rows)
    for problem in registry.problems():
        if problem.what in {"alias", "distribution"}:
            note(f"holdall: {problem}")


def as_row(candidate: Candidate, registry: Registry, *, everything: bool) -> dict[str, object]:
    """Return a plugin as JSON shows it."""
    row: dict[str, object] = {
        "kind": candidate.kind,
        "id": candidate.id,
        "aliases": _aliases(candidate, registry, everything=everything),
        "state": str(candidate.state),
        "reason": candidate.reason,
        "distribution": candidate.distribution,
        "version": candidate.version,
        "target": candidate.target,
    }
    return {**row, "where": candidate.location} if everything else row


def _aliases(candidate: Candidate, registry: Registry, *, everything: bool) -> list[str]:
    if candidate.kind != "exporters":
        return []
    return list(registry.aliases.names(candidate.id, legacy=everything))
