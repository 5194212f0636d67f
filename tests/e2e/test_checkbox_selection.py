"""What real plans select, compared with what Checkbox selected for them.

The order in which Checkbox runs several dependencies of one job is left to chance
(the seed of its hashes), so an order is right if it is Checkbox's for some order of
each job's dependencies; `Visit` tells.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from holdall.providers import load_provider
from holdall.results import IOLogRecord, JobResult
from holdall.session.context import SessionDeviceContext
from holdall.session.resources import required_resources
from holdall.session.selection import planned_jobs
from holdall.units import TestPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdall.units import Job

DATA = Path(__file__).parents[2].parent / "shared/data"
PROVIDERS = ("base", "certification-client", "docker", "genio", "resource")
BUILTIN = "com.canonical.plainbox::"

pytestmark = pytest.mark.skipif(
    not (DATA / "checkbox-plans").is_dir(), reason="what Checkbox selects is not in ../shared/data"
)


class MismatchError(Exception):
    """The expected order is not reached this way."""


class Visit:
    """Looks for an order of dependencies in which going depth first gives the expected order."""

    def __init__(self, jobs: Sequence[Job], expected: Sequence[str]) -> None:
        self.expected: Final = expected
        here = {job.id for job in jobs}
        node = {job.id: f"group {job.group}" if job.group else job.id for job in jobs}
        self.node: Final = node
        self.members: Final[dict[str, list[str]]] = {}
        self.needs: Final[dict[str, set[str]]] = {name: set() for name in node.values()}
        position = {job_id: number for number, job_id in enumerate(expected)}
        for job in sorted(jobs, key=lambda job: position.get(job.id, -1)):
            if job.id in position:
                self.members.setdefault(node[job.id], []).append(job.id)
            needed = {*job.depends, *job.after, *required_resources(job)} & here
            self.needs[node[job.id]].update(node[other] for other in needed)
            for later in here.intersection(job.before):
                self.needs[node[later]].add(node[job.id])
        for name, needed in self.needs.items():
            needed.discard(name)
        self.last: Final = {
            name: max((position[job_id] for job_id in self.members.get(name, ())), default=-1)
            for name in self.needs
        }
        self.done: list[str] = []
        self.visited: set[str] = set()

    def from_starts(self, starts: Iterable[str]) -> list[str]:
        """Return the order reached: the expected one, or what comes nearest."""
        try:
            for start in starts:
                self._visit(self.node[start])
        except MismatchError:
            pass
        return self.done

    def _visit(self, name: str) -> None:
        if name in self.visited:
            return
        self.visited.add(name)
        while waiting := self.needs[name] - self.visited:
            self._visit_one_of(waiting)
        ids = self.members.get(name, [])
        if list(self.expected[len(self.done) : len(self.done) + len(ids)]) != ids:
            raise MismatchError
        self.done.extend(ids)

    def _visit_one_of(self, waiting: set[str]) -> None:
        wanted = self.expected[len(self.done)] if len(self.done) < len(self.expected) else ""
        candidates = [
            name
            for name in sorted(waiting, key=self.last.__getitem__)
            if name not in self.members or self.node.get(wanted) in self._below(name)
        ]
        for name in candidates:
            done, visited = list(self.done), set(self.visited)
            try:
                self._visit(name)
            except MismatchError:
                self.done, self.visited = done, visited
            else:
                return
        raise MismatchError

    def _below(self, name: str) -> set[str]:
        below, stack = {name}, [name]
        while stack:
            new = self.needs[stack.pop()] - self.visited - below
            below |= new
            stack += new
        return below


def loaded() -> dict[str, Any]:
    with gzip.open(DATA / "checkbox-plans/plans.json.gz") as file:
        data: dict[str, Any] = json.load(file)
    return data


def context_with(resources: dict[str, str]) -> SessionDeviceContext:
    context = SessionDeviceContext()
    for name in PROVIDERS:
        context.add_provider(load_provider(DATA / "checkbox-providers" / name))
    state = context.state
    for job_id, output in resources.items():
        log = (IOLogRecord(0.0, "stdout", output.encode()),)
        job = state.job_state_map[job_id].job
        state.update_job_result(job, JobResult(outcome="pass", io_log=log))
    return context


def test_every_plan_selects_what_checkbox_selects_for_it() -> None:
    data = loaded()
    context = context_with(data["resources"])
    state, wrong = context.state, []
    for plan_id, expected in data["plans"].items():
        plan = context.get_unit(plan_id, "test plan")
        assert isinstance(plan, TestPlan)
        context.set_test_plan_list([plan])
        starts = [*state.mandatory_job_list, *planned_jobs(context)]
        state.update_desired_job_list(planned_jobs(context))

        run = [data["jobs"][number] for number in expected["run"]]
        jobs = state.run_list
        ids = [job.id for job in jobs if not job.id.startswith(BUILTIN)]
        here = {job.id for job in jobs}
        visit = Visit(jobs, run)
        if set(ids) != set(run):
            wrong.append((plan_id, "jobs", sorted({*ids} ^ {*run})))
        elif visit.from_starts(job.id for job in starts if job.id in here) != run:
            wrong.append((plan_id, "order", visit.done[-1:]))
        bootstrap = [
            data["jobs"][job] if isinstance(job, int) else job for job in expected["bootstrap"]
        ]
        if [*context.selection.bootstrap] != bootstrap:
            wrong.append((plan_id, "bootstrap", [*context.selection.bootstrap]))
        for field in ("certification", "category"):
            named = {data["jobs"][int(key)]: value for key, value in expected[field].items()}
            values = {key: value for key, value in named.items() if key in here}
            states = {job_id: state.job_state_map[job_id] for job_id in values}
            in_force = {
                job_id: each.effective_category_id
                if field == "category"
                else each.effective_certification_status
                for job_id, each in states.items()
            }
            if in_force != values:
                wrong.append((plan_id, field, [k for k in values if in_force[k] != values[k]]))

    assert wrong == []
    assert len(data["plans"]) == 780


def test_no_template_of_the_providers_loses_an_instance() -> None:
    context = context_with(loaded()["resources"])

    assert [str(problem) for problem in context.state.problems] == []
