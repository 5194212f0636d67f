from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from holdall.errors import (
    PluginConflictError,
    PluginLoadError,
    PluginUnavailableError,
    UnknownPluginError,
)
from holdall.registry.candidates import Declared, State
from holdall.registry.policy import PluginPolicy
from holdall.registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def exporter(
    name: str,
    value: str = "nowhere:Exporter",
    *,
    of: str = "acme",
    extras: tuple[str, ...] = (),
    incompatible: str = "",
) -> Declared:
    return Declared(
        kind="exporters",
        name=name,
        value=value,
        distribution=of,
        version="1.0",
        extras=extras,
        incompatible=incompatible,
    )


def alias(name: str, target: str, *, of: str = "acme", ids: tuple[str, ...] = ()) -> Declared:
    return Declared(
        kind="aliases",
        name=name,
        value=target,
        distribution=of,
        distribution_ids=frozenset(ids or (target,)),
    )


HTML = exporter("holdall.html", of="holdall", extras=("html",))
JSON = exporter("holdall.json", of="holdall")


@pytest.fixture
def module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Write the source that the test's mark gives as a module, and return its name."""
    name = f"plugin_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(request.param)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


GOOD = """
from dataclasses import dataclass
@dataclass
class Options: pass
class Exporter:
    summary, suffix, media_type = "Good", ".good", "text/plain"
    Options = Options
    def export(self, view, sink, context): ...
"""


def test_resolve_suggests_the_nearest_name_for_a_typo() -> None:
    registry = Registry.of(HTML, JSON)

    with pytest.raises(UnknownPluginError) as caught:
        registry.resolve("exporters", "jsno")

    assert str(caught.value) == (
        "no exporter is called 'jsno'; did you mean 'json'? (installed: html, json)"
    )


def test_resolve_finds_a_short_alias_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Registry.of(HTML).resolve("exporters", "html")

    assert found.id == "holdall.html"


@pytest.mark.parametrize("namespace", ["com.canonical.plainbox", "2013.com.canonical.plainbox"])
def test_resolve_finds_a_legacy_name_and_warns_once(namespace: str) -> None:
    registry = Registry.of(HTML)

    with pytest.warns(DeprecationWarning, match="write 'html'"):
        found = registry.resolve("exporters", f"{namespace}::html")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = registry.resolve("exporters", f"{namespace}::html")

    assert found.id == again.id == "holdall.html"


def test_a_third_party_alias_leads_to_an_id_of_its_own_distribution() -> None:
    registry = Registry.of(exporter("acme.md"), alias("acme-md", "acme.md"))

    assert registry.resolve("exporters", "acme-md").id == "acme.md"
    assert registry.candidates("exporters")[0].aliases == ("acme-md",)


def test_a_third_party_alias_cannot_lead_to_a_stranger() -> None:
    registry = Registry.of(HTML, alias("pretty", "holdall.html", ids=("acme.md",)))

    with pytest.raises(UnknownPluginError):
        registry.resolve("exporters", "pretty")
    assert [each.state for each in registry.aliases.claims("pretty")] == ["invalid"]


def test_a_third_party_cannot_take_over_a_short_alias() -> None:
    registry = Registry.of(HTML, exporter("acme.md"), alias("html", "acme.md"))

    assert registry.resolve("exporters", "html").id == "holdall.html"
    assert registry.aliases.claims("html")[-1].state == "shadowed"


def test_two_claims_to_one_alias_disable_the_alias_alone() -> None:
    registry = Registry.of(
        exporter("acme.md"),
        exporter("rival.md", of="rival"),
        alias("md", "acme.md"),
        alias("md", "rival.md", of="rival"),
    )

    with pytest.raises(
        PluginConflictError, match=r"acme for 'acme\.md' and rival for 'rival\.md'"
    ):
        registry.resolve("exporters", "md")
    assert registry.resolve("exporters", "acme.md").distribution == "acme"
    assert registry.resolve("exporters", "rival.md").distribution == "rival"


def test_resolve_refuses_to_choose_between_two_claims_to_one_name() -> None:
    registry = Registry.of(exporter("acme.md"), exporter("acme.md", of="rival"))

    with pytest.raises(PluginConflictError, match=r"acme 1\.0 and rival 1\.0"):
        registry.resolve("exporters", "acme.md")
    assert {each.state for each in registry.candidates("exporters")} == {State.AMBIGUOUS}


def test_a_stranger_cannot_take_over_a_built_in() -> None:
    registry = Registry.of(HTML, exporter("holdall.html", of="rival"))

    assert registry.resolve("exporters", "holdall.html").distribution == "holdall"
    states = {each.distribution: each.state for each in registry.candidates("exporters")}
    assert states == {"holdall": State.READY, "rival": State.SHADOWED}


def test_an_id_below_holdall_is_reserved() -> None:
    registry = Registry.of(exporter("holdall.pdf"))

    with pytest.raises(PluginUnavailableError, match="reserved"):
        registry.resolve("exporters", "holdall.pdf")


