"""`holdall export`: a stored session as reports."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import closing, redirect_stdout
from gettext import gettext as _
from typing import TYPE_CHECKING, Final, TextIO

import click

from holdall.cli.configuration import installed
from holdall.cli.diagnostics import show_log
from holdall.cli.exits import PLUGIN, TESTS_FAILED, exit_code, message, traceback_of
from holdall.cli.following import follow_report, require_growing
from holdall.cli.lazy import is_debugging
from holdall.cli.options import (
    Seconds,
    chosen_repository,
    exporter_options,
    find_session,
    parse_targets,
    store_option,
)
from holdall.cli.output import note, note_lines
from holdall.cli.progress import shown_steps
from holdall.cli.redaction import redact_option
from holdall.cli.sources import providers_with_units
from holdall.errors import ExportTargetError
from holdall.exports import (
    ExportRequest,
    export_many,
)
from holdall.redaction import NOTHING_SECRET
from holdall.session import ReportRequest
from holdall.view import SessionView, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

    from holdall.cli.options import ExportTarget
    from holdall.contracts import ExportReport
    from holdall.redaction import RedactionRules
    from holdall.registry import Registry
    from holdall.units import Provider


@click.command()
@click.argument("session")
@click.argument("name", nargs=-1, required=True, metavar="NAME[=PATH]...")
@exporter_options
@click.option("--lax", is_flag=True, help="Ignore options that an exporter does not have.")
@redact_option
@click.option(
    "--source",
    multiple=True,
    help="A provider that has an exporter unit, where it can't be found.",
)
@click.option("--verify", is_flag=True, help="Read each report back before it is published.")
@click.option("--fail-on-verdict", is_flag=True, help="Exit with 1 unless the session passed.")
@click.option(
    "--follow",
    is_flag=True,
    help="Go on with a report that grows by lines, such as ndjson, until the session is finished.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    metavar="SECONDS",
    help="With --follow, end when nothing comes for so long.",
)
@store_option
def export(
    session: str,
    name: tuple[str, ...],
    option: tuple[str, ...],
    *,
    follow: bool,
    timeout: float | None,
    lax: bool,
    rules: RedactionRules,
    source: tuple[str, ...],
    verify: bool,
    fail_on_verdict: bool,
    store: str | None,
) -> int:
    """Write reports of a stored session, also of one that is still running.

    SESSION is an id, the beginning of one, or `last`. NAME is an exporter, or an
    exporter unit of one of the session's providers; without a PATH its report
    goes to standard output.
    """
    show_log()
    registry = installed()
    wanted = requested_reports(name, option, registry, strict=not lax)
    names = [report.exporter for report in wanted]
    repository = chosen_repository(store, registry)
    session_id = find_session(repository, session)

    def write(
        view: SessionView, wanted: Sequence[ReportRequest], out: BinaryIO | None = None
    ) -> list[ExportReport]:
        providers = providers_with_units(view, names, source, registry)
        return write_reports(
            view, wanted, registry, providers=providers, redact=rules, verify=verify, out=out
        )

    if follow:
        growing = require_growing(wanted, registry)
        view, reports = follow_report(repository, session_id, growing, write, timeout=timeout)
        passed = verdict(view).passed
    else:
        with closing(repository.open(session_id, mode="r")) as storage:
            view = SessionView.of(storage)
            reports = write(view, wanted)
            passed = verdict(view).passed
    code = report_failures(reports)
    return max(code, 0 if passed or not fail_on_verdict else TESTS_FAILED)


def write_reports(
    view: SessionView,
    wanted: Sequence[ReportRequest],
    registry: Registry,
    *,
    providers: Iterable[Provider] = (),
    redact: RedactionRules = NOTHING_SECRET,
    verify: bool = False,
    out: BinaryIO | None = None,
) -> list[ExportReport]:
    """Write the reports, each whatever happens to the others.

    Args:
        out: Takes those without a path, if that is not standard output.
    """
    stdout = sys.stdout

    def goes_there(report: ReportRequest) -> bool:
        return report.path is None and out is None

    with shown_steps() as shown, redirect_stdout(sys.stderr):  # what a plugin prints, too
        requests = [
            ExportRequest(
                exporter=report.exporter,
                target=report.path or out or stdout.buffer,
                options=report.options,
                strict=report.strict,
                color=goes_there(report) and _shows_colours(stdout),
                columns=_columns(stdout) if goes_there(report) else 0,
                progress=None
                if goes_there(report) and stdout.isatty()
                else shown(report.exporter),
            )
            for report in wanted
        ]
        return export_many(
            view, requests, registry=registry, providers=providers, redact=redact, verify=verify
        )


def _shows_colours(out: TextIO) -> bool:
    """Whether who reads standard output sees colours, as far as it and the user say."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or out.isatty()


