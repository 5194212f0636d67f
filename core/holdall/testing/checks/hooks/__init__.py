"""The suite of hook plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks.hooks import promises
from holdall.testing.checks.hooks.promises import HooksSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> HooksSubject:
    candidate = registry.resolve("hooks", name)
    plugin = registry.load("hooks", candidate.id)
    # The checks invent results, and the server of a configuration takes them for real ones.
    settings = registry.settings(candidate.id).values if given.configured else {}
    return HooksSubject(plugin=plugin, settings=settings, candidate=candidate)


SUITE: Final = Suite(
    (
        promises.implements_hooks_that_exist,
        promises.works_without_settings,
        promises.takes_its_settings,
        promises.refuses_unknown_settings,
        promises.serves_several_sessions,
        promises.raises_nothing_in_a_session,
        promises.prints_nothing,
        promises.changes_no_result,
        promises.counts_what_it_changes,
        promises.lets_failures_pass,
        promises.keeps_up,
    ),
    _installed,
)
