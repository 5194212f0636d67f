"""The entry points of everything that is installed, read once and imported never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.candidates import ALIASES, KINDS, OWN_DISTRIBUTION, Declared
from holdall.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importlib_metadata import EntryPoint, IDistribution


def declared_entry_points() -> Iterator[Declared]:
    """Yield all that installed distributions declare for holdall."""
    from importlib_metadata import entry_points

    found = entry_points()
    exporters: dict[str, set[str]] = {}
    for point in found.select(group="holdall.exporters"):
        exporters.setdefault(_name(point.dist), set()).add(point.name)
    compatible: dict[str, str] = {}
    for kind in (*KINDS, ALIASES):
        for point in found.select(group=f"holdall.{kind}"):
            distribution = _name(point.dist)
            if distribution not in compatible:
                compatible[distribution] = _incompatibility(point.dist)
            yield _declared(kind, point, compatible[distribution], exporters.get(distribution))


def _declared(
    kind: str, point: EntryPoint, incompatible: str, exporter_ids: set[str] | None
) -> Declared:
    value = point.value.partition("[")[0].strip()
    return Declared(
        kind=kind,
        name=point.name,
        value=value,
        distribution=_name(point.dist),
        version=point.dist.version if point.dist else "",
        extras=tuple(point.extras),
        incompatible=incompatible,
        distribution_ids=frozenset(exporter_ids or ()),
    )


def _name(distribution: IDistribution | None) -> str:
    return distribution.name if distribution else ""


def _incompatibility(distribution: IDistribution | None) -> str:
    """Say why the distribution can't work with this holdall, from what it requires."""
    if distribution is None or distribution.name == OWN_DISTRIBUTION:
        return ""
    lines = [line for line in distribution.requires or () if line.startswith("holdall")]
    if not lines:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        try:
            needed = Requirement(line)
        except InvalidRequirement as error:
            return f"its requirement {line!r} can't be read: {error}"
        if needed.name == OWN_DISTRIBUTION and not needed.specifier.contains(
            __version__, prereleases=True
        ):
            return f"it needs holdall{needed.specifier}, and this is holdall {__version__}"
    return ""
