"""The suite of provider loaders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks.fresh import declared
from holdall.testing.checks.provider_loaders import promises
from holdall.testing.checks.provider_loaders.subject import LoaderSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> LoaderSubject:
    return LoaderSubject(
        loader=registry.load("provider_loaders", name),
        sources=given.sources,
        candidate=declared(registry.resolve("provider_loaders", name)),
    )


SUITE: Final = Suite(
    (
        promises.is_found_without_import,
        promises.is_imported_quickly,
        promises.refuses_nonsense,
        promises.accepts_its_sources,
        promises.loads_units,
        promises.says_where_units_are,
        promises.loads_again_what_it_names,
        promises.fails_as_a_loader,
        promises.executes_nothing,
        promises.executes_no_python_of_the_source,
        promises.leaves_the_source_alone,
        promises.prints_nothing,
        promises.repeats_itself,
        promises.works_in_threads,
        promises.survives_damage,
        promises.keeps_the_rest_of_a_damaged_source,
        promises.speaks_other_languages,
        promises.finds_what_it_loads,
    ),
    _installed,
)
