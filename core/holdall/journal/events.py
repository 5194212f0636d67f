"""One tagged struct for each thing that can happen in a session.

An event is what a checkpoint stores. What a report shows of a job is written
once, when the job enters the session; so a session can be exported where none
of its providers is installed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.results import JobResult
from holdall.units import UNCATEGORISED
from holdall.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT: Final = 2
"""Version of the events; a reader refuses a session that was written with a higher one.

1 had no outcome `error`, no subtests, no measurements and no summaries; it reads as it did.
"""


# Kept, for a program that is recorded may put something else in its place.
_time: Final = time.time


def now() -> float:
    """Return the present moment as events keep it: seconds since 1970, UTC, to the millisecond."""
    return round(_time(), 3)


class Event(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", gc=False
):
    """Something that happened; `at` is in seconds since 1970, UTC."""

    at: float


class DeviceEvent(Event, frozen=True, kw_only=True):
    """Something that happened to one device."""

    device: str = "local"


class SessionCreated(Event, frozen=True, kw_only=True, tag="session"):
    """The session began; always the first event."""

    session_id: str
    title: str = ""


class RulesRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By which rules a writer masks; no value of a secret, and no pattern, which may hold one.

    Attributes:
        secrets: Their names, such as those of variables.
        keys: Names whose values are masked.
        patterns: How many there are.
    """

    secrets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    patterns: int = 0


NO_RULES: Final = RulesRecord()
"""What a writer records that masks nothing."""


class WriterOpened(Event, frozen=True, kw_only=True, tag="writer"):
    """A process opened the session for writing: from here on the epoch is one higher.

    Processes of jobs belong to the same boot of the machine unless they say otherwise.
    A writer of format 1 did not say which one it wrote. The next writer has to mask by
    the same rules.
    """

    version: str
    format: int = 1  # the first version did not write it
    boot_id: str = ""
    rules: RulesRecord = NO_RULES


def writer_opened(*, at: float, boot_id: str, rules: RulesRecord = NO_RULES) -> WriterOpened:
    """Return the event of this holdall that opens a session for writing."""
    return WriterOpened(at=at, version=__version__, format=FORMAT, boot_id=boot_id, rules=rules)


class PluginUsed(Event, frozen=True, kw_only=True, tag="plugin"):
    """A plugin that takes part in writing the session, and where it comes from.

    Attributes:
        at: When it was first used, seconds since 1970, UTC.
        kind: Kind of plugin, such as `repositories`.
        id: Its id.
        distribution: Name of the distribution that it comes from.
        version: Version of that distribution.
        target: Module and object in it.
    """

    kind: str
    id: str
    distribution: str
    version: str
    target: str


class MetadataChanged(DeviceEvent, frozen=True, kw_only=True, tag="metadata"):
    """Fields of the session's metadata got other values; the others kept theirs."""

    changes: dict[str, msgspec.Raw]


def decode_title(data: msgspec.Raw) -> str:
    """Return the title in the metadata field *data*; empty if it holds no string."""
    value = msgspec.json.decode(data)
    return value if isinstance(value, str) else ""


def decode_strings(data: msgspec.Raw) -> tuple[str, ...]:
    """Return the strings in the metadata field *data*; none if it holds no list."""
    value = msgspec.json.decode(data)
    return tuple(item for item in value if isinstance(item, str)) if type(value) is list else ()


class DeviceAdded(DeviceEvent, frozen=True, kw_only=True, tag="device"):
    """A device takes part from now on."""

    description: str = ""
    facts: dict[str, str] = {}
    runner: str = "local"


class DeviceRemoved(DeviceEvent, frozen=True, kw_only=True, tag="device-gone"):
    """A device left the session, and its jobs and results with it."""


class ProviderAdded(DeviceEvent, frozen=True, kw_only=True, tag="provider"):
    """A provider's units are available on the device; `source` finds it again.

    Attributes:
        device: Id of the device.
        at: When it was given, seconds since 1970, UTC.
        name: Name of the provider.
        namespace: What the ids of its units begin with.
        version: Its version.
        description: One line for people, or nothing.
        loader: Id of the plugin that loaded it.
        source: What a user typed, or where it was found.
    """

    name: str
    namespace: str = ""
    version: str = ""
    description: str = ""
    loader: str = ""
    source: str = ""


class PlanRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What reports show of a test plan.

    Attributes:
        id: Qualified id.
        name: One line for people, or nothing.
        description: What it is about, as text of any length.
    """

    id: str
    name: str = ""
    description: str = ""


class PlansChanged(Event, frozen=True, kw_only=True, tag="plans"):
    """These test plans are in force on all devices, and no others."""

    plans: tuple[PlanRecord, ...] = ()


class JobRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What reports show of a job; statuses are those in force, overrides included."""

    id: str
    summary: str = ""
    description: str = ""
    plugin: str = "shell"
    category_id: str = UNCATEGORISED
    certification_status: str = "non-blocker"
    template_id: str = ""
    checksum: str = ""
    estimated_duration: float | None = None
    origin: str = ""
    xfail: bool = False


