"""Errors of the session engine: dependencies, expressions, plans, resuming."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from holdall.errors.root import HoldallError, listed, near
from holdall.errors.urls import masked_url

if TYPE_CHECKING:
    from collections.abc import Sequence


class SessionError(HoldallError):
    """The session can't perform the operation."""


class DependencyError(SessionError):
    """A job can't be put on the run list.

    Problems of this family are returned by `update_desired_job_list`, not raised.
    """


class DependencyUnknownError(DependencyError):
    """A selected job is not in the session."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"job {self.job_id!r} was selected, but no loaded provider has it"


class DependencyMissingError(DependencyError):
    """A job depends on one that is missing or can't run either."""

    def __init__(self, job_id: str, missing: str, relation: str, reason: str = "") -> None:
        super().__init__(job_id, missing, relation, reason)
        self.job_id = job_id
        self.missing = missing
        self.relation = relation
        self.reason = reason

    def __str__(self) -> str:
        reason = self.reason or "no loaded provider has it"
        return f"job {self.job_id!r} cannot run: {self.relation} {self.missing!r}: {reason}"


class DependencyCycleError(DependencyError):
    """Jobs depend on each other in a cycle."""

    def __init__(self, job_id: str, cycle: Sequence[str], relation: str) -> None:
        super().__init__(job_id, cycle, relation)
        self.job_id = job_id
        self.cycle = tuple(cycle)
        self.relation = relation

    def __str__(self) -> str:
        return f"jobs wait for each other ({self.relation}): {' -> '.join(self.cycle)}"


class DependencyDuplicateError(DependencyError):
    """Two different units claim one id."""

    def __init__(self, unit_id: str, first: str, second: str) -> None:
        super().__init__(unit_id, first, second)
        self.unit_id = unit_id
        self.first = first
        self.second = second

    def __str__(self) -> str:
        return (
            f"two different units are called {self.unit_id!r}: one at {self.first or 'no file'}, "
            f"one at {self.second or 'no file'}; rename one of them"
        )


class ExpressionError(SessionError, ValueError):
    """A resource expression is malformed, or uses what is not allowed."""

    def __init__(self, text: str, line: int, column: int, reason: str) -> None:
        super().__init__(text, line, column, reason)
        self.text = text
        self.line = line
        self.column = column
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"cannot use the resource expression {self.text!r}, line {self.line} column "
            f"{self.column}: {self.reason}"
        )


class TemplateInstanceError(SessionError):
    """A template can't be instantiated for one record; other records are unaffected."""

    def __init__(self, template_id: str, origin: str, record: int, reason: str) -> None:
        super().__init__(template_id, origin, record, reason)
        self.template_id = template_id
        self.origin = origin
        self.record = record
        self.reason = reason

    def __str__(self) -> str:
        location = f" ({self.origin})" if self.origin else ""
        which = f", record {self.record}" if self.record else ""
        return f"the template {self.template_id!r}{location} makes no unit{which}: {self.reason}"


class UnknownUnitError(SessionError, KeyError):
    """The device context has no unit of that id and kind."""

    def __init__(self, unit_id: str, kind: str, known: Sequence[str] = ()) -> None:
        super().__init__(unit_id, kind, known)
        self.unit_id = unit_id
        self.kind = kind
        self.known = tuple(known)

    def __str__(self) -> str:
        partial = (known.rpartition("::")[2] for known in self.known)
        hint = near(self.unit_id, [*self.known, *partial])
        shown = f" (there are: {listed(self.known)})" if len(self.known) <= 12 else ""
        return f"no {self.kind} is called {self.unit_id!r}{hint}{shown}"


class AmbiguousUnitError(SessionError, LookupError):
    """Several units have an id that was given without its namespace."""

    def __init__(self, unit_id: str, kind: str, candidates: Sequence[str]) -> None:
        super().__init__(unit_id, kind, candidates)
        self.unit_id = unit_id
        self.kind = kind
        self.candidates = tuple(candidates)

    def __str__(self) -> str:
        ids = " and ".join(self.candidates)
        return f"several {self.kind}s are called {self.unit_id!r}: {ids}; give the whole id"


class NothingSelectedError(SessionError, LookupError):
    """The requested plans or patterns select no job."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what = what
        self.reason = reason

    def __str__(self) -> str:
        return f"nothing to run for {self.what}: {self.reason}"


class SessionResumeError(SessionError):
    """A stored session can't be resumed."""


