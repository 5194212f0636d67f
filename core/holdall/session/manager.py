"""SessionManager: couples device contexts with a storage."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from holdall.errors import DeviceExistsError, masked_url
from holdall.hooks import Hooks, load_hooks, plugin_used
from holdall.journal import (
    DeviceAdded,
    DeviceRemoved,
    Journal,
    PlansChanged,
    ResultRecorded,
    SessionCreated,
    now,
    read_events,
    unpack_records,
    writer_opened,
)
from holdall.processes import this_process
from holdall.providers import installed_providers
from holdall.redaction import check_rules, masked_event, masker_of, rules_record
from holdall.registry import Registry
from holdall.results import JobResult, Outcome, encodable
from holdall.session.attachments import store_attachment
from holdall.session.capture import OpenLogs
from holdall.session.context import SessionDeviceContext
from holdall.session.creating import PREFIX, create_storage
from holdall.session.exporters import ExporterMap, exporter_units
from holdall.session.folders import remove_share
from holdall.session.load import load_contexts, units_of
from holdall.session.plans import check_plans, plan_records
from holdall.session.state import SessionState
from holdall.stores import default_url, file_url, open_repository
from holdall.units import LOCAL, Device, Provider
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from holdall.contracts import Level, Repository, Storage
    from holdall.exports import BoundExporter, Units
    from holdall.journal import AnyEvent
    from holdall.redaction import RedactionRules
    from holdall.results import Attachment, IOLogRecord
    from holdall.session.capture import LogCapture
    from holdall.session.load import ChangedJob, Loaded
    from holdall.units import Job, TestPlan, Unit


class SessionManager:
    """A session that is alive: contexts of devices, and the storage that keeps it.

    What changes is an event; `checkpoint` makes all events since the last one
    durable. A manager belongs to one thread. Leaving it as a context manager
    closes the storage, and neither checkpoints nor destroys.

    Attributes:
        hooks: Its listeners; `hooks.register(listener)` adds one.
    """

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        *,
        registry: Registry | None = None,
        clock: Callable[[], float] = now,
        redact: RedactionRules | None = None,
    ) -> None:
        self._storage: Final = storage
        self._journal: Final = journal
        self._masker: Final = masker_of(redact)
        self._rules: Final = rules_record(redact)
        self._logs: Final = OpenLogs(journal.storage, self._masker)
        self._registry = registry
        self._clock: Final = clock
        self._contexts: Final[list[SessionDeviceContext]] = []
        self._test_plans: tuple[TestPlan, ...] = ()
        self._pending: Final[list[AnyEvent]] = []  # contexts append to this very list
        self._exporters: ExporterMap | None = None
        self._boot_id = ""
        self._changed: Final[list[ChangedJob]] = []
        self.hooks: Final = Hooks()

    @classmethod
    def create(
        cls,
        repo: Repository | str | os.PathLike[str] | None = None,
        prefix: str = PREFIX,
        *,
        title: str = "",
        registry: Registry | None = None,
        clock: Callable[[], float] = now,
        redact: RedactionRules | None = None,
    ) -> Self:
        """Return the manager of a new session without devices.

        Args:
            repo: A repository, its URL, or a path object, the folder of a `file` store; without
                one the store in the user's data folder.
            prefix: What the new session's id begins with.
            title: What people call the session.
            redact: What to mask before anything is stored.
        """
        if repo is None or isinstance(repo, str | os.PathLike):
            repo = open_repository(repo or default_url(), registry=registry)
        storage = create_storage(repo, prefix, clock)
        return cls._begun(storage, title, registry, clock, redact)

    @classmethod
    def _begun(
        cls,
        storage: Storage,
        title: str,
        registry: Registry | None,
        clock: Callable[[], float],
        redact: RedactionRules | None,
    ) -> Self:
        journal = Journal.begin(storage)
        manager = cls(storage, journal, registry=registry, clock=clock, redact=redact)
        created = SessionCreated(at=clock(), session_id=storage.id, title=encodable(title))
        manager._pending.append(created)
        manager._open_writer()
        manager._load_hooks("session_created")
        return manager

    @classmethod
    def create_with_state(
        cls,
        state: SessionState,
        repo: Repository | str | os.PathLike[str] | None = None,
        **more: Any,
    ) -> Self:
        """Return the manager of a new session whose one device has *state*."""
        context = SessionDeviceContext(state)  # what is wrong with it leaves no session behind
        manager = cls.create(repo, **more)
        manager.add_device_context(context)
        return manager

    @classmethod
    def create_with_unit_list(
        cls,
        unit_list: Iterable[Unit] | None = None,
        repo: Repository | str | os.PathLike[str] | None = None,
        **more: Any,
    ) -> Self:
        """Return the manager of a new session whose one device has these units."""
        return cls.create_with_state(SessionState(unit_list or ()), repo, **more)

    @classmethod
    def load_session(
        cls,
        unit_list: Iterable[Unit] | Mapping[str, Iterable[Unit]],
        storage: Storage,
        early_cb: Callable[[SessionState], SessionState | None] | None = None,
        flags: Iterable[str] | None = None,
        *,
        changed: Mapping[str, str] = MappingProxyType({}),
        registry: Registry | None = None,
        clock: Callable[[], float] = now,
        redact: RedactionRules | None = None,
    ) -> Self:
        """Return the manager of a stored session, everything as it was.

        A session that was never checkpointed comes back fresh, with one device.

        Args:
            unit_list: The units of its one device, or those of each device by id.
            early_cb: Sees each state before results return, and may give another in its place.
            flags: `ignore-job-checksums` keeps the results of all jobs whose definitions
                changed; `file-reference-checks` refuses a session of which logs are gone.
            changed: What becomes of jobs that ran with another definition, by id, or by `*`
                for all others: `keep` their results, `rerun` or `skip` them.
            redact: What to mask of what is stored from now on.

        Raises:
            RulesMissingError: The session was masked by rules that are not in *redact*.
            IncompatibleJobError: Definitions of jobs that ran changed, and nothing was chosen
                for them; all of them are named.
            UnknownUnitError: Something was chosen for a job that did not change.
            ValueError: Something else than these three was chosen.
            MissingJobError: Jobs of the session are in no given unit list.
            MissingFilesError: Logs are gone, and a flag asks for them.
            CorruptSessionError, NewerFormatError: The journal can't be read.
        """
        journal, events = Journal.resume(storage)
        if not events:
            manager = cls._begun(storage, "", registry, clock, redact)
            units = units_of(LOCAL, unit_list)
            manager.add_device_context(SessionDeviceContext(SessionState(units, clock=clock)))
            return manager
        check_rules(storage.id, events, redact)
        manager = cls(storage, journal, registry=registry, clock=clock, redact=redact)
        loaded = load_contexts(
            storage,
            events,
            unit_list,
            early_cb=early_cb,
            flags=frozenset(flags or ()),
            choices=changed,
            read_io_log=manager._read_io_log,
            clock=clock,
        )
        manager._adopt(loaded)
        manager.settle_changed()
        return manager

    def _adopt(self, loaded: Loaded) -> None:
        self._open_writer()
        for context in loaded.contexts:
            self._contexts.append(context)
            self._attach(context)
        self._test_plans = loaded.plans
        for change in loaded.changed:
            change.context.state.recorder.redefine(change.state)
        self._load_hooks("session_loaded")
        self._changed.extend(loaded.changed)

    def settle_changed(self) -> None:
        """Do what was chosen for jobs with another definition; those in flight wait for a result.

        Nothing that is recorded is lost: results stay in the history of their job.
        """
        settled = [change for change in self._changed if not change.state.in_flight]
        self._changed[:] = [change for change in self._changed if change.state.in_flight]
        for context, state, choice in settled:
            if choice == "rerun" and state.was_tried:
                context.state.update_job_result(state.job, JobResult())
            elif choice == "skip":
                result = JobResult(outcome=Outcome.SKIP, skip_reason=_LEFT_OUT)
                context.state.update_job_result(state.job, result)
        anew = [state.job.id for _context, state, choice in settled if not choice]
        if anew:
            _LOG.warning(
                "jobs that have not run yet are defined anew, and run as they are now: %s",
                ", ".join(anew),
            )

    @classmethod
    def get_throwaway_manager(
        cls,
        provider_list: Iterable[Provider] | None = None,
        *,
        registry: Registry | None = None,
    ) -> AbstractContextManager[SessionManager]:
        """Return a context manager that gives a manager whose session is removed afterwards.

        It has a local device with the given providers, or with all installed ones.
        """
        return throwaway_manager(cls, provider_list, registry)

    @property
    def storage(self) -> Storage:
        """The session's place in its repository."""
        return self._storage

    @property
    def device_context_list(self) -> list[SessionDeviceContext]:
        """The contexts, in the order they were added."""
        return list(self._contexts)

    @property
    def default_device_context(self) -> SessionDeviceContext | None:
        """The first context, None without any."""
        return self._contexts[0] if self._contexts else None

    @property
    def state(self) -> SessionState | None:
        """The state of the first context, None without any."""
        return self._contexts[0].state if self._contexts else None

    @property
    def test_plans(self) -> tuple[TestPlan, ...]:
        """The test plans in force on every device."""
        return self._test_plans

    @test_plans.setter
    def test_plans(self, plans: tuple[TestPlan, ...]) -> None:
        check_plans(plans)
        if plans == self._test_plans:
            return
        old, self._test_plans = self._test_plans, plans
        self._pending.append(PlansChanged(at=self._clock(), plans=plan_records(plans)))
        for context in self._contexts:
            context.set_test_plan_list(plans)
        self._notify("test_plans_changed", old=old, new=plans)

    @property
    def registry(self) -> Registry:
        """The plugins that this manager finds exporters in."""
        if self._registry is None:
            self._registry = Registry.discover()
        return self._registry

    def add_device_context(self, context: SessionDeviceContext) -> SessionDeviceContext:
        """Return *context*, which takes part in the session from now on.

        Raises:
            DeviceExistsError: A context for that device is there already.
            ValueError: *context* or its state belongs to another session.
        """
        if not isinstance(context, SessionDeviceContext):
            raise TypeError(f"a context must be a SessionDeviceContext, not {context!r}")
        if any(context.device.id == known.device.id for known in self._contexts):
            raise DeviceExistsError(self._storage.id, context.device.id)
        context.state.recorder.claim(self._storage.id)
        device = context.device
        self._pending.append(
            DeviceAdded(
                at=self._clock(),
                device=device.id,
                description=encodable(device.description),
                facts={encodable(k): encodable(v) for k, v in device.facts.items()},
                runner=masked_url(encodable(device.runner)),
            )
        )
        self._contexts.append(context)
        self._attach(context)
        self._notify("device_context_added", context=context)
        context.set_test_plan_list(self._test_plans)
        return context

    def add_local_device_context(self) -> SessionDeviceContext:
        """Return a new context for the machine that runs holdall."""
        return self.add_device_context(SessionDeviceContext(device=Device(), clock=self._clock))

    def remove_device_context(self, context: SessionDeviceContext) -> None:
        """Remove a device from the session, with its jobs and results.

        Raises:
            ValueError: It is not in the session.
        """
        if context not in self._contexts:
            raise ValueError(f"the session has no such context for device {context!r}")
        self._contexts.remove(context)
        context.detach()
        self._pending.append(DeviceRemoved(at=self._clock(), device=context.device.id))
        self._notify("device_context_removed", context=context)

    def _attach(self, context: SessionDeviceContext) -> None:
        notify = partial(self._notify, context=context)
        context.attach(
            self._boot_id,
            self._pending.append,
            notify,
            self._read_io_log,
            lambda: self._test_plans,
        )

    def _notify(self, hook: str, **facts: Any) -> None:
        self.hooks.notify(hook, manager=self, **facts)

    def _load_hooks(self, hook: str) -> None:
        """Load what is installed, and notify all listeners that the session is there."""
        for candidate in load_hooks(self.hooks, self.registry):
            self.note_plugin("hooks", candidate.id)
        self._notify(hook)

    def note_plugin(self, kind: str, name: str) -> None:
        """Put into the journal that a plugin takes part in writing the session."""
        self._pending.append(plugin_used(self.registry.resolve(kind, name), at=self._clock()))

    def _open_writer(self) -> None:
        self._boot_id = this_process().boot_id
        self._pending.append(
            writer_opened(at=self._clock(), boot_id=self._boot_id, rules=self._rules)
        )

    def _read_io_log(self, result: JobResult) -> Iterator[IOLogRecord]:
        if result.io_log_ref is None:
            yield from result.io_log
            return
        with self._storage.open_blob(result.io_log_ref) as log:
            yield from unpack_records(log, name=result.io_log_ref)

    def open_log(self, job: Job, context: SessionDeviceContext | None = None) -> LogCapture:
        """Return the log of the next attempt at *job*, to write to while it runs.

        No more than 64 KiB of it are held in memory. `finish` gives the fields that the
        attempt's `JobResult` has of it::

            log = manager.open_log(job)
            log.write("stdout", data)
            state.update_job_result(job, JobResult(outcome="pass", **log.finish()))

        Args:
            context: That of the device which runs the job; the default one if not said.
        """
        context = context or self.default_device_context
        if context is None:
            raise ValueError(f"cannot open a log of {job.id!r}: the session has no device yet")
        attempt = context.state.job_state_map[job.id].next_attempt
        # Expressions are about the records of a resource, so those are masked when stored.
        needs_secrets = job.plugin == "resource"
        return self._logs.open(context.device.id, job.id, attempt, needs_secrets=needs_secrets)

    def keep_attachment(self, name: str, media_type: str, pieces: Iterator[bytes]) -> Attachment:
        """Return a file that a job left as its `JobResult` holds it; large ones are stored.

        Args:
            media_type: What it is; empty to tell by the name.
        """
        return store_attachment(
            self._storage, name, pieces, media_type=media_type, masker=self._masker
        )

    def masked_text(self, text: str) -> str:
        """Return a text that jobs or people wrote as it is stored: for who has to cut it."""
        return text if self._masker is None else self._masker.text(text)

    def forget_log(self, job: Job, context: SessionDeviceContext) -> None:
        """Drop what an attempt at *job* wrote that is made anew."""
        attempt = context.state.job_state_map[job.id].next_attempt
        self._logs.forget(context.device.id, job.id, attempt)

    def recover_log(self, job: Job, context: SessionDeviceContext) -> dict[str, Any]:
        """Return the fields of a `JobResult` for what an interrupted attempt at *job* wrote."""
        attempt = context.state.job_state_map[job.id].next_attempt
        return self._logs.recover(context.device.id, job.id, attempt)

    def checkpoint(self, *, level: Level = "system") -> None:
        """Store everything that changed since the last checkpoint; durable on return.

        Its cost depends on what changed, not on the size of the session.

        Args:
            level: With `process` it survives the end of this process on return, and a
                power cut a second later.

        Raises:
            StorageError: Nothing of this checkpoint was stored, or that is unclear;
                what was stored before is whole, and the changes are kept for another try.
        """
        for context in self._contexts:
            context.state.record_metadata()
        if self._pending:
            self._journal.append(self._masked_pending(), level=level)
            stored = tuple(self._pending)
            self._pending.clear()
            self._logs.release(stored)
            self._notify("checkpoint_saved", event_count=len(stored))
            self._notify_of_results(stored)

    def _masked_pending(self) -> tuple[AnyEvent, ...]:
        masker = self._masker
        if masker is None:
            return tuple(self._pending)
        return tuple(masked_event(event, masker) for event in self._pending)

    def _notify_of_results(self, stored: Iterable[AnyEvent]) -> None:
        contexts = {context.device.id: context for context in self._contexts}
        for event in stored:
            if isinstance(event, ResultRecorded) and not event.result.is_hollow:
                context = contexts.get(event.device)
                state = context and context.state.job_state_map.get(event.job_id)
                if state:  # neither the device nor the job was removed meanwhile
                    self._notify(
                        "result_stored", context=context, job=state.job, result=event.result
                    )

    def compact_if_long(self) -> None:
        """Let one entry stand for the whole journal, if so much was appended that it pays.

        It bounds what loading the session reads, and is no part of `checkpoint`.
        """
        if self._journal.is_long:
            self._journal.compact(at=self._clock())

    def view(self) -> SessionView:
        """Return the session as it is now, what is not stored yet included."""
        for context in self._contexts:
            context.state.record_metadata()
        pending = self._masked_pending()
        stored = read_events(self._storage) if self._journal.head else iter(())
        return SessionView(
            (event for part in (stored, pending) for event in part),
            open_blob=self._storage.open_blob,
            unsaved=len(pending),
            is_live=True,
        )

    @property
    def exporter_map(self) -> ExporterMap:
        """The exporters, by id and alias, and exporter units; listing them imports nothing."""
        if self._exporters is None:
            self._exporters = ExporterMap(self.registry, lambda: self.exporter_units)
        return self._exporters

    @property
    def exporter_units(self) -> Units:
        """The exporter units of the loaded providers, by id."""
        return exporter_units(self._contexts)

    def create_exporter(
        self,
        exporter_id: str,
        option_list: Iterable[str] = (),
        strict: bool = True,  # noqa: FBT001, FBT002 - plainbox's signature
    ) -> BoundExporter:
        """Return an exporter bound to this session; its `export_to` writes a report.

        Raises:
            UnknownPluginError: No exporter has that id or alias; it is a LookupError.
            UnknownOptionError: With *strict*, an option that the exporter does not have.
        """
        from holdall.exports import BoundExporter

        return BoundExporter(
            self, exporter_id, options=option_list, strict=strict, registry=self.registry
        )

    def destroy(self) -> None:
        """Remove the session from its repository for good."""
        repository = self._storage.repository
        for context in self._contexts:
            context.detach()
        self._storage.close()
        repository.remove(self._storage.id)
        remove_share(repository, self._storage.id)
        self.hooks.notify("session_destroyed", session_id=self._storage.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the storage; calling it again does nothing, and nothing is checkpointed."""
        self.hooks.report_repeated()
        self._journal.close()


_LOG: Final = logging.getLogger(__name__)
_LEFT_OUT: Final = "its definition changed since the session was stored, and it was left out"


@contextmanager
def throwaway_manager(
    kind: type[SessionManager],
    provider_list: Iterable[Provider] | None,
    registry: Registry | None,
) -> Iterator[SessionManager]:
    """Give a manager of *kind* whose session is removed afterwards, whatever happens.

    It has a local device with the given providers, or with all installed ones.
    """
    registry = Registry.given(registry)
    if provider_list is None:
        installed = installed_providers(registry)
        provider_list = [provider for provider in installed if isinstance(provider, Provider)]
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="holdall-throwaway-"))
        repository = open_repository(file_url(folder), registry=registry)
        manager = kind.create(repository, registry=registry)
        stack.enter_context(manager)
        context = manager.add_local_device_context()
        for provider in provider_list:
            context.add_provider(provider)
        yield manager
