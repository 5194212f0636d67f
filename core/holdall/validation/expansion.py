"""What a test plan would run: jobs in order, what they need, and why some would not run."""

from __future__ import annotations

import re
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import ExpressionError, NothingSelectedError, UnknownUnitError
from holdall.results import IOLogRecord, JobResult, Outcome
from holdall.session import (
    MANIFEST,
    RESTARTING,
    Request,
    SessionDeviceContext,
    begin,
    finish,
    requirements,
    resource_key,
    template_resource,
)
from holdall.units import BUILTIN_JOBS, SUSPENDS, Template, TestPlan
from holdall.validation.references import circular_plans, id_in
from holdall.validation.single import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from holdall.session import ResourceExpression, SessionState
    from holdall.units import Job, Provider

_SUSPENDING: Final = re.compile(
    r"\brtcwake\b|\bpm-(?:suspend|hibernate)\b|\bsystemctl\s+(?:suspend|hi?bernate|hybrid-sleep)\b"
    r"|\bsleep_test\.py\b|\bfwts_test\b.*\s-s\s*s[34]\b"
)
_PERSON: Final[Mapping[str, str]] = {
    "manual": "performs",
    "user-interact": "starts",
    "user-verify": "verifies",
    "user-interact-verify": "starts and verifies",
}


class PlannedJob(NamedTuple):
    """One job that a plan would run.

    Attributes:
        phase: `setup`, `bootstrap` (before the rest is selected) or `run`.
        user: The account that its command needs; empty for one's own.
        requires: Expressions that must hold.
        resources: The resources that these name, manifest aside.
        manifest: What these ask of the manifest, as `manifest.NAME`.
        person: What a person does: performs, starts or verifies it, or nothing.
        steps: What the person is told.
        effect: `restarts` or `suspends` what becomes of the machine, or nothing, as far as flags,
            id and command show it.
        needs_records: Resources among *resources* whose records are not known.
        skipped: Why it would not run; empty if it would, or if that can't be said yet.
    """

    id: str
    phase: str
    summary: str
    category: str
    plugin: str
    certification_status: str
    template_id: str
    user: str
    environ: tuple[str, ...]
    depends: tuple[str, ...]
    after: tuple[str, ...]
    requires: tuple[str, ...]
    resources: tuple[str, ...]
    manifest: tuple[str, ...]
    person: str
    steps: str
    effect: str
    estimated_duration: float | None
    needs_records: tuple[str, ...]
    skipped: tuple[str, ...]


class WaitingTemplate(NamedTuple):
    """A template that makes no unit yet, because the records of its resource are not known."""

    id: str
    resource: str


class Expansion(NamedTuple):
    """What a plan comes to, as far as the records that were given say it.

    Attributes:
        problems: What is wrong with the selection, such as a job that is not there.
        waiting: Templates that the plan lists, and whose records are missing.
        unmatched: What the plan lists and nothing is there for.
    """

    plan: str
    jobs: tuple[PlannedJob, ...]
    problems: tuple[str, ...]
    waiting: tuple[WaitingTemplate, ...]
    unmatched: tuple[str, ...]


def expand(
    context: SessionDeviceContext,
    plan: TestPlan,
    resources: Mapping[str, str],
    environ: Mapping[str, str],
    manifest: Mapping[str, str | bool | int] = MappingProxyType({}),
) -> Expansion:
    """Return what *plan* would run in *context*, which nothing else uses; nothing is executed.

    Args:
        resources: By resource id, what the job would print on its standard output.
        environ: The environment that templates may name variables of.
        manifest: Answers by the ids of their entries; what is answered is judged, and the
            rest is open.

    Raises:
        UnitError: A plan has a line that can't be read.
        UnknownUnitError: There are records for a resource job that is not there, or an
            answer to no entry.
    """
    state = context.state
    if manifest:
        state.update_manifest(manifest)
    context.set_test_plan_list((plan,))
    setup = set(context.selection.setup)
    problems: list[str] = []
    first: list[Job] = []
    with suppress(NothingSelectedError):  # which the records may change
        prepared = begin(context, Request(), environ)
        if context.selection.setup or context.selection.bootstrap:
            problems += map(str, prepared)
            first = list(state.run_list)
    known = _give(state, resources)
    try:
        problems += map(str, finish(context))
        rest = [job for job in state.run_list if job not in first]
    except NothingSelectedError as error:
        problems.append(error.reason)
        rest = []
    facts = _Facts(state, known)
    jobs = [facts.planned(job, "setup" if job.id in setup else "bootstrap") for job in first]
    jobs += [facts.planned(job, "run") for job in rest]
    lists = _Lists(context, plan)
    problems += lists.circles()
    return Expansion(
        plan.id,
        tuple(jobs),
        tuple(dict.fromkeys(problems)),
        tuple(lists.waiting(known)),
        tuple(lists.unmatched()),
    )


