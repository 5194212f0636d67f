"""The suite of hook plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks import listeners
from holdall.testing.checks.listeners import HooksSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> HooksSubject:
    del given
    candidate = registry.resolve("hooks", name)
    plugin = registry.load("hooks", candidate.id)
    settings = registry.settings(candidate.id).values
    return HooksSubject(plugin=plugin, settings=settings, candidate=candidate)


SUITE: Final = Suite(
    (
        listeners.implements_hooks_that_exist,
        listeners.works_without_settings,
        listeners.takes_its_settings,
        listeners.refuses_unknown_settings,
        listeners.serves_several_sessions,
        listeners.raises_nothing_in_a_session,
        listeners.prints_nothing,
        listeners.changes_no_result,
        listeners.counts_what_it_changes,
        listeners.lets_failures_pass,
        listeners.keeps_up,
    ),
    _installed,
)
