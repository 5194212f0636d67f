"""Answers to questions about a device, checked against the entries that ask them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors import UnknownUnitError
from holdall.results import encodable
from holdall.units import ManifestEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdall.units import Unit


def checked_answers(
    units: Iterable[Unit], answers: Mapping[str, str | bool | int]
) -> dict[str, str]:
    """Return *answers* as expressions see them, by the partial ids of their entries.

    Raises:
        UnknownUnitError: No manifest entry among *units* has the id.
        TypeError: The entry takes another type of value.
    """
    entries = {unit.partial_id: unit for unit in units if isinstance(unit, ManifestEntry)}
    for name, value in answers.items():
        if name not in entries:
            raise UnknownUnitError(name, "manifest entry", list(entries))
        _check(entries[name], value)
    return {name: encodable(str(value)) for name, value in answers.items()}


def _check(entry: ManifestEntry, value: object) -> None:
    wanted = {"bool": bool, "natural": int}.get(entry.get("value_type"), str)
    if type(value) is not wanted:
        given = type(value).__name__
        raise TypeError(f"the manifest entry {entry.id!r} takes {wanted.__name__}, not {given}")
    if wanted is int and isinstance(value, int) and value < 0:
        raise ValueError(f"the manifest entry {entry.id!r} takes a number from 0 on, not {value}")
