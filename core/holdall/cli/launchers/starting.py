"""A run as a launcher wants it."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from holdall.cli.configuration import installed
from holdall.cli.devices import devices_of
from holdall.cli.job_options import default_normal_user
from holdall.cli.launchers.checking import plan_problems, unknown_answers
from holdall.cli.launchers.layers import read_layers
from holdall.cli.launchers.reports import reports_of
from holdall.cli.manifest import GivenAnswer, resolved_answers
from holdall.cli.options import chosen_repository, retention_of
from holdall.cli.output import note
from holdall.cli.person import SHOWN, is_at_terminal
from holdall.cli.running import RunOptions
from holdall.cli.sources import found_names, load_sources
from holdall.cli.starting import Start, begin_all, check_exporters, run_session_of
from holdall.cli.terminal import Terminal
from holdall.errors import ConfigurationError
from holdall.session import Conduct, ReportRequest, Request, find_plan
from holdall.units import TestPlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdall.cli.job_options import JobOptions
    from holdall.cli.launchers.layers import Layers
    from holdall.cli.person import Shown
    from holdall.redaction import RedactionRules
    from holdall.registry import Registry
    from holdall.session import SessionManager


class LaunchOptions(NamedTuple):
    """What the command line says besides a launcher.

    Attributes:
        sources: Providers; those that are installed if there are none.
        conduct: Reports besides those of the launcher, and what else wins over it.
    """

    jobs: JobOptions
    rules: RedactionRules
    sources: Sequence[str] = ()
    conduct: Conduct = Conduct()
    store: str | None = None
    as_json: bool = False


def run_launcher(path: str, given: LaunchOptions) -> int:
    """Run what a launcher asks for in a new session, and return the exit code.

    Raises:
        ConfigurationError: It can't be read, or does not say what to run where nobody can be
            asked.
    """
    layers = read_layers(Path(path), os.environ)
    for problem in layers.problems:
        note(f"holdall: {problem}")
    asks = _asks(layers, as_json=given.as_json)
    for problem in plan_problems(layers, asks=asks):
        raise ConfigurationError(*problem)
    conduct = _conduct(layers, given.conduct, as_json=given.as_json)
    registry = installed()
    providers = load_sources(given.sources or _found(registry, path), registry)
    check_exporters(conduct.reports, providers, registry)
    jobs = _job_options(layers, given.jobs)
    for problem in unknown_answers(layers, providers):
        _warn(str(problem))
    resolved_answers(jobs.manifest, [unit for each in providers for unit in each.unit_list])
    repository = chosen_repository(given.store, registry)
    retention = retention_of(given.store)
    devices = devices_of((), registry)
    start = Start(registry, repository, providers, devices, given.rules, retention)
    options = RunOptions(jobs, conduct, given.as_json)
    title = layers.text("launcher", "session_title")
    return run_session_of(start, options, partial(_select, layers=layers, asks=asks), title)


def check_alone(options: Mapping[str, object]) -> None:
    """Refuse options that say what the launcher says already."""
    for name, value in options.items():
        if value:
            message = _("{option} can't stand beside --launcher, which says what runs")
            raise click.UsageError(message.format(option=name))


def _warn(message: str) -> None:
    note(f"holdall: {message}")


def _asks(layers: Layers, *, as_json: bool) -> bool:
    """Whether a person is asked: the launcher lets it, and one is there."""
    wants = layers.text("ui", "type", "interactive") == "interactive"
    return wants and is_at_terminal() and not as_json


def _found(registry: Registry, path: str) -> list[str]:
    """Return the providers that are installed as Checkbox's are."""
    names = found_names(registry)
    if not names:
        reason = "no provider of Checkbox is installed (`holdall providers list`); name one "
        raise ConfigurationError(path, f"{reason}with --source PATH")
    return names


def _job_options(layers: Layers, given: JobOptions) -> JobOptions:
    """Return what holds for jobs: what the command line says, over the launcher, over the rest."""
    variables = {name: value.text for name, value in layers.free("environment").items()}
    answers = [
        GivenAnswer(name, value.text, value.location, strict=False)
        for name, value in layers.free("manifest").items()
    ]
    normal_user = given.normal_user or layers.text("agent", "normal_user") or None
    if normal_user is None and not os.geteuid():
        normal_user = default_normal_user()
        if normal_user is not None:
            text = _(
                "jobs that name no account run as {name!r}, because root runs this launcher; "
                "--normal-user, or normal_user = NAME in [agent], names another"
            )
            _warn(text.format(name=normal_user))
    return given._replace(
        configured={**given.configured, **variables},
        normal_user=normal_user,
        manifest=[*answers, *given.manifest],
    )


def _conduct(layers: Layers, given: Conduct, *, as_json: bool) -> Conduct:
    """Return how the launcher wants the run to be, and the reports of the command line besides."""
    reports = [
        ReportRequest(
            exporter=report.target.name,
            path=report.target.path,
            options=report.options,
            strict=False,
            title=report.name,
            optional=not report.is_forced,
        )
        for report in reports_of(layers, os.environ, datetime.now(UTC), _warn)
    ]
    if as_json:  # which has standard output to itself
        reports = [report for report in reports if report.path]
    rounds = 0
    if layers.truth("ui", "auto_retry"):
        rounds = max(0, layers.number("ui", "max_attempts", 3) - 1)
    return Conduct(
        reports=(*given.reports, *reports),
        timeout=given.timeout,
        asks=layers.text("ui", "type", "interactive") == "interactive",
        shown=given.shown or _shown(layers),
        rounds=rounds,
        delay_s=float(layers.number("ui", "delay_before_retry", 1)),
    )


def _shown(layers: Layers) -> Shown:
    output = layers.text("ui", "output", "show")
    if output == "hide":
        return "hide-automated"
    return output if output in SHOWN else "show"


def _select(
    manager: SessionManager, environ: Mapping[str, str], *, layers: Layers, asks: bool
) -> None:
    context = manager.device_context_list[0]
    unit = layers.text("test plan", "unit")
    if layers.truth("test plan", "forced") or not asks:
        plan = find_plan(context, unit)
    else:
        plans = [known for known in context.unit_list if isinstance(known, TestPlan)]
        plan = _chosen(plans, layers, unit)
    manager.test_plans = (plan,)
    request = Request(
        exclude=layers.words("test selection", "exclude"),
        match=layers.words("test selection", "match"),
    )
    begin_all(manager, request, environ)


def _chosen(plans: Sequence[TestPlan], layers: Layers, suggested: str) -> TestPlan:
    """Let the person choose one of the plans that the launcher's filter leaves."""
    filters = layers.words("test plan", "filter", ("*",))
    choices = [plan for plan in plans if any(fnmatchcase(plan.id, text) for text in filters)]
    if not choices:
        reason = f"no test plan matches the filter {' '.join(filters)}"
        raise ConfigurationError(layers.location("test plan", "filter"), reason)
    note(_("Test plans:"))
    default = 0
    for number, plan in enumerate(choices, start=1):
        note(f"  {number:>3}  {plan.get('name')}  ({plan.id})")
        default = number if suggested in {plan.id, plan.partial_id} else default
    prompt = _("Which one? A number")
    if default:
        hint = _("Enter: {number}").format(number=default)
        prompt = f"{prompt} ({hint})"
    terminal = Terminal(nullcontext)
    while True:
        answer = terminal.ask(prompt) or str(default or "")
        if answer.isdecimal() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
        note(_("{answer!r} is no answer here").format(answer=answer))
