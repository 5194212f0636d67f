from __future__ import annotations

import importlib
import pickle
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.unit.plugin_worlds import GOOD, alias, exporter, install

from holdall.errors import (
    PluginConflictError,
    PluginLoadError,
    PluginUnavailableError,
    UnknownPluginError,
)
from holdall.registry.aliases import AliasTable
from holdall.registry.candidates import State
from holdall.registry.policy import PluginPolicy
from holdall.registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path of modules; what was imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("trust_"):
            del sys.modules[name]


def put(site: Path, module: str, source: str) -> str:
    (site / f"{module}.py").write_text(source)
    importlib.invalidate_caches()
    return module


def test_explain_tells_each_step_from_an_alias_to_the_winner() -> None:
    registry = Registry.of(exporter("acme.md"), alias("md", "acme.md"))

    found = registry.explain("exporters", "md")

    assert [(step.what, step.text) for step in found.steps] == [
        ("id", "no exporter has the id 'md'"),
        ("alias", "'md' is an alias of 'acme.md' (of acme)"),
        ("claim", "acme 1.0 declares acme.md, ready"),
        ("winner", "acme.md of acme 1.0, nowhere:Exporter"),
    ]


def test_explain_tells_the_policy_that_decided() -> None:
    policy = PluginPolicy.of(prefer={"acme.md": "rival"}, location="lab.toml")
    registry = Registry.of(exporter("acme.md"), exporter("acme.md", of="rival"), policy=policy)

    found = registry.explain("exporters", "acme.md")

    assert ("policy", "lab.toml prefers rival") in found.steps
    assert found.get().distribution == "rival"


