from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from tests.unit.plugin_worlds import alias, exporter

from holdall.errors import PluginUnavailableError, StrictPolicyError
from holdall.registry.candidates import State
from holdall.registry.policy import PluginPolicy, Rule
from holdall.registry.registry import PolicyWarning, Registry

HTML = exporter("holdall.html", "html:X", of="holdall")
ACME = exporter("acme.md", "acme_md.export:X", of="Acme_Reports")
RIVAL = exporter("rival.pdf", "rival:X", of="rival")


def usable(policy: PluginPolicy, *declared: object) -> list[str]:
    registry = Registry.of(*(declared or (HTML, ACME, RIVAL)), policy=policy)  # type: ignore[arg-type]
    return [each.id for each in registry.candidates("exporters") if each.state is State.READY]


@pytest.mark.parametrize(
    "rule",
    ["acme.md", "acme.*", "dist:acme-reports", "dist:ACME.*", "target:acme_md.*"],
)
def test_a_rule_blocks_by_id_by_distribution_or_by_module(rule: str) -> None:
    assert usable(PluginPolicy.of(block=[rule])) == ["holdall.html", "rival.pdf"]


def test_only_what_is_allowed_is_used_and_holdalls_own() -> None:
    assert usable(PluginPolicy.of(allow=["rival.*"])) == ["holdall.html", "rival.pdf"]
    assert usable(PluginPolicy.of(allow=[])) == ["holdall.html"]


def test_block_beats_allow() -> None:
    assert usable(PluginPolicy.of(allow=["*"], block=["rival.pdf"])) == ["acme.md", "holdall.html"]


def test_one_of_holdalls_own_can_be_blocked() -> None:
    assert usable(PluginPolicy.of(block=["holdall.html"])) == ["acme.md", "rival.pdf"]


def test_only_holdalls_own_plugins_are_used_when_asked_for() -> None:
    assert usable(PluginPolicy(only_own="--no-plugins")) == ["holdall.html"]


def test_a_blocked_plugin_is_listed_with_the_rule_and_never_imported() -> None:
    registry = Registry.of(
        ACME, policy=PluginPolicy.of(block=["dist:acme-*"], location="lab.toml, block")
    )
    before = set(sys.modules)

    with pytest.raises(PluginUnavailableError) as caught:
        registry.load("exporters", "acme.md")

    words = "it is blocked: blocked by the rule 'dist:acme-*' (lab.toml, block)"
    assert words in str(caught.value)
    assert [each.state for each in registry.candidates("exporters")] == [State.BLOCKED]
    assert not set(sys.modules) - before


def test_blocking_one_of_two_claims_settles_the_conflict() -> None:
    rival = replace(ACME, distribution="rival")

    registry = Registry.of(ACME, rival, policy=PluginPolicy.of(block=["dist:rival"]))

    assert registry.resolve("exporters", "acme.md").distribution == "Acme_Reports"


def test_a_built_in_is_replaced_on_purpose_and_by_nothing_else() -> None:
    mine = replace(HTML, distribution="acme-html", value="acme_html:X")
    policy = PluginPolicy.of(prefer={"holdall.html": "Acme.HTML"}, location="lab.toml")

    kept = Registry.of(HTML, mine)
    replaced = Registry.of(HTML, mine, policy=policy)

    assert kept.resolve("exporters", "html").distribution == "holdall"
    assert replaced.resolve("exporters", "html").distribution == "acme-html"
    states = {each.distribution: each.reason for each in replaced.candidates("exporters")}
    assert states["holdall"] == "lab.toml prefers acme-html 1.0"


def test_what_is_blocked_is_not_preferred() -> None:
    mine = replace(HTML, distribution="acme-html")
    policy = PluginPolicy.of(prefer={"holdall.html": "acme-html"}, block=["dist:acme-html"])

    registry = Registry.of(HTML, mine, policy=policy)

    assert registry.resolve("exporters", "html").distribution == "holdall"


def test_an_alias_of_the_policy_wins_over_all_others() -> None:
    registry = Registry.of(
        HTML,
        ACME,
        alias("md", "acme.md", of="x"),
        policy=PluginPolicy.of(alias={"html": "acme.md"}),
    )

    assert registry.resolve("exporters", "html").id == "acme.md"
    assert registry.resolve("exporters", "holdall.html").id == "holdall.html"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            PluginPolicy.of(block=["acme.mb"]),
            "the rule 'acme.mb' .* matches no plugin; did you mean",
        ),
        (
            PluginPolicy.of(block=["distribution:acme"]),
            "can match nothing: 'distribution:' is none of dist, target",
        ),
        (PluginPolicy.of(block=["dist: "]), "can match nothing: it names nothing"),
        (PluginPolicy.of(block=["Acme.md"]), "can match nothing: .* write 'acme.md'"),
        (
            PluginPolicy.of(block=["dist:acme-report"]),
            "'dist:acme-report' .*did you mean 'dist:Acme_Reports'",
        ),
        (PluginPolicy.of(allow=["target:acme_mb.export"]), "did you mean 'target:acme_md.export'"),
        (
            PluginPolicy.of(prefer={"acme.mb": "rival"}),
            "'acme.mb' in .* no plugin's id; did you mean",
        ),
        (PluginPolicy.of(prefer={"acme.md": "rival"}), "'rival' in .* does not declare 'acme.md'"),
        (
            PluginPolicy.of(alias={"x": "acme.mb"}),
            "leads to 'acme.mb', no exporter's id; did you mean",
        ),
        (PluginPolicy.of(alias={"x": "html"}), "leads to 'html', no .*; write 'holdall.html'"),
    ],
)
def test_a_rule_that_matches_nothing_is_a_problem_with_near_names(
    policy: PluginPolicy, words: str
) -> None:
    import re

    registry = Registry.of(HTML, ACME, RIVAL, policy=policy)

    (problem,) = registry.problems()
    assert problem.state == "unmatched"
    assert re.search(words, problem.reason)


def test_discover_warns_of_a_rule_that_matches_nothing() -> None:
    with pytest.warns(PolicyWarning, match="'langsmith' .* matches no plugin"):
        Registry.discover(PluginPolicy.of(block=["langsmith"]))


def test_a_strict_policy_makes_any_problem_an_error() -> None:
    policy = PluginPolicy.of(strict=True, block=["langsmith"])

    with pytest.raises(StrictPolicyError, match="langsmith"):
        Registry.discover(policy, warn=lambda _words: None)


def test_the_stronger_policy_counts_and_what_either_blocks_is_blocked() -> None:
    strong = PluginPolicy.of(block=["a"], alias={"x": "a.a"}, location="1")
    weak = PluginPolicy.of(allow=["c"], block=["b"], alias={"x": "b.b", "y": "b.b"}, location="2")

    both = strong.over(weak)

    assert both.allow == (Rule("c", "2"),)
    assert both.block == (Rule("a", "1"), Rule("b", "2"))
    assert both.alias == {"x": Rule("a.a", "1"), "y": Rule("b.b", "2")}
    assert PluginPolicy.of(allow=["d"]).over(weak).allow == (Rule("d"),)


@pytest.mark.parametrize("rule", ["  acme.md ", "dist: acme-reports", " DIST:Acme.Reports\n"])
def test_blanks_and_the_spelling_of_a_rule_do_not_matter(rule: str) -> None:
    (blocked,) = PluginPolicy.of(block=[rule]).block

    assert blocked.fault() == ""
    assert blocked.matches("acme.md", "Acme_Reports", "acme_md.export:Exporter")
