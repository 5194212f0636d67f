"""`holdall providers expand`: what a test plan would run, for people and for programs."""

from __future__ import annotations

import json
import os
from gettext import gettext as _
from gettext import ngettext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdall.cli.manifest import parse_answers, resolved_answers
from holdall.cli.output import print_line
from holdall.languages import N_
from holdall.session import find_plan
from holdall.validation import device_context, expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.units import Provider
    from holdall.validation import Expansion, PlannedJob

_PERSON: Final = {
    "performs": N_("a person performs it"),
    "starts": N_("a person starts it"),
    "verifies": N_("a person verifies it"),
    "starts and verifies": N_("a person starts and verifies it"),
}
_EFFECT: Final = {
    "restarts": N_("restarts the machine"),
    "suspends": N_("suspends the machine"),
}


def expansion_of(
    providers: Sequence[Provider], plan: str, records: str | None, manifest: Sequence[str] = ()
) -> Expansion:
    """Return what *plan* would run.

    Args:
        records: File of what resource jobs print.
        manifest: Answers, as `holdall run --manifest` takes them.
    """
    resources = _read(records) if records else {}
    given = parse_answers(manifest)
    context = device_context(providers)
    answers = resolved_answers(given, context.unit_list)
    return expand(context, find_plan(context, plan), resources, os.environ, answers)


def _read(file: str) -> dict[str, str]:
    """Return what a JSON file of resource id and text says.

    Raises:
        UsageError: It is no such file.
    """
    text = _("--resources {file}: {reason}; write an object like {example}")
    example = '{"com.example::disks": "name: sda\\n"}'
    try:
        parsed = json.loads(Path(file).read_bytes())
    except OSError as error:
        message = _("--resources {file}: it can't be read: {reason}")
        raise click.UsageError(message.format(file=file, reason=error.strerror)) from error
    except (ValueError, RecursionError) as error:
        reason = _("it is no JSON ({error})").format(error=error)
        raise click.UsageError(text.format(file=file, reason=reason, example=example)) from error
    if not isinstance(parsed, dict) or not all(isinstance(v, str) for v in parsed.values()):
        reason = _("it does not give each resource its text")
        raise click.UsageError(text.format(file=file, reason=reason, example=example))
    return parsed


def as_json(expansion: Expansion) -> dict[str, Any]:
    """Return the expansion as JSON has it."""
    return {
        **expansion._asdict(),
        "jobs": [job._asdict() for job in expansion.jobs],
        "waiting": [template._asdict() for template in expansion.waiting],
    }


def show(expansion: Expansion) -> None:
    """Print the expansion for people."""
    count = len(expansion.jobs)
    text = ngettext("{plan}: {count} job", "{plan}: {count} jobs", count)
    print_line(text.format(plan=expansion.plan, count=count))
    width = len(str(count))
    for number, job in enumerate(expansion.jobs, start=1):
        phase = "" if job.phase == "run" else f" ({job.phase})"
        print_line(f"{number:>{width}}  {job.id}{phase}")
        for line in _about(job):
            print_line(f"{'':{width}}    {line}")
    for template in expansion.waiting:
        text = _("template {id} makes jobs of the records of {resource}: give them by --resources")
        print_line(text.format(id=template.id, resource=template.resource))
    for name in expansion.unmatched:
        print_line(_("nothing is there for {name}").format(name=name))
    for problem in expansion.problems:
        print_line(_("problem: {problem}").format(problem=problem))


def _about(job: PlannedJob) -> Iterator[str]:
    if job.user:
        yield _("as {user}").format(user=job.user)
    if job.depends or job.after:
        yield _("behind {jobs}").format(jobs=", ".join((*job.depends, *job.after)))
    for expression in job.requires:
        yield _("requires {expression}").format(expression=expression)
    if job.needs_records:
        names = ", ".join(job.needs_records)
        yield _("the records of {names} are not known").format(names=names)
    if job.person:
        yield _(_PERSON[job.person])
    if job.effect:
        yield _(_EFFECT[job.effect])
    for reason in job.skipped:
        yield _("would not run: {reason}").format(reason=reason)