def _give(state: SessionState, resources: Mapping[str, str]) -> set[str]:
    """Let each resource job print its text, and return the ids of those that did.

    A resource job may be made of the records of another one.
    """
    left = {**resources}
    given: set[str] = set()
    while True:
        jobs = {name: job for name in left if (job := _resource_job(state, name)) is not None}
        if not jobs:
            break
        for name, job in jobs.items():
            log = IOLogRecord(0.0, "stdout", left.pop(name).encode())
            state.update_job_result(job, JobResult(outcome=Outcome.PASS, io_log=(log,)))
            given.add(job.id)
    if left:
        known = [job.id for job in state.job_list if job.plugin == "resource"]
        raise UnknownUnitError(next(iter(left)), "resource job", known)
    return given


def _resource_job(state: SessionState, name: str) -> Job | None:
    jobs = state.job_state_map
    if name in jobs:
        return jobs[name].job if jobs[name].job.plugin == "resource" else None
    named = [job for job in state.job_list if job.partial_id == name and job.plugin == "resource"]
    return named[0] if len(named) == 1 else None


class _Facts:
    """What is known of a device that has run no job but a few resource jobs."""

    def __init__(self, state: SessionState, known: Collection[str]) -> None:
        self._state = state
        self._known = known
        self._records = {
            resource_id: records
            for resource_id, records in state.resource_map.items()
            if resource_id in known
        }
        self._manifest = state.manifest_entries
        self._records[MANIFEST] = self._manifest.records
        self._skipped: set[str] = set()

    def planned(self, job: Job, phase: str) -> PlannedJob:
        """Return what there is to say of *job*, given that of the jobs before it."""
        state = self._state.job_state_map[job.id]
        expressions, reasons = self._judged(job)
        if reasons:
            self._skipped.add(job.id)
        named = dict.fromkeys(name for e in expressions for name in e.resource_ids)
        resources = tuple(name for name in named if name != MANIFEST)
        person = _PERSON.get(job.plugin, "")
        return PlannedJob(
            id=job.id,
            phase=phase,
            summary=job.summary,
            category=state.effective_category_id,
            plugin=job.plugin,
            certification_status=state.effective_certification_status,
            template_id=job.template_id,
            user=job.user,
            environ=job.environ,
            depends=job.depends,
            after=job.after,
            requires=tuple(expression.text for expression in expressions),
            resources=resources,
            manifest=tuple(_asked(expressions)),
            person=person,
            steps=job.description if person else "",
            effect=_effect(job),
            estimated_duration=job.estimated_duration,
            needs_records=tuple(name for name in resources if name not in self._known),
            skipped=tuple(reasons),
        )

    def _judged(self, job: Job) -> tuple[Sequence[ResourceExpression], list[str]]:
        """Return what *job* requires, and why it would not run."""
        try:
            expressions = requirements(job)
        except ExpressionError as error:
            return (), [str(error)]
        reasons = list(self._unmet(expressions))
        for inhibitor in self._manifest.inhibitors(job):
            entry_id = inhibitor.related_expression.partition(" == ")[0]
            if self._is_answered(entry_id):
                reasons.append(f"the manifest does not say {inhibitor.related_expression}")
        reasons += [
            f"the job {needed!r} that it depends on would not run"
            for needed in job.depends
            if needed in self._skipped
        ]
        return expressions, reasons

    def _is_answered(self, entry_id: str) -> bool:
        entry = self._manifest.entries.get(entry_id)
        return entry is not None and self._manifest.is_answered(entry)

    def _is_open(self, expression: ResourceExpression) -> bool:
        """Whether *expression* asks for what nobody answered yet."""
        asked = {*_asked([expression])}
        entries = self._manifest.entries.values()
        answered = {resource_key(e) for e in entries if self._manifest.is_answered(e)}
        return not asked <= answered

    def _unmet(self, expressions: Iterable[ResourceExpression]) -> Iterator[str]:
        for expression in expressions:
            if self._is_open(expression):
                continue
            if self._records.keys() >= {*expression.resource_ids} and not expression.holds(
                self._records
            ):
                yield f"the resource expression {expression.text!r} does not hold"


