"""Exporters under ids of a provider's own: exporter units, and where their files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import MimeTypes
from typing import TYPE_CHECKING, cast

from holdall.errors import ProviderNotLoadedError, UnknownPluginError
from holdall.units import ExporterUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Any

    from holdall.candidates import Candidate
    from holdall.contracts import Exporter
    from holdall.exports.view import SessionView
    from holdall.providers import Provider
    from holdall.registry import Registry


@dataclass(frozen=True, slots=True)
class BoundUnit:
    """An exporter unit, and the folder that the files it names are in.

    Attributes:
        unit: The definition.
        folder: Data folder of its provider, None where the provider has none.
    """

    unit: ExporterUnit
    folder: Path | None = None

    @property
    def id(self) -> str:
        """Qualified id, by which the exporter is asked for."""
        return self.unit.id

    @property
    def data(self) -> Mapping[str, Any]:
        """What the unit gives its exporter besides options."""
        return self.unit.data

    def suffix(self, exporter: type[Exporter]) -> str:
        """Return the file name ending of its reports, with the dot."""
        extension = self.unit.file_extension
        return f".{extension}" if extension else exporter.suffix

    def media_type(self, exporter: type[Exporter]) -> str:
        """Return what its reports are, by their ending where that says so."""
        known, _encoding = MimeTypes().guess_type(f"report{self.suffix(exporter)}")
        return known or exporter.media_type


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
