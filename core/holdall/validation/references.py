"""Ids that definitions refer to each other by: those that nothing has, and those in circles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdall.errors import DependencyCycleError, ExpressionError, near
from holdall.session import (
    MANIFEST,
    dependencies,
    expression_lines,
    parse_expression,
    parse_imports,
    resource_key,
    siblings,
    solve,
    template_resource,
)
from holdall.units import (
    BUILTIN_CATEGORIES,
    BUILTIN_JOBS,
    TWIN_PREFIXES,
    UNCATEGORISED,
    Category,
    Job,
    ManifestEntry,
    Template,
    TestPlan,
    list_words,
    qualified,
)
from holdall.validation.issue import Remark
from holdall.validation.single import PLACEHOLDER, overriding_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.units import Pattern, Unit

_OF_JOBS: Final = ("depends", "after", "before", "salvages")
_VALUE: Final = re.compile(r"\{\{.*?\}\}|\{[^{}%#]*\}", re.DOTALL)
_TAG: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
_COMMENT: Final = re.compile(r"\{#.*?#\}", re.DOTALL)
_FARTHEST: Final = 4
_PLAIN_ID: Final = re.compile(r"[\w.:/-]+")


class Known:
    """The ids that units have, and those that templates may make."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.jobs: dict[str, Job | None] = dict.fromkeys(BUILTIN_JOBS)
        self.plans: dict[str, TestPlan] = {}
        self.templates: dict[str, Template] = {}
        self.entries: set[str] = set()
        self.manifest_keys: set[str] = {"ns", "name"}  # of each provider's record
        self.categories: set[str] = {*BUILTIN_CATEGORIES, UNCATEGORISED}
        self.namespaces: set[str] = set()
        self._made: list[re.Pattern[str]] = []
        self._matched: dict[Pattern, bool] = {}
        for unit in units:
            self.namespaces.add(unit.namespace)
            self._add(unit)

    def _add(self, unit: Unit) -> None:
        match unit:
            case Job():
                self.jobs[unit.id] = unit
                for sibling in siblings(unit):
                    if isinstance(sibling, Job):
                        self.jobs.setdefault(sibling.id, sibling)
            case TestPlan():
                self.plans[unit.id] = unit
            case ManifestEntry():
                self.entries.add(unit.id)
                self.manifest_keys.add(resource_key(unit))
            case Category():
                self.categories.add(unit.id)
            case Template():
                self._add_template(unit)
            case _:
                pass

    def _add_template(self, template: Template) -> None:
        self.templates[template.id] = template
        if template.makes == "category":
            return
        own = template.get("id")
        ids = [own]
        ids += [
            f"{prefix}{own}"
            for flag, prefix in TWIN_PREFIXES.items()
            if flag in template.words("flags")
        ]
        ids += re.findall(r'"id":\s*"([^"]+)"', template.get("siblings"))
        self._made += [_shape(template.qualify(unit_id)) for unit_id in ids]

    def has_job(self, job_id: str) -> bool:
        """Whether a job has the id, or a template may make one; the id may have gaps itself."""
        if job_id in self.jobs or any(made.fullmatch(job_id) for made in self._made):
            return True
        if not PLACEHOLDER.search(job_id):
            return False
        filled = PLACEHOLDER.sub("x", job_id)
        if any(made.fullmatch(filled) for made in self._made):
            return True
        shape = _shape(job_id)
        return any(shape.fullmatch(known) for known in self.jobs)

    def similar(self, partial_id: str, namespace: str, candidates: Iterable[str]) -> list[str]:
        """Return what ids in *namespace* a typing error away may be, without the namespace.

        Comparing with each of a thousand ids would take longer than everything else.
        """
        scope = f"{namespace}::{partial_id[:1]}"
        names = (known.rpartition("::")[2] for known in candidates if known.startswith(scope))
        return [name for name in names if abs(len(name) - len(partial_id)) <= _FARTHEST]

    def matches(self, pattern: Pattern) -> bool:
        """Whether a line of a plan may select anything."""
        unit_id = id_in(pattern)
        if unit_id and (unit_id in self.templates or self.has_job(unit_id)):
            return True
        if pattern not in self._matched:
            may_be_made = not unit_id and bool(self._made)
            self._matched[pattern] = may_be_made or any(map(pattern.matches_id, self.jobs))
        return self._matched[pattern]

    def is_overridden(self, pattern: Pattern) -> bool:
        """Whether an override may apply to anything; ids of templates are those of their jobs."""
        namespace, colons, _rest = pattern.text.removeprefix("^").partition("::")
        is_foreign = bool(colons) and namespace.replace("\\", "") not in self.namespaces
        return is_foreign or self.matches(pattern) or any(map(pattern.matches_id, self.templates))


def id_in(pattern: Pattern) -> str:
    """Return the id that a line of a plan means, though dots make an expression of it."""
    text = pattern.text.removeprefix("^").removesuffix("$").replace("\\.", ".")
    return text if pattern.fixed or _PLAIN_ID.fullmatch(text) else ""


