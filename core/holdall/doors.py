"""Doors whose names are imported when they are first used.

Who asks a room for one name does not pay for the modules behind the others.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_door(
    room: str, modules: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of the package *room*.

    A name that a module has in common with one of its room can't be lazy: once that module is
    imported, Python has set it as the attribute. The door imports such a name at once.

    Args:
        room: The full name of the package.
        modules: The names behind the door, by the modules that define them, `.fold` or in full.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value: object = getattr(import_module(homes[name], room), name)
        setattr(sys.modules[room], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[room]), *homes})

    return get, names