def _columns(out: TextIO) -> int:
    """Return the columns of the terminal that standard output is; 0 if it is none."""
    return shutil.get_terminal_size().columns if out.isatty() else 0


def report_failures(reports: Sequence[ExportReport]) -> int:
    """Say which reports failed and what was left out of others; return the exit code."""
    code = 0
    for report in reports:
        for warning in report.warnings:
            if warning.code == "hook-not-loaded":
                continue  # it was said when the hooks were loaded, once for all reports
            note(f"{report.exporter}: {warning.text}")
        if report.changes:
            changes = (f"{_(what)} {number:,} x" for what, number in report.changes.items())
            note(f"{report.exporter}: {', '.join(changes)}")
        if report.ignored_options:
            ignored = _("ignored {options}").format(options=", ".join(report.ignored_options))
            note(f"{report.exporter}: {ignored}")
        if report.exception is not None and not _is_unread(report.exception):
            note(f"holdall: {message(report.exception)}")
            if is_debugging():
                note_lines(traceback_of(report.exception))
            code = max(code, exit_code(report.exception) or PLUGIN)
    return code


def _is_unread(error: BaseException) -> bool:
    """Whether a report failed because the program that read it has seen enough."""
    return isinstance(error, ExportTargetError) and isinstance(error.__cause__, BrokenPipeError)


_NUMBER: Final = re.compile(r"(?P<name>.+)@(?P<number>[1-9][0-9]*)")


def requested_reports(
    names: tuple[str, ...],
    given: Sequence[str],
    registry: Registry,
    *,
    strict: bool = True,
    stdout_free: bool = True,
) -> tuple[ReportRequest, ...]:
    """Return the reports that `NAME[=PATH]` arguments ask for, with their options among `-O`."""
    targets = parse_targets(names, stdout_free=stdout_free)
    if given and not targets:
        raise click.UsageError(_("-O is for reports, and none is asked for with --export"))
    return tuple(
        ReportRequest(
            exporter=target.name, path=target.path, options=tuple(options), strict=strict
        )
        for target, options in zip(
            targets, options_by_target(given, targets, registry), strict=True
        )
    )


def options_by_target(
    given: Sequence[str], targets: Sequence[ExportTarget], registry: Registry
) -> list[list[str]]:
    """Return the options among `[NAME[@N].]KEY=VALUE` for each of the targets.

    A NAME may be another one for the same exporter; one that is not wanted is wrong usage.
    """
    options: list[list[str]] = [[] for _target in targets]
    for text in given:
        key, equals, value = text.partition("=")
        whose, dot, option = key.rpartition(".")
        meant = _meant(whose, targets, registry) if dot else range(len(targets))
        if not meant:
            wanted = ", ".join(target.name for target in targets)
            message = _(
                "-O {text!r} is for {whose!r}, which is not exported; write one of {wanted} in "
                "front of the dot"
            )
            raise click.UsageError(message.format(text=text, whose=whose, wanted=wanted))
        for index in meant:
            options[index].append(f"{option}{equals}{value}")
    return options


def _meant(whose: str, targets: Sequence[ExportTarget], registry: Registry) -> Sequence[int]:
    """Return the targets that `NAME`, or `NAME@N`, means, by their places."""
    numbered = _NUMBER.fullmatch(whose)
    name = numbered["name"] if numbered else whose
    meant = [
        index for index, target in enumerate(targets) if _is_same(name, target.name, registry)
    ]
    if numbered is None:
        return meant
    number = int(numbered["number"])
    return meant[number - 1 : number]


def _is_same(one: str, other: str, registry: Registry) -> bool:
    """Whether two names are of one exporter."""
    if one == other:
        return True
    first, second = (registry.explain("exporters", name).candidate for name in (one, other))
    return first is not None and second is not None and first.id == second.id
