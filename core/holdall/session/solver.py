"""The run order: every job after what it waits for, and all problems in one pass.

The order is Checkbox's, made certain where that one is left to chance:

1. pull: what the wanted jobs depend on, come after or require joins them
2. drop: jobs that lack something they need, and what needs those
3. order: the wanted jobs one after another, each behind what it waits for, in the
   order its definition names that; `before` and `salvages` count for jobs that are
   there anyhow and pull none; the jobs of a group are one place in the order
4. jobs that wait for each other in any of these ways are dropped too, and the rest
   is ordered again
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.errors import (
    DependencyCycleError,
    DependencyMissingError,
    DependencyUnknownError,
    ExpressionError,
)
from holdall.session.resources import required_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.errors import DependencyError
    from holdall.units import Job

    Edges = dict[str, tuple[tuple[str, str], ...]]
    """By job, the jobs that it waits for, each with the relation that says so."""


class Solution(NamedTuple):
    """Jobs in the order they are to run, and what is wrong with those left out."""

    run_list: list[Job]
    problems: list[DependencyError]


RELATIONS: Final = {
    "depends": "it depends on",
    "after": "it comes after",
    "resource": "it requires the resource",
}


def solve(jobs: Mapping[str, Job], wanted: Sequence[Job], known: Edges | None = None) -> Solution:
    """Return the run order of *wanted* and all they need of *jobs*. Never raises.

    Args:
        known: What jobs wait for, as earlier calls found it; this one adds to it.
    """
    problems: list[DependencyError] = [
        DependencyUnknownError(job.id) for job in wanted if jobs.get(job.id) != job
    ]
    starts = [job.id for job in dict.fromkeys(wanted) if jobs.get(job.id) == job]
    known = {} if known is None else known
    edges = {job_id: known[job_id] for job_id in _pulled(jobs, starts, known)}
    dropped: set[str] = set()
    missing = (needed for needs in edges.values() for needed, _ in needs if needed not in jobs)
    _drop(list(dict.fromkeys(missing)), dropped, jobs, edges, problems)
    while True:
        starts = [job_id for job_id in starts if job_id not in dropped]
        order = _Order(jobs, starts, _pulled(jobs, starts, edges), edges)
        run_list = order.solved()
        if run_list is not None:
            return Solution([jobs[job_id] for job_id in run_list], problems)
        lost: dict[str, None] = {}
        for relation, path, members in order.circles():
            problems.append(DependencyCycleError(path[0], path, relation))
            lost.update(dict.fromkeys(members))
        dropped.update(lost)
        _drop(list(lost), dropped, jobs, edges, problems)


def dependencies(job: Job) -> tuple[tuple[str, str], ...]:
    """Return the ids that must run before *job*, each with the relation that says so."""
    relations: dict[str, str] = {}
    try:
        resources = required_resources(job)
    except ExpressionError:
        resources = ()  # readiness reports it, with line and column
    for relation, ids in (
        ("depends", job.depends),
        ("after", job.after),
        ("resource", resources),
    ):
        for job_id in ids:
            relations.setdefault(job_id, relation)
    return tuple(relations.items())


def _pulled(jobs: Mapping[str, Job], starts: Iterable[str], edges: Edges) -> list[str]:
    """Return ids behind everything they wait for, and fill *edges*; circles are left open."""
    order: dict[str, bool] = {}
    for start in starts:
        if start in order:
            continue
        order[start] = True
        stack = [(start, iter(_edges_of(start, jobs, edges)))]
        while stack:
            job_id, remaining = stack[-1]
            for needed, _relation in remaining:
                if needed in jobs and needed not in order:
                    order[needed] = True
                    stack.append((needed, iter(_edges_of(needed, jobs, edges))))
                    break
            else:
                order[job_id] = order.pop(job_id)  # behind what it waits for
                stack.pop()
    return list(order)


def _edges_of(job_id: str, jobs: Mapping[str, Job], edges: Edges) -> tuple[tuple[str, str], ...]:
    known = edges.get(job_id)
    if known is None:
        known = edges[job_id] = dependencies(jobs[job_id])
    return known


def _drop(
    lost: Sequence[str],
    dropped: set[str],
    jobs: Mapping[str, Job],
    edges: Edges,
    problems: list[DependencyError],
) -> None:
    """Drop what needs the jobs that are *lost*, and what needs that; each is reported.

    A job is reported for each dependency that it lacks, so every edge is followed.
    """
    if not lost:
        return
    needed_by: dict[str, list[tuple[str, str]]] = {}
    for job_id, needs in edges.items():
        for needed, relation in needs:
            needed_by.setdefault(needed, []).append((job_id, relation))
    reported = frozenset(dropped)
    waiting = deque(lost)
    while waiting:
        missing = waiting.popleft()
        for job_id, relation in needed_by.get(missing, ()):
            if job_id in reported:
                continue
            reason = "that job was left out itself" if missing in jobs else ""
            problems.append(DependencyMissingError(job_id, missing, RELATIONS[relation], reason))
            if job_id not in dropped:
                dropped.add(job_id)
                waiting.append(job_id)


class _Order:
    """The jobs that are left, and in which ways they wait for each other."""

    def __init__(
        self, jobs: Mapping[str, Job], starts: Sequence[str], pulled: Sequence[str], edges: Edges
    ) -> None:
        self._needed = {job_id: [needed for needed, _ in edges[job_id]] for job_id in pulled}
        self._wished = _with_wishes(jobs, self._needed)
        self._block_of = {
            job_id: f"group {group}" if (group := jobs[job_id].group) else f"job {job_id}"
            for job_id in pulled
        }
        self._starts = [self._block_of[job_id] for job_id in starts]
        self._members: dict[str, list[str]] = {}
        self._between: dict[str, list[str]] = {}
        for job_id, block in self._block_of.items():
            self._members.setdefault(block, []).append(job_id)
            others = (self._block_of[needed] for needed in self._wished[job_id])
            self._between.setdefault(block, []).extend(o for o in others if o != block)

    def solved(self) -> list[str] | None:
        """Return the ids in order, None if some of them wait for each other."""
        blocks = _depth_first(self._between, self._starts)
        ordered: list[str] = []
        for block in blocks or ():
            ids = self._members[block]
            within = {
                job_id: [n for n in self._wished[job_id] if self._block_of[n] == block]
                for job_id in ids
            }
            some = _depth_first(within, ids)
            if some is None:
                return None
            ordered += some
        return None if blocks is None else ordered

    def circles(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yield circles of jobs: how these wait for each other, the path around, and its jobs.

        What needs a job on the path is lost with it; what only shares a knot with it is not.
        """
        for relation, graph in (("dependencies", self._needed), ("before", self._wished)):
            paths = [_path(circle, graph) for circle in _circles(graph)]
            if paths:
                yield from ((relation, path, path) for path in paths)
                return
        for circle in _circles(self._between):
            path = _path(circle, self._between)
            yield "group", path, [job_id for block in path for job_id in self._members[block]]