def _asked(expressions: Iterable[ResourceExpression]) -> Iterator[str]:
    """Yield what expressions ask of the manifest, each once."""
    asked: dict[str, None] = {}
    for expression in expressions:
        for name, resource_id in zip(expression.names, expression.resource_ids, strict=True):
            if resource_id == MANIFEST:
                keys = re.findall(rf"\b{re.escape(name)}\.(\w+)", expression.text)
                asked.update(dict.fromkeys(keys))
    yield from asked


def _effect(job: Job) -> str:
    if job.flags & RESTARTING:
        return "restarts"
    if job.id in SUSPENDS.values() or _SUSPENDING.search(job.command):
        return "suspends"
    return ""


def _with_nested(plan: TestPlan, plans: Mapping[str, TestPlan]) -> list[TestPlan]:
    """Return *plan* and all plans nested in it, each once."""
    reached = {plan.id: plan}
    queue = [plan]
    while queue:
        for part_id in queue.pop().nested_part:
            if part_id in plans and part_id not in reached:
                reached[part_id] = plans[part_id]
                queue.append(plans[part_id])
    return list(reached.values())


class _Lists:
    """What a plan, and all plans nested in it, list."""

    def __init__(self, context: SessionDeviceContext, plan: TestPlan) -> None:
        known = {unit.id: unit for unit in context.unit_list if isinstance(unit, TestPlan)}
        self._plans = plans = _with_nested(plan, known)
        self._catalog = context.state.catalog
        self._ids = {
            name for part in plans for name in (*part.bootstrap_include, *part.setup_include)
        }
        self._patterns = dict.fromkeys(
            pattern
            for part in plans
            for pattern in (*part.lists.mandatory_include, *part.lists.include)
        )
        self._templates = [unit for unit in context.unit_list if isinstance(unit, Template)]

    def circles(self) -> Iterator[str]:
        """Yield how the plan, or one nested in it, nests itself."""
        for circle in circular_plans(self._plans):
            ids = " -> ".join(part.id for part in (*circle, circle[0]))
            yield f"a test plan nests itself: {ids}; each counts once"

    def waiting(self, known: Collection[str]) -> Iterator[WaitingTemplate]:
        """Yield the templates that are listed and make no unit of what is known."""
        for template in self._templates:
            with suppress(ExpressionError):
                resource = template_resource(template)
                if resource not in known and self._means(template):
                    yield WaitingTemplate(template.id, resource)

    def _means(self, template: Template) -> bool:
        made = template.qualify(PLACEHOLDER.sub("x", template.get("id")))
        return template.id in self._ids or any(
            pattern.text == template.id if pattern.fixed else pattern.matches_id(made)
            for pattern in self._patterns
        )

    def unmatched(self) -> Iterator[str]:
        """Yield what is listed and nothing is there for."""
        templates = {template.id for template in self._templates}
        for name in sorted(self._ids - templates - BUILTIN_JOBS):
            if not self._catalog.named(name):
                yield name
        for pattern in self._patterns:
            is_known = id_in(pattern) in templates | BUILTIN_JOBS
            if not is_known and not self._catalog.selected(pattern):
                yield id_in(pattern) or pattern.text.removeprefix("^").removesuffix("$")


def device_context(providers: Iterable[Provider]) -> SessionDeviceContext:
    """Return a device that has the units of *providers*, and belongs to no session.

    Raises:
        DependencyDuplicateError: Two of them have different units of one id.
    """
    context = SessionDeviceContext()
    for provider in providers:
        context.add_provider(provider)
    return context