def _shape(unit_id: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(unit_id)
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)


def references(unit: Unit, known: Known) -> Iterator[Remark]:
    """Yield the ids that *unit* names and nothing has."""
    if isinstance(unit, Job) or (isinstance(unit, Template) and unit.makes == "job"):
        yield from _of_job(unit, known)
    if isinstance(unit, Template):
        yield from _of_template(unit, known)
    if isinstance(unit, TestPlan):
        yield from _of_plan(unit, known)


def _of_job(unit: Unit, known: Known) -> Iterator[Remark]:
    for field in _OF_JOBS:
        for job_id in _ids(unit, field):
            if not known.has_job(job_id):
                yield _dangling(field, "job", job_id, known, known.jobs)
    category = unit.get("category_id")
    if category and not PLACEHOLDER.search(category):
        category = unit.qualify(category)
        if category not in known.categories:
            yield _dangling("category_id", "category", category, known, known.categories)
    yield from _resources(unit, "requires", "imports", known)
    for entry in getattr(unit, "requires_manifest", {}):
        if entry not in known.entries:
            yield _dangling("requires_manifest", "manifest entry", entry, known, known.entries)


def _ids(unit: Unit, field: str) -> Iterator[str]:
    """Yield the ids that a field lists; what a template fills in is part of a word."""
    text = unit.get(field)
    if not isinstance(unit, Template):
        yield from unit.ids(field)
    elif text:
        text = _TAG.sub(" ", _COMMENT.sub("", text))
        text = _VALUE.sub(lambda match: "".join(match[0].split()), text)
        yield from map(unit.qualify, list_words(text))


def _resources(unit: Unit, field: str, imports_field: str, known: Known) -> Iterator[Remark]:
    try:
        imports = parse_imports(unit.get(imports_field))
    except ExpressionError:
        return  # which is said elsewhere
    for number, line in expression_lines(unit.get(field)):
        try:
            text = PLACEHOLDER.sub("x", line)
            expression = parse_expression(text, number, unit.namespace, imports)
        except ExpressionError:
            continue
        for name, resource_id in zip(expression.names, expression.resource_ids, strict=True):
            if resource_id == MANIFEST:
                yield from _entries(unit, name, line, known)
            else:
                yield from _resource(field, resource_id, line.strip(), known)


def _resource(field: str, resource_id: str, word: str, known: Known) -> Iterator[Remark]:
    job = known.jobs.get(resource_id)
    if not known.has_job(resource_id):
        remark = _dangling(field, "resource", resource_id, known, known.jobs)
        yield remark._replace(word=word)
    elif job is not None and job.plugin != "resource":
        reason = f"{resource_id!r} is a job with plugin {job.plugin!r}, and prints no records"
        yield Remark("error", field, f"{reason}; name a job with plugin 'resource'", word)


def _entries(unit: Unit, manifest: str, line: str, known: Known) -> Iterator[Remark]:
    """Yield the manifest entries that a line asks for by that name and nobody can answer."""
    for name in re.findall(rf"\b{re.escape(manifest)}\.(\w+)\b(?!\{{)", line):
        if name not in known.manifest_keys:
            entry = qualified(name, unit.namespace)
            remark = _dangling("requires", "manifest entry", entry, known, known.entries)
            yield remark._replace(word=line.strip())


def _of_template(template: Template, known: Known) -> Iterator[Remark]:
    try:
        resource_id = template_resource(template)
    except ExpressionError:
        return  # which is said elsewhere
    yield from _resource("template_resource", resource_id, "", known)


def _of_plan(plan: TestPlan, known: Known) -> Iterator[Remark]:
    lists = plan.lists
    for field, patterns in (
        ("include", lists.include),
        ("mandatory_include", lists.mandatory_include),
        ("exclude", lists.exclude),
    ):
        for pattern in patterns:
            if not known.matches(pattern):
                yield _unmatched(field, pattern, known)
    for field in ("bootstrap_include", "setup_include"):
        for job_id in getattr(plan, field):
            if job_id not in known.templates and not known.has_job(job_id):
                yield _dangling(field, "job", job_id, known, known.jobs)
    parts = [part for part in plan.nested_part if part not in known.plans]
    for part in parts:
        yield _dangling("nested_part", "test plan", part, known, known.plans)
    yield from _of_overrides(plan, known)


