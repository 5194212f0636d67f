"""The checks find out hook plugins that break a promise; what nothing fails is worthless."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import bad_hooks

from holdall import hookimpl
from holdall.hooks import implemented_hooks
from holdall.hooks.specs import OBSERVERS, WRAPPERS
from holdall.testing import HooksContract
from holdall.testing.checks import Given, findings, made, suite_of
from holdall.testing.checks.hooks.promises import HooksSubject
from holdall.testing.checks.hooks.session_life import lived, registry_with
from holdall_plugins.hooks import redaction

if TYPE_CHECKING:
    from collections.abc import Generator

CHECKS = {check.__name__: check for check in suite_of("hooks").checks}
SETTINGS = {"prefix": "> "}

BROKEN = {
    "NoHooks": "implements_hooks_that_exist",
    "Misspelt": "implements_hooks_that_exist",
    "Demanding": "works_without_settings",
    "Choosy": "takes_its_settings",
    "TakesAll": "refuses_unknown_settings",
    "Speechless": "refuses_unknown_settings",
    "Once": "serves_several_sessions",
    "Raises": "raises_nothing_in_a_session",
    "RaisesAtTheEnd": "raises_nothing_in_a_session",
    "FailsExports": "raises_nothing_in_a_session",
    "YieldsTwice": "raises_nothing_in_a_session",
    "NeverYields": "raises_nothing_in_a_session",
    "ReturnsNoView": "raises_nothing_in_a_session",
    "Prints": "prints_nothing",
    "Meddles": "changes_no_result",
    "Deselects": "changes_no_result",
    "ChangesUncounted": "counts_what_it_changes",
    "Swallows": "lets_failures_pass",
    "Slow": "keeps_up",
}


class TestRedaction(HooksContract):
    plugin = redaction


class TestGood(HooksContract):
    plugin = bad_hooks.Good()
    settings = SETTINGS


def subject(name: str) -> HooksSubject:
    kind: Any = getattr(bad_hooks, name)
    return HooksSubject(plugin=kind(), settings=SETTINGS)


@pytest.mark.parametrize(("name", "check"), BROKEN.items(), ids=BROKEN)
def test_a_hook_plugin_that_breaks_a_promise_is_found_out(name: str, check: str) -> None:
    found = made(CHECKS[check], subject(name))

    assert (found.check, found.outcome) == (check, "fail")
    assert found.message


def test_a_good_hook_plugin_keeps_every_promise() -> None:
    found = [(each.outcome, each.message) for each in findings(suite_of("hooks"), subject("Good"))]

    assert found == [("pass", "")] * len(CHECKS)


def test_each_check_of_hook_plugins_is_failed_by_one() -> None:
    assert set(BROKEN.values()) == set(CHECKS)


def test_one_wrong_setting_fails_one_check() -> None:
    refused = HooksSubject(plugin=bad_hooks.Good(), settings={"prefixx": "> "})

    found = {each.check: each for each in findings(suite_of("hooks"), refused)}

    failed = [name for name, each in found.items() if each.outcome == "fail"]
    assert failed == ["takes_its_settings"]
    assert "no settings of this plugin: prefixx" in found["takes_its_settings"].message
    others = {each.message for each in found.values() if each.outcome == "skip"}
    assert others == {"it can't be registered; takes_its_settings says why"}


def test_a_plugin_that_needs_a_setting_fails_one_check_without_any() -> None:
    found = list(findings(suite_of("hooks"), HooksSubject(plugin=bad_hooks.Demanding())))

    failed = [each.check for each in found if each.outcome == "fail"]
    assert failed == ["works_without_settings"]


@pytest.mark.parametrize("configured", [False, True])
def test_the_settings_of_the_configuration_are_used_where_it_is_asked(configured: bool) -> None:  # noqa: FBT001
    registry = registry_with(bad_hooks.Good(), SETTINGS)
    suite = suite_of("hooks")

    checked = suite.installed("listener", registry, Given(configured=configured))

    assert checked.settings == (SETTINGS if configured else {})
    taken = made(CHECKS["takes_its_settings"], checked)
    assert taken.outcome == ("pass" if configured else "skip")
    assert configured or "--configured" in taken.message


def test_the_failure_of_a_hook_shows_where_it_was_raised() -> None:
    found = made(CHECKS["raises_nothing_in_a_session"], subject("Raises"))

    assert "checkpoint_saved: RuntimeError" in found.message
    assert "bad_hooks.py" in found.traceback


def listening(called: set[str]) -> ModuleType:
    """Return a module with every hook, each of which says that it was called."""
    listener = ModuleType("listener")
    for hook in (*OBSERVERS, "configure"):

        def observer(hook: str = hook) -> None:
            called.add(hook)

        setattr(listener, hook, hookimpl(observer))
    for hook in WRAPPERS:

        def wrapper(hook: str = hook) -> Generator[None, Any, Any]:
            called.add(hook)
            return (yield)

        setattr(listener, hook, hookimpl(wrapper=True)(wrapper))
    return listener


def test_every_hook_is_called_in_the_session_of_the_checks() -> None:
    called: set[str] = set()
    listener = listening(called)

    lived(registry_with(listener, {"any": 1}))

    assert called == set(implemented_hooks(listener))
    assert called == {*OBSERVERS, *WRAPPERS, "configure"}
