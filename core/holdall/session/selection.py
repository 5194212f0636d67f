"""Select the jobs of a run from the plans and patterns that its user asked for."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from holdall.errors import AmbiguousUnitError, NothingSelectedError, UnitError, UnknownUnitError
from holdall.session.conduct import keep_request, kept_request
from holdall.session.templates import named_variables
from holdall.units import TestPlan, free, selector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdall.session.conduct import Request
    from holdall.session.context import SessionDeviceContext
    from holdall.units import Job, Provider


def find_plan(context: SessionDeviceContext, text: str) -> TestPlan:
    """Return the test plan of that id; without a namespace, in that of any provider.

    Raises:
        UnknownUnitError: There is none.
        AmbiguousUnitError: Several namespaces have one.
    """
    plans = [unit for unit in context.unit_list if isinstance(unit, TestPlan)]
    matching = [plan for plan in plans if plan.id == text] or [
        plan for plan in plans if plan.partial_id == text
    ]
    if not matching:
        raise UnknownUnitError(text, "test plan", [plan.id for plan in plans])
    if len(matching) > 1:
        raise AmbiguousUnitError(text, "test plan", [plan.id for plan in matching])
    return matching[0]


def default_plan(provider: Provider) -> TestPlan | None:
    """Return the plan that runs when none is asked for: the only one, or the namesake."""
    plans = [unit for unit in provider.unit_list if isinstance(unit, TestPlan)]
    if len(plans) == 1:
        return plans[0]
    return next((plan for plan in plans if plan.partial_id == provider.name), None)


def matching_jobs(context: SessionDeviceContext, patterns: Sequence[str]) -> list[Job]:
    """Return the jobs whose ids *patterns* mean, as in a test plan's `include`.

    Raises:
        NothingSelectedError: A pattern means no job, or is none.
    """
    namespaces = dict.fromkeys(job.namespace for job in context.state.catalog)
    states = context.state.job_state_map
    selected: dict[str, Job] = {}
    for text in patterns:
        try:
            patterns_of = [selector(text, namespace) for namespace in namespaces]
        except ValueError as error:
            raise NothingSelectedError(f"job {text!r}", str(error)) from error
        matches = dict.fromkeys(
            job_id for each in patterns_of for job_id in context.state.catalog.selected(each)
        )
        if not matches:
            raise NothingSelectedError(f"job {text!r}", "no loaded provider has such a job")
        selected.update((job_id, states[job_id].job) for job_id in matches)
    return list(selected.values())


def begin(
    context: SessionDeviceContext,
    request: Request,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> list[Exception | str]:
    """Select what must run before the rest can be selected, or the rest; return problems.

    The jobs of `setup_include` run first, then those of `bootstrap_include`:
    templates make jobs of what these print, and the plan may select those.

    Args:
        environ: The environment of the caller; what templates name of it is kept in the session,
            so that they make the same jobs when it goes on elsewhere.

    Raises:
        UnitError: A plan has a line that can't be read.
        NothingSelectedError: A pattern means no job, or nothing is left to run.
    """
    state = context.state
    if context.selection.faults:
        raise _all_of(context.selection.faults)
    _meant(context, request.match)  # what is none is refused before anything runs
    keep_request(state.metadata, request)
    named = named_variables([*context.unit_list, *state.unrendered])
    kept = {name: environ[name] for name in named if name in environ}
    if kept:
        state.set_environ({**kept, **state.metadata.environ})
        context.refresh_selection()
    jobs = _preparing(context, request)
    if not jobs:
        return finish(context)
    state.metadata.flags = state.metadata.flags | {state.metadata.FLAG_BOOTSTRAPPING}
    return list(state.update_desired_job_list(jobs, include_mandatory=False))


def _preparing(context: SessionDeviceContext, request: Request) -> list[Job]:
    """Return the jobs that run before the rest is selected."""
    excluded = _meant(context, request.exclude)
    first = dict.fromkeys((*context.selection.setup, *context.selection.bootstrap))
    states = context.state.job_state_map
    return [states[job_id].job for job_id in first if job_id not in excluded]


def _all_of(faults: Sequence[UnitError]) -> UnitError:
    first, *others = faults
    if not others:
        return first
    reasons = "; ".join([first.reason, *map(str, others)])
    return UnitError(first.unit_id, first.origin, reasons)


def is_bootstrapping(context: SessionDeviceContext) -> bool:
    """Whether the jobs that decide what else runs are not all done."""
    metadata = context.state.metadata
    return metadata.FLAG_BOOTSTRAPPING in metadata.flags


def finish(context: SessionDeviceContext) -> list[Exception | str]:
    """Select everything that was asked for; return problems.

    Raises:
        NothingSelectedError: A pattern means no job, or nothing is left to run; then the
            session is still selecting, and all problems are in the error.
    """
    state = context.state
    request = kept_request(state.metadata)
    context.refresh_selection()
    jobs = planned_jobs(context) + matching_jobs(context, request.patterns)
    if request.everything:
        jobs += [job for job in state.job_list if job.automated or job.fault]
    jobs = _picked(context, request, jobs)
    problems: list[Exception | str] = [*context.selection.problems, *state.problems]
    problems += state.update_desired_job_list(jobs)
    if not state.run_list:
        what = ", ".join(request.patterns) or "the selected plans"
        reasons = "; ".join(["no job that could run is selected", *map(str, problems)])
        state.update_desired_job_list(_preparing(context, request), include_mandatory=False)
        raise NothingSelectedError(what, reasons)
    state.metadata.flags = state.metadata.flags - {state.metadata.FLAG_BOOTSTRAPPING}
    return problems


def _picked(context: SessionDeviceContext, request: Request, jobs: Sequence[Job]) -> list[Job]:
    """Return those of *jobs* that the request leaves.

    Those that it does not pick are noted as rejected; those that it excludes count as
    if a plan excluded them.
    """
    excluded = _meant(context, request.exclude)
    planned = [job for job in jobs if job.id not in excluded]
    matched = _meant(context, request.match)
    picked = [job for job in planned if not request.match or job.id in matched]
    if len(picked) < len(planned):
        metadata = context.state.metadata
        kept = {job.id for job in picked}
        rejected = [job.id for job in planned if job.id not in kept]
        metadata.rejected_jobs = list(dict.fromkeys([*metadata.rejected_jobs, *rejected]))
        metadata.custom_joblist = True
    return picked


def _meant(context: SessionDeviceContext, texts: Sequence[str]) -> set[str]:
    """Return the ids of the jobs that any of these expressions means.

    Raises:
        NothingSelectedError: One is no regular expression.
    """
    try:
        patterns = [free(text) for text in texts]
    except ValueError as error:
        raise NothingSelectedError("an expression that excludes or matches", str(error)) from error
    catalog = context.state.catalog
    return {job_id for pattern in patterns for job_id in catalog.affected(pattern)}


def planned_jobs(context: SessionDeviceContext) -> list[Job]:
    """Return the jobs that the plans in force select, in their order."""
    states = context.state.job_state_map
    return [states[job_id].job for job_id in context.selection.jobs if job_id in states]
