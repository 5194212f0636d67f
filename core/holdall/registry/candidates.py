"""Candidates: what distributions declare, judged without importing anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.registry.aliases import alias_fault
from holdall.registry.border import Identity
from holdall.registry.policy import EVERYTHING, OWN_DISTRIBUTION, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.errors import PluginLoadError
    from holdall.registry.aliases import AliasState
    from holdall.registry.policy import PluginPolicy

__all__ = [
    "ALIASES",
    "APPLICATION",
    "KINDS",
    "NAME",
    "OWN_DISTRIBUTION",
    "Candidate",
    "Declared",
    "PluginProblem",
    "State",
    "check_kind",
    "id_fault",
    "settle",
]

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

APPLICATION: Final = "application"
"""The distribution of plugins that the running application registered."""

EXPORTER_ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
"""What the id of an exporter matches as a whole."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
"""What the name of any other plugin matches as a whole."""


class State(StrEnum):
    """The state of a candidate; only a load can decide the last four.

    A load also finds `incompatible` what says so itself, by `holdall_api`.
    """

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
        location: The folder of the distribution's metadata.
        stale: Why another installation of the same distribution counts instead.
    """

    kind: str
    name: str
    value: str
    distribution: str = ""
    version: str = ""
    extras: tuple[str, ...] = ()
    incompatible: str = ""
    distribution_ids: frozenset[str] = frozenset()
    location: str = ""
    stale: str = ""

    @property
    def origin(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}".strip() or "an unknown distribution"

    @property
    def is_alias(self) -> bool:
        """Whether this is an alias, which is data and never imported."""
        return self.kind == ALIASES

    @property
    def alias_state(self) -> tuple[AliasState, str]:
        """State and reason of an alias on its own, other claims aside."""
        if self.stale:
            return "shadowed", self.stale
        fault = alias_fault(self.name)
        if fault:
            return "invalid", fault
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
        location: The folder of its distribution's metadata; empty for the application's own.
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
    location: str = ""
    error: PluginLoadError | None = field(default=None, compare=False)

    @property
    def origin(self) -> str:
        """Distribution and version, for messages and provenance."""
        return f"{self.distribution} {self.version}".strip() or "an unknown distribution"

    @property
    def identity(self) -> Identity:
        """Which plugin this is, for the errors of calling it."""
        return Identity(KINDS[self.kind], self.id, self.origin)


class PluginProblem(NamedTuple):
    """Something that is wrong with a plugin, an alias, a distribution or a rule of the policy."""

    what: str
    name: str
    origin: str
    state: str
    reason: str

    def __str__(self) -> str:
        whose = f" of {self.origin}" if self.origin and self.origin != self.name else ""
        return f"{self.what} {self.name!r}{whose} is {self.state}: {self.reason}"


def check_kind(kind: str) -> None:
    """Refuse a kind that does not exist: a programming error."""
    if kind not in KINDS:
        raise ValueError(f"no kind of plugin is called {kind!r} (kinds: {', '.join(KINDS)})")


def settle(declared: Iterable[Declared], policy: PluginPolicy = EVERYTHING) -> Iterator[Candidate]:
    """Yield a candidate for each declaration, in the state that policy and rivals leave it in."""
    entries = list(dict.fromkeys(declared))
    rivals: dict[tuple[str, str], list[Declared]] = {}
    for entry in entries:
        if not any(_disqualified(entry, policy)):
            rivals.setdefault((entry.kind, entry.name), []).append(entry)
    for entry in entries:
        state, reason = _state(entry, rivals.get((entry.kind, entry.name), []), policy)
        yield Candidate(
            kind=entry.kind,
            id=entry.name,
            target=entry.value,
            distribution=entry.distribution,
            version=entry.version,
            extras=entry.extras,
            state=state,
            reason=reason,
            location=entry.location,
        )


def _disqualified(entry: Declared, policy: PluginPolicy) -> Iterator[tuple[State, str]]:
    """Yield what keeps a plugin from being used, whatever else is installed."""
    if entry.stale:
        yield State.SHADOWED, entry.stale
    refusal = policy.refusal(entry.name, entry.distribution, entry.value)
    if refusal:
        yield State.BLOCKED, refusal
    reserved = entry.kind == "exporters" and entry.name.startswith("holdall.")
    if reserved and entry.distribution != OWN_DISTRIBUTION and not _is_preferred(entry, policy):
        yield (
            State.SHADOWED,
            "ids that begin with 'holdall.' are reserved; rename it",
        )
    fault = id_fault(entry.kind, entry.name)
    if fault:
        yield State.INCOMPATIBLE, fault
    if entry.incompatible:
        yield State.INCOMPATIBLE, entry.incompatible


def id_fault(kind: str, plugin_id: str) -> str:
    """Say why *plugin_id* can't be the id of a plugin of *kind*; nothing if it can."""
    pattern, dot = (EXPORTER_ID, ".") if kind == "exporters" else (NAME, "")
    if pattern.fullmatch(plugin_id):
        return ""
    strange = ", ".join(sorted({repr(sign) for sign in re.sub(rf"[a-z0-9_{dot}]", "", plugin_id)}))
    if strange:
        written = re.sub(rf"[^a-z0-9_{dot}]+", "_", plugin_id.lower())
        return f"its id can't hold {strange}; write {written!r}, say"
    words = "lower-case words with dots between them, like 'acme.markdown'"
    return f"its id must be {words if dot else 'a lower-case word'}, and begin with a letter"


def _is_preferred(entry: Declared, policy: PluginPolicy) -> bool:
    rule = policy.preferred(entry.name)
    return rule is not None and normalised(rule.text) == normalised(entry.distribution)


def _state(entry: Declared, rivals: list[Declared], policy: PluginPolicy) -> tuple[State, str]:
    for state, reason in _disqualified(entry, policy):
        return state, reason
    preferred = [rival for rival in rivals if _is_preferred(rival, policy)]
    own = [rival for rival in rivals if rival.distribution == OWN_DISTRIBUTION]
    if preferred and entry not in preferred:
        return (
            State.SHADOWED,
            f"{policy.prefer[entry.name].location} prefers {preferred[0].origin}",
        )
    if own and not preferred and entry not in own:
        return (
            State.SHADOWED,
            "the name belongs to one of holdall's own plugins",
        )
    others = [rival for rival in preferred or own or rivals if rival != entry]
    if others:
        origins = sorted({rival.distribution for rival in others})
        return State.AMBIGUOUS, f"{', '.join(origins)} declares it too"
    return State.READY, ""
