"""The files of plugins that the user wants to try."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from holdall.registry import Registry

PLUGIN_FILES: Final = "HOLDALL_PLUGIN"
"""Variable with what `--plugin` takes, one a line."""


def tried_files() -> list[str]:
    """Return what was given to `--plugin`, or stands in the variable.

    The variable is how the processes get it that the command starts.
    """
    context = click.get_current_context(silent=True)
    given = context.find_root().params.get("plugin") if context else None
    return list(given or os.environ.get(PLUGIN_FILES, "").splitlines())


def register_tried(registry: Registry) -> None:
    """Import the plugins of these files, and register them.

    Raises:
        PluginError: One of them can't be used; the message says why.
    """
    for text in tried_files():
        from holdall.testing.trying import try_plugin

        try_plugin(registry, text)
