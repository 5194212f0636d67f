"""Exporter units: an exporter with options and data, under an id of a provider's own."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from holdall.units.unit import Finding, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SEPARATORS: Final = re.compile(r"[;,\s]+")
_EXTENSION: Final = re.compile(r"[\w.-]+")


class ExporterUnit(Unit, frozen=True, dict=True, eq=False, kw_only=True):
    """Binds an exporter to options and data, such as a template, under an id of its own."""

    required = ("id", "entry_point")
    known = frozenset(
        {"unit", "id", "summary", "entry_point", "options", "data", "file_extension"}
    )

    @property
    def entry_point(self) -> str:
        """Id or alias of the exporter that does the work."""
        return self.get("entry_point")

    @property
    def file_extension(self) -> str:
        """The ending of its reports, without the dot in front; empty for the exporter's own."""
        return self.get("file_extension")

    @property
    def option_list(self) -> tuple[str, ...]:
        """Options as strings; those that a caller gives come before them."""
        return tuple(word for word in _SEPARATORS.split(self.get("options")) if word)

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """What the exporter is given besides options; a `template`, say."""
        parsed: dict[str, Any] = json.loads(self.get("data") or "{}")
        return parsed

    def faults(self) -> Iterator[Finding]:
        """Yield what makes the definition unusable."""
        yield from super().faults()
        extension = self.file_extension
        if extension and not _EXTENSION.fullmatch(extension):
            message = (
                f"the field 'file_extension' must be like 'txt' or 'tar.gz', not {extension!r}"
            )
            yield Finding("file_extension", message)
        try:
            parsed = json.loads(self.get("data") or "{}")
        except ValueError as error:
            yield Finding("data", f"the field 'data' must be a JSON object: {error}")
        else:
            if not isinstance(parsed, dict):
                yield Finding("data", f"the field 'data' must be a JSON object, not {parsed!r}")

    def doubts(self) -> Iterator[Finding]:
        """Yield what is wrong with the definition, but leaves it usable."""
        yield from super().doubts()
        if not self.file_extension:
            message = "the field 'file_extension' is missing; reports end as the exporter's own do"
            yield Finding("file_extension", message)
