"""The suite of providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks.providers import promises
from holdall.testing.checks.providers.promises import ProviderSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> ProviderSubject:
    del given  # a provider is all that it needs
    return ProviderSubject.installed(name, registry)


SUITE: Final = Suite(
    (
        promises.says_what_it_is,
        promises.is_read_without_import,
        promises.every_definition_is_read,
        promises.is_valid,
        promises.has_a_namespace_of_its_own,
        promises.plans_select_jobs,
        promises.commands_are_shell,
        promises.ships_what_commands_call,
        promises.ships_its_files,
        promises.has_a_licence,
    ),
    _installed,
)
