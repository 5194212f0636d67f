"""Discovery: what installed distributions declare for holdall, read without importing it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import near
from holdall.registry.candidates import ALIASES, KINDS, OWN_DISTRIBUTION, Declared, PluginProblem
from holdall.registry.distributions import distributions
from holdall.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdall.registry.distributions import Distribution, EntryPoint

CONTRACT: Final = 1
"""The major version of the plugin contract: `holdall.exporters` is contract 1."""

_GROUP: Final = re.compile(r"holdall\.(?P<kind>\w+?)(\.v(?P<major>\d+))?")


class Scan(NamedTuple):
    """What a scan returned: the declarations, and what is wrong with their distributions."""

    declared: list[Declared]
    problems: list[PluginProblem]


def scan(path: Sequence[str] | None = None) -> Scan:
    """Read what installed distributions declare for holdall.

    Args:
        path: Folders and archives to look at; the search path of modules if not given.
    """
    return sort_out(distributions(path))


def sort_out(distributions: Iterable[Distribution]) -> Scan:
    """Return what these distributions declare."""
    result = Scan([], [])
    for distribution in distributions:
        if distribution.trouble:
            result.problems.append(_problem(distribution, "unreadable", distribution.trouble))
        if distribution.stale:
            result.problems.append(_problem(distribution, "stale", distribution.stale))
        _read(distribution, result)
    return result


def _read(distribution: Distribution, result: Scan) -> None:
    ids = frozenset(
        point.name
        for point in distribution.entry_points
        if point.group in {"holdall.exporters", f"holdall.exporters.v{CONTRACT}"}
    )
    incompatible = incompatibility(distribution)
    current = {(p.group, p.name) for p in distribution.entry_points}
    for point in distribution.entry_points:
        group = _GROUP.fullmatch(point.group)
        kind = group["kind"] if group else ""
        if group is None or (kind not in KINDS and kind != ALIASES):
            known = [f"holdall.{kind}" for kind in (*KINDS, ALIASES)]
            refusal = f"it declares {point.name!r} in the unknown group {point.group!r}"
            problem = _problem(distribution, "unknown", f"{refusal}{near(point.group, known)}")
            result.problems.append(problem)
            continue
        major = int(group["major"] or CONTRACT)
        if major != CONTRACT and (f"holdall.{kind}", point.name) in current:
            continue  # the same distribution declares it for this contract too
        refusal = incompatible if major == CONTRACT else _of_another_contract(major)
        result.declared.append(_declared(kind, point, distribution, refusal, ids))


def _of_another_contract(major: int) -> str:
    return f"written for plugin contract {major}; this holdall speaks {CONTRACT}"


def _declared(
    kind: str,
    point: EntryPoint,
    distribution: Distribution,
    incompatible: str,
    ids: frozenset[str],
) -> Declared:
    return Declared(
        kind=kind,
        name=point.name,
        value=point.target,
        distribution=distribution.name,
        version=distribution.version,
        extras=point.extras,
        incompatible=incompatible,
        distribution_ids=ids,
        location=distribution.location,
        stale=distribution.stale,
    )


def _problem(distribution: Distribution, state: str, reason: str) -> PluginProblem:
    origin = f"{distribution.name} {distribution.version}".strip()
    location = f" (in {distribution.location!r})" if distribution.location else ""
    return PluginProblem("distribution", distribution.name, origin, state, f"{reason}{location}")


def incompatibility(distribution: Distribution) -> str:
    """Say why the distribution can't work with this holdall, from what it requires."""
    if distribution.name == OWN_DISTRIBUTION:
        return ""
    lines = [line for line in distribution.requires if line.lower().startswith("holdall")]
    if not any(re.search(r"[<>=!~;]", line) for line in lines):
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        try:
            needed = Requirement(line)
        except InvalidRequirement as error:
            reason = str(error).partition("\n")[0]
            return f"its requirement {line!r} can't be read: {reason}; tell its authors"
        if needed.name.lower() != OWN_DISTRIBUTION:
            continue
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        if not needed.specifier.contains(__version__, prereleases=True):
            needs = f"holdall{needed.specifier}"
            way = f"install another version of either, by pip install '{needs}', say"
            return f"it needs {needs}, and this is holdall {__version__}; {way}"
    return ""
