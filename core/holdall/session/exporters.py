"""The exporters that a manager can use, as a mapping that imports nothing to be listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from holdall.errors import PluginError
from holdall.registry import State
from holdall.units import BoundUnit, ExporterUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.exports import KnownExporter, Units
    from holdall.registry import Registry
    from holdall.session.context import SessionDeviceContext


def exporter_units(contexts: Iterable[SessionDeviceContext]) -> dict[str, BoundUnit]:
    """Return the exporter units of all devices by id; of two that share one, the first."""
    units: dict[str, BoundUnit] = {}
    for context in contexts:
        for unit in context.unit_list:
            if isinstance(unit, ExporterUnit) and unit.id not in units:
                provider = context.provider_of(unit)
                units[unit.id] = BoundUnit(unit, provider.data_folder if provider else None)
    return units


@final
class ExporterMap(Mapping[str, "KnownExporter"]):
    """Exporters by id; `[]`, `in` and `get` take aliases too, and give the same object.

    Iterating yields each canonical id once, then the ids of exporter units whose
    exporter is installed. It is read-only and up to date.
    """

    def __init__(self, registry: Registry, units: Callable[[], Units] = dict) -> None:
        self._registry = registry
        self._units = units
        self._known: dict[str, KnownExporter] = {}

    def __getitem__(self, name: str) -> KnownExporter:
        from holdall.exports import find_exporter

        try:
            exporter = find_exporter(self._registry, name, self._units())
        except PluginError as error:
            raise KeyError(str(error)) from error
        known = self._known.get(exporter.id)
        if known is None or known.unit != exporter.unit:
            known = self._known[exporter.id] = exporter
        return known

    def __iter__(self) -> Iterator[str]:
        usable = {State.READY, State.LOADED}
        candidates = self._registry.candidates("exporters")
        ids = dict.fromkeys(candidate.id for candidate in candidates if candidate.state in usable)
        yield from ids
        yield from (unit_id for unit_id in self._units() if unit_id not in ids and unit_id in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
