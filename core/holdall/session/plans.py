"""What test plans select of the jobs of a device, and what they override.

Every include, exclude and bootstrap line of a plan and of all plans nested in it
is a vote: a job that any of them excludes is out, whichever plan included it.
Jobs stand in the order of the first line that includes them, those of one
expression in the order of the jobs. Excluding stops neither mandatory jobs nor
what a selected job needs.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import UnitError
from holdall.journal import PlanRecord
from holdall.results import encodable
from holdall.session.overrides import Override
from holdall.units import BLOCKS, TestPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdall.session.catalog import JobCatalog
    from holdall.units import Pattern, PlanOverride, Unit


class PlanSelection(NamedTuple):
    """What a set of plans asks for: ids in order, and overrides in the order they apply.

    Attributes:
        setup: Jobs that run before everything else.
        bootstrap: Jobs that run before the rest is selected.
        mandatory: Jobs that run whatever is excluded.
        jobs: All others.
        problems: What is wrong and leaves the selection as it was meant.
        faults: Lines that can't be read, without which other jobs would be selected.
    """

    jobs: tuple[str, ...] = ()
    mandatory: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    problems: tuple[str, ...] = ()
    faults: tuple[UnitError, ...] = ()


NO_SELECTION: Final = PlanSelection()


def plan_selection(
    plans: Sequence[TestPlan],
    catalog: JobCatalog,
    find_plan: Callable[[str], TestPlan | None],
) -> PlanSelection:
    """Return what *plans*, and the plans nested in them, select of the jobs in *catalog*."""
    if not plans:
        return NO_SELECTION
    problems: list[str] = []
    trees = [_nested(plan, find_plan, problems) for plan in plans]
    parts = list(dict.fromkeys(part for tree in trees for part in tree))
    doubts = [(part, finding) for part in parts for finding in part.lists.doubts]
    problems += [str(UnitError(part.id, part.where, doubt.text)) for part, doubt in doubts]
    faults = [(part, finding) for part in parts for finding in part.lists.faults]
    bootstrap = _known(catalog, (job_id for part in parts for job_id in part.bootstrap_include))
    excluded = {*bootstrap, *_matching(catalog, (part.lists.exclude for part in parts))}
    included = _matching(catalog, (part.lists.include for part in parts))
    return PlanSelection(
        jobs=tuple(job_id for job_id in included if job_id not in excluded),
        mandatory=tuple(_matching(catalog, (part.lists.mandatory_include for part in parts))),
        bootstrap=bootstrap,
        setup=_known(catalog, (job_id for part in parts for job_id in part.setup_include)),
        overrides=tuple(_overrides(trees)),
        problems=tuple(dict.fromkeys(problems)),
        faults=tuple(UnitError(part.id, part.where, fault.text) for part, fault in faults),
    )


def _nested(
    plan: TestPlan, find_plan: Callable[[str], TestPlan | None], problems: list[str]
) -> list[TestPlan]:
    """Return *plan* and all plans nested in it behind, each once, however they nest each other."""
    seen = {plan.id: plan}
    stack = [(plan, iter(plan.nested_part))]
    while stack:
        current, remaining = stack[-1]
        for part_id in remaining:
            part = find_plan(part_id)
            if part is None:
                problems.append(f"{current.id} nests {part_id!r}, and no such plan is there")
            elif part_id not in seen:
                seen[part_id] = part
                stack.append((part, iter(part.nested_part)))
                break
        else:
            stack.pop()
    return list(seen.values())


def _known(catalog: JobCatalog, unit_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the jobs that are there of these names, or made from these templates."""
    return tuple(dict.fromkeys(job_id for name in unit_ids for job_id in catalog.named(name)))


def _matching(catalog: JobCatalog, lists: Iterable[Sequence[Pattern]]) -> dict[str, None]:
    patterns = (pattern for listed in lists for pattern in listed)
    return dict.fromkeys(job_id for pattern in patterns for job_id in catalog.selected(pattern))


def _overrides(trees: Sequence[Sequence[TestPlan]]) -> Iterator[Override]:
    """Yield the overrides in the order they apply: plan by plan, by the text of their patterns.

    Of one text, those of blocks count over those behind an id, and those of nested
    plans over those of the plan that nests them.
    """
    ordered: dict[str, list[PlanOverride]] = {}
    for tree in trees:
        for override in sorted(_collected(tree), key=attrgetter("order")):
            ordered.setdefault(override.order, []).append(override)
    for overrides in ordered.values():
        for override in overrides:
            yield Override(override.pattern, override.field, override.value)


def _collected(tree: Sequence[TestPlan]) -> Iterator[PlanOverride]:
    for part in tree:
        yield from part.lists.overrides
    for name in BLOCKS:
        # Categories of a nested plan count only where the plan that is run has such a block too.
        if name != "category_overrides" or tree[0].lists.blocks[name]:
            for part in tree:
                yield from part.lists.blocks[name]


def check_plans(plans: object) -> None:
    """Raise TypeError or ValueError unless *plans* is a tuple of different test plans."""
    if not isinstance(plans, tuple):
        raise TypeError(f"test_plans takes a tuple of test plans, not {type(plans).__name__}")
    for plan in plans:
        if not isinstance(plan, TestPlan):
            raise TypeError(f"test_plans takes test plans, and {plan!r} is none")
    if len({plan.id for plan in plans}) < len(plans):
        ids = ", ".join(plan.id for plan in plans)
        raise ValueError(f"test_plans takes each plan once (given: {ids})")


def plan_records(plans: Iterable[TestPlan]) -> tuple[PlanRecord, ...]:
    """Return what reports show of *plans*."""
    return tuple(
        PlanRecord(
            id=plan.id, name=encodable(plan.summary), description=encodable(plan.description)
        )
        for plan in plans
    )


def find_plan_in(units: Mapping[tuple[str, str], Unit], plan_id: str) -> TestPlan | None:
    """Return the plan of that id among *units* by kind and id."""
    unit = units.get(("test plan", plan_id))
    return unit if isinstance(unit, TestPlan) else None
