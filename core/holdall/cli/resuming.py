"""What a resumed run does of what the run before was asked for."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdall.cli.exits import message
from holdall.cli.output import note
from holdall.cli.running import found_from_anywhere
from holdall.cli.starting import check_exporters
from holdall.errors import HoldallError
from holdall.redaction import MASK
from holdall.session import kept_conduct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.session import Conduct, ReportRequest, SessionManager


def conduct_again(manager: SessionManager, given: Conduct) -> Conduct:
    """Return what the session keeps of how it was to be run, and *given* over it.

    Reports that are given come besides those that the session keeps, and in place of the one
    that goes to the same file, or to standard output.
    """
    kept = kept_conduct(manager)
    reports = [*_left(kept.reports, found_from_anywhere(given).reports), *given.reports]
    _note_unavailable(manager, reports[: len(reports) - len(given.reports)])
    return replace(
        kept,
        reports=tuple(reports),
        timeout=given.timeout or kept.timeout,
        shown=given.shown or kept.shown,
    )


def _left(
    kept: Sequence[ReportRequest], given: Sequence[ReportRequest]
) -> Iterator[ReportRequest]:
    """Yield the kept reports that no given one replaces; one that was masked is lost."""
    targets = {report.path for report in given}
    exporters = {report.exporter for report in given}
    for report in kept:
        is_masked = any(MASK in text for text in (report.path or "", *report.options))
        if is_masked and report.exporter not in exporters:
            text = _(
                "the session keeps the path or an option of the report {name} masked, so that it "
                "is not written; give it again with --export"
            )
            note(f"holdall: {text.format(name=report.title or report.exporter)}")
        elif not is_masked and report.path not in targets:
            yield report


def _note_unavailable(manager: SessionManager, reports: Sequence[ReportRequest]) -> None:
    """Say which kept reports can't be written now; the jobs run all the same."""
    providers = [
        provider for context in manager.device_context_list for provider in context.provider_list
    ]
    for report in reports:
        try:
            check_exporters([report], providers, manager.registry)
        except HoldallError as error:
            note(f"holdall: {message(error)}")
