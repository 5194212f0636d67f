"""The suite of provider loaders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks import loaders
from holdall.testing.checks.fresh import declared
from holdall.testing.checks.loader_subject import LoaderSubject
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
        loaders.is_found_without_import,
        loaders.is_imported_quickly,
        loaders.refuses_nonsense,
        loaders.accepts_its_sources,
        loaders.loads_units,
        loaders.says_where_units_are,
        loaders.loads_again_what_it_names,
        loaders.fails_as_a_loader,
        loaders.executes_nothing,
        loaders.executes_no_python_of_the_source,
        loaders.leaves_the_source_alone,
        loaders.prints_nothing,
        loaders.repeats_itself,
        loaders.works_in_threads,
        loaders.survives_damage,
        loaders.keeps_the_rest_of_a_damaged_source,
        loaders.speaks_other_languages,
        loaders.finds_what_it_loads,
    ),
    _installed,
)
