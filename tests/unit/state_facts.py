"""Everything that can be seen of a state and of a view, as plain values to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdall.session.metadata import _FIELDS

if TYPE_CHECKING:
    from holdall.session import SessionManager, SessionState
    from holdall.session.job_state import JobState
    from holdall.view import JobView, SessionView


def state_facts(state: SessionState, *, jobs: set[str] | None = None) -> dict[str, Any]:
    """Return what *state* shows, of all its jobs or of *jobs* alone."""
    kept = set(state.job_state_map) if jobs is None else jobs & set(state.job_state_map)
    return {
        "device_id": state.device_id,
        "units": sorted(
            unit.id for unit in state.unit_list if unit.kind != "job" or unit.id in kept
        ),
        "jobs": sorted(job.id for job in state.job_list if job.id in kept),
        "run_list": [(job.id, state.position(job)) for job in state.run_list],
        "desired": [job.id for job in state.desired_job_list],
        "mandatory": [job.id for job in state.mandatory_job_list],
        "manifest": dict(state.manifest),
        "resources": {
            name: [dict(record) for record in records]
            for name, records in state.resource_map.items()
            if name in kept
        },
        "made_from": {name: source for name, source in state.made_from.items() if name in kept},
        "categories": state.category_map,
        "category_outcomes": state.category_outcome_map,
        "metadata": {name: getattr(state.metadata, name) for name in _FIELDS},
        "job_states": {
            name: job_facts(found) for name, found in state.job_state_map.items() if name in kept
        },
    }


def job_facts(state: JobState) -> dict[str, Any]:
    """Return what *state* shows of its job."""
    return {
        "in_flight": state.in_flight,
        "process": state.process,
        "result": state.result,
        "history": state.result_history,
        "inhibitors": [str(reason) for reason in state.readiness_inhibitor_list],
        "category": state.effective_category_id,
        "certification_status": state.effective_certification_status,
        "auto_retry": state.effective_auto_retry,
        "attempts": state.attempts,
        "retries": state.retries,
    }


def manager_facts(manager: SessionManager, like: SessionManager | None = None) -> dict[str, Any]:
    """Return what *manager* shows, with *like* only of the jobs that it has as well."""
    others = {} if like is None else {each.device.id: each for each in like.device_context_list}
    return {
        "plans": [plan.id for plan in manager.test_plans],
        "devices": [
            (context.device.id, context.device.description, context.device.facts)
            for context in manager.device_context_list
        ],
        "states": {
            context.device.id: state_facts(
                context.state,
                jobs=set(others[context.device.id].state.job_state_map)
                if context.device.id in others
                else None,
            )
            for context in manager.device_context_list
        },
    }


def view_facts(view: SessionView) -> dict[str, Any]:
    """Return everything that *view* shows: all its public properties, and what it yields."""
    yielded = {
        "jobs": [_properties(job) | {"attempts": _attempts(job)} for job in view.jobs()],
        "rejected_jobs": [job.id for job in view.rejected_jobs()],
        "resources": list(view.resources()),
        "groups": [(group.device_id, group.category_id, len(group)) for group in view.groups()],
    }
    # The whole is a view again, and `modified` is any event's moment.
    return {
        name: value
        for name, value in (_properties(view) | yielded).items()
        if name not in {"whole", "modified"}
    }


def _attempts(job: JobView) -> list[Any]:
    return [(attempt.result, list(attempt.io_log())) for attempt in job.attempts]


def _properties(shown: object) -> dict[str, Any]:
    """Return the values of every public property of *shown*."""
    return {
        name: getattr(shown, name)
        for name, value in vars(type(shown)).items()
        if isinstance(value, property) and name not in {"attempts", "last"}
    }
