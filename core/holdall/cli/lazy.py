"""Groups of commands that import a command when it is called, and their shared context."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from holdall.cli.translation import translated

if TYPE_CHECKING:
    from collections.abc import Mapping


DEBUG: Final = "debug"
"""Key of whether the user wants tracebacks, in the object that all commands of a call share."""


def is_debugging() -> bool:
    """Whether the user of the running command wants the traceback of each error."""
    context = click.get_current_context(silent=True)
    shared = context.obj if context is not None else None
    return isinstance(shared, dict) and bool(shared.get(DEBUG))


class LazyGroup(click.Group):
    """Imports a command when it is called, so that listing plugins stays light."""

    def __init__(self, *arguments: Any, targets: Mapping[str, str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._targets = targets

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, without importing any."""
        return sorted(self._targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command, and return it in the user's language."""
        if cmd_name not in self._targets:
            return None
        module, _, name = self._targets[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return translated(command)