class RunnerUrlError(SessionError, ValueError):
    """A URL names no runner."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = masked_url(url)
        self.reason = masked_url(reason)
        super().__init__(self.url, self.reason)

    def __str__(self) -> str:
        return f"cannot open the runner {self.url!r}: {self.reason}"


class DeviceExistsError(SessionError, ValueError):
    """A device is to join a session that it takes part in already."""

    def __init__(self, session_id: str, device: str) -> None:
        super().__init__(session_id, device)
        self.session_id = session_id
        self.device = device

    def __str__(self) -> str:
        return (
            f"cannot add the device {self.device!r} to the session {self.session_id!r}, which has "
            f"it already: give it another id, or use the context that is there"
        )


class SharedMachineError(SessionError, ValueError):
    """Several devices would share the machine that runs holdall, and its results."""

    def __init__(self, devices: Sequence[str]) -> None:
        super().__init__(devices)
        self.devices = tuple(devices)

    def __str__(self) -> str:
        names = " and ".join(map(repr, self.devices))
        return (
            f"cannot run jobs for the devices {names}, all of them on this machine: give each "
            f"a runner of its own, with --device {self.devices[-1]}=RUNNER or a table "
            f"[devices.{self.devices[-1]}] in holdall.toml"
        )


class NothingToResumeError(SessionResumeError, LookupError):
    """Every session of the store has a result for each of its jobs, or has no jobs."""

    def __init__(self, store: str, empty: Sequence[str] = ()) -> None:
        super().__init__(store, empty)
        self.store = store
        self.empty = tuple(empty)

    def __str__(self) -> str:
        passed_over = f" ({len(self.empty)} passed over that have no jobs)" if self.empty else ""
        return (
            f"cannot resume: no session in {self.store} is unfinished{passed_over}; "
            "`holdall sessions list` shows what is there"
        )


class JobRestartingError(SessionResumeError):
    """A job of the session restarts the machine by itself, and is not done with it."""

    def __init__(self, session_id: str, job_id: str) -> None:
        super().__init__(session_id, job_id)
        self.session_id = session_id
        self.job_id = job_id

    def __str__(self) -> str:
        return (
            f"cannot go on with {self.session_id!r} yet: the job {self.job_id!r} restarts the "
            f"machine and resumes the session when it is done; "
            f"`holdall resume {quote(self.session_id)}` ends the job"
        )


class RulesMissingError(SessionResumeError):
    """The session was masked by rules that are not given now, so secrets would be stored."""

    def __init__(
        self, session_id: str, secrets: Sequence[str], keys: Sequence[str], patterns: int
    ) -> None:
        super().__init__(session_id, secrets, keys, patterns)
        self.session_id = session_id
        self.secrets = tuple(secrets)
        self.keys = tuple(keys)
        self.patterns = patterns

    def __str__(self) -> str:
        missing = [
            *(f"--redact-env {name}" for name in self.secrets),
            *(f"--redact-key {key}" for key in self.keys),
            *("--redact REGEX" for _number in range(self.patterns)),
        ]
        return (
            f"cannot go on with {self.session_id!r}: it was masked by rules that are not given "
            f"now ({', '.join(missing)}), and secrets would be stored; set the variables, or give "
            "the rules by these options, in [redaction] of holdall.toml, or by redact="
        )


class EmptySessionError(SessionResumeError):
    """The session ended before its jobs were stored, so nothing of it can be resumed."""

    def __init__(self, session_id: str, store: str) -> None:
        super().__init__(session_id, store)
        self.session_id = session_id
        self.store = store

    def __str__(self) -> str:
        return (
            f"cannot resume the session {self.session_id!r} in {self.store}: it has no jobs, for "
            "it ended before they were stored; start a new one with `holdall run`, and remove "
            f"this one with `holdall sessions rm {quote(self.session_id)}`"
        )


class IncompatibleJobError(SessionResumeError):
    """Definitions of jobs that ran changed since the session was stored."""

    def __init__(self, session_id: str, changed: Sequence[str]) -> None:
        super().__init__(session_id, changed)
        self.session_id = session_id
        self.changed = tuple(changed)

    def __str__(self) -> str:
        return (
            f"cannot resume the session {self.session_id!r}: the definition of "
            f"{len(self.changed)} of its jobs has changed since they ran: "
            f"{', '.join(self.changed)}; bring the old provider back, or choose what becomes of "
            "them: --changed keep, rerun or skip, or --changed ID=rerun for one of them (in code "
            "load_session(changed={...}))"
        )


class MissingJobError(SessionResumeError):
    """No given provider defines some jobs of the session."""

    def __init__(self, session_id: str, missing: Sequence[str]) -> None:
        super().__init__(session_id, missing)
        self.session_id = session_id
        self.missing = tuple(missing)

    def __str__(self) -> str:
        return (
            f"cannot resume the session {self.session_id!r}: no given provider has "
            f"{len(self.missing)} of its jobs: {', '.join(self.missing)}; add their provider"
        )


class MissingFilesError(SessionResumeError):
    """Logs or attachments of the session are missing from its storage."""

    def __init__(self, session_id: str, jobs: Sequence[str]) -> None:
        super().__init__(session_id, jobs)
        self.session_id = session_id
        self.jobs = tuple(jobs)

    def __str__(self) -> str:
        return (
            f"cannot resume the session {self.session_id!r}: logs or attachments of "
            f"{len(self.jobs)} of its jobs are gone: {', '.join(self.jobs)}; bring them back, or "
            "resume without the flag 'file-reference-checks'"
        )


class RecordingError(SessionError):
    """The recorder is not in a state to record this."""

    def __init__(self, session_id: str, job_id: str, reason: str) -> None:
        super().__init__(session_id, job_id, reason)
        self.session_id = session_id
        self.job_id = job_id
        self.reason = reason

    def __str__(self) -> str:
        what = f"the job {self.job_id!r}" if self.job_id else "anything"
        return f"cannot record {what} in the session {self.session_id!r}: {self.reason}"
