"""Rules and settings that match nothing: a typing error, or a plugin that was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors import near
from holdall.registry.candidates import PluginProblem
from holdall.registry.policy import TRIED, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.registry.aliases import AliasTable
    from holdall.registry.candidates import Candidate
    from holdall.registry.policy import PluginPolicy, Rule
    from holdall.settings import Settings


def unmatched(
    policy: PluginPolicy,
    candidates: Sequence[Candidate],
    aliases: AliasTable,
    settings: Mapping[str, Settings],
) -> list[PluginProblem]:
    """Return a problem for each rule, and for all settings, of nothing that is declared."""
    rules = [
        PluginProblem("rule", rule.text, rule.location, "unmatched", reason)
        for rule, reason in _unmatched(policy, candidates, aliases)
    ]
    ids = {candidate.id for candidate in candidates}
    return rules + [
        PluginProblem(
            "settings",
            plugin_id,
            table.location,
            "unmatched",
            f"{plugin_id!r} in {table.location} is no plugin's id{near(plugin_id, ids)}",
        )
        for plugin_id, table in settings.items()
        if plugin_id not in ids
    ]


def _unmatched(
    policy: PluginPolicy, candidates: Sequence[Candidate], aliases: AliasTable
) -> Iterator[tuple[Rule, str]]:
    for rule in (*policy.block, *(policy.allow or ())):
        if rule.matches("", TRIED, ""):
            continue  # it is about what somebody may name one day
        if not any(
            rule.matches(candidate.id, candidate.distribution, candidate.target)
            for candidate in candidates
        ):
            hint = near(rule.text, _subjects(rule, candidates))
            fault = rule.fault()
            reason = f"can match nothing: {fault}" if fault else f"matches no plugin{hint}"
            yield rule, f"{rule} {reason}"
    ids = {candidate.id for candidate in candidates}
    for plugin_id, rule in policy.prefer.items():
        owners = {candidate.distribution for candidate in candidates if candidate.id == plugin_id}
        if not owners:
            reason = f"{plugin_id!r} in {rule.location} is no plugin's id{near(plugin_id, ids)}"
            yield rule, reason
        elif normalised(rule.text) not in {normalised(owner) for owner in owners}:
            reason = f"{rule.text!r} in {rule.location} does not declare {plugin_id!r}"
            yield rule, f"{reason}{near(rule.text, owners)}"
    exporters = {candidate.id for candidate in candidates if candidate.kind == "exporters"}
    for name, rule in policy.alias.items():
        if rule.text not in exporters:
            alias = aliases.get(rule.text)
            hint = near(rule.text, exporters)
            if alias is not None and alias.target in exporters:
                hint = f"; write {alias.target!r}"
            reason = (
                f"the alias {name!r} in {rule.location} leads to {rule.text!r}, no exporter's id"
            )
            yield rule, f"{reason}{hint}"


def _subjects(rule: Rule, candidates: Sequence[Candidate]) -> set[str]:
    """Return what a rule of this sort could have named."""
    if rule.is_about == "dist":
        return {f"dist:{candidate.distribution}" for candidate in candidates}
    if rule.is_about == "target":
        return {f"target:{candidate.target.partition(':')[0]}" for candidate in candidates}
    return {candidate.id for candidate in candidates}
