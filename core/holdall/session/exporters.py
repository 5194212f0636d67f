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
    found: dict[str, BoundUnit] = {}
    for context in contexts:
        for unit in context.unit_list:
            if isinstance(unit, ExporterUnit) and unit.id not in found:
                provider = context.provider_of(unit)
                found[unit.id] = BoundUnit(unit, provider.data_folder if provider else None)
    return found


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
        found = self._registry.candidates("exporters")
        ids = dict.fromkeys(each.id for each in found if each.state in usable)
        yield from ids
        yield from (each for each in self._units() if each not in ids and each in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