class JobDefined(DeviceEvent, frozen=True, kw_only=True, tag="job"):
    """A job entered the session, or its definition or overrides changed."""

    job: JobRecord


class JobRemoved(DeviceEvent, frozen=True, kw_only=True, tag="job-gone"):
    """A job left the session, and its results with it."""

    job_id: str


class CategoryDefined(Event, frozen=True, kw_only=True, tag="category"):
    """The heading of a category that a job of the session is in."""

    id: str
    name: str


class JobsSelected(DeviceEvent, frozen=True, kw_only=True, tag="selection"):
    """The jobs that are to run on the device, in this order.

    `desired` are the ones asked for, None when they are just those of `run_list`.
    """

    run_list: tuple[str, ...]
    desired: tuple[str, ...] | None = None
    mandatory: tuple[str, ...] = ()


class JobsAppended(DeviceEvent, frozen=True, kw_only=True, tag="appended"):
    """More jobs are to run on the device, behind those that were selected before.

    A program whose jobs are known one after the other records each in constant size.
    """

    job_ids: tuple[str, ...]


def extended(selection: JobsSelected, job_ids: Iterable[str]) -> JobsSelected:
    """Return *selection* with jobs appended that were asked for as well."""
    more = tuple(job_ids)
    desired = None if selection.desired is None else (*selection.desired, *more)
    run_list = (*selection.run_list, *more)
    return msgspec.structs.replace(selection, run_list=run_list, desired=desired)


class OverrideRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field that is set for every job that a pattern matches.

    Attributes:
        pattern: A job id, or a regular expression for whole ids.
        fixed: Whether `pattern` is an id.
        field: `category_id`, `certification_status` or `auto_retry`.
    """

    pattern: str
    fixed: bool = True
    field: str
    value: str


class OverridesChanged(DeviceEvent, frozen=True, kw_only=True, tag="overrides"):
    """These overrides apply on top of those of the test plans, and no others."""

    overrides: tuple[OverrideRecord, ...] = ()


class Process(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The identity of a process, unique also after a reboot."""

    pid: int
    started: str = ""
    boot_id: str = ""

    def within(self, boot_id: str) -> Process:
        """Return the mark without a boot that is *boot_id* anyway."""
        return self._with_boot("") if self.boot_id == boot_id else self

    def resolved(self, boot_id: str) -> Process:
        """Return the mark with *boot_id* if it says no boot itself."""
        return self if self.boot_id else self._with_boot(boot_id)

    def _with_boot(self, boot_id: str) -> Process:
        return Process(pid=self.pid, started=self.started, boot_id=boot_id)


class JobStarted(DeviceEvent, frozen=True, kw_only=True, tag="start"):
    """An attempt begins; stored before the command runs.

    `recorded` says that a program tells of it that no runner performs: its recorder settles it.
    Stored once more when the command of a job for a person has ended: `performed` is what it came
    to, without what it wrote, and the attempt goes on until the person has decided.
    """

    job_id: str
    attempt: int = 1
    process: Process | None = None
    recorded: bool = False
    performed: JobResult | None = None


class ManifestAnswered(DeviceEvent, frozen=True, kw_only=True, tag="manifest"):
    """Questions about the device were answered; earlier answers to others stay."""

    answers: dict[str, str]


class ResultRecorded(DeviceEvent, frozen=True, kw_only=True, tag="result"):
    """An attempt at a job ended, or the job was found not to start."""

    job_id: str
    result: JobResult


class SessionSummarised(Event, frozen=True, kw_only=True, tag="summary"):
    """What a listing shows of everything before it; it adds nothing to the session.

    Attributes:
        at: The moment of the last event before it.
        counts: How many jobs ended with which outcome; only outcomes that occur.
        selecting: Whether jobs are still to be selected, which depends on those that run first.
        tried: Whether an attempt at any job was begun; not said in what is older than that.
        in_flight: How many jobs were begun, and have not ended.
        devices: The ids of its devices; none in what was written before they were said.
    """

    title: str = ""
    created: float = 0.0
    jobs: int = 0
    results: int = 0
    counts: dict[str, int] = {}
    verdict: str = ""
    selecting: bool = False
    tried: bool = False
    in_flight: int = 0
    devices: tuple[str, ...] = ()


class Snapshot(Event, frozen=True, kw_only=True, tag="snapshot"):
    """Stands for everything before it.

    Attributes:
        packed: The compacted events as JSON lines, compressed by zlib.
        summary: What a listing shows of them; None in a snapshot of format 1.
    """

    packed: bytes
    summary: SessionSummarised | None = None


StateEvent = (
    ResultRecorded
    | JobStarted
    | JobDefined
    | JobsSelected
    | JobsAppended
    | JobRemoved
    | CategoryDefined
    | ManifestAnswered
    | MetadataChanged
    | OverridesChanged
    | ProviderAdded
)
"""What happens to the state of a device; `SessionState.apply` takes each of them."""

AnyEvent = (
    StateEvent
    | Snapshot
    | SessionCreated
    | WriterOpened
    | PluginUsed
    | DeviceAdded
    | DeviceRemoved
    | PlansChanged
    | SessionSummarised
)
"""Every kind of event; what reads events handles each, or does not type-check."""
