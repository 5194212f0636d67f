"""The suite of importers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.testing.checks import importers
from holdall.testing.checks.fresh import declared
from holdall.testing.checks.import_subject import ImporterSubject
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
        importers.is_found_without_import,
        importers.is_imported_quickly,
        importers.refuses_other_formats,
        importers.accepts_its_samples,
        importers.records_jobs,
        importers.leaves_the_source_alone,
        importers.prints_nothing,
        importers.repeats_itself,
        importers.works_in_threads,
        importers.survives_damage,
        importers.can_be_exported,
        importers.keeps_memory_flat,
    ),
    _installed,
)
