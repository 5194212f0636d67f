"""`holdall providers`: list and validate them, show the units of one, and what would run."""

from __future__ import annotations

import os
import re
from collections import Counter
from gettext import gettext as _
from gettext import ngettext
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from holdall.cli import expanding
from holdall.cli.configuration import installed
from holdall.cli.exits import TESTS_FAILED
from holdall.cli.expanding import expansion_of
from holdall.cli.options import json_option
from holdall.cli.output import note, print_json, print_line, print_lines, print_table
from holdall.cli.sources import found_names, load_sources
from holdall.languages import NN_
from holdall.providers import found_providers
from holdall.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.registry import Registry
    from holdall.units import Provider
    from holdall.validation import Severity


@click.group()
def providers() -> None:
    """Look at providers."""


@providers.command("list")
@json_option
def list_providers(*, as_json: bool) -> None:
    """List the installed providers; their units are not read.

    They come with installed packages, or their `.provider` files lie where Checkbox
    looks for them, in the folders of PROVIDERPATH if that is set.
    """
    registry = installed()
    rows = [*_packaged(registry), *_found(registry)]
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    print_table(
        (_("PROVIDER"), _("STATE"), _("FROM"), _("REASON")),
        [(row.id, row.state, row.origin, row.reason) for row in rows],
    )


class _Row(NamedTuple):
    id: str
    state: str
    origin: str
    distribution: str
    version: str
    reason: str


def _packaged(registry: Registry) -> Iterator[_Row]:
    for candidate in registry.candidates("providers"):
        yield _Row(
            candidate.id,
            str(candidate.state),
            candidate.origin,
            candidate.distribution,
            candidate.version,
            candidate.reason,
        )


def _found(registry: Registry) -> Iterator[_Row]:
    for found in found_providers(registry, os.environ):
        yield _Row(found.name, found.state, found.source, "", found.version, found.reason)


@providers.command("show")
@click.argument("source")
@json_option
def show_provider(source: str, *, as_json: bool) -> None:
    """Show a provider's units by kind, and everything wrong with its definitions.

    SOURCE is a path, LOADER:PATH, or the name of a provider that `providers list` has.
    """
    (provider,) = load_sources([source], installed())
    kinds = Counter(unit.kind for unit in provider.unit_list)
    problems = provider.problems
    if as_json:
        print_json(
            {
                "name": provider.name,
                "namespace": provider.namespace,
                "version": provider.version,
                "description": provider.description,
                "loader": provider.loader,
                "source": provider.source,
                "units": dict(sorted(kinds.items())),
                "unit_count": kinds.total(),
                "problem_count": len(problems),
                "problems": [
                    {
                        "file": problem.file,
                        "line": problem.line,
                        "severity": problem.severity,
                        "message": problem.message,
                    }
                    for problem in problems
                ],
            }
        )
        return
    print_line(f"{provider.name} {provider.version} ({provider.namespace})")
    if provider.description:
        print_lines(provider.description)
    rows = [(kind, str(count)) for kind, count in sorted(kinds.items())]
    print_table((_("KIND"), _("UNITS")), [*rows, (_("all"), str(kinds.total()))])
    plans = [unit for unit in provider.unit_list if unit.kind == "test plan"]
    for plan in plans:
        print_line(_("test plan {id}: {summary}").format(id=plan.id, summary=plan.summary))
    for problem in problems:
        print_line(str(problem))


@providers.command("validate")
@click.argument("source", nargs=-1)
@json_option
def validate_providers(source: tuple[str, ...], *, as_json: bool) -> int:
    """Say what is wrong with the definitions of providers, and what to do.

    Each SOURCE may refer to the others, and to what Checkbox itself brings; without
    one, those that are installed as Checkbox's are meant. Exits with 1 if there is an
    error; warnings and advice alone exit with 0.
    """
    loaded = _named_or_found(source)
    issues = validate(loaded)
    counts = Counter(issue.severity for issue in issues)
    if as_json:
        print_json(
            {
                "providers": [_described(provider) for provider in loaded],
                "counts": {severity: counts[severity] for severity in _COUNTED},
                "issues": [issue._asdict() for issue in issues],
            }
        )
    else:
        for issue in issues:
            print_line(str(issue))
        print_line(
            ", ".join(
                ngettext(*several, counts[severity]).format(count=counts[severity])
                for severity, several in _COUNTED.items()
            )
        )
    return TESTS_FAILED if counts["error"] else 0


@providers.command("expand")
@click.argument("source", nargs=-1)
@click.option("--plan", required=True, metavar="ID", help="The test plan.")
@click.option(
    "--resources",
    metavar="FILE",
    help="JSON file of what resource jobs print, by their ids.",
)
@click.option(
    "--manifest",
    multiple=True,
    metavar="ANSWER",
    help="Answer a manifest entry by ID=VALUE, or those that a JSON file answers.",
)
@json_option
def expand_plan(
    source: tuple[str, ...],
    plan: str,
    resources: str | None,
    manifest: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show what a test plan would run, in order; nothing is executed.

    For each job it says what the job needs, what a person does, whether it restarts
    or suspends the machine, and why it would not run. Jobs that templates make of the
    records of resource jobs are there if these records are given. Without a SOURCE,
    the providers that are installed as Checkbox's are meant.
    """
    expansion = expansion_of(_named_or_found(source), plan, resources, manifest)
    if as_json:
        print_json(expanding.as_json(expansion))
    else:
        expanding.show(expansion)


@providers.command("new")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["toml", "pxu"]),
    metavar="FORMAT",
    default="toml",
    help="In which form: toml is our own plain one, pxu that of Checkbox. [default: toml]",
)
def new_provider(name: str, form: str) -> None:
    """Write a file of jobs to begin with, with comments, that runs at once.

    NAME is what the provider is called, and the file, which must not exist.
    """
    if not _NEW.fullmatch(name):
        message = _("{name!r} can't be the name of a provider; take letters, digits, - and _")
        raise click.UsageError(message.format(name=name))
    template = files("holdall.cli") / "templates" / f"provider.{form}.txt"
    path = Path(f"{name}.{form}")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.read_text(encoding="utf-8").replace("@name@", name))
    except OSError as error:
        message = _("cannot write {name!r}: {reason}")
        reason = error.strerror or str(error)
        raise click.UsageError(message.format(name=str(path), reason=reason)) from error
    command = f"holdall run ./{path}"
    note(_("wrote {path}; go on with: {command}").format(path=path, command=command))


_NEW: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def _named_or_found(sources: Sequence[str]) -> list[Provider]:
    registry = installed()
    names = sources or found_names(registry)
    if not names:
        raise click.MissingParameter(param_hint="'SOURCE...'", param_type="argument")
    return load_sources(names, registry)


def _described(provider: Provider) -> dict[str, str]:
    return {
        "name": provider.name,
        "namespace": provider.namespace,
        "version": provider.version,
        "source": provider.source,
    }


# How many issues of a severity there are.
_COUNTED: Final[Mapping[Severity, tuple[str, str]]] = {
    "error": NN_("{count} error", "{count} errors"),
    "warning": NN_("{count} warning", "{count} warnings"),
    "advice": NN_("{count} piece of advice", "{count} pieces of advice"),
}
