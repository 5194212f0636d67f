"""`holdall launcher`: runs as Checkbox's launchers describe them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from holdall.cli.autostart import AutostartCommand
from holdall.cli.configuration import installed
from holdall.cli.diagnostics import show_log
from holdall.cli.export import requested_reports
from holdall.cli.job_options import job_options
from holdall.cli.launchers.checking import problems_of
from holdall.cli.launchers.layers import read_layers
from holdall.cli.launchers.starting import LaunchOptions, run_launcher
from holdall.cli.options import (
    Seconds,
    exporter_options,
    json_option,
    store_option,
)
from holdall.cli.output import print_line
from holdall.cli.redaction import redact_stored_option
from holdall.cli.sources import load_sources
from holdall.session import Conduct

if TYPE_CHECKING:
    from holdall.cli.job_options import JobOptions
    from holdall.redaction import RedactionRules

PROBLEMS: Final = 1
"""Exit code of a check that found something."""


class _Launchers(click.Group):
    """A group that takes the name of a file for `run` and that file."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with, or `run`."""
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Launchers)
def launcher() -> None:
    """Run launchers of Checkbox, and check them.

    `holdall launcher FILE` runs one, so that a launcher can begin with
    `#!/usr/bin/env -S holdall launcher` and be called itself.
    """


@launcher.command("run", cls=AutostartCommand)
@click.argument("file")
@click.option(
    "--source",
    multiple=True,
    help="A provider, in place of those that are installed as Checkbox's are.",
)
@click.option(
    "--export",
    multiple=True,
    metavar="NAME[=PATH]",
    help="Write a report at the end besides those of the launcher.",
)
@exporter_options
@click.option("--timeout", type=Seconds(), metavar="SECONDS", help="End a job that takes longer.")
@job_options
@redact_stored_option
@store_option
@json_option
def run(
    file: str,
    source: tuple[str, ...],
    export: tuple[str, ...],
    option: tuple[str, ...],
    timeout: float | None,
    store: str | None,
    *,
    jobs: JobOptions,
    rules: RedactionRules,
    as_json: bool,
) -> int:
    """Run what a launcher describes, in a new session.

    What the command line says wins over the launcher, and this over the
    configuration files that Checkbox looks for.
    """
    show_log()
    reports = requested_reports(export, option, installed(), stdout_free=not as_json)
    conduct = Conduct(reports=reports, timeout=timeout)
    return run_launcher(file, LaunchOptions(jobs, rules, source, conduct, store, as_json))


@launcher.command("check")
@click.argument("file")
@click.option(
    "--source",
    multiple=True,
    help="A provider of the run; its manifest and exporter units are checked as well.",
)
def check(file: str, source: tuple[str, ...]) -> int:
    """Print what a run would refuse or pass over of a launcher and of the files below it.

    Each with its line; exits with 1 if there is something.
    """
    layers = read_layers(Path(file), os.environ)
    registry = installed()
    providers = load_sources(source, registry) if source else None
    problems = problems_of(layers, registry, providers)
    for problem in problems:
        print_line(str(problem))
    return PROBLEMS if problems else 0
