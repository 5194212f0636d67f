"""Options that an exporter unit sets: of files, only those in its provider's data folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

from holdall.errors import OptionValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.units import BoundUnit


def preset_options(unit: BoundUnit, options_class: type) -> Iterator[str]:
    """Yield the options that *unit* sets, paths as they are in its provider's data folder.

    Raises:
        OptionValueError: A path leads out of that folder.
    """
    hints = get_type_hints(options_class)
    paths = {name for name, hint in hints.items() if "Path" in str(hint)}
    for text in unit.unit.option_list:
        name, equals, value = text.partition("=")
        if not equals or name.replace("-", "_") not in paths:
            yield text
            continue
        inside = ",".join(_inside(unit, name, part) for part in value.split(","))
        yield f"{name}={inside}"


def _inside(unit: BoundUnit, option: str, value: str) -> str:
    folder = unit.folder
    if folder is None or not Path(folder, value).resolve().is_relative_to(folder.resolve()):
        reason = f"the unit at {unit.unit.where} may name only files in its provider's data folder"
        raise OptionValueError(unit.id, option, value, reason)
    return str(folder / value)
