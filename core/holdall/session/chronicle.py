"""The changes of one state, told as events, each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.journal import (
    CategoryDefined,
    JobDefined,
    JobRecord,
    JobRemoved,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    ProviderAdded,
    ResultRecorded,
)
from holdall.results import encodable
from holdall.session.metadata import SessionMetaData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import msgspec

    from holdall.journal import AnyEvent
    from holdall.results import JobResult
    from holdall.session.job_state import JobState
    from holdall.session.state import SessionState
    from holdall.units import Provider

    Selection = tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]


class Chronicle:
    """Makes events of what happens to a state, and knows what was told already.

    A job's definition is told when the job is first selected or recorded, and
    again when something of it changes.

    Attributes:
        listener: Takes the events; while there is none, nothing is kept, and
            `facts()` can tell it all later.
    """

    def __init__(self, state: SessionState, clock: Callable[[], float]) -> None:
        self.listener: Callable[[AnyEvent], None] | None = None
        self._state = state
        self._clock = clock
        self._jobs: dict[str, JobRecord] = {}
        self._categories: set[str] = set()
        self._selection: Selection | None = None
        self._metadata: dict[str, msgspec.Raw] = {}

    def learn(self, event: AnyEvent) -> None:
        """Take note of an event that the journal holds already."""
        match event:
            case JobDefined():
                self._jobs[event.job.id] = event.job
            case JobRemoved():
                self._jobs.pop(event.job_id, None)
            case CategoryDefined():
                self._categories.add(event.id)
            case JobsSelected():
                self._selection = _shape(event)
            case MetadataChanged():
                self._metadata = {**self._metadata, **event.changes}

    @property
    def known_jobs(self) -> list[JobRecord]:
        """What the journal says of every job in it, in the order they entered."""
        return list(self._jobs.values())

    def facts(self) -> Iterator[AnyEvent]:
        """Yield events that stand for everything that is known of the state."""
        self._jobs, self._categories, self._selection = {}, set(), None
        state = self._state
        selected = {job.id for job in state.run_list}
        for each in state.job_state_map.values():
            if each.job.id in selected or each.result_history or each.in_flight:
                yield from self._definition(each)
        if state.run_list or state.desired_job_list:
            yield from self._new_selection()
        if state.manifest:
            answers = dict(state.manifest)
            yield ManifestAnswered(at=self._clock(), device=state.device_id, answers=answers)
        for each in state.job_state_map.values():
            for result in each.result_history:
                yield self._result(each, result)
            if each.result_history and each.result.is_hollow:
                yield self._result(each, each.result)
            if each.in_flight:
                yield self._start(each)
        self._metadata = {}
        yield from self.changed_metadata()

    def changed_metadata(self) -> Iterator[AnyEvent]:
        """Yield one event for the metadata that changed since it was last told, if any did."""
        now = self._state.metadata.encoded()
        if now == self._metadata:
            return
        told = _DEFAULTS | self._metadata
        in_force = _DEFAULTS | now
        changes = {name: data for name, data in in_force.items() if told[name] != data}
        self._metadata = now
        if changes:
            yield MetadataChanged(at=self._clock(), device=self._state.device_id, changes=changes)

    def provider_added(self, provider: Provider) -> None:
        """Tell that the device has a provider, and where to find it again."""
        self._tell(
            ProviderAdded(
                at=self._clock(),
                device=self._state.device_id,
                name=encodable(provider.name),
                namespace=encodable(provider.namespace),
                version=encodable(provider.version),
                description=encodable(provider.description),
                loader=provider.loader,
                source=encodable(provider.source),
            )
        )

    def job_started(self, state: JobState) -> None:
        """Tell that an attempt begins."""
        self._enter(state)
        self._tell(self._start(state))

    def result_recorded(self, state: JobState, result: JobResult) -> None:
        """Tell what came out of a job."""
        self._enter(state)
        self._tell(self._result(state, result))

    def manifest_answered(self, answers: dict[str, str]) -> None:
        """Tell answers to questions about the device."""
        self._tell(
            ManifestAnswered(at=self._clock(), device=self._state.device_id, answers=answers)
        )

    def job_changed(self, state: JobState) -> None:
        """Tell what is in force for a job now, if the journal knows the job."""
        if self.listener is not None and state.job.id in self._jobs:
            self._tell(*self._definition(state))

    def job_removed(self, job_id: str) -> None:
        """Tell that a job is gone, if the journal knew it."""
        if self._jobs.pop(job_id, None) is not None and self.listener is not None:
            self._tell(JobRemoved(at=self._clock(), device=self._state.device_id, job_id=job_id))

    def jobs_selected(self) -> None:
        """Tell which jobs are to run, if they are others than were told."""
        if self.listener is None:
            return
        for job in self._state.run_list:
            self._enter(self._state.job_state_map[job.id])
        self._tell(*self._new_selection())

    def _enter(self, state: JobState) -> None:
        if self.listener is not None and state.job.id not in self._jobs:
            self._tell(*self._definition(state))

    def _tell(self, *events: AnyEvent) -> None:
        if self.listener is not None:
            for event in events:
                self.listener(event)

    def _start(self, state: JobState) -> AnyEvent:
        return JobStarted(
            at=self._clock(),
            device=self._state.device_id,
            job_id=state.job.id,
            attempt=len(state.result_history) + 1,
            process=state.process,
        )

    def _result(self, state: JobState, result: JobResult) -> AnyEvent:
        return ResultRecorded(
            at=self._clock(), device=self._state.device_id, job_id=state.job.id, result=result
        )

    def _new_selection(self) -> Iterator[AnyEvent]:
        state = self._state
        run_list = tuple(job.id for job in state.run_list)
        desired = tuple(job.id for job in state.desired_job_list)
        event = JobsSelected(
            at=self._clock(),
            device=state.device_id,
            run_list=run_list,
            desired=None if desired == run_list else desired,
            mandatory=tuple(job.id for job in state.mandatory_job_list),
        )
        if _shape(event) != self._selection:
            self._selection = _shape(event)
            yield event

    def _definition(self, state: JobState) -> Iterator[AnyEvent]:
        """Yield what the journal does not know yet of a job and its category."""
        record = job_record(state)
        if self._jobs.get(state.job.id) == record:
            return
        self._jobs[state.job.id] = record
        name = self._state.category_names.get(record.category_id)
        if name is not None and record.category_id not in self._categories:
            self._categories.add(record.category_id)
            yield CategoryDefined(at=self._clock(), id=record.category_id, name=encodable(name))
        yield JobDefined(at=self._clock(), device=self._state.device_id, job=record)


def job_record(state: JobState) -> JobRecord:
    """Return what reports show of a job, overrides included."""
    job = state.job
    return JobRecord(
        id=job.id,
        summary=encodable(job.summary),
        description=encodable(job.description),
        plugin=job.plugin,
        category_id=state.effective_category_id,
        certification_status=state.effective_certification_status,
        template_id=job.template_id,
        checksum=job.checksum,
        estimated_duration=job.estimated_duration,
        origin=encodable(job.where),
    )


def _shape(event: JobsSelected) -> Selection:
    return event.run_list, event.desired, event.mandatory


_DEFAULTS: Final = SessionMetaData.defaults()
