"""Recorder: devices, jobs and attempts of any program into a session."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import msgspec

from holdall.errors import RecordingError
from holdall.hooks import plugin_used
from holdall.journal import (
    INLINE,
    CategoryDefined,
    DeviceAdded,
    DeviceRemoved,
    JobDefined,
    JobRecord,
    JobsAppended,
    JobStarted,
    Journal,
    MetadataChanged,
    PlanRecord,
    PlansChanged,
    ResultRecorded,
    SessionCreated,
    now,
    with_blobs,
    writer_opened,
)
from holdall.processes import this_process
from holdall.recording.attempt import (
    Attempt,
    checked_name,
    checked_text,
    finished_outcome,
    kept_attachment,
)
from holdall.recording.contents import Contents, weight_of
from holdall.redaction import check_rules, masked_event, masker_of, rules_record
from holdall.registry import Registry
from holdall.results import IOLogRecord, JobResult, seconds
from holdall.session import PREFIX, OpenLogs, create_storage, log_name, recover
from holdall.stores import default_url, open_repository
from holdall.units import LOCAL, PLUGINS, UNCATEGORISED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import TracebackType

    from holdall.contracts import Level, Repository, Storage
    from holdall.journal import AnyEvent
    from holdall.recording.attempt import Content, Output
    from holdall.redaction import RedactionRules
    from holdall.results import Attachment, Measurement, Outcome, Subtest

_STATUSES: Final = frozenset({"non-blocker", "blocker"})

MOST_PENDING: Final = 1000
"""Events that wait for a checkpoint at most; then they are stored without being asked for."""

MOST_WAITING: Final = 2**20
"""Characters of texts and bytes of output that wait for a checkpoint at most, more or less."""


class Recorder:
    """Records devices, jobs and attempts in a session, new or stored.

    What is recorded is durable once `checkpoint` returned, and may be earlier.
    A program that dies leaves a session that can be listed, exported and
    appended to. A recorder belongs to one thread; attempts may overlap.

        with Recorder.create("file:///var/lib/lab", title="Nightly") as recorder:
            recorder.record("suite::boots", outcome="pass", duration=2.5)
    """

    def __init__(
        self,
        storage: Storage,
        *,
        device: str = LOCAL,
        clock: Callable[[], float] = now,
        redact: RedactionRules | None = None,
    ) -> None:
        """Append to the session that *storage* was opened for, new or not.

        Attempts that an earlier recorder left unfinished get their result, `crash`.

        Args:
            device: The device of jobs that are recorded without one.

        Raises:
            CorruptSessionError, NewerFormatError: The journal can't be read.
        """
        self._storage: Final = storage
        self._device: Final = checked_name(device, "a device's id")
        self._clock: Final = clock
        self._contents: Final = Contents()
        self._pending: Final[list[AnyEvent]] = []
        self._appended: Final[dict[str, list[str]]] = {}
        self._masker: Final = masker_of(redact)
        self._rules: Final = rules_record(redact)
        self._logs: Final = OpenLogs(storage, self._masker)
        self._waiting = 0
        self._left_out: Final[Counter[str]] = Counter()
        self._title = self._suggested = ""
        self._is_closed = False
        self._journal, events = Journal.resume(storage)
        check_rules(storage.id, events, redact)
        self._is_new = not events
        for event in events:
            self._contents.apply(event)
        if not self._is_new:
            self._title = self._contents.title
            self._open_writer()
        unfinished = self._contents.unfinished()
        for started in unfinished:
            self._settle(started)
        if unfinished:
            self.checkpoint()

    @classmethod
    def create(
        cls,
        repository: Repository | str | os.PathLike[str] | None = None,
        *,
        title: str = "",
        prefix: str = PREFIX,
        device: str = LOCAL,
        registry: Registry | None = None,
        clock: Callable[[], float] = now,
        redact: RedactionRules | None = None,
    ) -> Self:
        """Return the recorder of a new session.

        Args:
            repository: A repository or its URL; without one the store in the user's data folder.
            title: What people call the session.
            prefix: What the new session's id begins with.
            device: The device of jobs that are recorded without one.
            redact: What to mask before anything is stored.
        """
        title = checked_text(title, "a title")
        checked_name(device, "a device's id")
        storage = create_storage(opened_repository(repository, registry), prefix, clock)
        recorder = cls(storage, device=device, clock=clock, redact=redact)
        recorder._begin(title)
        return recorder

    @classmethod
    def append(
        cls,
        repository: Repository | str | os.PathLike[str] | None,
        session_id: str,
        *,
        device: str = LOCAL,
        registry: Registry | None = None,
        clock: Callable[[], float] = now,
        redact: RedactionRules | None = None,
    ) -> Self:
        """Return a recorder that goes on with a stored session.

        Args:
            device: The device of jobs that are recorded without one.
            redact: What to mask of what is stored from now on.

        Raises:
            UnknownSessionError: There is no such session.
            LockedStorageError: Another program writes it.
            RulesMissingError: The session was masked by rules that are not in *redact*.
        """
        storage = opened_repository(repository, registry).open(session_id)
        try:
            return cls(storage, device=device, clock=clock, redact=redact)
        except BaseException:
            storage.close()
            raise

    @property
    def session_id(self) -> str:
        """Id of the session."""
        return self._storage.id

    @property
    def device_id(self) -> str:
        """Id of the device of jobs that are recorded without one."""
        return self._device

    @property
    def job_count(self) -> int:
        """How many jobs the session has, those of earlier recorders too."""
        return self._contents.job_count

    @property
    def result_count(self) -> int:
        """How many results were recorded, also by earlier recorders and of removed devices."""
        return self._contents.result_count

    @property
    def left_out(self) -> Mapping[str, int]:
        """What `leave_out` was told, and how often."""
        return self._left_out

    @property
    def storage(self) -> Storage:
        """The session's storage; it is closed with the recorder."""
        return self._storage

    def device(
        self, device_id: str, *, description: str = "", facts: Mapping[str, str] | None = None
    ) -> None:
        """Record a device, or its new description and facts.

        A device that is named without having been recorded takes part without them.
        """
        self._begin()
        device_id = checked_name(device_id, "a device's id")
        if self._masker is not None:
            device_id = self._masker.exact.identifier("device", device_id)
        known = self._contents.devices.get(device_id)
        event = DeviceAdded(
            at=self._clock(),
            device=device_id,
            runner=known.runner if known else LOCAL,
            description=checked_text(description, "a device's description"),
            facts={
                checked_name(key, "the name of a fact"): checked_text(value, f"the fact {key!r}")
                for key, value in (facts or {}).items()
            },
        )
        if known is None or msgspec.structs.replace(known, at=event.at) != event:
            self._emit(event)

    def job(
        self,
        job_id: str,
        *,
        device: str | None = None,
        summary: str = "",
        description: str = "",
        category: str = "",
        plugin: str = "shell",
        certification_status: str = "non-blocker",
        estimated_duration: float | None = None,
        xfail: bool = False,
        origin: str = "",
        category_id: str = "",
        template_id: str = "",
        checksum: str = "",
    ) -> None:
        """Record what reports show of a job, before or after attempts at it.

        Jobs are shown in the order in which they are recorded. One that is
        recorded and never tried is shown as not started.

        Args:
            summary: One line.
            category: The heading under which reports show it.
            plugin: How the job is done: shell, resource, attachment, manual, user-...
            certification_status: `blocker` or `non-blocker`.
            xfail: Whether it is expected to fail, so that a pass is what nobody expects.
            origin: The file, and line, that defines it.
            category_id: Id of the category, where its heading is not one.
            template_id: Id of the template that it is an instance of.
            checksum: That of its definition in a provider; a resume with that provider
                refuses another definition.
        """
        job_id, device = self._checked_ids(job_id, device)
        _check_choice(job_id, "plugin", plugin, PLUGINS)
        _check_choice(job_id, "certification status", certification_status, _STATUSES)
        heading = checked_text(category, "a category")
        category_id = checked_text(category_id, "a category's id")
        record = JobRecord(
            id=job_id,
            summary=checked_text(summary, "a summary"),
            description=checked_text(description, "a description"),
            plugin=plugin,
            category_id=category_id or heading or UNCATEGORISED,
            certification_status=certification_status,
            estimated_duration=seconds(estimated_duration, "estimated_duration"),
            xfail=bool(xfail),
            origin=checked_text(origin, "an origin"),
            template_id=checked_text(template_id, "a template's id"),
            checksum=checked_text(checksum, "a checksum"),
        )
        self._ensure_device(device)
        if heading and self._contents.categories.get(record.category_id) != heading:
            self._emit(CategoryDefined(at=self._clock(), id=record.category_id, name=heading))
        self._define(device, record)

    def record(
        self,
        job_id: str,
        *,
        outcome: Outcome | str,
        device: str | None = None,
        started_at: float | None = None,
        duration: float | None = None,
        return_code: int | None = None,
        comments: str | None = None,
        skip_reason: str | None = None,
        output: Output = b"",
        attachments: Mapping[str, Content] | None = None,
        subtests: Iterable[Subtest] = (),
        measurements: Iterable[Measurement] = (),
    ) -> None:
        """Record an attempt that is over; a job that was not recorded is recorded by its id.

        Args:
            started_at: Seconds since 1970, UTC.
            duration: Seconds.
            output: What the job wrote: bytes, a stream that is read to its end, or
                records `(seconds, stream, bytes)`. It may be of any size.
            attachments: Files by name: bytes, the path of a file, or a stream.

        Raises:
            TypeError, ValueError: A value is of the wrong type, or the outcome is not known.
        """
        job_id, device = self._checked_ids(job_id, device)
        # The most frequent case by far: nothing is large, so nothing is captured.
        log = None if self._masker is not None or attachments else _log_of(output)
        result = JobResult(
            outcome=finished_outcome(outcome, job_id),
            return_code=return_code,
            execution_duration=duration,
            started_at=started_at,
            comments=comments,
            skip_reason=skip_reason,
            io_log=log or (),
            subtests=tuple(subtests),
            measurements=tuple(measurements),
        )
        if log is not None:
            self._keep(job_id, device, result)
        else:
            self._keep_with(job_id, device, result, output, attachments or {})

    def _keep_with(
        self,
        job_id: str,
        device: str,
        result: JobResult,
        output: Output,
        attachments: Mapping[str, Content],
    ) -> None:
        attempt = self._attempt(job_id, device, result.started_at)
        try:
            attempt.write_all(output)
            for name, content in attachments.items():
                attempt.attach(name, content)
            attempt.finish(
                result.outcome,
                duration=result.execution_duration,
                return_code=result.return_code,
                comments=result.comments,
                skip_reason=result.skip_reason,
                subtests=result.subtests,
                measurements=result.measurements,
            )
        except BaseException:
            attempt.discard()
            raise

    def attempt(
        self, job_id: str, *, device: str | None = None, started_at: float | None = None
    ) -> Attempt:
        """Return an attempt that begins now, to be used in a `with` block.

        Args:
            started_at: Seconds since 1970, UTC; without it, now.

        Raises:
            RecordingError: An attempt at the job is not finished.
        """
        job_id, device = self._checked_ids(job_id, device)
        seconds(started_at, "started_at")
        self._ensure_job(device, job_id)
        job = self._contents.job(device, job_id)
        if job.started is not None:
            raise RecordingError(self.session_id, job_id, "an attempt at it is not finished")
        at, number = self._clock(), job.attempts + 1
        self._emit(JobStarted(at=at, device=device, job_id=job_id, attempt=number, recorded=True))
        return self._attempt(job_id, device, at if started_at is None else started_at)

    def _attempt(self, job_id: str, device: str, started_at: float | None) -> Attempt:
        log = self._logs.open(device, job_id, self._contents.job(device, job_id).attempts + 1)
        record = partial(self.record_result, job_id, device=device)
        return Attempt(self._storage, job_id, log, started_at, record, masker=self._masker)

    def attachment(self, name: str, content: Content, *, media_type: str = "") -> Attachment:
        """Keep a file for a `JobResult` that is recorded next, as `Attempt.attach` does."""
        self._check_open()
        return kept_attachment(self._storage, self._masker, name, content, media_type)

    def record_result(self, job_id: str, result: JobResult, *, device: str | None = None) -> None:
        """Record a finished result; blobs that it names must be in the session's storage.

        Output and attachments beyond 4 KiB are moved to blobs at once.

        Raises:
            TypeError: *result* is no `JobResult`.
        """
        if not isinstance(result, JobResult):
            raise TypeError(f"a result must be a JobResult, not {type(result).__name__}")
        self._keep(*self._checked_ids(job_id, device), result)

    def _keep(self, job_id: str, device: str, result: JobResult) -> None:
        self._ensure_job(device, job_id)
        event = ResultRecorded(at=self._clock(), device=device, job_id=job_id, result=result)
        self._emit(event)

    def suggest_title(self, title: str) -> None:
        """Call the session so when it is closed, unless it has a title or another suggestion."""
        if not self._title:
            self._title = self._suggested = checked_text(title, "a title")

    def plan(self, plan_id: str, *, name: str = "", description: str = "") -> None:
        """Record a test plan that the jobs come from, besides those that were recorded."""
        plan = PlanRecord(
            id=checked_name(plan_id, "a plan's id"),
            name=checked_text(name, "a plan's name"),
            description=checked_text(description, "a plan's description"),
        )
        self._begin()
        plans = (*(each for each in self._contents.plans if each.id != plan.id), plan)
        self._emit(PlansChanged(at=self._clock(), plans=plans))

    def remove_device(self, device_id: str) -> None:
        """Remove a device, if it is there, with all its jobs and results."""
        _job, device_id = self._checked_ids("any", device_id)
        self._appended.pop(device_id, None)
        if device_id in self._contents.devices:
            self._emit(DeviceRemoved(at=self._clock(), device=device_id))

    def leave_out(self, what: str, count: int = 1) -> None:
        """Count something that a source has and a session can't keep, so that people are told.

        Args:
            what: What it is in words, as a plural: `times of suites`.
        """
        self._left_out[checked_name(what, "what is left out")] += count

    def note_plugin(self, kind: str, name: str, registry: Registry | None = None) -> None:
        """Record that a plugin takes part in writing the session, and where it comes from."""
        self._begin()
        registry = registry or Registry.discover()
        self._emit(plugin_used(registry.resolve(kind, name), at=self._clock()))

    def checkpoint(self, *, level: Level = "system") -> None:
        """Store what was recorded since the last checkpoint; durable when it returns.

        Args:
            level: What it survives at least: `system` a power cut, `process` the end
                of this program.

        Raises:
            StorageError: Nothing of it was stored, or that is unclear; what was stored
                before is whole, and the rest is kept for another try.
            RecordingError: The recorder is closed.
        """
        if level not in {"system", "process"}:
            raise ValueError(f"a level is 'system' or 'process', not {level!r}")
        self._check_open()
        self._begin()
        for device, job_ids in self._appended.items():
            event = JobsAppended(at=self._clock(), device=device, job_ids=tuple(job_ids))
            self._pending.append(event)
        self._appended.clear()
        if self._pending:
            self._journal.append(self._pending, level=level)
            stored = tuple(self._pending)
            self._pending.clear()
            self._waiting = 0
            self._logs.release(stored)

    def close(self) -> None:
        """Store what was recorded, and let go of the session; calling it again does nothing."""
        if self._is_closed:
            return
        try:
            self._store_title()
            self.checkpoint()
        finally:
            self._is_closed = True
            self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _store_title(self) -> None:
        """Record the title that was suggested; it belongs to a device."""
        device = next(iter(self._contents.devices), None)
        if self._suggested and device is not None:
            changes = {"title": msgspec.Raw(msgspec.json.encode(self._suggested))}
            self._suggested = ""
            self._emit(MetadataChanged(at=self._clock(), device=device, changes=changes))

    def _check_open(self) -> None:
        if self._is_closed:
            raise RecordingError(self.session_id, "", "its recorder is closed")

    def _begin(self, title: str = "") -> None:
        if self._is_new:
            self._is_new = False
            self._title = title
            created = SessionCreated(at=self._clock(), session_id=self._storage.id, title=title)
            self._emit(created)
            self._open_writer()

    def _open_writer(self) -> None:
        boot_id = this_process().boot_id
        self._emit(writer_opened(at=self._clock(), boot_id=boot_id, rules=self._rules))

    def _emit(self, event: AnyEvent) -> None:
        self._check_open()
        # Large output is masked before it becomes a blob, and becomes one before it waits.
        event = with_blobs(self._masked(event), self._storage)
        self._contents.apply(event)
        self._pending.append(event)
        self._waiting += weight_of(event)
        if len(self._pending) >= MOST_PENDING or self._waiting >= MOST_WAITING:
            self.checkpoint(level="process")

    def _masked(self, event: AnyEvent) -> AnyEvent:
        return event if self._masker is None else masked_event(event, self._masker)

    def _checked_ids(self, job_id: str, device: str | None) -> tuple[str, str]:
        job_id = checked_name(job_id, "a job's id")
        device = self._device if device is None else checked_name(device, "a device's id")
        if self._masker is None:
            return job_id, device
        exact = self._masker.exact
        return exact.identifier("job", job_id), exact.identifier("device", device)

    def _ensure_device(self, device_id: str) -> None:
        if device_id not in self._contents.devices:
            self.device(device_id)

    def _ensure_job(self, device: str, job_id: str) -> None:
        if self._contents.job(device, job_id).definition is None:
            self.job(job_id, device=device)

    def _define(self, device: str, record: JobRecord) -> None:
        job = self._contents.job(device, record.id)
        if job.definition == hash(record):
            return
        if not job.is_selected:
            job.is_selected = True
            self._appended.setdefault(device, []).append(record.id)
        self._emit(JobDefined(at=self._clock(), device=device, job=record))

    def _settle(self, started: JobStarted) -> None:
        name = log_name(started.device, started.job_id, started.attempt)
        result = JobResult(
            outcome="crash",
            interrupted_by="unknown",
            comments="the program that recorded this job was ended before it",
            **recover(self._storage, name),
        )
        self.record_result(started.job_id, result, device=started.device)


def _log_of(output: Output) -> tuple[IOLogRecord, ...] | None:
    """Return the log of output that stays in its result, None of what has to be captured."""
    if type(output) is not bytes or len(output) > INLINE:
        return None
    return (IOLogRecord(0.0, "stdout", output),) if output else ()


def _check_choice(job_id: str, what: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        names = ", ".join(sorted(known))
        raise ValueError(f"the job {job_id!r} can't have the {what} {value!r} ({names})")


def opened_repository(
    repository: Repository | str | os.PathLike[str] | None, registry: Registry | None
) -> Repository:
    """Return a repository, or the one that a URL names; without one, the user's own."""
    if repository is None or isinstance(repository, str | os.PathLike):
        return open_repository(repository or default_url(), registry=registry)
    return repository
