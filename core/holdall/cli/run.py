"""`holdall run` and `holdall resume`: jobs into a session, and the session into reports."""

from __future__ import annotations

from functools import partial
from gettext import gettext as _
from itertools import chain
from typing import TYPE_CHECKING

import click

from holdall.cli.autostart import AutostartCommand
from holdall.cli.configuration import installed
from holdall.cli.devices import devices_of, runners_of
from holdall.cli.diagnostics import show_log
from holdall.cli.export import requested_reports
from holdall.cli.job_options import job_options
from holdall.cli.launchers.starting import LaunchOptions, check_alone, run_launcher
from holdall.cli.manifest import resolved_answers
from holdall.cli.options import (
    Seconds,
    chosen_repository,
    command_options,
    exporter_options,
    find_session,
    json_option,
    retention_of,
    store_option,
)
from holdall.cli.person import SHOWN
from holdall.cli.redaction import redact_stored_option, rules_again
from holdall.cli.resuming import conduct_again
from holdall.cli.running import RunOptions, run_and_report
from holdall.cli.sources import found_names, load_sources, providers_of
from holdall.cli.starting import Start, begin_all, check_exporters, run_session_of
from holdall.errors import EmptySessionError, NothingToResumeError
from holdall.journal import list_sessions, read_events
from holdall.redaction import rules_in
from holdall.session import (
    ALL_CHANGED,
    CHOICES,
    Conduct,
    Request,
    SessionManager,
    default_plan,
    find_plan,
)
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdall.cli.job_options import JobOptions
    from holdall.cli.person import Shown
    from holdall.contracts import Repository, Storage
    from holdall.redaction import RedactionRules
    from holdall.units import Provider, Unit

_shared_options = command_options(
    click.option(
        "--export",
        "export",
        multiple=True,
        metavar="NAME[=PATH]",
        help="Write a report at the end; without a PATH to standard output.",
    ),
    exporter_options,
    click.option(
        "--timeout",
        type=Seconds(),
        metavar="SECONDS",
        help="End a job that takes longer.",
    ),
    click.option(
        "--output",
        type=click.Choice(SHOWN),
        metavar="CHOICE",
        help="Of which jobs the output is shown at a terminal as it comes: show, of all; "
        "hide-resource-and-attachment; hide-automated. That of jobs which need a person always "
        "is. [default: hide-resource-and-attachment]",
    ),
    job_options,
    redact_stored_option,
    store_option,
    json_option,
)


@click.command(cls=AutostartCommand)
@click.argument("source", nargs=-1)
@click.option(
    "--launcher",
    metavar="FILE",
    help="Run what this launcher of Checkbox describes, as `holdall launcher` does.",
)
@click.option("--plan", multiple=True, metavar="ID", help="Run what this test plan selects.")
@click.option(
    "--job",
    multiple=True,
    metavar="PATTERN",
    help="Run the jobs of this id, or whose whole id this regular expression matches.",
)
@click.option(
    "--device",
    multiple=True,
    metavar="ID[=RUNNER]",
    help="Run everything for this device, by this runner; several run one after another. "
    "[default: local]",
)
@click.option("--title", default="", help="What to call the session.")
@click.option(
    "--lang",
    metavar="LANG",
    default="",
    help="Language of the providers' texts and of the reports.",
)
@_shared_options
def run(
    source: tuple[str, ...],
    launcher: str | None,
    plan: tuple[str, ...],
    job: tuple[str, ...],
    device: tuple[str, ...],
    title: str,
    lang: str,
    export: tuple[str, ...],
    option: tuple[str, ...],
    timeout: float | None,
    output: Shown | None,
    store: str | None,
    *,
    jobs: JobOptions,
    rules: RedactionRules,
    as_json: bool,
) -> int:
    """Run jobs of providers in a new session.

    SOURCE is a path, LOADER:PATH, or the name of an installed provider; with --plan
    or --job it may be left out, and the providers that are installed as Checkbox's are
    meant. Without these, the provider's only test plan runs, or the one that has the
    provider's name, or else all its automated jobs.
    """
    show_log()
    registry = installed()
    reports = requested_reports(export, option, registry, stdout_free=not as_json)
    conduct = Conduct(reports=reports, timeout=timeout, shown=output or "")
    if launcher:
        check_alone({"--plan": plan, "--job": job, "--device": device, "--title": title})
        return run_launcher(launcher, LaunchOptions(jobs, rules, source, conduct, store, as_json))
    sources = source or (found_names(registry) if plan or job else ())
    if not sources:
        raise click.MissingParameter(param_hint="'SOURCE...'", param_type="argument")
    providers = load_sources(sources, registry, lang)
    check_exporters(reports, providers, registry)
    resolved_answers(jobs.manifest, _units_of(providers))
    repository = chosen_repository(store, registry)
    devices = devices_of(device, registry)
    start = Start(registry, repository, providers, devices, rules, retention_of(store))
    options = RunOptions(jobs, conduct, as_json)
    return run_session_of(start, options, partial(_select, plans=plan, patterns=job), title)


