"""One tagged struct for each thing that can happen in a session.

An event is what a checkpoint stores. What a report shows of a job is written
once, when the job enters the session; so a session can be exported where none
of its providers is installed.
"""

from __future__ import annotations

from typing import Final

import msgspec

from holdall.results import JobResult

FORMAT: Final = 1
"""Version of the events; a reader refuses a session that was written with a higher one."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Something that happened; `at` is in seconds since 1970, UTC."""

    at: float


class DeviceEvent(Event, frozen=True, kw_only=True):
    """Something that happened to one device."""

    device: str = "local"


class SessionCreated(Event, frozen=True, kw_only=True, tag="session-created"):
    """The session began; always the first event."""

    session_id: str
    title: str = ""


class WriterOpened(Event, frozen=True, kw_only=True, tag="writer-opened"):
    """A process opened the session for writing: from here on the epoch is one higher."""

    version: str
    format: int = FORMAT


class PluginUsed(Event, frozen=True, kw_only=True, tag="plugin-used"):
    """A plugin that takes part in writing the session, and where it comes from."""

    kind: str
    id: str
    distribution: str
    version: str
    target: str


class MetadataChanged(DeviceEvent, frozen=True, kw_only=True, tag="metadata-changed"):
    """Fields of the session's metadata got other values; the others kept theirs."""

    changes: dict[str, msgspec.Raw]


class DeviceAdded(DeviceEvent, frozen=True, kw_only=True, tag="device-added"):
    """A device takes part from now on."""

    description: str = ""
    facts: dict[str, str] = {}


class DeviceRemoved(DeviceEvent, frozen=True, kw_only=True, tag="device-removed"):
    """A device, with all that was known of it, left the session."""


class ProviderAdded(DeviceEvent, frozen=True, kw_only=True, tag="provider-added"):
    """A provider's units are available on the device; `source` finds it again."""

    name: str
    namespace: str = ""
    version: str = ""
    description: str = ""
    loader: str = ""
    source: str = ""


class PlanRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What reports show of a test plan."""

    id: str
    name: str = ""
    description: str = ""


class PlansChanged(Event, frozen=True, kw_only=True, tag="plans-changed"):
    """These test plans are in force on all devices, and no others."""

    plans: tuple[PlanRecord, ...] = ()


class JobRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What reports show of a job; statuses are those in force, overrides included."""

    id: str
    summary: str = ""
    description: str = ""
    plugin: str = "shell"
    category_id: str = ""
    certification_status: str = "non-blocker"
    template_id: str = ""
    checksum: str = ""
    estimated_duration: float | None = None
    origin: str = ""


class JobDefined(DeviceEvent, frozen=True, kw_only=True, tag="job-defined"):
    """A job entered the session, or what is known of it changed."""

    job: JobRecord


class JobRemoved(DeviceEvent, frozen=True, kw_only=True, tag="job-removed"):
    """A job, with all that was known of it, left the session."""

    job_id: str


class CategoryDefined(Event, frozen=True, kw_only=True, tag="category-defined"):
    """The heading of a category that a job of the session is in."""

    id: str
    name: str


class JobsSelected(DeviceEvent, frozen=True, kw_only=True, tag="jobs-selected"):
    """The jobs that are to run on the device, in this order.

    `desired` are the ones asked for, None when they are just those of `run_list`.
    """

    run_list: tuple[str, ...]
    desired: tuple[str, ...] | None = None
    mandatory: tuple[str, ...] = ()


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Tells one process from all others, also after a reboot."""

    pid: int
    started: str = ""
    boot_id: str = ""


class JobStarted(DeviceEvent, frozen=True, kw_only=True, tag="job-started"):
    """An attempt begins; stored before the command runs."""

    job_id: str
    attempt: int = 1
    process: Process | None = None


class ResultRecorded(DeviceEvent, frozen=True, kw_only=True, tag="result-recorded"):
    """An attempt at a job ended, or the job was found not to start."""

    job_id: str
    result: JobResult


AnyEvent = (
    SessionCreated
    | WriterOpened
    | PluginUsed
    | MetadataChanged
    | DeviceAdded
    | DeviceRemoved
    | ProviderAdded
    | PlansChanged
    | JobDefined
    | JobRemoved
    | CategoryDefined
    | JobsSelected
    | JobStarted
    | ResultRecorded
)
