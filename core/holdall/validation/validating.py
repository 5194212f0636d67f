"""Judge the definitions of providers, each by itself and all together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.units import Job
from holdall.validation.issue import Issue, Locator, Remark
from holdall.validation.references import Known, cycles, references
from holdall.validation.single import remarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.units import Provider, Unit


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
    remarked += [*_clashes(providers), *_circular(units)]
    issues += [locator.issue(unit, remark) for unit, remark in remarked]
    return sorted(dict.fromkeys(issues), key=lambda issue: (issue.file, issue.line))


def _of_unit(unit: Unit, known: Known) -> Iterator[Remark]:
    if isinstance(unit, Job) and unit.fault:
        return  # which its provider says already
    yield from remarks(unit)
    yield from references(unit, known)


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


def _circular(units: Sequence[Unit]) -> Iterator[tuple[Unit, Remark]]:
    for cycle in cycles(units):
        first = cycle[0]
        ids = " -> ".join(unit.id for unit in [*cycle, first])
        field = "nested_part" if first.kind == "test plan" else "depends"
        yield first, Remark("error", field, f"it needs itself: {ids}; remove one of the steps")
