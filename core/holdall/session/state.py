"""The state of one device's session: jobs, results, run list, resources, metadata."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Final

from holdall.errors import DependencyDuplicateError, ExpressionError, UnknownUnitError
from holdall.hooks import nobody
from holdall.journal import now
from holdall.results import JobResult, Outcome, encodable
from holdall.session.chronicle import Chronicle
from holdall.session.job_state import JobState
from holdall.session.metadata import SessionMetaData
from holdall.session.plans import Overrides
from holdall.session.readiness import UNDESIRED, inhibitors
from holdall.session.resources import MANIFEST, resource_records
from holdall.session.siblings import siblings
from holdall.session.solver import dependencies, solve
from holdall.session.statistics import (
    category_outcomes,
    certification_status_map,
    estimated_duration,
    outcome_stats,
)
from holdall.session.templates import instances, template_resource
from holdall.units import LOCAL, Category, Job, ManifestEntry, Template, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from holdall.errors import DependencyError, SessionError, UnitError
    from holdall.journal import Process
    from holdall.results import IOLogRecord
    from holdall.session.plans import Override
    from holdall.session.readiness import Inhibitor


class SessionState:
    """Jobs of one device, what came out of them, and what is still to run.

    Every change is told to `chronicle`, which makes events of it.

    Attributes:
        unit_list: All units, in the order they were added.
        job_list: The jobs among them.
        job_state_map: A `JobState` for each job id.
        desired_job_list: The jobs that were asked for and can run.
        mandatory_job_list: Jobs that run whatever is asked for.
        run_list: The jobs that will run, in order.
        resource_map: Records by qualified resource id.
        manifest: Answers to questions about the device, by partial id.
        problems: What was wrong with units that templates and siblings should have made.
        made_from: The id of the unit that a template instance or sibling was made from.
        metadata: What the application keeps here.
        category_names: Headings by category id.
        chronicle: Makes events of what happens here.
        device_id: The device it is about.
        notify: Tells listeners of the manager, if there is one.
        read_io_log: Reads a result's log, wherever it is.
    """

    def __init__(
        self,
        unit_list: Iterable[Unit] = (),
        *,
        device_id: str = LOCAL,
        clock: Callable[[], float] = now,
    ) -> None:
        self.device_id = device_id
        self.unit_list: list[Unit] = []
        self.job_list: list[Job] = []
        self.job_state_map: dict[str, JobState] = {}
        self.desired_job_list: list[Job] = []
        self.mandatory_job_list: list[Job] = []
        self.run_list: list[Job] = []
        self.manifest: Mapping[str, str] = {}
        self.problems: list[SessionError | UnitError] = []
        self.made_from: dict[str, str] = {}
        self.resource_map: dict[str, Sequence[Mapping[str, str]]] = {}
        self.metadata = SessionMetaData()
        self.chronicle: Final = Chronicle(self, clock)
        self.notify: Callable[..., None] = nobody
        self.read_io_log: Callable[[JobResult], Iterable[IOLogRecord]] = _inline_log
        self.category_names: dict[str, str] = {}
        self._units: dict[tuple[str, str], Unit] = {}
        self._asked = self._why_not  # one bound method for all jobs
        self._results: dict[str, JobResult] = {}
        self._waiting: dict[str, list[JobState]] = {}
        self._positions: dict[str, int] = {}
        self._overrides = Overrides()
        self._templates: dict[str, list[Template]] = {}
        for unit in unit_list:
            self.add_unit(unit)

    def add_unit(self, unit: Unit) -> Unit:
        """Return *unit*, or the identical one that is there already.

        Raises:
            DependencyDuplicateError: A different unit of that kind has the id.
        """
        self.check_units((unit,))
        known = self._units.get((unit.kind, unit.id))
        if known is not None:
            return known
        if unit.id:
            self._units[unit.kind, unit.id] = unit
        self.unit_list.append(unit)
        match unit:
            case Category():
                self.category_names[unit.id] = unit.name
            case Job():
                self._add_job(unit)
            case Template():
                self._add_template(unit)
        self.notify("unit_added", unit=unit)
        return unit

    def _add_job(self, job: Job) -> None:
        self.job_list.append(job)
        state = JobState(job, self._asked)
        self.job_state_map[job.id] = state
        if self._overrides:
            self._override(state)
        for found in siblings(job):
            self._add_made(found, job)

    def _add_template(self, template: Template) -> None:
        try:
            resource_id = template_resource(template)
        except ExpressionError as error:
            self.problems.append(error)
            return
        self._templates.setdefault(resource_id, []).append(template)
        self._instantiate(template, self.resource_map.get(resource_id, ()))

    def _instantiate(self, template: Template, records: Sequence[Mapping[str, str]]) -> None:
        for found in instances(template, records):
            self._add_made(found, template)

    def _add_made(self, found: Unit | SessionError | UnitError, source: Unit) -> None:
        """Add a unit that *source* made; one that can't be added is a problem, and no more."""
        if not isinstance(found, Unit):
            self.problems.append(found)
            return
        try:
            self.add_unit(found)
        except DependencyDuplicateError as error:
            self.problems.append(error)
        else:
            self.made_from[found.id] = self.made_from.get(source.id, source.id)

    def check_units(self, units: Iterable[Unit]) -> None:
        """Raise DependencyDuplicateError if one of *units* could not be added."""
        for unit in units:
            known = self._units.get((unit.kind, unit.id)) if unit.id else None
            if known is not None and known != unit:
                raise DependencyDuplicateError(unit.id, known.where, unit.where)

    def remove_unit(self, unit: Unit) -> None:
        """Take *unit* out.

        Raises:
            ValueError: It is not there, or it is a job that is to run.
        """
        if self._units.get((unit.kind, unit.id)) != unit:
            raise ValueError(f"the {unit.kind} {unit.id!r} is not in this session")
        match unit:
            case Job() if unit.id in self._positions:
                raise ValueError(
                    f"the job {unit.id!r} is on the run list; select without it first"
                )
            case Job():
                self._drop_jobs([unit])
            case _:
                del self._units[unit.kind, unit.id]
                self.unit_list = [each for each in self.unit_list if each != unit]
        if isinstance(unit, Category):
            self.category_names.pop(unit.id, None)
        for made in self._templates.values():
            made[:] = [each for each in made if each != unit]
        self.notify("unit_removed", unit=unit)

    def trim_job_list(self, keep: Callable[[Job], bool]) -> None:
        """Take out the jobs that *keep* says no to.

        Raises:
            ValueError: One of them is on the run list; then none is taken out.
        """
        gone = [job for job in self.job_list if not keep(job)]
        needed = [job.id for job in gone if job.id in self._positions]
        if needed:
            raise ValueError(f"cannot trim jobs of the run list: {', '.join(needed)}")
        if not gone:
            return
        self._drop_jobs(gone)
        for job in gone:
            self.notify("unit_removed", unit=job)

    def _drop_jobs(self, jobs: Iterable[Job]) -> None:
        ids = {job.id for job in jobs}
        self.unit_list = [u for u in self.unit_list if u.kind != "job" or u.id not in ids]
        self.job_list = [job for job in self.job_list if job.id not in ids]
        if any(job.id in ids for job in self.mandatory_job_list):
            self.update_mandatory_job_list(j for j in self.mandatory_job_list if j.id not in ids)
        for job_id in ids:
            self.forget_results(job_id)
            del self._units["job", job_id], self.job_state_map[job_id]
            self.chronicle.job_removed(job_id)

    def forget_results(self, job_id: str) -> None:
        """Make a job as if it had never been tried."""
        state = self.job_state_map[job_id]
        self.job_state_map[job_id] = JobState(state.job, self._why_not)
        self._results.pop(job_id, None)
        self.resource_map.pop(job_id, None)

    @property
    def units_by_kind(self) -> Mapping[tuple[str, str], Unit]:
        """All units that have an id, by kind and id."""
        return self._units

    def get_unit(self, unit_id: str, kind: str = "job") -> Unit:
        """Return the unit of that kind and id.

        Raises:
            UnknownUnitError: There is none; near names are in the message.
        """
        try:
            return self._units[kind, unit_id]
        except KeyError:
            known = [each for each_kind, each in self._units if each_kind == kind]
            raise UnknownUnitError(unit_id, kind, known) from None

    def update_mandatory_job_list(self, jobs: Iterable[Job]) -> None:
        """Set the jobs that run whatever is asked for; `update_desired_job_list` heeds them."""
        self.mandatory_job_list = list(jobs)
        self.chronicle.jobs_selected()

    def update_desired_job_list(
        self,
        jobs: Iterable[Job],
        include_mandatory: bool = True,  # noqa: FBT001, FBT002 - plainbox's signature
    ) -> list[DependencyError]:
        """Select *jobs*, and what they need; return all problems, never raise them.

        Jobs that can't run are in the problems, and not in `desired_job_list`.
        """
        desired = list(jobs)
        mandatory = self.mandatory_job_list if include_mandatory else []
        known = {job_id: state.job for job_id, state in self.job_state_map.items()}
        solution = solve(known, [*mandatory, *desired])
        self.select(solution.run_list)
        self.desired_job_list = [
            job for job in desired if known.get(job.id) == job and job.id in self._positions
        ]
        self.chronicle.jobs_selected()
        return solution.problems

    def select(self, run_list: list[Job]) -> None:
        """Make *run_list*, an order that the solver found, the one in force."""
        self.run_list = run_list
        self._positions = {job.id: place for place, job in enumerate(run_list, start=1)}
        self._waiting = {}
        for job in run_list:
            state = self.job_state_map[job.id]
            for needed, _relation in dependencies(job):
                self._waiting.setdefault(needed, []).append(state)
        for state in self.job_state_map.values():
            state.forget_readiness()

    def position(self, job: Job) -> int:
        """Return the place of *job* on the run list, from 1; 0 if it is not there."""
        return self._positions.get(job.id, 0)

    def job_started(self, job: Job, process: Process | None = None) -> None:
        """Note that an attempt at *job* begins."""
        state = self._state_of(job)
        state.start(process)
        self.chronicle.job_started(state)
        self.notify("job_started", job=job)

    def update_job_result(self, job: Job, result: JobResult) -> None:
        """Record *result* as the last one of *job*; what waits for the job is looked at anew.

        Raises:
            UnknownUnitError: The job is not in this session.
            TypeError: *result* is no `JobResult`.
        """
        if not isinstance(result, JobResult):
            raise TypeError(f"a result must be a JobResult, not {type(result).__name__}")
        state = self._state_of(job)
        self.record(state, result)
        self.chronicle.result_recorded(state, result)
        self.notify("job_result_changed", job=job, result=result)

    def record(self, state: JobState, result: JobResult) -> None:
        """Take in a result without telling it: it comes from the journal, or is told next."""
        job = state.job
        records = None
        if job.plugin == "resource" and result.outcome is not Outcome.NONE:
            records = resource_records(self.read_io_log(result))  # may fail: nothing changed yet
        state.record(result)
        self._results[job.id] = result
        if records is not None:
            self.resource_map[job.id] = records
            for template in self._templates.get(job.id, ()):
                self._instantiate(template, records)
        state.forget_readiness()
        for waiting in self._waiting.get(job.id, ()):
            waiting.forget_readiness()

    def _state_of(self, job: Job) -> JobState:
        state = self.job_state_map.get(job.id)
        if state is None:
            raise UnknownUnitError(job.id, "job", list(self.job_state_map))
        return state

    def _why_not(self, state: JobState) -> Iterable[Inhibitor]:
        if state.job.id not in self._positions:
            return (UNDESIRED,)
        manifest: dict[str, Sequence[Mapping[str, str]]] = {MANIFEST: (self.manifest,)}
        resources = ChainMap(manifest, self.resource_map)
        return inhibitors(state.job, self._results, resources)

    def update_manifest(self, answers: Mapping[str, str | bool | int]) -> None:
        """Keep answers to questions about the device, by the partial ids of their entries.

        Raises:
            UnknownUnitError: No manifest entry has the id.
            TypeError, ValueError: The entry takes another kind of value.
        """
        words = checked_answers(self.unit_list, answers)
        self.apply_manifest(words)
        self.chronicle.manifest_answered(words)

    def apply_manifest(self, answers: Mapping[str, str]) -> None:
        """Take in answers without telling them: they come from the journal, or are told next."""
        self.manifest = {**self.manifest, **answers}
        for state in self.job_state_map.values():
            state.forget_readiness()

    def set_overrides(self, overrides: Sequence[Override]) -> None:
        """Make exactly *overrides* hold, later ones over earlier ones."""
        before, self._overrides = self._overrides, Overrides(overrides)
        if not before and not self._overrides:
            return
        for state in self.job_state_map.values():
            self._override(state)
            self.chronicle.job_changed(state)

    def _override(self, state: JobState) -> None:
        state.apply_overrides(self._overrides.of(state.job))

    def get_estimated_duration(
        self, manual_overhead: float = 30.0
    ) -> tuple[float | None, float | None]:
        """Return the seconds that automated and manual jobs of the run list should take."""
        return estimated_duration(self.run_list, manual_overhead)

    def get_outcome_stats(self) -> dict[str, int]:
        """Return how many jobs of the session ended with which outcome."""
        return outcome_stats(self.job_state_map.values())

    def get_test_outcome_stats(self) -> dict[str, int]:
        """Return the same of tests alone, without jobs that only gather data."""
        states = self.job_state_map.values()
        return outcome_stats(s for s in states if s.job.plugin not in {"resource", "attachment"})

    def get_certification_status_map(
        self,
        outcome_filter: Collection[str] = ("fail",),
        certification_status_filter: Collection[str] = ("blocker",),
    ) -> dict[str, JobState]:
        """Return the states of jobs that ended so and count for so much."""
        return certification_status_map(
            self.job_state_map, outcome_filter, certification_status_filter
        )

    @property
    def category_outcome_map(self) -> dict[str, Outcome]:
        """The outcome of each category in which a job was tried."""
        return category_outcomes(self.job_state_map.values())

    @property
    def category_map(self) -> dict[str, str]:
        """The heading of each known category."""
        return dict(self.category_names)


def _inline_log(result: JobResult) -> Iterable[IOLogRecord]:
    return result.io_log


def checked_answers(
    units: Iterable[Unit], answers: Mapping[str, str | bool | int]
) -> dict[str, str]:
    """Return *answers* as expressions see them, by the partial ids of their entries.

    Raises:
        UnknownUnitError: No manifest entry among *units* has the id.
        TypeError: The entry takes another type of value.
    """
    entries = {unit.partial_id: unit for unit in units if isinstance(unit, ManifestEntry)}
    for name, value in answers.items():
        if name not in entries:
            raise UnknownUnitError(name, "manifest entry", list(entries))
        _check(entries[name], value)
    return {name: encodable(str(value)) for name, value in answers.items()}


def _check(entry: ManifestEntry, value: object) -> None:
    wanted = {"bool": bool, "natural": int}.get(entry.get("value_type"), str)
    if type(value) is not wanted:
        given = type(value).__name__
        raise TypeError(f"the manifest entry {entry.id!r} takes {wanted.__name__}, not {given}")
    if wanted is int and isinstance(value, int) and value < 0:
        raise ValueError(f"the manifest entry {entry.id!r} takes a number from 0 on, not {value}")
