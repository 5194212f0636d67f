"""The alias table: other names for exporters, as data.

An alias leads to a canonical id in one hop and never to another alias.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AliasKind = Literal["short", "legacy", "third-party", "configured"]
AliasState = Literal["ready", "shadowed", "ambiguous", "invalid", "blocked"]

_OWN: Final = (
    *("agent", "allure", "csv", "ctrf", "html", "json", "junit", "markdown", "ndjson", "otr"),
    *("parquet", "tap", "tar", "template", "testplan", "text", "xlsx"),
)

SHORT: Final[Mapping[str, str]] = {
    **{name: f"holdall.{name}" for name in _OWN},
    "global": "holdall.verdict",
    "jinja2": "holdall.template",
}
"""What people type; silent for ever, and reserved."""

_UNITS: Final = ("global", "html", "json", "junit", "tar", "text", "xlsx")

_RENAMED: Final = {"html-multi-page": "html", "tp-export": "testplan"}

LEGACY: Final[Mapping[str, str]] = {
    f"{namespace}::{unit}": SHORT[_RENAMED.get(unit, unit)]
    for namespace in ("com.canonical.plainbox", "2013.com.canonical.plainbox")
    for unit in (*_UNITS, *_RENAMED)
}
"""What plainbox called its exporters; used with a warning."""


KNOWN_ELSEWHERE: Final[Mapping[str, Mapping[str, str]]] = {
    "exporters": {
        "docx": "holdall-docx",
        "odt": "holdall-odt",
        "pdf": "holdall-pdf",
        "sarif": "holdall-sarif",
        "xunit": "holdall-xunit",
    },
    "repositories": {
        "mysql": "holdall-mysql",
        "redis": "holdall-redis",
    },
}
"""Names that are no typing error, by kind, and the distribution that would provide each."""


_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_:-]*(\.[a-z0-9_:-]+)*")


def alias_fault(name: str) -> str:
    """Say why *name* can't be an alias, which people type as `NAME=PATH`; nothing if it can."""
    if _NAME.fullmatch(name):
        return ""
    return "an alias must be lower-case letters, digits and '_', '-', ':', with dots between words"


class Alias(NamedTuple):
    """One name that stands for an id.

    Attributes:
        distribution: Who declares it; empty for holdall's own and the integrator's.
        state: Only `ready` aliases are followed.
        reason: Why another state.
    """

    name: str
    target: str
    kind: AliasKind
    distribution: str = ""
    state: AliasState = "ready"
    reason: str = ""


class AliasTable:
    """All aliases: holdall's own, those of other distributions, and the integrator's.

    A name of holdall's own can be taken over by the integrator alone. Two
    distributions that claim one alias for different ids make that alias
    ambiguous, and nothing else.
    """

    def __init__(self, declared: Iterable[Alias] = ()) -> None:
        given = list(declared)
        configured = [alias for alias in given if alias.kind == "configured"]
        third = [alias for alias in given if alias.kind == "third-party"]
        taken = {alias.name for alias in configured}
        own = [Alias(name, target, "short") for name, target in SHORT.items()]
        own += [Alias(name, target, "legacy") for name, target in LEGACY.items()]
        settled = [_settled(alias, third) for alias in third]
        self.entries: Final = (
            *(_below(taken, alias) for alias in own),
            *(_below(taken, alias) for alias in settled),
            *configured,
        )
        self._ready: Final = {a.name: a for a in reversed(self.entries) if a.state == "ready"}

    def get(self, name: str) -> Alias | None:
        """Return the alias of that name if it may be followed."""
        return self._ready.get(name)

    def claims(self, name: str) -> tuple[Alias, ...]:
        """Return every declared alias of that name, in whatever state."""
        return tuple(alias for alias in self.entries if alias.name == name)

    def names(self, target: str, *, legacy: bool = False) -> tuple[str, ...]:
        """Return the aliases of *target* that people are meant to type, its own word first.

        Args:
            legacy: Return plainbox's names as well.
        """
        targeting = (
            alias.name
            for alias in self._ready.values()
            if alias.target == target and (legacy or alias.kind != "legacy")
        )
        own = target.rpartition(".")[2]
        return tuple(sorted(targeting, key=lambda name: (name != own, name)))


def _below(taken: set[str], alias: Alias) -> Alias:
    """Return *alias*, shadowed if the integrator gave its name another meaning."""
    if alias.name in taken and alias.state in {"ready", "ambiguous"}:
        return _in_state(alias, "shadowed", "the policy says otherwise")
    return alias


def _settled(alias: Alias, others: list[Alias]) -> Alias:
    """Return *alias* in the state that the other claims leave it in."""
    if alias.state != "ready":
        return alias
    if alias.name in SHORT or alias.name in LEGACY:
        return _in_state(alias, "shadowed", "the name is reserved for holdall's own exporter")
    rivals = sorted(
        {
            other.distribution
            for other in others
            if other.name == alias.name and other.target != alias.target and other.state == "ready"
        }
    )
    if rivals:
        return _in_state(alias, "ambiguous", f"{', '.join(rivals)} claims the name too")
    return alias


def _in_state(alias: Alias, state: AliasState, reason: str) -> Alias:
    return alias._replace(state=state, reason=reason)
