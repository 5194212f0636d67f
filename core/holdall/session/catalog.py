"""The jobs of one device in their order, by id, by template and by pattern."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from holdall.session.solver import Edges
    from holdall.units import Job, Pattern


class JobCatalog:
    """Finds jobs; what a pattern means is computed once for as long as the jobs are the same.

    Attributes:
        by_id: The jobs in their order.
        edges: What each job waits for, of those that somebody asked for; `solve` fills it.
    """

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self.by_id: Final[dict[str, Job]] = {}
        self.edges: Final[Edges] = {}
        self._positions: Final[dict[str, int]] = {}
        self._made: Final[dict[str, list[str]]] = {}
        self._sorted: Final[list[tuple[str, str]]] = []
        self._selected: Final[dict[str, tuple[str, ...]]] = {}
        self._affected: Final[dict[str, tuple[str, ...]]] = {}
        for job in jobs:
            self.add(job)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.by_id.values())

    def add(self, job: Job) -> None:
        """Add a job behind all others."""
        self._positions[job.id] = len(self.by_id)
        self.by_id[job.id] = job
        if job.template_id:
            self._made.setdefault(job.template_id, []).append(job.id)
        self._forget()

    def remove(self, ids: Collection[str]) -> None:
        """Remove the jobs of these ids, in one pass for all."""
        kept = [job for job in self if job.id not in ids]
        for index in (self.by_id, self.edges, self._positions, self._made):
            index.clear()
        for job in kept:
            self.add(job)
        self._forget()

    def _forget(self) -> None:
        self._sorted.clear()
        self._selected.clear()
        self._affected.clear()

    def selected(self, pattern: Pattern) -> Sequence[str]:
        """Return the ids that a line of a plan selects, in the order of the jobs.

        An id is that of a job, or of the template that jobs were made from; a
        regular expression matches the ids of jobs alone.
        """
        if pattern.fixed:
            return self.named(pattern.text)
        known = self._selected.get(pattern.text)
        if known is None:
            matching = [job_id for job_id in self._near(pattern) if pattern.matches_id(job_id)]
            matching.sort(key=self._positions.__getitem__)
            known = self._selected[pattern.text] = tuple(matching)
        return known

    def named(self, unit_id: str) -> Sequence[str]:
        """Return the id of the job *unit_id*, or the ids of all jobs made from a template of it.

        Where both are there, a job that joined before its namesake is meant too.
        """
        made = self._made.get(unit_id, ())
        position = self._positions.get(unit_id)
        if position is None:
            return made
        return [*(job_id for job_id in made if self._positions[job_id] < position), unit_id]

    def affected(self, pattern: Pattern) -> Sequence[str]:
        """Return the ids of the jobs whose own or template's id an override applies to."""
        if pattern.fixed:
            made = self._made.get(pattern.text, ())
            return [*made, pattern.text] if pattern.text in self._positions else made
        known = self._affected.get(pattern.text)
        if known is None:
            templates = (name for name in self._made if pattern.matches_id(name))
            ids = dict.fromkeys(self.selected(pattern))
            ids.update((job_id, None) for name in templates for job_id in self._made[name])
            known = self._affected[pattern.text] = tuple(ids)
        return known

    def _near(self, pattern: Pattern) -> Iterator[str]:
        """Yield the ids whose partial ids begin as all do that the pattern matches."""
        if not self._sorted:
            self._sorted.extend(sorted((job.partial_id, job.id) for job in self))
        prefix = pattern.prefix
        for number in range(bisect_left(self._sorted, (prefix, "")), len(self._sorted)):
            partial_id, job_id = self._sorted[number]
            if not partial_id.startswith(prefix):
                return
            yield job_id
