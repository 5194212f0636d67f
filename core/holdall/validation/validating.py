"""Judge the definitions of providers, each by itself and all together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.session import siblings
from holdall.units import Job, Unit, sibling_entries
from holdall.validation.issue import Issue, Locator, Remark
from holdall.validation.references import (
    Known,
    circular_jobs,
    circular_plans,
    needing_itself,
    references,
)
from holdall.validation.single import remarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.units import Provider


def validate(providers: Sequence[Provider]) -> list[Issue]:
    """Return what is wrong with *providers*, which may refer to each other, by file and line.

    Loading keeps whatever can be used, and says what it can't use; here stands also
    what Checkbox would refuse, and what only all definitions together show.
    """
    units = [unit for provider in providers for unit in provider.unit_list]
    locator = Locator()
    known = Known(units)
    issues = [
        Issue(problem.file, problem.line, problem.severity, problem.message)
        for provider in providers
        for problem in provider.problems
    ]
    remarked = [(unit, remark) for unit in units for remark in _of_unit(unit, known)]
    remarked += [*_clashes(providers), *_circular(units, known)]
    found = [locator.issue(unit, remark) for unit, remark in remarked]
    repeating = _repeating(found)
    issues = [
        issue
        for issue in issues
        if issue.severity != "warning" or (issue.file, issue.line, issue.message) not in repeating
    ]
    issues += found
    return sorted(dict.fromkeys(issues), key=lambda issue: (issue.file, issue.line))


def _repeating(found: Sequence[Issue]) -> set[tuple[str, int, str]]:
    """Return the warnings of loading that say of a field what an error says of it already."""
    errors = [issue for issue in found if issue.severity == "error"]
    return {
        (issue.file, issue.line, message)
        for issue in errors
        for message in (
            issue.message,
            f"the field {issue.field!r} has no value; it is left out",
        )
    }


def _of_unit(unit: Unit, known: Known) -> Iterator[Remark]:
    if isinstance(unit, Job) and unit.fault:
        return  # which its provider says already
    yield from remarks(unit)
    yield from references(unit, known)
    if isinstance(unit, Job):
        yield from _of_siblings(unit, known)


def _clashes(providers: Sequence[Provider]) -> Iterator[tuple[Unit, Remark]]:
    """Yield each unit of a provider that a provider before it has too."""
    firsts: dict[tuple[str, str], tuple[Provider, Unit]] = {}
    for provider in providers:
        for unit in provider.unit_list:
            if not unit.id:
                continue
            owner, first = firsts.setdefault((unit.kind, unit.id), (provider, unit))
            if owner is not provider:
                reason = f"{owner.name!r} has it too, at {first.where}"
                yield unit, Remark("error", "id", f"{reason}; give one of them another id")


def _circular(units: Sequence[Unit], known: Known) -> Iterator[tuple[Unit, Remark]]:
    yield from circular_jobs(known)
    for plans in circular_plans(units):
        yield plans[0], needing_itself("nested_part", [plan.id for plan in plans])


def _of_siblings(job: Job, known: Known) -> Iterator[Remark]:
    """Yield what is wrong with each sibling that *job* lists, in the fields that it changes."""
    entries = sibling_entries(job.get("siblings"))
    for entry, sibling in zip(entries, siblings(job), strict=False):  # those of flags come behind
        word = entry.changes.get("id") or ""
        if not isinstance(sibling, Unit):
            yield Remark("error", "siblings", f"a sibling is lost: {sibling.reason}", word)
        elif not isinstance(sibling, Job):
            reason = f"it is a {sibling.kind}, and only a job runs; remove 'unit'"
            yield Remark("error", "siblings", f"the sibling {sibling.id!r}: {reason}", word)
        else:
            changed = {name.lstrip("_").replace("-", "_") for name in entry.changes}
            for remark in (*remarks(sibling), *references(sibling, known)):
                if remark.field in changed:
                    message = f"the sibling {sibling.id!r}: {remark.message}"
                    yield Remark(remark.severity, "siblings", message, word)
