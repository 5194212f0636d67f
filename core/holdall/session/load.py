"""Rebuild the states of a stored session from its events."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple, assert_never

import msgspec

from holdall.errors import (
    CorruptSessionError,
    IncompatibleJobError,
    MissingFilesError,
    MissingJobError,
    StorageError,
    UnknownUnitError,
)
from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    DeviceRemoved,
    JobDefined,
    JobRemoved,
    JobsAppended,
    JobsSelected,
    JobStarted,
    ManifestAnswered,
    MetadataChanged,
    OverridesChanged,
    PlansChanged,
    PluginUsed,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    SessionSummarised,
    Snapshot,
    WriterOpened,
    extended,
    read_events,
)
from holdall.session.context import SessionDeviceContext
from holdall.session.metadata import SessionMetaData
from holdall.session.state import SessionState
from holdall.units import Device, TestPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdall.contracts import Storage
    from holdall.journal import AnyEvent, StateEvent
    from holdall.results import IOLogRecord, JobResult
    from holdall.session.job_state import JobState
    from holdall.units import Unit

    Units = Iterable[Unit] | Mapping[str, Iterable[Unit]]

IGNORE_CHECKSUMS: Final = "ignore-job-checksums"
"""The flag that goes on although definitions of jobs changed."""

CHECK_FILES: Final = "file-reference-checks"
"""The flag that refuses a session of which logs or attachments are gone."""


ALL_CHANGED: Final = "*"
"""What stands for all changed jobs without a choice of their own."""

CHOICES: Final = ("keep", "rerun", "skip")
"""What can become of a job whose definition changed: its results stand, it runs again, or it
is left out."""


class ChangedJob(NamedTuple):
    """A job of which the journal knows another definition.

    Attributes:
        choice: One of `CHOICES`; empty for a job that never ran, and so runs as it is now.
    """

    context: SessionDeviceContext
    state: JobState
    choice: str = ""


class Loaded(NamedTuple):
    """The result of `load_contexts`."""

    contexts: list[SessionDeviceContext]
    plans: tuple[TestPlan, ...]
    changed: list[ChangedJob]


def load_contexts(
    storage: Storage,
    events: Iterable[AnyEvent],
    units: Units,
    *,
    early_cb: Callable[[SessionState], SessionState | None] | None,
    flags: frozenset[str],
    choices: Mapping[str, str],
    read_io_log: Callable[[JobResult], Iterable[IOLogRecord]],
    clock: Callable[[], float],
) -> Loaded:
    """Return the contexts that *events* describe, in the order their devices joined.

    Raises:
        IncompatibleJobError: Definitions of jobs that ran changed, and nothing was chosen
            for them; all of them are named.
        UnknownUnitError: Something was chosen for a job that did not change.
        MissingJobError: Jobs or plans of the session are in no given unit list.
        MissingFilesError: Logs are gone, and a flag asks for them.
    """
    replay = _Replay(storage.id, units, early_cb, read_io_log, clock)
    for event in events:
        replay.apply(event)
    contexts = list(replay.contexts.values())
    if IGNORE_CHECKSUMS in flags:
        choices = {ALL_CHANGED: "keep", **choices}
    changed = _decided(storage.id, _changed_jobs(storage.id, contexts), choices)
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
    devices: dict[str, SessionMetaData] = {}
    for event in read_events(storage):
        if isinstance(event, DeviceAdded):
            devices.setdefault(event.device, SessionMetaData())
        elif isinstance(event, DeviceRemoved):
            devices.pop(event.device, None)
        elif isinstance(event, MetadataChanged):
            metadata = devices.setdefault(event.device, SessionMetaData())
            _apply_metadata(storage.id, metadata, event)
    wanted = next(iter(devices), None) if device_id is None else device_id
    return SessionMetaData() if wanted is None else devices.get(wanted, SessionMetaData())


def _apply_metadata(session_id: str, metadata: SessionMetaData, event: MetadataChanged) -> None:
    try:
        metadata.apply(event.changes)
    except (msgspec.MsgspecError, TypeError) as error:
        raise CorruptSessionError(session_id, "its metadata", str(error)) from error


def units_of(device_id: str, units: Units) -> Iterable[Unit]:
    """Return the units of one device; a plain list applies to every device."""
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
        self._appended: dict[str, list[str]] = {}
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
        missing = [f"test plan {plan_id}" for plan_id in self.plan_ids if plan_id not in known]
        if missing:
            raise MissingJobError(self._session_id, missing)
        return tuple(known[plan_id] for plan_id in self.plan_ids)

    def apply(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - a case for each kind
        """Bring the states forward by one event."""
        match event:
            case JobStarted():
                if event.process is not None:
                    process = event.process.resolved(self._boot_id)
                    event = msgspec.structs.replace(event, process=process)
                self._apply_to(event.device, event)
            case ResultRecorded() | JobDefined() | ManifestAnswered() | OverridesChanged():
                self._apply_to(event.device, event)
            case JobRemoved() | MetadataChanged() | ProviderAdded():
                self._apply_to(event.device, event)
            case JobsSelected():
                # A snapshot may hold it before the results whose records make its jobs.
                self._selected[event.device] = event
                self._appended.pop(event.device, None)
            case JobsAppended():
                nothing = JobsSelected(at=event.at, device=event.device, run_list=())
                self._selected.setdefault(event.device, nothing)
                self._appended.setdefault(event.device, []).extend(event.job_ids)
            case CategoryDefined():
                for device_id in self.contexts:
                    self._apply_to(device_id, event)
            case WriterOpened():
                self._boot_id = event.boot_id
            case DeviceAdded():
                self._add_device(event)
            case DeviceRemoved():
                self.contexts.pop(event.device, None)
                self._selected.pop(event.device, None)
                self._appended.pop(event.device, None)
            case PlansChanged():
                self.plan_ids = tuple(plan.id for plan in event.plans)
            case SessionCreated() | PluginUsed() | SessionSummarised():
                pass  # what reports show of the session
            case Snapshot():
                raise ValueError("a snapshot can't be applied; unpack it first")
            case _:
                assert_never(event)

    def _apply_to(self, device_id: str, event: StateEvent) -> None:
        context = self.contexts.get(device_id)
        if context is None:
            return
        try:
            context.state.apply(event)
        except (msgspec.MsgspecError, TypeError) as error:
            if not isinstance(event, MetadataChanged):
                raise
            raise CorruptSessionError(self._session_id, "its metadata", str(error)) from error

    def _add_device(self, event: DeviceAdded) -> None:
        """Add a device; one that is there already got another description."""
        known = self.contexts.get(event.device)
        if known is None:
            self.contexts[event.device] = self._context(event)
        else:
            known.device = _device(event)

    def _context(self, event: DeviceAdded) -> SessionDeviceContext:
        units = units_of(event.device, self._units)
        state = SessionState(units, device_id=event.device, clock=self._clock)
        state = (self._early_cb and self._early_cb(state)) or state
        context = SessionDeviceContext(state, device=_device(event), clock=self._clock)
        state.read_io_log = self._read_io_log
        state.recorder.replay(self._session_id)
        return context

    def restore_selection(self, context: SessionDeviceContext) -> None:
        """Make the stored run list the one in force, and leave out jobs nothing names."""
        state = context.state
        selected = self._selected.get(context.device.id)
        if selected is not None:
            state.apply(extended(selected, self._appended.get(context.device.id, ())))
        if state.metadata.flags & _SELECTING:
            return
        known = {record.id for record in state.recorder.defined_jobs}
        known.update(job.id for job in (*state.desired_job_list, *state.mandatory_job_list))
        known.update(state.metadata.rejected_jobs)
        state.trim_job_list(lambda job: job.id in known)


def _device(event: DeviceAdded) -> Device:
    return Device(event.device, event.description, event.facts, event.runner)


_SELECTING: Final = frozenset({SessionMetaData.FLAG_BOOTSTRAPPING, "setting_up"})
"""Flags of a session that is still to select its jobs, and so needs all of them."""


def _changed_jobs(session_id: str, contexts: Iterable[SessionDeviceContext]) -> list[ChangedJob]:
    missing: dict[str, None] = {}
    changed = []
    for context in contexts:
        for record in context.state.recorder.defined_jobs:
            state = context.state.job_state_map.get(record.id)
            if not record.checksum:
                continue  # a recorder's job: no provider ever defined it
            if state is None:
                missing[record.id] = None
            elif state.job.checksum != record.checksum:
                changed.append(ChangedJob(context, state))
    if missing:
        raise MissingJobError(session_id, list(missing))
    return changed


def _decided(
    session_id: str, changed: Sequence[ChangedJob], choices: Mapping[str, str]
) -> list[ChangedJob]:
    """Return *changed* with what was chosen for each."""
    for choice in choices.values():
        if choice not in CHOICES:
            raise ValueError(f"a changed job can be {', '.join(CHOICES)}, and not {choice!r}")
    decided: list[ChangedJob] = []
    undecided: dict[str, None] = {}
    known = {name for change in changed for name in _names(change)} | {ALL_CHANGED}
    for name in choices:
        if name not in known:
            ids = [change.state.job.id for change in changed]
            raise UnknownUnitError(name, "job with another definition", ids)
    for change in changed:
        names = (name for name in (*_names(change), ALL_CHANGED) if name in choices)
        choice = choices.get(next(names, ""), "")
        ran = change.state.in_flight or change.state.result_history
        if ran and not choice:
            undecided[change.state.job.id] = None
        decided.append(change._replace(choice=choice if ran or choice == "skip" else ""))
    if undecided:
        raise IncompatibleJobError(session_id, list(undecided))
    return decided


def _names(change: ChangedJob) -> tuple[str, str]:
    return change.state.job.id, change.state.job.partial_id


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
