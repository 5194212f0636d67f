"""From the events of a stored session back to its states."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdall.errors import (
    CorruptSessionError,
    IncompatibleJobError,
    MissingFilesError,
    MissingJobError,
    StorageError,
)
from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    DeviceEvent,
    DeviceRemoved,
    JobRemoved,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    PlansChanged,
    ResultRecorded,
    WriterOpened,
    read_events,
)
from holdall.session.context import SessionDeviceContext
from holdall.session.metadata import SessionMetaData
from holdall.session.state import SessionState
from holdall.units import Device, TestPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.contracts import Storage
    from holdall.journal import AnyEvent
    from holdall.results import IOLogRecord, JobResult
    from holdall.session.job_state import JobState
    from holdall.units import Unit

    Units = Iterable[Unit] | Mapping[str, Iterable[Unit]]

IGNORE_CHECKSUMS: Final = "ignore-job-checksums"
"""The flag that goes on although definitions of jobs changed."""

CHECK_FILES: Final = "file-reference-checks"
"""The flag that refuses a session of which logs or attachments are gone."""


class Loaded(NamedTuple):
    """What `load_contexts` found.

    Attributes:
        changed: Jobs of which the journal knows another definition.
    """

    contexts: list[SessionDeviceContext]
    plans: tuple[TestPlan, ...]
    changed: list[tuple[SessionDeviceContext, JobState]]


def load_contexts(
    storage: Storage,
    events: Iterable[AnyEvent],
    units: Units,
    *,
    early_cb: Callable[[SessionState], SessionState | None] | None,
    flags: frozenset[str],
    read_io_log: Callable[[JobResult], Iterable[IOLogRecord]],
    clock: Callable[[], float],
) -> Loaded:
    """Return the contexts that *events* tell of, in the order their devices joined.

    Raises:
        IncompatibleJobError: Definitions changed; all of them are named.
        MissingJobError: Jobs or plans of the session are in no given unit list.
        MissingFilesError: Logs are gone, and a flag asks for them.
    """
    replay = _Replay(storage.id, units, early_cb, read_io_log, clock)
    for event in events:
        replay.apply(event)
    contexts = list(replay.contexts.values())
    changed = _changed_jobs(storage.id, contexts)
    if changed and IGNORE_CHECKSUMS not in flags:
        ids = dict.fromkeys(state.job.id for _context, state in changed)
        raise IncompatibleJobError(storage.id, list(ids))
    if CHECK_FILES in flags:
        _check_files(storage, contexts)
    for context in contexts:
        replay.restore_selection(context)
    plans = replay.plans()
    for context in contexts:
        context.restore_test_plans(plans)
    return Loaded(contexts, plans, changed)


def peek(storage: Storage, *, device_id: str | None = None) -> SessionMetaData:
    """Return the metadata of a stored session, which takes none of its units.

    Args:
        device_id: The device whose metadata it is; without it, that of the first.

    Raises:
        CorruptSessionError, NewerFormatError: The journal can't be read.
    """
    found: dict[str, SessionMetaData] = {}
    for event in read_events(storage):
        match event:
            case DeviceAdded():
                found[event.device] = SessionMetaData()
            case DeviceRemoved():
                found.pop(event.device, None)
            case MetadataChanged():
                metadata = found.setdefault(event.device, SessionMetaData())
                _apply_metadata(storage.id, metadata, event)
    wanted = next(iter(found), None) if device_id is None else device_id
    return SessionMetaData() if wanted is None else found.get(wanted, SessionMetaData())


def _apply_metadata(session_id: str, metadata: SessionMetaData, event: MetadataChanged) -> None:
    try:
        metadata.apply(event.changes)
    except (msgspec.MsgspecError, TypeError) as error:
        raise CorruptSessionError(session_id, "its metadata", str(error)) from error


def units_of(device_id: str, units: Units) -> Iterable[Unit]:
    """Return the units of one device; a plain list is for whichever device there is."""
    if isinstance(units, Mapping):
        return units.get(device_id, ())
    return units


class _Replay:
    """States that are brought forward event by event."""

    def __init__(
        self,
        session_id: str,
        units: Units,
        early_cb: Callable[[SessionState], SessionState | None] | None,
        read_io_log: Callable[[JobResult], Iterable[IOLogRecord]],
        clock: Callable[[], float],
    ) -> None:
        self._session_id: Final = session_id
        self.contexts: dict[str, SessionDeviceContext] = {}
        self.plan_ids: tuple[str, ...] = ()
        self._boot_id = ""
        self._selected: dict[str, JobsSelected] = {}
        self._units = units if isinstance(units, Mapping) else list(units)
        self._early_cb = early_cb
        self._read_io_log = read_io_log
        self._clock = clock

    def plans(self) -> tuple[TestPlan, ...]:
        """Return the plans in force, of the devices' units or of those that were given."""
        known: dict[str, TestPlan] = {}
        lists = self._units.values() if isinstance(self._units, Mapping) else (self._units,)
        states = (context.state.unit_list for context in self.contexts.values())
        for unit in chain.from_iterable(chain(states, lists)) if self.plan_ids else ():
            if isinstance(unit, TestPlan):
                known.setdefault(unit.id, unit)
        missing = [f"test plan {each}" for each in self.plan_ids if each not in known]
        if missing:
            raise MissingJobError(self._session_id, missing)
        return tuple(known[each] for each in self.plan_ids)

    def apply(self, event: AnyEvent) -> None:
        """Bring the states forward by one event."""
        match event:
            case WriterOpened():
                self._boot_id = event.boot_id
            case DeviceAdded():
                self.contexts[event.device] = self._context(event)
            case DeviceRemoved():
                self.contexts.pop(event.device, None)
                self._selected.pop(event.device, None)
            case PlansChanged():
                self.plan_ids = tuple(plan.id for plan in event.plans)
            case CategoryDefined():
                for context in self.contexts.values():
                    context.state.chronicle.learn(event)
            case DeviceEvent() if event.device in self.contexts:
                state = self.contexts[event.device].state
                state.chronicle.learn(event)
                self._apply_to(state, event)

    def _apply_to(self, state: SessionState, event: AnyEvent) -> None:
        match event:
            case JobsSelected():
                self._selected[state.device_id] = event
            case JobStarted() if event.job_id in state.job_state_map:
                process = event.process and event.process.resolved(self._boot_id)
                state.job_state_map[event.job_id].start(process)
            case ResultRecorded() if event.job_id in state.job_state_map:
                state.record(state.job_state_map[event.job_id], event.result)
            case JobRemoved() if event.job_id in state.job_state_map:
                state.forget_results(event.job_id)
            case ManifestAnswered():
                state.apply_manifest(event.answers)
            case MetadataChanged():
                _apply_metadata(self._session_id, state.metadata, event)

    def _context(self, event: DeviceAdded) -> SessionDeviceContext:
        units = units_of(event.device, self._units)
        state = SessionState(units, device_id=event.device, clock=self._clock)
        state = (self._early_cb and self._early_cb(state)) or state
        state.read_io_log = self._read_io_log
        device = Device(event.device, event.description, event.facts)
        return SessionDeviceContext(state, device=device)

    def restore_selection(self, context: SessionDeviceContext) -> None:
        """Make the stored run list the one in force, and leave out jobs nothing names."""
        state = context.state
        jobs = {job_id: each.job for job_id, each in state.job_state_map.items()}
        selected = self._selected.get(context.device.id)
        if selected is not None:
            desired = selected.run_list if selected.desired is None else selected.desired
            state.desired_job_list = [jobs[each] for each in desired if each in jobs]
            state.mandatory_job_list = [jobs[each] for each in selected.mandatory if each in jobs]
            state.select([jobs[each] for each in selected.run_list if each in jobs])
        if state.metadata.flags & _SELECTING:
            return
        known = {record.id for record in state.chronicle.known_jobs}
        known.update(job.id for job in (*state.desired_job_list, *state.mandatory_job_list))
        known.update(state.metadata.rejected_jobs)
        state.trim_job_list(lambda job: job.id in known)


