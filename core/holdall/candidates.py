"""What distributions declare, and what can be said of it without importing anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.aliases import AliasState
    from holdall.errors import PluginLoadError

OWN_DISTRIBUTION: Final = "holdall"

KINDS: Final[Mapping[str, str]] = {
    "exporters": "exporter",
    "repositories": "store",
    "provider_loaders": "provider loader",
    "providers": "provider",
    "runners": "runner",
    "importers": "importer",
    "hooks": "hook module",
}
"""The kinds of plugins, each with the word for one; the group of `exporters` is
`holdall.exporters`, and so on."""

ALIASES: Final = "aliases"

EXPORTER_ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class State(StrEnum):
    """What is known of a candidate; the last four only a load can tell."""

    READY = "ready"
    BLOCKED = "blocked"
    SHADOWED = "shadowed"
    AMBIGUOUS = "ambiguous"
    INCOMPATIBLE = "incompatible"
    LOADED = "loaded"
    MISSING_DEPENDENCY = "missing-dependency"
    BROKEN = "broken"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry point, as its distribution declares it.

    Attributes:
        kind: `exporters`, `repositories`..., or `aliases`.
        incompatible: Why the distribution can't work with this holdall, or nothing.
        distribution_ids: Exporter ids that the same distribution declares, for aliases.
    """

    kind: str
    name: str
    value: str
    distribution: str = ""
    version: str = ""
    extras: tuple[str, ...] = ()
    incompatible: str = ""
    distribution_ids: frozenset[str] = frozenset()

    @property
    def is_alias(self) -> bool:
        """Whether this is an alias, which is data and never imported."""
        return self.kind == ALIASES

    @property
    def alias_state(self) -> tuple[AliasState, str]:
        """State and reason of an alias on its own, other claims aside."""
        if self.value in self.distribution_ids:
            return "ready", ""
        return "invalid", f"{self.distribution} declares no exporter {self.value!r} of its own"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that could be used, or could not and why.

    Attributes:
        target: `module:attribute`.
        extras: Extras of its distribution that it needs.
        aliases: Other names to type.
        error: What a load raised.
    """

    kind: str
    id: str
    target: str
    distribution: str = ""
    version: str = ""
    extras: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    state: State = State.READY
    reason: str = ""
    error: PluginLoadError | None = field(default=None, compare=False)

    @property
    def origin(self) -> str:
        """Distribution and version, for messages and provenance."""
        return f"{self.distribution} {self.version}".strip() or "an unknown distribution"


def check_kind(kind: str) -> None:
    """Refuse a kind that does not exist: a programming error."""
    if kind not in KINDS:
        raise ValueError(f"no kind of plugin is called {kind!r} (kinds: {', '.join(KINDS)})")


def settle(declared: Iterable[Declared]) -> Iterator[Candidate]:
    """Yield a candidate for each declaration, in the state that the others leave it in."""
    entries = list(declared)
    owners: dict[tuple[str, str], set[str]] = {}
    for entry in entries:
        owners.setdefault((entry.kind, entry.name), set()).add(entry.distribution)
    for entry in entries:
        state, reason = _state(entry, owners[entry.kind, entry.name])
        yield Candidate(
            kind=entry.kind,
            id=entry.name,
            target=entry.value,
            distribution=entry.distribution,
            version=entry.version,
            extras=entry.extras,
            state=state,
            reason=reason,
        )


def _state(entry: Declared, owners: set[str]) -> tuple[State, str]:
    shape = EXPORTER_ID if entry.kind == "exporters" else NAME
    own = entry.distribution == OWN_DISTRIBUTION
    if not own and OWN_DISTRIBUTION in owners:
        return State.SHADOWED, "the name belongs to one of holdall's own plugins"
    if not own and entry.kind == "exporters" and entry.name.startswith("holdall."):
        return State.SHADOWED, "ids that begin with 'holdall.' are reserved"
    if not shape.fullmatch(entry.name):
        wanted = "dotted, like 'acme.markdown'" if shape is EXPORTER_ID else "one lower-case word"
        return State.INCOMPATIBLE, f"its id must be {wanted}"
    if entry.incompatible:
        return State.INCOMPATIBLE, entry.incompatible
    if not own and len(owners) > 1:
        rivals = sorted(owners - {entry.distribution})
        return State.AMBIGUOUS, f"{', '.join(rivals)} declares it too"
    return State.READY, ""