def _of_overrides(plan: TestPlan, known: Known) -> Iterator[Remark]:
    lists = plan.lists
    for override in dict.fromkeys((*lists.overrides, *lists.blocks["category_overrides"])):
        if override.field == "category_id" and override.value not in known.categories:
            field = overriding_field(plan, override)
            remark = _dangling(field, "category", override.value, known, known.categories)
            whole = plan.qualify(override.value)
            if whole != override.value and whole in known.categories:
                message = f"a category behind an id is written whole, as {whole!r}"
                remark = remark._replace(message=message)
            yield remark
    for override in (override for block in lists.blocks.values() for override in block):
        if not known.is_overridden(override.pattern):
            text = override.pattern.text.removeprefix("^").removesuffix("$")
            message = f"no job or template has an id that {text!r} matches"
            word = text.rpartition("::")[2]
            yield Remark("warning", overriding_field(plan, override), message, word)


def _unmatched(field: str, pattern: Pattern, known: Known) -> Remark:
    unit_id = id_in(pattern)
    if unit_id:
        remark = _dangling(field, "job", unit_id, known, known.jobs)
        is_harmless = field == "exclude" and remark.severity == "error"
        return remark._replace(severity="warning") if is_harmless else remark
    text = pattern.text.removeprefix("^").removesuffix("$")
    return Remark("warning", field, f"no job has an id that {text!r} matches")


def _dangling(
    field: str, what: str, unit_id: str, known: Known, candidates: Iterable[str]
) -> Remark:
    namespace, _colons, partial_id = unit_id.rpartition("::")
    if namespace and namespace not in known.namespaces:
        reason = f"whether there is a {what} {unit_id!r} depends on another provider"
        way_out = f"give the one with the namespace {namespace!r} as a SOURCE too"
        return Remark("advice", field, f"{reason}; {way_out}", partial_id)
    hint = near(partial_id, known.similar(partial_id, namespace, candidates))
    way_out = "" if hint else "; define it, or give the provider that does as a SOURCE too"
    return Remark("error", field, f"there is no {what} {unit_id!r}{hint}{way_out}", partial_id)


def circular_jobs(known: Known) -> Iterator[tuple[Job, Remark]]:
    """Yield a job of each circle of jobs, and by which of its fields they wait for each other.

    The solver of runs finds them, which would drop the jobs; what other providers have is not
    waited for here. `before`, `salvages` and groups count in runs that have all of the jobs.
    """
    jobs = {job_id: job for job_id, job in known.jobs.items() if job is not None and not job.fault}
    edges = {
        job_id: tuple(edge for edge in dependencies(job) if edge[0] in jobs)
        for job_id, job in jobs.items()
    }
    order = {job_id: place for place, job_id in enumerate(jobs)}
    for job in jobs.values():
        order.setdefault(f"group {job.group}", order[job.id])
    for problem in solve(jobs, [*jobs.values()], edges).problems:
        if isinstance(problem, DependencyCycleError):
            path = [block.removeprefix("job ") for block in problem.cycle[:-1]]
            start = path.index(min(path, key=order.__getitem__))
            path = [*path[start:], *path[:start]]
            first = jobs.get(path[0]) or _member(path[0], jobs)
            remark = needing_itself(_waiting_field(first, path[1 % len(path)]), path)
            if problem.relation != "dependencies":
                message = remark.message.replace("itself:", "itself where all of these run:")
                remark = remark._replace(severity="warning", message=message)
            yield first, remark


def needing_itself(field: str, ids: Sequence[str]) -> Remark:
    """Return what to say of units each of which needs the next, and the last one the first."""
    text = f"it needs itself: {' -> '.join([*ids, ids[0]])}; remove one of the steps"
    return Remark("error", field, text)


def _member(block: str, jobs: Mapping[str, Job]) -> Job:
    group = block.removeprefix("group ")
    return next(job for job in jobs.values() if job.group == group)


def _waiting_field(job: Job, needed: str) -> str:
    """Return the field by which *job* waits for another one."""
    for field, relation in (("depends", "depends"), ("after", "after"), ("requires", "resource")):
        if (needed, relation) in dependencies(job):
            return field
    if needed in job.salvages:
        return "salvages"
    return "group" if job.group else "before"


def circular_plans(units: Sequence[Unit]) -> Iterator[list[TestPlan]]:
    """Yield the plans of each circle in which plans nest themselves."""
    plans = {unit.id: unit for unit in units if isinstance(unit, TestPlan)}
    nests = {plan.id: list(plan.nested_part) for plan in plans.values()}
    for circle in _circles(nests):
        if all(unit_id in plans for unit_id in circle):
            yield [plans[unit_id] for unit_id in circle]


def _circles(arrows: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield a circle for each arrow that leads back to where a walk comes from."""
    done: set[str] = set()
    for start in arrows:
        path: dict[str, None] = {}
        stack = [(start, iter(arrows.get(start, ())))] if start not in done else []
        path.update({start: None} if stack else {})
        while stack:
            current, remaining = stack[-1]
            for following in remaining:
                if following in path:
                    ids = list(path)
                    yield ids[ids.index(following) :]
                elif following not in done:
                    path[following] = None
                    stack.append((following, iter(arrows.get(following, ()))))
                    break
            else:
                stack.pop()
                done.add(current)
                path.pop(current, None)
