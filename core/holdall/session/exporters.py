"""The exporters that a manager can use, as a mapping that imports nothing to be listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, final

from holdall.candidates import State
from holdall.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.candidates import Candidate
    from holdall.registry import Registry


class KnownExporter(NamedTuple):
    """An exporter that is installed; `load` imports its class."""

    candidate: Candidate
    registry: Registry

    @property
    def id(self) -> str:
        """Canonical id."""
        return self.candidate.id

    def load(self) -> type:
        """Return the exporter's class, always the same object.

        Raises:
            PluginLoadError: It can't be imported, or is no exporter.
        """
        loaded: type = self.registry.load("exporters", self.candidate.id)
        return loaded


@final
class ExporterMap(Mapping[str, KnownExporter]):
    """Exporters by id; `[]`, `in` and `get` take aliases too, and give the same object.

    Iterating yields each canonical id once. It is read-only and up to date.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, KnownExporter] = {}

    def __getitem__(self, name: str) -> KnownExporter:
        try:
            candidate = self._registry.resolve("exporters", name)
        except PluginError as error:
            raise KeyError(str(error)) from error
        if candidate.id not in self._known:
            self._known[candidate.id] = KnownExporter(candidate, self._registry)
        return self._known[candidate.id]

    def __iter__(self) -> Iterator[str]:
        usable = {State.READY, State.LOADED}
        found = self._registry.candidates("exporters")
        yield from dict.fromkeys(each.id for each in found if each.state in usable)

    def __len__(self) -> int:
        return sum(1 for _ in self)
