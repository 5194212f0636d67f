"""`holdall sessions`: a command in each module, or those that do alike."""

from __future__ import annotations

from typing import Final

import click

from holdall.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "check": "holdall.cli.sessions.checking:check",
    "copy": "holdall.cli.sessions.moving:copy",
    "gc": "holdall.cli.sessions.sweeping:collect",
    "list": "holdall.cli.sessions.listing:list_sessions",
    "move": "holdall.cli.sessions.moving:move",
    "pack": "holdall.cli.sessions.archives:pack",
    "prune": "holdall.cli.sessions.removal:prune",
    "repair": "holdall.cli.sessions.several:repair_sessions",
    "rm": "holdall.cli.sessions.removal:remove_sessions",
    "salvage": "holdall.cli.sessions.salvage:salvage",
    "ship": "holdall.cli.sessions.several:ship_sessions",
    "show": "holdall.cli.sessions.listing:show_session",
    "unpack": "holdall.cli.sessions.archives:unpack",
    "watch": "holdall.cli.sessions.watching:watch",
}


@click.group(cls=LazyGroup, targets=_COMMANDS)
def sessions() -> None:
    """Look at stored sessions; copy, pack, check and remove them."""
