"""Rules and settings that match nothing: a typing error, or something that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors import near
from holdall.registry.candidates import Problem
from holdall.registry.policy import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.registry.aliases import AliasTable
    from holdall.registry.candidates import Candidate
    from holdall.registry.policy import Policy, Rule
    from holdall.registry.settings import Settings


def unmatched(
    policy: Policy,
    found: Sequence[Candidate],
    aliases: AliasTable,
    settings: Mapping[str, Settings],
) -> list[Problem]:
    """Return a problem for each rule, and for all settings, of nothing that is declared."""
    rules = [
        Problem("rule", rule.text, rule.where, "unmatched", reason)
        for rule, reason in _unmatched(policy, found, aliases)
    ]
    ids = {candidate.id for candidate in found}
    return rules + [
        Problem(
            "settings",
            plugin_id,
            table.where,
            "unmatched",
            f"{plugin_id!r} in {table.where} is no plugin's id{near(plugin_id, ids)}",
        )
        for plugin_id, table in settings.items()
        if plugin_id not in ids
    ]


def _unmatched(
    policy: Policy, found: Sequence[Candidate], aliases: AliasTable
) -> Iterator[tuple[Rule, str]]:
    for rule in (*policy.block, *(policy.allow or ())):
        if not any(rule.matches(each.id, each.distribution, each.target) for each in found):
            yield rule, f"{rule} matches no plugin{near(rule.text, _subjects(rule, found))}"
    ids = {each.id for each in found}
    for plugin_id, rule in policy.prefer.items():
        owners = {each.distribution for each in found if each.id == plugin_id}
        if not owners:
            words = f"{plugin_id!r} in {rule.where} is no plugin's id{near(plugin_id, ids)}"
            yield rule, words
        elif normalised(rule.text) not in {normalised(each) for each in owners}:
            words = f"{rule.text!r} in {rule.where} does not declare {plugin_id!r}"
            yield rule, f"{words}{near(rule.text, owners)}"
    exporters = {each.id for each in found if each.kind == "exporters"}
    for name, rule in policy.alias.items():
        if rule.text not in exporters:
            alias = aliases.get(rule.text)
            hint = near(rule.text, exporters)
            if alias is not None and alias.target in exporters:
                hint = f"; write {alias.target!r}"
            words = f"the alias {name!r} in {rule.where} leads to {rule.text!r}, no exporter's id"
            yield rule, f"{words}{hint}"


def _subjects(rule: Rule, found: Sequence[Candidate]) -> set[str]:
    """Return what a rule of this sort could have named."""
    if rule.text.startswith("dist:"):
        return {f"dist:{each.distribution}" for each in found}
    if rule.text.startswith("target:"):
        return {f"target:{each.target.partition(':')[0]}" for each in found}
    return {each.id for each in found}
