"""A new session at the command line: its providers, its devices, what is selected, its run."""

from __future__ import annotations

import sys
from gettext import ngettext
from typing import TYPE_CHECKING, NamedTuple

from holdall.cli.devices import add_devices
from holdall.cli.job_options import job_variables
from holdall.cli.output import note
from holdall.cli.running import run_and_report
from holdall.cli.sources import report_problems
from holdall.errors import HoldallError, StorageError
from holdall.exports import check_is_path, find_exporter, parsed_options, units_in
from holdall.session import SessionManager, begin, runner_name
from holdall.stores import plugins_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from holdall.cli.running import RunOptions
    from holdall.contracts import Repository
    from holdall.redaction import RedactionRules
    from holdall.registry import Registry
    from holdall.session import ReportRequest, Request
    from holdall.units import Device, Provider
    from holdall.upkeep import Retention

    Select = Callable[[SessionManager, Mapping[str, str]], None]


class Start(NamedTuple):
    """What a new session is made of, and which others need not be kept behind it."""

    registry: Registry
    repository: Repository
    providers: Sequence[Provider]
    devices: Sequence[Device]
    rules: RedactionRules
    retention: Retention | None = None


def run_session_of(start: Start, options: RunOptions, select: Select, title: str) -> int:
    """Run what *select* selects in a new session, and return the exit code.

    A session in which nothing could be selected does not stay.

    Args:
        select: Is given the manager, and the variables that jobs see.
    """
    repository = start.repository
    with SessionManager.create(
        repository, title=title, registry=start.registry, redact=start.rules
    ) as manager:
        _note_plugins(
            manager, repository, start.providers, [device.runner for device in start.devices]
        )
        report_problems(start.providers)
        try:
            add_devices(manager, start.devices, start.providers)
            # Known before the selection, which may ask for them.
            select(manager, job_variables(manager, options.jobs))
        except (HoldallError, KeyboardInterrupt):
            manager.destroy()
            raise
        code = run_and_report(manager, repository.url, options)
    if start.retention is not None:
        _prune(repository, start.retention)
    return code


def _prune(repository: Repository, retention: Retention) -> None:
    """Remove what the store need not keep; that it fails changes nothing about the run."""
    from holdall.cli.sessions.removal import prune_store

    try:
        gone = prune_store(repository, retention, quiet=True)
    except StorageError as error:
        note(f"holdall: {error}")
        return
    if gone:
        text = ngettext(
            "removed {count} session that the store need not keep",
            "removed {count} sessions that the store need not keep",
            len(gone),
        )
        note("holdall: " + text.format(count=len(gone)))


def begin_all(manager: SessionManager, request: Request, environ: Mapping[str, str]) -> None:
    """Select on every device what was asked for, and say what is wrong with it."""
    contexts = manager.device_context_list
    problems = (problem for context in contexts for problem in begin(context, request, environ))
    for message in dict.fromkeys(map(str, problems)):
        note(f"holdall: {message}")


def check_exporters(
    reports: Iterable[ReportRequest], providers: Sequence[Provider], registry: Registry
) -> None:
    """Raise for an exporter, an option or a target that can't be, before anything runs."""
    units = units_in(providers)
    for report in reports:
        exporter = find_exporter(registry, report.exporter, units)
        parsed_options(exporter, report.options, strict=report.strict, registry=registry)
        if getattr(exporter.load(), "output", "file") == "folder":
            check_is_path(report.path or sys.stdout.buffer)


def _note_plugins(
    manager: SessionManager,
    repository: Repository,
    providers: Sequence[Provider],
    runners: Iterable[str],
) -> None:
    for plugin in dict.fromkeys(plugins_of(repository)):
        manager.note_plugin("repositories", plugin)
    for loader in dict.fromkeys(provider.loader for provider in providers):
        manager.note_plugin("provider_loaders", loader)
    for name in dict.fromkeys(map(runner_name, runners)):
        manager.note_plugin("runners", name)