def test_explain_raises_for_no_name_and_warns_of_none() -> None:
    registry = Registry.of(exporter("holdall.html", of="holdall"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        legacy = registry.explain("exporters", "com.canonical.plainbox::html")
        unknown = registry.explain("exporters", "nothing")

    assert legacy.get().id == "holdall.html"
    assert isinstance(unknown.error, UnknownPluginError)


def test_a_name_of_a_known_stranger_is_told_from_a_typing_error() -> None:
    registry = Registry.of(exporter("holdall.html", of="holdall"))

    with pytest.raises(UnknownPluginError, match="a distribution like 'holdall-pdf' would"):
        registry.resolve("exporters", "pdf")
    with pytest.raises(UnknownPluginError, match="did you mean 'html'"):
        registry.resolve("exporters", "htlm")


def test_an_unknown_name_imports_nothing_to_say_so() -> None:
    registry = Registry.of(exporter("acme.md"), exporter("acme.other", "also.nowhere:X"))
    before = set(sys.modules)

    with pytest.raises(UnknownPluginError, match=r"installed: acme\.md, acme\.other"):
        registry.load("exporters", "missing")
    assert not set(sys.modules) - before


def test_a_lookup_of_the_second_name_finds_the_second() -> None:
    registry = Registry.of(exporter("acme.first"), exporter("acme.second"))

    assert registry.resolve("exporters", "acme.second").id == "acme.second"


def test_a_conflict_tells_the_line_that_settles_it() -> None:
    claims = (exporter("acme.md"), exporter("acme.md", of="rival"))

    with pytest.raises(PluginConflictError) as caught:
        Registry.of(*claims).resolve("exporters", "acme.md")
    policy = PluginPolicy.of(prefer={"acme.md": "acme"})
    settled = Registry.of(*claims, policy=policy)

    assert 'prefer = {"acme.md" = "acme"} below [plugins]' in str(caught.value)
    assert settled.resolve("exporters", "acme.md").distribution == "acme"


def test_a_conflict_of_aliases_tells_the_line_that_settles_it() -> None:
    declared = (
        exporter("acme.md"),
        exporter("rival.md", of="rival"),
        alias("md", "acme.md"),
        alias("md", "rival.md", of="rival"),
    )

    with pytest.raises(PluginConflictError, match=r'alias = {"md" = "acme\.md"}'):
        Registry.of(*declared).resolve("exporters", "md")
    settled = Registry.of(*declared, policy=PluginPolicy.of(alias={"md": "acme.md"}))

    assert settled.resolve("exporters", "md").id == "acme.md"


def test_two_declarations_of_one_id_in_one_distribution_have_no_silent_winner() -> None:
    registry = Registry.of(exporter("acme.md", "one:X"), exporter("acme.md", "two:X"))

    with pytest.raises(PluginConflictError):
        registry.resolve("exporters", "acme.md")


def test_two_schemes_of_one_name_disable_the_scheme_alone() -> None:
    from holdall.registry.candidates import Declared

    rivals = [
        Declared(kind="repositories", name="tape", value="x:X", distribution=each)
        for each in ("acme", "rival")
    ]

    registry = Registry.of(*rivals, exporter("acme.md"))

    with pytest.raises(PluginConflictError, match="store 'tape'"):
        registry.resolve("repositories", "tape")
    assert registry.resolve("exporters", "acme.md").id == "acme.md"


def test_an_incompatible_rival_does_not_disturb() -> None:
    from dataclasses import replace

    rival = replace(exporter("acme.md", of="rival"), incompatible="it needs holdall>=9")

    found = Registry.of(exporter("acme.md"), rival).resolve("exporters", "acme.md")

    assert found.distribution == "acme"


def test_problems_are_known_without_a_load() -> None:
    registry = Registry.of(exporter("acme.md"), exporter("acme.md", of="rival"))

    assert [(each.name, each.state) for each in registry.problems()] == [
        ("acme.md", "ambiguous"),
        ("acme.md", "ambiguous"),
    ]


def test_a_failed_load_is_a_problem_from_then_on(site: Path) -> None:
    registry = Registry.of(exporter("acme.md", put(site, "trust_bad", "1 / 0")))

    with pytest.raises(PluginLoadError):
        registry.load("exporters", "acme.md")

    (problem,) = registry.problems()
    assert problem.state == "broken"
    assert "ZeroDivisionError" in problem.reason


def test_the_error_of_a_load_is_the_same_each_time_with_its_traceback(site: Path) -> None:
    registry = Registry.of(exporter("acme.md", put(site, "trust_bad", "1 / 0")))
    caught = []
    for _ in range(2):
        with pytest.raises(PluginLoadError) as error:
            registry.load("exporters", "acme.md")
        caught.append(error.value)

    assert caught[0] is caught[1]
    assert isinstance(caught[0].__cause__, ZeroDivisionError)
    assert pickle.loads(pickle.dumps(caught[0])).args == caught[0].args  # noqa: S301


def test_threads_that_load_one_plugin_import_it_once_and_get_one_object(site: Path) -> None:
    source = f"import time\n{GOOD}\nCOUNT = []\ntime.sleep(0.05)\nCOUNT.append(1)\n"
    registry = Registry.of(exporter("acme.md", f"{put(site, 'trust_slow', source)}:Exporter"))
    together = threading.Barrier(8)

    def load(_number: int) -> object:
        together.wait()
        return registry.load("exporters", "acme.md")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(load, range(8)))

    assert len({id(each) for each in found}) == 1
    assert sys.modules["trust_slow"].COUNT == [1]


def test_a_slow_import_holds_up_no_other_plugin(site: Path) -> None:
    slow = f"import builtins\nbuiltins.trust_gate.wait(30)\n{GOOD}"
    gate = threading.Event()
    import builtins

    builtins.trust_gate = gate  # type: ignore[attr-defined]
    registry = Registry.of(
        exporter("acme.slow", f"{put(site, 'trust_gated', slow)}:Exporter"),
        exporter("acme.fast", f"{put(site, 'trust_fast', GOOD)}:Exporter"),
    )
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(registry.load, "exporters", "acme.slow")
        fast = pool.submit(registry.load, "exporters", "acme.fast").result(timeout=20)
        assert not waiting.done()
        gate.set()
        assert waiting.result(timeout=20) is not fast
    del builtins.trust_gate  # type: ignore[attr-defined]


def test_threads_may_list_load_and_register_at_once(site: Path) -> None:
    declared = [
        exporter(f"acme.e{n}", f"{put(site, f'trust_e{n}', GOOD)}:Exporter") for n in range(12)
    ]
    registry = Registry.of(*declared)

    def work(number: int) -> int:
        registry.load("exporters", f"acme.e{number}")
        registry.register("exporters", f"app.e{number}", "nowhere:X")
        return len(registry.candidates("exporters"))

    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(work, range(12))) <= 24
    states = {each.id: each.state for each in registry.candidates("exporters")}
    assert len(states) == 24
    assert states["acme.e3"] is State.LOADED


def test_register_takes_a_target_that_is_imported_when_it_is_asked_for(site: Path) -> None:
    registry = Registry.empty()

    registry.register("exporters", "app.mine", f"{put(site, 'trust_mine', GOOD)}:Exporter")

    assert "trust_mine" not in sys.modules
    assert registry.load("exporters", "app.mine") is sys.modules["trust_mine"].Exporter


def test_register_refuses_what_does_not_fit_and_adds_nothing() -> None:
    registry = Registry.empty()

    with pytest.raises(PluginLoadError, match="'export'"):
        registry.register("exporters", "app.mine", int)
    assert registry.candidates("exporters") == []


def test_register_cannot_take_over_a_declared_id(site: Path) -> None:
    registry = Registry.of(exporter("acme.md"))

    registry.register("exporters", "acme.md", f"{put(site, 'trust_mine', GOOD)}:Exporter")

    with pytest.raises(PluginConflictError, match=r"acme 1.0 and application"):
        registry.resolve("exporters", "acme.md")


def test_refresh_finds_what_was_installed_meanwhile_and_keeps_what_is_loaded(site: Path) -> None:
    install(
        site,
        "acme",
        points="[holdall.exporters]\nacme.md = trust_one:Exporter\n",
        modules={"trust_one": GOOD},
    )
    registry = Registry.discover()
    loaded = registry.load("exporters", "acme.md")
    install(
        site,
        "other",
        points="[holdall.exporters]\nother.md = trust_two:Exporter\n",
        modules={"trust_two": GOOD},
    )

    registry.refresh()

    assert registry.load("exporters", "other.md")
    assert registry.load("exporters", "acme.md") is loaded
    assert registry.resolve("exporters", "acme.md").state is State.LOADED