def test_an_incompatible_plugin_is_listed_and_refused_with_the_reason() -> None:
    registry = Registry.of(exporter("acme.md", incompatible="it needs holdall>=9"))

    with pytest.raises(PluginUnavailableError, match="it needs holdall>=9"):
        registry.load("exporters", "acme.md")


def test_an_id_without_a_dot_is_refused_with_the_reason() -> None:
    registry = Registry.of(exporter("markdown"))

    with pytest.raises(PluginUnavailableError, match="dots between them, like"):
        registry.resolve("exporters", "markdown")


def test_a_missing_extra_becomes_a_command() -> None:
    registry = Registry.of(
        exporter("holdall.xlsx", "no_such_library:X", of="holdall", extras=("xlsx",))
    )

    with pytest.raises(PluginLoadError) as caught:
        registry.load("exporters", "xlsx")

    # The entry point's own top-level module is missing: that is broken, not an extra.
    assert caught.value.state == State.BROKEN


@pytest.mark.parametrize("module", ["import no_such_library\n"], indirect=True)
def test_a_missing_module_of_a_declared_extra_says_the_pip_command(module: str) -> None:
    registry = Registry.of(exporter("holdall.xlsx", f"{module}:X", of="holdall", extras=("xlsx",)))

    with pytest.raises(PluginLoadError) as caught:
        registry.load("exporters", "xlsx")

    assert caught.value.state == State.MISSING_DEPENDENCY
    assert 'pip install "holdall[xlsx]"' in str(caught.value)


@pytest.mark.parametrize("module", ["import no_such_library\n"], indirect=True)
def test_a_missing_module_nobody_declared_names_the_distribution(module: str) -> None:
    registry = Registry.of(exporter("acme.md", f"{module}:X"))

    with pytest.raises(PluginLoadError, match="acme does not say that it needs it"):
        registry.load("exporters", "acme.md")


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("raise RuntimeError('boom')", id="exception"),
        pytest.param("raise SystemExit(3)", id="system-exit"),
        pytest.param("raise GeneratorExit", id="base-exception"),
        pytest.param("def broken(:", id="syntax"),
    ],
    indirect=True,
)
def test_a_plugin_that_breaks_at_import_fails_its_caller_only(module: str) -> None:
    registry = Registry.of(exporter("acme.bad", f"{module}:X"), HTML)

    with pytest.raises(PluginLoadError) as first:
        registry.load("exporters", "acme.bad")
    with pytest.raises(PluginLoadError) as second:
        registry.load("exporters", "acme.bad")

    assert first.value is second.value
    assert first.value.state == State.BROKEN
    assert "acme 1.0" in str(first.value)
    assert registry.resolve("exporters", "html").state is State.READY


@pytest.mark.parametrize("module", ["raise KeyboardInterrupt"], indirect=True)
def test_an_interrupt_at_import_goes_on(module: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        Registry.of(exporter("acme.md", f"{module}:X")).load("exporters", "acme.md")


@pytest.mark.parametrize("module", [GOOD], indirect=True)
def test_load_returns_the_same_class_each_time(module: str) -> None:
    registry = Registry.of(exporter("acme.good", f"{module}:Exporter"))

    assert registry.load("exporters", "acme.good") is registry.load("exporters", "acme.good")
    assert registry.candidates("exporters")[0].state is State.LOADED


@pytest.mark.parametrize(
    "module",
    ["class Exporter:\n    summary, Options = 3, 3\n    def export(self, view): ...\n"],
    indirect=True,
)
def test_load_reports_everything_that_does_not_fit_at_once(module: str) -> None:
    registry = Registry.of(exporter("acme.odd", f"{module}:Exporter"))

    with pytest.raises(PluginLoadError) as caught:
        registry.load("exporters", "acme.odd")

    assert caught.value.state == State.INVALID
    words = str(caught.value)
    assert all(part in words for part in ("'summary'", "'suffix'", "'Options'", "'export'"))


def test_register_adds_a_class_of_the_running_application() -> None:
    class Mine:
        summary, suffix, media_type = "Mine", ".mine", "text/plain"

        @dataclass
        class Options:
            pass

        def export(self, view: object, sink: object, context: object) -> None: ...

    registry = Registry.empty()

    registry.register("exporters", "app.mine", Mine)

    assert registry.load("exporters", "app.mine") is Mine


def test_listing_imports_no_plugin() -> None:
    before = set(sys.modules)

    registry = Registry.discover()
    listed = [registry.candidates(kind) for kind in ("exporters", "repositories", "runners")]

    assert all(listed)
    new = set(sys.modules) - before
    assert not {name for name in new if name.startswith(("holdall_exporters", "holdall_plugins"))}


def test_an_unknown_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no kind of plugin is called 'exporter'"):
        Registry.empty().candidates("exporter")


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (GOOD.replace("@dataclass\n", ""), "must be a dataclass"),
        (GOOD.replace("Options: pass", "Options:\n    depth: int"), "must have a default"),
    ],
    indirect=["module"],
    ids=["no-dataclass", "no-default"],
)
def test_load_refuses_options_that_could_not_be_used(module: str, words: str) -> None:
    registry = Registry.of(exporter("acme.odd", f"{module}:Exporter"))

    with pytest.raises(PluginLoadError, match=words):
        registry.load("exporters", "acme.odd")


