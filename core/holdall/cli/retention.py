"""The table `retention` of a store in `holdall.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from holdall.cli.ages import seconds_of

if TYPE_CHECKING:
    from holdall.cli.toml_file import TomlFile
    from holdall.upkeep import Retention

STATES: Final = ("empty", "new", "unfinished", "finished", "damaged")
"""The states in which a session may be one that goes."""


def read_retention(file: TomlFile, value: Any, *above: str) -> Retention | None:
    """Return what the table `retention` of a store says, None if there is none."""
    if value is None:
        return None
    # Few files have such a table, and every command reads them.
    from holdall.upkeep import FINISHED, Retention

    keys = (*above, "retention")
    table = file.table(value, *keys)
    file.known(table, ("older", "keep", "max_bytes", "states"), *keys)
    numbers = {name: table.get(name) for name in ("keep", "max_bytes")}
    for name, number in numbers.items():
        if number is not None and (type(number) is not int or number < 0):
            reason = f"it is {number!r} and should be a number that is not negative"
            raise file.refuse(reason, *keys, name)
    older_s = None
    if "older" in table:
        older_s = seconds_of(file.text(table["older"], *keys, "older"))
        if older_s is None:
            reason = f"{table['older']!r} is no age; write a number and s, m, h, d or w, as in 30d"
            raise file.refuse(reason, *keys, "older")
    if older_s is None and numbers == {"keep": None, "max_bytes": None}:
        raise file.refuse("it needs a key 'older', 'keep' or 'max_bytes'", *keys)
    states = file.texts(table.get("states", list(FINISHED)), *keys, "states")
    for state in states:
        if state not in STATES:
            reason = f"{state!r} is none of {', '.join(STATES)}"
            raise file.refuse(reason, *keys, "states")
    return Retention(older_s=older_s, states=tuple(cast("Any", states)), **numbers)