_SELECTING: Final = frozenset({SessionMetaData.FLAG_BOOTSTRAPPING, "setting_up"})
"""Flags of a session that is still to select its jobs, and so needs all of them."""


def _changed_jobs(
    session_id: str, contexts: Iterable[SessionDeviceContext]
) -> list[tuple[SessionDeviceContext, JobState]]:
    missing: dict[str, None] = {}
    changed = []
    for context in contexts:
        for record in context.state.chronicle.known_jobs:
            state = context.state.job_state_map.get(record.id)
            if state is None:
                missing[record.id] = None
            elif state.job.checksum != record.checksum:
                changed.append((context, state))
    if missing:
        raise MissingJobError(session_id, list(missing))
    return changed


def _check_files(storage: Storage, contexts: Iterable[SessionDeviceContext]) -> None:
    missing: dict[str, None] = {}
    for context in contexts:
        for state in context.state.job_state_map.values():
            refs = (ref for result in state.result_history for ref in result.refs)
            if not all(_is_there(storage, ref) for ref in refs):
                missing[state.job.id] = None
    if missing:
        raise MissingFilesError(storage.id, list(missing))


def _is_there(storage: Storage, ref: str) -> bool:
    try:
        storage.open_blob(ref).close()
    except StorageError:
        return False
    return True
