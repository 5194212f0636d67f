"""`holdall plugins`: what is installed, and whether it can be trusted."""

from __future__ import annotations

from typing import Final

import click

from holdall.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "check": "holdall.cli.plugins.checking:check",
    "doctor": "holdall.cli.plugins.doctor:doctor",
    "list": "holdall.cli.plugins.listing:list_plugins",
    "new": "holdall.cli.plugins.scaffold:new",
    "show": "holdall.cli.plugins.showing:show",
    "why": "holdall.cli.plugins.showing:why",
}


@click.group(cls=LazyGroup, targets=_COMMANDS)
def plugins() -> None:
    """Look at the plugins that are installed, check them, and begin new ones."""
