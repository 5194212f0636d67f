"""From a name to an exporter: ids, aliases, and the exporter units of providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

from holdall.errors import ProviderNotLoadedError, UnknownPluginError
from holdall.units import BoundUnit, ExporterUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.contracts import AnyExporter
    from holdall.registry import Candidate, Identity, Registry
    from holdall.units import Provider
    from holdall.view import SessionView


Units = Mapping[str, BoundUnit]
"""Exporter units by id."""


class KnownExporter(NamedTuple):
    """An exporter that is installed; `load` imports its class.

    Attributes:
        unit: The exporter unit of a provider that it is known by, None for the exporter itself.
    """

    candidate: Candidate
    registry: Registry
    unit: BoundUnit | None = None

    @property
    def id(self) -> str:
        """Canonical id, or that of the exporter unit."""
        return self.unit.id if self.unit else self.candidate.id

    @property
    def identity(self) -> Identity:
        """Which plugin this is, for the errors of calling it."""
        return self.candidate.identity._replace(id=self.id)

    def load(self) -> type[AnyExporter]:
        """Return the exporter's class, always the same object.

        Raises:
            PluginLoadError: It can't be imported, or is no exporter.
        """
        loaded: type[AnyExporter] = self.registry.load("exporters", self.candidate.id)
        return loaded


def units_in(providers: Iterable[Provider]) -> dict[str, BoundUnit]:
    """Return the exporter units of *providers* by id; of two that share one, the first."""
    units: dict[str, BoundUnit] = {}
    for provider in providers:
        for unit in provider.unit_list:
            if isinstance(unit, ExporterUnit):
                units.setdefault(unit.id, BoundUnit(unit, provider.data_folder))
    return units


def units_of(session: object) -> Units:
    """Return the exporter units of a session manager; none of a stored session."""
    units = getattr(session, "exporter_units", None)
    return cast("Units", units) if isinstance(units, Mapping) else {}


def find_exporter(
    registry: Registry,
    name: str,
    units: Units,
    view: Callable[[], SessionView] | None = None,
) -> KnownExporter:
    """Return the exporter that *name* means: a unit's id first, then an exporter's id or alias.

    Args:
        view: Gives the session, whose providers may have had a unit of that name.

    Raises:
        ProviderNotLoadedError: It looks like a unit of a provider that the session had.
        PluginError: There is no such exporter, or it can't be used.
    """
    if not isinstance(name, str):
        raise TypeError(f"an exporter is named by its id, and this is {name!r}; register it first")
    unit = units.get(name)
    try:
        wanted = unit.unit.entry_point if unit else name
        return KnownExporter(registry.resolve("exporters", wanted), registry, unit)
    except UnknownPluginError as error:
        if unit is not None:
            error.add_note(f"the exporter unit {unit.id!r} at {unit.unit.where} wants it")
            raise
        namespace, colons, _rest = name.rpartition("::")
        for provider in view().providers if view and colons else ():
            if provider.namespace == namespace:
                raise ProviderNotLoadedError(
                    name, provider.name, provider.version, provider.source
                ) from error
        raise
