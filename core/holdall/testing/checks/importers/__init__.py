"""The suite of importers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.testing.checks.fresh import declared
from holdall.testing.checks.importers import promises
from holdall.testing.checks.importers.subject import ImporterSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> ImporterSubject:
    return ImporterSubject(
        importer=registry.load("importers", name),
        samples=tuple(Path(source) for source in given.sources),
        candidate=declared(registry.resolve("importers", name)),
        allowance_mib=given.memory_mib,
    )


SUITE: Final = Suite(
    (
        promises.is_found_without_import,
        promises.is_imported_quickly,
        promises.refuses_other_formats,
        promises.accepts_its_samples,
        promises.records_jobs,
        promises.leaves_the_source_alone,
        promises.prints_nothing,
        promises.repeats_itself,
        promises.works_in_threads,
        promises.survives_damage,
        promises.can_be_exported,
        promises.keeps_memory_flat,
    ),
    _installed,
)
