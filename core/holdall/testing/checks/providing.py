"""The suite of providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks import providers
from holdall.testing.checks.providers import ProviderSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> ProviderSubject:
    del given  # a provider is all that it needs
    return ProviderSubject.installed(name, registry)


SUITE: Final = Suite(
    (
        providers.says_what_it_is,
        providers.is_read_without_import,
        providers.every_definition_is_read,
        providers.is_valid,
        providers.has_a_namespace_of_its_own,
        providers.plans_select_jobs,
        providers.commands_are_shell,
        providers.ships_what_commands_call,
        providers.ships_its_files,
        providers.has_a_licence,
    ),
    _installed,
)
