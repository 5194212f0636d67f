"""Select the jobs of a run from the plans and patterns that its user asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdall.errors import NothingSelectedError, UnknownUnitError
from holdall.units import TestPlan, selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.session.context import SessionDeviceContext
    from holdall.units import Job, Provider

APP_ID: Final = "holdall"


def find_plan(context: SessionDeviceContext, text: str) -> TestPlan:
    """Return the test plan of that id; without a namespace, in that of any provider.

    Raises:
        UnknownUnitError: There is none.
    """
    plans = [unit for unit in context.unit_list if isinstance(unit, TestPlan)]
    matching = [plan for plan in plans if plan.id == text] or [
        plan for plan in plans if plan.partial_id == text
    ]
    if not matching:
        raise UnknownUnitError(text, "test plan", [plan.id for plan in plans])
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
    namespaces = dict.fromkeys(provider.namespace for provider in context.provider_list)
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


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked to run besides test plans; kept in the session until it is selected.

    Attributes:
        patterns: Ids of jobs, or expressions for them.
        everything: Whether all automated jobs are meant, because nothing was asked for.
    """

    patterns: tuple[str, ...] = ()
    everything: bool = False


def begin(context: SessionDeviceContext, request: Request) -> list[Exception | str]:
    """Select what must run before the rest can be selected, or the rest; return problems.

    Resource jobs of a plan's `bootstrap_include` run first: templates make jobs
    of what they print, and the plan may select those.
    """
    state = context.state
    state.metadata.app_id = APP_ID
    state.metadata.app_blob = msgspec.json.encode(request)
    known = state.job_state_map
    bootstrap = [known[job_id].job for job_id in context.selection.bootstrap if job_id in known]
    if not bootstrap:
        return finish(context)
    state.metadata.flags = state.metadata.flags | {state.metadata.FLAG_BOOTSTRAPPING}
    return list(state.update_desired_job_list(bootstrap, include_mandatory=False))


def is_bootstrapping(context: SessionDeviceContext) -> bool:
    """Whether the jobs that decide what else runs are not all done."""
    metadata = context.state.metadata
    return metadata.FLAG_BOOTSTRAPPING in metadata.flags


def finish(context: SessionDeviceContext) -> list[Exception | str]:
    """Select everything that was asked for; return problems.

    Raises:
        NothingSelectedError: A pattern means no job, or nothing is left to run.
    """
    state = context.state
    request = msgspec.json.decode(state.metadata.app_blob or b"{}", type=Request)
    context.refresh_selection()
    jobs = planned_jobs(context)
    jobs += matching_jobs(context, request.patterns)
    if request.everything:
        jobs += [job for job in state.job_list if job.automated]
    problems: list[Exception | str] = [*context.selection.problems, *state.problems]
    problems += state.update_desired_job_list(jobs)
    state.metadata.flags = state.metadata.flags - {state.metadata.FLAG_BOOTSTRAPPING}
    if not state.run_list:
        what = ", ".join(request.patterns) or "the selected plans"
        raise NothingSelectedError(what, "no job that could run is selected")
    return problems


def planned_jobs(context: SessionDeviceContext) -> list[Job]:
    """Return the jobs that the plans in force select, in their order."""
    states = context.state.job_state_map
    return [states[job_id].job for job_id in context.selection.jobs if job_id in states]