class Lines:
    summary, suffix, media_type = "lines", ".txt", "text/plain"

    def export(self, view: object, sink: object, context: object) -> None: ...


class OtherLines(Lines):
    pass


def test_an_id_that_the_application_registers_twice_names_both_plugins() -> None:
    plugins = Registry.empty()
    plugins.register("exporters", "app.lines", Lines)
    plugins.register("exporters", "app.lines", OtherLines)

    with pytest.raises(PluginConflictError) as caught:
        plugins.load("exporters", "app.lines")

    module = __name__
    assert str(caught.value) == (
        f"cannot choose the exporter 'app.lines': application ({module}:Lines) and application "
        f"({module}:OtherLines) both declare it; unregister the id, and register one of them"
    )


def test_two_classes_of_one_name_are_two_plugins() -> None:
    def made() -> type:
        class Local(Lines):
            pass

        return Local

    plugins = Registry.empty()
    plugins.register("exporters", "app.local", made())
    plugins.register("exporters", "app.local", made())

    with pytest.raises(PluginConflictError, match="unregister the id, and register one"):
        plugins.load("exporters", "app.local")


def test_the_same_plugin_registered_twice_is_registered_once() -> None:
    plugins = Registry.empty()
    plugins.register("exporters", "app.lines", Lines)
    plugins.register("exporters", "app.lines", Lines)

    assert plugins.load("exporters", "app.lines") is Lines


def test_what_was_unregistered_is_gone_and_may_be_registered_anew() -> None:
    plugins = Registry.empty()
    plugins.register("exporters", "app.lines", Lines)
    plugins.unregister("exporters", "app.lines")

    assert plugins.candidates("exporters") == []
    plugins.register("exporters", "app.lines", OtherLines)
    assert plugins.load("exporters", "app.lines") is OtherLines


def test_only_what_the_application_registered_can_be_unregistered() -> None:
    plugins = Registry.of(exporter("acme.lines"))

    with pytest.raises(UnknownPluginError, match="the application registered none"):
        plugins.unregister("exporters", "acme.lines")


@pytest.mark.parametrize(
    ("kind", "plugin_id", "wanted"),
    [
        pytest.param("exporters", "mine", "words with dots between them, like", id="no dot"),
        pytest.param(
            "exporters", "app.Lines", "can't hold 'L'; write 'app.lines'", id="upper case"
        ),
        pytest.param("exporters", "bad.my-x", "can't hold '-'; write 'bad.my_x'", id="a hyphen"),
        pytest.param("exporters", "1a.x", "and begin with a letter", id="a digit"),
        pytest.param("exporters", "a..x", "words with dots between them", id="two dots"),
        pytest.param("runners", "my runner", "can't hold ' '; write 'my_runner'", id="a blank"),
    ],
)
def test_an_id_that_is_none_is_refused_at_once(kind: str, plugin_id: str, wanted: str) -> None:
    plugins = Registry.empty()

    with pytest.raises(PluginLoadError, match=wanted):
        plugins.register(kind, plugin_id, Lines)
    assert plugins.candidates(kind) == []


def test_rules_of_the_application_cover_what_it_registers(
    recwarn: pytest.WarningsRecorder,
) -> None:
    policy = PluginPolicy.of(prefer={"holdall.html": "application"}, alias={"lines": "app.lines"})
    plugins = Registry.discover(policy)
    plugins.register("exporters", "holdall.html", Lines)
    plugins.register("exporters", "app.lines", OtherLines)

    assert plugins.load("exporters", "html") is Lines
    assert plugins.load("exporters", "lines") is OtherLines
    assert list(recwarn) == []


def test_a_rule_of_the_application_that_matches_nothing_warns_when_a_name_is_resolved() -> None:
    plugins = Registry.discover(PluginPolicy.of(alias={"lines": "app.lines"}))

    with pytest.warns(UserWarning, match="leads to 'app.lines', no exporter's id"):
        plugins.resolve("exporters", "html")


@pytest.mark.parametrize("name", ["My Alias", "a=b", "x@2", "tab\t"])
def test_an_alias_that_could_not_be_typed_is_invalid(name: str) -> None:
    plugins = Registry.of(
        exporter("acme.lines"), policy=PluginPolicy.of(alias={name: "acme.lines"})
    )

    assert [(each.what, each.state) for each in plugins.problems()] == [("alias", "invalid")]
    with pytest.raises(UnknownPluginError):
        plugins.resolve("exporters", name)
