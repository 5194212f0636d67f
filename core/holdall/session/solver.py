"""The run order: every job after what it waits for, and all problems in one pass.

Four steps, each linear in jobs plus dependencies (the last one times the
logarithm of the number of jobs):

1. pull: what the wanted jobs depend on joins them, in the order it is needed
2. drop: jobs in a circle or without something they need, and what needs those
3. group: jobs of one group become one block
4. order: blocks by their dependencies and `before`, ties in the order of step 1

A circle made only by `before` or by a group drops no job: the wish is reported
and ignored, and everything runs.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
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


class Solution(NamedTuple):
    """Jobs in the order they are to run, and what is wrong with those left out."""

    run_list: list[Job]
    problems: list[DependencyError]


RELATIONS: Final = {
    "depends": "it depends on",
    "after": "it comes after",
    "salvages": "it salvages",
    "resource": "it requires the resource",
}


def solve(jobs: Mapping[str, Job], wanted: Sequence[Job]) -> Solution:
    """Return the run order of *wanted* and all they need of *jobs*. Never raises."""
    problems: list[DependencyError] = [
        DependencyUnknownError(job.id) for job in wanted if jobs.get(job.id) != job
    ]
    starts = [job.id for job in dict.fromkeys(wanted) if jobs.get(job.id) == job]
    edges: Edges = {}
    order = _pulled(jobs, starts, edges)
    dropped = _dropped(jobs, order, edges, problems)
    kept = [job_id for job_id in order if job_id not in dropped]
    return Solution([jobs[job_id] for job_id in _ordered(jobs, kept, edges, problems)], problems)


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
        ("salvages", job.salvages),
        ("resource", resources),
    ):
        for job_id in ids:
            relations.setdefault(job_id, relation)
    return tuple(relations.items())


def _pulled(jobs: Mapping[str, Job], starts: Iterable[str], edges: Edges) -> list[str]:
    """Return ids behind everything they wait for, and fill *edges*; circles are left open."""
    order: list[str] = []
    for start in starts:
        if start in edges:
            continue
        edges[start] = dependencies(jobs[start])
        stack = [(start, iter(edges[start]))]
        while stack:
            job_id, remaining = stack[-1]
            for needed, _relation in remaining:
                if needed in jobs and needed not in edges:
                    edges[needed] = dependencies(jobs[needed])
                    stack.append((needed, iter(edges[needed])))
                    break
            else:
                order.append(job_id)
                stack.pop()
    return order


def _dropped(
    jobs: Mapping[str, Job], order: Sequence[str], edges: Edges, problems: list[DependencyError]
) -> set[str]:
    """Return the ids that can't run, after reporting why for each of them."""
    dropped: set[str] = set()
    graph = {job_id: [n for n, _ in edges[job_id] if n in edges] for job_id in order}
    for circle in _circles(graph):
        path = _path(circle, graph)
        dropped.update(path)  # the rest of the circle needs these, and is lost below
        problems.append(DependencyCycleError(path[0], path, "dependencies"))
    needed_by: dict[str, list[tuple[str, str]]] = {}
    for job_id in order:
        for needed, relation in edges[job_id]:
            needed_by.setdefault(needed, []).append((job_id, relation))
    lost = deque(n for n in needed_by if n not in jobs or n in dropped)
    # A job is reported for each dependency that it lacks, so every edge is followed.
    while lost:
        missing = lost.popleft()
        for job_id, relation in needed_by.get(missing, ()):
            if job_id in dropped and missing in dropped:
                continue  # reported already: it is in a circle, or lacks something else too
            reason = "that job was left out itself" if missing in jobs else ""
            problems.append(DependencyMissingError(job_id, missing, RELATIONS[relation], reason))
            if job_id not in dropped:
                dropped.add(job_id)
                lost.append(job_id)
    return dropped


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


def _ordered(
    jobs: Mapping[str, Job], kept: Sequence[str], edges: Edges, problems: list[DependencyError]
) -> list[str]:
    kept_set = set(kept)
    graph = {job_id: [n for n, _ in edges[job_id] if n in kept_set] for job_id in kept}
    _add_before(jobs, graph, problems)
    block_of = _blocks(jobs, graph, problems)
    members: dict[str, list[str]] = {}
    for job_id in kept:
        members.setdefault(block_of[job_id], []).append(job_id)
    between: dict[str, list[str]] = {block: [] for block in members}
    within: dict[str, list[str]] = {job_id: [] for job_id in kept}
    for job_id, needed in graph.items():
        for other in needed:
            if block_of[other] == block_of[job_id]:
                within[job_id].append(other)
            else:
                between[block_of[job_id]].append(block_of[other])
    ordered: list[str] = []
    for block in _stable(between):
        ids = members[block]
        ordered.extend(_stable({job_id: within[job_id] for job_id in ids}) if ids[1:] else ids)
    return ordered


def _add_before(
    jobs: Mapping[str, Job], graph: dict[str, list[str]], problems: list[DependencyError]
) -> None:
    """Add the wishes of `before` to *graph*; those in a circle are reported and left out."""
    wishes = [(b, job_id) for job_id in graph for b in jobs[job_id].before if b in graph]
    if not wishes:
        return
    # Which wishes contradict each other shows only with all of them in the graph.
    wished = {job_id: list(needed) for job_id, needed in graph.items()}
    for later, earlier in wishes:
        wished[later].append(earlier)
    ring_of: dict[str, int] = {}
    for number, circle in enumerate(_circles(wished)):
        ring_of.update(dict.fromkeys(circle, number))
        path = _path(circle, wished)
        problems.append(DependencyCycleError(path[0], path, "before"))
    for later, earlier in wishes:
        if later not in ring_of or ring_of[later] != ring_of.get(earlier):
            graph[later].append(earlier)


def _blocks(
    jobs: Mapping[str, Job], graph: Mapping[str, Sequence[str]], problems: list[DependencyError]
) -> dict[str, str]:
    """Return the block of each job: its group's, or one of its own where the group can't hold."""
    block_of = {
        job_id: f"group {jobs[job_id].group}" if jobs[job_id].group else f"job {job_id}"
        for job_id in graph
    }
    while True:
        # A group that is dissolved may tear another one apart: look again until none is torn.
        between: dict[str, list[str]] = {block: [] for block in block_of.values()}
        for job_id, needed in graph.items():
            mine = block_of[job_id]
            between[mine].extend(block_of[n] for n in needed if block_of[n] != mine)
        torn: set[str] = set()
        for circle in _circles(between):
            torn.update(block for block in circle if block.startswith("group "))
            path = _path(circle, between)
            problems.append(DependencyCycleError(path[0], path, "group"))
        if not torn:
            return block_of
        for job_id, block in block_of.items():
            if block in torn:
                block_of[job_id] = f"job {job_id}"


def _stable(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the nodes behind what they wait for, as near as possible to the order given."""
    # Kahn's algorithm, with a heap of positions for a queue: it keeps the given order.
    position = {node: number for number, node in enumerate(graph)}
    waits = {node: len(set(needed)) for node, needed in graph.items()}
    waiting: dict[str, list[str]] = {}
    for node, needed in graph.items():
        for other in set(needed):
            waiting.setdefault(other, []).append(node)
    ready = [(position[node], node) for node, count in waits.items() if not count]
    heapify(ready)
    ordered = []
    while ready:
        _, node = heappop(ready)
        ordered.append(node)
        for other in waiting.get(node, ()):
            waits[other] -= 1
            if not waits[other]:
                heappush(ready, (position[other], other))
    return ordered
