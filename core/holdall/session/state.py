"""The state of one device's session: jobs, results, run list, resources, metadata."""

from __future__ import annotations

from collections import ChainMap
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, assert_never

from holdall.errors import (
    DependencyDuplicateError,
    ExpressionError,
    TemplateInstanceError,
    UnitError,
    UnknownUnitError,
)
from holdall.hooks import nobody
from holdall.journal import (
    CategoryDefined,
    JobDefined,
    JobRemoved,
    JobsAppended,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    OverridesChanged,
    ProviderAdded,
    ResultRecorded,
    extended,
    now,
)
from holdall.results import JobResult, Outcome
from holdall.session.catalog import JobCatalog
from holdall.session.job_state import JobProgress, JobState, StateRules
from holdall.session.manifest import Manifest
from holdall.session.metadata import SessionMetaData
from holdall.session.overrides import Override, Overrides
from holdall.session.readiness import UNDESIRED, inhibitors
from holdall.session.recorder import EventRecorder
from holdall.session.resources import MANIFEST, resource_output
from holdall.session.siblings import siblings
from holdall.session.solver import dependencies, solve
from holdall.session.statistics import (
    category_outcomes,
    certification_status_map,
    estimated_duration,
    outcome_stats,
)
from holdall.session.templates import instances, is_jinja_job, rendered_job
from holdall.session.unit_index import UnitIndex
from holdall.units import LOCAL, Job, ManifestEntry, Pattern, Template, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from holdall.errors import DependencyError, SessionError
    from holdall.journal import Process, StateEvent
    from holdall.results import IOLogRecord
    from holdall.session.readiness import Inhibitor
    from holdall.session.resources import ResourceOutput

    Records = Sequence[Mapping[str, str]]


