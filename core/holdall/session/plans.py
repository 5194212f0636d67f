"""Test plans: parse what they select and override, and apply it to jobs.

A line of `include` or `exclude` is a job id or a regular expression for a
whole id; one without `::` is meant in the plan's namespace. Excluding wins over
including. Overrides apply in the order they are written, those of nested plans
before those of the plan that nests them.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import UnitError
from holdall.journal import OverrideRecord, PlanRecord
from holdall.results import encodable
from holdall.units import TestPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdall.units import Job, Unit


class Pattern(NamedTuple):
    """A job id, or a regular expression for one."""

    text: str
    fixed: bool

    def matches(self, job: Job) -> bool:
        """Whether the job, or the template it was made from, is meant."""
        return self.matches_id(job.id) or bool(
            job.template_id and self.matches_id(job.template_id)
        )

    def matches_id(self, unit_id: str) -> bool:
        """Whether *unit_id* is meant."""
        if self.fixed:
            return self.text == unit_id
        return _compiled(self.text).fullmatch(unit_id) is not None


class Line(NamedTuple):
    """One line of a plan: whom it selects, and what it says of them besides."""

    pattern: Pattern
    overrides: tuple[tuple[str, str], ...] = ()


class Override(NamedTuple):
    """A field that a plan sets for the jobs a pattern matches."""

    pattern: Pattern
    field: str
    value: str

    @classmethod
    def of(cls, record: OverrideRecord) -> Override:
        """Return the override that the journal recorded."""
        return cls(Pattern(record.pattern, record.fixed), record.field, record.value)

    def record(self) -> OverrideRecord:
        """Return the override as the journal records it."""
        return OverrideRecord(
            pattern=self.pattern.text,
            fixed=self.pattern.fixed,
            field=self.field,
            value=self.value,
        )


class PlanSelection(NamedTuple):
    """What a set of plans asks for: ids in order, and overrides in order."""

    jobs: tuple[str, ...]
    mandatory: tuple[str, ...]
    bootstrap: tuple[str, ...]
    overrides: tuple[Override, ...]
    problems: tuple[str, ...]


class Overrides:
    """Overrides in force, looked up by job without a look at every other one."""

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._fixed: dict[str, list[tuple[int, Override]]] = {}
        self._others: list[tuple[int, Override]] = []
        for position, override in enumerate(overrides):
            if override.pattern.fixed:
                self._fixed.setdefault(override.pattern.text, []).append((position, override))
            else:
                self._others.append((position, override))

    def __bool__(self) -> bool:
        return bool(self._fixed or self._others)

    def of(self, job: Job) -> Iterator[tuple[str, str]]:
        """Yield field and value of each override of *job*, in the order they were written."""
        applying = [
            *self._fixed.get(job.id, ()),
            *(self._fixed.get(job.template_id, ()) if job.template_id else ()),
            *(
                (position, override)
                for position, override in self._others
                if override.pattern.matches(job)
            ),
        ]
        for _position, override in sorted(applying, key=itemgetter(0)):
            yield override.field, override.value


NO_SELECTION: Final = PlanSelection((), (), (), (), ())
OVERRIDABLE: Final = frozenset({"category_id", "certification_status", "auto_retry"})


def pattern(text: str, namespace: str) -> Pattern:
    """Return the pattern that *text* means in *namespace*.

    Raises:
        ValueError: It is no regular expression.
    """
    if not _SPECIAL.intersection(text):
        return Pattern(
            text if "::" in text or not namespace else f"{namespace}::{text}", fixed=True
        )
    text = text.removeprefix("^")
    if text.endswith("$") and not text.endswith("\\$"):
        text = text[:-1]
    try:
        _compiled(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from error
    whole = text if "::" in text or not namespace else f"{re.escape(namespace)}::(?:{text})"
    return Pattern(whole, fixed=False)


def plan_selection(
    plans: Sequence[TestPlan],
    jobs: Sequence[Job],
    find_plan: Callable[[str], TestPlan | None],
) -> PlanSelection:
    """Return what *plans*, and the plans nested in them, select of *jobs*."""
    if not plans:
        return NO_SELECTION
    problems: list[str] = []
    parts = [part for plan in plans for part in _nested(plan, find_plan, problems)]
    parts = list(dict.fromkeys(parts))
    by_id: dict[str, list[str]] = {}
    for job in jobs:
        for name in {job.id, job.template_id} - {""}:
            by_id.setdefault(name, []).append(job.id)
    lines = {
        name: _lines_of(parts, name, problems)
        for name in ("include", "mandatory_include", "exclude")
    }
    bootstrap = tuple(dict.fromkeys(job_id for part in parts for job_id in _bootstrap_ids(part)))
    out = set(_matching(lines["exclude"], jobs, by_id)) | set(bootstrap)
    mandatory = tuple(_matching(lines["mandatory_include"], jobs, by_id))
    included = _matching(lines["include"], jobs, by_id)
    return PlanSelection(
        jobs=tuple(job_id for job_id in included if job_id not in out),
        mandatory=mandatory,
        bootstrap=bootstrap,
        overrides=tuple(override for part in parts for override in _overrides(part, problems)),
        problems=tuple(problems),
    )


def _nested(
    plan: TestPlan, find_plan: Callable[[str], TestPlan | None], problems: list[str]
) -> list[TestPlan]:
    """Return *plan* behind all plans nested in it, each once, however they nest each other."""
    done: list[TestPlan] = []
    seen = {plan.id}
    stack = [(plan, iter(plan.ids("nested_part")))]
    while stack:
        current, remaining = stack[-1]
        for part_id in remaining:
            part = find_plan(part_id)
            if part is None:
                problems.append(f"{current.id} nests {part_id!r}, and no such plan is there")
            elif part_id not in seen:
                seen.add(part_id)
                stack.append((part, iter(part.ids("nested_part"))))
                break
        else:
            done.append(current)
            stack.pop()
    return done


def _lines_of(plans: Iterable[TestPlan], field: str, problems: list[str]) -> list[Line]:
    return [line for plan in plans for line in parse_lines(plan, field, problems)]


def parse_lines(plan: TestPlan, field: str, problems: list[str]) -> Iterator[Line]:
    """Yield the lines of one of the plan's lists; what can't be read becomes a problem."""
    for text in plan.get(field).splitlines():
        try:
            fields = shlex.split(text, comments=True)
            if fields:
                yield Line(pattern(fields[0], plan.namespace), _inline(plan, fields[1:]))
        except ValueError as error:
            problems.append(str(UnitError(plan.id, plan.where, f"{field}: {error}")))


def _inline(plan: TestPlan, fields: Sequence[str]) -> tuple[tuple[str, str], ...]:
    overrides = []
    for field in fields:
        name, equals, value = field.rstrip(",").partition("=")
        name = name.replace("-", "_")
        if not equals or name not in OVERRIDABLE:
            known = ", ".join(sorted(OVERRIDABLE))
            raise ValueError(f"{field!r} overrides nothing (fields: {known})")
        overrides.append((name, plan.qualify(value) if name == "category_id" else value))
    return tuple(overrides)


def _bootstrap_ids(plan: TestPlan) -> tuple[str, ...]:
    return tuple(plan.qualify(word) for word in plan.words("bootstrap_include") if "=" not in word)


def _matching(
    lines: Iterable[Line], jobs: Sequence[Job], by_id: Mapping[str, Sequence[str]]
) -> dict[str, None]:
    ids: dict[str, None] = {}
    for line in lines:
        if line.pattern.fixed:
            ids.update(dict.fromkeys(by_id.get(line.pattern.text, ())))
        else:
            ids.update((job.id, None) for job in jobs if line.pattern.matches(job))
    return ids


def _overrides(plan: TestPlan, problems: list[str]) -> Iterator[Override]:
    for field, name in _BLOCKS.items():
        for text in plan.get(field).splitlines():
            if not text.strip() or text.lstrip().startswith("#"):
                continue
            match = _APPLY.fullmatch(text.strip())
            if not match:
                reason = f"{field}: {text.strip()!r} is not 'apply VALUE to PATTERN'"
                problems.append(str(UnitError(plan.id, plan.where, reason)))
                continue
            value = plan.qualify(match[1]) if name == "category_id" else match[1]
            try:
                yield Override(pattern(match[2], plan.namespace), name, value)
            except ValueError as error:
                problems.append(str(UnitError(plan.id, plan.where, f"{field}: {error}")))
    for field in ("include", "mandatory_include", "bootstrap_include"):
        for line in parse_lines(plan, field, []):
            for name, value in line.overrides:
                yield Override(line.pattern, name, value)


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


@lru_cache(maxsize=4096)
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text)


_SPECIAL: Final = frozenset(".^$*+?{}[]\\|()")
_APPLY: Final = re.compile(r"apply\s+(\S+)\s+to\s+(\S+)")
_BLOCKS: Final[Mapping[str, str]] = {
    "category_overrides": "category_id",
    "certification_status_overrides": "certification_status",
    "auto_retry_overrides": "auto_retry",
}