@click.command(cls=AutostartCommand)
@click.argument("session", required=False)
@click.option(
    "--source", multiple=True, help="A provider of the session, where it can't be found again."
)
@click.option(
    "--retry-interrupted", is_flag=True, help="Run jobs again whose attempt was interrupted."
)
@click.option(
    "--changed",
    multiple=True,
    metavar="[ID=]CHOICE",
    help="What becomes of jobs whose definitions changed since they ran: keep their results, "
    "rerun or skip them; with ID, of that one.",
)
@click.option(
    "--device",
    multiple=True,
    metavar="ID=RUNNER",
    help="Reach this device of the session by another runner.",
)
@_shared_options
def resume(
    session: str | None,
    source: tuple[str, ...],
    changed: tuple[str, ...],
    device: tuple[str, ...],
    export: tuple[str, ...],
    option: tuple[str, ...],
    timeout: float | None,
    output: Shown | None,
    store: str | None,
    *,
    jobs: JobOptions,
    rules: RedactionRules,
    retry_interrupted: bool,
    as_json: bool,
) -> int:
    """Go on with a session after its last durable result.

    SESSION is an id, the beginning of one, or `last`; without it the newest
    unfinished session goes on.
    """
    show_log()
    registry = installed()
    reports = requested_reports(export, option, registry, stdout_free=not as_json)
    given = Conduct(reports=reports, timeout=timeout, shown=output or "")
    choices = _choices(changed)
    repository = chosen_repository(store, registry)
    session_id = find_session(repository, session) if session else _newest_unfinished(repository)
    storage = repository.open(session_id)
    try:
        providers = providers_of(_resumable(storage, source), source, registry)
        check_exporters(reports, [*chain.from_iterable(providers.values())], registry)
        units = {name: _units_of(some) for name, some in providers.items()}
        resolved_answers(jobs.manifest, chain.from_iterable(units.values()))
        rules = rules_again(rules, rules_in(read_events(storage)))
        manager = SessionManager.load_session(
            units, storage, changed=choices, registry=registry, redact=rules
        )
        with manager:
            _adopt_providers(manager, providers)
            conduct = conduct_again(manager, given)
            options = RunOptions(jobs, conduct, as_json, retry_interrupted)
            return run_and_report(manager, repository.url, options, runners_of(manager, device))
    finally:
        storage.close()


def _resumable(storage: Storage, sources: Sequence[str]) -> SessionView:
    """Return the view of a stored session that has jobs, and providers of them."""
    view = SessionView.of(storage)
    if not view.job_count:
        raise EmptySessionError(storage.id, storage.repository.url)
    if not view.providers and not sources:
        message = _(
            "another program recorded the session {id}, and no provider of its jobs is known; "
            "give it with --source, or go on with that program (pytest --holdall-resume {id})"
        )
        raise click.UsageError(message.format(id=storage.id))
    return view


def _choices(given: Iterable[str]) -> dict[str, str]:
    """Return what becomes of changed jobs, by their ids, or `*` for all others."""
    choices = {}
    for text in given:
        job_id, _equals, choice = text.rpartition("=")
        if choice not in CHOICES:
            message = _("{text!r} is not one of {choices}, or ID= and one of them")
            raise click.UsageError(message.format(text=text, choices=", ".join(CHOICES)))
        choices[job_id or ALL_CHANGED] = choice
    return choices


def _adopt_providers(manager: SessionManager, providers: Mapping[str, Iterable[Provider]]) -> None:
    """Let each context know where the units that it was loaded with come from."""
    for context in manager.device_context_list:
        for provider in providers.get(context.device.id, ()):
            context.adopt_provider(provider)


def _units_of(providers: Iterable[Provider]) -> list[Unit]:
    return [unit for provider in providers for unit in provider.unit_list]


def _select(
    manager: SessionManager,
    environ: Mapping[str, str],
    *,
    plans: Sequence[str],
    patterns: Sequence[str],
) -> None:
    """Select for every device what the user asked for; all devices have the same providers."""
    first = manager.device_context_list[0]
    selected = [find_plan(first, plan_id) for plan_id in plans]
    if not plans and not patterns:
        selected = [plan for plan in map(default_plan, first.provider_list) if plan]
    manager.test_plans = tuple(dict.fromkeys(selected))
    request = Request(patterns=tuple(patterns), everything=not selected and not patterns)
    begin_all(manager, request, environ)


def _newest_unfinished(repository: Repository) -> str:
    empty = []
    for info in list_sessions(repository):
        if info.state in {"new", "unfinished"} and info.jobs:
            return info.id
        if info.state in {"empty", "new"}:
            empty.append(info.id)
    raise NothingToResumeError(repository.url, empty)