def _with_wishes(
    jobs: Mapping[str, Job], needed: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Return *needed* with what `before` and `salvages` ask for of the jobs that are there."""
    wished = {job_id: list(ids) for job_id, ids in needed.items()}
    for job_id in needed:
        for later in jobs[job_id].before:
            if later in wished:
                wished[later].append(job_id)
        wished[job_id].extend(other for other in jobs[job_id].salvages if other in wished)
    return wished


def _depth_first(graph: Mapping[str, Sequence[str]], starts: Iterable[str]) -> list[str] | None:
    """Return the nodes, each behind what it waits for, None if some wait for each other."""
    is_open: dict[str, bool] = {}
    ordered: list[str] = []
    for start in starts:
        if start in is_open:
            continue
        is_open[start] = True
        stack = [(start, iter(graph[start]))]
        while stack:
            node, remaining = stack[-1]
            for other in remaining:
                if other not in is_open:
                    is_open[other] = True
                    stack.append((other, iter(graph[other])))
                    break
                if is_open[other]:
                    return None
            else:
                is_open[node] = False
                ordered.append(node)
                stack.pop()
    return ordered


def _circles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield the groups of ids that wait for each other (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: dict[str, None] = {}
    for start in graph:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        path[start] = None
        stack = [(start, iter(graph[start]))]
        while stack:
            node, remaining = stack[-1]
            for other in remaining:
                if other not in index:
                    index[other] = low[other] = len(index)
                    path[other] = None
                    stack.append((other, iter(graph[other])))
                    break
                if other in path:
                    low[node] = min(low[node], index[other])
            else:
                # Going back: what this node reaches, the one before it reaches too.
                stack.pop()
                if stack:
                    parent = stack[-1][0]
                    low[parent] = min(low[parent], low[node])
                # Nothing below reaches further up, so the path from here on is one component.
                if low[node] == index[node]:
                    circle = _popped(path, node)
                    if len(circle) > 1 or node in graph[node]:
                        yield circle


def _path(circle: Sequence[str], graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return ids of *circle* each of which waits for the next, the first one again at the end."""
    members = set(circle)
    path = {circle[-1]: None}
    while True:
        following = next(needed for needed in graph[next(reversed(path))] if needed in members)
        if following in path:
            ids = list(path)
            return [*ids[ids.index(following) :], following]
        path[following] = None


def _popped(path: dict[str, None], node: str) -> list[str]:
    members = []
    while True:
        member, _ = path.popitem()
        members.append(member)
        if member == node:
            return members[::-1]
