"""The exporters that a manager can use, as a mapping that imports nothing to be listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, final

from holdall.errors import PluginError
from holdall.registry import State
from holdall.units import BoundUnit, ExporterUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.exports import Units
    from holdall.registry import Candidate, Registry
    from holdall.session.context import SessionDeviceContext


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

    def load(self) -> type:
        """Return the exporter's class, always the same object.

        Raises:
            PluginLoadError: It can't be imported, or is no exporter.
        """
        loaded: type = self.registry.load("exporters", self.candidate.id)
        return loaded


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
class ExporterMap(Mapping[str, KnownExporter]):
    """Exporters by id; `[]`, `in` and `get` take aliases too, and give the same object.

    Iterating yields each canonical id once, then the ids of exporter units whose
    exporter is installed. It is read-only and up to date.
    """

    def __init__(self, registry: Registry, units: Callable[[], Units] = dict) -> None:
        self._registry = registry
        self._units = units
        self._known: dict[str, KnownExporter] = {}

    def __getitem__(self, name: str) -> KnownExporter:
        unit = self._units().get(name)
        wanted = unit.unit.entry_point if unit else name
        try:
            candidate = self._registry.resolve("exporters", wanted)
        except PluginError as error:
            raise KeyError(str(error)) from error
        key = unit.id if unit else candidate.id
        known = self._known.get(key)
        if known is None or known.unit != unit:
            known = self._known[key] = KnownExporter(candidate, self._registry, unit)
        return known

    def __iter__(self) -> Iterator[str]:
        usable = {State.READY, State.LOADED}
        found = self._registry.candidates("exporters")
        ids = dict.fromkeys(each.id for each in found if each.state in usable)
        yield from ids
        yield from (each for each in self._units() if each not in ids and each in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
