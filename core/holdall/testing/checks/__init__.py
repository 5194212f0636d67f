"""The promises of exporters as plain functions; pytest is not needed to run them.

subject = ExporterSubject.installed("acme.markdown")
for finding in findings(subject):
    print(finding.check, finding.outcome, finding.message)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.testing.checks import exporters, hostile, surroundings
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, Finding
from holdall.testing.checks.subject import ExporterSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[[ExporterSubject], None]

__all__ = [
    "EXPORTER_CHECKS",
    "CheckFailed",
    "CheckSkipped",
    "ExporterSubject",
    "Finding",
    "findings",
    "made",
]

EXPORTER_CHECKS: Final[tuple[Check, ...]] = (
    exporters.has_the_shape_of_an_exporter,
    exporters.describes_every_option,
    surroundings.is_found_without_import,
    surroundings.is_imported_quickly,
    exporters.exports_everything,
    exporters.exports_an_empty_session,
    exporters.exports_several_devices,
    hostile.tames_hostile_text,
    exporters.repeats_itself,
    surroundings.repeats_itself_in_other_processes,
    surroundings.works_elsewhere,
    surroundings.works_in_threads,
    exporters.leaves_the_view_alone,
    exporters.prints_nothing,
    exporters.refuses_unknown_options,
    exporters.leaves_the_old_report_when_the_disk_is_full,
    exporters.can_be_cancelled,
    exporters.keeps_memory_flat,
)
"""Every promise of an exporter, cheap ones first."""


def findings(subject: ExporterSubject) -> Iterator[Finding]:
    """Make every check, and yield what came of each."""
    for check in EXPORTER_CHECKS:
        yield made(check, subject)


def made(check: Check, subject: ExporterSubject) -> Finding:
    """Make one check and return its finding; whatever the exporter raises is a failure."""
    promise = (check.__doc__ or "").partition("\n")[0]
    try:
        check(subject)
    except CheckSkipped as reason:
        return Finding(check.__name__, promise, "skip", str(reason))
    except CheckFailed as failure:
        return Finding(check.__name__, promise, "fail", str(failure))
    except Exception as error:  # noqa: BLE001 - the border to a stranger's code
        return Finding(check.__name__, promise, "fail", f"{type(error).__name__}: {error}")
    return Finding(check.__name__, promise, "pass")
