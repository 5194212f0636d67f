"""Hooks: what listeners are notified of, and how they are called."""

from holdall.hooks.calling import (
    HookFailure,
    Hooks,
    implemented_hooks,
    installed_hooks,
    load_hooks,
    nobody,
    plugin_used,
)
from holdall.hooks.specs import hookimpl

__all__ = [
    "HookFailure",
    "Hooks",
    "hookimpl",
    "implemented_hooks",
    "installed_hooks",
    "load_hooks",
    "nobody",
    "plugin_used",
]
