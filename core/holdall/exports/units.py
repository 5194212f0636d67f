"""Exporters under ids of a provider's own: exporter units, and where their files are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from holdall.errors import ProviderNotLoadedError, UnknownPluginError
from holdall.units import BoundUnit, ExporterUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.registry import Candidate, Registry
    from holdall.units import Provider
    from holdall.view import SessionView


Units = Mapping[str, BoundUnit]


def units_in(providers: Iterable[Provider]) -> dict[str, BoundUnit]:
    """Return the exporter units of *providers* by id; of two that share one, the first."""
    found: dict[str, BoundUnit] = {}
    for provider in providers:
        for unit in provider.unit_list:
            if isinstance(unit, ExporterUnit):
                found.setdefault(unit.id, BoundUnit(unit, provider.data_folder))
    return found


def units_of(session: object) -> Units:
    """Return the exporter units of a session manager; none of a stored session."""
    found = getattr(session, "exporter_units", None)
    return cast("Units", found) if isinstance(found, Mapping) else {}


def resolve_exporter(
    registry: Registry, name: str, units: Units, view: Callable[[], SessionView]
) -> tuple[Candidate, BoundUnit | None]:
    """Return the exporter that *name* means, and the unit if it is the id of one.

    Raises:
        ProviderNotLoadedError: It looks like a unit of a provider that the session had.
        PluginError: There is no such exporter, or it can't be used.
    """
    unit = units.get(name)
    if unit is not None:
        try:
            return registry.resolve("exporters", unit.unit.entry_point), unit
        except UnknownPluginError as error:
            error.add_note(f"the exporter unit {unit.id!r} at {unit.unit.where} wants it")
            raise
    try:
        return registry.resolve("exporters", name), None
    except UnknownPluginError as error:
        namespace, colons, _rest = name.rpartition("::")
        for provider in view().providers if colons else ():
            if provider.namespace == namespace:
                raise ProviderNotLoadedError(
                    name, provider.name, provider.version, provider.source
                ) from error
        raise
