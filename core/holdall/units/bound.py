"""An exporter unit, with the folder of the files that it names."""

from __future__ import annotations

from dataclasses import dataclass
from mimetypes import MimeTypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from holdall.units.exporter import ExporterUnit


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

    def suffix(self, default: str) -> str:
        """Return the file name ending of its reports, *default* where the unit says none."""
        extension = self.unit.file_extension
        return f".{extension}" if extension else default

    def media_type(self, suffix: str, default: str) -> str:
        """Return what its reports are, by their ending where that says so."""
        known, _encoding = MimeTypes().guess_type(f"report{self.suffix(suffix)}")
        return known or default
