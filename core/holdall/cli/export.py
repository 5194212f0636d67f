"""`holdall export`: a stored session as reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from holdall.cli.exits import PLUGIN, TESTS_FAILED, exit_code, message
from holdall.cli.options import (
    find_session,
    parse_targets,
    repository,
    store_option,
)
from holdall.cli.output import note
from holdall.cli.policy import installed
from holdall.exports.pipeline import ExportRequest, export_many
from holdall.exports.verdict import verdict
from holdall.exports.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.cli.options import ExportTarget
    from holdall.exports.report import ExportReport
    from holdall.registry import Registry


@click.command()
@click.argument("session")
@click.argument("name", nargs=-1, required=True, metavar="NAME[=PATH]...")
@click.option(
    "-O",
    "option",
    multiple=True,
    metavar="[NAME.]KEY=VALUE",
    help="An option of the exporter NAME, or of all of them.",
)
@click.option("--lax", is_flag=True, help="Ignore options that an exporter does not have.")
@click.option("--fail-on-verdict", is_flag=True, help="Exit with 1 unless the session passed.")
@store_option
def export(
    session: str,
    name: tuple[str, ...],
    option: tuple[str, ...],
    *,
    lax: bool,
    fail_on_verdict: bool,
    store: str | None,
) -> int:
    """Write reports of a stored session, also of one that is still running.

    SESSION is an id, the beginning of one, or `last`. A NAME without a PATH
    goes to standard output.
    """
    registry = installed()
    targets = parse_targets(name)
    where = repository(store, registry)
    storage = where.open(find_session(where, session), mode="r")
    try:
        view = SessionView.of(storage)
        options = {target.name: options_for(target.name, option) for target in targets}
        reports = write_reports(view, targets, registry, options=options, strict=not lax)
        passed = verdict(view).passed
    finally:
        storage.close()
    code = report_failures(reports)
    return max(code, 0 if passed or not fail_on_verdict else TESTS_FAILED)


def write_reports(
    view: SessionView,
    targets: Sequence[ExportTarget],
    registry: Registry,
    *,
    options: dict[str, list[str]] | None = None,
    strict: bool = True,
) -> list[ExportReport]:
    """Write the reports, each whatever happens to the others."""
    given = options or {}
    requests = [
        ExportRequest(
            exporter=target.name,
            target=target.path or sys.stdout.buffer,
            options=given.get(target.name, []),
            strict=strict,
        )
        for target in targets
    ]
    return export_many(view, requests, registry=registry)


def report_failures(reports: Sequence[ExportReport]) -> int:
    """Say which reports failed and what was left out of others; return the exit code."""
    code = 0
    for report in reports:
        for warning in report.warnings:
            note(f"{report.exporter}: {warning.text}")
        if report.ignored_options:
            note(f"{report.exporter}: ignored {', '.join(report.ignored_options)}")
        if report.exception is not None:
            note(f"holdall: {message(report.exception)}")
            code = max(code, exit_code(report.exception) or PLUGIN)
    return code


def options_for(name: str, given: tuple[str, ...]) -> list[str]:
    """Return the options among `[NAME.]KEY=VALUE` that are meant for the exporter *name*."""
    found = []
    for text in given:
        key, equals, value = text.partition("=")
        whose, dot, option = key.rpartition(".")
        if not dot or whose == name:
            found.append(f"{option}{equals}{value}")
    return found