def test_refresh_tries_again_what_was_broken(site: Path) -> None:
    points = "[holdall.exporters]\nacme.md = trust_bad:Exporter\n"
    install(site, "acme", points=points, modules={"trust_bad": "import trust_missing"})
    registry = Registry.discover()
    with pytest.raises(PluginLoadError):
        registry.load("exporters", "acme.md")
    put(site, "trust_missing", "")
    (site / "trust_bad.py").write_text(GOOD)

    registry.refresh()

    assert registry.load("exporters", "acme.md").summary == "Good"


def test_refresh_forgets_what_was_removed(site: Path) -> None:
    info = install(site, "acme", points="[holdall.exporters]\nacme.md = trust_one:Exporter\n")
    registry = Registry.discover()
    (info / "entry_points.txt").unlink()

    registry.refresh()

    with pytest.raises(UnknownPluginError):
        registry.resolve("exporters", "acme.md")


def test_refresh_says_that_another_version_waits_for_a_new_start(site: Path) -> None:
    points = "[holdall.exporters]\nacme.md = trust_one:Exporter\n"
    info = install(site, "acme", points=points, modules={"trust_one": GOOD})
    registry = Registry.discover()
    registry.load("exporters", "acme.md")
    info.rename(site / "acme-2.0.dist-info")
    (site / "acme-2.0.dist-info" / "METADATA").write_text("Name: acme\nVersion: 2.0\n")

    registry.refresh()

    found = registry.resolve("exporters", "acme.md")
    assert (found.version, found.state) == ("1.0", State.LOADED)
    assert found.reason == "2.0 is installed by now; start again to use it"


@pytest.mark.parametrize(
    ("api", "state", "words"),
    [
        ("(1, 99)", State.INCOMPATIBLE, r"written for plugin contract 1\.99; this holdall speaks"),
        ("(2, 0)", State.INCOMPATIBLE, r"written for plugin contract 2\.0"),
        ("'1.0'", State.INVALID, "must be two numbers"),
        ("(1, True)", State.INVALID, "must be two numbers"),
    ],
)
def test_a_class_may_say_which_contract_it_needs(
    site: Path, api: str, state: State, words: str
) -> None:
    source = GOOD.replace("    Options =", f"    holdall_api = {api}\n    Options =")
    registry = Registry.of(exporter("acme.md", f"{put(site, 'trust_api', source)}:Exporter"))

    with pytest.raises(PluginLoadError, match=words) as caught:
        registry.load("exporters", "acme.md")

    assert caught.value.state == state


def test_a_class_for_this_contract_is_loaded(site: Path) -> None:
    source = GOOD.replace("    Options =", "    holdall_api = (1, 0)\n    Options =")
    registry = Registry.of(exporter("acme.md", f"{put(site, 'trust_api', source)}:Exporter"))

    assert registry.load("exporters", "acme.md")


def test_providers_are_data_and_never_imported() -> None:
    with pytest.raises(ValueError, match="providers are data"):
        Registry.discover().load("providers", "smoke")


@pytest.mark.parametrize("raised", ["SystemExit(3)", "GeneratorExit()", "MemoryError('full')"])
def test_whatever_an_import_raises_is_kept_at_the_border(site: Path, raised: str) -> None:
    registry = Registry.of(exporter("acme.md", put(site, "trust_bad", f"raise {raised}")))

    with pytest.raises(PluginLoadError, match=raised.partition("(")[0]):
        registry.load("exporters", "acme.md")


def test_an_interrupt_at_import_goes_on_and_nothing_is_remembered(site: Path) -> None:
    registry = Registry.of(exporter("acme.md", put(site, "trust_bad", "raise KeyboardInterrupt")))

    with pytest.raises(KeyboardInterrupt):
        registry.load("exporters", "acme.md")
    assert registry.candidates("exporters")[0].state is State.READY


def test_an_exception_that_cannot_say_its_words_is_kept_at_the_border(site: Path) -> None:
    source = "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd"
    registry = Registry.of(exporter("acme.md", put(site, "trust_bad", source)))

    with pytest.raises(PluginLoadError, match="Odd"):
        registry.load("exporters", "acme.md")


def test_a_table_of_aliases_shows_each_exporter_once() -> None:
    registry = Registry.of(exporter("holdall.html", of="holdall"))

    assert [each.id for each in registry.candidates("exporters")] == ["holdall.html"]
    assert AliasTable().names("holdall.html") == ("html",)


def test_an_alias_to_a_blocked_exporter_says_so() -> None:
    registry = Registry.of(
        exporter("acme.md"), alias("md", "acme.md"), policy=PluginPolicy.of(block=["dist:acme"])
    )

    with pytest.raises(PluginUnavailableError, match="blocked by the rule 'dist:acme'"):
        registry.resolve("exporters", "md")
