"""The suite of exporters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdall.testing.checks.exporters import hostile, links, options, promises, surroundings
from holdall.testing.checks.exporters.subject import ExporterSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> ExporterSubject:
    return replace(ExporterSubject.installed(name, registry), allowance_mib=given.memory_mib)


SUITE: Final = Suite(
    (
        promises.has_the_shape_of_an_exporter,
        promises.describes_every_option,
        surroundings.is_found_without_import,
        surroundings.is_imported_quickly,
        promises.exports_everything,
        promises.exports_an_empty_session,
        promises.exports_several_devices,
        options.takes_other_values,
        hostile.tames_hostile_text,
        hostile.tames_hostile_options,
        links.links_lead_to_files,
        promises.repeats_itself,
        surroundings.repeats_itself_in_other_processes,
        surroundings.works_elsewhere,
        surroundings.works_in_threads,
        promises.leaves_the_view_alone,
        promises.prints_nothing,
        promises.writes_the_same_to_a_stream,
        promises.reads_its_reports_back,
        promises.grows_by_lines,
        promises.refuses_unknown_options,
        promises.leaves_the_old_report_when_the_disk_is_full,
        promises.can_be_cancelled,
        promises.keeps_memory_flat,
    ),
    _installed,
)
