"""`holdall sessions`: a command in each module."""

from __future__ import annotations

from typing import Final

import click

from holdall.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "list": "holdall.cli.sessions.listing:list_sessions",
    "repair": "holdall.cli.sessions.several:repair_sessions",
    "rm": "holdall.cli.sessions.removal:remove_sessions",
    "salvage": "holdall.cli.sessions.salvage:salvage",
    "ship": "holdall.cli.sessions.several:ship_sessions",
    "show": "holdall.cli.sessions.listing:show_session",
}


@click.group(cls=LazyGroup, targets=_COMMANDS)
def sessions() -> None:
    """Look at stored sessions, and remove them."""
