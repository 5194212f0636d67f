"""The events of one state: kept until a journal takes them, then emitted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never, cast

import msgspec

from holdall.journal import (
    CategoryDefined,
    JobDefined,
    JobRecord,
    JobRemoved,
    JobsAppended,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    OverridesChanged,
    ProviderAdded,
    ResultRecorded,
    compacted,
)
from holdall.results import encodable
from holdall.session.metadata import SessionMetaData
from holdall.units import BUILTIN_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from holdall.journal import StateEvent
    from holdall.session.job_state import JobState

    Shape = tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]


class EventRecorder:
    """Records the events of one state, each thing once.

    It keeps the events of a state that is in no session, notes those that a
    journal holds while a session is loaded, and emits those of a state in a
    session. In a journal, the definition of a job goes before the first event
    about the job, and again when something of it changes.

    Attributes:
        record: Takes the next event.
        session_id: The session that the state belongs to, empty if none.
        boot_id: The boot that processes of jobs belong to unless they name another.
    """

    def __init__(
        self,
        jobs: Mapping[str, JobState],
        category_names: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self.session_id = ""
        self.boot_id = ""
        self.record: Callable[[StateEvent], None] = self._keep
        self._device_id = ""
        self._jobs: Final = jobs
        self._category_names: Final = category_names
        self._clock: Final = clock
        self._emit: Callable[[StateEvent], None] | None = None
        self._kept: list[StateEvent] = []
        self._is_replaying = False
        self._forget()

    def _forget(self) -> None:
        self._tried: set[str] = set()
        self._defined: dict[str, JobRecord] = {}
        self._categories: set[str] = set()
        self._selection: Shape | None = None
        self._metadata: dict[str, msgspec.Raw] = {}

    @property
    def defined_jobs(self) -> list[JobRecord]:
        """The definitions in the journal, in the order in which the jobs entered it."""
        return list(self._defined.values())

    def has_events_of(self, job_id: str) -> bool:
        """Whether events about a job exist, so that its removal must be one too."""
        return job_id in self._defined or job_id in self._tried

    def replay(self, session_id: str) -> None:
        """Take the events from now on for those that the journal of a session holds."""
        self.claim(session_id)
        self._kept = []
        self._is_replaying = True
        self.record = self._note

    def claim(self, session_id: str) -> None:
        """Belong to a session from now on, and to no other.

        Raises:
            ValueError: It belongs to a session already.
        """
        self.check_free()
        self.session_id = session_id

    def check_free(self) -> None:
        """Raise ValueError if the state belongs to a session."""
        if self.session_id:
            raise ValueError(
                f"the state belongs to the session {self.session_id!r} already; "
                "remove its context there first"
            )

    @property
    def is_replaying(self) -> bool:
        """Whether what is recorded is in the journal already."""
        return self._is_replaying

    def attach(self, device_id: str, boot_id: str, emit: Callable[[StateEvent], None]) -> None:
        """Emit events from now on, those that were kept so far first.

        Args:
            boot_id: The boot of the machine that the journal's writer runs in.
        """
        self.boot_id = boot_id
        kept, self._kept = cast("list[StateEvent]", compacted(self._kept)), []
        self._device_id, self._emit = device_id, emit
        self._is_replaying = False
        self.record = self._write
        for event in kept:
            self._write_kept(event)

    def detach(self, facts: Iterable[StateEvent]) -> None:
        """Belong to no session any more, and keep *facts* for the next one."""
        self._forget()
        self.session_id, self._emit = "", None
        self.record = self._keep
        for event in facts:
            self._keep(event)

    def redefine(self, state: JobState) -> None:
        """Emit what is in force for a job now, if the journal has the job."""
        if self._emit is not None and state.job.id in self._defined:
            for event in self._definition(state):
                self._emit(event)

    def record_metadata(self, metadata: SessionMetaData) -> None:
        """Emit what changed in *metadata* since it was last recorded, if attached to a journal."""
        if self._emit is None:
            return
        now = metadata.encoded()
        if now == self._metadata:
            return
        recorded = _DEFAULTS | self._metadata
        in_force = _DEFAULTS | now
        changes = {name: data for name, data in in_force.items() if recorded[name] != data}
        self._metadata = now
        if "rejected_jobs" in changes:
            for job_id in metadata.rejected_jobs:
                if job_id in self._jobs and job_id not in self._defined:
                    self._define(job_id)  # reports name them, though they never run
        if changes:
            at = self._clock()
            self._emit(MetadataChanged(at=at, device=self._device_id, changes=changes))

    def _keep(self, event: StateEvent) -> None:
        kept = self._kept
        match event:
            case ResultRecorded() | JobStarted():
                self._tried.add(event.job_id)
                kept.append(event)
            case JobsSelected():
                # Of many selections, each as long as the run list, one is kept.
                selecting = (JobsSelected, JobsAppended)
                kept[:] = [other for other in kept if not isinstance(other, selecting)]
                kept.append(event)
            case JobRemoved():
                self._tried.discard(event.job_id)
                if event.job_id in self._jobs:
                    # Compaction decides by the definition what must stay of a removed job.
                    record = job_record(self._jobs[event.job_id])
                    kept.append(JobDefined(at=event.at, device=event.device, job=record))
                    kept.append(event)
            case JobsAppended() | ManifestAnswered() | OverridesChanged():
                kept.append(event)
            case JobDefined() | CategoryDefined() | MetadataChanged() | ProviderAdded():
                pass  # what holds when the state gets its journal is recorded then
            case _:
                assert_never(event)

    def _note(self, event: StateEvent) -> None:
        match event:
            case ResultRecorded() | JobStarted() | ManifestAnswered():
                pass
            case JobDefined():
                self._defined[event.job.id] = event.job
            case JobRemoved():
                self._defined.pop(event.job_id, None)
            case CategoryDefined():
                self._categories.add(event.id)
            case JobsSelected():
                self._selection = _shape(event)
            case JobsAppended():
                self._selection = None  # the next selection is recorded, whatever it is
            case MetadataChanged():
                self._metadata = {**self._metadata, **event.changes}
            case OverridesChanged() | ProviderAdded():
                pass
            case _:
                assert_never(event)

    def _write(self, event: StateEvent) -> None:  # noqa: C901, PLR0912 - a case for each kind
        assert self._emit is not None  # noqa: S101 - `attach` chose this method
        match event:
            case ResultRecorded():
                if event.job_id not in self._defined:
                    self._define(event.job_id)
                # The most frequent event; `_note` would note nothing of it.
                self._emit(event)
                return
            case JobStarted():
                if event.job_id not in self._defined:
                    self._define(event.job_id)
                if event.process is not None:
                    process = event.process.within(self.boot_id)
                    event = msgspec.structs.replace(event, process=process)
            case JobsSelected():
                if _shape(event) == self._selection:
                    return
                for job_id in event.run_list:
                    if job_id not in self._defined:
                        self._define(job_id)
            case JobsAppended():
                for job_id in event.job_ids:
                    if job_id not in self._defined:
                        self._define(job_id)
            case JobRemoved():
                if event.job_id not in self._defined:
                    return
            case JobDefined() | CategoryDefined() | MetadataChanged() | ManifestAnswered():
                pass
            case OverridesChanged() | ProviderAdded():
                pass
            case _:
                assert_never(event)
        self._note(event)
        self._emit(event)

    def _write_kept(self, event: StateEvent) -> None:
        # The context may have given the state another device since the events were kept.
        assert self._emit is not None  # noqa: S101 - `attach` set it
        match event:
            case ResultRecorded() | JobStarted() | JobsSelected() | ManifestAnswered():
                self._write(msgspec.structs.replace(event, device=self._device_id))
            case OverridesChanged():
                self._write(msgspec.structs.replace(event, device=self._device_id))
            case JobRemoved():
                self._defined.pop(event.job_id, None)
                self._emit(msgspec.structs.replace(event, device=self._device_id))
            case JobDefined() | CategoryDefined() | JobsAppended():
                raise AssertionError(f"{type(event).__name__} is made anew, and never kept")
            case MetadataChanged() | ProviderAdded():
                raise AssertionError(f"{type(event).__name__} is recorded by the context")
            case _:
                assert_never(event)

    def _define(self, job_id: str) -> None:
        state = self._jobs.get(job_id)
        if state is not None and self._emit is not None:
            for event in self._definition(state):
                self._emit(event)

    def _definition(self, state: JobState) -> Iterator[StateEvent]:
        """Yield what the journal lacks of a job and its category."""
        record = job_record(state)
        if self._defined.get(state.job.id) == record:
            return
        self._defined[state.job.id] = record
        category_id = record.category_id
        name = self._category_names.get(category_id, BUILTIN_CATEGORIES.get(category_id))
        if name is not None and category_id not in self._categories:
            self._categories.add(category_id)
            yield CategoryDefined(at=self._clock(), id=category_id, name=encodable(name))
        yield JobDefined(at=self._clock(), device=self._device_id, job=record)


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
        xfail=job.xfail,
        origin=encodable(job.where),
    )


def _shape(event: JobsSelected) -> Shape:
    return event.run_list, event.desired, event.mandatory


_DEFAULTS: Final = SessionMetaData.defaults()
