"""Resolve a name to a plugin, step by step; decided here and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import PluginConflictError, PluginUnavailableError, UnknownPluginError
from holdall.registry.aliases import KNOWN_ELSEWHERE
from holdall.registry.candidates import APPLICATION, KINDS, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdall.errors import PluginError
    from holdall.registry.aliases import Alias, AliasTable
    from holdall.registry.candidates import Candidate
    from holdall.registry.policy import PluginPolicy

USABLE: Final = frozenset({State.READY, State.LOADED})


class Step(NamedTuple):
    """One thing that was looked at: `id`, `alias`, `claim`, `policy` or `winner`."""

    what: str
    text: str


class Resolution(NamedTuple):
    """What a name resolves to, and by which steps.

    Attributes:
        steps: What was looked at, in that order.
        candidate: The plugin that the name resolves to; None if none may be used.
        error: Why the name resolves to none.
        legacy: The alias that was followed, if it is one of plainbox's.
    """

    kind: str
    name: str
    steps: tuple[Step, ...]
    candidate: Candidate | None = None
    error: PluginError | None = None
    legacy: Alias | None = None

    def __str__(self) -> str:
        return f"the {KINDS[self.kind]} {self.name!r}: {'; '.join(s.text for s in self.steps)}"

    def get(self) -> Candidate:
        """Return the candidate, or raise `error`."""
        if self.candidate is not None:
            return self.candidate
        raise self.error or UnknownPluginError(KINDS[self.kind], self.name)


class Names(NamedTuple):
    """What names resolve to: the claims of each kind and id, the aliases and the policy."""

    claims: Mapping[tuple[str, str], Sequence[Candidate]]
    aliases: AliasTable
    policy: PluginPolicy

    def explain(self, kind: str, name: str) -> Resolution:
        """Return what *name* means: an exact id first, then an alias, one hop."""
        steps: list[Step] = []
        plugin_id, alias, error = self._target(kind, name, steps)
        legacy = alias if alias is not None and alias.kind == "legacy" else None
        claims = self.claims.get((kind, plugin_id), ())
        steps += [_claim(claim) for claim in claims]
        rule = self.policy.preferred(plugin_id)
        if rule is not None and claims:
            steps.append(Step("policy", f"{rule.location} prefers {rule.text}"))
        usable = [claim for claim in claims if claim.state in USABLE]
        winner = usable[0] if len(usable) == 1 else None
        if winner is None:
            error = error or self._error(kind, name, plugin_id, claims)
            steps.append(Step("winner", f"none: {error}"))
            return Resolution(kind, name, tuple(steps), error=error, legacy=legacy)
        steps.append(Step("winner", f"{winner.id} of {winner.origin}, {winner.target}"))
        winner = replace(winner, aliases=self.aliases_of(winner))
        return Resolution(kind, name, tuple(steps), winner, legacy=legacy)

    def aliases_of(self, candidate: Candidate) -> tuple[str, ...]:
        """Return the other names to type for a candidate."""
        return self.aliases.names(candidate.id) if candidate.kind == "exporters" else ()

    def _target(
        self, kind: str, name: str, steps: list[Step]
    ) -> tuple[str, Alias | None, PluginError | None]:
        """Return the id that *name* stands for, the alias that was followed, and what hinders."""
        if (kind, name) in self.claims:
            steps.append(Step("id", f"{name!r} is the id of a {KINDS[kind]}"))
            return name, None, None
        steps.append(Step("id", f"no {KINDS[kind]} has the id {name!r}"))
        if kind != "exporters":
            return name, None, None
        claims = self.aliases.claims(name)
        steps += [Step("alias", _alias_text(claim)) for claim in claims]
        alias = self.aliases.get(name)
        if alias is not None:
            return alias.target, alias, None
        torn = [claim for claim in claims if claim.state == "ambiguous"]
        if torn:
            origins = [f"{claim.distribution} for {claim.target!r}" for claim in torn]
            remedy = f'alias = {{"{name}" = "{torn[0].target}"}}'
            return name, None, PluginConflictError("alias", name, origins, remedy)
        blocked = next((claim for claim in claims if claim.state == "blocked"), None)
        if blocked is not None:
            return name, None, PluginUnavailableError("alias", name, "blocked", blocked.reason)
        return name, None, None

    def _error(
        self, kind: str, name: str, plugin_id: str, claims: Sequence[Candidate]
    ) -> PluginError:
        torn = [claim for claim in claims if claim.state is State.AMBIGUOUS]
        if torn:
            owners = list(dict.fromkeys(claim.distribution for claim in torn))
            remedy = f'prefer = {{"{plugin_id}" = "{owners[0]}"}}' if len(owners) > 1 else ""
            own = owners == [APPLICATION]
            undo = "unregister the id, and register one" if own else "uninstall all but one"
            return PluginConflictError(KINDS[kind], plugin_id, _origins(torn), remedy, undo)
        for claim in claims:
            if claim.error is not None:
                return claim.error
            words = (claim.state, claim.reason, claim.origin)
            return PluginUnavailableError(KINDS[kind], plugin_id, *words)
        return UnknownPluginError(KINDS[kind], name, self.known(kind), _elsewhere(kind, name))

    def known(self, kind: str) -> list[str]:
        """Return the shortest name of everything of *kind* that is declared."""
        ids = {plugin_id for known_kind, plugin_id in self.claims if known_kind == kind}
        short = self.aliases.names if kind == "exporters" else lambda _id: ()
        return sorted((short(plugin_id) or (plugin_id,))[0] for plugin_id in ids)


def _origins(claims: Sequence[Candidate]) -> list[str]:
    """Return where rivals come from, with their targets if one distribution has several."""
    origins = [claim.origin for claim in claims]
    if len(set(origins)) == len(origins):
        return origins
    return [f"{claim.origin} ({claim.target})" for claim in claims]


def _claim(claim: Candidate) -> Step:
    why = f": {claim.reason}" if claim.reason else ""
    return Step("claim", f"{claim.origin} declares {claim.id}, {claim.state}{why}")


def _alias_text(alias: Alias) -> str:
    owner = {
        "short": "holdall's own",
        "legacy": "plainbox's, deprecated",
        "configured": "the policy's",
        "third-party": f"of {alias.distribution}",
    }[alias.kind]
    state = "" if alias.state == "ready" else f", {alias.state}: {alias.reason}"
    return f"{alias.name!r} is an alias of {alias.target!r} ({owner}){state}"


def _elsewhere(kind: str, name: str) -> str:
    provider = KNOWN_ELSEWHERE.get(kind, {}).get(name)
    if provider is None:
        return ""
    return f"it is none of holdall's own, a distribution like {provider!r} would provide it"
