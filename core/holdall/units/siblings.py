"""The field `siblings`: a JSON list of fields in which other jobs differ from the one at hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class SiblingEntry(NamedTuple):
    """One entry of the list.

    Attributes:
        changes: Fields by name; those that the sibling does not have are None.
        fault: Why the entry can't be used; empty if it can.
    """

    changes: dict[str, str | None]
    fault: str = ""


def sibling_entries(text: str) -> tuple[SiblingEntry, ...]:
    """Return the entries of the field; what can't be read is an entry with a fault."""
    if not text.strip():
        return ()
    try:
        listed = json.loads(text)
        if isinstance(listed, list):
            return tuple(map(_entry, listed))
    except RecursionError:
        return (SiblingEntry({}, "siblings: it is nested too deep"),)
    except ValueError as error:
        return (SiblingEntry({}, f"siblings: it is no JSON ({error})"),)
    return (SiblingEntry({}, "siblings: it must be a JSON list"),)


def _entry(listed: object) -> SiblingEntry:
    if not isinstance(listed, dict):
        return SiblingEntry({}, f"siblings: {listed!r} is not an object of fields")
    if not listed.get("id"):
        return SiblingEntry({}, f"siblings: {listed!r} has no 'id'; give it one of its own")
    try:
        return SiblingEntry({name: _text(name, value) for name, value in listed.items()})
    except TypeError as error:
        return SiblingEntry({}, f"siblings: {error}")


def _text(name: str, value: Any) -> str | None:
    """Return a JSON value as the text that the field would hold in a unit file."""
    match value:
        case None | str():
            return value
        case bool() | int() | float():
            return str(value)
        case list() if name.endswith("siblings"):
            return json.dumps(value)
        case list():
            return "\n".join(_items(name, value))
    raise TypeError(f"{name!r} is {value!r}, and can only be text, a number or a list of these")


def _items(name: str, values: list[Any]) -> Iterator[str]:
    for value in values:
        if not isinstance(value, str | int | float):
            raise TypeError(f"{name!r} lists {value!r}, and can only list text and numbers")
        yield str(value)
