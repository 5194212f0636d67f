"""What listeners are told of, and how they are called."""

from holdall.hooks.calling import Hooks, installed_hooks, load_hooks, nobody, plugin_used
from holdall.hooks.specs import hookimpl

__all__ = ["Hooks", "hookimpl", "installed_hooks", "load_hooks", "nobody", "plugin_used"]