class SessionState:
    """Jobs of one device, what came out of them, and what is still to run.

    Units are given; everything that happens to them is an event. A method makes
    the event, and `apply` changes the state by it and records it, whether it
    happens now or is read from the journal. Lists and mappings that the state
    returns are copies or read-only.

    Attributes:
        metadata: What the application keeps here; changes are recorded at checkpoints.
        recorder: Keeps the events, or emits them to the journal.
        device_id: The device it is about.
        notify: Notifies the listeners of the manager that the state belongs to.
        read_io_log: Reads a result's log, in memory or in the storage.
        catalog: Finds the jobs by what patterns mean.
    """

    def __init__(
        self,
        unit_list: Iterable[Unit] = (),
        *,
        device_id: str = LOCAL,
        clock: Callable[[], float] = now,
    ) -> None:
        self.device_id = device_id
        self.metadata = SessionMetaData()
        self.notify: Callable[..., None] = nobody
        self.read_io_log: Callable[[JobResult], Iterable[IOLogRecord]] = _inline_log
        self._clock: Final = clock
        self._index: Final = UnitIndex()
        self.catalog: Final = JobCatalog()
        self._jobs: Final[dict[str, JobState]] = {}
        self._progress: Final[dict[str, JobProgress]] = {}
        self._results: Final[dict[str, JobResult]] = {}
        self._resources: Final[dict[str, Records]] = {}
        self._manifest: Final = Manifest()
        self._selection: JobsSelected | None = None
        self._run_list: list[Job] = []
        self._desired: list[Job] = []
        self._mandatory: list[Job] = []
        self._unknown_mandatory: list[Job] = []
        self._positions: dict[str, int] = {}
        self._waiting: dict[str, list[JobProgress]] = {}
        self._plan_overrides: Sequence[Override] = ()
        self._own_overrides: Sequence[Override] = ()
        self._overrides = Overrides()
        self._overridden: dict[str, dict[str, str]] = {}
        self._written: Final[dict[str, Unit]] = {}
        self._rules: Final = StateRules(self._why_not, self._override_job)  # one for all jobs
        self.recorder: Final = EventRecorder(self._jobs, self._index.category_names, clock)
        for unit in unit_list:
            self.add_unit(unit)

    @property
    def unit_list(self) -> list[Unit]:
        """All units, in the order they were added."""
        return list(self._index.units)

    @property
    def job_list(self) -> list[Job]:
        """The jobs among the units."""
        return list(self.catalog)

    @property
    def job_state_map(self) -> Mapping[str, JobState]:
        """A `JobState` for each job id."""
        return MappingProxyType(self._jobs)

    @property
    def desired_job_list(self) -> list[Job]:
        """The jobs that were asked for and can run."""
        return list(self._desired)

    @property
    def mandatory_job_list(self) -> list[Job]:
        """Jobs that run whatever is asked for."""
        return list(self._mandatory)

    @property
    def run_list(self) -> list[Job]:
        """The jobs that will run, in order."""
        return list(self._run_list)

    @property
    def run_count(self) -> int:
        """How many jobs are on the run list."""
        return len(self._run_list)

    @property
    def resource_map(self) -> Mapping[str, Records]:
        """Records by qualified resource id."""
        return MappingProxyType(self._resources)

    @property
    def manifest(self) -> Mapping[str, str]:
        """Answers to questions about the device, by the ids of their entries."""
        return self._manifest.answers

    @property
    def manifest_entries(self) -> Manifest:
        """The questions themselves, and what jobs make of their answers."""
        return self._manifest

    @property
    def problems(self) -> list[SessionError | UnitError]:
        """Why templates and siblings could not make some of their units."""
        return list(self._index.problems)

    @property
    def made_from(self) -> Mapping[str, str]:
        """The id of the unit that a template instance or sibling was made from."""
        return MappingProxyType(self._index.made_from)

    def apply(self, event: StateEvent) -> None:  # noqa: C901 - a case for each kind
        """Change the state by *event*, and record it.

        An event about a job that is not among the units changes nothing.
        """
        match event:
            case ResultRecorded():
                self._apply_result(event)
            case JobStarted():
                if event.job_id in self._progress:
                    process = event.process and event.process.resolved(self.recorder.boot_id)
                    self._progress[event.job_id].start(process, event.performed)
            case ProviderAdded():
                self._manifest.add_provider(event.namespace, event.name)
                self._forget_readiness()
            case JobDefined() | CategoryDefined():
                pass  # units are given, and the journal repeats what reports show of them
            case JobsSelected():
                self._apply_selection(event)
            case JobsAppended():
                nothing = JobsSelected(at=event.at, device=event.device, run_list=())
                self._apply_selection(extended(self._selection or nothing, event.job_ids))
            case JobRemoved():
                self._reset_job(event.job_id)
            case ManifestAnswered():
                self._manifest.answer(event.answers)
                self._forget_readiness()
            case MetadataChanged():
                self._apply_metadata(event)
            case OverridesChanged():
                self._own_overrides = [Override.of(record) for record in event.overrides]
                self._put_overrides()
            case _:
                assert_never(event)
        self.recorder.record(event)

    def _apply_metadata(self, event: MetadataChanged) -> None:
        self.metadata.apply(event.changes)
        if "environ" in event.changes:
            self._render_again()

    def _apply_result(self, event: ResultRecorded) -> None:
        progress = self._progress.get(event.job_id)
        if progress is None:
            return
        job, result = progress.job, event.result
        output = None
        if job.plugin == "resource" and result.outcome is not Outcome.NONE:
            output = resource_output(self.read_io_log(result))  # may fail: nothing changed yet
        progress.record(result)
        self._results[job.id] = result
        if output is not None:
            self._take_records(job, output)
        for waiting in self._waiting.get(job.id, ()):
            waiting.inhibitors = None

    def _take_records(self, job: Job, output: ResourceOutput) -> None:
        self._resources[job.id] = output.records
        for error in output.errors:
            reason = f"a record that it printed is left out: line {error.line}: {error.reason}"
            self._index.problems.append(UnitError(job.id, job.where, reason))
        for template in self._index.templates_of(job.id):
            self._instantiate(template, output.records)

    def _apply_selection(self, event: JobsSelected) -> None:
        jobs = self._jobs
        before, self._selection = self._selection, event
        if before is None or before.run_list != event.run_list:
            self._run_list = [jobs[job_id].job for job_id in event.run_list if job_id in jobs]
            self._positions = {job.id: number for number, job in enumerate(self._run_list, 1)}
            self._waiting, edges = {}, self.catalog.edges
            for job in self._run_list:
                progress = self._progress[job.id]
                for needed in {*dict(edges.get(job.id) or dependencies(job)), *job.salvages}:
                    self._waiting.setdefault(needed, []).append(progress)
        desired = event.run_list if event.desired is None else event.desired
        self._desired = [jobs[job_id].job for job_id in desired if job_id in jobs]
        self._mandatory = [jobs[job_id].job for job_id in event.mandatory if job_id in jobs]
        self._forget_readiness()

    def _reset_job(self, job_id: str) -> None:
        """Make a job as if it had never been tried."""
        state = self._jobs.get(job_id)
        if state is None:
            return
        progress = self._progress[job_id] = JobProgress(state.job)
        self._jobs[job_id] = JobState(progress, self._rules)
        self._results.pop(job_id, None)
        self._resources.pop(job_id, None)
        self._override(state.job)

    def _forget_readiness(self) -> None:
        for progress in self._progress.values():
            progress.inhibitors = None

    def add_unit(self, unit: Unit) -> Unit:
        """Return *unit*, or the identical one that is there already.

        A job with `template-engine: jinja2` is added as it is rendered.

        Raises:
            DependencyDuplicateError: A different unit of that kind has the id.
        """
        written, unit = unit, self._as_rendered(unit)
        known = self._index.known(unit)
        if known is not None:
            return known
        if unit is not written:
            self._index.made_from[unit.id] = written.id
            self._written[unit.id] = written
        self._index.add(unit)
        match unit:
            case Job():
                self._add_job(unit)
            case Template():
                self._add_template(unit)
            case ManifestEntry():
                self._manifest.add_entry(unit)
        self.notify("unit_added", unit=unit)
        return unit

    def _as_rendered(self, unit: Unit) -> Unit:
        if not is_jinja_job(unit):
            return unit
        try:
            return rendered_job(unit, self.metadata.environ)
        except TemplateInstanceError as error:
            self._index.problems.append(error)
            return unit

    @property
    def unrendered(self) -> list[Unit]:
        """The jobs that are here as they were rendered, as they were written."""
        return list(self._written.values())

    def set_environ(self, environ: Mapping[str, str]) -> None:
        """Keep variables of jobs in `metadata`, and render the jobs again that name them."""
        self.metadata.environ = dict(environ)
        self._render_again()

    def _render_again(self) -> None:
        for job_id, written in list(self._written.items()):
            before = self._jobs[job_id].job
            if rendered_job(written, self.metadata.environ) != before:
                del self._written[job_id]
                self._drop_jobs([before])
                self.add_unit(written)

    def _add_job(self, job: Job) -> None:
        self.catalog.add(job)
        progress = self._progress[job.id] = JobProgress(job)
        self._jobs[job.id] = JobState(progress, self._rules)
        if self._overrides:
            self._override(job)
        for sibling in siblings(job):
            self._add_made(sibling, job)

    def _add_template(self, template: Template) -> None:
        try:
            resource_id = self._index.add_template(template)
        except ExpressionError as error:
            self._index.problems.append(error)
        else:
            self._instantiate(template, self._resources.get(resource_id, ()))

    def _instantiate(self, template: Template, records: Records) -> None:
        for instance in instances(template, records, self.metadata.environ):
            self._add_made(instance, template)

    def _add_made(self, made: Unit | SessionError | UnitError, source: Unit) -> None:
        """Add a unit that *source* made; one that can't be added is a problem, and no more."""
        if not isinstance(made, Unit):
            self._index.problems.append(made)
            return
        try:
            self.add_unit(made)
        except DependencyDuplicateError as error:
            self._index.problems.append(error)
        else:
            # An instance may have siblings: all of them come from the one unit of a provider.
            self._index.made_from[made.id] = self._index.made_from.get(source.id, source.id)

    def check_units(self, units: Iterable[Unit]) -> None:
        """Raise DependencyDuplicateError if one of *units* could not be added."""
        for unit in units:
            self._index.known(self._as_rendered(unit))

    def remove_unit(self, unit: Unit) -> None:
        """Take *unit* out.

        Raises:
            ValueError: It is not there, or it is a job that is to run.
        """
        if self._index.by_id.get((unit.kind, unit.id)) != unit:
            raise ValueError(f"the {unit.kind} {unit.id!r} is not in this session")
        match unit:
            case Job() if unit.id in self._positions:
                raise ValueError(
                    f"the job {unit.id!r} is on the run list; select without it first"
                )
            case Job():
                self._drop_jobs([unit])
            case _:
                self._index.remove(unit)
                if isinstance(unit, ManifestEntry):
                    self._manifest.remove_entry(unit.id)
        self.notify("unit_removed", unit=unit)

    def trim_job_list(self, keep: Callable[[Job], bool]) -> None:
        """Take out the jobs that *keep* says no to.

        Raises:
            ValueError: One of them is on the run list; then none is taken out.
        """
        gone = [job for job in self.catalog if not keep(job)]
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
        if any(job.id in ids for job in self._mandatory):
            self.update_mandatory_job_list(j for j in self._mandatory if j.id not in ids)
        for job_id in ids:
            if self.recorder.has_events_of(job_id):
                event = JobRemoved(at=self._clock(), device=self.device_id, job_id=job_id)
                self.apply(event)
            self._resources.pop(job_id, None)
            self._results.pop(job_id, None)
            self._overridden.pop(job_id, None)
            self._written.pop(job_id, None)
            del self._jobs[job_id], self._progress[job_id]
        self._index.remove_jobs(ids)
        self.catalog.remove(ids)
        self._forget_readiness()

    @property
    def units_by_kind(self) -> Mapping[tuple[str, str], Unit]:
        """All units that have an id, by kind and id."""
        return MappingProxyType(self._index.by_id)

    def get_unit(self, unit_id: str, kind: str = "job") -> Unit:
        """Return the unit of that kind and id.

        Raises:
            UnknownUnitError: None has it; near names are in the message.
        """
        return self._index.get(unit_id, kind)

    def update_mandatory_job_list(self, jobs: Iterable[Job]) -> None:
        """Set the jobs that run whatever is asked for; `update_desired_job_list` heeds them."""
        mandatory = list(jobs)
        known = [job for job in mandatory if self._is_known(job)]
        self._unknown_mandatory = [job for job in mandatory if not self._is_known(job)]
        self.apply(self._selected(self._run_list, self._desired, known))

    def _is_known(self, job: Job) -> bool:
        state = self._jobs.get(job.id)
        return state is not None and state.job == job

    def update_desired_job_list(
        self,
        jobs: Iterable[Job],
        include_mandatory: bool = True,  # noqa: FBT001, FBT002 - plainbox's signature
    ) -> list[DependencyError]:
        """Select *jobs*, and what they need; return all problems, never raise them.

        Jobs that can't run are in the problems, and not in `desired_job_list`.
        """
        wanted = list(jobs)
        mandatory = [*self._mandatory, *self._unknown_mandatory] if include_mandatory else []
        known = self.catalog.by_id
        solution = solve(known, [*mandatory, *wanted], self.catalog.edges)
        selected = {job.id for job in solution.run_list}
        desired = [job for job in wanted if job.id in selected and known.get(job.id) == job]
        self.apply(self._selected(solution.run_list, desired, self._mandatory))
        return solution.problems

    def _selected(
        self, run_list: Iterable[Job], desired: Iterable[Job], mandatory: Iterable[Job]
    ) -> JobsSelected:
        run_ids = tuple([job.id for job in run_list])
        desired_ids = tuple([job.id for job in desired])
        return JobsSelected(
            at=self._clock(),
            device=self.device_id,
            run_list=run_ids,
            desired=None if desired_ids == run_ids else desired_ids,
            mandatory=tuple([job.id for job in mandatory]),
        )

    def position(self, job: Job) -> int:
        """Return the position of *job* on the run list, from 1; 0 if it is not there."""
        return self._positions.get(job.id, 0)

    def job_started(
        self, job: Job, process: Process | None = None, *, performed: JobResult | None = None
    ) -> None:
        """Note that an attempt at *job* begins, or that its command has ended.

        Args:
            performed: What the command came to, while the attempt waits for a person.

        Raises:
            UnknownUnitError: The job is not in this session.
        """
        if job.id not in self._progress:
            raise UnknownUnitError(job.id, "job", list(self._jobs))
        attempt = len(self._progress[job.id].history) + 1
        event = JobStarted(
            at=self._clock(),
            device=self.device_id,
            job_id=job.id,
            attempt=attempt,
            process=process,
            performed=performed,
        )
        self.apply(event)
        if performed is None:
            self.notify("job_started", job=job)

    def update_job_result(self, job: Job, result: JobResult) -> None:
        """Record *result* as the last one of *job*; what waits for the job is looked at anew.

        Raises:
            UnknownUnitError: The job is not in this session.
            TypeError: *result* is no `JobResult`.
        """
        if not isinstance(result, JobResult):
            raise TypeError(f"a result must be a JobResult, not {type(result).__name__}")
        if job.id not in self._progress:
            raise UnknownUnitError(job.id, "job", list(self._jobs))
        event = ResultRecorded(
            at=self._clock(), device=self.device_id, job_id=job.id, result=result
        )
        self.apply(event)
        self.notify("job_result_changed", job=job, result=result)

    def _why_not(self, job: Job) -> Iterable[Inhibitor]:
        if job.id not in self._positions:
            return (UNDESIRED,)
        manifest: dict[str, Records] = {MANIFEST: self._manifest.records}
        resources = ChainMap(manifest, self._resources)
        reasons = inhibitors(job, self._results, resources)
        return (*self._manifest.inhibitors(job), *reasons)

    def update_manifest(self, answers: Mapping[str, str | bool | int]) -> None:
        """Keep answers to questions about the device, by the ids of their entries.

        Raises:
            UnknownUnitError: No manifest entry has the id, or several without its namespace.
            TypeError, ValueError: The entry takes another kind of value.
        """
        checked = self._manifest.checked(answers)
        self.apply(ManifestAnswered(at=self._clock(), device=self.device_id, answers=checked))

    def set_overrides(self, overrides: Sequence[Override]) -> None:
        """Make exactly *overrides* hold on top of those of the plans, later ones over earlier."""
        if not overrides and not self._own_overrides:
            return
        records = tuple(override.record() for override in overrides)
        self.apply(OverridesChanged(at=self._clock(), device=self.device_id, overrides=records))

    def _override_job(self, job: Job, fields: Iterable[tuple[str, str]]) -> None:
        target = Pattern(job.id, fixed=True)
        others = [override for override in self._own_overrides if override.pattern != target]
        self.set_overrides([*others, *(Override(target, *field) for field in fields)])

    def set_plan_overrides(self, overrides: Sequence[Override]) -> None:
        """Make exactly *overrides* those of the plans; the journal has the plans."""
        before, self._plan_overrides = self._plan_overrides, tuple(overrides)
        if before or self._plan_overrides:
            self._put_overrides()

    def _put_overrides(self) -> None:
        self._overrides = Overrides([*self._plan_overrides, *self._own_overrides])
        fields = self._overrides.by_job(self.catalog)
        changed = fields.keys() | self._overridden.keys()
        before, self._overridden = self._overridden, fields
        for job_id in [job_id for job_id in self._jobs if job_id in changed]:
            if fields.get(job_id, {}) != before.get(job_id, {}):
                self._progress[job_id].override(fields.get(job_id, {}))
                self.recorder.redefine(self._jobs[job_id])

    def _override(self, job: Job) -> None:
        fields = self._overrides.of(job)
        self._progress[job.id].override(fields)
        self._overridden[job.id] = fields

    def attach(
        self,
        boot_id: str,
        emit: Callable[[StateEvent], None],
        notify: Callable[..., None],
        read_io_log: Callable[[JobResult], Iterable[IOLogRecord]],
    ) -> None:
        """Emit events to a journal from now on, first those that were kept for it."""
        self.notify = notify
        self.read_io_log = read_io_log
        for progress in self._progress.values():
            progress.process = progress.process and progress.process.resolved(boot_id)
        self.recorder.attach(self.device_id, boot_id, emit)
        self.record_metadata()

    def detach(self) -> None:
        """Emit nothing any more, and keep what happened for the next journal."""
        self.notify = nobody
        self.recorder.detach(self._facts())

    def record_metadata(self) -> None:
        """Record what changed in `metadata` since this was last done."""
        self.recorder.record_metadata(self.metadata)

    def _facts(self) -> Iterator[StateEvent]:
        """Yield events that stand for everything that is known of the state."""
        at, device = self._clock(), self.device_id
        if self._selection is not None:
            yield self._selection
        if self.manifest:
            yield ManifestAnswered(at=at, device=device, answers={**self.manifest})
        if self._own_overrides:
            records = tuple(override.record() for override in self._own_overrides)
            yield OverridesChanged(at=at, device=device, overrides=records)
        for job_id, state in self._jobs.items():
            history = state.result_history
            if history and state.result.is_hollow:
                history = (*history, state.result)
            for result in history:
                yield ResultRecorded(at=at, device=device, job_id=job_id, result=result)
            if state.in_flight:
                attempt = state.next_attempt
                yield JobStarted(
                    at=at,
                    device=device,
                    job_id=job_id,
                    attempt=attempt,
                    process=state.process,
                    performed=state.performed,
                )

    def get_estimated_duration(
        self, manual_overhead: float = 30.0
    ) -> tuple[float | None, float | None]:
        """Return the seconds that automated and manual jobs of the run list should take."""
        return estimated_duration(self._run_list, manual_overhead)

    def get_outcome_stats(self) -> dict[str, int]:
        """Return how many jobs of the session ended with which outcome."""
        return outcome_stats(self._jobs.values())

    def get_test_outcome_stats(self) -> dict[str, int]:
        """Return the same of tests alone, without jobs that only gather data."""
        states = self._jobs.values()
        return outcome_stats(s for s in states if s.job.plugin not in {"resource", "attachment"})

    def get_certification_status_map(
        self,
        outcome_filter: Collection[str] = ("fail",),
        certification_status_filter: Collection[str] = ("blocker",),
    ) -> dict[str, JobState]:
        """Return the states of jobs that ended so and count for so much."""
        return certification_status_map(self._jobs, outcome_filter, certification_status_filter)

    @property
    def category_outcome_map(self) -> dict[str, Outcome]:
        """The outcome of each category in which a job was tried."""
        return category_outcomes(self._jobs.values())

    @property
    def category_map(self) -> dict[str, str]:
        """The heading of each known category."""
        return dict(self._index.category_names)


def _inline_log(result: JobResult) -> Iterable[IOLogRecord]:
    return result.io_log
