"""The suite of exporters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdall.testing.checks import exporters, hostile, options, surroundings
from holdall.testing.checks.subject import ExporterSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> ExporterSubject:
    return replace(ExporterSubject.installed(name, registry), allowance_mib=given.memory_mib)


SUITE: Final = Suite(
    (
        exporters.has_the_shape_of_an_exporter,
        exporters.describes_every_option,
        surroundings.is_found_without_import,
        surroundings.is_imported_quickly,
        exporters.exports_everything,
        exporters.exports_an_empty_session,
        exporters.exports_several_devices,
        options.takes_other_values,
        hostile.tames_hostile_text,
        hostile.tames_hostile_options,
        exporters.repeats_itself,
        surroundings.repeats_itself_in_other_processes,
        surroundings.works_elsewhere,
        surroundings.works_in_threads,
        exporters.leaves_the_view_alone,
        exporters.prints_nothing,
        exporters.writes_the_same_to_a_stream,
        exporters.reads_its_reports_back,
        exporters.refuses_unknown_options,
        exporters.leaves_the_old_report_when_the_disk_is_full,
        exporters.can_be_cancelled,
        exporters.keeps_memory_flat,
    ),
    _installed,
)
