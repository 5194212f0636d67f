"""From the events of a stored session back to its states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from holdall.errors import IncompatibleJobError, MissingJobError
from holdall.journal.events import (
    CategoryDefined,
    DeviceAdded,
    DeviceEvent,
    DeviceRemoved,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    PlansChanged,
    ResultRecorded,
    WriterOpened,
)
from holdall.session.context import Device, SessionDeviceContext
from holdall.session.state import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.journal.events import AnyEvent
    from holdall.results import IOLogRecord, JobResult
    from holdall.units import TestPlan, Unit

    Units = Iterable[Unit] | Mapping[str, Iterable[Unit]]

IGNORE_CHECKSUMS = "ignore-job-checksums"
"""The flag that goes on although definitions of jobs changed."""


class Loaded(NamedTuple):
    """What `load_contexts` found."""

    contexts: list[SessionDeviceContext]
    plans: tuple[TestPlan, ...]


def load_contexts(
    session_id: str,
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
    """
    replay = _Replay(units, early_cb, read_io_log, clock)
    for event in events:
        replay.apply(event)
    contexts = list(replay.contexts.values())
    _check_jobs(session_id, contexts, flags)
    for context in contexts:
        replay.restore_selection(context)
    plans: tuple[TestPlan, ...] = ()
    for context in contexts:
        plans = context.restore_test_plans(replay.plan_ids) or plans
    missing = set(replay.plan_ids) - {plan.id for plan in plans}
    if missing:
        raise MissingJobError(session_id, [f"test plan {each}" for each in sorted(missing)])
    return Loaded(contexts, plans)


def units_of(device_id: str, units: Units) -> Iterable[Unit]:
    """Return the units of one device; a plain list is for whichever device there is."""
    if isinstance(units, Mapping):
        return units.get(device_id, ())
    return units


class _Replay:
    """States that are brought forward event by event."""

    def __init__(
        self,
        units: Units,
        early_cb: Callable[[SessionState], SessionState | None] | None,
        read_io_log: Callable[[JobResult], Iterable[IOLogRecord]],
        clock: Callable[[], float],
    ) -> None:
        self.contexts: dict[str, SessionDeviceContext] = {}
        self.plan_ids: tuple[str, ...] = ()
        self._boot_id = ""
        self._selected: dict[str, JobsSelected] = {}
        self._units = units if isinstance(units, Mapping) else list(units)
        self._early_cb = early_cb
        self._read_io_log = read_io_log
        self._clock = clock

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
            case ManifestAnswered():
                state.apply_manifest(event.answers)
            case MetadataChanged():
                state.metadata.apply(event.changes)

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
        known = {record.id for record in state.chronicle.known_jobs}
        known.update(job.id for job in state.desired_job_list)
        state.trim_job_list(lambda job: job.id in known)


def _check_jobs(
    session_id: str, contexts: Iterable[SessionDeviceContext], flags: frozenset[str]
) -> None:
    missing: dict[str, None] = {}
    changed: dict[str, None] = {}
    for context in contexts:
        for record in context.state.chronicle.known_jobs:
            state = context.state.job_state_map.get(record.id)
            if state is None:
                missing[record.id] = None
            elif state.job.checksum != record.checksum:
                changed[record.id] = None
    if missing:
        raise MissingJobError(session_id, list(missing))
    if changed and IGNORE_CHECKSUMS not in flags:
        raise IncompatibleJobError(session_id, list(changed))
